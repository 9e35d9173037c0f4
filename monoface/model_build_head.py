"""`monoface model build-head`: the default head from MakeHuman's CC0 assets."""

from pathlib import Path

import click


@click.command("build-head")
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
def command(makehuman_dir: Path, out: Path) -> None:
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
