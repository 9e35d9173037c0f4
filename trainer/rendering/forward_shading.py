"""The light that samples send to the viewer, by the equation of `trainer.rendering.lighting`: compiled, one thread."""

import math

import numba
import numpy as np

from trainer.rendering.forward_alpha import texel_corner
from trainer.rendering.forward_shadow import lit_share

FAST = {"contract", "arcp", "nsz", "reassoc", "afn"}
"""What the compiler may rearrange in the shading: not the treatment of NaN, nor anything from run to run."""


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST, inline="always")
def power(base, exponent):  # type: ignore[no-untyped-def]
    """base^exponent, float32, for a base in (0, 2); to about 1e-5 of itself for exponents from 0 to 100, by few multiplications.

    2^(exponent log2 base) with log2 from the exponent of the number and the series of the area hyperbolic tangent, and 2^x from
    the exponent and the series of exp around the middle of [0, 1).
    """
    one, half = np.float32(1.0), np.float32(0.5)
    bits = np.int32(np.float32(base).view(np.int32) - np.int32(0x3F3504F3))  # from sqrt(1/2) on
    whole = np.int32(bits >> np.int32(23))
    mantissa = np.int32(np.int32(bits & np.int32(0x7FFFFF)) + np.int32(0x3F3504F3)).view(np.float32)
    s = (mantissa - one) / (mantissa + one)
    square = s * s
    series = one + square * (np.float32(1 / 3) + square * (np.float32(1 / 5) + square * np.float32(1 / 7)))
    x = exponent * (np.float32(whole) + np.float32(2 / math.log(2)) * s * series)
    x = max(x, np.float32(-126.0))
    whole_x = np.floor(x)
    g = (x - whole_x - half) * np.float32(math.log(2))
    series = one + g * np.float32(1 / 5) * (one + g * np.float32(1 / 6) * (one + g * np.float32(1 / 7)))
    series = one + g * np.float32(1 / 2) * (one + g * np.float32(1 / 3) * (one + g * np.float32(1 / 4) * series))
    series = one + g * series
    return (
        series
        * np.float32(math.sqrt(2))
        * np.int32((np.int32(whole_x) + np.int32(127)) << np.int32(23)).view(np.float32)
    )


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST, inline="always")
def texel_color(texture, decoded, u, v):  # type: ignore[no-untyped-def]
    """Bilinear linear RGB of a texture, its texels weighted by alpha, as straight alpha asks for; black where all are clear."""
    zero, one = np.float32(0.0), np.float32(1.0)
    left, right, across = texel_corner(u * np.float32(texture.shape[1]), texture.shape[1])
    top, bottom, down = texel_corner((one - v) * np.float32(texture.shape[0]), texture.shape[0])
    a = (one - down) * (one - across) * np.float32(texture[top, left, 3])
    b = (one - down) * across * np.float32(texture[top, right, 3])
    c = down * (one - across) * np.float32(texture[bottom, left, 3])
    d = down * across * np.float32(texture[bottom, right, 3])
    total = a + b + c + d
    if not total > zero:
        return zero, zero, zero
    total = one / total
    a, b, c, d = a * total, b * total, c * total, d * total
    return (
        a * decoded[texture[top, left, 0]]
        + b * decoded[texture[top, right, 0]]
        + c * decoded[texture[bottom, left, 0]]
        + d * decoded[texture[bottom, right, 0]],
        a * decoded[texture[top, left, 1]]
        + b * decoded[texture[top, right, 1]]
        + c * decoded[texture[bottom, left, 1]]
        + d * decoded[texture[bottom, right, 1]],
        a * decoded[texture[top, left, 2]]
        + b * decoded[texture[top, right, 2]]
        + c * decoded[texture[bottom, left, 2]]
        + d * decoded[texture[bottom, right, 2]],
    )


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def shade_samples(  # type: ignore[no-untyped-def]
    chosen,
    buffer,
    samples,
    triangles,
    screen,
    aligned,
    normals,
    colors,
    uv,
    texture,
    decoded,
    irradiance,
    sources,
    origin,
    specular,
    complement,
    shininess,
    perspective,
    shadow_map,
    shadow_frame,
    color,
):
    """Shades samples one by one and adds their shares to their pixels.

    Args:
        chosen: `[N]` int32 samples: row in the upper half, column in the lower.
        buffer: `[h samples, padded]` int64, see `visibility_numba.buffer_shape`.
        samples: Samples per pixel along one axis.
        triangles: `[T, 3]` int32.
        screen: `[V, 3]` float32, see `forward_geometry.place`.
        aligned: `[V, 3]` float32, the same.
        normals: `[V, 3]` float32 camera-aligned unit normals.
        colors: `[V, 3]` float32 linear albedo.
        uv: `[V, 2]` float32; ignored without a texture.
        texture: `[H, W, 4]` uint8 sRGB and straight alpha, or `[0, 0, 4]` for none.
        decoded: `[256]` float32 linear value of each sRGB byte.
        irradiance: `[10, 3]` float32 coefficients of 1, y, z, x, xy, yz, zz, xz, xx, yy in the environment's irradiance / π.
        sources: `[1 + P, 6]` float32: direction and colour of the parallel light; then for each lamp its place from the model
            frame's origin, and its colour times the square of its distance from there.
        origin: `[4]` float32 the model frame's origin in `aligned`, and millimetres per unit of `aligned`.
        specular: `[3]` float32 mirrored share times (shininess + 2) / 2.
        complement: float32, how far the mirrored share gives way to the albedo.
        shininess: float32 exponent.
        perspective: Kind of the camera.
        shadow_map: Of the parallel light, see `forward_shadow`; `[0, 0]` for none.
        shadow_frame: `[3, 4]` float32, the same.
        color: `[h, w, 3]` float32, to which every sample's light is added, divided by the samples of a pixel.
    """
    zero, one, two = np.float32(0), np.float32(1), np.float32(2)
    share = np.float32(1.0 / (samples * samples))
    shiny = specular[0] > 0 or specular[1] > 0 or specular[2] > 0
    textured, shadowed = texture.shape[0] > 0, shadow_map.shape[0] > 0
    corners_of = triangles.view(np.uint32)
    pixels_per_sample = np.float32(1.0 / samples)
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
        # Counter-clockwise seen from outside is clockwise on the screen, whose y points down.
        facing = -one if u + v + w > 0 else one
        if perspective:
            u *= screen[a, 2]
            v *= screen[b, 2]
            w *= screen[c, 2]
        total = one / (u + v + w)
        u, v, w = u * total, v * total, w * total
        nx = u * normals[a, 0] + v * normals[b, 0] + w * normals[c, 0]
        ny = u * normals[a, 1] + v * normals[b, 1] + w * normals[c, 1]
        nz = u * normals[a, 2] + v * normals[b, 2] + w * normals[c, 2]
        length = facing / np.float32(math.sqrt(max(nx * nx + ny * ny + nz * nz, np.float32(1e-20))))
        nx, ny, nz = nx * length, ny * length, nz * length
        x = u * aligned[a, 0] + v * aligned[b, 0] + w * aligned[c, 0]
        y = u * aligned[a, 1] + v * aligned[b, 1] + w * aligned[c, 1]
        z = u * aligned[a, 2] + v * aligned[b, 2] + w * aligned[c, 2]
        vx, vy, vz = zero, zero, one
        if perspective:
            scale = -one / np.float32(math.sqrt(x * x + y * y + z * z))
            vx, vy, vz = x * scale, y * scale, z * scale
        facing_viewer = nx * vx + ny * vy + nz * vz
        matt_r, matt_g, matt_b = zero, zero, zero
        glossy_r, glossy_g, glossy_b = zero, zero, zero
        for source in range(sources.shape[0]):
            lx, ly, lz, strength = sources[source, 0], sources[source, 1], sources[source, 2], one
            if source > 0:
                lx -= (x - origin[0]) * origin[3]
                ly -= (y - origin[1]) * origin[3]
                lz -= (z - origin[2]) * origin[3]
                squared = lx * lx + ly * ly + lz * lz
                inverse = one / np.float32(math.sqrt(max(squared, np.float32(1e-12))))
                lx, ly, lz, strength = lx * inverse, ly * inverse, lz * inverse, one / max(squared, one)
            facing_light = nx * lx + ny * ly + nz * lz
            if not facing_light > 0:
                continue
            strength *= facing_light
            if shadowed and source == 0:
                strength *= lit_share(shadow_map, shadow_frame, x, y, z, nx, ny, nz)
            matt_r += strength * sources[source, 3]
            matt_g += strength * sources[source, 4]
            matt_b += strength * sources[source, 5]
            mirrored = two * facing_light * facing_viewer - (lx * vx + ly * vy + lz * vz)
            if shiny and facing_viewer >= 0 and mirrored > 0:
                strength *= power(mirrored, shininess)
                glossy_r += strength * sources[source, 3]
                glossy_g += strength * sources[source, 4]
                glossy_b += strength * sources[source, 5]
        red = u * colors[a, 0] + v * colors[b, 0] + w * colors[c, 0]
        green = u * colors[a, 1] + v * colors[b, 1] + w * colors[c, 1]
        blue = u * colors[a, 2] + v * colors[b, 2] + w * colors[c, 2]
        if textured:
            tr, tg, tb = texel_color(
                texture,
                decoded,
                u * uv[a, 0] + v * uv[b, 0] + w * uv[c, 0],
                u * uv[a, 1] + v * uv[b, 1] + w * uv[c, 1],
            )
            red, green, blue = red * tr, green * tg, blue * tb
        matt, glossy, albedo = (matt_r, matt_g, matt_b), (glossy_r, glossy_g, glossy_b), (red, green, blue)
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
            sent = albedo[channel] * (max(diffuse, zero) + matt[channel])
            sent += glossy[channel] * specular[channel] * (one - complement * albedo[channel])
            color[pixel_row, pixel_column, channel] += share * sent
