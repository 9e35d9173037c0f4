"""`monoface run`."""

import sys
from pathlib import Path

import click


@click.command("run")
@click.option(
    "--preset",
    type=click.Choice(["tiny", "default"]),
    help="tiny: a few minutes on a laptop, shows that everything works. default: the paper's data and schedule; wants a "
    "GPU.  [default: tiny, or what the file says]",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML or JSON file with the fields of pipeline/config.py that differ from the preset.",
)
@click.option(
    "--photos",
    type=click.Path(exists=True, path_type=Path),
    help="A folder of photographs, or a manifest, to train on besides the rendered faces; landmarks are detected where there "
    "are none.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for everything that the run makes.  [default: out, or what the file says]",
)
@click.option(
    "--beam",
    "beam_args",
    multiple=True,
    metavar="OPTION",
    help="An option for Apache Beam, passed through as it is; may be given several times.",
)
@click.option("--verbose", is_flag=True, help="Show the logs of TFX, Beam and TensorFlow.")
def command(
    preset: str | None,
    config_path: Path | None,
    photos: Path | None,
    out: Path | None,
    beam_args: tuple[str, ...],
    verbose: bool,
) -> None:
    """Run the pipeline on this machine: render, train, evaluate, gate, push.

    Rendered faces (and photographs, where given) become a model; it is evaluated on faces that it has not seen, by normalised
    mean error per yaw bin; if it passes the gate it is pushed to OUT/serving/monoface as a new version. If the gate refuses
    it, nothing is pushed and the exit status is 1.

    A run that was stopped goes on where it was, and a run with nothing changed takes everything from earlier ones.

    \b
    Examples:
      monoface run --preset tiny
      monoface run --preset tiny --photos holiday/ --out out/holiday
      monoface run --config faces.yaml --beam=--runner=FlinkRunner --beam=--flink_master=localhost:8081

    \b
    A configuration file, here faces.yaml:
      preset: tiny
      synthetic: {preset: tiny, count: 5000, seed: 7}
      trainer: {overrides: {steps: 3000}}
      evaluation: {upper_bound: 0.05, max_increase: 0.001}
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from rich.console import Console

    from pipeline import progress

    progress.quieten(verbose)
    console = Console()
    try:
        with console.status("Loading TensorFlow"):
            from pipeline.config import PipelineConfig
            from pipeline.local_runner import StepError, run

            chosen = preset or "tiny"
            config = PipelineConfig.load(config_path, chosen) if config_path else PipelineConfig.preset(chosen)
            if photos is not None:
                config = config.replace(photos=str(photos))
            if out is not None:
                config = config.below(str(out))
            if beam_args:
                config = config.replace(beam_args=(*config.beam_args, *beam_args))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    try:
        pushed = run(config, console, verbose)
    except (ValueError, FileNotFoundError, StepError) as error:
        if verbose:
            raise
        raise click.ClickException(f"{error}\nRun it with --verbose for the whole story.") from error
    sys.exit(0 if pushed else 1)
