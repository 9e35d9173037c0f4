"""Colour models of scans, sRGB, as linear light."""

import numpy as np

from trainer.morphable.paint import srgb_to_linear

_STEP = 1e-3


def linear_colors(mean: np.ndarray, modes: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """A linear model of sRGB colours as one of linear light, to first order.

    The mean is exact. A mode is multiplied by the slope of the transfer function at the mean, which is what a small step along
    it does; two standard deviations from the mean, the colour of the file differs from it by a few per cent.

    Args:
        mean: `[V, 3]` sRGB in [0, 1]; what lies outside is clipped.
        modes: `[K, V, 3]` sRGB per standard deviation, or None.

    Returns:
        Mean and modes in linear RGB, float32.
    """
    mean = np.clip(mean, 0, 1)
    slope = (srgb_to_linear(mean + _STEP) - srgb_to_linear(mean - _STEP)) / (2 * _STEP)
    linear = np.clip(srgb_to_linear(mean), 0, 1).astype(np.float32)
    return linear, None if modes is None else (modes * slope.astype(np.float32)).astype(np.float32)
