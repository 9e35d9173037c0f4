"""What each sample of an image sees of a scene of several surfaces."""

import zlib
from collections.abc import Callable
from typing import Final

import numpy as np

from trainer.rendering.forward_alpha import draw_with_alpha, periods, thresholds
from trainer.rendering.forward_scene import Scene
from trainer.rendering.forward_scratch import SCRATCH
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
    for index in range(len(scene.surfaces)):
        _draw_solid(scene, index, screen, cells, both_sides, width, buffer)
        if index == 0:
            _draw_holed(scene, index, screen, cells, perspective, samples, both_sides, height, width, buffer)
            if first_drawn is not None:
                first_drawn(buffer)
    # What has holes comes last, from the front: behind something else no alpha needs to be looked up.
    for index in sorted(range(1, len(scene.surfaces)), key=lambda other: _nearest(scene, other, screen)):
        _draw_holed(scene, index, screen, cells, perspective, samples, both_sides, height, width, buffer)
    return buffer


def _nearest(scene: Scene, index: int, screen: np.ndarray) -> float:
    """A surface's least z; what lies behind the camera does not count."""
    own = screen[scene.vertex_starts[index] : scene.vertex_starts[index + 1], 2]
    return float(np.fmin.reduce(own, initial=np.inf))


def _draw_solid(
    scene: Scene, index: int, screen: np.ndarray, cells: np.ndarray, both_sides: bool, width: int, buffer: np.ndarray
) -> None:
    """Draws a surface's triangles without holes."""
    first, count = int(scene.starts[index]), scene.holes[index][0]
    if count:
        front_only = not (scene.surfaces[index].two_sided or both_sides)
        draw(screen, cells, scene.triangles[first : first + count], first, front_only, width, buffer)


def _draw_holed(
    scene: Scene,
    index: int,
    screen: np.ndarray,
    cells: np.ndarray,
    perspective: bool,
    samples: int,
    both_sides: bool,
    height: int,
    width: int,
    buffer: np.ndarray,
) -> None:
    """Draws a surface's triangles that may have holes."""
    surface, start = scene.surfaces[index], int(scene.starts[index])
    first, last = (start + count for count in scene.holes[index])
    if first == last:
        return
    draw_with_alpha(
        screen,
        cells,
        scene.triangles[first:last],
        first,
        scene.uv,
        NO_TEXTURE if surface.texture is None else surface.texture,
        np.float32(surface.opacity),
        perspective,
        not (surface.two_sided or both_sides),
        thresholds(samples),
        periods(max(height, width), samples),
        np.uint32(samples),
        np.uint32(zlib.crc32(surface.name.encode())),
        width,
        buffer,
    )
