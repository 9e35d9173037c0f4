"""Which samples of a pixel see a surface with holes in it: textures with alpha, and glass.

Alpha to coverage: a surface of alpha a covers the share a of a pixel's samples. Each of the n samples of a pixel has a threshold
in a stratum of its own, [k / n, (k + 1) / n); where in it, and which sample has which stratum, changes from pixel to pixel by a
sequence that spreads evenly over the plane (Roberts' R2), so that neighbouring pixels make up for what n samples cannot show.
"""

import functools
from typing import Final

import numba
import numpy as np

from trainer.rendering.visibility_blocks import BLOCK, CANDIDATES, box_of, collect, depths
from trainer.rendering.visibility_numba import LANES, NOTHING, key_of, prepare, test_row

PERIOD: Final = 32
"""Pixels after which thresholds repeat."""

_HITS = 4 * CANDIDATES
"""Samples that are collected before their alpha is looked up."""

_MISSED = np.int64(0x7F800000 << 32)
"""The least key of z = inf."""


@functools.lru_cache(maxsize=8)
def thresholds(samples: int) -> np.ndarray:
    """Alphas above which samples see a surface.

    Args:
        samples: Per pixel along one axis.

    Returns:
        `[2 n, 2 n]` float32 in [0, 1), n = samples · `PERIOD`: one period and its repetition, so that it can be looked up at an
        offset of whole pixels.
    """
    place = np.arange(2 * samples * PERIOD) % (samples * PERIOD)
    pixel, within = (place // samples).astype(np.uint32), place % samples
    turned = pixel[None, :] * np.uint32(3242174889) + pixel[:, None] * np.uint32(2447445413)
    mixed = (turned ^ (turned >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    mixed ^= mixed >> np.uint32(12)
    count = samples * samples
    stratum = (within[:, None] * samples + within[None, :] + mixed % np.uint32(count)) % count
    result = ((stratum + (turned >> np.uint32(8)) * 2.0**-24) / count).astype(np.float32)
    result.flags.writeable = False
    return result


@functools.lru_cache(maxsize=8)
def periods(length: int, samples: int) -> np.ndarray:
    """`[length]` int32 places of rows or columns within the period of `thresholds`."""
    result = (np.arange(length) % (samples * PERIOD)).astype(np.int32)
    result.flags.writeable = False
    return result


@numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")
def texel_corner(position, size):  # type: ignore[no-untyped-def]
    """First texel, second texel and the second's weight along one axis; `position` in texels, 0 at the first's near edge."""
    position = min(max(position - np.float32(0.5), np.float32(0.0)), np.float32(size - 1))
    first = np.uint32(position)
    return first, np.uint32(min(np.uint32(first + np.uint32(1)), np.uint32(size - 1))), position - np.float32(first)


@numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _texture_alpha(texture, u, v):  # type: ignore[no-untyped-def]
    """Bilinear alpha in [0, 1]; outside the texture its border."""
    one = np.float32(1.0)
    left, right, across = texel_corner(u * np.float32(texture.shape[1]), texture.shape[1])
    top, bottom, down = texel_corner((one - v) * np.float32(texture.shape[0]), texture.shape[0])
    upper = np.float32(texture[top, left, 3]) * (one - across) + np.float32(texture[top, right, 3]) * across
    lower = np.float32(texture[bottom, left, 3]) * (one - across) + np.float32(texture[bottom, right, 3]) * across
    return (upper * (one - down) + lower * down) * np.float32(1.0 / 255.0)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _draw_hits(  # type: ignore[no-untyped-def]
    pixels,
    keys,
    count,
    first,
    corners_of,
    screen,
    uv,
    texture,
    opacity,
    perspective,
    levels,
    period,
    samples,
    seed,
    buffer,
):
    """Draws those samples of triangles that are still the nearest and whose alpha is above the sample's threshold."""
    half, one, textured = np.float32(0.5), np.float32(1.0), texture.shape[0] > 0
    down, across = np.uint32(np.uint32(seed) >> np.uint32(27)), np.uint32(np.uint32(seed) >> np.uint32(22))
    for index in range(count):
        row, column = np.uint32(pixels[index] >> np.int32(16)), np.uint32(pixels[index] & np.int32(0xFFFF))
        alpha = opacity
        if textured:
            triangle = np.uint32(np.int32(keys[index]) - first)
            # Layers of one surface over each other cover independently, too; glass is even.
            own_seed = np.uint32(np.uint32(seed ^ triangle) * np.uint32(2654435769))
            down, across = np.uint32(own_seed >> np.uint32(27)), np.uint32(own_seed >> np.uint32(22))
            a, b, c = corners_of[triangle, 0], corners_of[triangle, 1], corners_of[triangle, 2]
            px, py = np.float32(column) + half, np.float32(row) + half
            adx, ady = screen[a, 0] - px, screen[a, 1] - py
            bdx, bdy = screen[b, 0] - px, screen[b, 1] - py
            cdx, cdy = screen[c, 0] - px, screen[c, 1] - py
            u, v, w = bdx * cdy - bdy * cdx, cdx * ady - cdy * adx, adx * bdy - ady * bdx
            if perspective:
                u, v, w = u * screen[a, 2], v * screen[b, 2], w * screen[c, 2]
            total = one / (u + v + w)
            alpha *= _texture_alpha(
                texture,
                (u * uv[a, 0] + v * uv[b, 0] + w * uv[c, 0]) * total,
                (u * uv[a, 1] + v * uv[b, 1] + w * uv[c, 1]) * total,
            )
        x = np.uint32(np.uint32(period[column]) + np.uint32(samples * np.uint32(across & np.uint32(PERIOD - 1))))
        y = np.uint32(np.uint32(period[row]) + np.uint32(samples * down))
        seen = buffer[row, column]
        buffer[row, column] = min(seen, keys[index]) if alpha > levels[y, x] else seen


@numba.njit(cache=True, nogil=True)
def draw_with_alpha(  # type: ignore[no-untyped-def]
    screen,
    cells,
    triangles,
    first,
    uv,
    texture,
    opacity,
    perspective,
    front_only,
    levels,
    period,
    samples,
    seed,
    width,
    buffer,
):
    """Draws one surface into a buffer, alpha-tested; otherwise as `visibility_numba.draw`.

    Args:
        screen: `[V, 3]` float32, see `forward_geometry.place`.
        cells: `[V]` int32 of `visibility_blocks.locate`.
        triangles: `[T, 3]` int32 indices of this surface's triangles into `screen`.
        first: Number that the first triangle gets in the buffer.
        uv: `[V, 2]` float32 in [0, 1], v upwards, of all vertices; ignored without a texture.
        texture: `[H, W, 4]` uint8, or `[0, 0, 4]` for none.
        opacity: float32 factor on alpha.
        perspective: Kind of the camera.
        front_only: Leave out what is seen from behind.
        levels: `[2 n, 2 n]` float32 of `thresholds`.
        period: `[at least H, W]` int32 of `periods`.
        samples: uint32 samples per pixel along one axis.
        seed: uint32; surfaces of different seeds cover independently.
        width: Of the image, samples.
        buffer: `[h samples, padded]` int64, see `visibility_numba.buffer_shape`.
    """
    corners_of = triangles.view(np.uint32)
    corners, larger = np.empty(5 * BLOCK, np.int32), np.empty(BLOCK, np.uint32)
    pixels, owners = np.empty(CANDIDATES, np.int32), np.empty(CANDIDATES, np.uint32)
    places, lanes = np.empty(10 * CANDIDATES, np.float32), np.empty(LANES, np.int64)
    hit_pixels, hit_keys, hits = np.empty(_HITS, np.int32), np.empty(_HITS, np.int64), np.uint32(0)
    flat, stride = buffer.reshape(-1), np.uint32(buffer.shape[1])
    shading = (corners_of, screen, uv, texture, opacity, perspective, levels, period, samples, seed, buffer)
    for start in range(0, triangles.shape[0], BLOCK):
        length = min(BLOCK, triangles.shape[0] - start)
        count, larger_count = collect(
            cells, corners_of, start, length, np.int32(width), corners, pixels, owners, larger
        )
        depths(screen, corners_of, owners, pixels, count, front_only, places)
        if hits > _HITS - CANDIDATES:
            _draw_hits(hit_pixels, hit_keys, np.int64(hits), first, *shading)
            hits = np.uint32(0)
        for index in range(count):
            pixel = np.uint32(pixels[index])
            at = np.uint32(np.uint32(pixel & np.uint32(0xFFFF)) + np.uint32(np.uint32(pixel >> np.uint32(16)) * stride))
            key = key_of(places[9 * CANDIDATES + index], first + np.int64(owners[index]))
            # Written in any case, kept where the count moves on. What missed has z = inf, and never is the nearest of anything.
            hit_pixels[hits], hit_keys[hits] = pixels[index], key
            hits = np.uint32(hits + np.uint32((key < flat[at]) & (key < _MISSED)))
        for index in range(larger_count):
            which = larger[index]
            owner = np.uint32(start + which)
            shape = prepare(screen, corners_of[owner, 0], corners_of[owner, 1], corners_of[owner, 2], front_only)
            if shape[0] == 0:
                continue
            first_x, last_x, first_y, last_y = box_of(
                corners[which], corners[BLOCK + which], corners[2 * BLOCK + which]
            )
            for row in range(first_y, last_y + 1):
                for begin in range(first_x, last_x + 1, LANES):
                    lanes[:] = NOTHING
                    test_row(shape, row, begin, last_x, first + np.int64(owner), lanes, np.uint64(0))
                    if hits > _HITS - CANDIDATES:
                        _draw_hits(hit_pixels, hit_keys, np.int64(hits), first, *shading)
                        hits = np.uint32(0)
                    at = np.uint32(np.uint32(row) * stride + np.uint32(begin))
                    for lane in range(LANES):
                        hit_pixels[hits], hit_keys[hits] = (row << 16) | (begin + lane), lanes[lane]
                        hits = np.uint32(hits + np.uint32(lanes[lane] < flat[np.uint32(at + np.uint32(lane))]))
    _draw_hits(hit_pixels, hit_keys, np.int64(hits), first, *shading)
