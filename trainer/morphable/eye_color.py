"""Colours of eyeballs: iris by its pigments, limbal ring, pupil, and a sclera that is not white."""

from typing import Final

import numpy as np

from trainer.morphable.eyeball import IRIS_RADIUS, PUPIL_RADIUS

SCLERA: Final = np.array([0.56, 0.52, 0.48], np.float32)
SCLERA_BLOOD: Final = np.array([0.50, 0.25, 0.21], np.float32)
PUPIL: Final = np.array([0.008, 0.008, 0.008], np.float32)
"""Linear RGB."""

IRIS_COLORS: Final = np.array(
    [
        (0.020, 0.012, 0.008),
        (0.055, 0.030, 0.015),
        (0.105, 0.072, 0.033),
        (0.090, 0.095, 0.048),
        (0.105, 0.145, 0.180),
        (0.130, 0.140, 0.140),
    ],
    np.float32,
)
"""Linear RGB of dark brown, brown, hazel, green, blue and grey irises."""

IRIS_FREQUENCIES: Final = (
    (0.02, (0.02, 0.16, 0.20, 0.12, 0.36, 0.14)),
    (0.05, (0.12, 0.42, 0.20, 0.08, 0.13, 0.05)),
    (0.10, (0.50, 0.42, 0.06, 0.01, 0.01, 0.00)),
    (0.43, (0.85, 0.15, 0.00, 0.00, 0.00, 0.00)),
)
"""Melanin share of the skin, and how frequent `IRIS_COLORS` are among people who have it."""

STREAKS: Final = 0.3
LIMBUS: Final = 0.45
"""Relative brightness of the ring at the iris' rim."""
LIMBUS_START: Final = 0.88
"""Fraction of the iris' radius where the ring begins."""
LID_SHADOW: Final = 0.55
"""Part of the light that the upper lid and its lashes take from the eyeball just below."""
LID_SHADOW_REACH: Final = 2.2
"""Distance at which that has fallen to 1/e, millimetres."""


def sample_iris(rng: np.random.Generator, melanin: float) -> tuple[float, float, float]:
    """Linear RGB of an iris, brown for most people, light mostly where the skin holds little melanin.

    Args:
        rng: Source of randomness.
        melanin: Share of melanosomes in the skin.
    """
    shares, rows = zip(*IRIS_FREQUENCIES, strict=True)
    frequencies = np.array([np.interp(melanin, shares, column) for column in zip(*rows, strict=True)])
    kind, blend, brightness = rng.random(), rng.random(), rng.normal(0, 0.2)
    chosen = int(np.searchsorted(np.cumsum(frequencies / frequencies.sum()), kind, side="right"))
    chosen = min(chosen, len(IRIS_COLORS) - 1)
    other = max(chosen - 1, 0)
    color = ((1 - 0.3 * blend) * IRIS_COLORS[chosen] + 0.3 * blend * IRIS_COLORS[other]) * np.exp(brightness)
    return float(color[0]), float(color[1]), float(color[2])


def eye_colors(
    axis_distance: np.ndarray,
    angle: np.ndarray,
    iris: np.ndarray | tuple[float, float, float],
    pupil_radius: float = PUPIL_RADIUS,
    redness: np.ndarray | float = 0.1,
) -> np.ndarray:
    """Albedo of an eyeball.

    Args:
        axis_distance: `[V]` distance from the gaze axis, millimetres; infinite behind the equator.
        angle: `[V]` radians around it.
        iris: `[3]` linear RGB.
        pupil_radius: Millimetres.
        redness: `[V]` or one, share of bloodshot tissue in the sclera, in [0, 1].

    Returns:
        `[V, 3]` float32 linear RGB.
    """
    distance = np.asarray(axis_distance, np.float32)
    streaks = 1 + STREAKS * np.sin(7 * angle) * np.sin(3 * angle + 1)
    inner = np.clip((distance - pupil_radius) / (IRIS_RADIUS - pupil_radius), 0, 1)
    rim = np.where(distance > LIMBUS_START * IRIS_RADIUS, LIMBUS, 0.85 + 0.3 * inner)
    share = np.broadcast_to(np.asarray(redness, np.float32), distance.shape)[:, None]
    colors = SCLERA + share * (SCLERA_BLOOD - SCLERA)
    colors = np.where(
        (distance < IRIS_RADIUS)[:, None], np.asarray(iris, np.float32) * (streaks * rim)[:, None], colors
    )
    return np.where((distance < pupil_radius)[:, None], PUPIL, colors).astype(np.float32)


def lid_shadow(points: np.ndarray, upper_lid: np.ndarray) -> np.ndarray:
    """Light that reaches an eyeball below its upper lid.

    Args:
        points: `[V, 3]` of the eyeball, model frame, millimetres.
        upper_lid: `[L, 3]` landmarks of the upper lid's edge, x ascending.

    Returns:
        `[V]` float32 factor in (0, 1].
    """
    below = np.interp(points[:, 0], upper_lid[:, 0], upper_lid[:, 1]) - points[:, 1]
    return (1 - LID_SHADOW * np.exp(-np.maximum(below, 0) / LID_SHADOW_REACH)).astype(np.float32)
