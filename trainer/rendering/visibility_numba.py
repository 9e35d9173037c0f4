"""Visibility on a CPU, compiled by numba: edge functions at the centres of the pixels in a triangle's bounding box.

Half of a dense mesh's triangles are too small to meet any pixel's centre, and most others meet one or two. Which they are is a
matter of chance, and a processor that guesses wrong loses more time than the arithmetic takes. So there are no branches on it:
triangles go through in blocks, in steps that each handle a whole block by vector instructions (bounding boxes, then edge
functions at the candidate pixels of all small triangles), and what drops out is overwritten instead of skipped.

The buffer of an image holds z and the triangle's number in one integer, so that the least is the nearest, and the lowest number
among equals: drawing is taking minima, in any order.
"""

import numba
import numpy as np

from trainer.rendering.visibility_blocks import BLOCK, CANDIDATES, ROUNDING, box_of, collect, depths, locate

LARGEST_SIZE = 16000
"""Of an image's side, pixels."""

NOTHING = np.int64((0x7F800000 << 32) | 0xFFFFFFFF)
"""What an empty buffer is filled with: z = inf, triangle -1."""

LANES = 8
"""Columns of a larger triangle that are tested together; rows of the buffer are padded by as many."""

_STEEPEST = np.float32(64.0)
_MARGIN = np.float32(0.0625)
_PRECISE = np.float32(1e4)
"""An edge bounds a row, within much less than the margin in pixels, unless it is flatter than the slope (columns per row) or
its ends lie further out than the last."""


def buffer_shape(height: int, width: int) -> tuple[int, int]:
    """Shape of the int64 buffer of an image; its last columns are padding.

    Raises:
        ValueError: If a side is longer than `LARGEST_SIZE`.
    """
    if max(height, width) > LARGEST_SIZE:
        raise ValueError(f"An image's sides must be at most {LARGEST_SIZE} pixels. Received: {height} × {width}")
    return height, width + LANES


@numba.njit(cache=True, nogil=True)
def read(buffer, triangle_ids, depth):  # type: ignore[no-untyped-def]
    """What a buffer holds.

    Args:
        buffer: `[H, padded W]` int64, see `buffer_shape`.
        triangle_ids: `[H, W]` int32, receives the nearest triangles, -1 for none.
        depth: `[H, W]` float32, receives their z, inf for none.
    """
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            key = buffer[row, column]
            z = z_of(key)
            # What missed a pixel may have left its number there, with z = inf.
            triangle_ids[row, column] = np.int32(key) if z < np.float32(np.inf) else np.int32(-1)
            depth[row, column] = z


@numba.njit(cache=True, nogil=True, inline="always")
def key_of(z, number):  # type: ignore[no-untyped-def]
    """An int64 that orders by float32 z, then by number; z must not be NaN."""
    bits = np.int64(np.float32(z + np.float32(0.0)).view(np.int32))
    return ((bits ^ ((bits >> 31) & np.int64(0x7FFFFFFF))) << 32) | np.int64(number)


@numba.njit(cache=True, nogil=True, inline="always")
def z_of(key):  # type: ignore[no-untyped-def]
    """The float32 z of a key."""
    bits = np.int32(key >> 32)
    return np.int32(bits ^ np.int32(np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)


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


@numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")
def prepare(projected, a, b, c, front_only):  # type: ignore[no-untyped-def]
    """What `test_row` needs of a triangle, as float32: the first is 1 or -1 by its sense of rotation, 0 if it is not drawn."""
    zero, one = np.float32(0.0), np.float32(1.0)
    ax, ay, az = projected[a, 0], projected[a, 1], projected[a, 2]
    bx, by, bz = projected[b, 0], projected[b, 1], projected[b, 2]
    cx, cy, cz = projected[c, 0], projected[c, 1], projected[c, 2]
    first_term, second_term = (bx - ax) * (cy - ay), (by - ay) * (cx - ax)
    area = first_term - second_term
    side = one if area > zero else -one
    if abs(area) <= ROUNDING * (abs(first_term) + abs(second_term)) or (front_only and area > zero):
        side = zero
    nearest, farthest = min(min(az, bz), cz), max(max(az, bz), cz)
    return side, abs(area), nearest, farthest, ax, ay, az, bx, by, bz, cx, cy, cz


@numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")
def test_row(shape, row, start, last, number, keys, place):  # type: ignore[no-untyped-def]
    """Tests `LANES` pixels of a row from column `start` on, those after `last` in vain.

    Args:
        shape: Of `prepare`.
        row: Of the pixels.
        start: First column.
        last: Last column that counts.
        number: Of the triangle.
        keys: int64, flat; what lies from `place` on, `LANES` of them, receives the triangle's key where that is less.
        place: uint64.
    """
    side, size, nearest, farthest, ax, ay, az, bx, by, bz, cx, cy, cz = shape
    half, zero = np.float32(0.5), np.float32(0.0)
    py = np.float32(row) + half
    ady, bdy, cdy = (ay - py) * side, (by - py) * side, (cy - py) * side
    begin, end = np.int32(start), np.int32(last)
    for lane in range(LANES):
        px = np.float32(begin + np.int32(lane)) + half
        adx, bdx, cdx = ax - px, bx - px, cx - px
        u = bdx * cdy - bdy * cdx
        v = cdx * ady - cdy * adx
        w = adx * bdy - ady * bdx
        z = (u * az + v * bz + w * cz) / size
        z = z if z > nearest else nearest
        z = z if z < farthest else farthest
        inside = (u >= zero) & (v >= zero) & (w >= zero) & (begin + np.int32(lane) <= end)
        key = key_of(z, number) if inside else NOTHING
        keys[place + np.uint64(lane)] = min(keys[place + np.uint64(lane)], key)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _draw_larger(shape, box, number, stride, buffer):  # type: ignore[no-untyped-def]
    """Draws one triangle row by row; `box` is its first and last column, first and last row, `buffer` is flat."""
    half = np.float32(0.5)
    side, _, _, _, ax, ay, _, bx, by, _, cx, cy, _ = shape
    first_x, last_x, first_y, last_y = np.int64(box[0]), np.int64(box[1]), np.int64(box[2]), np.int64(box[3])
    wide = last_x - first_x >= LANES
    if wide:
        low_a, slope_low_a, high_a, slope_high_a = _bounds(bx, by, cx, cy, side)
        low_b, slope_low_b, high_b, slope_high_b = _bounds(cx, cy, ax, ay, side)
        low_c, slope_low_c, high_c, slope_high_c = _bounds(ax, ay, bx, by, side)
    first, last = first_x, last_x
    for row in range(first_y, last_y + 1):
        if wide:
            py = np.float32(row) + half
            low = max(max(low_a + slope_low_a * py, low_b + slope_low_b * py), low_c + slope_low_c * py)
            high = min(min(high_a + slope_high_a * py, high_b + slope_high_b * py), high_c + slope_high_c * py)
            first = np.int64(np.ceil(max(low - half - _MARGIN, np.float32(first_x))))
            last = np.int64(np.floor(min(high - half + _MARGIN, np.float32(last_x))))
        for start in range(first, last + 1, LANES):
            test_row(shape, row, start, last, number, buffer, np.uint64(row * stride + start))


@numba.njit(cache=True, nogil=True)
def draw(projected, cells, triangles, first_number, front_only, width, buffer):  # type: ignore[no-untyped-def]
    """Draws triangles into a buffer, where they are nearer than what is in it.

    Edge functions are differences of coordinates relative to the pixel, so that the two triangles at an edge compute exactly
    opposite values: no pixel centre falls between them. That needs IEEE arithmetic: no fastmath here.

    Args:
        projected: `[V, 3]` float32 x, y in pixels, z growing away from the camera and affine across the image.
        cells: `[V]` int32 of `locate`.
        triangles: `[T, 3]` int32 vertex indices.
        first_number: What the first triangle is called; the others count on.
        front_only: Leave out triangles that are clockwise seen from outside, which is counter-clockwise on the screen.
        width: Of the image, pixels.
        buffer: `[H, padded W]` int64, see `buffer_shape`.
    """
    # Indices without a sign: there is no counting from the end to be looked out for.
    corners_of = triangles.view(np.uint32)
    flat, stride = buffer.reshape(-1), np.int64(buffer.shape[1])
    corners, larger = np.empty(5 * BLOCK, np.int32), np.empty(BLOCK, np.uint32)
    pixels, owners = np.empty(CANDIDATES, np.int32), np.empty(CANDIDATES, np.uint32)
    places = np.empty(10 * CANDIDATES, np.float32)
    for start in range(0, triangles.shape[0], BLOCK):
        length = min(BLOCK, triangles.shape[0] - start)
        count, larger_count = collect(
            cells, corners_of, start, length, np.int32(width), corners, pixels, owners, larger
        )
        depths(projected, corners_of, owners, pixels, count, front_only, places)
        for index in range(count):
            pixel = np.uint32(pixels[index])
            at = np.uint32(np.uint32(pixel & np.uint32(0xFFFF)) + np.uint32(pixel >> np.uint32(16)) * np.uint32(stride))
            key = key_of(places[9 * CANDIDATES + index], first_number + np.int64(owners[index]))
            flat[at] = min(flat[at], key)
        for index in range(larger_count):
            which = larger[index]
            triangle = np.uint32(start + which)
            shape = prepare(
                projected, corners_of[triangle, 0], corners_of[triangle, 1], corners_of[triangle, 2], front_only
            )
            if shape[0] != 0:
                box = box_of(corners[which], corners[BLOCK + which], corners[2 * BLOCK + which])
                _draw_larger(shape, box, first_number + np.int64(triangle), stride, flat)


def rasterize_into(projected: np.ndarray, triangles: np.ndarray, triangle_ids: np.ndarray, depth: np.ndarray) -> None:
    """Draws both sides of the triangles of one mesh.

    Args:
        projected: `[V, 3]` float32, see `draw`.
        triangles: `[T, 3]` int32.
        triangle_ids: `[H, W]` int32, receives the nearest triangles, -1 for none.
        depth: `[H, W]` float32, receives their z, inf for none.
    """
    height, width = depth.shape
    buffer, cells = np.full(buffer_shape(height, width), NOTHING), np.empty(len(projected), np.int32)
    locate(projected, height, width, cells)
    draw(projected, cells, triangles, 0, False, width, buffer)
    read(buffer, triangle_ids, depth)


def rasterize(projected: np.ndarray, triangles: np.ndarray, height: int, width: int) -> np.ndarray:
    """Nearest triangle of every pixel; arguments and result as in `trainer.rendering.visibility.rasterize`."""
    projected = np.ascontiguousarray(projected, np.float32)
    triangles = np.ascontiguousarray(triangles, np.int32)
    triangle_ids = np.empty((len(projected), height, width), np.int32)
    depth = np.empty((height, width), np.float32)
    for vertices, ids in zip(projected, triangle_ids, strict=True):
        rasterize_into(vertices, triangles, ids, depth)
    return triangle_ids
