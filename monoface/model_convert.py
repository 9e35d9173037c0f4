"""`monoface model convert`: any face model to the native format."""

from pathlib import Path

import click


@click.command("convert")
@click.argument("source", metavar="IN", type=click.Path(exists=True, path_type=Path))
@click.argument("out", metavar="OUT.npz", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--landmark-table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Landmark vertices that precede what IN says. Text, a line `n = vertex` each with the 1-based number of the iBUG 68 "
    'and a 0-based vertex (the `basel` set, may be partial); or JSON, {"basel": [68 vertices or null], "outline": […]}.',
)
@click.option("--sha256", help="Refuse IN unless this is its hash, or the hash of its files, as `info` prints them.")
@click.option(
    "--modes", type=click.IntRange(1), help="Keep at most so many identity, expression and albedo modes each."
)
def command(source: Path, out: Path, landmark_table: Path | None, sha256: str | None, modes: int | None) -> None:
    """Convert a face model to the native format, which loads fast and is what the pipeline stores.

    IN is what Basel or ICT distribute. Files that belong together lie in one folder: Model_Exp.mat beside Model_Shape.mat or
    01_MorphableModel.mat gives the expressions, model_info.mat beside 01_MorphableModel.mat cuts it to the 53,215 vertices of
    300W-LP. Units, axes, triangles and landmarks are converted; what a file lacks is filled in from the default head.

    \b
    monoface model convert 01_MorphableModel.mat bfm2009.npz
    monoface model convert model2019_fullHead.h5 bfm2019.npz --modes 80
    monoface model convert ICT-FaceKit/FaceXModel ict.npz
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from trainer.morphable import io
    from trainer.morphable.readers.open_model import open_model

    if not out.parent.is_dir():
        raise click.BadParameter(f"folder {out.parent} does not exist.", param_hint="OUT.npz")
    if out.suffix != ".npz":
        raise click.BadParameter(f"{out} must end in .npz.", param_hint="OUT.npz")
    try:
        model = open_model(source, landmark_table, sha256)
        if modes is not None:
            model = model.truncated(
                *(min(modes, len(kind)) for kind in (model.identity, model.expression, model.albedo))
            )
        io.save(model, out)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: {model.vertex_count} vertices, {out.stat().st_size / 1e6:.1f} MB, sha256 {model.sha256}")
