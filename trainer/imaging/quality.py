"""How good the picture of a face is, in numbers that can be compared between photos, spans of photos, and renders."""

from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from trainer import contract

FACE_SIDE: Final = 64
"""Side to which the face is brought before its sharpness is measured, pixels: about what networks see of it. Blur that is gone
at this size costs a network nothing, and a face that was smaller lacks what it would need."""


class FaceQuality(NamedTuple):
    """Measures of the pixels in a face's box."""

    sharpness: float
    """Variance of the luminance's Laplacian over the luminance's own, the face `FACE_SIDE` pixels wide: 0 for a flat or wholly
    blurred face, 20 for white noise. Neither contrast nor exposure changes it."""
    size: float
    """Square root of the box's area, pixels of the photo."""
    exposure: float
    """Mean luminance, 0 (black) to 1 (white), sRGB's own curve."""
    contrast: float
    """Standard deviation of the luminance, 0 to 0.5."""

    def features(self) -> dict[str, float]:
        """As features of an example, by key of the contract."""
        return {
            contract.QUALITY_SHARPNESS: self.sharpness,
            contract.QUALITY_FACE_SIZE: self.size,
            contract.QUALITY_EXPOSURE: self.exposure,
            contract.QUALITY_CONTRAST: self.contrast,
        }


def face_quality(image: np.ndarray, box: np.ndarray) -> FaceQuality:
    """Measures a face.

    Args:
        image: `[H, W, 3]` uint8, sRGB.
        box: `[4]` x0, y0, x1, y1, pixels: the tight box of the 68 landmarks. What of it lies outside the image does not count.

    Raises:
        ValueError: If less than a pixel of the box lies in the image.
    """
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (float(value) for value in box)
    left, top, right, bottom = max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height)
    if not (right - left >= 1 and bottom - top >= 1):
        raise ValueError(
            f"`box` must lie in the image of {width} × {height} pixels. Received: {[round(value, 1) for value in box]}"
        )
    # One factor for both sides: the face's, not that of the part in the image.
    factor = FACE_SIDE / max(x1 - x0, y1 - y0, 1.0)
    size = max(3, round((right - left) * factor)), max(3, round((bottom - top) * factor))
    columns = slice(int(left), int(np.ceil(right)))
    rows = slice(int(top), int(np.ceil(bottom)))
    face = Image.fromarray(image[rows, columns]).convert("L")
    within = left - columns.start, top - rows.start, right - columns.start, bottom - rows.start
    luminance = np.asarray(face.resize(size, Image.Resampling.BILINEAR, within, reducing_gap=2.0), np.float64) / 255
    middle = luminance[1:-1, 1:-1]
    around = luminance[:-2, 1:-1] + luminance[2:, 1:-1] + luminance[1:-1, :-2] + luminance[1:-1, 2:]
    spread = float(luminance.std())
    # Half a grey level: what flat paper has after a JPEG is no detail.
    sharpness = float((around - 4 * middle).var()) / max(spread, 0.5 / 255) ** 2
    return FaceQuality(
        sharpness=sharpness,
        size=float(np.sqrt((x1 - x0) * (y1 - y0))),
        exposure=float(luminance.mean()),
        contrast=spread,
    )
