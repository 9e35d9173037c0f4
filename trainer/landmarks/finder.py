"""Finding the most prominent face of a photo and its landmarks, with one network in several passes and in-graph.

The first pass sees the whole photo, letterboxed, and overlapping parts of it, for faces that are small in the whole; the view of
which the network is surest gives a box. The next passes see the box with a margin and give the points.
"""

from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from trainer.imaging import alignment
from trainer.imaging.decoding import Photos
from trainer.landmarks.confidence import confidence

VIEWS = (
    (0.0, 0.0, 1.0, 1.0),
    *((x, y, x + 0.6, y + 0.6) for x, y in ((0, 0), (0.4, 0), (0.2, 0.2), (0, 0.4), (0.4, 0.4))),
)
"""What the first pass looks at: x0, y0, x1, y1, fractions of the photo's width and height."""

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
    extent = tf.cast(tf.reverse(photos.sizes, [1]), tf.float32)
    views = tf.constant(VIEWS) * tf.tile(extent, [1, 2])[:, None]
    transforms = tf.reshape(alignment.crop_transform(views, 0.0, size), [-1, 3])
    owners = tf.repeat(tf.range(tf.shape(extent)[0]), len(VIEWS))
    seen = _look(network, photos, transforms, size, owners)
    surest = tf.argmax(tf.reshape(seen.confidence, [-1, len(VIEWS)]), axis=1, output_type=tf.int32)
    chosen = tf.range(tf.shape(extent)[0]) * len(VIEWS) + surest
    found = FoundFaces(*(tf.gather(value, chosen) for value in seen))
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


def _look(network: keras.Model, photos: Photos, transforms: Any, size: int, owners: Any = None) -> FoundFaces:
    """The network's answer on crops of the photos."""
    points, log_sigma = network(photos.sample(transforms, size, owners), training=False)
    points, log_sigma = ops.cast(points, "float32"), ops.cast(log_sigma, "float32")
    landmarks = alignment.from_crop(points, transforms)
    return FoundFaces(landmarks, alignment.landmark_box(landmarks), confidence(points, log_sigma))
