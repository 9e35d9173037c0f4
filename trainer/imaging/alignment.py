"""Crop and alignment: an image region to a network's square input, and points back, exactly.

A crop transform is `[..., 3]`: scale, shift x, shift y, so that `crop = scale * image + shift` on pixel coordinates with the
first pixel's centre at (0.5, 0.5). Functions take NumPy arrays or tensors and return the same, unless they say otherwise; for
NumPy arrays they load neither Keras nor TensorFlow.
"""

from typing import Any

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


def crop_transform(box: Any, margin: float, size: int) -> Any:
    """Transform from the image to a square crop around a box.

    The square is centred on the box; its side is the longer side of the box, enlarged by `margin` of it on each side.

    Args:
        box: `[..., 4]` pixels.
        margin: Fraction of the longer side added on every side, 0 or more.
        size: Side of the crop, pixels.

    Returns:
        `[..., 3]` scale, shift x, shift y.
    """
    xp = namespace(box)
    center_x, center_y = (box[..., 0] + box[..., 2]) / 2, (box[..., 1] + box[..., 3]) / 2
    longer = xp.maximum(box[..., 2] - box[..., 0], box[..., 3] - box[..., 1])
    scale = size / (xp.maximum(longer, 1.0) * (1 + 2 * margin))
    return xp.stack([scale, size / 2 - scale * center_x, size / 2 - scale * center_y], axis=-1)


def letterbox_transform(height: Any, width: Any, size: int) -> Any:
    """Transform that fits a whole image, centred, into a square of `size` pixels: a `[3]` tensor like `crop_transform`'s."""
    import keras

    width, height = keras.ops.cast(width, "float32"), keras.ops.cast(height, "float32")
    zero = keras.ops.zeros_like(width)
    return crop_transform(keras.ops.stack([zero, zero, width, height], axis=-1), 0.0, size)


def to_crop(points: Any, transform: Any) -> Any:
    """Points of the image in the crop's frame. z, where present, is scaled.

    Args:
        points: `[..., N, 2 or 3]` image frame, pixels.
        transform: `[..., 3]`.
    """
    scale, shift = _scale_and_shift(points, transform)
    return points * scale + shift


def from_crop(points: Any, transform: Any) -> Any:
    """Inverse of `to_crop`: points of the crop in the image's frame."""
    scale, shift = _scale_and_shift(points, transform)
    return (points - shift) / scale


def _scale_and_shift(points: Any, transform: Any) -> tuple[Any, Any]:
    """A transform as `[..., 1, 1]` scale and `[..., 1, 2 or 3]` shift; z is not shifted."""
    xp = namespace(points)
    # One indexing step after the other: TensorFlow's graph optimiser gets an ellipsis, a new axis and a slice in a single one
    # wrong where the batch size is known.
    shift = transform[..., 1:3][..., None, :]
    if points.shape[-1] == 3:
        shift = xp.concatenate([shift, xp.zeros_like(shift[..., :1])], axis=-1)
    return transform[..., :1][..., None, :], shift


def crop_image(image: Any, transform: Any, size: int) -> Any:
    """Resamples an image into its crop, anti-aliased; what lies outside the image is black.

    Args:
        image: `[H, W, C]` floats, array or tensor.
        transform: `[3]`, array or tensor.
        size: Side of the crop, pixels.

    Returns:
        `[size, size, C]` float32 tensor.
    """
    import tensorflow as tf

    transform = tf.cast(transform, tf.float32)
    scale = tf.stack([transform[0], transform[0]])
    translation = tf.stack([transform[2], transform[1]])
    cropped = tf.raw_ops.ScaleAndTranslate(
        images=tf.cast(image, tf.float32)[None],
        size=[size, size],
        scale=scale,
        translation=translation,
        kernel_type="triangle",
        antialias=True,
    )[0]
    return tf.ensure_shape(cropped, [size, size, image.shape[-1]])
