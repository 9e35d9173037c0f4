"""Compiled loops of `head_grid`."""

import math

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def gather(vertices, corners, weights):  # type: ignore[no-untyped-def]
    """`[N, 3]` float32 points at weights `[N, 3]` of the corners `[N, 3]` among vertices `[V, 3]`."""
    points = np.empty((corners.shape[0], 3), np.float32)
    for point in range(corners.shape[0]):
        a, b, c = corners[point, 0], corners[point, 1], corners[point, 2]
        u, v, w = weights[point, 0], weights[point, 1], weights[point, 2]
        for axis in range(3):
            points[point, axis] = u * vertices[a, axis] + v * vertices[b, axis] + w * vertices[c, axis]
    return points


@numba.njit(cache=True, nogil=True)
def interpolate(values, azimuth, elevation, start_step, wraps, result):  # type: ignore[no-untyped-def]
    """`head_grid.at` on `[N]` azimuths and elevations into `[N, D]`."""
    rows, columns, depth = values.shape
    for index in range(len(azimuth)):
        x = (azimuth[index] - start_step[0]) / start_step[1]
        x = x - columns * math.floor(x / columns) if wraps else min(max(x, 0.0), columns - 1.0)
        y = min(max((elevation[index] - start_step[2]) / start_step[3], 0.0), rows - 1.0)
        left, low = min(int(x), columns - 1), min(int(y), rows - 2)
        right = (left + 1) % columns if wraps else min(left + 1, columns - 1)
        fx, fy = x - left, y - low
        for axis in range(depth):
            bottom = values[low, left, axis] * (1 - fx) + values[low, right, axis] * fx
            top = values[low + 1, left, axis] * (1 - fx) + values[low + 1, right, axis] * fx
            result[index, axis] = bottom * (1 - fy) + top * fy


@numba.njit(cache=True, nogil=True)
def seek(points, azimuth, elevation, frame, wraps, result):  # type: ignore[no-untyped-def]
    """`head_grid.seen` on `[N]` azimuths and elevations into `[N, 3]`, around 0: steps against the error of the direction."""
    one = np.empty((1, points.shape[2]), np.float32)
    a, e = np.empty(1), np.empty(1)
    for index in range(len(azimuth)):
        a[0], e[0] = azimuth[index], elevation[index]
        for step in range(5):
            interpolate(points, a, e, frame, wraps, one)
            x, y, z = one[0, 0], one[0, 1], one[0, 2]
            if step == 4 or abs(elevation[index]) > 75:
                break
            off = azimuth[index] - math.degrees(math.atan2(x, z))
            off -= 360 * round(off / 360)
            up = elevation[index] - math.degrees(math.atan2(y, math.hypot(x, z)))
            if abs(off) + abs(up) < 0.05:
                break
            a[0] += min(max(0.8 * off, -15.0), 15.0)
            e[0] += min(max(0.8 * up, -15.0), 15.0)
        result[index] = one[0]


@numba.njit(cache=True, nogil=True)
def smooth(points, center, passes, wraps):  # type: ignore[no-untyped-def]
    """`head_grid.smoothed` in place on `[R, C, 3]`."""
    rows, columns = points.shape[:2]
    radius = np.empty((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            x, y, z = points[row, column] - center
            radius[row, column] = math.sqrt(x * x + y * y + z * z)
    before, lifted = radius.copy(), radius.copy()
    for _ in range(passes):
        for row in range(rows):
            low, high = max(row - 1, 0), min(row + 1, rows - 1)
            for column in range(columns):
                left, right = column - 1, column + 1
                if wraps:
                    left, right = left % columns, right % columns
                else:
                    left, right = max(left, 0), min(right, columns - 1)
                total = before[low, column] + before[high, column] + before[row, left] + before[row, right]
                lifted[row, column] = max(before[row, column], np.float32(0.25) * total)
        before[:] = lifted
    for row in range(rows):
        for column in range(columns):
            factor = lifted[row, column] / max(radius[row, column], np.float32(1e-6))
            for axis in range(3):
                points[row, column, axis] = center[axis] + (points[row, column, axis] - center[axis]) * factor


@numba.njit(cache=True, nogil=True)
def cast(vertices, triangles, vectors, columns, rows):  # type: ignore[no-untyped-def]
    """Outermost hits of rays from 0 along a grid of unit vectors `[R * C, 3]`.

    Args:
        vertices: `[V, 3]`.
        triangles: `[T, 3]`.
        vectors: The rays.
        columns: First azimuth, its step, how many; degrees.
        rows: Same of elevations.

    Returns:
        `[R * C]` triangle or -1, `[R * C, 3]` barycentrics, `[R * C]` distance, 0 for none.
    """
    count = vectors.shape[0]
    found = np.full(count, -1, np.int64)
    weights = np.zeros((count, 3))
    radius = np.zeros(count)
    column_count, row_count = int(columns[2]), int(rows[2])
    azimuth, elevation = np.empty(3), np.empty(3)
    for triangle in range(triangles.shape[0]):
        a = vertices[triangles[triangle, 0]].astype(np.float64)
        b = vertices[triangles[triangle, 1]].astype(np.float64)
        c = vertices[triangles[triangle, 2]].astype(np.float64)
        bc, ca, ab = np.cross(b, c), np.cross(c, a), np.cross(a, b)
        volume = a[0] * bc[0] + a[1] * bc[1] + a[2] * bc[2]
        if volume <= 0:
            continue  # seen from the centre the outside's triangles show their backs
        for corner, point in enumerate((a, b, c)):
            azimuth[corner] = math.degrees(math.atan2(point[0], point[2]))
            elevation[corner] = math.degrees(math.atan2(point[1], math.hypot(point[0], point[2])))
        for corner in (1, 2):
            azimuth[corner] -= 360 * round((azimuth[corner] - azimuth[0]) / 360)
        span = max(azimuth.max() - azimuth.min(), 1.0)
        around = max(elevation.max(), -elevation.min()) > 80
        margin = max(1.0, elevation.max() - elevation.min())
        first_row = max(0, math.floor((elevation.min() - margin - rows[0]) / rows[1]))
        last_row = min(row_count - 1, math.ceil((elevation.max() + margin - rows[0]) / rows[1]))
        first = math.floor((azimuth.min() - span - columns[0]) / columns[1])
        last = math.ceil((azimuth.max() + span - columns[0]) / columns[1])
        turn = round(360 / columns[1])
        if around or last - first >= turn:
            first, last = 0, column_count - 1
        for row in range(first_row, last_row + 1):
            for unwrapped in range(first, last + 1):
                column = unwrapped % turn
                if column >= column_count:
                    continue
                ray = row * column_count + column
                d = vectors[ray]
                u = (d[0] * bc[0] + d[1] * bc[1] + d[2] * bc[2]) / volume
                v = (d[0] * ca[0] + d[1] * ca[1] + d[2] * ca[2]) / volume
                w = (d[0] * ab[0] + d[1] * ab[1] + d[2] * ab[2]) / volume
                if u < 0 or v < 0 or w < 0:
                    continue
                distance = 1 / (u + v + w)
                if distance > radius[ray]:
                    radius[ray] = distance
                    found[ray] = triangle
                    weights[ray, 0], weights[ray, 1], weights[ray, 2] = u * distance, v * distance, w * distance
    return found, weights, radius
