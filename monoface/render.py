"""`monoface render`: a data set of rendered faces, as TFRecord files."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    type=click.Path(exists=True, path_type=Path),
    help="A face model in any format that monoface reads; the default head if not given.",
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
    from components.synthetic_face_gen.config import SyntheticFaceConfig
    from components.synthetic_face_gen.dataset import write_dataset
    from trainer.morphable.default import default_head
    from trainer.morphable.readers.open_model import open_model

    _refuse_misspelt(beam_arguments)
    try:
        overrides = _read_yaml(config_path) if config_path else {}
        given = {"count": count, "seed": seed}
        values = {"preset": preset, **overrides} | {key: value for key, value in given.items() if value is not None}
        config = SyntheticFaceConfig.from_values(values)
        model = open_model(model_path) if model_path else default_head()
        parallel = [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"] if workers > 1 else []
        rendered = write_dataset(config, model, out, [*parallel, *beam_arguments])
    except (ValueError, FileNotFoundError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{config.count} images: {out}" if rendered else f"{out} already holds these {config.count} images.")


def _refuse_misspelt(beam_arguments: Sequence[str]) -> None:
    """What nearly is an option of this command is none of Beam's: `--cout 8` would render the preset's whole count."""
    options = [name for option in command.params for name in option.opts if name.startswith("--")]
    for argument in beam_arguments:
        name = argument.partition("=")[0]
        if close := difflib.get_close_matches(name, options, n=1, cutoff=0.85):
            raise click.UsageError(f"No such option: {name}. Did you mean {close[0]}?")


def _read_yaml(path: Path) -> dict[str, Any]:
    """A mapping of fields; an empty file has none."""
    import yaml

    try:
        values = yaml.safe_load(path.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold a mapping of fields. Received: {type(values).__name__}")
    return values
