"""Finding the most prominent face of a photo and its landmarks, with one network in two passes and in-graph.

The first pass sees the whole photo, letterboxed, and its points give a box; the second sees the box with a margin and gives
the points.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from trainer.imaging import alignment
from trainer.imaging.decoding import Photos
from trainer.landmarks.confidence import confidence

REFINEMENTS = 2
"""Crops that refine what the whole photo showed: the first is cut around a coarse box, the second around a good one."""


class FoundFaces(NamedTuple):
    """One face a photo."""

    landmarks: Any
    """`[B, 68, 2]` pixels of the photo."""
    box: Any
    """`[B, 4]` tight box of the landmarks, pixels of the photo."""
    confidence: Any
    """`[B]` in [0, 1], see `trainer.landmarks.confidence`."""


def find_faces(network: keras.Model, photos: Photos, margin: float) -> FoundFaces:
    """The most prominent face of every photo, found without any box.

    Args:
        network: See `trainer.landmarks.network.build`.
        photos: Decoded photos.
        margin: Of the refining crops, fraction of the box's longer side on every side.
    """
    size = network.input_shape[1]
    whole = alignment.letterbox_transform(photos.sizes[:, 0], photos.sizes[:, 1], size)
    found = _look(network, photos, whole, size)
    for _ in range(REFINEMENTS):
        found = refine_faces(network, photos, found.box, margin)
    return found


def refine_faces(network: keras.Model, photos: Photos, boxes: Any, margin: float) -> FoundFaces:
    """Landmarks of the faces in boxes.

    Args:
        network: See `trainer.landmarks.network.build`.
        photos: Decoded photos.
        boxes: `[B, 4]` x0, y0, x1, y1, pixels of the photos.
        margin: Of the crop, fraction of the box's longer side on every side.
    """
    size = network.input_shape[1]
    return _look(network, photos, alignment.crop_transform(boxes, margin, size), size)


def _look(network: keras.Model, photos: Photos, transforms: Any, size: int) -> FoundFaces:
    """The network's answer on one crop of every photo."""
    points, log_sigma = network(photos.sample(transforms, size), training=False)
    points, log_sigma = ops.cast(points, "float32"), ops.cast(log_sigma, "float32")
    landmarks = alignment.from_crop(points, transforms)
    return FoundFaces(landmarks, alignment.landmark_box(landmarks), confidence(points, log_sigma))
