"""Which triangles of a textured surface have holes: most lie where a texture is solid, or where it is clear.

What is solid is drawn without looking alpha up, what is clear is not drawn; that is most of a head of hair.
"""

import numba
import numpy as np

CELL = 4
"""Texels along a side of the squares whose least and greatest alpha are noted."""


@numba.njit(cache=True, nogil=True)
def alpha_bounds(texture, least, greatest):  # type: ignore[no-untyped-def]
    """Least and greatest alpha of a texture's squares of `CELL` texels.

    Args:
        texture: `[H, W, 4]` uint8, contiguous.
        least: `[H / CELL, W / CELL]` uint8, rounded up, receives the least alpha.
        greatest: The same shape, receives the greatest.
    """
    height, width = texture.shape[0], texture.shape[1]
    texels = texture.view(np.uint32).reshape(height, width)
    low, high = np.empty(width + CELL, np.uint8), np.empty(width + CELL, np.uint8)
    for y in range(least.shape[0]):
        low[:] = np.uint8(255)
        high[:] = np.uint8(0)
        for row in range(CELL * y, min(CELL * (y + 1), height)):
            for column in range(width):
                alpha = np.uint8(texels[row, column] >> np.uint32(24))
                low[column] = min(low[column], alpha)
                high[column] = max(high[column], alpha)
        for x in range(least.shape[1]):
            lowest, highest = np.uint8(255), np.uint8(0)
            for column in range(CELL):
                lowest = min(lowest, low[CELL * x + column])
                highest = max(highest, high[CELL * x + column])
            least[y, x], greatest[y, x] = lowest, highest


@numba.njit(cache=True, nogil=True, inline="always")
def _cells(low, high, size):  # type: ignore[no-untyped-def]
    """First and last square that bilinear look-ups between two places, in texels, touch."""
    first = min(max(np.int64(np.floor(low - np.float32(0.5))), 0), size - 1)
    last = min(max(np.int64(np.floor(high + np.float32(0.5))), 0), size - 1)
    return first // CELL, last // CELL


@numba.njit(cache=True, nogil=True)
def sort_by_holes(triangles, uv, height, width, least, greatest, translucent, first, order, out):  # type: ignore[no-untyped-def]
    """Sorts triangles: those without a hole, those that may have holes, and those that are nothing but hole.

    Args:
        triangles: `[T, 3]` int32.
        uv: `[V, 2]` float32 in [0, 1], v upwards.
        height: Of the texture, texels.
        width: Of the texture, texels.
        least: Of `alpha_bounds`.
        greatest: Of `alpha_bounds`.
        translucent: Whether the surface is to be tested where its texture has no hole.
        first: int.
        order: `[T]` int32, receives the triangles' numbers in their new order.
        out: `[T, 3]` int32, receives the triangles in their new order, `first` added to their corners.

    Returns:
        How many have no hole, and how many have none or may have some.
    """
    kinds = np.empty(triangles.shape[0], np.int8)
    counts = np.zeros(3, np.int64)
    for triangle in range(triangles.shape[0]):
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
        low_u, high_u = min(uv[a, 0], uv[b, 0], uv[c, 0]), max(uv[a, 0], uv[b, 0], uv[c, 0])
        low_v, high_v = min(uv[a, 1], uv[b, 1], uv[c, 1]), max(uv[a, 1], uv[b, 1], uv[c, 1])
        one = np.float32(1.0)
        left, right = _cells(low_u * np.float32(width), high_u * np.float32(width), width)
        top, bottom = _cells((one - high_v) * np.float32(height), (one - low_v) * np.float32(height), height)
        low, high = np.uint8(255), np.uint8(0)
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                low, high = min(low, least[row, column]), max(high, greatest[row, column])
            if low < 255 and high > 0:
                break
        kinds[triangle] = 2 if high == 0 else (0 if low == 255 and not translucent else 1)
        counts[kinds[triangle]] += 1
    places = np.array([0, counts[0], counts[0] + counts[1]])
    for triangle in range(triangles.shape[0]):
        place = places[kinds[triangle]]
        places[kinds[triangle]] += 1
        order[place] = triangle
        for corner in range(3):
            out[place, corner] = triangles[triangle, corner] + first
    return counts[0], counts[0] + counts[1]
