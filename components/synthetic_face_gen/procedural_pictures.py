"""Procedural pictures to put behind faces. None is a place, but each has what places have out of focus: walls with light falling
off, furniture and windows with straight edges, foliage and crowds with clutter at every scale, lights as discs.
"""

from typing import Final

import numpy as np
from scipy import ndimage

SIDE_LIMIT: Final = 256
"""Pictures are drawn no finer than this, pixels: what is behind a face is seldom in focus."""


def procedural(size: int, rng: np.random.Generator) -> np.ndarray:
    """A picture of nothing in particular.

    Args:
        size: Side, pixels.
        rng: Source of randomness.

    Returns:
        `[size, size, 3]` float32 linear light in [0, 1].
    """
    kind = rng.random()
    if kind < 0.3:
        picture = _gradient(size, rng) * _texture(size, rng, 0.08)
    elif kind < 0.75:
        picture = _boxes(size, rng) * _texture(size, rng, 0.15)
    else:
        picture = _clutter(size, rng)
    if rng.random() < 0.3:
        picture = picture + _discs(size, rng)
    blur = size * np.exp(rng.uniform(np.log(0.002), np.log(0.04)))
    picture = ndimage.gaussian_filter(picture.astype(np.float32), (blur, blur, 0), mode="nearest", truncate=2.5)
    return np.clip(picture * (0.4 + 0.6 * _falloff(size, rng)), 0, 1).astype(np.float32)


_WARM: Final = np.array([1.0, 0.1, -1.0])
_GREEN: Final = np.array([-0.6, 1.0, -0.6])
"""Colours of places vary from warm to cold far more than from green to purple."""


def _color(rng: np.random.Generator) -> np.ndarray:
    """`[3]` linear: mostly greyish, from nearly black to white, as rooms, streets and foliage are."""
    level, strength = np.exp(rng.normal(-2.0, 1.1)), rng.choice((0.1, 0.3, 0.7), p=(0.45, 0.35, 0.2))
    warm, green = rng.normal(0, strength), rng.normal(0, strength / 3)
    return np.clip(level * np.exp(warm * _WARM + green * _GREEN), 0.002, 1)


def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    return axis[None, :], axis[:, None]


def _falloff(size: int, rng: np.random.Generator) -> np.ndarray:
    """`[size, size, 1]` light that falls off from somewhere, in [0, 1]."""
    x, y = _grid(size)
    distance = np.hypot(x - rng.uniform(-0.3, 1.3), y - rng.uniform(-0.3, 1.3)) / rng.uniform(0.7, 2.0)
    return np.exp(-np.square(distance))[..., None]


def _gradient(size: int, rng: np.random.Generator) -> np.ndarray:
    """Two colours across the picture, or from a bright spot outwards."""
    x, y = _grid(size)
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        ramp = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.5
    else:
        ramp = np.hypot(x - rng.uniform(-0.2, 1.2), y - rng.uniform(-0.2, 1.2)) / rng.uniform(0.5, 1.5)
    ramp = np.clip(ramp, 0, 1)[..., None]
    near = _color(rng)
    far = near * np.exp(rng.normal(0, 0.5)) if rng.random() < 0.6 else _color(rng)
    return (1 - ramp) * near + ramp * far


def _field(size: int, rng: np.random.Generator, slope: float) -> np.ndarray:
    """`[size, size]` noise of unit variance whose amplitude falls with frequency to the power of the slope."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) / frequency**slope, s=(size, size))
    return noise / max(float(noise.std()), 1e-9)


def _texture(size: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    """`[size, size, 1]` factor around 1."""
    return np.exp(strength * rng.random() * _field(size, rng, rng.uniform(0.8, 1.8)))[..., None]


def _clutter(size: int, rng: np.random.Generator) -> np.ndarray:
    """A few colours, one where a noise is lower than a level, the next where it is higher: leaves, crowds, shelves."""
    field, shade = _field(size, rng, rng.uniform(1.1, 1.9)), _field(size, rng, rng.uniform(0.9, 1.5))
    levels = np.sort(rng.normal(0, 0.9, rng.integers(1, 5)))
    base = _color(rng)
    colors = [np.clip(base * np.exp(rng.normal(0, 0.7) + rng.normal(0, 0.2, 3)), 0, 1) for _ in range(len(levels) + 1)]
    return np.array(colors)[np.digitize(field, levels)] * np.exp(rng.uniform(0.1, 0.5) * shade)[..., None]


def _boxes(size: int, rng: np.random.Generator) -> np.ndarray:
    """Turned rectangles over each other, upright or lying: furniture, windows, signs."""
    x, y = _grid(size)
    picture = _gradient(size, rng).copy()
    tilt = rng.normal(0, 0.1)
    for _ in range(rng.integers(3, 22)):
        angle = tilt + rng.normal(0, 0.03)
        dx, dy = x - rng.uniform(0, 1), y - rng.uniform(0, 1)
        along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        half_width, half_height = np.exp(rng.normal(-2.1, 0.9, 2))
        inside = (np.abs(along) < half_width) & (np.abs(across) < half_height)
        picture[inside] = (_color(rng) * (1 + rng.normal(0, 0.4) * np.clip(along / half_width, -1, 1)[..., None]))[
            inside
        ]
    return np.maximum(picture, 0)


def _discs(size: int, rng: np.random.Generator) -> np.ndarray:
    """Lights out of focus."""
    x, y = _grid(size)
    picture = np.zeros((size, size, 3), np.float32)
    radius = np.exp(rng.uniform(np.log(0.01), np.log(0.08)))
    for _ in range(rng.integers(2, 14)):
        inside = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 1)) < radius * rng.uniform(0.7, 1.2)
        picture[inside] += np.clip(rng.uniform(0.1, 0.9) * np.exp(rng.normal(0, 0.3, 3)), 0, 1).astype(np.float32)
    return picture
