"""Steps of the compiled visibility that take a block of triangles at a time by vector instructions; see `visibility_numba`.

Vertices' places among the pixels, triangles' bounding boxes, and z of triangles at single pixels.
"""

import numba
import numpy as np

BLOCK = 128
"""Triangles that go through together: what they need stays in the first cache."""

CANDIDATES = 4 * BLOCK
"""Most pixels that a block's small triangles may meet."""

ROUNDING = np.float32(2.0**-22)
"""A triangle whose area is this share of its terms or less has none, up to rounding, and is not drawn."""

_LARGEST = np.float32(1e15 / 3)
"""|x| + |y| + |z| from here on could overflow float32 when multiplied; a triangle with such a vertex, inf or NaN is not drawn."""

_BROKEN = np.float32(0x7FFF)
_ONE, _SIXTEEN, _LOW = np.int32(1), np.int32(16), np.int32(0xFFFF)


@numba.njit(cache=True, nogil=True)
def locate(projected, height, width, cells):  # type: ignore[no-untyped-def]
    """Among which pixels' centres vertices lie.

    Args:
        projected: `[V, 3]` float32, see `visibility_numba.draw`.
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


@numba.njit(cache=True, nogil=True)
def collect(cells, corners_of, start, length, width, corners, pixels, owners, larger):  # type: ignore[no-untyped-def]
    """Sorts a block of triangles into those that meet no pixel's centre, those that may meet a few, and larger ones.

    Args:
        cells: `[V]` int32 of `locate`.
        corners_of: `[T, 3]` uint32 vertex indices.
        start: First triangle of the block.
        length: Triangles in the block, at most `BLOCK`.
        width: int32 of the image, pixels.
        corners: `[5 BLOCK]` int32 to work in; see `_boxes` for what stays there.
        pixels: `[CANDIDATES]` int32, receives the pixels in boxes of 2 × 2 or less: row in the upper half, column in the lower.
        owners: `[CANDIDATES]` uint32, receives their triangles.
        larger: `[BLOCK]` uint32, receives the larger triangles' numbers within the block.

    Returns:
        How many pixels, and how many larger triangles.
    """
    for index in range(length):
        corners[index] = cells[corners_of[start + index, 0]]
        corners[BLOCK + index] = cells[corners_of[start + index, 1]]
        corners[2 * BLOCK + index] = cells[corners_of[start + index, 2]]
    _boxes(corners, width)
    zero, one, two = np.uint32(0), np.uint32(1), np.uint32(2)
    count, larger_count = zero, zero
    for index in range(length):
        pixel, kind = corners[3 * BLOCK + index], np.uint32(corners[4 * BLOCK + index])
        small = np.uint32(kind >= two)
        wider, higher = np.uint32(small & kind), np.uint32(small & np.uint32((kind - two) >> one))
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
        larger_count = np.uint32(larger_count + np.uint32(kind == one))
    return np.int64(count), np.int64(larger_count)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _depths(places, pixels, count, front_only):  # type: ignore[no-untyped-def]
    """Depths of triangles at single pixels.

    Args:
        places: `[10 CANDIDATES]` float32: nine blocks of the triangles' ax, ay, az, bx, …, cz, and one that receives z, inf
            where the pixel's centre is outside.
        pixels: `[CANDIDATES]` int32, row in the upper half, column in the lower.
        count: Of the pixels.
        front_only: See `visibility_numba.draw`.
    """
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    size = CANDIDATES
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


@numba.njit(cache=True, nogil=True)
def depths(projected, corners_of, owners, pixels, count, front_only, places):  # type: ignore[no-untyped-def]
    """Depths of triangles at single pixels; the last block of `places` receives them, inf where the centre is outside.

    Args:
        projected: `[V, 3]` float32, see `visibility_numba.draw`.
        corners_of: `[T, 3]` uint32 vertex indices.
        owners: `[CANDIDATES]` uint32 triangles.
        pixels: `[CANDIDATES]` int32 pixels, see `collect`.
        count: Of them.
        front_only: See `visibility_numba.draw`.
        places: `[10 CANDIDATES]` float32 to work in.
    """
    for index in range(count):
        triangle = owners[index]
        a, b, c = corners_of[triangle, 0], corners_of[triangle, 1], corners_of[triangle, 2]
        for axis in range(3):
            places[axis * CANDIDATES + index] = projected[a, axis]
            places[(3 + axis) * CANDIDATES + index] = projected[b, axis]
            places[(6 + axis) * CANDIDATES + index] = projected[c, axis]
    _depths(places, pixels, count, front_only)
