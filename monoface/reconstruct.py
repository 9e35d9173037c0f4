"""`monoface reconstruct`."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from serving.reconstruct import Outcome


def _parse_box(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    if value is None:
        return None
    try:
        box = tuple(float(part) for part in value.split(","))
    except ValueError:
        box = ()
    if len(box) != 4 or not all(map(math.isfinite, box)) or not (box[0] < box[2] and box[1] < box[3]):
        raise click.BadParameter(f"must be x0,y0,x1,y1, finite, with x0 < x1 and y0 < y1. Received: {value}")
    return box


@click.command("reconstruct")
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory for the results: in it for one photo, in one sub-directory per photo for several.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="A SavedModel, or the directory of numbered ones that the pipeline pushes to.  [default: out/serving/monoface]",
)
@click.option("--url", help="Ask a server instead: grpc://HOST:PORT or http://HOST:PORT.")
@click.option("--name", default="monoface", show_default=True, help="The model's name on the server.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds a request to the server may take."
)
@click.option("--box", callback=_parse_box, help="Where the face is: x0,y0,x1,y1 pixels of the upright photo.")
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.03,
    show_default=True,
    help="Photos on which the model is less sure of a face fail; pictures without one are mostly below 0.03. 0 keeps all.",
)
def command(
    photos: tuple[str, ...],
    out: Path,
    model: Path | None,
    url: str | None,
    name: str,
    timeout: float | None,
    box: tuple[float, ...] | None,
    min_confidence: float,
) -> None:
    """Photographs to landmarks, pose and mesh.

    PHOTO is a file, a directory of photos or a pattern. For each photo this writes:

    \b
      overlay.png      the mesh and the 68 points over the photo, and the face enlarged
      mesh.obj         x right, y up, z towards the viewer; for Blender, MeshLab, …
      landmarks.json   box, 68 × (x, y, z) in the photo's pixels, yaw, pitch, roll, confidence

    A photo that cannot be used is named with the reason, listed in dead_letters.jsonl under --out, and the rest goes on; the
    exit status is then 1.

    \b
    Examples:
      monoface reconstruct portrait.jpg --out out
      monoface reconstruct holiday/ 'friends/*.png' --out out
      monoface reconstruct portrait.jpg --out out --url grpc://localhost:8500
    """  # noqa: D301 - click wants the character
    from serving.face_model import ServingError
    from serving.photo_paths import find_photos
    from serving.reconstruct import open_model, reconstruct_photos

    found = find_photos(photos, out)
    if box is not None and len(found) != 1:
        raise click.UsageError(f"--box is for one photo. Received: {len(found)} photos")
    try:
        asked = open_model(model, url, name, timeout)
    except (ServingError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    try:
        with asked, _progress(len(found)) as on_done:
            outcomes = reconstruct_photos(found, asked, out, box, min_confidence, on_done)
    except OSError as error:
        raise click.ClickException(f"Results cannot be written: {error}") from error
    failures = [outcome for outcome in outcomes if outcome.failed]
    done = len(outcomes) - len(failures)
    if done:
        where = out if len(outcomes) == 1 else f"{out}/<photo>"
        click.echo(f"{done} of {len(outcomes)} photos: overlay.png, mesh.obj and landmarks.json in {where}")
    if failures:
        click.echo(f"{len(failures)} of {len(outcomes)} photos failed: {out}/dead_letters.jsonl", err=True)
        raise SystemExit(1)


class _progress:  # noqa: N801 - used like a function
    """A progress bar over several photos, which failures are printed above as they come."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True)
        columns = (TextColumn("photos"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, disable=total < 2)
        self._task = self._bar.add_task("photos", total=total)

    def __enter__(self) -> "_progress":
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def __call__(self, outcome: "Outcome") -> None:
        if outcome.failed:
            self._bar.console.print(
                f"{outcome.reason}: {outcome.message}", markup=False, highlight=False, soft_wrap=True
            )
        self._bar.advance(self._task)
