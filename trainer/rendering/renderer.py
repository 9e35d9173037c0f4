"""Differentiable renderer: batched, in TensorFlow and tensorflow-graphics alone; nothing to compile beforehand.

Which triangle a pixel sees comes from `trainer.rendering.visibility` and has no gradient; everything after it has: with respect
to vertices, colours, camera and light. Silhouettes do not: a pixel's mask does not change with the vertices.
Anti-aliasing is by several samples a pixel, each a pixel of a larger image, averaged in linear light.
"""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow_graphics.rendering import interpolate

from trainer import contract
from trainer.rendering import geometry, shading, visibility
from trainer.rendering.camera import camera_points, focal_length
from trainer.rendering.scene import Camera, Light


class RenderOutput(NamedTuple):
    """A batch of rendered images. Where a pixel has several samples, those marked so are of the nearest one."""

    color: tf.Tensor
    """`[B, H, W, 3]` linear RGB, mean of the samples, of which those outside the mesh are 0; can exceed 1 in highlights."""
    mask: tf.Tensor
    """`[B, H, W]` float32 share of the pixel's samples on the mesh; no gradient."""
    depth: tf.Tensor
    """`[B, H, W]` z of the image frame, inf outside the mesh; nearest sample."""
    normals: tf.Tensor
    """`[B, H, W, 3]` unit, towards the viewer's side of the surface, camera-aligned model frame; 0 outside the mesh; nearest
    sample."""
    triangle_ids: tf.Tensor
    """`[B, H, W]` int32, -1 outside the mesh; nearest sample."""
    barycentrics: tf.Tensor
    """`[B, H, W, 3]` of the sample's centre in its triangle, perspective-correct; 0 outside the mesh; nearest sample."""
    uv: tf.Tensor | None
    """`[B, H, W, 2]` texture coordinates, v upwards, 0 outside the mesh; nearest sample; None for a renderer without `uv`."""


class Renderer:
    """Renders meshes of one topology at one size.

    Args:
        triangles: `[T, 3]` int, counter-clockwise seen from outside; both sides are drawn.
        height: Of the images, pixels.
        width: Of the images, pixels.
        backend: Of the visibility, see `visibility.BACKENDS`. Inside a function compiled by XLA, on a GPU and in a SavedModel it
            has to be `xla`; on CPUs `numba` is several times faster.
        samples: Samples per pixel along each axis.
        uv: `[V, 2]` texture coordinates of the vertices, or None.

    Raises:
        ValueError: If a shape, a size or the backend is wrong.
    """

    def __init__(
        self,
        triangles: np.ndarray,
        height: int,
        width: int,
        backend: str = "numba",
        samples: int = 1,
        uv: np.ndarray | None = None,
    ):
        if backend not in visibility.BACKENDS:
            raise ValueError(f"`backend` must be one of {visibility.BACKENDS}. Received: {backend!r}")
        if height < 1 or width < 1 or samples < 1:
            raise ValueError(
                "`height`, `width` and `samples` must be positive. "
                f"Received: height={height}, width={width}, samples={samples}"
            )
        self.triangles = np.ascontiguousarray(triangles, np.int32)
        if self.triangles.ndim != 2 or self.triangles.shape[1] != 3:
            raise ValueError(f"`triangles` must be [T, 3]. Received: {self.triangles.shape}")
        self.uv = None if uv is None else np.ascontiguousarray(uv, np.float32)
        if self.uv is not None and (self.uv.ndim != 2 or self.uv.shape[1] != 2):
            raise ValueError(f"`uv` must be [V, 2]. Received: {self.uv.shape}")
        self.height, self.width, self.backend, self.samples = height, width, backend, samples

    def __call__(self, vertices: Any, colors: Any, camera: Camera, light: Light) -> RenderOutput:
        """Renders a batch. Inputs of another float type are cast to float32, in which everything is computed.

        Args:
            vertices: `[B, V, 3]` model frame, millimetres.
            colors: `[B, V, 3]` albedo, linear RGB in [0, 1].
            camera: `B` cameras: matrix `[B, 3, 4]`, field of view `[B]`.
            light: `B` lights.

        Returns:
            The images.

        Raises:
            ValueError: If `vertices` or `colors` is not `[B, V, 3]`.
        """
        vertices, colors, camera, light = (_float32(value) for value in (vertices, colors, camera, light))
        for name, value in (("vertices", vertices), ("colors", colors)):
            if len(value.shape) != 3 or value.shape[-1] != 3:
                raise ValueError(f"`{name}` must be [B, V, 3]. Received: {tuple(value.shape)}")
        aligned = camera_points(vertices, camera.matrix)
        homogeneous, screen = self._place(aligned, camera)
        triangle_ids = visibility.rasterize(
            screen, self.triangles, self.height * self.samples, self.width * self.samples, self.backend
        )
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
            distance = camera.matrix[:, None, None, 2, 3]
            depth = (-positions[..., 2] - distance) * self._focal(camera)[:, None] / distance
        else:
            view = tf.ones_like(positions) * [0.0, 0.0, 1.0]
            depth = -positions[..., 2]
        places = None if light.lamp_positions is None else _millimetres(positions, camera)
        output = RenderOutput(
            color=shading.shade_batch(albedo, pixel_normals, view, light, places) * frame.foreground_mask,
            mask=frame.foreground_mask[..., 0],
            depth=tf.where(triangle_ids >= 0, depth, math.inf),
            normals=pixel_normals,
            triangle_ids=triangle_ids,
            barycentrics=frame.barycentrics.value,
            uv=None if self.uv is None else geometry.interpolate_constant(self.uv, frame),
        )
        return output if self.samples == 1 else self._resolve(output)

    def _resolve(self, output: RenderOutput) -> RenderOutput:
        """Pixels from their samples: the mean of colour and mask, the nearest of the rest."""

        def split(value: tf.Tensor) -> tf.Tensor:
            """`[B, H S, W S, ...]` to `[B, H, W, S S, ...]`."""
            count, trailing = self.samples, value.shape[3:]
            rows = tf.reshape(value, [-1, self.height, count, self.width, count, *trailing])
            axes = [0, 1, 3, 2, 4, *range(5, 5 + len(trailing))]
            return tf.reshape(tf.transpose(rows, axes), [-1, self.height, self.width, count * count, *trailing])

        nearest = tf.argmin(split(output.depth), axis=-1, output_type=tf.int32)
        fields = {
            name: None if value is None else tf.gather(split(value), nearest, batch_dims=3)
            for name, value in output._asdict().items()
        }
        for name in ("color", "mask"):
            fields[name] = tf.reduce_mean(split(getattr(output, name)), axis=3)
        return RenderOutput(**fields)

    def _focal(self, camera: Camera) -> tf.Tensor:
        """`[B, 1]` focal lengths, pixels."""
        return tf.reshape(focal_length(camera.field_of_view, self.height), [-1, 1])

    def _place(self, aligned: tf.Tensor, camera: Camera) -> tuple[tf.Tensor, tf.Tensor]:
        """Vertices on the grid of samples.

        Returns:
            `[B, V, 3]` homogeneous x w, y w, w, and `[B, V, 3]` what the visibility takes, without gradient.
        """
        x, y, away = aligned[..., 0], -aligned[..., 1], -aligned[..., 2]
        grid = [float(self.samples), float(self.samples), 1.0]
        if camera.kind == contract.SCALED_ORTHOGRAPHIC:
            homogeneous = tf.stack([x, y, tf.ones_like(x)], axis=-1) * grid
            return homogeneous, tf.stop_gradient(tf.concat([homogeneous[..., :2], away[..., None]], axis=-1))
        focal, distance = self._focal(camera), camera.matrix[:, 2, 3][:, None]
        # Divided by the distance, so that w is about 1.
        x, y, w = focal * x / distance, focal * y / distance, away / distance
        homogeneous = tf.stack([x + self.width / 2 * w, y + self.height / 2 * w, w], axis=-1) * grid
        inverse = 1.0 / tf.where(w > 0, w, math.nan)
        screen = tf.stack([homogeneous[..., 0] * inverse, homogeneous[..., 1] * inverse, -inverse], axis=-1)
        return homogeneous, tf.stop_gradient(screen)


def _millimetres(positions: tf.Tensor, camera: Camera) -> tf.Tensor:
    """`[B, H, W, 3]` places from the model frame's origin, millimetres, of camera-aligned positions: where lamps are."""
    shift = camera.matrix[:, None, None, :, 3] * [1.0, -1.0, -1.0]
    if camera.kind == contract.PERSPECTIVE:
        return positions - shift
    squares = tf.reduce_sum(tf.square(camera.matrix[..., :3]), axis=[-2, -1])[:, None, None, None]
    return (positions - shift) * tf.math.rsqrt(squares / 3)


def _float32(value: Any) -> Any:
    """An array, or what a camera or light holds, as float32 tensors."""
    if isinstance(value, Camera | Light):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return type(value)(**{name: part if isinstance(part, str) else _float32(part) for name, part in fields.items()})
    return None if value is None else tf.cast(value, tf.float32)
