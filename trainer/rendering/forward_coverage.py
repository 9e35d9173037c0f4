"""Which triangle each sample of a pixel sees where surfaces have holes: textures with alpha, and glass.

Alpha to coverage: a surface of alpha a covers the share a of a pixel's samples. Each of the n samples of a pixel has a threshold
in a stratum of its own, [k / n, (k + 1) / n); where in it, and which sample has which stratum, changes from pixel to pixel by a
sequence that spreads evenly over the plane (Roberts' R2), so that neighbouring pixels make up for what n samples cannot show.
"""

import zlib
from collections.abc import Callable
from typing import Final

import numba
import numpy as np

from trainer.rendering.forward_scene import Scene
from trainer.rendering.forward_scratch import SCRATCH
from trainer.rendering.visibility_numba import NOTHING, ROUNDING, box_of, buffer_shape, draw, key_of, locate

NO_TEXTURE: Final = np.zeros((0, 0, 4), np.uint8)


def see(
    scene: Scene,
    screen: np.ndarray,
    perspective: bool,
    samples: int,
    height: int,
    width: int,
    both_sides: bool = False,
    first_drawn: Callable[[np.ndarray], None] | None = None,
) -> np.ndarray:
    """Draws all surfaces of a scene.

    Args:
        scene: The surfaces.
        screen: `[V, 3]` float32 where their vertices lie, see `forward_geometry.place`.
        perspective: Kind of the camera.
        samples: Samples per pixel along one axis.
        height: Of the image, samples.
        width: Of the image, samples.
        both_sides: Draw both sides of surfaces of which the camera sees one.
        first_drawn: Called with the buffer when the first surface, but no other, has been drawn.

    Returns:
        The buffer, see `visibility_numba.buffer_shape`. It is scratch: the next call overwrites it.
    """
    buffer = SCRATCH.take("buffer", buffer_shape(height, width), np.int64)
    buffer.fill(NOTHING)
    cells = SCRATCH.take("cells", (len(screen),), np.int32)
    locate(screen, height, width, cells)
    # What is opaque comes first: behind it no alpha needs to be looked up.
    others = range(1, len(scene.surfaces))
    for index in (0, *sorted(others, key=lambda other: not _is_opaque(scene, other))):
        surface, first = scene.surfaces[index], int(scene.starts[index])
        triangles = scene.triangles[first : scene.starts[index + 1]]
        front_only = not (surface.two_sided or both_sides)
        if _is_opaque(scene, index):
            draw(screen, cells, triangles, first, front_only, width, buffer)
        else:
            draw_with_alpha(
                screen,
                cells,
                triangles,
                first,
                scene.uv,
                NO_TEXTURE if surface.texture is None else surface.texture,
                np.float32(surface.opacity),
                perspective,
                front_only,
                samples,
                np.uint32(zlib.crc32(surface.name.encode())),
                width,
                buffer,
            )
        if index == 0 and first_drawn is not None:
            first_drawn(buffer)
    return buffer


def _is_opaque(scene: Scene, index: int) -> bool:
    surface = scene.surfaces[index]
    return surface.opacity == 1 and surface.texture is None


@numba.njit(cache=True, nogil=True, inline="always")
def _threshold(row, column, samples, seed):  # type: ignore[no-untyped-def]
    """Alpha above which the sample sees the surface, float32 in [0, 1)."""
    pixel_row, pixel_column = np.uint32(row // samples), np.uint32(column // samples)
    turned = np.uint32(np.uint32(pixel_column * np.uint32(3242174889)) + np.uint32(pixel_row * np.uint32(2447445413)))
    turned = np.uint32(turned + np.uint32(seed))
    mixed = np.uint32((turned ^ np.uint32(turned >> np.uint32(15))) * np.uint32(0x2C1B3C6D))
    mixed = np.uint32(mixed ^ np.uint32(mixed >> np.uint32(12)))
    count = samples * samples
    within = (row % samples) * samples + column % samples
    stratum = (within + np.int64(mixed % np.uint32(count))) % count
    return (np.float32(stratum) + np.float32(turned >> np.uint32(8)) * np.float32(2.0**-24)) / np.float32(count)


@numba.njit(cache=True, nogil=True, inline="always")
def texel_corner(position, size):  # type: ignore[no-untyped-def]
    """First texel and the second's weight along one axis; `position` in texels, 0 at the first texel's near edge."""
    position = min(max(position - np.float32(0.5), np.float32(0.0)), np.float32(size - 1))
    first = int(position)
    return first, min(first + 1, size - 1), position - np.float32(first)


@numba.njit(cache=True, nogil=True, inline="always")
def _texture_alpha(texture, u, v):  # type: ignore[no-untyped-def]
    """Bilinear alpha in [0, 1]; outside the texture its border."""
    left, right, across = texel_corner(u * np.float32(texture.shape[1]), texture.shape[1])
    top, bottom, down = texel_corner((np.float32(1.0) - v) * np.float32(texture.shape[0]), texture.shape[0])
    upper = np.float32(texture[top, left, 3]) * (np.float32(1.0) - across) + np.float32(texture[top, right, 3]) * across
    lower = np.float32(texture[bottom, left, 3]) * (np.float32(1.0) - across)
    lower += np.float32(texture[bottom, right, 3]) * across
    return (upper * (np.float32(1.0) - down) + lower * down) * np.float32(1.0 / 255.0)


@numba.njit(cache=True, nogil=True)
def draw_with_alpha(  # type: ignore[no-untyped-def]
    screen, cells, triangles, first, uv, texture, opacity, perspective, front_only, samples, seed, width, buffer
):
    """Draws one surface into a buffer, alpha-tested; otherwise as `visibility_numba.draw`.

    Args:
        screen: `[V, 3]` float32, see `forward_geometry.place`.
        cells: `[V]` int32 of `visibility_numba.locate`.
        triangles: `[T, 3]` int32 indices of this surface's triangles into `screen`.
        first: Number that the first triangle gets in the buffer.
        uv: `[V, 2]` float32 in [0, 1], v upwards, of all vertices; ignored without a texture.
        texture: `[H, W, 4]` uint8, or `[0, 0, 4]` for none.
        opacity: float32 factor on alpha.
        perspective: Kind of the camera.
        front_only: Leave out what is seen from behind.
        samples: Samples per pixel along one axis.
        seed: uint32 of the thresholds; surfaces of different seeds cover independently.
        width: Of the image, samples.
        buffer: `[h samples, padded]` int64, see `visibility_numba.buffer_shape`.
    """
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    textured = texture.shape[0] > 0
    corners_of = triangles.view(np.uint32)
    for triangle in range(triangles.shape[0]):
        a, b, c = corners_of[triangle, 0], corners_of[triangle, 1], corners_of[triangle, 2]
        first_x, last_x, first_y, last_y = box_of(cells[a], cells[b], cells[c])
        if first_x > last_x or first_y > last_y or last_x >= width:
            continue
        ax, ay, az = screen[a, 0], screen[a, 1], screen[a, 2]
        bx, by, bz = screen[b, 0], screen[b, 1], screen[b, 2]
        cx, cy, cz = screen[c, 0], screen[c, 1], screen[c, 2]
        first_term, second_term = (bx - ax) * (cy - ay), (by - ay) * (cx - ax)
        area = first_term - second_term
        if abs(area) <= ROUNDING * (abs(first_term) + abs(second_term)) or (front_only and area > 0):
            continue
        side = one if area > 0 else -one
        size = abs(area)
        nearest, farthest = min(az, bz, cz), max(az, bz, cz)
        number = first + triangle
        # Layers of one surface over each other cover independently, too.
        own_seed = seed
        if textured:
            own_seed = np.uint32(seed + np.uint32(np.uint32(triangle) * np.uint32(2654435769)))
        for row in range(first_y, last_y + 1):
            py = np.float32(row) + half
            ady, bdy, cdy = (ay - py) * side, (by - py) * side, (cy - py) * side
            for column in range(first_x, last_x + 1):
                px = np.float32(column) + half
                adx, bdx, cdx = ax - px, bx - px, cx - px
                u = bdx * cdy - bdy * cdx
                v = cdx * ady - cdy * adx
                w = adx * bdy - ady * bdx
                if (u >= zero) & (v >= zero) & (w >= zero):
                    z = (u * az + v * bz + w * cz) / size
                    z = z if z > nearest else nearest
                    z = z if z < farthest else farthest
                    key = key_of(z, number)
                    if key >= buffer[row, column]:
                        continue
                    alpha = opacity
                    if textured:
                        if perspective:
                            u, v, w = u * az, v * bz, w * cz
                        total = one / (u + v + w)
                        alpha *= _texture_alpha(
                            texture,
                            (u * uv[a, 0] + v * uv[b, 0] + w * uv[c, 0]) * total,
                            (u * uv[a, 1] + v * uv[b, 1] + w * uv[c, 1]) * total,
                        )
                    if alpha > _threshold(row, column, samples, own_seed):
                        buffer[row, column] = key
