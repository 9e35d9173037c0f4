"""What happens to a face crop while training, so that a network learns faces and not one camera, light and box.

Geometry (mirroring, shift, scale, in-plane rotation) is one similarity that labels undergo too, so they stay exact. Appearance is
applied to whole batches. Every draw takes a stateless seed: the same seed gives the same picture.
"""

import dataclasses
import math
from typing import Any, NamedTuple

import tensorflow as tf

from trainer import contract
from trainer.imaging import alignment


@dataclasses.dataclass(frozen=True)
class AugmentationConfig:
    """How much of each ingredient; 0 switches it off."""

    shift: float = 0.06
    """Largest shift of the box in x and in y, fraction of its longer side, uniform."""
    scale: float = 0.12
    """Largest relative change of the box's size, log-uniform both ways: 0.12 gives factors 0.89 to 1.12."""
    rotation: float = 15.0
    """Largest in-plane rotation, degrees, uniform both ways, at most 45."""
    flip: float = 0.5
    """Probability that a face is mirrored, where its labels can be: a model's parameters cannot, unless its modes mirror into
    each other."""
    brightness: float = 0.2
    """Largest change of brightness, added to the sRGB values."""
    contrast: float = 0.3
    """Largest relative change of contrast about the image's mean."""
    gamma: float = 0.3
    """Largest |ln| of the exponent."""
    color: float = 0.1
    """Largest relative gain of one channel."""
    gray: float = 0.1
    """Probability that colour is lost."""
    blur: float = 0.2
    """Probability of a Gaussian blur."""
    blur_sigma: float = 1.2
    """Largest standard deviation of the blur, pixels."""
    noise: float = 0.03
    """Largest standard deviation of Gaussian noise on the sRGB values."""
    occlusion: float = 0.2
    """Probability that a rectangle hides part of the crop."""
    occlusion_size: float = 0.4
    """Longest side of the rectangle, fraction of the crop's side."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        for field in dataclasses.fields(self):
            if getattr(self, field.name) < 0:
                raise ValueError(f"`{field.name}` must not be negative. Received: {getattr(self, field.name)}.")
        for name in ("flip", "gray", "blur", "occlusion", "occlusion_size", "contrast", "color"):
            if getattr(self, name) > 1:
                raise ValueError(f"`{name}` must lie in [0, 1]. Received: {getattr(self, name)}.")
        if self.rotation > 45:
            raise ValueError(f"`rotation` must lie in [0, 45] degrees. Received: {self.rotation}.")

    @classmethod
    def none(cls) -> "AugmentationConfig":
        """Everything off: the crop as it is."""
        return cls(**{field.name: 0.0 for field in dataclasses.fields(cls)})


class Geometry(NamedTuple):
    """One draw of the similarity."""

    shift: Any
    """`[2]` x and y, fraction of the box's longer side."""
    scale: Any
    """`[]` factor of the box's size."""
    angle: Any
    """`[]` in-plane rotation, radians; > 0 turns the picture counter-clockwise, as `roll` does."""
    is_mirrored: Any
    """`[]` bool: the crop is mirrored, before it is turned."""


def sample_geometry(config: AugmentationConfig, seed: Any) -> Geometry:
    """Draws a similarity.

    Args:
        config: Amounts.
        seed: `[2]` int32, stateless.
    """
    draw = tf.random.stateless_uniform([5], seed, -1.0, 1.0)
    return Geometry(
        shift=draw[:2] * config.shift,
        scale=tf.exp(draw[2] * math.log1p(config.scale)),
        angle=draw[3] * math.radians(config.rotation),
        is_mirrored=draw[4] < 2 * config.flip - 1,
    )


def mirror_image(image: Any) -> Any:
    """Mirrors `[..., H, W, C]` left to right."""
    return tf.reverse(image, [-2])


def mirror_points(points: Any, width: Any) -> Any:
    """Landmarks of the mirrored image, in the scheme's order: what was the right eye is the left one.

    Args:
        points: `[..., 68, 2 or 3]` image frame, pixels.
        width: Of the image, pixels.
    """
    flipped = mirror_order(points, axis=-2)
    return tf.concat([width - flipped[..., :1], flipped[..., 1:]], axis=-1)


def mirror_order(values: Any, axis: int = -1) -> Any:
    """What belongs to each landmark (weights, sigmas, visibility), in the order of the mirrored face; 68 along the axis."""
    return tf.gather(values, tf.constant(contract.LANDMARK_FLIP), axis=axis)


def mirror_box(box: Any, width: Any) -> Any:
    """The box `[..., 4]` in the mirrored image, `width` pixels wide."""
    return tf.stack([width - box[..., 2], box[..., 1], width - box[..., 0], box[..., 3]], axis=-1)


def jitter_box(box: Any, geometry: Geometry) -> Any:
    """A box moved and resized, as a detector's would be: `[4]` pixels to `[4]` pixels."""
    corner, opposite = box[:2], box[2:]
    center, half = (corner + opposite) / 2, (opposite - corner) / 2
    center += geometry.shift * 2.0 * tf.reduce_max(half)
    half *= geometry.scale
    return tf.concat([center - half, center + half], axis=0)


def padded_size(config: AugmentationConfig, size: int) -> int:
    """Side of the square that still covers a crop of `size` pixels when it is turned as far as the configuration allows."""
    if not config.rotation:
        return size
    angle = math.radians(config.rotation)
    return size + 2 * math.ceil((math.cos(angle) + math.sin(angle) - 1) * size / 2)


def rotate_points(points: Any, angle: Any, size: int) -> Any:
    """Points of a crop that is turned about its centre.

    Args:
        points: `[N, 2 or 3]` crop frame, pixels.
        angle: `[]` radians.
        size: Side of the crop, pixels.
    """
    cosine, sine = tf.cos(angle), tf.sin(angle)
    x, y = points[:, 0] - size / 2, points[:, 1] - size / 2
    turned = tf.stack([cosine * x + sine * y + size / 2, cosine * y - sine * x + size / 2], axis=-1)
    return tf.concat([turned, points[:, 2:]], axis=-1)


def rotate_camera(matrix: Any, angle: Any, size: int) -> Any:
    """The scaled orthographic camera `[3, 4]` that sees a crop of `size` pixels turned by `angle` radians about its centre."""
    cosine, sine = tf.cos(angle), tf.sin(angle)
    zero, one = tf.zeros_like(angle), tf.ones_like(angle)
    roll = tf.stack([tf.stack([cosine, -sine, zero]), tf.stack([sine, cosine, zero]), tf.stack([zero, zero, one])])
    origin = rotate_points(matrix[None, :, 3], angle, size)
    return tf.concat([roll @ matrix[:, :3], origin[0][:, None]], axis=1)


def rotate_images(images: Any, angles: Any, size: int) -> Any:
    """Turns images about their centres and keeps the middle.

    Args:
        images: `[B, P, P, C]` float, with P from `padded_size`.
        angles: `[B]` radians.
        size: Side of the result, pixels.

    Returns:
        `[B, size, size, C]`.
    """
    cosine, sine = tf.cos(angles), tf.sin(angles)
    middle, target = images.shape[1] / 2 - 0.5, size / 2 - 0.5
    zero = tf.zeros_like(angles)
    transforms = tf.stack(
        [
            *(cosine, -sine, middle - (cosine - sine) * target),
            *(sine, cosine, middle - (sine + cosine) * target),
            *(zero, zero),
        ],
        axis=-1,
    )
    turned = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=[size, size],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    return tf.ensure_shape(turned, [None, size, size, images.shape[-1]])


def crop(image: Any, box: Any, margin: float, size: int, pad: int) -> tuple[Any, Any]:
    """Cuts a square around a box with room to turn it.

    Args:
        image: `[H, W, C]` float.
        box: `[4]` pixels.
        margin: See `alignment.crop_transform`.
        size: Side of the crop proper, pixels.
        pad: Side of what is returned, pixels, from `padded_size`.

    Returns:
        `[pad, pad, C]`, and the transform `[3]` of the crop proper, which lies in the middle.
    """
    transform = alignment.crop_transform(box, margin, size)
    border = (pad - size) / 2
    return alignment.crop_image(image, transform + tf.constant([0.0, border, border]), pad), transform


def change_appearance(images: Any, config: AugmentationConfig, seed: Any) -> Any:
    """Occluder, brightness, contrast, gamma, colour, grey, blur and noise.

    Args:
        images: `[B, S, S, 3]` sRGB in [0, 1].
        config: Amounts.
        seed: `[2]` int32, stateless.

    Returns:
        `[B, S, S, 3]` in [0, 1].
    """
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 6))
    count = tf.shape(images)[0]
    unit = tf.random.stateless_uniform([9, count, 1, 1, 1], seeds[0], -1.0, 1.0)
    chance = (unit[6:] + 1) / 2
    if config.occlusion:
        images = _occlude(images, config, chance[0], seeds[1])
    if config.color:
        images *= 1 + config.color * tf.random.stateless_uniform([count, 1, 1, 3], seeds[2], -1.0, 1.0)
    if config.contrast:
        mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
        images = mean + (images - mean) * (1 + config.contrast * unit[0])
    if config.brightness:
        images += config.brightness * unit[1]
    images = tf.clip_by_value(images, 0.0, 1.0)
    if config.gamma:
        images = tf.pow(images + 1e-6, tf.exp(config.gamma * unit[2]))
    if config.gray:
        luma = tf.reduce_sum(images * tf.constant([0.299, 0.587, 0.114]), axis=-1, keepdims=True)
        images = tf.where(chance[1] < config.gray, luma, images)
    if config.blur and config.blur_sigma:
        sigma = tf.where(chance[2] < config.blur, config.blur_sigma * tf.abs(unit[3]), 0.0)
        images = _blur(images, sigma)
    if config.noise:
        images += config.noise * tf.abs(unit[4]) * tf.random.stateless_normal(tf.shape(images), seeds[3])
    return tf.clip_by_value(images, 0.0, 1.0)


def _occlude(images: Any, config: AugmentationConfig, chance: Any, seed: Any) -> Any:
    """Hides a rectangle of one noisy colour in some images, its edges blended over a pixel."""
    count, size = tf.shape(images)[0], images.shape[1]
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    center = tf.random.stateless_uniform([2, count, 1, 1, 1], seeds[0], 0.0, float(size))
    half = tf.random.stateless_uniform([2, count, 1, 1, 1], seeds[1], 0.05, 0.5) * config.occlusion_size * size
    grid = tf.range(size, dtype=tf.float32) + 0.5
    inside_x = tf.clip_by_value(half[0] - tf.abs(grid[None, None, :, None] - center[0]) + 0.5, 0.0, 1.0)
    inside_y = tf.clip_by_value(half[1] - tf.abs(grid[None, :, None, None] - center[1]) + 0.5, 0.0, 1.0)
    mask = inside_x * inside_y * tf.cast(chance < config.occlusion, tf.float32)
    color = tf.random.stateless_uniform([count, 1, 1, 4], seeds[2], 0.0, 1.0)
    texture = (
        color[..., 3:] * 0.3 * tf.sin(grid[None, None, :, None] * (0.2 + color[..., :1]) + grid[None, :, None, None])
    )
    return images * (1 - mask) + (color[..., :3] + texture) * mask


def _blur(images: Any, sigma: Any) -> Any:
    """Gaussian blur over 5 taps a side, one sigma `[B, 1, 1, 1]` an image; 0 leaves it as it is."""
    offsets = (-2, -1, 0, 1, 2)
    taps = [tf.exp(-(offset**2) / (2 * tf.maximum(sigma, 1e-2) ** 2)) for offset in offsets]
    total = tf.add_n(taps)
    size = images.shape[1]
    for axis in (1, 2):
        paddings = [[0, 0], [2, 2] if axis == 1 else [0, 0], [2, 2] if axis == 2 else [0, 0], [0, 0]]
        padded = tf.pad(images, paddings, mode="SYMMETRIC")
        parts = [
            tap
            / total
            * (padded[:, 2 + offset : 2 + offset + size] if axis == 1 else padded[:, :, 2 + offset : 2 + offset + size])
            for offset, tap in zip(offsets, taps, strict=True)
        ]
        images = tf.add_n(parts)
    return images
