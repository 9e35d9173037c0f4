"""Forward-only renderer of data generation: NumPy and numba, no TensorFlow, no gradient; one core, bit for bit repeatable.

It draws what `trainer.rendering.renderer` draws (shading: `trainer.rendering.lighting`), from several samples a pixel, and beyond
that several surfaces, textures with alpha, and the shadow of the parallel light.
"""

import math
import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from trainer import contract
from trainer.rendering import forward_coverage, forward_geometry, forward_shading, forward_shadow, lighting
from trainer.rendering.camera import focal_length
from trainer.rendering.color import srgb_to_linear
from trainer.rendering.forward_scene import Scene, gather
from trainer.rendering.scene import Camera, Light, Surface
from trainer.rendering.visibility_numba import draw, locate, new_buffer, read

_DECODED: Final = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255)).astype(np.float32)
_NO_TEXTURE: Final = np.zeros((0, 0, 4), np.uint8)
_NO_MAP: Final = np.zeros((0, 0), np.float32)
_NO_FRAME: Final = np.zeros((3, 4), np.float32)


class ForwardImage(NamedTuple):
    """A rendered image."""

    color: np.ndarray
    """`[h, w, 3]` float32 linear RGB, over the background (black where none was given); can exceed 1 in highlights."""
    mask: np.ndarray
    """`[h, w]` float32 share of the pixel that the surfaces cover, in [0, 1]."""
    depth: np.ndarray
    """`[h, w]` float32 z of the image frame of the nearest sample, inf where there is none."""
    triangle_ids: np.ndarray
    """`[h, w]` int32 triangle of the nearest sample within its surface, -1 where there is none."""
    surface_ids: np.ndarray
    """`[h, w]` int32 surface of the nearest sample, -1 where there is none."""
    head_depth: np.ndarray
    """`[h, w]` float32 as `depth`, of the first surface alone, as if nothing were in front of it."""


def render_image(
    vertices: np.ndarray,
    colors: np.ndarray,
    triangles: np.ndarray,
    camera: Camera,
    light: Light,
    size: tuple[int, int],
    supersample: int = 2,
    background: np.ndarray | None = None,
) -> ForwardImage:
    """Renders one mesh, both of whose sides are drawn; the other arguments are those of `render_scene`.

    Args:
        vertices: `[V, 3]` model frame, millimetres.
        colors: `[V, 3]` albedo, linear RGB in [0, 1].
        triangles: `[T, 3]` int, counter-clockwise seen from outside.
        camera: One camera (matrix `[3, 4]`).
        light: One light.
        size: Height and width of the image, pixels.
        supersample: Samples per pixel along each axis.
        background: `[h, w, 3]` linear RGB, or None for black.

    Returns:
        The image.

    Raises:
        ValueError: If a shape, an index or a size is wrong.
    """
    return render_scene([Surface("head", vertices, triangles, colors)], camera, light, size, supersample, background)


def render_scene(
    surfaces: Sequence[Surface],
    camera: Camera,
    light: Light,
    size: tuple[int, int],
    supersample: int = 2,
    background: np.ndarray | None = None,
    shadow: bool = False,
) -> ForwardImage:
    """Renders surfaces.

    Args:
        surfaces: The head, then what it wears and what hides it, in any order.
        camera: One camera (matrix `[3, 4]`).
        light: One light.
        size: Height and width of the image, pixels.
        supersample: Samples per pixel along each axis; their colours are averaged in linear light. Alpha is tested for each
            sample by itself (see `forward_coverage`).
        background: `[h, w, 3]` linear RGB, or None for black.
        shadow: Whether the surfaces cast shadows by the parallel light (see `forward_shadow`). Lamps cast none.

    Returns:
        The image.

    Raises:
        ValueError: If a shape, an index or a size is wrong; what belongs to a surface is named with it.
    """
    _validate(camera, light, size, supersample, background)
    scene = gather(surfaces)
    height, width = size
    perspective = camera.kind == contract.PERSPECTIVE
    matrix = np.asarray(camera.matrix, np.float64)
    rotation, shift = matrix[:, :3].astype(np.float32), (matrix[:, 3] * (1, -1, -1)).astype(np.float32)
    focal, center_x, center_y = float(supersample), 0.0, 0.0
    if perspective:
        focal *= float(focal_length(float(camera.field_of_view), height))
        center_x, center_y = supersample * width / 2, supersample * height / 2
    aligned, screen = forward_geometry.place(
        scene.vertices, rotation, shift, np.float32(focal), np.float32(center_x), np.float32(center_y), perspective
    )
    normals = forward_geometry.vertex_normals(aligned, scene.triangles)
    samples_shape = (height * supersample, width * supersample)
    cells = np.empty(len(screen), np.int32)
    locate(screen, *samples_shape, cells)
    buffer = new_buffer(*samples_shape)
    head_depth = np.empty(size, np.float32)
    for index in range(len(surfaces)):
        _draw(scene, index, screen, cells, perspective, supersample, samples_shape[1], buffer)
        if index == 0:
            forward_coverage.nearest_depth(buffer, supersample, perspective, head_depth)
    mask, depth = np.empty(size, np.float32), np.empty(size, np.float32)
    nearest, surface_ids = np.empty(size, np.int32), np.empty(size, np.int32)
    forward_coverage.nearest_depth(buffer, supersample, perspective, depth)
    forward_coverage.nearest_triangle(buffer, scene.starts, supersample, mask, nearest, surface_ids)
    triangle_ids = np.empty(samples_shape, np.int32)
    read(buffer, triangle_ids, np.empty(samples_shape, np.float32))
    shadow_map, shadow_frame = _NO_MAP, _NO_FRAME
    if shadow and np.any(np.asarray(light.color) > 0):
        shadow_map, shadow_frame = _shadow(scene, aligned, np.asarray(light.direction))
    millimetres = 1.0 if perspective else math.sqrt(3.0) / float(np.linalg.norm(matrix[:, :3]))
    color = np.zeros((height, width, 3), np.float32)
    order = np.empty(triangle_ids.size, np.int32)
    offsets = forward_coverage.samples_by_surface(triangle_ids.reshape(-1), scene.starts, order)
    irradiance, sources = irradiance_polynomial(np.asarray(light.harmonics)), _sources(light)
    specular, shininess = np.asarray(light.specular), float(light.shininess)
    for index, surface in enumerate(surfaces):
        if offsets[index] == offsets[index + 1]:
            continue
        forward_shading.shade_samples(
            order[offsets[index] : offsets[index + 1]],
            triangle_ids,
            supersample,
            scene.triangles,
            screen,
            aligned,
            normals,
            scene.colors,
            scene.uv,
            _texture(surface),
            _DECODED,
            irradiance,
            sources,
            np.array([*shift, millimetres], np.float32),
            (specular * (surface.gloss * (shininess + 2) / 2)).astype(np.float32),
            np.float32(0.0 if light.specular_complement is None else light.specular_complement),
            np.float32(shininess),
            perspective,
            shadow_map,
            shadow_frame,
            color,
        )
    if perspective:
        distance = np.float32(matrix[2, 3])
        scale = np.float32(focal / supersample / matrix[2, 3])
        depth, head_depth = (depth - distance) * scale, (head_depth - distance) * scale
    if background is not None:
        color += (1 - mask[..., None]) * np.asarray(background, np.float32)
    return ForwardImage(color, mask, depth, nearest, surface_ids, head_depth)


def irradiance_polynomial(harmonics: np.ndarray) -> np.ndarray:
    """An environment's irradiance / π as a polynomial of the normal.

    Args:
        harmonics: `[9, 3]` radiance coefficients.

    Returns:
        `[10, 3]` float32 coefficients of 1, y, z, x, xy, yz, zz, xz, xx, yy.
    """
    band_1, mixed = lighting.TRANSFER[1] * lighting.BAND_1, lighting.TRANSFER[2] * lighting.BAND_2_MIXED
    zonal = lighting.TRANSFER[2] * lighting.BAND_2_ZONAL * harmonics[6]
    difference = lighting.TRANSFER[2] * lighting.BAND_2_DIFFERENCE * harmonics[8]
    rows = (
        lighting.TRANSFER[0] * lighting.BAND_0 * harmonics[0] - zonal,
        *(band_1 * harmonics[index] for index in (1, 2, 3)),
        *(mixed * harmonics[index] for index in (4, 5)),
        3 * zonal,
        mixed * harmonics[7],
        difference,
        -difference,
    )
    return (np.stack(rows) / math.pi).astype(np.float32)


def _sources(light: Light) -> np.ndarray:
    """`[1 + P, 6]` float32, see `forward_shading.shade_samples`."""
    rows = [np.concatenate([np.asarray(light.direction), np.asarray(light.color)])[None]]
    if light.lamp_positions is not None:
        places, colors = np.asarray(light.lamp_positions, np.float64), np.asarray(light.lamp_colors, np.float64)
        rows.append(np.concatenate([places, colors * np.square(places).sum(axis=1, keepdims=True)], axis=1))
    return np.concatenate(rows).astype(np.float32)


def _texture(surface: Surface) -> np.ndarray:
    return _NO_TEXTURE if surface.texture is None else surface.texture


def _draw(
    scene: Scene,
    index: int,
    screen: np.ndarray,
    cells: np.ndarray,
    perspective: bool,
    supersample: int,
    width: int,
    buffer: np.ndarray,
    front_only: bool | None = None,
) -> None:
    """Draws one surface of a scene into the buffers of an image or a shadow map."""
    surface, first = scene.surfaces[index], int(scene.starts[index])
    triangles = scene.triangles[first : scene.starts[index + 1]]
    front_only = not surface.two_sided if front_only is None else front_only
    if surface.texture is None and surface.opacity == 1:
        draw(screen, cells, triangles, first, front_only, width, buffer)
        return
    forward_coverage.draw_with_alpha(
        screen,
        cells,
        triangles,
        first,
        scene.uv,
        _texture(surface),
        np.float32(surface.opacity),
        perspective,
        front_only,
        supersample,
        np.uint32(zlib.crc32(surface.name.encode())),
        width,
        buffer,
    )


def _shadow(scene: Scene, aligned: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Depth map of the parallel light, and its frame."""
    head = scene.surfaces[0]
    frame = forward_shadow.light_frame(direction, aligned[: len(head.vertices)])
    placed = np.empty_like(aligned)
    forward_shadow.place_in_map(aligned, frame, placed)
    shape = (forward_shadow.SIZE, forward_shadow.SIZE)
    cells = np.empty(len(placed), np.int32)
    locate(placed, *shape, cells)
    buffer = new_buffer(*shape)
    for index in range(len(scene.surfaces)):
        _draw(scene, index, placed, cells, False, 1, forward_shadow.SIZE, buffer, front_only=False)
    depth = np.empty(shape, np.float32)
    read(buffer, np.empty(shape, np.int32), depth)
    return depth, frame


def _validate(
    camera: Camera, light: Light, size: tuple[int, int], supersample: int, background: np.ndarray | None
) -> None:
    if tuple(camera.matrix.shape) != (3, 4):
        raise ValueError(f"`camera` must be one camera, its matrix [3, 4]. Received: {tuple(camera.matrix.shape)}")
    if np.ndim(light.direction) != 1:
        raise ValueError(f"`light` must be one light, its direction [3]. Received: {tuple(light.direction.shape)}")
    if min(size) < 1 or supersample < 1:
        raise ValueError(f"`size` and `supersample` must be positive. Received: {size} and {supersample}")
    if background is not None and background.shape != (*size, 3):
        raise ValueError(f"`background` must be [{size[0]}, {size[1]}, 3]. Received: {background.shape}")
