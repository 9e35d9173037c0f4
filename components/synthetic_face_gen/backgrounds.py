"""What is behind the face: procedural pictures, or crops of the user's photographs. Linear light, `[size, size, 3]` float32.

Rendered faces on black teach a network to look for the edge between face and black. None of these is a place, but each has
what places have: gradients, clutter at every scale with a 1/f spectrum, straight edges, blur.
"""

import functools
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from scipy import ndimage

from components.fingerprint import fingerprint
from components.synthetic_face_gen.config import PROCEDURAL
from trainer.imaging import codecs
from trainer.rendering.color import srgb_to_linear

SUFFIXES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def sample_background(source: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draws a background.

    Args:
        source: `procedural` or a folder.
        size: Side, pixels.
        rng: Source of randomness.

    Returns:
        `[size, size, 3]` float32 linear light in [0, 1].

    Raises:
        PhotoError: If the chosen photograph cannot be read; the error names it.
        FileNotFoundError: If the folder holds no photographs.
    """
    return _procedural(size, rng) if source == PROCEDURAL else _photograph(source, size, rng)


def state(source: str) -> str:
    """A digest of the photographs' names, sizes and times, so that a changed folder is not taken for the old one.

    Args:
        source: `procedural`, which has no state, or a folder.

    Raises:
        FileNotFoundError: If the folder holds no photographs.
    """
    if source == PROCEDURAL:
        return ""
    return fingerprint(Path(source), (path.relative_to(source).as_posix() for path in _found(source)))


@functools.lru_cache(maxsize=4)
def photographs(folder: str) -> tuple[Path, ...]:
    """The photographs in a folder and its subfolders, looked for once.

    Raises:
        FileNotFoundError: If there are none.
    """
    return _found(folder)


def _found(folder: str) -> tuple[Path, ...]:
    """Photographs in an order that does not depend on the file system."""
    found = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise FileNotFoundError(f"`background` must be a folder with photographs. Received: {folder!r}, which has none")
    return tuple(found)


def _photograph(folder: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """A square of a photograph, at least half as wide as the photograph is, mirrored half of the time."""
    paths = photographs(folder)
    image = Image.fromarray(codecs.read_photo(paths[rng.integers(len(paths))]))
    side = rng.uniform(0.5, 1.0) * min(image.size)
    x, y = (rng.uniform(0, extent - side) for extent in image.size)
    crop = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=(x, y, x + side, y + side)))
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    return np.asarray(srgb_to_linear(crop.astype(np.float32) / 255), np.float32)


def _procedural(size: int, rng: np.random.Generator) -> np.ndarray:
    kinds = (_gradient, _noise, _boxes)
    weights = rng.dirichlet((0.4, 0.5, 0.6))
    layers = [kind(size, rng) for kind, weight in zip(kinds, weights, strict=True) if weight > 0.05]
    shares = weights[weights > 0.05] / weights[weights > 0.05].sum()
    # Mixed in the exponent, as a filter in front of a scene would be, which keeps contrast better than an average.
    picture = np.exp(sum(share * np.log(layer + 1e-3) for share, layer in zip(shares, layers, strict=True)))
    return np.clip(picture, 0, 1).astype(np.float32)


def _color(rng: np.random.Generator) -> np.ndarray:
    """`[3]` linear: mostly greyish and of middle brightness, as rooms, streets and foliage are."""
    level = np.exp(rng.normal(-1.7, 0.9))
    return np.clip(level * np.exp(rng.normal(0, rng.choice((0.05, 0.15, 0.4), p=(0.5, 0.35, 0.15)), 3)), 0, 1)


def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    axis = (np.arange(size) + 0.5) / size
    return axis[None, :], axis[:, None]


def _gradient(size: int, rng: np.random.Generator) -> np.ndarray:
    """Two colours across the picture, or from a bright spot outwards."""
    x, y = _grid(size)
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        ramp = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.5
    else:
        ramp = np.hypot(x - rng.uniform(-0.2, 1.2), y - rng.uniform(-0.2, 1.2)) / rng.uniform(0.5, 1.5)
    ramp = np.clip(ramp, 0, 1)[..., None]
    return (1 - ramp) * _color(rng) + ramp * _color(rng)


def _noise(size: int, rng: np.random.Generator) -> np.ndarray:
    """Clutter with a power spectrum that falls like 1/f^2 or faster; its colours share most of their structure."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    frequency[0, 0] = np.inf
    filtered = np.fft.rfft2(rng.standard_normal((4, size, size))) / frequency ** rng.uniform(0.9, 1.8)
    fields = np.fft.irfft2(filtered, s=(size, size))
    fields /= fields.std(axis=(1, 2), keepdims=True)
    shared = rng.uniform(0.8, 1.0)
    mixed = shared * fields[0] + (1 - shared) * fields[1:]
    return np.clip(_color(rng) * np.exp(rng.uniform(0.3, 1.0) * np.moveaxis(mixed, 0, -1)), 0, 1)


def _boxes(size: int, rng: np.random.Generator) -> np.ndarray:
    """Turned rectangles of plain colour over each other: furniture, windows, signs; in or out of focus."""
    x, y = _grid(size)
    picture = np.broadcast_to(_color(rng), (size, size, 3)).copy()
    tilt = rng.normal(0, 0.15)
    for _ in range(rng.integers(2, 14)):
        angle = tilt + rng.choice((0.0, np.pi / 2)) + rng.normal(0, 0.1)
        dx, dy = x - rng.uniform(0, 1), y - rng.uniform(0, 1)
        along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        half_length, half_width = np.exp(rng.normal(-1.6, 0.7, 2))
        picture[(np.abs(along) < half_length) & (np.abs(across) < half_width)] = _color(rng)
    blur = size * rng.choice((0.002, 0.008, 0.03))
    return ndimage.gaussian_filter(picture, (blur, blur, 0), mode="nearest")
