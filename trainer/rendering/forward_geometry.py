"""Where the forward renderer's vertices lie, and which way they face: compiled loops, one thread, one order, the same bits."""

import math

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, inline="always")
def rotation_rows(matrix):  # type: ignore[no-untyped-def]
    """The first three columns of a matrix of three rows, as tuples."""
    return (
        (matrix[0, 0], matrix[0, 1], matrix[0, 2]),
        (matrix[1, 0], matrix[1, 1], matrix[1, 2]),
        (matrix[2, 0], matrix[2, 1], matrix[2, 2]),
    )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def place(vertices, rotation, shift, focal, center_x, center_y, perspective, aligned, screen):  # type: ignore[no-untyped-def]
    """Vertices in the camera-aligned model frame and on the screen.

    Args:
        vertices: `[V, 3]` float32 model frame.
        rotation: `[3, 3]` float32 first three columns of the camera's matrix.
        shift: `[3]` float32 its last column in the camera-aligned model frame.
        focal: Perspective: focal length, screen pixels. Scaled orthographic: screen pixels per image pixel.
        center_x: Principal point, screen pixels; 0 for a scaled orthographic camera.
        center_y: Same.
        perspective: Kind of the camera.
        aligned: `[V, 3]` float32, receives camera-aligned positions.
        screen: `[V, 3]` float32, receives screen x, y and a z that grows away from the camera and is affine across the screen
            (NaN behind a perspective camera).
    """
    # Numbers of their own: the compiler cannot know that what is written does not change the matrix.
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation_rows(rotation)
    shift_x, shift_y, shift_z = shift[0], shift[1], shift[2]
    for vertex in range(vertices.shape[0]):
        x, y, z = vertices[vertex, 0], vertices[vertex, 1], vertices[vertex, 2]
        aligned[vertex, 0] = xx * x + xy * y + xz * z + shift_x
        aligned[vertex, 1] = yx * x + yy * y + yz * z + shift_y
        aligned[vertex, 2] = zx * x + zy * y + zz * z + shift_z
    one = np.float32(1.0)
    for vertex in range(vertices.shape[0]):
        away = -aligned[vertex, 2]
        factor = focal
        if perspective:
            away = away if away > 0 else np.float32(np.nan)
            factor = focal / away
            away = -one / away
        screen[vertex, 0] = center_x + factor * aligned[vertex, 0]
        screen[vertex, 1] = center_y - factor * aligned[vertex, 1]
        screen[vertex, 2] = away


@numba.njit(cache=True, nogil=True, error_model="numpy")
def vertex_normals(positions, triangles, normals):  # type: ignore[no-untyped-def]
    """Unit normals of vertices: the mean of their triangles', weighted by area; 0 where there is none.

    Args:
        positions: `[V, 3]` float32.
        triangles: `[T, 3]` int32, counter-clockwise seen from outside.
        normals: `[V, 3]` float32, receives the normals.
    """
    normals[:] = np.float32(0.0)
    corners_of = triangles.view(np.uint32)
    for triangle in range(triangles.shape[0]):
        a, b, c = corners_of[triangle, 0], corners_of[triangle, 1], corners_of[triangle, 2]
        ux, uy, uz = (
            positions[b, 0] - positions[a, 0],
            positions[b, 1] - positions[a, 1],
            positions[b, 2] - positions[a, 2],
        )
        vx, vy, vz = (
            positions[c, 0] - positions[a, 0],
            positions[c, 1] - positions[a, 1],
            positions[c, 2] - positions[a, 2],
        )
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for vertex in (a, b, c):
            normals[vertex, 0] += x
            normals[vertex, 1] += y
            normals[vertex, 2] += z
    for vertex in range(normals.shape[0]):
        x, y, z = normals[vertex, 0], normals[vertex, 1], normals[vertex, 2]
        length = np.float32(math.sqrt(x * x + y * y + z * z))
        scale = np.float32(1.0) / length if length > 0 else np.float32(0.0)
        normals[vertex, 0] = x * scale
        normals[vertex, 1] = y * scale
        normals[vertex, 2] = z * scale
