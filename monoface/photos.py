"""`monoface photos`: photographs with landmarks, as TFRecord files."""

from pathlib import Path

import click


@click.command("photos")
@click.argument("source", type=click.Path(exists=True))
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write or complete."
)
@click.option(
    "--policy",
    type=click.Choice(["largest", "all", "reject_many"]),
    default="largest",
    show_default=True,
    help="Which faces are taken where a photograph shows several.",
)
@click.option(
    "--eval-fraction",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.1,
    show_default=True,
    help="Share of the people that go to the split eval.",
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 1024), help="Processes.")
def command(source: str, out: Path, policy: str, eval_fraction: float, workers: int) -> None:
    """Read the photographs of SOURCE, a folder or a manifest, and find the landmarks of those that have none.

    OUT/examples holds GZIP TFRecord shards of tf.Example (keys: trainer/contract.py) in the splits train and eval, split by
    person; OUT/dead_letters what could not be used, and why. A run that was stopped goes on where it was.

    \b
    Examples:
      monoface photos holiday/ --out out/holiday
      monoface manifest p1 FOLDER --out out/p1.jsonl && monoface photos out/p1.jsonl --out out/p1
      monoface evaluate landmarks --examples 'out/p1/examples/Split-*/*.gz' --out out/p1_report
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from components.landmark_detector.config import LandmarkDetectorConfig
    from components.landmark_detector.dataset import write_photos
    from components.photo_example_gen.config import PhotoConfig

    parallel = [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"] if workers > 1 else []
    try:
        photos, detector = PhotoConfig(eval_fraction=eval_fraction), LandmarkDetectorConfig(policy=policy)
        written = write_photos(source, photos, detector, out, parallel)
    except (ValueError, OSError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(out) if written else f"{out} already holds these photographs.")
