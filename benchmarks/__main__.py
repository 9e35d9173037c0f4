"""`python -m benchmarks`: measures everything, or the names given, prints a table and writes out/benchmarks.json."""

import os
import warnings
from pathlib import Path

import click

from benchmarks import generation, harness, landmarks, photo_reading, photos, rendering, scale, visibility

MEASUREMENTS = {
    measurement.name: measurement
    for measurement in (
        *visibility.MEASUREMENTS,
        *rendering.MEASUREMENTS,
        *generation.MEASUREMENTS,
        *scale.MEASUREMENTS,
        *photo_reading.MEASUREMENTS,
        *photos.MEASUREMENTS,
        *landmarks.MEASUREMENTS,
    )
}


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(MEASUREMENTS)))
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/benchmarks.json"), help="File to write.")
def main(names: tuple[str, ...], out: Path) -> None:
    # Before the measurements import TensorFlow. Google's clients announce that they no longer support Python 3.10.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning:google.api_core._python_version_support")
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")
    harness.run([MEASUREMENTS[name] for name in names or MEASUREMENTS], out)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
