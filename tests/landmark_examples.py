"""Small stand-ins for rendered faces: a coloured disc with 68 points on it."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from trainer import contract, examples
from trainer.imaging.alignment import landmark_box

PICTURE_SIZE = 72


def disc_example(seed: int, changes: Mapping[str, Any] | None = None, mark: int | None = None) -> bytes:
    """A `tf.Example` of one disc; a white spot lies on the landmark `mark`."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(20, 52, (contract.LANDMARK_COUNT, 2))
    y, x = np.mgrid[:PICTURE_SIZE, :PICTURE_SIZE] + 0.5
    pixels = np.zeros((PICTURE_SIZE, PICTURE_SIZE, 3), np.uint8)
    pixels[(x - 36) ** 2 + (y - 36) ** 2 < 24**2] = rng.integers(0, 120, 3)
    if mark is not None:
        pixels[(x - points[mark, 0]) ** 2 + (y - points[mark, 1]) ** 2 < 3**2] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return examples.encode(
        {
            contract.IMAGE_ENCODED: buffer.getvalue(),
            contract.LANDMARKS_XY: points,
            contract.LANDMARKS_SET: "basel",
            contract.FACE_BOX: landmark_box(points),
            **(changes or {}),
        }
    )


def write_shard(path: Path, records: Sequence[bytes]) -> str:
    """A GZIP TFRecord file."""
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for record in records:
            writer.write(record)
    return str(path)
