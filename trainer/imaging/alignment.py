"""Crop and alignment: an image region to a network's square input, and back, exactly: points, boxes, meshes, pictures.

A crop transform is `[..., 3]`: scale, shift x, shift y, so that `crop = scale * image + shift` on pixel coordinates with the
first pixel's centre at (0.5, 0.5); or `[..., 4]`, with an angle in radians: `crop = scale * turned(image) + shift`, where
`turned` turns about (0, 0), counter-clockwise on the screen for angles > 0, as `roll` does. Functions take NumPy arrays or
tensors and return the same, unless they say otherwise; for NumPy arrays they load neither Keras nor TensorFlow.
"""

import math
from typing import Any

from trainer import contract
from trainer.imaging.arrays import namespace


def landmark_box(points: Any) -> Any:
    """Tight box of landmarks.

    Args:
        points: `[..., N, 2 or 3]` image frame, pixels.

    Returns:
        `[..., 4]` x0, y0, x1, y1.
    """
    xp = namespace(points)
    return xp.concatenate([xp.min(points[..., :2], axis=-2), xp.max(points[..., :2], axis=-2)], axis=-1)


def crop_transform(box: Any, margin: float, size: int, angle: Any = None) -> Any:
    """Transform from the image to a square crop around a box.

    The square is centred on the box; its side is the longer side of the box, enlarged by `margin` of it on each side.

    Args:
        box: `[..., 4]` pixels.
        margin: Fraction of the longer side added on every side, 0 or more.
        size: Side of the crop, pixels.
        angle: `[...]` radians by which the picture is turned about the box's centre; None does not turn it.

    Returns:
        `[..., 3]` scale, shift x, shift y, or `[..., 4]` with the angle.
    """
    xp = namespace(box)
    center_x, center_y = (box[..., 0] + box[..., 2]) / 2, (box[..., 1] + box[..., 3]) / 2
    longer = xp.maximum(box[..., 2] - box[..., 0], box[..., 3] - box[..., 1])
    scale = size / (xp.maximum(longer, 1.0) * (1 + 2 * margin))
    if angle is None:
        return xp.stack([scale, size / 2 - scale * center_x, size / 2 - scale * center_y], axis=-1)
    turned_x, turned_y = _turn(xp, center_x, center_y, angle)
    return xp.stack([scale, size / 2 - scale * turned_x, size / 2 - scale * turned_y, angle], axis=-1)


def upright_transform(points: Any, margin: float, size: int) -> Any:
    """Transform to a square crop in which a face stands upright: its box, taken after the turn, is centred.

    Args:
        points: `[..., 68, 2 or 3]` landmarks, image frame, pixels.
        margin: See `crop_transform`.
        size: Side of the crop, pixels.

    Returns:
        `[..., 4]`.
    """
    xp = namespace(points)
    angle = upright_angle(points)
    turn_alone = xp.stack([xp.ones_like(angle), xp.zeros_like(angle), xp.zeros_like(angle), angle], axis=-1)
    straight = crop_transform(landmark_box(to_crop(points, turn_alone)), margin, size)
    return xp.concatenate([straight, angle[..., None]], axis=-1)


def upright_angle(points: Any) -> Any:
    """Angle that sets a face upright: about minus its roll.

    Of two directions, along the eyes' outer corners and across the line from eyes to mouth, each counts by its length, so that
    a profile, whose eye corners lie close together, is turned by the other.

    Args:
        points: `[..., 68, 2 or 3]` landmarks, image frame, pixels.

    Returns:
        `[...]` radians.
    """
    xp = namespace(points)
    right, left = (points[..., index, :] for index in contract.OUTER_EYE_CORNERS)
    mouth_first, mouth_last = contract.LANDMARK_GROUPS["outer_lips"][0], contract.LANDMARK_GROUPS["outer_lips"][6]
    along = left - right
    down = (points[..., mouth_first, :] + points[..., mouth_last, :] - left - right) / 2
    return xp.arctan2(along[..., 1] - down[..., 0], along[..., 0] + down[..., 1])


def letterbox_transform(height: Any, width: Any, size: int) -> Any:
    """Transform that fits a whole image, centred, into a square of `size` pixels: a `[3]` tensor like `crop_transform`'s."""
    import keras

    width, height = keras.ops.cast(width, "float32"), keras.ops.cast(height, "float32")
    zero = keras.ops.zeros_like(width)
    return crop_transform(keras.ops.stack([zero, zero, width, height], axis=-1), 0.0, size)


def invert(transform: Any) -> Any:
    """The transform from the crop back to the image, of the same length."""
    xp = namespace(transform)
    scale, x, y = transform[..., 0], transform[..., 1], transform[..., 2]
    if transform.shape[-1] == 3:
        return xp.stack([1 / scale, -x / scale, -y / scale], axis=-1)
    angle = transform[..., 3]
    x, y = _turn(xp, x, y, -angle)
    return xp.stack([1 / scale, -x / scale, -y / scale, -angle], axis=-1)


def compose(first: Any, second: Any) -> Any:
    """The transform that does what `second` does to what `first` did, `[..., 3]` if neither turns, else `[..., 4]`."""
    xp = namespace(first, second)
    shift = to_crop(first[..., 1:3][..., None, :], second)[..., 0, :]
    parts = [(first[..., 0] * second[..., 0])[..., None], shift]
    angles = [transform[..., 3] for transform in (first, second) if transform.shape[-1] == 4]
    if angles:
        parts.append(sum(angles[1:], angles[0])[..., None])
    return xp.concatenate(parts, axis=-1)


def to_crop(points: Any, transform: Any) -> Any:
    """Points of the image, or a mesh over it, in the crop's frame. z, where present, is scaled.

    Args:
        points: `[..., N, 2 or 3]` image frame, pixels.
        transform: `[..., 3 or 4]`.
    """
    scale, shift = _scale_and_shift(points, transform)
    return _turned(points, transform, 1) * scale + shift


def from_crop(points: Any, transform: Any) -> Any:
    """Inverse of `to_crop`: points of the crop in the image's frame."""
    scale, shift = _scale_and_shift(points, transform)
    return _turned((points - shift) / scale, transform, -1)


def box_to_crop(box: Any, transform: Any) -> Any:
    """A box of the image in the crop's frame: its centre and its sides are mapped.

    Where the transform turns, the box does not grow to cover what it held: its sides keep their lengths and stay parallel to
    the crop's, so that `box_from_crop` gives it back exactly. A tight box of turned landmarks is `landmark_box` of `to_crop`.

    Args:
        box: `[..., 4]` x0, y0, x1, y1, image frame, pixels.
        transform: `[..., 3 or 4]`.
    """
    return _mapped_box(box, transform, to_crop, transform[..., :1])


def box_from_crop(box: Any, transform: Any) -> Any:
    """Inverse of `box_to_crop`."""
    return _mapped_box(box, transform, from_crop, 1 / transform[..., :1])


def _mapped_box(box: Any, transform: Any, map_points: Any, scale: Any) -> Any:
    xp = namespace(box, transform)
    center, half = (box[..., :2] + box[..., 2:]) / 2, (box[..., 2:] - box[..., :2]) / 2
    center, half = map_points(center[..., None, :], transform)[..., 0, :], half * scale
    return xp.concatenate([center - half, center + half], axis=-1)


def _turn(xp: Any, x: Any, y: Any, angle: Any) -> tuple[Any, Any]:
    """Coordinates turned about (0, 0), counter-clockwise on the screen, whose y runs down."""
    cosine, sine = xp.cos(angle), xp.sin(angle)
    return cosine * x + sine * y, cosine * y - sine * x


def _turned(points: Any, transform: Any, direction: int) -> Any:
    """Points turned by the transform's angle, if it has one; z stays."""
    if transform.shape[-1] == 3:
        return points
    xp = namespace(points, transform)
    x, y = _turn(xp, points[..., 0], points[..., 1], direction * transform[..., 3][..., None])
    return xp.stack([x, y, points[..., 2]] if points.shape[-1] == 3 else [x, y], axis=-1)


def _scale_and_shift(points: Any, transform: Any) -> tuple[Any, Any]:
    """A transform as `[..., 1, 1]` scale and `[..., 1, 2 or 3]` shift; z is not shifted."""
    xp = namespace(points, transform)
    # One indexing step after the other: TensorFlow's graph optimiser gets an ellipsis, a new axis and a slice in a single one
    # wrong where the batch size is known.
    shift = transform[..., 1:3][..., None, :]
    if points.shape[-1] == 3:
        shift = xp.concatenate([shift, xp.zeros_like(shift[..., :1])], axis=-1)
    return transform[..., :1][..., None, :], shift


def crop_image(image: Any, transform: Any, size: int) -> Any:
    """Resamples an image into its crop, anti-aliased; what lies outside the image is black.

    A map of depths becomes the crop's when its values are multiplied by the transform's scale as well.

    Args:
        image: `[H, W, C]` floats, array or tensor.
        transform: `[3 or 4]`, array or tensor.
        size: Side of the crop, pixels.

    Returns:
        `[size, size, C]` float32 tensor.
    """
    return _resample(image, transform, size, size)


def uncrop_image(crop: Any, transform: Any, height: int, width: int) -> Any:
    """Inverse of `crop_image`: resamples a crop into the image's frame; black where the crop does not reach.

    A map of depths becomes the image's when its values are divided by the transform's scale as well.

    Args:
        crop: `[S, S, C]` floats, array or tensor.
        transform: `[3 or 4]` of the crop, array or tensor.
        height: Of the image, pixels.
        width: Of the image, pixels.

    Returns:
        `[height, width, C]` float32 tensor.
    """
    import tensorflow as tf

    return _resample(crop, invert(tf.cast(transform, tf.float32)), height, width)


def _resample(image: Any, transform: Any, height: int, width: int) -> Any:
    """`[height, width, C]` of what a transform shows of an image."""
    import tensorflow as tf

    transform = tf.cast(transform, tf.float32)
    if transform.shape[-1] == 3:
        return _scaled(image, transform, height, width)
    # Scaled first, so that the filter is right, into a square that the turned frame fits in; then turned about its middle.
    side = math.ceil(math.hypot(height, width)) + 2
    middle = tf.constant([[width / 2, height / 2]])
    angle = transform[3]
    back = tf.stack([tf.ones_like(angle), tf.zeros_like(angle), tf.zeros_like(angle), angle])
    shift = from_crop(transform[None, 1:3] - middle, back)[0] + side / 2
    square = _scaled(image, tf.concat([transform[:1], shift], axis=0), side, side)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    # Indices of pixels, whose centres lie half a pixel further.
    first = from_crop(0.5 - middle, back)[0] + side / 2 - 0.5
    rows = tf.stack([cosine, -sine, first[0], sine, cosine, first[1], 0.0, 0.0])
    turned = tf.raw_ops.ImageProjectiveTransformV3(
        images=square[None],
        transforms=rows[None],
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    return tf.ensure_shape(turned[0], [height, width, image.shape[-1]])


def _scaled(image: Any, transform: Any, height: int, width: int) -> Any:
    """`[height, width, C]` of what a transform without an angle shows of an image, anti-aliased."""
    import tensorflow as tf

    cropped = tf.raw_ops.ScaleAndTranslate(
        images=tf.cast(image, tf.float32)[None],
        size=[height, width],
        scale=tf.stack([transform[0], transform[0]]),
        translation=tf.stack([transform[2], transform[1]]),
        kernel_type="triangle",
        antialias=True,
    )[0]
    return tf.ensure_shape(cropped, [height, width, image.shape[-1]])
