"""`monoface landmarks`: the 68 points of every face on photographs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from serving.landmarks import Finder, PhotoLandmarks


@click.command("landmarks")
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each photo, with all points.")
@click.option(
    "--overlay",
    "overlays",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory for a picture of each photo with its faces, NAME.png.",
)
@click.option(
    "--set",
    "landmark_set",
    type=click.Choice(["basel", "outline"]),
    default="basel",
    show_default=True,
    help="basel: the jaw's points are fixed to the skin, as in AFLW2000-3D; outline: they lie on the visible contour.",
)
@click.option("--flip", is_flag=True, help="Average with the mirrored face: a little better, takes twice as long.")
@click.option(
    "--small", is_flag=True, help="Look for faces half as small, too: down to a fortieth of the photo; slower."
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Leave out faces of which the networks are less sure.",
)
def command(
    photos: tuple[str, ...],
    as_json: bool,
    overlays: Path | None,
    landmark_set: str,
    flip: bool,
    small: bool,
    min_confidence: float,
) -> None:
    """Find the 68 landmarks of every face on photographs, with the released networks.

    PHOTO is a file, a directory of photos or a pattern. Points are x, y in the upright photo's pixels, and z in the same scale,
    away from the camera; pose is yaw, pitch, roll in degrees.

    A photo that cannot be used, or that shows no face, is named with the reason, and the rest goes on; the exit status is then 1.

    \b
    Examples:
      monoface landmarks portrait.jpg
      monoface landmarks holiday/ --json > holiday.jsonl
      monoface landmarks 'friends/*.png' --set outline --overlay out/overlays
    """  # noqa: D301 - click wants the character
    import json

    from rich.console import Console

    from components.photo_example_gen.photo_file import readable
    from serving.landmarks import landmark_photos
    from serving.photo_paths import find_photos

    if overlays is not None and any(
        Path(photo).is_dir() and overlays.resolve() == Path(photo).resolve() for photo in photos
    ):
        raise click.ClickException(f"Overlays in {overlays} would be photos the next time. Choose another folder.")
    found = find_photos(photos, overlays)
    errors = Console(stderr=True)
    with errors.status("Loading the networks"):
        try:
            find = _finder(landmark_set, flip, small)
        except ValueError as error:
            raise click.ClickException(str(error)) from error
    try:
        results = landmark_photos(found, find, landmark_set, overlays, min_confidence)
    except OSError as error:
        raise click.ClickException(f"Overlays cannot be written: {error}") from error
    failed = 0
    for result in results:
        if as_json:
            click.echo(json.dumps(result.to_json()))
        if result.failed:
            failed += 1
            message = readable(f"{result.reason}: {result.message}")
            errors.print(message, markup=False, highlight=False, soft_wrap=True)
        elif not as_json:
            _print(result, Console())
    if failed:
        errors.print(f"{failed} of {len(found)} photos failed.", highlight=False)
        raise SystemExit(1)


def _finder(landmark_set: str, flip: bool, small: bool) -> "Finder":
    """The released networks as a function of a photo."""
    import numpy as np
    import tensorflow as tf

    from serving.face_model import Face, faces_of
    from trainer.export_landmarks import LandmarkServable
    from trainer.imaging.decoding import photos_of
    from trainer.landmarks import finder, released
    from trainer.morphable.default import default_head

    views = finder.TILED if small else finder.WHOLE
    margin = released.released_config().margin
    servable = LandmarkServable(released.released_networks(), default_head(), margin, landmark_set, flip, views)
    # Photos come in every size: it is traced once for all.
    ask = tf.function(
        lambda pixels: servable.all_faces(photos_of(pixels)), input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)]
    )

    def find(image: np.ndarray) -> list[Face]:
        return faces_of({name: value.numpy() for name, value in ask(tf.constant(image)).items()})

    return find


def _print(result: "PhotoLandmarks", console: "Console") -> None:
    """A photo's faces as a table."""
    from rich.table import Table
    from rich.text import Text

    from components.photo_example_gen.photo_file import readable

    table = Table(title=Text(readable(str(result.photo))), title_justify="left", title_style="bold")
    for column in ("face", "x0", "y0", "x1", "y1", "yaw", "pitch", "roll", "confidence"):
        table.add_column(column, justify="right")
    for number, face in enumerate(result.faces, start=1):
        numbers = [f"{value:.0f}" for value in (*face.box, *face.pose)]
        table.add_row(str(number), *numbers, f"{face.confidence:.2f}")
    console.print(table)
    if result.overlay is not None:
        console.print(readable(str(result.overlay)), markup=False, highlight=False, soft_wrap=True)
