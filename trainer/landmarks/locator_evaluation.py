"""How well faces are found: on photos whose face is known, and on pictures that have none."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from trainer.imaging.codecs import encode_png
from trainer.imaging.decoding import decode_photos
from trainer.landmarks.finder import THRESHOLD, WHOLE, Views, locate_faces

_BATCH = 32


class Located(NamedTuple):
    """What the locator says of pictures."""

    box: np.ndarray
    """`[N, 4]` the most prominent box of each, pixels."""
    score: np.ndarray
    """`[N]` its score."""
    count: np.ndarray
    """`[N]` boxes that count as faces."""


def located(
    locator: keras.Model, pictures: Sequence[np.ndarray], views: Views = WHOLE, threshold: float = THRESHOLD
) -> Located:
    """Runs the locator as the finder does.

    Args:
        locator: See `trainer.landmarks.locator.build`.
        pictures: `[H, W, 3]` uint8 each.
        views: What it looks at.
        threshold: Score from which a box counts as a face.
    """
    answer = tf.function(
        lambda contents: locate_faces(locator, decode_photos(contents), views),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    found = []
    for start in range(0, len(pictures), _BATCH):
        boxes, scores = (
            value.numpy()
            for value in answer(tf.constant([encode_png(picture) for picture in pictures[start : start + _BATCH]]))
        )
        size = (boxes[..., 2:] - boxes[..., :2]).max(axis=-1)
        best = np.where(scores >= threshold, 1 + scores * size, scores).argmax(axis=1)
        rows = np.arange(len(best))
        found.append((boxes[rows, best], scores[rows, best], (scores >= threshold).sum(axis=1)))
    return Located(*(np.concatenate(values) for values in zip(*found, strict=True)))


def overlaps(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes with true ones.

    Args:
        boxes: `[N, 4]` x0, y0, x1, y1.
        truth: `[N, 4]`.

    Returns:
        `[N]` in [0, 1].
    """
    low, high = np.maximum(boxes[:, :2], truth[:, :2]), np.minimum(boxes[:, 2:], truth[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = [np.prod(np.maximum(box[:, 2:] - box[:, :2], 0), axis=1) for box in (boxes, truth)]
    return common / np.maximum(areas[0] + areas[1] - common, 1e-9)
