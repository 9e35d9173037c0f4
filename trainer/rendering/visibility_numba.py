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

LARGEST_SIZE = 16000
"""Of an image's side, pixels."""

BLOCK = 128
"""Triangles that go through together: what they need stays in the first cache."""

_CANDIDATES = 4 * BLOCK
_LANES = 8
"""Columns of a larger triangle that are tested together; rows of the buffer are padded by as many."""

_LARGEST = np.float32(1e15 / 3)
"""|x| + |y| + |z| from here on could overflow float32 when multiplied; a triangle with such a vertex, inf or NaN is not drawn."""

ROUNDING = np.float32(2.0**-22)
"""A triangle whose area is this share of its terms or less has none, up to rounding, and is not drawn."""

_STEEPEST = np.float32(64.0)
_MARGIN = np.float32(0.0625)
_PRECISE = np.float32(1e4)
"""An edge bounds a row, within much less than the margin in pixels, unless it is flatter than the slope (columns per row) or
its ends lie further out than the last."""

NOTHING = np.int64((0x7F800000 << 32) | 0xFFFFFFFF)
"""What an empty buffer is filled with: z = inf, triangle -1."""

_BROKEN = np.float32(0x7FFF)
_ONE, _SIXTEEN, _LOW = np.int32(1), np.int32(16), np.int32(0xFFFF)


def buffer_shape(height: int, width: int) -> tuple[int, int]:
    """Shape of the int64 buffer of an image; its last columns are padding.

    Raises:
        ValueError: If a side is longer than `LARGEST_SIZE`.
    """
    if max(height, width) > LARGEST_SIZE:
        raise ValueError(f"An image's sides must be at most {LARGEST_SIZE} pixels. Received: {height} × {width}")
    return height, width + _LANES


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


@numba.njit(cache=True, nogil=True)
def locate(projected, height, width, cells):  # type: ignore[no-untyped-def]
    """Among which pixels' centres vertices lie.

    Args:
        projected: `[V, 3]` float32, see `draw`.
        height: Of the image, pixels.
        width: Of the image, pixels.
        cells: `[V]` int32, receives the place: column in the upper half, row in the lower; 2 k on the centre of pixel k, 2 k - 1
            between the centres of pixels k - 1 and k, clipped to just outside the image. So a triangle meets a column's centre
            unless its vertices' numbers are all the same odd one.
    """
    half, nowhere = np.float32(0.5), np.float32(-1.0)
    last_x, last_y = np.float32(2 * width - 1), np.float32(2 * height - 1)
    for vertex in range(projected.shape[0]):
        x, y, z = projected[vertex, 0], projected[vertex, 1], projected[vertex, 2]
        sound = abs(x) + abs(y) + abs(z) < _LARGEST
        x, y = x - half, y - half
        x, y = np.floor(x) + np.ceil(x), np.floor(y) + np.ceil(y)
        x = min(max(x, nowhere), last_x) if sound else _BROKEN
        y = min(max(y, nowhere), last_y) if sound else nowhere
        cells[vertex] = np.int32(np.int32(x) << _SIXTEEN) | np.int32(np.int32(y) & _LOW)


@numba.njit(cache=True, nogil=True, inline="always")
def box_of(a, b, c):  # type: ignore[no-untyped-def]
    """First and last column, first and last row whose centres a triangle's bounding box contains, int32, by its corners' cells.

    Nothing is drawn if a first is beyond a last, or the last column beyond the image.
    """
    xa, xb, xc = np.int32(a >> _SIXTEEN), np.int32(b >> _SIXTEEN), np.int32(c >> _SIXTEEN)
    ya = np.int32(np.int32(a << _SIXTEEN) >> _SIXTEEN)
    yb = np.int32(np.int32(b << _SIXTEEN) >> _SIXTEEN)
    yc = np.int32(np.int32(c << _SIXTEEN) >> _SIXTEEN)
    return (
        np.int32((min(min(xa, xb), xc) + _ONE) >> _ONE),
        np.int32(max(max(xa, xb), xc) >> _ONE),
        np.int32((min(min(ya, yb), yc) + _ONE) >> _ONE),
        np.int32(max(max(ya, yb), yc) >> _ONE),
    )


@numba.njit(cache=True, nogil=True)
def _boxes(corners, width):  # type: ignore[no-untyped-def]
    """Bounding boxes of a block of triangles.

    Args:
        corners: `[5 BLOCK]` int32: three blocks of the corners' cells, a block that receives the box's first pixel (row in the
            upper half, column in the lower), and one that receives 0 for an empty box, 1 for one that is wider or higher than 2
            pixels, else 2 + (width - 1) + 2 (height - 1).
        width: Of the image, pixels.
    """
    for index in range(BLOCK):
        first_x, last_x, first_y, last_y = box_of(corners[index], corners[BLOCK + index], corners[2 * BLOCK + index])
        wider, higher = np.int32(last_x - first_x), np.int32(last_y - first_y)
        small = np.int32(2) + wider + np.int32(higher << _ONE) if (wider < 2) & (higher < 2) else _ONE
        corners[3 * BLOCK + index] = np.int32(first_y << _SIXTEEN) | first_x
        corners[4 * BLOCK + index] = small if (wider >= 0) & (higher >= 0) & (last_x < width) else np.int32(0)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _depths(places, pixels, count, front_only):  # type: ignore[no-untyped-def]
    """Depths of triangles at single pixels.

    Args:
        places: `[10 _CANDIDATES]` float32: nine blocks of the triangles' ax, ay, az, bx, …, cz, and one that receives z, inf
            where the pixel's centre is outside.
        pixels: `[_CANDIDATES]` int32, row in the upper half, column in the lower.
        count: Of the pixels.
        front_only: See `draw`.
    """
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    size = _CANDIDATES
    sides = one if front_only else zero
    for index in range(count):
        px = np.float32(pixels[index] & _LOW) + half
        py = np.float32(np.int32(pixels[index] >> _SIXTEEN)) + half
        ax, ay, az = places[index], places[size + index], places[2 * size + index]
        bx, by, bz = places[3 * size + index], places[4 * size + index], places[5 * size + index]
        cx, cy, cz = places[6 * size + index], places[7 * size + index], places[8 * size + index]
        first_term, second_term = (bx - ax) * (cy - ay), (by - ay) * (cx - ax)
        area = first_term - second_term
        side = one if area > 0 else -one
        adx, bdx, cdx = ax - px, bx - px, cx - px
        ady, bdy, cdy = (ay - py) * side, (by - py) * side, (cy - py) * side
        u = bdx * cdy - bdy * cdx
        v = cdx * ady - cdy * adx
        w = adx * bdy - ady * bdx
        z = (u * az + v * bz + w * cz) / abs(area)
        nearest, farthest = min(min(az, bz), cz), max(max(az, bz), cz)
        # Written so that NaN becomes the nearest.
        z = z if z > nearest else nearest
        z = z if z < farthest else farthest
        inside = (u >= zero) & (v >= zero) & (w >= zero) & (area * sides <= zero)
        inside &= abs(area) > ROUNDING * (abs(first_term) + abs(second_term))
        places[9 * size + index] = z if inside else np.float32(np.inf)


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


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _draw_larger(ax, ay, az, bx, by, bz, cx, cy, cz, box, number, front_only, stride, buffer):  # type: ignore[no-untyped-def]
    """Draws one triangle row by row; `box` is its first and last column, first and last row, `buffer` is flat."""
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    first_term, second_term = (bx - ax) * (cy - ay), (by - ay) * (cx - ax)
    area = first_term - second_term
    if abs(area) <= ROUNDING * (abs(first_term) + abs(second_term)) or (front_only and area > 0):
        return
    side = one if area > 0 else -one
    size = abs(area)
    nearest, farthest = min(min(az, bz), cz), max(max(az, bz), cz)
    first_x, last_x, first_y, last_y = box
    wide = last_x - first_x >= _LANES
    if wide:
        low_a, slope_low_a, high_a, slope_high_a = _bounds(bx, by, cx, cy, side)
        low_b, slope_low_b, high_b, slope_high_b = _bounds(cx, cy, ax, ay, side)
        low_c, slope_low_c, high_c, slope_high_c = _bounds(ax, ay, bx, by, side)
    first, last = first_x, last_x
    for row in range(first_y, last_y + 1):
        py = np.float32(row) + half
        if wide:
            low = max(max(low_a + slope_low_a * py, low_b + slope_low_b * py), low_c + slope_low_c * py)
            high = min(min(high_a + slope_high_a * py, high_b + slope_high_b * py), high_c + slope_high_c * py)
            first = np.int64(np.ceil(max(low - half - _MARGIN, np.float32(first_x))))
            last = np.int64(np.floor(min(high - half + _MARGIN, np.float32(last_x))))
        ady, bdy, cdy = (ay - py) * side, (by - py) * side, (cy - py) * side
        for start in range(first, last + 1, _LANES):
            place = np.uint64(row * stride + start)
            for lane in range(_LANES):
                px = np.float32(np.int32(start) + np.int32(lane)) + half
                adx, bdx, cdx = ax - px, bx - px, cx - px
                u = bdx * cdy - bdy * cdx
                v = cdx * ady - cdy * adx
                w = adx * bdy - ady * bdx
                z = (u * az + v * bz + w * cz) / size
                z = z if z > nearest else nearest
                z = z if z < farthest else farthest
                inside = (u >= zero) & (v >= zero) & (w >= zero) & (np.int32(start) + np.int32(lane) <= np.int32(last))
                key = key_of(z, number) if inside else NOTHING
                at = place + np.uint64(lane)
                buffer[at] = min(buffer[at], key)


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
    corners = np.empty(5 * BLOCK, np.int32)
    pixels, owners = np.empty(_CANDIDATES, np.int32), np.empty(_CANDIDATES, np.uint32)
    places = np.empty(10 * _CANDIDATES, np.float32)
    larger = np.empty(BLOCK, np.uint32)
    size, zero, two = _CANDIDATES, np.uint32(0), np.uint32(2)
    for start in range(0, triangles.shape[0], BLOCK):
        length = min(BLOCK, triangles.shape[0] - start)
        for index in range(length):
            corners[index] = cells[corners_of[start + index, 0]]
            corners[BLOCK + index] = cells[corners_of[start + index, 1]]
            corners[2 * BLOCK + index] = cells[corners_of[start + index, 2]]
        _boxes(corners, np.int32(width))
        count, larger_count = zero, zero
        for index in range(length):
            pixel, kind = corners[3 * BLOCK + index], np.uint32(corners[4 * BLOCK + index])
            small = np.uint32(kind >= two)
            wider, higher = np.uint32(small & kind), np.uint32(small & np.uint32((kind - two) >> np.uint32(1)))
            # Written in any case, kept where the count moves on.
            pixels[count], owners[count] = pixel, start + index
            count = np.uint32(count + small)
            pixels[count], owners[count] = pixel + np.int32(1), start + index
            count = np.uint32(count + wider)
            pixels[count], owners[count] = pixel + np.int32(1 << 16), start + index
            count = np.uint32(count + higher)
            pixels[count], owners[count] = pixel + np.int32((1 << 16) + 1), start + index
            count = np.uint32(count + (wider & higher))
            larger[larger_count] = index
            larger_count = np.uint32(larger_count + np.uint32(kind == np.uint32(1)))
        candidates = np.int64(count)
        for index in range(candidates):
            triangle = owners[index]
            a, b, c = corners_of[triangle, 0], corners_of[triangle, 1], corners_of[triangle, 2]
            for axis in range(3):
                places[axis * size + index] = projected[a, axis]
                places[(3 + axis) * size + index] = projected[b, axis]
                places[(6 + axis) * size + index] = projected[c, axis]
        _depths(places, pixels, candidates, front_only)
        for index in range(candidates):
            pixel = np.uint32(pixels[index])
            at = np.uint32(np.uint32(pixel & np.uint32(0xFFFF)) + np.uint32(pixel >> np.uint32(16)) * np.uint32(stride))
            key = key_of(places[9 * size + index], first_number + np.int64(owners[index]))
            flat[at] = min(flat[at], key)
        for index in range(np.int64(larger_count)):
            which = larger[index]
            triangle = np.uint32(start + which)
            a, b, c = corners_of[triangle, 0], corners_of[triangle, 1], corners_of[triangle, 2]
            box = box_of(corners[which], corners[BLOCK + which], corners[2 * BLOCK + which])
            _draw_larger(
                projected[a, 0],
                projected[a, 1],
                projected[a, 2],
                projected[b, 0],
                projected[b, 1],
                projected[b, 2],
                projected[c, 0],
                projected[c, 1],
                projected[c, 2],
                box,
                first_number + np.int64(triangle),
                front_only,
                stride,
                flat,
            )


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
