"""What each sample of an image sees of a scene of several surfaces."""

import zlib
from collections.abc import Callable
from typing import Final

import numpy as np

from trainer.rendering.forward_alpha import draw_with_alpha, is_opaque, periods, thresholds
from trainer.rendering.forward_scene import Scene
from trainer.rendering.forward_scratch import SCRATCH
from trainer.rendering.scene import Surface
from trainer.rendering.visibility_blocks import locate
from trainer.rendering.visibility_numba import NOTHING, buffer_shape, draw

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
    opaque = [_is_opaque(surface) for surface in scene.surfaces]
    for index in (0, *sorted(range(1, len(opaque)), key=lambda other: not opaque[other])):
        surface, first = scene.surfaces[index], int(scene.starts[index])
        triangles = scene.triangles[first : scene.starts[index + 1]]
        front_only = not (surface.two_sided or both_sides)
        if opaque[index]:
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
                thresholds(samples),
                periods(max(height, width), samples),
                np.uint32(samples),
                np.uint32(zlib.crc32(surface.name.encode())),
                width,
                buffer,
            )
        if index == 0 and first_drawn is not None:
            first_drawn(buffer)
    return buffer


def _is_opaque(surface: Surface) -> bool:
    return surface.opacity == 1 and (surface.texture is None or is_opaque(surface.texture))
