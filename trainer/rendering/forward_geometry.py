"""Where the forward renderer's vertices lie, and which way they face: compiled loops, one thread, one order, the same bits."""

import math

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def place(vertices, rotation, shift, focal, center_x, center_y, perspective):  # type: ignore[no-untyped-def]
    """Vertices in the camera-aligned model frame and on the screen.

    Args:
        vertices: `[V, 3]` float32 model frame.
        rotation: `[3, 3]` float32 first three columns of the camera's matrix.
        shift: `[3]` float32 its last column in the camera-aligned model frame.
        focal: Perspective: focal length, screen pixels. Scaled orthographic: screen pixels per image pixel.
        center_x: Principal point, screen pixels; 0 for a scaled orthographic camera.
        center_y: Same.
        perspective: Kind of the camera.

    Returns:
        `[V, 3]` float32 camera-aligned positions, `[V, 3]` float32 screen x, y and a z that grows away from the camera and is
        affine across the screen (NaN behind a perspective camera).
    """
    aligned = np.empty_like(vertices)
    screen = np.empty_like(vertices)
    for vertex in range(vertices.shape[0]):
        x, y, z = vertices[vertex, 0], vertices[vertex, 1], vertices[vertex, 2]
        for axis in range(3):
            aligned[vertex, axis] = rotation[axis, 0] * x + rotation[axis, 1] * y + rotation[axis, 2] * z + shift[axis]
        away = -aligned[vertex, 2]
        factor = focal
        if perspective:
            if not away > 0:
                screen[vertex] = np.float32(np.nan)
                continue
            factor = focal / away
            away = -np.float32(1) / away
        screen[vertex, 0] = center_x + factor * aligned[vertex, 0]
        screen[vertex, 1] = center_y - factor * aligned[vertex, 1]
        screen[vertex, 2] = away
    return aligned, screen


@numba.njit(cache=True, nogil=True)
def vertex_normals(positions, triangles):  # type: ignore[no-untyped-def]
    """Unit normals of vertices: the mean of their triangles', weighted by area; 0 where there is none.

    Args:
        positions: `[V, 3]` float32.
        triangles: `[T, 3]` int32, counter-clockwise seen from outside.

    Returns:
        `[V, 3]` float32.
    """
    normals = np.zeros_like(positions)
    for triangle in range(triangles.shape[0]):
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
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
        length = math.sqrt(x * x + y * y + z * z)
        if length > 0:
            normals[vertex, 0] = x / length
            normals[vertex, 1] = y / length
            normals[vertex, 2] = z / length
    return normals
