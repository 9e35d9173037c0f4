"""`monoface model build-wardrobe`: what the default head wears, from MakeHuman's CC0 assets."""

from pathlib import Path

import click


@click.command("build-wardrobe")
@click.option(
    "--makehuman",
    "makehuman_dir",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with MakeHuman's assets: 3dobjs, hair, eyebrows, eyelashes, clothes.",
)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The .npz file to write or replace."
)
def command(makehuman_dir: Path, out: Path) -> None:
    """Build the wardrobe of the default head from MakeHuman's CC0 assets; takes some seconds.

    Build it after the head: garments hang on the head's triangles. The same assets and head give the same file, byte for byte,
    on the same machine.
    """
    from trainer.morphable.default import default_head
    from trainer.wardrobe.build_wardrobe import build_wardrobe
    from trainer.wardrobe.storage import save

    if not out.parent.is_dir():
        raise click.BadParameter(f"folder {out.parent} does not exist.", param_hint="--out")
    try:
        wardrobe = build_wardrobe(makehuman_dir, default_head())
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    save(wardrobe, out)
    click.echo(f"{out}: {len(wardrobe.garments)} garments, {out.stat().st_size / 1e6:.1f} MB")
