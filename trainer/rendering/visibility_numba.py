"""Visibility on a CPU: each triangle's edge functions over its bounding box, compiled by numba."""

import math

import numba
import numpy as np

_LARGEST = np.float32(1e15)
"""Coordinates beyond this could overflow float32 when multiplied; a triangle that has them, inf or NaN is not drawn."""

_ROUNDING = np.float32(2.0**-22)
"""A triangle whose area is this share of its terms or less has none, up to rounding, and is not drawn."""

_WIDE = 3
"""From this many columns less one, a row's part of a triangle is bounded by its edges before its pixels are tested."""

_STEEPEST = np.float32(64.0)
_MARGIN = np.float32(0.0625)
_PRECISE = np.float32(1e4)
"""An edge bounds a row, within much less than the margin in pixels, unless it is flatter than the slope (columns per row) or
its ends lie further out than the last."""


@numba.njit(cache=True, nogil=True, inline="always")
def _bounds(px, py, qx, qy, side):  # type: ignore[no-untyped-def]
    """What the edge from p to q leaves of a row: x in [low + slope · y, high + slope · y], one of them infinite."""
    dx, dy, nothing = qx - px, qy - py, np.float32(0.0)
    far = np.float32(np.inf)
    if abs(dx) > _STEEPEST * abs(dy) or abs(px) + abs(qx) + abs(py) + abs(qy) > _PRECISE:
        return -far, nothing, far, nothing
    slope = dx / dy
    base = px - py * slope
    if dy * side < 0:
        return base, slope, far, nothing
    return -far, nothing, base, slope


@numba.njit(cache=True, nogil=True)
def draw(projected, triangles, first_number, front_only, triangle_ids, depth):  # type: ignore[no-untyped-def]
    """Draws triangles into the buffers of one image, where they are nearer than what is in them.

    Edge functions are differences of coordinates relative to the pixel, so that the two triangles at an edge compute exactly
    opposite values: no pixel centre falls between them. That needs IEEE arithmetic: no fastmath here.

    Args:
        projected: `[V, 3]` float32 x, y in pixels, z growing away from the camera and affine across the image.
        triangles: `[T, 3]` int32 vertex indices.
        first_number: What the first triangle is called; the others count on.
        front_only: Leave out triangles that are clockwise seen from outside, which is counter-clockwise on the screen.
        triangle_ids: `[H, W]` int32, -1 where nothing has been drawn yet; receives the nearest triangle.
        depth: `[H, W]` float32, inf where nothing has been drawn yet; receives its z.
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
        first_term, second_term = (bx - ax) * (cy - ay), (by - ay) * (cx - ax)
        area = first_term - second_term
        if abs(area) <= _ROUNDING * (abs(first_term) + abs(second_term)) or (front_only and area > 0):
            continue
        side = one if area > 0 else -one
        inverse = one / abs(area)
        nearest, farthest = min(az, bz, cz), max(az, bz, cz)
        wide = last_x - first_x >= _WIDE
        if wide:
            low_a, slope_low_a, high_a, slope_high_a = _bounds(bx, by, cx, cy, side)
            low_b, slope_low_b, high_b, slope_high_b = _bounds(cx, cy, ax, ay, side)
            low_c, slope_low_c, high_c, slope_high_c = _bounds(ax, ay, bx, by, side)
        first, last = first_x, last_x
        for row in range(first_y, last_y + 1):
            py = np.float32(row) + half
            if wide:
                low = max(low_a + slope_low_a * py, low_b + slope_low_b * py, low_c + slope_low_c * py)
                high = min(high_a + slope_high_a * py, high_b + slope_high_b * py, high_c + slope_high_c * py)
                first = math.ceil(max(low - half - _MARGIN, np.float32(first_x)))
                last = math.floor(min(high - half + _MARGIN, np.float32(last_x)))
            ady, bdy, cdy = (ay - py) * side, (by - py) * side, (cy - py) * side
            for column in range(first, last + 1):
                px = np.float32(column) + half
                adx, bdx, cdx = ax - px, bx - px, cx - px
                u = bdx * cdy - bdy * cdx
                v = cdx * ady - cdy * adx
                w = adx * bdy - ady * bdx
                # One branch that is hard to predict, not three.
                if (u >= 0) & (v >= 0) & (w >= 0):
                    z = (u * az + v * bz + w * cz) * inverse
                    z = min(max(z, nearest), farthest)
                    seen, number = depth[row, column], first_number + triangle
                    if z < seen or (z == seen and number < triangle_ids[row, column]):
                        depth[row, column] = z
                        triangle_ids[row, column] = number


@numba.njit(cache=True, nogil=True)
def rasterize_into(projected, triangles, triangle_ids, depth):  # type: ignore[no-untyped-def]
    """Draws both sides of triangles, numbered from 0, into buffers filled with -1 and inf; see `draw`."""
    draw(projected, triangles, 0, False, triangle_ids, depth)


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
