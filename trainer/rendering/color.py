"""sRGB transfer function (IEC 61966-2-1), for NumPy arrays and tensors."""

from typing import Any

from trainer.imaging.arrays import namespace


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
