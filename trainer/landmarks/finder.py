"""Finding the most prominent face of a photo and its landmarks, with one network in several passes and in-graph.

The first pass sees the whole photo, letterboxed, and overlapping parts of it, for faces that are small in the whole. The views of
which the network is surest give candidate boxes; the next passes see each with a margin and give the points. Of the candidates
the most prominent wins: confidence times size.
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

CANDIDATES = 3
"""Views of the first pass that are followed up: amid clutter a rough box is doubtful, and certain once it is looked at."""

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
    count = tf.shape(photos.sizes)[0]
    extent = tf.cast(tf.reverse(photos.sizes, [1]), tf.float32)
    views = tf.constant(VIEWS) * tf.tile(extent, [1, 2])[:, None]
    transforms = tf.reshape(alignment.crop_transform(views, 0.0, size), [-1, 3])
    seen = _look(network, photos, transforms, size, tf.repeat(tf.range(count), len(VIEWS)))
    surest = tf.math.top_k(tf.reshape(seen.confidence, [-1, len(VIEWS)]), CANDIDATES).indices
    followed = tf.reshape(surest + tf.range(count)[:, None] * len(VIEWS), [-1])
    found = FoundFaces(*(tf.gather(value, followed) for value in seen))
    owners = tf.repeat(tf.range(count), CANDIDATES)
    for _ in range(REFINEMENTS):
        found = refine_faces(network, photos, found.box, margin, owners)
    prominence = found.confidence * tf.reduce_max(found.box[:, 2:] - found.box[:, :2], axis=-1)
    best = tf.argmax(tf.reshape(prominence, [-1, CANDIDATES]), axis=1, output_type=tf.int32)
    best += tf.range(count) * CANDIDATES
    return FoundFaces(*(tf.gather(value, best) for value in found))


def refine_faces(network: keras.Model, photos: Photos, boxes: Any, margin: float, owners: Any = None) -> FoundFaces:
    """Landmarks of the faces in boxes.

    Args:
        network: See `trainer.landmarks.network.build`.
        photos: Decoded photos.
        boxes: `[N, 4]` x0, y0, x1, y1, pixels of the photos.
        margin: Of the crop, fraction of the box's longer side on every side.
        owners: `[N]` int32 index of each box's photo; by default there is one box a photo, in order.

    Returns:
        One face a box.
    """
    size = network.input_shape[1]
    return _look(network, photos, alignment.crop_transform(boxes, margin, size), size, owners)


def _look(network: keras.Model, photos: Photos, transforms: Any, size: int, owners: Any = None) -> FoundFaces:
    """The network's answer on crops of the photos."""
    points, log_sigma = network(photos.sample(transforms, size, owners), training=False)
    points, log_sigma = ops.cast(points, "float32"), ops.cast(log_sigma, "float32")
    landmarks = alignment.from_crop(points, transforms)
    return FoundFaces(landmarks, alignment.landmark_box(landmarks), confidence(points, log_sigma))
