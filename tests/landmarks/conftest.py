"""Small stand-ins for rendered heads: a coloured disc with alpha and 68 points on it."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer import contract, examples

PICTURE_SIZE = 64


def disc_points(rng: np.random.Generator) -> np.ndarray:
    """`[68, 3]` points in a disc around the picture's centre, pixels."""
    points = rng.uniform(-14, 14, (contract.LANDMARK_COUNT, 3))
    points[:, :2] += PICTURE_SIZE / 2
    points[list(contract.OUTER_EYE_CORNERS), :2] = (20, 26), (44, 26)
    return points.astype(np.float32)


def cutout(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:PICTURE_SIZE, :PICTURE_SIZE] + 0.5 - PICTURE_SIZE / 2
    inside = x**2 + y**2 < 20**2
    pixels = np.zeros((PICTURE_SIZE, PICTURE_SIZE, 4), np.uint8)
    pixels[inside] = (*rng.integers(0, 255, 3), 255)
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(buffer, "PNG")
    points = disc_points(rng)
    return examples.encode(
        {
            contract.IMAGE_ENCODED: buffer.getvalue(),
            contract.LANDMARKS_XY: points[:, :2],
            contract.LANDMARKS_Z: points[:, 2],
            contract.POSE_EULER: rng.uniform(-30, 30, 3),
        }
    )


@pytest.fixture(scope="session")
def shards(tmp_path_factory):
    """Two TFRecord files of eight cut-outs."""
    folder = tmp_path_factory.mktemp("cutouts")
    paths = [str(folder / f"{number}.tfrecord") for number in range(2)]
    for number, path in enumerate(paths):
        with tf.io.TFRecordWriter(path) as writer:
            for index in range(8):
                writer.write(cutout(8 * number + index))
    return paths


@pytest.fixture(scope="session")
def backgrounds():
    return np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
