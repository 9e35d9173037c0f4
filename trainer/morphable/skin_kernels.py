"""The loops over vertices that skin is painted with: numba, one thread, bit for bit repeatable."""

import numba
import numpy as np

_BLOCK = 512
"""Vertices that go through together: what is summed up of them stays in the first cache."""


@numba.njit(cache=True, nogil=True)
def mottle(melanin: np.ndarray, blood: np.ndarray, waves: np.ndarray, heights: np.ndarray) -> None:
    """Multiplies pigments by 1 plus waves, but by no less than 0.3.

    Args:
        melanin: `[V]` float32, changed in place.
        blood: `[V]` float32, changed in place.
        waves: `[W, V]` float32.
        heights: `[2, W]` float32 of the waves, for melanin and for blood.
    """
    first, second = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    least = np.float32(0.3)
    for start in range(0, len(melanin), _BLOCK):
        length = min(_BLOCK, len(melanin) - start)
        first[:] = np.float32(1)
        second[:] = np.float32(1)
        for wave in range(len(waves)):
            high, deep, row = heights[0, wave], heights[1, wave], waves[wave, start : start + length]
            for index in range(length):
                first[index] += high * row[index]
                second[index] += deep * row[index]
        for index in range(length):
            melanin[start + index] *= max(first[index], least)
            blood[start + index] *= max(second[index], least)


@numba.njit(cache=True, nogil=True)
def densities(melanin: np.ndarray, blood: np.ndarray, base: np.ndarray, slopes: np.ndarray, out: np.ndarray) -> None:
    """Logarithm of the colour below the surface.

    Args:
        melanin: `[V]` float32 share.
        blood: `[V]` float32 share.
        base: `[3]` float32 logarithm of linear RGB without either.
        slopes: `[2, 3]` float32 change per melanin, and per root of blood.
        out: `[V, 3]` float32, written.
    """
    for vertex in range(len(melanin)):
        root = np.sqrt(blood[vertex])
        for channel in range(3):
            out[vertex, channel] = base[channel] + melanin[vertex] * slopes[0, channel] + root * slopes[1, channel]


@numba.njit(cache=True, nogil=True)
def finish(colors: np.ndarray, surface: np.float32, detail: np.ndarray, shade: np.ndarray, least: np.float32) -> None:
    """What the surface sends back, times detail and shade.

    Args:
        colors: `[V, 3]` float32 linear RGB from below the surface, changed in place.
        surface: Share of light that leaves uncoloured.
        detail: `[V, 3]` float32 factor.
        shade: `[V]` float32 factor.
        least: Colours stay in [`least`, 1].
    """
    below = np.float32(1) - surface
    for vertex in range(len(colors)):
        for channel in range(3):
            color = (surface + below * colors[vertex, channel]) * (detail[vertex, channel] * shade[vertex])
            colors[vertex, channel] = min(max(color, least), np.float32(1))


@numba.njit(cache=True, nogil=True)
def cover(colors: np.ndarray, vertices: np.ndarray, weights: np.ndarray, color: np.ndarray, share: np.float32) -> None:
    """Hides a share of the skin behind a colour.

    Args:
        colors: `[V, 3]` float32, changed in place.
        vertices: `[n]` indices.
        weights: `[n]` float32 in [0, 1].
        color: `[3]` float32 linear RGB.
        share: Factor on the weights.
    """
    for index in range(len(vertices)):
        vertex, weight = vertices[index], weights[index] * share
        for channel in range(3):
            colors[vertex, channel] += weight * (color[channel] - colors[vertex, channel])


@numba.njit(cache=True, nogil=True)
def cover_lit(
    colors: np.ndarray,
    vertices: np.ndarray,
    weights: np.ndarray,
    color: np.ndarray,
    shape: np.ndarray,
    lips: np.float32,
    reach: np.float32,
) -> None:
    """The same behind the lips, where light falls off with depth.

    Args:
        colors: `[V, 3]` float32, changed in place.
        vertices: `[n]` indices.
        weights: `[n]` float32 in [0, 1].
        color: `[3]` float32 linear RGB.
        shape: `[V, 3]` float32 millimetres, model frame.
        lips: Depth z of the lips.
        reach: Depth behind them at which half of the light is left, millimetres.
    """
    for index in range(len(vertices)):
        vertex, weight = vertices[index], weights[index]
        light = reach / (reach + max(lips - shape[vertex, 2], np.float32(0)))
        for channel in range(3):
            colors[vertex, channel] += weight * (color[channel] * light - colors[vertex, channel])


@numba.njit(cache=True, nogil=True)
def nearest_depths(points: np.ndarray, frame: np.ndarray, low: np.ndarray, nearest: np.ndarray) -> None:
    """Z-buffer of points: the greatest depth of each cell.

    Args:
        points: `[N, 3]` float32.
        frame: `[3, 3]` float32 columns: two axes in cells, one of depth.
        low: `[2]` float32 corner of the buffer along the first two, cells; every point lies inside.
        nearest: `[width, height]` float32, changed in place.
    """
    for index in range(len(points)):
        x, y, z = points[index]
        column = int(x * frame[0, 0] + y * frame[1, 0] + z * frame[2, 0] - low[0])
        row = int(x * frame[0, 1] + y * frame[1, 1] + z * frame[2, 1] - low[1])
        depth = x * frame[0, 2] + y * frame[1, 2] + z * frame[2, 2]
        if depth > nearest[column, row]:
            nearest[column, row] = depth
