"""Light computed at a mesh's vertices and interpolated over its triangles (Gouraud), for meshes about as fine as the samples.

The equation is that of `trainer.rendering.lighting`; what is interpolated is the light instead of the normal. Compiled in passes
that a processor runs on many vertices at once.
"""

import math

import numba
import numpy as np

from trainer.rendering.forward_shading import FAST, power
from trainer.rendering.forward_shadow import lit_share


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _add_environment(normals, irradiance, matt, glossy):  # type: ignore[no-untyped-def]
    e, zero = irradiance, np.float32(0.0)
    for vertex in range(normals.shape[0]):
        x, y, z = normals[vertex, 0], normals[vertex, 1], normals[vertex, 2]
        xy, yz, zz, xz, xx, yy = x * y, y * z, z * z, x * z, x * x, y * y
        for channel in range(3):
            linear = e[0, channel] + e[1, channel] * y + e[2, channel] * z + e[3, channel] * x
            mixed = e[4, channel] * xy + e[5, channel] * yz + e[7, channel] * xz
            squares = e[6, channel] * zz + e[8, channel] * xx + e[9, channel] * yy
            matt[vertex, channel] = max(linear + mixed + squares, zero)
            glossy[vertex, channel] = zero


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _reach(aligned, normals, direction, shadow_map, shadow_frame, share):  # type: ignore[no-untyped-def]
    """Share of the parallel light that reaches each vertex."""
    for vertex in range(aligned.shape[0]):
        nx, ny, nz = normals[vertex, 0], normals[vertex, 1], normals[vertex, 2]
        share[vertex] = np.float32(0.0)
        if nx * direction[0] + ny * direction[1] + nz * direction[2] > 0:
            x, y, z = aligned[vertex, 0], aligned[vertex, 1], aligned[vertex, 2]
            share[vertex] = lit_share(shadow_map, shadow_frame, x, y, z, nx, ny, nz)


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _meet(aligned, normals, source, is_lamp, origin, perspective, strength, mirrored):  # type: ignore[no-untyped-def]
    """Multiplies `strength` by what of a source falls on each vertex; `mirrored` gets r·v, 0 where nothing is mirrored."""
    zero, one, two = np.float32(0.0), np.float32(1.0), np.float32(2.0)
    sx, sy, sz = source[0], source[1], source[2]
    ox, oy, oz, millimetres = origin[0], origin[1], origin[2], origin[3]
    for vertex in range(aligned.shape[0]):
        nx, ny, nz = normals[vertex, 0], normals[vertex, 1], normals[vertex, 2]
        x, y, z = aligned[vertex, 0], aligned[vertex, 1], aligned[vertex, 2]
        lx, ly, lz, falloff = sx, sy, sz, one
        if is_lamp:
            lx, ly, lz = sx - (x - ox) * millimetres, sy - (y - oy) * millimetres, sz - (z - oz) * millimetres
            squared = lx * lx + ly * ly + lz * lz
            inverse = one / np.float32(math.sqrt(max(squared, np.float32(1e-12))))
            lx, ly, lz, falloff = lx * inverse, ly * inverse, lz * inverse, one / max(squared, one)
        vx, vy, vz = zero, zero, one
        if perspective:
            scale = -one / np.float32(math.sqrt(max(x * x + y * y + z * z, np.float32(1e-12))))
            vx, vy, vz = x * scale, y * scale, z * scale
        facing_light = max(nx * lx + ny * ly + nz * lz, zero)
        facing_viewer = nx * vx + ny * vy + nz * vz
        strength[vertex] *= facing_light * falloff
        lobe = max(two * facing_light * facing_viewer - (lx * vx + ly * vy + lz * vz), zero)
        mirrored[vertex] = lobe if facing_viewer >= zero else zero


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _mirror(strength, shininess, mirrored):  # type: ignore[no-untyped-def]
    """Phong's lobe times the strength, in place of r·v."""
    zero, least = np.float32(0.0), np.float32(1e-30)
    for vertex in range(strength.shape[0]):
        lobe = strength[vertex] * power(max(mirrored[vertex], least), shininess)
        mirrored[vertex] = lobe if mirrored[vertex] > zero else zero


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _add(strength, source, out):  # type: ignore[no-untyped-def]
    red, green, blue = source[3], source[4], source[5]
    for vertex in range(strength.shape[0]):
        out[vertex, 0] += strength[vertex] * red
        out[vertex, 1] += strength[vertex] * green
        out[vertex, 2] += strength[vertex] * blue


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _reflect(colors, specular, complement, apart, matt, glossy):  # type: ignore[no-untyped-def]
    one = np.float32(1.0)
    for vertex in range(colors.shape[0]):
        for channel in range(3):
            albedo = colors[vertex, channel]
            mirrored = glossy[vertex, channel] * specular[channel] * (one - complement * albedo)
            matt[vertex, channel] *= albedo
            if apart:
                glossy[vertex, channel] = mirrored
            else:
                matt[vertex, channel] += mirrored


@numba.njit(cache=True, nogil=True, error_model="numpy")
def light_vertices(  # type: ignore[no-untyped-def]
    aligned,
    normals,
    colors,
    irradiance,
    sources,
    origin,
    specular,
    complement,
    shininess,
    perspective,
    shadow_map,
    shadow_frame,
    apart,
    work,
    matt,
    glossy,
):
    """Light that the vertices of one surface send to the viewer; arguments not named here are those of `shade_samples`.

    Args:
        aligned: `[V, 3]` float32.
        normals: `[V, 3]` float32.
        colors: `[V, 3]` float32.
        irradiance: `[10, 3]` float32.
        sources: `[1 + P, 6]` float32.
        origin: `[4]` float32.
        specular: `[3]` float32.
        complement: float32.
        shininess: float32.
        perspective: Kind of the camera.
        shadow_map: `[size, size]` float32.
        shadow_frame: `[3, 4]` float32.
        apart: Whether matt and mirrored light are to be kept apart, for a texture to colour the matt one.
        work: `[2 V]` float32 to work in.
        matt: `[V, 3]` float32, receives the matt light, or the sum.
        glossy: `[V, 3]` float32, receives the mirrored light if it is kept apart.
    """
    shiny = specular[0] > 0 or specular[1] > 0 or specular[2] > 0
    _add_environment(normals, irradiance, matt, glossy)
    strength, mirrored = work[: len(aligned)], work[len(aligned) : 2 * len(aligned)]
    for source in range(sources.shape[0]):
        if not (sources[source, 3] > 0 or sources[source, 4] > 0 or sources[source, 5] > 0):
            continue
        if source == 0 and shadow_map.shape[0] > 0:
            _reach(aligned, normals, sources[0], shadow_map, shadow_frame, strength)
        else:
            strength[:] = np.float32(1.0)
        _meet(aligned, normals, sources[source], source > 0, origin, perspective, strength, mirrored)
        _add(strength, sources[source], matt)
        if shiny:
            _mirror(strength, shininess, mirrored)
            _add(mirrored, sources[source], glossy)
    _reflect(colors, specular, complement, apart, matt, glossy)


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def interpolate(  # type: ignore[no-untyped-def]
    chosen, buffer, samples, triangles, screen, matt, glossy, uv, texture, decoded, perspective, color, behind
):
    """Adds the interpolated light of samples, times the nearest texel, to their pixels, but for those that see a triangle's back.

    Args:
        chosen: `[N]` int32 samples, see `forward_resolve.resolve`.
        buffer: `[h samples, padded]` int64, see `visibility_numba.buffer_shape`.
        samples: Samples per pixel along one axis.
        triangles: `[T, 3]` int32.
        screen: `[V, 3]` float32, see `forward_geometry.place`.
        matt: `[V, 3]` float32 of `light_vertices`.
        glossy: `[V, 3]` float32, the same; ignored without a texture.
        uv: `[V, 2]` float32; ignored without a texture.
        texture: `[H, W, 4]` uint8 sRGB and straight alpha, or `[0, 0, 4]` for none.
        decoded: `[256]` float32 linear value of each sRGB byte.
        perspective: Kind of the camera.
        color: `[h, w, 3]` float32, to which every sample's light is added, divided by the samples of a pixel.
        behind: `[N]` int32, receives the samples that are left out: the vertices' light is that of the front.

    Returns:
        How many were left out.
    """
    one = np.float32(1)
    share = np.float32(1.0 / (samples * samples))
    textured = texture.shape[0] > 0
    texels_x, texels_y = np.float32(texture.shape[1]), np.float32(texture.shape[0])
    corners_of = triangles.view(np.uint32)
    pixels_per_sample = np.float32(1.0 / samples)
    left_out = 0
    for index in range(chosen.shape[0]):
        row, column = np.uint32(chosen[index] >> np.int32(16)), np.uint32(chosen[index] & np.int32(0xFFFF))
        triangle = np.uint32(np.int32(buffer[row, column]))
        px, py = np.float32(column) + np.float32(0.5), np.float32(row) + np.float32(0.5)
        pixel_row, pixel_column = np.uint32(py * pixels_per_sample), np.uint32(px * pixels_per_sample)
        a, b, c = corners_of[triangle, 0], corners_of[triangle, 1], corners_of[triangle, 2]
        adx, ady = screen[a, 0] - px, screen[a, 1] - py
        bdx, bdy = screen[b, 0] - px, screen[b, 1] - py
        cdx, cdy = screen[c, 0] - px, screen[c, 1] - py
        u = bdx * cdy - bdy * cdx
        v = cdx * ady - cdy * adx
        w = adx * bdy - ady * bdx
        if u + v + w > 0:
            behind[left_out] = chosen[index]
            left_out += 1
            continue
        if perspective:
            u *= screen[a, 2]
            v *= screen[b, 2]
            w *= screen[c, 2]
        total = one / (u + v + w)
        u, v, w = u * total, v * total, w * total
        red = u * matt[a, 0] + v * matt[b, 0] + w * matt[c, 0]
        green = u * matt[a, 1] + v * matt[b, 1] + w * matt[c, 1]
        blue = u * matt[a, 2] + v * matt[b, 2] + w * matt[c, 2]
        if textured:
            across = (u * uv[a, 0] + v * uv[b, 0] + w * uv[c, 0]) * texels_x
            down = (one - (u * uv[a, 1] + v * uv[b, 1] + w * uv[c, 1])) * texels_y
            x = np.uint32(min(max(across, np.float32(0)), texels_x - one))
            y = np.uint32(min(max(down, np.float32(0)), texels_y - one))
            tr, tg, tb = decoded[texture[y, x, 0]], decoded[texture[y, x, 1]], decoded[texture[y, x, 2]]
            red = red * tr + u * glossy[a, 0] + v * glossy[b, 0] + w * glossy[c, 0]
            green = green * tg + u * glossy[a, 1] + v * glossy[b, 1] + w * glossy[c, 1]
            blue = blue * tb + u * glossy[a, 2] + v * glossy[b, 2] + w * glossy[c, 2]
        color[pixel_row, pixel_column, 0] += share * red
        color[pixel_row, pixel_column, 1] += share * green
        color[pixel_row, pixel_column, 2] += share * blue
    return left_out
