"""Colours of eyeballs: iris by its pigments, limbal ring, pupil, a sclera that is not white, in the shadow of the lids."""

from typing import Final

import numba
import numpy as np

from trainer.morphable.eyeball import IRIS_RADIUS

SCLERA: Final = np.array([0.48, 0.435, 0.395], np.float32)
SCLERA_BLOOD: Final = np.array([0.43, 0.23, 0.19], np.float32)
PUPIL: Final = np.array([0.008, 0.008, 0.008], np.float32)
"""Linear RGB."""

IRIS_COLORS: Final = np.array(
    [
        (0.020, 0.012, 0.008),
        (0.055, 0.030, 0.015),
        (0.105, 0.072, 0.033),
        (0.085, 0.085, 0.050),
        (0.100, 0.125, 0.148),
        (0.125, 0.132, 0.132),
    ],
    np.float32,
)
"""Linear RGB of dark brown, brown, hazel, green, blue and grey irises."""

IRIS_MELANIN: Final = (0.02, 0.05, 0.10, 0.43)
IRIS_FREQUENCIES: Final = np.array(
    [
        (0.02, 0.16, 0.20, 0.12, 0.36, 0.14),
        (0.12, 0.42, 0.20, 0.08, 0.13, 0.05),
        (0.50, 0.42, 0.06, 0.01, 0.01, 0.00),
        (0.85, 0.15, 0.00, 0.00, 0.00, 0.00),
    ]
)
"""How frequent `IRIS_COLORS` are among people whose skin has this share of melanin."""

EDGE: Final = 0.35
"""Half width of the pupil's and the iris' edge, millimetres."""
STREAKS: Final = 0.25
"""Relative brightness of the iris' streaks."""
LIMBUS: Final = 0.5
"""Relative brightness of the ring at the iris' rim."""
LIMBUS_WIDTH: Final = 0.9
"""Of that ring, millimetres."""
CORNER_BLOOD: Final = 0.5
"""Share of bloodshot tissue in the corners of the eye."""
CORNER_START: Final = 8.5
CORNER_END: Final = 13.0
"""Distances from the gaze axis between which it grows to that, millimetres."""
LID_SHADOW: Final = 0.5
"""Part of the light that the upper lid and its lashes take from the eyeball just below."""
LID_SHADOW_REACH: Final = 2.4
"""Distance at which that has fallen to 1/e, millimetres."""


def sample_iris(rng: np.random.Generator, melanin: float) -> tuple[float, float, float]:
    """Linear RGB of an iris, brown for most people, light mostly where the skin holds little melanin.

    Args:
        rng: Source of randomness.
        melanin: Share of melanosomes in the skin.
    """
    frequencies = np.array([np.interp(melanin, IRIS_MELANIN, column) for column in IRIS_FREQUENCIES.T])
    kind, blend, brightness = rng.random(), rng.random(), rng.normal(0, 0.2)
    chosen = int(np.searchsorted(np.cumsum(frequencies / frequencies.sum()), kind, side="right"))
    chosen = min(chosen, len(IRIS_COLORS) - 1)
    other = max(chosen - 1, 0)
    color = ((1 - 0.3 * blend) * IRIS_COLORS[chosen] + 0.3 * blend * IRIS_COLORS[other]) * np.exp(brightness)
    return float(color[0]), float(color[1]), float(color[2])


@numba.njit(cache=True, nogil=True)
def _height(line: np.ndarray, x: np.float32) -> np.float32:
    """Height at x of a line `[n, 3]` through points of ascending x, held at its ends."""
    if x <= line[0, 0]:
        return line[0, 1]
    for point in range(1, len(line)):
        if x < line[point, 0]:
            share = (x - line[point - 1, 0]) / (line[point, 0] - line[point - 1, 0])
            return line[point - 1, 1] + share * (line[point, 1] - line[point - 1, 1])
    return line[-1, 1]


@numba.njit(cache=True, nogil=True)
def paint_eyes(
    colors: np.ndarray,
    vertices: np.ndarray,
    distance: np.ndarray,
    angle: np.ndarray,
    shape: np.ndarray,
    lids: np.ndarray,
    shade: np.ndarray,
    iris: np.ndarray,
    pupil_radius: np.float32,
    redness: np.float32,
) -> None:
    """Colours the vertices of both eyeballs.

    Args:
        colors: `[V, 3]` float32 linear RGB, changed in place.
        vertices: `[n]` indices of the eyes' vertices.
        distance: `[n]` float32 distance from the gaze axis, millimetres; infinite behind the equator.
        angle: `[n]` float32 radians around it.
        shape: `[V, 3]` float32 millimetres, model frame.
        lids: `[2, 4, 3]` float32 landmarks of both upper lids' edges, x ascending; the first is that of x < 0.
        shade: `[V]` float32 factor on the colour, of the socket.
        iris: `[3]` float32 linear RGB.
        pupil_radius: Millimetres.
        redness: Share of bloodshot tissue in the sclera, in [0, 1].
    """
    for index in range(len(vertices)):
        vertex, away = vertices[index], distance[index]
        x, y = shape[vertex, 0], shape[vertex, 1]
        lid = lids[0] if x < 0 else lids[1]
        below = _height(lid, x) - y
        light = shade[vertex] * (1 - LID_SHADOW * np.exp(-max(below, 0.0) / LID_SHADOW_REACH))
        corner = min(max((away - CORNER_START) / (CORNER_END - CORNER_START), 0.0), 1.0)
        blood = min(redness + CORNER_BLOOD * corner, 1.0)
        in_iris = min(max((IRIS_RADIUS + EDGE - away) / (2 * EDGE), 0.0), 1.0)
        in_pupil = min(max((pupil_radius + EDGE - away) / (2 * EDGE), 0.0), 1.0)
        rim = 1 - (1 - LIMBUS) * min(max((away - IRIS_RADIUS + LIMBUS_WIDTH) / LIMBUS_WIDTH, 0.0), 1.0)
        streaks = 1 + STREAKS * np.sin(7 * angle[index]) * np.sin(3 * angle[index] + 1)
        for channel in range(3):
            color = SCLERA[channel] + blood * (SCLERA_BLOOD[channel] - SCLERA[channel])
            color += in_iris * (iris[channel] * streaks * rim - color)
            color += in_pupil * (PUPIL[channel] - color)
            colors[vertex, channel] = color * light
