"""What is compared between photos, earlier photos and renders: numbers that each face's example holds or shows."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from apache_beam.io.filesystems import FileSystems

from components import records
from trainer import contract, examples
from trainer.imaging import codecs
from trainer.imaging.quality import face_quality


@dataclasses.dataclass(frozen=True)
class Trait:
    """A number of a face."""

    name: str
    unit: str
    meaning: str


TRAITS: Final = (
    Trait("yaw", "°", "turn to the image's right"),
    Trait("pitch", "°", "nod, positive lowers the nose"),
    Trait("roll", "°", "tilt, counter-clockwise in the image"),
    Trait("face size", "px", "square root of the box's area"),
    Trait("sharpness", "", "variance of the Laplacian over that of the luminance, at 64 pixels"),
    Trait("exposure", "", "mean luminance in the box, 0 black to 1 white"),
    Trait("contrast", "", "standard deviation of the luminance in the box"),
    Trait("confidence", "", "score of the detector; photos alone"),
)

Table = dict[str, np.ndarray]
"""Name of each trait to `[N]` float64 values, one a face; NaN where a face has none."""


def read_traits(split_uris: Sequence[str], sample: int) -> Table:
    """Traits of faces in TFRecord files, spread evenly over them.

    Args:
        split_uris: Directories of the splits.
        sample: Faces, at most.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If a file is no TFRecord file of examples.
    """
    matches = FileSystems.match([FileSystems.join(uri, "*") for uri in split_uris])
    paths = sorted(metadata.path for match in matches for metadata in match.metadata_list)
    if not paths:
        raise FileNotFoundError(f"There are no examples in {', '.join(split_uris)}")
    rows: list[dict[str, float]] = []
    for position, path in enumerate(paths):
        # What a short file lacks, the later ones make up for.
        quota = -(-(sample - len(rows)) // (len(paths) - position))
        for _, row in zip(range(quota), _rows(path), strict=False):
            rows.append(row)
    return {trait.name: np.array([row[trait.name] for row in rows], np.float64) for trait in TRAITS}


def count(table: Table) -> int:
    """Number of faces."""
    return len(next(iter(table.values()), ()))


def _rows(path: str) -> Iterator[dict[str, float]]:
    for serialized in records.read_shard(path):
        yield traits_of(examples.decode(serialized))


def traits_of(features: Mapping[str, Any]) -> dict[str, float]:
    """Traits of one face. Quality is measured in the picture where the example does not hold it: renders.

    Args:
        features: A decoded example.
    """
    yaw, pitch, roll = features.get(contract.POSE_EULER, (np.nan,) * 3)
    quality = {key: features[key] for key in _QUALITY.values() if key in features}
    if len(quality) < len(_QUALITY) and contract.IMAGE_ENCODED in features and contract.FACE_BOX in features:
        try:
            image = codecs.read_photo(features[contract.IMAGE_ENCODED])
            quality = face_quality(image, features[contract.FACE_BOX]).features()
        except ValueError:  # a render whose face lies outside: it has no quality, and is no reason to stop
            quality = {}
    return {
        "yaw": float(yaw),
        "pitch": float(pitch),
        "roll": float(roll),
        **{name: float(quality.get(key, np.nan)) for name, key in _QUALITY.items()},
        "confidence": float(features.get(contract.LANDMARKS_CONFIDENCE, np.nan)),
    }


_QUALITY: Final = {
    "face size": contract.QUALITY_FACE_SIZE,
    "sharpness": contract.QUALITY_SHARPNESS,
    "exposure": contract.QUALITY_EXPOSURE,
    "contrast": contract.QUALITY_CONTRAST,
}
