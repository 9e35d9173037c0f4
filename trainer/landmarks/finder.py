"""Faces of photos and their landmarks, in-graph: the locator sees the whole photo and gives boxes, the landmark network sees each
box with a margin and gives the points. What the landmark network is unsure of is no face: it has seen many more faces, and each
larger.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from trainer.imaging import alignment
from trainer.imaging.decoding import Photos
from trainer.landmarks.confidence import confidence
from trainer.landmarks.locator import LocatedFaces, apart, locate

Views = Sequence[tuple[float, float, float, float]]
"""Parts of a photo that the locator looks at: x0, y0, x1, y1, fractions of the photo's width and height."""

WHOLE: Views = ((0.0, 0.0, 1.0, 1.0),)
"""One look: of faces a tenth of the photo's longer side nearly all are found, of a twentieth three in four, below hardly any."""

TILED: Views = (
    *WHOLE,
    *((x, y, x + 0.5, y + 0.5) for y in (0.0, 0.25, 0.5) for x in (0.0, 0.25, 0.5)),
)
"""Ten looks, which find more than half of the faces down to a fiftieth of the longer side, at six times the cost."""

THRESHOLD = 0.4
"""Score from which a box is taken for a face, and looked at by the landmark network."""

PASSES = 2
"""How often the landmark network looks: the second time around the landmarks that it found, not the located box."""

LEAST_CONFIDENCE = 0.05
"""Confidence from which what was looked at counts as a face: on pictures without people it stays below 0.02."""

MOST_FACES = 32
"""Faces that are looked for in a photo at most, the likeliest."""

SAME_FACE = 0.4
"""Share of two boxes' union, from which the faces in them are one face."""

_EDGE = 0.01
"""A box that comes this near to a view's edge inside the photo, as a fraction of the view, may be part of a face: another view
shows it whole.
"""


class FaceNetworks(NamedTuple):
    """What finds faces."""

    landmarks: keras.Model
    """See `trainer.landmarks.network.build`."""
    locator: keras.Model
    """See `trainer.landmarks.locator.build`."""


class FoundFaces(NamedTuple):
    """Faces, in an order that the function that found them tells."""

    landmarks: Any
    """`[N, 68, 2]` `basel`, pixels of the photo."""
    box: Any
    """`[N, 4]` tight box of the landmarks, pixels of the photo."""
    confidence: Any
    """`[N]` in [0, 1]: the locator's score, where it was asked, times `trainer.landmarks.confidence` of the landmarks."""
    outline: Any = None
    """`[N, 68, 2]` the same in the set `outline`."""
    sigma: Any = None
    """`[N, 2, 68]` half of each point's expected radial error, pixels of the photo, in the order of `contract.LANDMARK_SETS`."""


def find_faces(
    networks: FaceNetworks,
    photos: Photos,
    margin: float,
    *,
    views: Views = WHOLE,
    passes: int = PASSES,
    threshold: float = THRESHOLD,
) -> FoundFaces:
    """The most prominent face of every photo: the largest score times size among boxes that are taken for faces.

    Args:
        networks: The locator and the landmark network.
        photos: Decoded photos.
        margin: Of the landmark network's crop, fraction of the box's longer side on every side.
        views: What the locator looks at.
        passes: How often the landmark network looks, each time around the landmarks that it found before.
        threshold: Score from which a box is taken for a face.

    Returns:
        One face a photo, in order. Where no box is taken for a face it is the likeliest, and its confidence tells.
    """
    located = locate_faces(networks.locator, photos, views)
    size = tf.reduce_max(located.box[..., 2:] - located.box[..., :2], axis=-1)
    prominence = tf.where(located.score >= threshold, 1.0 + located.score * size, located.score)
    best = tf.argmax(prominence, axis=1)[:, None]
    box, score = (tf.squeeze(tf.gather(value, best, batch_dims=1), 1) for value in located)
    return _refined(networks.landmarks, photos, box, score, margin, passes, None)


def find_all_faces(
    networks: FaceNetworks,
    photos: Photos,
    margin: float,
    *,
    views: Views = WHOLE,
    passes: int = PASSES,
    threshold: float = THRESHOLD,
    least_confidence: float = LEAST_CONFIDENCE,
) -> tuple[Any, FoundFaces]:
    """All faces of every photo.

    Args:
        networks: The locator and the landmark network.
        photos: Decoded photos.
        margin: See `find_faces`.
        views: See `find_faces`.
        passes: See `find_faces`.
        threshold: Score from which a box is looked at.
        least_confidence: Confidence from which it counts as a face then.

    Returns:
        `[N]` int32 index of each face's photo, rising, and the faces, those of a photo likeliest first; N may be 0.
    """
    located = locate_faces(networks.locator, photos, views)
    chosen = tf.where(located.score >= threshold)
    owners = tf.cast(chosen[:, 0], tf.int32)
    box, score = (tf.gather_nd(value, chosen) for value in located)
    count = tf.size(owners)
    one = at_least_one(count)
    found = _refined(networks.landmarks, photos, one(box), one(score), margin, passes, one(owners))
    counts = _distinct(found.box[:count], found.confidence[:count], owners, least_confidence)
    return tf.gather(owners, counts), FoundFaces(*(tf.gather(value, counts) for value in found))


def _distinct(box: Any, confidence: Any, owners: Any, least_confidence: float) -> Any:
    """`[M]` indices of faces that are sure enough, photo by photo, likeliest first; of those at one place, the likeliest.

    Boxes of the locator that lay apart may have led the landmark network to one face.
    """
    sure = tf.where((confidence >= least_confidence) & tf.reduce_all(tf.math.is_finite(box), axis=1))[:, 0]
    box, confidence, owners = (tf.gather(value, sure) for value in (box, confidence, owners))
    # Photos beside each other, far enough apart: one suppression does for all.
    shift = tf.cast(owners, tf.float32) * (2 * tf.reduce_max(tf.abs(tf.concat([box, [[1.0] * 4]], axis=0))) + 1)
    kept = tf.image.non_max_suppression(
        tf.gather(box, [1, 0, 3, 2], axis=1) + shift[:, None],
        confidence,
        tf.maximum(tf.size(owners), 1),
        iou_threshold=SAME_FACE,
    )
    return tf.gather(sure, tf.gather(kept, tf.argsort(tf.gather(owners, kept), stable=True)))


def at_least_one(count: Any) -> Callable[[Any], Any]:
    """Appends zeros to what has a first dimension of `count`, if that is 0: some fused convolutions fail on an empty batch."""
    missing = tf.cast(tf.equal(count, 0), tf.int32)

    def filled(values: Any) -> Any:
        return tf.pad(values, [[0, missing], *[[0, 0]] * (values.shape.rank - 1)])

    return filled


def refine_faces(network: keras.Model, photos: Photos, boxes: Any, margin: float, owners: Any = None) -> FoundFaces:
    """Landmarks of the faces in boxes.

    Args:
        network: The landmark network.
        photos: Decoded photos.
        boxes: `[N, 4]` x0, y0, x1, y1, pixels of the photos.
        margin: See `find_faces`.
        owners: `[N]` int32 index of each box's photo; by default there is one box a photo, in order.

    Returns:
        One face a box; its confidence is that of the landmarks alone.
    """
    size = network.input_shape[1]
    transforms = alignment.crop_transform(boxes, margin, size)
    points, log_sigma = network(photos.sample(transforms, size, owners), training=False)
    points, log_sigma = ops.cast(points, "float32"), ops.cast(log_sigma, "float32")
    landmarks, outline = (alignment.from_crop(points[:, index], transforms) for index in range(2))
    return FoundFaces(
        landmarks,
        alignment.landmark_box(landmarks),
        confidence(points[:, 0], log_sigma[:, 0]),
        outline,
        ops.exp(log_sigma) / transforms[:, :1, None],
    )


def locate_faces(locator: keras.Model, photos: Photos, views: Views = WHOLE) -> LocatedFaces:
    """Boxes of faces, without their landmarks.

    Args:
        locator: See `trainer.landmarks.locator.build`.
        photos: Decoded photos.
        views: What it looks at.

    Returns:
        The K = `MOST_FACES` likeliest boxes of every photo, pixels of the photo.
    """
    size, count = locator.input_shape[1], tf.shape(photos.sizes)[0]
    extent = tf.tile(tf.cast(tf.reverse(photos.sizes, [1]), tf.float32), [1, 2])[:, None]
    seen = tf.constant(views) * extent  # [B, V, 4]
    transforms = tf.reshape(alignment.crop_transform(seen, 0.0, size), [-1, 3])
    images = photos.sample(transforms, size, tf.repeat(tf.range(count), len(views)))
    located = locate(locator, tf.ensure_shape(images, [None, size, size, 3]), MOST_FACES)
    corners = alignment.from_crop(tf.reshape(located.box, [-1, 2 * MOST_FACES, 2]), transforms)
    boxes = tf.reshape(corners, [-1, len(views), MOST_FACES, 4])
    scores = tf.reshape(located.score, [-1, len(views), MOST_FACES])
    if len(views) == 1:
        return LocatedFaces(boxes[:, 0], scores[:, 0])
    scores = tf.where(_is_cut_off(boxes, seen, extent), 0.0, scores)
    flat = (-1, len(views) * MOST_FACES)
    return apart(tf.reshape(boxes, (*flat, 4)), tf.reshape(scores, flat), MOST_FACES)


def _is_cut_off(boxes: Any, views: Any, extent: Any) -> Any:
    """`[B, V, K]` whether a box `[B, V, K, 4]` reaches an edge of its view inside the photo."""
    slack = _EDGE * tf.reduce_max(views[..., 2:] - views[..., :2], axis=-1)[..., None, None]
    low, high = views[:, :, None, :2], views[:, :, None, 2:]
    before = (boxes[..., :2] < low + slack) & (low > 0)
    behind = (boxes[..., 2:] > high - slack) & (high < extent[:, :, None, 2:])
    return tf.reduce_any(before | behind, axis=-1)


def _refined(
    network: keras.Model, photos: Photos, box: Any, score: Any, margin: float, passes: int, owners: Any
) -> FoundFaces:
    """Landmarks in located boxes, with the locator's say in their confidence."""
    if passes < 1:
        raise ValueError(f"`passes` must be at least 1. Received: passes={passes}")
    found = refine_faces(network, photos, box, margin, owners)
    for _ in range(passes - 1):
        found = refine_faces(network, photos, found.box, margin, owners)
    return found._replace(confidence=score * found.confidence)
