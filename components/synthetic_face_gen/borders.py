"""Pictures that end before the image does: crops of a photo that leave it, filled as data sets and programs fill them."""

from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from components.synthetic_face_gen.config_pictures import SurroundingsConfig

FILLS: Final = ("black", "black", "grey", "edge", "blurred")
"""What strips hold, drawn flat: AFLW2000-3D's worst images are a fifth black."""


class Border:
    """Strips along the image's sides."""

    def __init__(self, fill: str, size: int, left: int, top: int, right: int, bottom: int):
        """Widths of the strips, pixels.

        Args:
            fill: One of `FILLS`.
            size: Side of the image.
            left: And the others: pixels.
            top: See `left`.
            right: See `left`.
            bottom: See `left`.
        """
        self.fill = fill
        self.rows, self.columns = slice(top, size - bottom), slice(left, size - right)
        self._widths = ((top, bottom), (left, right), (0, 0))

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Which points lie in a strip.

        Args:
            points: `[N, 2]` pixels.

        Returns:
            `[N]` bool.
        """
        x, y = points[:, 0], points[:, 1]
        inside = (x >= self.columns.start) & (x < self.columns.stop) & (y >= self.rows.start) & (y < self.rows.stop)
        return ~inside

    def drawn(self, image: np.ndarray) -> np.ndarray:
        """The image with its strips filled.

        Args:
            image: `[size, size, 3]` uint8.

        Returns:
            The same shape; what lies between the strips is as it was.
        """
        inner = image[self.rows, self.columns]
        if self.fill == "edge":
            return np.pad(inner, self._widths, mode="edge")
        if self.fill == "blurred":
            picture = Image.fromarray(inner).resize((image.shape[1], image.shape[0]), Image.Resampling.BILINEAR)
            filled = np.array(picture.filter(ImageFilter.BoxBlur(image.shape[0] / 20)))
        else:
            filled = np.full_like(image, 0 if self.fill == "black" else 128)
        filled[self.rows, self.columns] = inner
        return filled


def sample_border(settings: SurroundingsConfig, size: int, rng: np.random.Generator) -> Border | None:
    """Draws whether, where and how far the picture ends: at one side, or at two that meet.

    Args:
        settings: How often, and how far.
        size: Side of the image, pixels.
        rng: Source of randomness.
    """
    if rng.random() >= settings.border_fraction:
        return None
    first, second = (int(size * rng.uniform(*settings.border_extent)) for _ in range(2))
    corner, horizontal, vertical = rng.random(3)
    widths = {"left": 0, "right": 0, "top": 0, "bottom": 0}
    if corner < 0.35 or horizontal < 0.5:
        widths["left" if vertical < 0.5 else "right"] = first
    if corner < 0.35 or horizontal >= 0.5:
        widths["top" if rng.random() < 0.4 else "bottom"] = second
    return Border(FILLS[rng.integers(len(FILLS))], size, **widths)
