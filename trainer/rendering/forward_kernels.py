"""Compiled loops of the forward renderer. Each runs on one thread, in one order: the same input gives the same bits."""

import math

import numba
import numpy as np

_FAST = {"contract", "arcp", "nsz", "reassoc", "afn"}
"""What the compiler may rearrange in the shading: not the treatment of NaN, nor anything from run to run."""


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


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def shade(  # type: ignore[no-untyped-def]
    triangle_ids,
    triangles,
    screen,
    aligned,
    normals,
    colors,
    irradiance,
    light,
    specular,
    shininess,
    perspective,
    samples,
):
    """Shades every sample and averages the samples of a pixel.

    Args:
        triangle_ids: `[h samples, w samples]` int32 nearest triangles, -1 for none.
        triangles: `[T, 3]` int32.
        screen: `[V, 3]` float32, see `place`.
        aligned: `[V, 3]` float32, see `place`.
        normals: `[V, 3]` float32 camera-aligned unit normals.
        colors: `[V, 3]` float32 linear albedo.
        irradiance: `[10, 3]` float32 coefficients of 1, y, z, x, xy, yz, zz, xz, xx, yy in the environment's irradiance / π.
        light: `[2, 3]` float32 direction towards the parallel light, and its colour.
        specular: `[3]` float32 mirrored share times (shininess + 2) / 2.
        shininess: float32 exponent.
        perspective: Kind of the camera.
        samples: Samples per pixel along one axis.

    Returns:
        `[h, w, 3]` float32 colour times coverage, `[h, w]` float32 coverage, `[h, w]` float32 distance along the view of the
        nearest sample in the units of `aligned` (inf for none), `[h, w]` int32 its triangle (-1 for none).
    """
    height, width = triangle_ids.shape[0] // samples, triangle_ids.shape[1] // samples
    color = np.zeros((height, width, 3), np.float32)
    mask = np.zeros((height, width), np.float32)
    depth = np.full((height, width), np.float32(np.inf), np.float32)
    nearest = np.full((height, width), -1, np.int32)
    zero, one = np.float32(0), np.float32(1)
    share = np.float32(1.0 / (samples * samples))
    lx, ly, lz = light[0, 0], light[0, 1], light[0, 2]
    shiny = specular[0] > 0 or specular[1] > 0 or specular[2] > 0
    for row in range(triangle_ids.shape[0]):
        py = np.float32(row) + np.float32(0.5)
        pixel_row = row // samples
        for column in range(triangle_ids.shape[1]):
            triangle = triangle_ids[row, column]
            if triangle < 0:
                continue
            pixel_column = column // samples
            px = np.float32(column) + np.float32(0.5)
            a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
            adx, ady = screen[a, 0] - px, screen[a, 1] - py
            bdx, bdy = screen[b, 0] - px, screen[b, 1] - py
            cdx, cdy = screen[c, 0] - px, screen[c, 1] - py
            u = bdx * cdy - bdy * cdx
            v = cdx * ady - cdy * adx
            w = adx * bdy - ady * bdx
            # Counter-clockwise seen from outside is clockwise on the screen, whose y points down.
            facing = -one if u + v + w > 0 else one
            if perspective:
                u *= screen[a, 2]
                v *= screen[b, 2]
                w *= screen[c, 2]
            total = u + v + w
            u, v, w = u / total, v / total, w / total
            nx = u * normals[a, 0] + v * normals[b, 0] + w * normals[c, 0]
            ny = u * normals[a, 1] + v * normals[b, 1] + w * normals[c, 1]
            nz = u * normals[a, 2] + v * normals[b, 2] + w * normals[c, 2]
            length = facing / np.float32(math.sqrt(max(nx * nx + ny * ny + nz * nz, np.float32(1e-20))))
            nx, ny, nz = nx * length, ny * length, nz * length
            away = -(u * aligned[a, 2] + v * aligned[b, 2] + w * aligned[c, 2])
            facing_light = max(nx * lx + ny * ly + nz * lz, zero)
            mirrored = zero
            if shiny and facing_light > 0:
                vx, vy, vz = zero, zero, one
                if perspective:
                    vx = -(u * aligned[a, 0] + v * aligned[b, 0] + w * aligned[c, 0])
                    vy = -(u * aligned[a, 1] + v * aligned[b, 1] + w * aligned[c, 1])
                    scale = one / np.float32(math.sqrt(vx * vx + vy * vy + away * away))
                    vx, vy, vz = vx * scale, vy * scale, away * scale
                facing_viewer = nx * vx + ny * vy + nz * vz
                aligned_mirror = 2 * facing_light * facing_viewer - (lx * vx + ly * vy + lz * vz)
                if facing_viewer >= 0 and aligned_mirror > 0:
                    mirrored = facing_light * np.float32(aligned_mirror**shininess)
            for channel in range(3):
                e = irradiance[:, channel]
                diffuse = (
                    e[0]
                    + e[1] * ny
                    + e[2] * nz
                    + e[3] * nx
                    + e[4] * nx * ny
                    + e[5] * ny * nz
                    + e[6] * nz * nz
                    + e[7] * nx * nz
                    + e[8] * nx * nx
                    + e[9] * ny * ny
                )
                albedo = u * colors[a, channel] + v * colors[b, channel] + w * colors[c, channel]
                parallel = light[1, channel] * (albedo * facing_light + specular[channel] * mirrored)
                color[pixel_row, pixel_column, channel] += share * (albedo * max(diffuse, zero) + parallel)
            mask[pixel_row, pixel_column] += share
            if away < depth[pixel_row, pixel_column]:
                depth[pixel_row, pixel_column] = away
                nearest[pixel_row, pixel_column] = triangle
    return color, mask, depth, nearest
