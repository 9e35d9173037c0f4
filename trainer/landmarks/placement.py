"""Where a rendered head comes to lie in a training picture, and its labels there.

Heads come as cut-outs, pictures with alpha, so that they can be put anywhere in a frame at any size. Half of the pictures are
whole photos, the other half crops around a face, as the two passes of the finder see them.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from trainer import contract
from trainer.landmarks.config import LandmarkTrainingConfig

CROP_SIZES = (0.48, 0.85)
"""Longer side of the face's box in a crop, fraction of the crop's side: a found box with its margin, found too small or large."""
_CROP_SHIFT = 0.06
_LARGEST_FACE = 0.9
_SMALL_TURN, _LARGE_TURN = math.radians(5), math.radians(25)
_EYE_CORNERS_MM = 90.0
"""Distance of the outer eye corners, the ruler that gives a head's scale."""


class PlacedHead(NamedTuple):
    """One head in its frame."""

    picture: Any
    """`[S, S, 4]` float32, sRGB in [0, 1] premultiplied by alpha, and alpha."""
    points: Any
    """`[68, 3]` landmarks, pixels of the frame; z in the same scale, away from the camera."""
    rotation: Any
    """`[3, 3]` the head's rotation in the frame, by the contract."""
    scale: Any
    """`[]` pixels a millimetre."""
    content: Any
    """`[4]` x0, y0, x1, y1 of the frame that the photo covers, pixels; black bars beyond."""


def parse_cutout(serialized: Any) -> tuple[Any, Any, Any]:
    """Reads a cut-out: `[P, P, 4]` uint8 straight sRGB and alpha, `[68, 3]` landmarks, `[3]` pose in degrees."""
    count = contract.LANDMARK_COUNT
    features = {
        contract.IMAGE_ENCODED: tf.io.FixedLenFeature([], tf.string),
        contract.LANDMARKS_XY: tf.io.FixedLenFeature([count, 2], tf.float32),
        contract.LANDMARKS_Z: tf.io.FixedLenFeature([count, 1], tf.float32),
        contract.POSE_EULER: tf.io.FixedLenFeature([3], tf.float32),
    }
    parsed = tf.io.parse_single_example(serialized, features)
    picture = tf.io.decode_png(parsed[contract.IMAGE_ENCODED], channels=4)
    points = tf.concat([parsed[contract.LANDMARKS_XY], parsed[contract.LANDMARKS_Z]], axis=-1)
    return picture, points, parsed[contract.POSE_EULER]


def place(picture: Any, points: Any, euler: Any, config: LandmarkTrainingConfig, seed: Any) -> PlacedHead:
    """Mirrors (or not), turns, scales and shifts a cut-out into a frame.

    Args:
        picture: `[P, P, 4]` uint8.
        points: `[68, 3]` pixels of the picture.
        euler: `[3]` degrees.
        config: Sizes and shares.
        seed: `[2]` int, stateless.
    """
    size = config.network.image_size
    draw = tf.unstack(tf.random.stateless_uniform([10], seed))
    is_mirrored = draw[0] < 0.5
    picture = tf.cond(is_mirrored, lambda: tf.reverse(picture, [1]), lambda: picture)
    points = tf.where(is_mirrored, mirror_points(points, tf.cast(tf.shape(picture)[1], tf.float32)), points)
    euler = tf.where(is_mirrored, euler * tf.constant([-1.0, 1.0, -1.0]), euler)

    is_whole = draw[1] < config.whole_photo_share
    content = tf.where(is_whole, _letterbox(draw[2], draw[3]), _border(draw[2], draw[3]))
    room = tf.reduce_min(content[2:] - content[:2])
    span = math.log(_LARGEST_FACE / config.smallest_face)
    whole_face = room * config.smallest_face * tf.exp(span * draw[4])
    crop_face = CROP_SIZES[0] + (CROP_SIZES[1] - CROP_SIZES[0]) * draw[4]
    face = tf.where(is_whole, whole_face, crop_face)
    low, high = content[:2] + 0.45 * face, content[2:] - 0.45 * face
    shift = tf.stack([draw[5], draw[6]])
    center = tf.where(is_whole, low + (high - low) * shift, 0.5 + (2 * shift - 1) * 2 * _CROP_SHIFT * face)
    turn = 2 * draw[7] - 1
    angle = tf.where(draw[8] < 0.5, _SMALL_TURN, _LARGE_TURN) * turn

    corner, opposite = tf.reduce_min(points[:, :2], axis=0), tf.reduce_max(points[:, :2], axis=0)
    scale = face * size / tf.reduce_max(opposite - corner)
    source, target = (corner + opposite) / 2, center * size
    cosine, sine = tf.cos(angle), tf.sin(angle)
    turned = tf.stack([tf.stack([cosine, sine]), tf.stack([-sine, cosine])])  # counter-clockwise, y down
    moved = tf.matmul(points[:, :2] - source, turned, transpose_b=True) * scale + target
    points = tf.concat([moved, points[:, 2:] * scale], axis=-1)
    pose = rotation_matrix(euler + tf.stack([0.0, 0.0, angle * (180 / math.pi)]))
    ruler = tf.norm(points[contract.OUTER_EYE_CORNERS[0]] - points[contract.OUTER_EYE_CORNERS[1]])
    frame = _resample(picture, scale, turned, source * scale, target, size)
    return PlacedHead(frame, points, pose, ruler / _EYE_CORNERS_MM, content * size)


def mirror_points(points: Any, width: Any) -> Any:
    """Landmarks of the mirrored picture: `[68, 2 or 3]`, pixels, of a picture `width` pixels wide."""
    flipped = tf.gather(points, np.array(contract.LANDMARK_FLIP))
    return tf.concat([width - flipped[:, :1], flipped[:, 1:]], axis=-1)


def rotation_matrix(euler: Any) -> Any:
    """`[3, 3]` of `[3]` degrees, as `trainer.rendering.camera` has it; from tf operations, for use in tf.data."""
    cosine, sine = tf.unstack(tf.cos(euler * (math.pi / 180))), tf.unstack(tf.sin(euler * (math.pi / 180)))
    (cy, cp, cr), (sy, sp, sr) = cosine, sine
    rows = [
        [cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp],
        [sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp],
        [-sy, cy * sp, cy * cp],
    ]
    return tf.stack([tf.stack(row) for row in rows])


def _letterbox(chance: Any, amount: Any) -> Any:
    """Part `[4]` of the frame that a photo of any format covers: full in a quarter of cases, else bars on two sides."""
    bar = 0.25 * amount * tf.cast(chance > 0.25, tf.float32)
    upright = tf.cast(chance > 0.625, tf.float32)
    return tf.stack([bar * upright, bar * (1 - upright), 1 - bar * upright, 1 - bar * (1 - upright)])


def _border(chance: Any, amount: Any) -> Any:
    """Part `[4]` of a crop that the photo covers: all, or, where a face is near the photo's edge, all but one side."""
    bar = 0.35 * amount * tf.one_hot(tf.cast(chance * 20, tf.int32), 4)
    return tf.concat([bar[:2], 1 - bar[2:]], axis=0)


def _resample(picture: Any, scale: Any, turned: Any, source: Any, target: Any, size: int) -> Any:
    """`[size, size, 4]` premultiplied float: scaled with anti-aliasing, then turned about `source` and moved to `target`."""
    picture = tf.cast(picture, tf.float32) / 255.0
    picture *= picture[..., 3:] * tf.constant([1.0, 1.0, 1.0, 0.0]) + tf.constant([0.0, 0.0, 0.0, 1.0])
    extent = tf.cast(tf.math.ceil(tf.cast(tf.shape(picture)[:2], tf.float32) * scale), tf.int32)
    scaled = tf.raw_ops.ScaleAndTranslate(
        images=picture[None],
        size=extent,
        scale=tf.stack([scale, scale]),
        translation=tf.zeros([2]),
        kernel_type="triangle",
        antialias=True,
    )
    inverse = tf.transpose(turned)
    # Indices of pixels, whose centres lie half a pixel further.
    offset = source - tf.linalg.matvec(inverse, target - 0.5) - 0.5
    rows = tf.concat([inverse, offset[:, None]], axis=1)
    frame = tf.raw_ops.ImageProjectiveTransformV3(
        images=scaled,
        transforms=tf.concat([tf.reshape(rows, [1, 6]), tf.zeros([1, 2])], axis=1),
        output_shape=[size, size],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    return tf.ensure_shape(frame[0], [size, size, 4])
