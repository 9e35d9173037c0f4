"""Forward-only renderer of data generation: NumPy and numba, no TensorFlow, no gradient; one core, bit for bit repeatable.

It draws what `trainer.rendering.renderer` draws (shading: `trainer.rendering.lighting`), from several samples a pixel.
"""

import math
from typing import NamedTuple

import numpy as np

from trainer import contract
from trainer.rendering import forward_kernels, lighting
from trainer.rendering.camera import focal_length
from trainer.rendering.scene import Camera, Light
from trainer.rendering.visibility_numba import rasterize_into


class ForwardImage(NamedTuple):
    """A rendered image."""

    color: np.ndarray
    """`[h, w, 3]` float32 linear RGB, over the background (black where none was given); can exceed 1 in highlights."""
    mask: np.ndarray
    """`[h, w]` float32 share of the pixel that the mesh covers, in [0, 1]."""
    depth: np.ndarray
    """`[h, w]` float32 z of the image frame of the nearest sample, inf where there is none."""
    triangle_ids: np.ndarray
    """`[h, w]` int32 triangle of the nearest sample, -1 where there is none."""


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
    """Renders one mesh.

    Args:
        vertices: `[V, 3]` model frame, millimetres.
        colors: `[V, 3]` albedo, linear RGB in [0, 1].
        triangles: `[T, 3]` int, counter-clockwise seen from outside; both sides are drawn.
        camera: One camera (matrix `[3, 4]`).
        light: One light.
        size: Height and width of the image, pixels.
        supersample: Samples per pixel along each axis; their colours are averaged in linear light.
        background: `[h, w, 3]` linear RGB, or None for black.

    Returns:
        The image.

    Raises:
        ValueError: If a shape, an index or a size is wrong.
    """
    height, width = size
    vertices = np.ascontiguousarray(vertices, np.float32)
    colors = np.ascontiguousarray(colors, np.float32)
    triangles = np.ascontiguousarray(triangles, np.int32)
    _validate(vertices, colors, triangles, camera, size, supersample, background)
    perspective = camera.kind == contract.PERSPECTIVE
    matrix = np.asarray(camera.matrix, np.float64)
    rotation, shift = matrix[:, :3].astype(np.float32), (matrix[:, 3] * (1, -1, -1)).astype(np.float32)
    focal, center_x, center_y = float(supersample), 0.0, 0.0
    if perspective:
        focal *= float(focal_length(float(camera.field_of_view), height))
        center_x, center_y = supersample * width / 2, supersample * height / 2
    aligned, screen = forward_kernels.place(
        vertices, rotation, shift, np.float32(focal), np.float32(center_x), np.float32(center_y), perspective
    )
    normals = forward_kernels.vertex_normals(aligned, triangles)
    samples_shape = (height * supersample, width * supersample)
    triangle_ids = np.full(samples_shape, -1, np.int32)
    rasterize_into(screen, triangles, triangle_ids, np.full(samples_shape, np.inf, np.float32))
    shininess = float(light.shininess)
    color, mask, depth, nearest = forward_kernels.shade(
        triangle_ids,
        triangles,
        screen,
        aligned,
        normals,
        colors,
        irradiance_polynomial(np.asarray(light.harmonics)),
        np.stack([light.direction, light.color]).astype(np.float32),
        (np.asarray(light.specular) * ((shininess + 2) / 2)).astype(np.float32),
        np.float32(shininess),
        perspective,
        supersample,
    )
    if perspective:
        distance = matrix[2, 3]
        depth = (depth - np.float32(distance)) * np.float32(focal / supersample / distance)
    if background is not None:
        color += (1 - mask[..., None]) * np.asarray(background, np.float32)
    return ForwardImage(color, mask, depth, nearest)


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


def _validate(
    vertices: np.ndarray,
    colors: np.ndarray,
    triangles: np.ndarray,
    camera: Camera,
    size: tuple[int, int],
    supersample: int,
    background: np.ndarray | None,
) -> None:
    if vertices.ndim != 2 or vertices.shape[1] != 3 or colors.shape != vertices.shape:
        raise ValueError(f"`vertices` and `colors` must be [V, 3]. Received: {vertices.shape} and {colors.shape}")
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError(f"`triangles` must be [T, 3]. Received: {triangles.shape}")
    if triangles.size and not (triangles.min() >= 0 and triangles.max() < len(vertices)):
        raise ValueError(
            f"`triangles` must be vertex indices in [0, {len(vertices)}). "
            f"Received: {triangles.min()} to {triangles.max()}"
        )
    if tuple(camera.matrix.shape) != (3, 4):
        raise ValueError(f"`camera` must be one camera, its matrix [3, 4]. Received: {tuple(camera.matrix.shape)}")
    if min(size) < 1 or supersample < 1:
        raise ValueError(f"`size` and `supersample` must be positive. Received: {size} and {supersample}")
    if background is not None and background.shape != (*size, 3):
        raise ValueError(f"`background` must be [{size[0]}, {size[1]}, 3]. Received: {background.shape}")
