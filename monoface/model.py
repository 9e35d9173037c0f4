"""`monoface model`: build and inspect 3D morphable face models."""

from pathlib import Path

import click


@click.group("model")
def command() -> None:
    """Build and inspect 3D morphable face models (native `.npz` files)."""


@command.command("build-head")
@click.option(
    "--makehuman",
    "makehuman_dir",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with MakeHuman's assets: 3dobjs, targets, skins, masks, mesh_metadata, landmarks68.json.",
)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The .npz file to write or replace."
)
def build_head_command(makehuman_dir: Path, out: Path) -> None:
    """Build the default head from MakeHuman's CC0 assets; takes about a minute.

    The same assets give the same file, byte for byte, on the same machine.
    """
    from trainer.morphable.build_head import build_head
    from trainer.morphable.io import save

    if not out.parent.is_dir():
        raise click.BadParameter(f"folder {out.parent} does not exist.", param_hint="--out")
    try:
        model = build_head(makehuman_dir)
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    save(model, out)
    click.echo(f"{out}: {model.vertex_count} vertices, {out.stat().st_size / 1e6:.1f} MB, sha256 {model.sha256}")


@command.command("info")
@click.argument("path", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def info(path: Path | None) -> None:
    """Print what a face model holds. Without PATH: the default head."""
    from trainer.morphable.default import default_head
    from trainer.morphable.io import load

    try:
        model = default_head() if path is None else load(path)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for label, value in {
        "name": model.name,
        "licence": model.licence,
        "sha256": model.sha256,
        "vertices": model.vertex_count,
        "triangles": model.triangle_count,
        "identity modes": len(model.identity),
        "expression modes": len(model.expression),
        "albedo modes": len(model.albedo),
        "landmark sets": ", ".join(model.landmarks),
        "regions": ", ".join(model.regions),
        "expressions": ", ".join(model.expression_names),
        **{f"provenance: {key}": value for key, value in model.provenance.items()},
    }.items():
        click.echo(f"{label}: {value}")
