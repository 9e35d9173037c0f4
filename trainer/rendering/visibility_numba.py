"""Visibility on a CPU: each triangle's edge functions over its bounding box, compiled by numba."""

import math

import numba
import numpy as np

_LARGEST = np.float32(1e15)
"""Coordinates beyond this could overflow float32 when multiplied; a triangle that has them, inf or NaN is not drawn."""


@numba.njit(cache=True, nogil=True)
def rasterize_into(projected, triangles, triangle_ids, depth):  # type: ignore[no-untyped-def]
    """Draws triangles into the buffers of one image.

    Edge functions are differences of coordinates relative to the pixel, so that the two triangles at an edge compute exactly
    opposite values: no pixel centre falls between them. That needs IEEE arithmetic: no fastmath here.

    Args:
        projected: `[V, 3]` float32 x, y in pixels, z growing away from the camera and affine across the image.
        triangles: `[T, 3]` int32 vertex indices.
        triangle_ids: `[H, W]` int32, filled with -1; receives the nearest triangle.
        depth: `[H, W]` float32, filled with inf; receives its z.
    """
    height, width = triangle_ids.shape
    right, bottom = np.float32(width), np.float32(height)
    half, one = np.float32(0.5), np.float32(1.0)
    for triangle in range(triangles.shape[0]):
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
        ax, bx, cx = projected[a, 0], projected[b, 0], projected[c, 0]
        low, high = min(ax, bx, cx), max(ax, bx, cx)
        # Written so that NaN is refused as well.
        if not (high >= half and low <= right):
            continue
        first_x = math.ceil(max(low - half, np.float32(0.0)))
        last_x = math.floor(min(high - half, right - one))
        if first_x > last_x:
            continue
        ay, by, cy = projected[a, 1], projected[b, 1], projected[c, 1]
        low, high = min(ay, by, cy), max(ay, by, cy)
        if not (high >= half and low <= bottom):
            continue
        first_y = math.ceil(max(low - half, np.float32(0.0)))
        last_y = math.floor(min(high - half, bottom - one))
        if first_y > last_y:
            continue
        az, bz, cz = projected[a, 2], projected[b, 2], projected[c, 2]
        if not (abs(ax) + abs(bx) + abs(cx) + abs(ay) + abs(by) + abs(cy) + abs(az) + abs(bz) + abs(cz) < _LARGEST):
            continue
        nearest, farthest = min(az, bz, cz), max(az, bz, cz)
        for row in range(first_y, last_y + 1):
            py = np.float32(row) + half
            ady, bdy, cdy = ay - py, by - py, cy - py
            for column in range(first_x, last_x + 1):
                px = np.float32(column) + half
                adx, bdx, cdx = ax - px, bx - px, cx - px
                u = bdx * cdy - bdy * cdx
                v = cdx * ady - cdy * adx
                w = adx * bdy - ady * bdx
                if (u >= 0 and v >= 0 and w >= 0) or (u <= 0 and v <= 0 and w <= 0):
                    total = u + v + w
                    if total != 0:
                        z = (u * az + v * bz + w * cz) / total
                        z = min(max(z, nearest), farthest)
                        if z < depth[row, column]:
                            depth[row, column] = z
                            triangle_ids[row, column] = triangle


def rasterize(projected: np.ndarray, triangles: np.ndarray, height: int, width: int) -> np.ndarray:
    """Nearest triangle of every pixel; arguments and result as in `trainer.rendering.visibility.rasterize`."""
    projected = np.ascontiguousarray(projected, np.float32)
    triangles = np.ascontiguousarray(triangles, np.int32)
    triangle_ids = np.full((len(projected), height, width), -1, np.int32)
    depth = np.empty((height, width), np.float32)
    for vertices, ids in zip(projected, triangle_ids, strict=True):
        depth.fill(np.inf)
        rasterize_into(vertices, triangles, ids, depth)
    return triangle_ids
