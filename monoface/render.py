"""`monoface render`: a data set of rendered faces, as TFRecord files."""

from pathlib import Path

import click


@click.command("render", context_settings={"ignore_unknown_options": True})
@click.option("--preset", default="wild", show_default=True, help="Named configuration of the rendered data set.")
@click.option("--count", type=click.IntRange(1), help="Number of images.  [default: the preset's]")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write or complete."
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML or JSON file with the fields that differ from the preset.",
)
@click.option(
    "--model",
    "model_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A face model in the native .npz format; the default head if not given.",
)
@click.option("--seed", type=click.IntRange(0), help="Other seeds give other people.  [default: the preset's]")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 1024),
    help="Processes on this machine; other machines through Beam's own options.",
)
@click.argument("beam_arguments", nargs=-1, type=click.UNPROCESSED, metavar="[BEAM OPTIONS]...")
def command(
    preset: str,
    count: int | None,
    out: Path,
    config_path: Path | None,
    model_path: Path | None,
    seed: int | None,
    workers: int,
    beam_arguments: tuple[str, ...],
) -> None:
    """Render faces with their landmarks, pose, camera, light and coefficients into TFRecord files.

    OUT/examples holds GZIP TFRecord shards of tf.Example (keys: trainer/contract.py) in the splits train and eval;
    OUT/dead_letters what could not be rendered, and why. A run that was stopped goes on where it was when it is started again
    with the same options; the same options give the same bytes, however many workers there are.

    What this command does not know goes to Apache Beam untouched, so that Flink, Spark or Dataflow can do the work.

    \b
    Examples:
      monoface render --count 10000 --workers 2 --out faces
      monoface render --preset piao2019 --count 500 --seed 7 --out piao
      monoface render --out faces --runner=FlinkRunner --flink_master=localhost:8081 --environment_type=LOOPBACK
    """  # noqa: D301 (\b is how click is told to keep the lines)
    import logging

    import yaml

    from components.synthetic_face_gen.config import SyntheticFaceConfig
    from components.synthetic_face_gen.dataset import write_dataset
    from trainer.morphable import io
    from trainer.morphable.default import default_head

    # Its workers tell as warnings what is normal on one machine.
    logging.getLogger("apache_beam.runners.portability.local_job_service").setLevel(logging.ERROR)
    try:
        overrides = yaml.safe_load(config_path.read_text()) or {} if config_path else {}
        if not isinstance(overrides, dict):
            raise ValueError(f"{config_path} must hold a mapping of fields. Received: {type(overrides).__name__}")
        given = {"count": count, "seed": seed}
        values = {"preset": preset, **overrides} | {key: value for key, value in given.items() if value is not None}
        config = SyntheticFaceConfig.from_values(values)
        model = io.load(model_path) if model_path else default_head()
        parallel = [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"] if workers > 1 else []
        rendered = write_dataset(config, model, out, [*parallel, *beam_arguments])
    except (ValueError, FileNotFoundError, RuntimeError, yaml.YAMLError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{config.count} images: {out}" if rendered else f"{out} already holds these {config.count} images.")
