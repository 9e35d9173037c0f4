"""`monoface report`: how photographs differ from earlier ones and from renders."""

from pathlib import Path

import click

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("report")
@click.argument("photos", type=_FOLDER)
@click.option("--before", type=_FOLDER, help="Examples of earlier photographs: drift is told.")
@click.option("--renders", type=_FOLDER, help="Examples of rendered faces: skew is told.")
@click.option(
    "--out",
    default=Path("photo_report"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for report.html and shifts.json.",
)
@click.option("--sample", type=click.IntRange(min=1), help="Faces of each that are looked at.  [default: 2000]")
def command(photos: Path, before: Path | None, renders: Path | None, out: Path, sample: int | None) -> None:
    """Compare photographs with earlier ones and with rendered faces: pose, size, sharpness, exposure, contrast, confidence.

    PHOTOS and the other folders hold Split-*/*.gz: examples of a run of the pipeline, or what monoface render writes to
    OUT/examples. A run with --photos makes the same report of its own photographs and those of the run before.

    \b
    Example:
      monoface report out/pipeline/LandmarkDetector/examples/12 --before out/pipeline/LandmarkDetector/examples/5 \\
        --renders faces/examples
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from components.photo_report import report, traits
    from components.photo_report.config import PhotoReportConfig

    config = PhotoReportConfig() if sample is None else PhotoReportConfig(sample=sample)
    try:
        earlier = None if before is None else report.Spans("", traits.read_traits(_splits(before), config.sample), None)
        rendered = None if renders is None else _splits(renders)
        shifts = report.write_report(str(out), str(photos), _splits(photos), rendered, earlier, config)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    for shift in shifts:
        if shift.reported:
            click.echo(f"{shift.kind} of {shift.sentence()}")
    click.echo(str(out / report.PAGE))


def _splits(folder: Path) -> list[str]:
    """Folders of the splits."""
    found = sorted(str(path) for path in folder.glob("Split-*"))
    if not found:
        raise ValueError(f"{folder} must hold examples: Split-*/*.gz. There is no such folder in it.")
    return found
