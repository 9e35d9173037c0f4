"""What is behind the face: procedural pictures, parts of other renders, or crops of the user's photographs; linear light.

Rendered faces on black teach a network to look for the edge between face and black.

Procedural pictures and renders come from pools, drawn by number when they are first wanted: an image shows a part of one,
mirrored and tinted, and does not depend on which images were made before.
"""

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from components.fingerprint import fingerprint
from components.synthetic_face_gen import image_kernels
from components.synthetic_face_gen.config import PROCEDURAL, SyntheticFaceConfig
from components.synthetic_face_gen.procedural_pictures import SIDE_LIMIT, procedural
from components.synthetic_face_gen.streams import Stream, generator
from trainer.imaging import codecs
from trainer.rendering.color import linear_to_srgb, srgb_to_linear

SUFFIXES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

LARGEST_SIDE: Final = 512
"""Photographs are kept at most so large, pixels; several times the image's side where that is more."""

KEPT_PHOTOGRAPHS: Final = 48
"""Decoded photographs that a worker keeps."""

POOL_MARGIN: Final = 1.4
"""Side of a pool's pictures over the image's."""

_LEAST_OF_PHOTOGRAPH: Final = 0.4
_LEAST_OF_RENDER: Final = 0.3
_LEAST_OF_DRAWN: Final = 0.55
"""Least part of a picture's side that is shown."""


class Backgrounds:
    """Backgrounds of one data set."""

    def __init__(self, config: SyntheticFaceConfig, render: Callable[[int], np.ndarray]):
        """Prepares.

        Args:
            config: The data set.
            render: Renders the picture of a number of the pool, `[size, size, 3]` uint8 sRGB.
        """
        self._config, self._render = config, render
        self._pool: dict[tuple[str, int], np.ndarray] = {}

    def sample(self, rng: np.random.Generator) -> np.ndarray | None:
        """Draws a background.

        Args:
            rng: Source of randomness.

        Returns:
            `[size, size, 3]` float32 linear light in [0, 1], or None for black.

        Raises:
            PhotoError: If the chosen photograph cannot be read; the error names it.
            FileNotFoundError: If the folder holds no photographs.
        """
        shares, settings = rng.random(), self._config.surroundings
        if shares < settings.black:
            return None
        if shares < settings.black + settings.renders:
            picture, least = self._pooled("renders", rng), _LEAST_OF_RENDER
        elif shares < settings.black + settings.renders + settings.procedural or self._config.background == PROCEDURAL:
            picture, least = self._pooled("procedural", rng), _LEAST_OF_DRAWN
        else:
            return sample_photograph(self._config, rng)
        return _part(picture, least, self._config.image_size, rng)

    def _pooled(self, kind: str, rng: np.random.Generator) -> np.ndarray:
        """A picture of a pool."""
        settings = self._config.surroundings
        number = int(rng.integers(settings.render_pool if kind == "renders" else settings.pool))
        if (kind, number) not in self._pool:
            self._pool[kind, number] = self._render(number) if kind == "renders" else self._drawn(number)
        return self._pool[kind, number]

    def _drawn(self, number: int) -> np.ndarray:
        side = min(math.ceil(POOL_MARGIN * self._config.image_size), SIDE_LIMIT)
        light = procedural(side, generator(self._config.seed, Stream.POOL, number))
        return np.rint(linear_to_srgb(light) * 255).astype(np.uint8)


def sample_photograph(config: SyntheticFaceConfig, rng: np.random.Generator) -> np.ndarray:
    """A part of one of the user's photographs.

    Args:
        config: The data set; its `background` is a folder.
        rng: Source of randomness.

    Returns:
        `[size, size, 3]` float32 linear light in [0, 1].

    Raises:
        PhotoError: If the chosen photograph cannot be read; the error names it.
        FileNotFoundError: If the folder holds no photographs.
    """
    paths = photographs(config.background)
    picture = _photograph(paths[rng.integers(len(paths))], config.image_size)
    return _part(picture, _LEAST_OF_PHOTOGRAPH, config.image_size, rng)


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


def forget_photographs() -> None:
    """Forgets which photographs there are, and what they show: a folder may have changed."""
    photographs.cache_clear()
    _photograph.cache_clear()


def _found(folder: str) -> tuple[Path, ...]:
    """Photographs in an order that does not depend on the file system."""
    found = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise FileNotFoundError(f"`background` must be a folder with photographs. Received: {folder!r}, which has none")
    return tuple(found)


@functools.lru_cache(maxsize=KEPT_PHOTOGRAPHS)
def _photograph(path: Path, size: int) -> np.ndarray:
    """A photograph, reduced to what an image of this size can use."""
    return codecs.decode_photo(path, max_side=max(LARGEST_SIDE, 2 * size)).image


def _part(picture: np.ndarray, least: float, size: int, rng: np.random.Generator) -> np.ndarray:
    """A square of a picture, at least a share of its shorter side wide; mirrored half of the time, darker, lighter, tinted.

    Photographs far larger than the image are averaged down first, so that no pixel of theirs is skipped.
    """
    shorter = min(picture.shape[:2])
    side = shorter * rng.uniform(least, 1.0)
    x, y = (rng.uniform(0, extent - side) for extent in picture.shape[1::-1])
    mirrored = bool(rng.random() < 0.5)
    gains = np.exp(rng.normal(0, 0.25) + rng.normal(0, 0.05, 3)).astype(np.float32)
    if side > 1.5 * size:
        box = (x, y, x + side, y + side)
        picture = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BOX, box=box))
        x, y, side = 0.0, 0.0, float(size)
    square = np.array([x, y, side], np.float32)
    light = image_kernels.part_of_picture(np.ascontiguousarray(picture), square, mirrored, size, _DECODED, gains)
    return np.minimum(light, 1, out=light)


_DECODED: Final = srgb_to_linear(np.arange(256) / 255).astype(np.float32)
"""Linear light of each sRGB value."""
