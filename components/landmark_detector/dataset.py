"""Photographs with landmarks as a folder of examples, without a pipeline around them: `monoface photos`.

Layout: `examples/Split-train/data-00000-of-00008.gz` (GZIP TFRecord of `tf.Example`), likewise `Split-eval`;
`dead_letters/reading` and `dead_letters/detection` with what could not be used; and `dataset.json` with everything that the
examples depend on, which is written last: a folder that has it is whole.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from components import records
from components.landmark_detector import transforms as detection
from components.landmark_detector.config import LandmarkDetectorConfig
from components.photo_example_gen import transforms as reading
from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.readers.open_reader import open_reader
from components.records import SPLITS
from components.synthetic_face_gen.transforms import local_pipeline
from trainer import configuration
from trainer.morphable.default import default_head

EXAMPLES: Final = "examples"
DEAD_LETTERS: Final = "dead_letters"
DESCRIPTION: Final = "dataset.json"
"""Names in the folder of a data set."""

_READ: Final = f"{records.UNFINISHED}-read"
_READ_WHOLE: Final = "whole"
"""In the folder of what was read: it is all there."""


def write_photos(
    source: str,
    photos: PhotoConfig,
    detector: LandmarkDetectorConfig,
    directory: str | os.PathLike[str],
    beam_arguments: Sequence[str] = (),
) -> bool:
    """Reads photographs and finds landmarks where none are annotated. A run that was killed goes on where it was.

    Args:
        source: Folder of photographs, or a manifest.
        photos: How they are read.
        detector: Which faces are taken.
        directory: Where it goes; made if absent.
        beam_arguments: Options for Beam, passed through as they are; without a `--runner` it runs in this process.

    Returns:
        Whether anything had to be done: False where the folder already holds this very data set.

    Raises:
        OSError: If the source is missing, empty or cannot be read.
        ValueError: If the folder holds another data set or lies in the source, or the source cannot be used.
        RuntimeError: If no photograph shows a face that can be used, or another run is at the same work.
    """
    folder = Path(directory).absolute()
    if Path(source).is_dir() and Path(source).resolve() in (folder.resolve(), *folder.resolve().parents):
        raise ValueError(
            f"`directory` must not lie in the folder of photographs, to which it would add. Received: {folder}"
        )
    reader = open_reader(source, photos)
    work = {
        "source": os.path.abspath(source),  # noqa: PTH100  (a link stays a link)
        "state": reader.state(reader.find()),
        "photos": configuration.to_mapping(photos),
        "detector": configuration.to_mapping(detector),
        "versions": [reading.GENERATOR_VERSION, detection.DETECTOR_VERSION],
        "head": default_head().sha256,
    }
    description = json.dumps(work, indent=1, sort_keys=True)
    finished, begun = folder / DESCRIPTION, folder / f"{records.UNFINISHED}-{DESCRIPTION}"
    for path in (finished, begun):
        if path.exists() and path.read_text() != description:
            raise ValueError(
                f"`directory` must be empty or hold the same data set; {path} tells of another one. Received: {folder}"
            )
    letters, read = folder / DEAD_LETTERS, folder / _READ
    if finished.exists():
        shutil.rmtree(read, ignore_errors=True)  # killed between the last two lines
        return False
    folder.mkdir(parents=True, exist_ok=True)
    records.write_file(str(folder), str(begun), description.encode())
    if not (read / _READ_WHOLE).exists():
        reading.generate(local_pipeline(beam_arguments), source, photos, str(read), str(letters / "reading"))
        records.write_file(str(folder), str(read / _READ_WHOLE), b"")
    uris = {split: str(read / f"Split-{split}") for split in SPLITS}
    detection.detect(local_pipeline(beam_arguments), uris, detector, str(folder / EXAMPLES), str(letters / "detection"))
    begun.replace(finished)
    shutil.rmtree(read)
    return True
