"""Differentiable renderer: batched, in TensorFlow and tensorflow-graphics alone; nothing to compile beforehand.

Which triangle a pixel sees comes from `trainer.rendering.visibility` and has no gradient; everything after it has: with respect
to vertices, colours, camera and light. Silhouettes do not: a pixel's mask does not change with the vertices.
"""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow_graphics.rendering import interpolate
from tensorflow_graphics.rendering.reflectance import lambertian, phong

from trainer import contract
from trainer.rendering import geometry, lighting, visibility
from trainer.rendering.camera import camera_points, focal_length
from trainer.rendering.scene import Camera, Light


class RenderOutput(NamedTuple):
    """A batch of rendered images, one sample per pixel, at its centre."""

    color: tf.Tensor
    """`[B, H, W, 3]` linear RGB, 0 outside the mesh; can exceed 1 in highlights."""
    mask: tf.Tensor
    """`[B, H, W]` float32, 1 on the mesh and 0 outside; no gradient."""
    depth: tf.Tensor
    """`[B, H, W]` z of the image frame, inf outside the mesh."""
    normals: tf.Tensor
    """`[B, H, W, 3]` unit, towards the viewer's side of the surface, camera-aligned model frame; 0 outside the mesh."""
    triangle_ids: tf.Tensor
    """`[B, H, W]` int32, -1 outside the mesh."""
    barycentrics: tf.Tensor
    """`[B, H, W, 3]` of the pixel's centre in its triangle, perspective-correct; 0 outside the mesh."""


class Renderer:
    """Renders meshes of one topology at one size.

    Args:
        triangles: `[T, 3]` int, counter-clockwise seen from outside; both sides are drawn.
        height: Of the images, pixels.
        width: Of the images, pixels.
        backend: Of the visibility, see `visibility.BACKENDS`. Inside a function compiled by XLA, on a GPU and in a SavedModel it
            has to be `xla`; on CPUs `numba` is several times faster.

    Raises:
        ValueError: If a shape, a size or the backend is wrong.
    """

    def __init__(self, triangles: np.ndarray, height: int, width: int, backend: str = "numba"):
        if backend not in visibility.BACKENDS:
            raise ValueError(f"`backend` must be one of {visibility.BACKENDS}. Received: {backend!r}")
        if height < 1 or width < 1:
            raise ValueError(f"`height` and `width` must be positive. Received: height={height}, width={width}")
        self.triangles = np.ascontiguousarray(triangles, np.int32)
        if self.triangles.ndim != 2 or self.triangles.shape[1] != 3:
            raise ValueError(f"`triangles` must be [T, 3]. Received: {self.triangles.shape}")
        self.height, self.width, self.backend = height, width, backend

    def __call__(self, vertices: Any, colors: Any, camera: Camera, light: Light) -> RenderOutput:
        """Renders a batch.

        Args:
            vertices: `[B, V, 3]` float32 model frame, millimetres.
            colors: `[B, V, 3]` albedo, linear RGB in [0, 1].
            camera: `B` cameras: matrix `[B, 3, 4]`, field of view `[B]`.
            light: `B` lights.

        Returns:
            The images.

        Raises:
            ValueError: If `vertices` or `colors` is not `[B, V, 3]`.
        """
        vertices, colors = tf.convert_to_tensor(vertices, tf.float32), tf.convert_to_tensor(colors, tf.float32)
        for name, value in (("vertices", vertices), ("colors", colors)):
            if len(value.shape) != 3 or value.shape[-1] != 3:
                raise ValueError(f"`{name}` must be [B, V, 3]. Received: {tuple(value.shape)}")
        matrix = tf.convert_to_tensor(camera.matrix, tf.float32)
        aligned = camera_points(vertices, matrix)
        homogeneous, screen = self._place(aligned, matrix, camera)
        triangle_ids = visibility.rasterize(screen, self.triangles, self.height, self.width, self.backend)
        triangles = tf.constant(self.triangles)
        normals = geometry.vertex_normals(aligned, triangles)
        frame = geometry.pixel_framebuffer(homogeneous, triangles, triangle_ids)
        # One gather for everything that is interpolated: [B, H, W, 9].
        attributes = interpolate.interpolate_vertex_attribute(
            tf.concat([colors, normals, aligned], axis=-1), frame
        ).value
        attributes = tf.ensure_shape(attributes, [*triangle_ids.shape, 9])
        albedo, pixel_normals, positions = tf.split(attributes, 3, axis=-1)
        side = geometry.facing(screen, frame.vertex_ids)
        pixel_normals = tf.math.l2_normalize(pixel_normals, axis=-1, epsilon=1e-20) * side
        if camera.kind == contract.PERSPECTIVE:
            view = tf.math.l2_normalize(-positions, axis=-1, epsilon=1e-20)
            distance = matrix[:, None, None, 2, 3]
            depth = (-positions[..., 2] - distance) * self._focal(camera)[:, None] / distance
        else:
            view = tf.ones_like(positions) * [0.0, 0.0, 1.0]
            depth = -positions[..., 2]
        return RenderOutput(
            color=_shade_batch(albedo, pixel_normals, view, light) * frame.foreground_mask,
            mask=frame.foreground_mask[..., 0],
            depth=tf.where(triangle_ids >= 0, depth, math.inf),
            normals=pixel_normals,
            triangle_ids=triangle_ids,
            barycentrics=frame.barycentrics.value,
        )

    def _focal(self, camera: Camera) -> tf.Tensor:
        """`[B, 1]` focal lengths, pixels."""
        return tf.reshape(focal_length(tf.cast(camera.field_of_view, tf.float32), self.height), [-1, 1])

    def _place(self, aligned: tf.Tensor, matrix: tf.Tensor, camera: Camera) -> tuple[tf.Tensor, tf.Tensor]:
        """`[B, V, 3]` homogeneous pixels x w, y w, w, and `[B, V, 3]` what the visibility takes, without gradient."""
        x, y, away = aligned[..., 0], -aligned[..., 1], -aligned[..., 2]
        if camera.kind == contract.SCALED_ORTHOGRAPHIC:
            return tf.stack([x, y, tf.ones_like(x)], axis=-1), tf.stop_gradient(tf.stack([x, y, away], axis=-1))
        focal, distance = self._focal(camera), matrix[:, 2, 3][:, None]
        # Divided by the distance, so that w is about 1.
        x, y, w = focal * x / distance, focal * y / distance, away / distance
        homogeneous = tf.stack([x + self.width / 2 * w, y + self.height / 2 * w, w], axis=-1)
        inverse = 1.0 / tf.where(w > 0, w, math.nan)
        screen = tf.stack([homogeneous[..., 0] * inverse, homogeneous[..., 1] * inverse, -inverse], axis=-1)
        return homogeneous, tf.stop_gradient(screen)


def shade(albedo: tf.Tensor, normals: tf.Tensor, view: tf.Tensor, light: Light) -> tf.Tensor:
    """Light that pixels send to the viewer, by the equation of `trainer.rendering.lighting`.

    Args:
        albedo: `[..., H, W, 3]` linear RGB.
        normals: `[..., H, W, 3]` unit, camera-aligned model frame.
        view: `[..., H, W, 3]` unit, towards the viewer.
        light: `[...]` lights.

    Returns:
        `[..., H, W, 3]` linear RGB.
    """
    pixels = tf.reshape(normals, [*normals.shape[:-3], normals.shape[-3] * normals.shape[-2], 3])
    environment = tf.reshape(lighting.irradiance(pixels, light.harmonics), normals.shape)
    towards, color, specular = (value[..., None, None, :] for value in (light.direction, light.color, light.specular))
    shininess = light.shininess[..., None, None, None]
    cosine = tf.maximum(tf.reduce_sum(normals * towards, axis=-1, keepdims=True), 0.0)
    # A Lambertian surface looks the same from everywhere: seen along its normal, pixels at the silhouette stay lit.
    matt = lambertian.brdf(-towards, normals, normals, albedo)
    glossy = phong.brdf(-towards, view, normals, shininess, specular)
    return albedo * tf.maximum(environment, 0.0) / math.pi + math.pi * color * cosine * (matt + glossy)


def _shade_batch(albedo: tf.Tensor, normals: tf.Tensor, view: tf.Tensor, light: Light) -> tf.Tensor:
    """`shade`, also where the batch's size is not known until the graph runs, which the reflectances cannot handle."""
    if normals.shape[0] is not None:
        return shade(albedo, normals, view, light)
    fields = {field.name: getattr(light, field.name) for field in dataclasses.fields(light)}
    return tf.vectorized_map(
        lambda image: shade(image[0], image[1], image[2], Light(**image[3])),
        (albedo, normals, view, fields),
    )
