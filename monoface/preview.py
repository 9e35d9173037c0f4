"""`monoface preview`: what the rendered training faces look like."""

import sys
from pathlib import Path

import click


@click.command("preview")
@click.option("--preset", default="tiny", show_default=True, help="Named configuration of the rendered data set.")
@click.option("--count", default=36, show_default=True, type=click.IntRange(1, 2500), help="Number of faces.")
@click.option(
    "--out",
    default="preview.png",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The PNG file to write.",
)
@click.option(
    "--model",
    "model_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A face model in the native .npz format; the default head if not given.",
)
@click.option(
    "--background",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of photographs to put behind the faces.",
)
@click.option(
    "--landmarks", is_flag=True, help="Draw landmarks (green: visible, red: hidden), boxes and poses; doubles the size."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Other seeds show other people.")
def command(
    preset: str, count: int, out: Path, model_path: Path | None, background: Path | None, landmarks: bool, seed: int
) -> None:
    """Draw a contact sheet of rendered faces, each a different person as far as there are people.

    \b
    monoface preview
    monoface preview --count 12 --landmarks --seed 7 --out faces.png
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from rich.progress import track

    from components.synthetic_face_gen.config import SyntheticFaceConfig
    from components.synthetic_face_gen.generate import arrange, render_tiles
    from trainer.imaging import codecs
    from trainer.morphable import io
    from trainer.morphable.default import default_head

    overrides = {"seed": seed} | ({"background": str(background)} if background else {})
    try:
        config = SyntheticFaceConfig.preset(preset, **overrides)
        model = io.load(model_path) if model_path else default_head()
        tiles = render_tiles(config, model, count, landmarks)
        sheet = arrange(
            list(
                track(
                    tiles,
                    description="Rendering faces",
                    total=count,
                    disable=not sys.stdout.isatty(),
                )
            )
        )
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(codecs.encode_png(sheet))
    except OSError as error:
        raise click.ClickException(f"The picture cannot be written: {error}") from error
    click.echo(f"{count} faces of the preset {preset}: {out}")
