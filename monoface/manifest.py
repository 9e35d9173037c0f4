"""`monoface manifest`: label files in other forms as a manifest that the pipeline reads."""

from pathlib import Path

import click


@click.command("manifest")
@click.argument("kind", type=click.Choice(["p1", "aflw", "aflw2000"]))
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write: CSV if it ends in .csv, else JSON lines.",
)
@click.option(
    "--landmark-set",
    type=click.Choice(["basel", "outline"]),
    help="What the points mean.  [default: basel for p1 and aflw2000, outline for aflw]",
)
def command(kind: str, folder: Path, out: Path, landmark_set: str | None) -> None:
    """Write a manifest of photographs in FOLDER and their labels.

    \b
    KIND is how the labels come:
      p1        labels.npz with names, pts68_crop and identity; photographs in img/
      aflw      labels.npz with names, pts21_crop, visible and yaw_deg; photographs in img/
      aflw2000  a .mat beside each photograph: pt3d_68 and Pose_Para

    Paths in the manifest are relative to its own folder. docs/photos.md has the fields, for labels in yet other forms.

    \b
    Examples:
      monoface manifest p1 FOLDER --out out/manifests/p1.jsonl
      monoface run --preset tiny --photos out/manifests/p1.jsonl
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from components.photo_example_gen.manifest_writer import write_manifest

    try:
        count, problems = write_manifest(kind, folder, out, landmark_set)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    for name, reason in problems:
        click.echo(f"left out: {name}: {reason}", err=True)
    click.echo(f"{count} photographs: {out}")
