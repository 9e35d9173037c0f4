"""sRGB transfer function (IEC 61966-2-1), for NumPy arrays and tensors, and the colour of glowing bodies."""

from typing import Any

import numpy as np

from trainer.imaging.arrays import namespace

XYZ_TO_LINEAR = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
"""CIE 1931 XYZ to linear sRGB (IEC 61966-2-1)."""

_WAVELENGTHS = np.arange(360.0, 831.0, 1.0)
"""Nanometres."""

_SECOND_RADIATION_CONSTANT = 1.438777e7
"""Of Planck's law, h c / k, nanometre kelvin."""


def linear_to_srgb(linear: Any) -> Any:
    """Linear light to sRGB.

    Args:
        linear: Linear RGB, any shape; clipped to [0, 1].

    Returns:
        sRGB in [0, 1], same shape and type.
    """
    xp = namespace(linear)
    linear = xp.clip(linear, 0.0, 1.0)
    # The maximum keeps the unused branch's gradient finite at black.
    curve = 1.055 * xp.power(xp.maximum(linear, 0.0031308), 1 / 2.4) - 0.055
    return xp.where(linear <= 0.0031308, 12.92 * linear, curve)


def srgb_to_linear(srgb: Any) -> Any:
    """SRGB to linear light.

    Args:
        srgb: sRGB, any shape; clipped to [0, 1].

    Returns:
        Linear RGB in [0, 1], same shape and type.
    """
    xp = namespace(srgb)
    srgb = xp.clip(srgb, 0.0, 1.0)
    return xp.where(srgb <= 0.04045, srgb / 12.92, xp.power((srgb + 0.055) / 1.055, 2.4))


def blackbody(kelvin: Any) -> np.ndarray:
    """Colour of a black body: Planck's law through the CIE 1931 standard observer, into sRGB with its white at 6504 K (D65).

    Below about 1,900 K the light is redder than sRGB can show: its blue is then 0.

    Args:
        kelvin: `[...]` temperature, 1,000 to 40,000.

    Returns:
        `[..., 3]` float32 linear RGB of luminance 1; a channel can exceed 1.

    Raises:
        ValueError: If a temperature is out of range.
    """
    temperature = np.asarray(kelvin, np.float64)
    if not ((temperature >= 1000) & (temperature <= 40000)).all():
        raise ValueError(f"`kelvin` must be in [1000, 40000]. Received: {kelvin}")
    exponent = _SECOND_RADIATION_CONSTANT / (_WAVELENGTHS * temperature[..., None])
    radiance = 1e15 / (_WAVELENGTHS**5 * np.expm1(exponent))
    linear = np.maximum(radiance @ _standard_observer(_WAVELENGTHS) @ XYZ_TO_LINEAR.T, 0)
    luminance = linear @ np.linalg.inv(XYZ_TO_LINEAR)[1]
    return (linear / luminance[..., None]).astype(np.float32)


def _standard_observer(wavelengths: np.ndarray) -> np.ndarray:
    """`[N, 3]` CIE 1931 colour matching functions, as sums of lobes (Wyman, Sloan and Shirley, JCGT 2, 2013)."""

    def lobe(height: float, peak: float, below: float, above: float) -> np.ndarray:
        width = np.where(wavelengths < peak, below, above)
        return height * np.exp(-0.5 * np.square((wavelengths - peak) * width))

    x = lobe(0.362, 442.0, 0.0624, 0.0374) + lobe(1.056, 599.8, 0.0264, 0.0323) + lobe(-0.065, 501.1, 0.0490, 0.0382)
    y = lobe(0.821, 568.8, 0.0213, 0.0247) + lobe(0.286, 530.9, 0.0613, 0.0322)
    z = lobe(1.217, 437.0, 0.0845, 0.0278) + lobe(0.681, 459.0, 0.0385, 0.0725)
    return np.stack([x, y, z], axis=-1)
