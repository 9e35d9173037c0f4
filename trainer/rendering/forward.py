"""Forward-only renderer of data generation: NumPy and numba, no TensorFlow, no gradient; one core, bit for bit repeatable.

It draws what `trainer.rendering.renderer` draws (shading: `trainer.rendering.lighting`), from several samples a pixel, and beyond
that several surfaces, textures with alpha, and the shadow of the parallel light.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from trainer import contract
from trainer.rendering import (
    forward_geometry,
    forward_resolve,
    forward_shading,
    forward_shadow,
    forward_vertex_shading,
    lighting,
)
from trainer.rendering.camera import focal_length
from trainer.rendering.color import srgb_to_linear
from trainer.rendering.forward_coverage import NO_TEXTURE, see
from trainer.rendering.forward_scene import gather
from trainer.rendering.forward_scratch import SCRATCH
from trainer.rendering.scene import HARMONICS_COUNT, Camera, Light, Surface

SHADINGS: Final = ("sample", "vertex")

_DECODED: Final = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255)).astype(np.float32)
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
    shading: str = "sample",
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
        shading: `sample`: every sample by its own normal. `vertex`: light is computed at the vertices and interpolated, and a
            texture's nearest texel taken; faster, and right where a mesh is about as fine as the samples, as heads are.

    Returns:
        The image.

    Raises:
        ValueError: If a shape, an index, a size or the shading is wrong; what belongs to a surface is named with it.
    """
    _validate(camera, light, size, supersample, background, shading)
    scene = gather(surfaces)
    height, width = size
    view = _View.of(camera, size, supersample)
    aligned = SCRATCH.take("aligned", scene.vertices.shape, np.float32)
    screen = SCRATCH.take("screen", scene.vertices.shape, np.float32)
    normals = SCRATCH.take("normals", scene.vertices.shape, np.float32)
    forward_geometry.place(
        scene.vertices, view.rotation, view.shift, *view.projection, view.perspective, aligned, screen
    )
    forward_geometry.vertex_normals(aligned, scene.triangles, normals)
    head_depth, depth, mask = (np.empty(size, np.float32) for _ in range(3))
    triangle_ids, surface_ids = np.empty(size, np.int32), np.empty(size, np.int32)
    shadow_map, shadow_frame = _NO_MAP, _NO_FRAME
    if shadow and np.any(np.asarray(light.color) > 0):
        shadow_map, shadow_frame = forward_shadow.cast(scene, aligned, view.origin, np.asarray(light.direction))
    depth_units = (supersample, view.perspective, view.distance, view.scale)
    buffer = see(
        scene,
        screen,
        view.perspective,
        supersample,
        height * supersample,
        width * supersample,
        first_drawn=lambda drawn: forward_resolve.nearest_depth(drawn, *depth_units, head_depth),
    )
    counts = np.empty(len(surfaces), np.int64)
    order = SCRATCH.take("order", (len(surfaces), height * width * supersample**2), np.int32)
    forward_resolve.resolve(
        buffer, scene.starts, scene.order, *depth_units, mask, depth, triangle_ids, surface_ids, order, counts
    )
    color = np.zeros((height, width, 3), np.float32)
    irradiance, sources = irradiance_polynomial(np.asarray(light.harmonics)), _sources(light)
    shininess = np.float32(light.shininess)
    mirrored = np.asarray(light.specular, np.float32) * ((shininess + 2) / 2)
    complement = np.float32(0.0 if light.specular_complement is None else light.specular_complement)
    matt = SCRATCH.take("matt", scene.vertices.shape, np.float32)
    glossy = SCRATCH.take("glossy", scene.vertices.shape, np.float32)
    work = SCRATCH.take("work", (2 * len(scene.vertices),), np.float32)
    behind = SCRATCH.take("behind", order.shape[1:], np.int32)
    seen = (buffer, supersample, scene.triangles, screen)
    for index in np.flatnonzero(counts):
        surface, chosen = surfaces[index], order[index, : counts[index]]
        own = slice(scene.vertex_starts[index], scene.vertex_starts[index + 1])
        texture = NO_TEXTURE if surface.texture is None else surface.texture
        specular = mirrored * np.float32(surface.gloss)
        lit = (
            irradiance,
            sources,
            view.origin,
            specular,
            complement,
            shininess,
            view.perspective,
            shadow_map,
            shadow_frame,
        )
        colored = (scene.uv, texture, _DECODED)
        # Where the highlight depends on a texture, there is none at the vertices.
        if shading == "vertex" and not (len(texture) and complement > 0):
            forward_vertex_shading.light_vertices(
                aligned[own],
                normals[own],
                scene.colors[own],
                *lit,
                len(texture) > 0,
                work,
                matt[own],
                glossy[own],
            )
            left = forward_vertex_shading.interpolate(
                chosen, *seen, matt, glossy, *colored, view.perspective, color, behind
            )
            chosen = behind[:left]
        if len(chosen):
            forward_shading.shade_samples(chosen, *seen, aligned, normals, scene.colors, *colored, *lit, color)
    if background is not None:
        forward_resolve.put_behind(color, mask, np.asarray(background, np.float32))
    return ForwardImage(color, mask, depth, triangle_ids, surface_ids, head_depth)


def irradiance_polynomial(harmonics: np.ndarray) -> np.ndarray:
    """An environment's irradiance / π as a polynomial of the normal.

    Args:
        harmonics: `[9, 3]` radiance coefficients.

    Returns:
        `[10, 3]` float32 coefficients of 1, y, z, x, xy, yz, zz, xz, xx, yy.
    """
    return (_POLYNOMIAL @ harmonics).astype(np.float32)


def _polynomial() -> np.ndarray:
    """`[10, 9]`: what each harmonic adds to each coefficient."""
    band_1, mixed = lighting.TRANSFER[1] * lighting.BAND_1, lighting.TRANSFER[2] * lighting.BAND_2_MIXED
    zonal = lighting.TRANSFER[2] * lighting.BAND_2_ZONAL
    difference = lighting.TRANSFER[2] * lighting.BAND_2_DIFFERENCE
    matrix = np.zeros((10, HARMONICS_COUNT))
    matrix[0, 0], matrix[0, 6], matrix[6, 6] = lighting.TRANSFER[0] * lighting.BAND_0, -zonal, 3 * zonal
    matrix[1, 1] = matrix[2, 2] = matrix[3, 3] = band_1
    matrix[4, 4] = matrix[5, 5] = matrix[7, 7] = mixed
    matrix[8, 8], matrix[9, 8] = difference, -difference
    return matrix / math.pi


_POLYNOMIAL: Final = _polynomial()


class _View(NamedTuple):
    """A camera in the numbers that the compiled loops take."""

    perspective: bool
    rotation: np.ndarray
    """`[3, 3]` float32."""
    shift: np.ndarray
    """`[3]` float32 the model frame's origin in the camera-aligned model frame."""
    projection: tuple[np.float32, np.float32, np.float32]
    """`focal`, `center_x` and `center_y` of `forward_geometry.place`."""
    origin: np.ndarray
    """`[4]` float32 `shift`, and millimetres per unit of the camera-aligned frame."""
    distance: np.float32
    """Of the model frame's origin from a perspective camera, millimetres."""
    scale: np.float32
    """Pixels per millimetre at the origin; perspective only."""

    @classmethod
    def of(cls, camera: Camera, size: tuple[int, int], supersample: int) -> "_View":
        """Of a camera, and an image's height and width."""
        perspective = camera.kind == contract.PERSPECTIVE
        matrix = np.asarray(camera.matrix, np.float64)
        shift = matrix[:, 3] * (1, -1, -1)
        focal, center_x, center_y, distance, millimetres = float(supersample), 0.0, 0.0, 1.0, 1.0
        if perspective:
            distance = float(matrix[2, 3])
            focal *= float(focal_length(float(camera.field_of_view), size[0]))
            center_x, center_y = supersample * size[1] / 2, supersample * size[0] / 2
        else:
            millimetres = math.sqrt(3.0) / max(float(np.linalg.norm(matrix[:, :3])), 1e-30)
        return cls(
            perspective,
            matrix[:, :3].astype(np.float32),
            shift.astype(np.float32),
            (np.float32(focal), np.float32(center_x), np.float32(center_y)),
            np.array([*shift, millimetres], np.float32),
            np.float32(distance),
            np.float32(focal / supersample / distance),
        )


def _sources(light: Light) -> np.ndarray:
    """`[1 + P, 6]` float32, see `forward_shading.shade_samples`."""
    rows = [np.concatenate([np.asarray(light.direction), np.asarray(light.color)])[None]]
    if light.lamp_positions is not None:
        places, colors = np.asarray(light.lamp_positions, np.float64), np.asarray(light.lamp_colors, np.float64)
        rows.append(np.concatenate([places, colors * np.square(places).sum(axis=1, keepdims=True)], axis=1))
    return np.concatenate(rows).astype(np.float32)


def _validate(
    camera: Camera,
    light: Light,
    size: tuple[int, int],
    supersample: int,
    background: np.ndarray | None,
    shading: str,
) -> None:
    if shading not in SHADINGS:
        raise ValueError(f"`shading` must be one of {SHADINGS}. Received: {shading!r}")
    if tuple(camera.matrix.shape) != (3, 4):
        raise ValueError(f"`camera` must be one camera, its matrix [3, 4]. Received: {tuple(camera.matrix.shape)}")
    if np.ndim(light.direction) != 1:
        raise ValueError(f"`light` must be one light, its direction [3]. Received: {tuple(light.direction.shape)}")
    if min(size) < 1 or supersample < 1:
        raise ValueError(f"`size` and `supersample` must be positive. Received: {size} and {supersample}")
    if background is not None and background.shape != (*size, 3):
        raise ValueError(f"`background` must be [{size[0]}, {size[1]}, 3]. Received: {background.shape}")
