"""`monoface preview`: what the rendered training faces look like."""

import sys
from pathlib import Path
from typing import Any

import click


@click.command("preview")
@click.option(
    "--preset",
    default="wild",
    show_default=True,
    help="Named data set: wild, tiny, or a paper's: piao2019, shu2020, genova2018, gecer2018, tu2019.",
)
@click.option(
    "--count", type=click.IntRange(1, 2500), help="Number of faces, or of views.  [default: 36; turntable 13]"
)
@click.option("--turntable", is_flag=True, help="One person who turns from one profile to the other instead of many.")
@click.option("--landmarks", is_flag=True, help="Draw landmarks (green: visible, red: hidden), box and pose, enlarged.")
@click.option(
    "--out",
    default="preview.png",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write: a PNG sheet or strip, or a moving .gif of the turntable.",
)
@click.option(
    "--model",
    "model_path",
    type=click.Path(exists=True, path_type=Path),
    help="A face model in any format that monoface reads; the default head if not given.",
)
@click.option(
    "--background",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of photographs to put behind the faces.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Other seeds show other people.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field of the data set, such as image_size=256 or wardrobe.glasses=1; null leaves a part out. Repeatable.",
)
def command(
    preset: str,
    count: int | None,
    turntable: bool,
    landmarks: bool,
    out: Path,
    model_path: Path | None,
    background: Path | None,
    seed: int,
    changes: tuple[str, ...],
) -> None:
    """Draw a contact sheet of rendered faces, each a different person as far as there are people.

    What you see is what networks train on: the same configuration gives `monoface render` the same pictures.

    \b
    Examples:
      monoface preview                                             36 faces of the preset wild
      monoface preview --preset piao2019 --count 16 --landmarks    a paper's, with their labels
      monoface preview --turntable --seed 7 --out turn.gif         somebody turns round
      monoface preview --set wardrobe.hat=1 --set wardrobe.hair=0  everybody wears a hat, nobody hair
      monoface preview --set wardrobe=null --set image_size=256    bare heads, large

    Fields and their units: components/synthetic_face_gen/config.py and the files that it names.
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from rich.progress import track

    from components.synthetic_face_gen.config import SyntheticFaceConfig
    from components.synthetic_face_gen.generate import arrange, render_tiles, save_moving
    from components.synthetic_face_gen.turntable import render_turntable
    from trainer.imaging import codecs
    from trainer.morphable.default import default_head
    from trainer.morphable.readers.open_model import open_model

    moving = out.suffix.lower() == ".gif"
    if moving and not turntable:
        raise click.UsageError("a .gif is for --turntable; write the contact sheet to a .png.")
    count = count or (13 if turntable else 36)
    try:
        overrides = _overrides(changes) | {"seed": seed} | ({"background": str(background)} if background else {})
        config = SyntheticFaceConfig.preset(preset, **overrides)
        model = open_model(model_path) if model_path else default_head()
        render = render_turntable if turntable else render_tiles
        shown = track(
            render(config, model, count, landmarks),
            description="Rendering faces",
            total=count,
            disable=not sys.stdout.isatty(),
        )
        tiles = list(shown)
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if moving:
            save_moving(tiles, out)
        else:
            out.write_bytes(codecs.encode_png(arrange(tiles, count if turntable else None)))
    except OSError as error:
        raise click.ClickException(f"The picture cannot be written: {error}") from error
    click.echo(f"{count} {'views' if turntable else 'faces'} of the preset {preset}: {out}")


def _overrides(changes: tuple[str, ...]) -> dict[str, Any]:
    """`a.b=1` as `{"a": {"b": 1}}`; values are YAML, so that numbers, lists and null are what they look like."""
    import yaml

    nested: dict[str, Any] = {}
    for change in changes:
        field, equals, text = change.partition("=")
        *parents, name = field.split(".")
        if not equals or not all((*parents, name)):
            raise ValueError(f"`--set` must be FIELD=VALUE, such as image_size=256. Received: {change!r}")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise ValueError(f"`--set {change}`: `{parent}` was set to a value before.")
        try:
            place[name] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"`--set {change}`: the value is no YAML: {error}") from error
    return nested
