"""`monoface model landmarks`: the landmark sets of a face model, drawn and checked."""

from pathlib import Path

import click


@click.command("landmarks")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    default="landmarks.png",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The PNG file to write. With --photos a second one, named *_photos.png.",
)
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with annotated photographs as AFLW2000-3D has them: *.jpg beside *.mat.",
)
@click.option(
    "--size", default=448, show_default=True, type=click.IntRange(64, 2048), help="Side of a picture, pixels."
)
def command(path: Path | None, out: Path, photos: Path | None, size: int) -> None:
    """Draw the landmark sets of a face model on its mean, from the front to the side. Without PATH: the default head.

    Prints how far each set's deepest point lies beneath the visible skin. With --photos also the error of the mean face
    when only pose and scale are fitted: mean over the yaw bins, by the square root of the box's area.

    \b
    monoface model landmarks --out sets.png
    monoface model landmarks ICT-FaceKit --photos aflw2000_fixtures
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from trainer.imaging import codecs
    from trainer.morphable.default import default_head
    from trainer.morphable.landmark_depth import landmark_depths
    from trainer.morphable.readers.open_model import open_model
    from trainer.rendering import landmark_sheet

    try:
        model = default_head() if path is None else open_model(path)
        pictures = {out: landmark_sheet.landmark_sheet(model, size)}
        for name in model.landmarks:
            depths = landmark_depths(model, name)
            click.echo(f"{name}: deepest point {depths.argmax()}, {depths.max():.2f} mm beneath the visible skin")
        fits = []
        annotated = landmark_sheet.read_photos(photos) if photos else []
        for name in model.landmarks if annotated else ():
            found = landmark_sheet.fit_mean_face(model, name, annotated)
            fits += found
            click.echo(
                f"{name}: mean face on {len(found)} photographs, balanced {100 * landmark_sheet.balanced(found):.2f} %"
            )
        if fits:
            pictures[out.with_name(f"{out.stem}_photos.png")] = landmark_sheet.photo_sheet(fits, size // 2)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    for file, picture in pictures.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(codecs.encode_png(picture))
        except OSError as error:
            raise click.ClickException(f"The picture cannot be written: {error}") from error
        click.echo(str(file))
