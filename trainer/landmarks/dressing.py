"""Hair and clothes for bald, bare-shouldered cut-outs: cheap shapes that sit where hair and clothes sit from every side.

Without them a network takes hair for background and skin for everything below the chin. Hair is an ellipsoid around the skull, of
which the part above a hairline shows; each pixel's ray is met with it, so that it turns with the head. Clothes are a
torso's outline below the chin.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from trainer import contract
from trainer.landmarks.placement import PlacedHead

_SKULL_CENTER = (0.0, 14.0, -78.0)
_SKULL_AXES = (76.0, 104.0, 98.0)
"""Ellipsoid of the skull, millimetres: its centre from the middle of the outer eye corners (x right, y up, z forward)."""
_HAIR_COLORS = ((0.06, 0.05, 0.05), (0.16, 0.11, 0.08), (0.33, 0.22, 0.14), (0.66, 0.5, 0.32), (0.6, 0.59, 0.58))
_SHOULDERS = 215.0
_SHOULDER_START = 55.0


def dress(frames: Any, heads: PlacedHead, textures: Any, seed: Any, hair_share: float, clothes_share: float) -> Any:
    """Puts heads with hair and clothes in front of frames.

    Args:
        frames: `[B, S, S, 3]` backgrounds, sRGB in [0, 1].
        heads: Batched heads.
        textures: `[B, S, S, 3]` any pictures: their structure becomes that of cloth.
        seed: `[2]` int, stateless.
        hair_share: Share of heads with hair.
        clothes_share: Share of heads with clothes.

    Returns:
        `[B, S, S, 3]`.
    """
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 5))
    count, size = tf.shape(frames)[0], frames.shape[1]
    unit = tf.random.stateless_uniform([16, count, 1, 1], seeds[0])
    grid = tf.range(size, dtype=tf.float32) + 0.5
    fine, coarse = _noise(count, size, seeds[1]), _noise(count, size // 4, seeds[1])
    coarse = tf.image.resize(coarse[..., None], [size, size])[..., 0]
    noise = coarse + unit[12] ** 2 * (fine - coarse)  # from smooth to curly
    eyes = tf.reduce_mean(tf.gather(heads.points, np.array(contract.OUTER_EYE_CORNERS), axis=1), axis=1)[:, None, None]
    scale = heads.scale[:, None, None]
    x = (grid[None, None, :] - eyes[..., 0]) / scale  # millimetres, right
    y = (eyes[..., 1] - grid[None, :, None]) / scale  # millimetres, up

    color, alpha = heads.picture[..., :3], heads.picture[..., 3:]
    has_hair = tf.cast(unit[0] < hair_share, tf.float32)
    hair, locks, shading = _hair(x, y, heads.rotation, unit, noise, scale)
    strands = _noise(count, size, seeds[2])
    palette = tf.random.stateless_uniform([count, len(_HAIR_COLORS)], seeds[3]) ** 6
    tone = tf.matmul(palette / tf.reduce_sum(palette, axis=1, keepdims=True), tf.constant(_HAIR_COLORS))[:, None, None]
    hair_color = tone * tf.clip_by_value(shading + 0.35 * strands, 0.1, 2.5)[..., None]
    locks, hair = (locks * has_hair)[..., None], (hair * has_hair)[..., None]
    pictures = frames * (1 - locks) + hair_color * locks
    pictures = color + pictures * (1 - alpha)
    pictures = pictures * (1 - hair) + hair_color * hair

    has_clothes = tf.cast(unit[8] < clothes_share, tf.float32)
    clothes = (_clothes(x, y, heads.rotation, unit, noise, scale) * has_clothes)[..., None]
    cloth = tf.random.stateless_uniform([count, 1, 1, 3], seeds[4]) ** 1.5
    cloth += unit[13][..., None] * (tf.reduce_mean(cloth, axis=-1, keepdims=True) - cloth)
    structure = tf.reduce_mean(textures, axis=-1, keepdims=True)
    cloth = tf.clip_by_value(cloth * (0.7 + 0.6 * structure), 0.0, 1.0)
    return pictures * (1 - clothes) + cloth * clothes


def _hair(x: Any, y: Any, rotation: Any, unit: Any, noise: Any, scale: Any) -> tuple[Any, Any, Any]:
    """Hair in front of the head `[B, S, S]`, hair behind it, and how bright each pixel of it is."""
    thickness = 4 + 26 * unit[1] ** 2
    axes = tf.constant(_SKULL_AXES) + thickness[..., None] * tf.constant([1.0, 0.8, 0.8])
    # The ray of a pixel in the head's own axes, as start + depth * direction, in units of the ellipsoid's axes.
    center = tf.linalg.matvec(rotation, tf.constant(_SKULL_CENTER))[:, None, None]
    across, up = x - center[..., 0], y - center[..., 1]
    rows = rotation[:, None, None]  # of R: image axes; R^T takes a ray to the head's axes
    origin = across[..., None] * rows[..., 0, :] + up[..., None] * rows[..., 1, :] - center[..., 2:] * rows[..., 2, :]
    origin /= axes
    direction = rotation[:, None, None, 2] / axes
    a = tf.reduce_sum(direction * direction, axis=-1)
    b = tf.reduce_sum(origin * direction, axis=-1)
    c = tf.reduce_sum(origin * origin, axis=-1) - 1
    inside = b * b - a * c
    depth = (tf.sqrt(tf.maximum(inside, 0.0)) - b) / a
    normal = origin + depth[..., None] * direction
    at = normal * axes + tf.constant(_SKULL_CENTER)  # millimetres from the eyes, head's axes
    sharpness = 0.7 * scale
    silhouette = _soft(inside / (a * a) ** 0.5 * 60 * sharpness + 2 * noise)
    hairline = 28 + 55 * unit[2] ** 0.7  # height of its middle above the eyes
    nape = -90 + 130 * unit[3]
    slope = (hairline - nape) / 115.0
    fringe = 14 * noise + 12 * (unit[4] - 0.5) * at[..., 0] / 40
    above = at[..., 1] - (hairline + slope * (at[..., 2] - 12) + fringe)
    bald_top = tf.where(unit[5] < 0.1, 40 - at[..., 1], tf.fill(tf.shape(above), 1e3))
    front = silhouette * _soft(sharpness * above) * _soft(sharpness * bald_top)
    # Long hair falls straight down behind the face, whichever way that looks.
    width = 70 + 2 * thickness + 20 * noise
    length = tf.where(unit[6] < 0.4, 60 + 200 * unit[7], tf.zeros_like(unit[7]))
    below = tf.minimum(width - tf.abs(across), tf.minimum(-up, up + length))
    locks = tf.maximum(front, _soft(sharpness * below) * tf.cast(length > 0, tf.float32))
    return front, locks, 0.75 + 0.45 * normal[..., 1]


def _clothes(x: Any, y: Any, rotation: Any, unit: Any, noise: Any, scale: Any) -> Any:
    """`[B, S, S]` a torso below the chin, in image axes: it does not tilt with the head as much."""
    neck = tf.linalg.matvec(rotation, tf.constant([0.0, -150.0, -75.0]))[:, None, None]
    top = neck[..., 1] - 35 * unit[9]
    aside = tf.abs(x - neck[..., 0])
    fall = (0.15 + 0.4 * unit[10]) * tf.maximum(aside - _SHOULDER_START, 0.0)
    collar = (unit[11] - 0.3) * 60 * tf.maximum(1 - aside / _SHOULDER_START, 0.0)
    inside = tf.minimum(top - fall - collar + 4 * noise - y, _SHOULDERS - aside)
    return _soft(0.7 * scale * inside)


def _soft(value: Any) -> Any:
    """An edge a few units wide: 0 below -2, 1 above 2."""
    return tf.clip_by_value(0.5 + 0.25 * value, 0.0, 1.0)


def _noise(count: Any, size: int, seed: Any) -> Any:
    """`[B, size, size]` of a few octaves, standard deviation near 1."""
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    octaves = [
        tf.image.resize(tf.random.stateless_normal([count, cells, cells, 1], octave_seed), [size, size])[..., 0]
        for cells, octave_seed in zip((max(2, size // 16), max(2, size // 5), max(2, size // 2)), seeds, strict=True)
    ]
    return 0.8 * tf.add_n(octaves)
