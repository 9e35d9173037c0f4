"""`monoface model preview`: a picture of a face model."""

from pathlib import Path

import click


@click.command("preview")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    default="model.png",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The PNG file to write.",
)
@click.option("--count", default=16, show_default=True, type=click.IntRange(0, 1000), help="Random people.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Other seeds show other people.")
@click.option(
    "--size", default=224, show_default=True, type=click.IntRange(32, 1024), help="Side of a picture, pixels."
)
@click.option(
    "--landmark-table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Landmark vertices of your own; see `monoface model convert --help`.",
)
def command(path: Path | None, out: Path, count: int, seed: int, size: int, landmark_table: Path | None) -> None:
    """Draw a contact sheet of a face model. Without PATH: the default head.

    From the top: the mean from three sides and with its landmark sets (grey dots are hidden); the first identity modes at
    -2 and at +2 standard deviations; expressions; random people. A model that has no skin
    colours of its own is painted, and so is one with eyes and teeth.

    \b
    monoface model preview
    monoface model preview ICT-FaceKit --out ict.png
    monoface model preview 01_MorphableModel.mat --count 32 --seed 7
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from trainer.imaging import codecs
    from trainer.morphable.default import default_head
    from trainer.morphable.readers.open_model import open_model
    from trainer.rendering.model_sheet import model_sheet

    try:
        model = default_head() if path is None else open_model(path, landmark_table)
        sheet = model_sheet(model, count, seed, size)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(codecs.encode_png(sheet))
    except OSError as error:
        raise click.ClickException(f"The picture cannot be written: {error}") from error
    click.echo(f"{model.name}: {out}")
