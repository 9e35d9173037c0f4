"""Differentiable geometry of an image: vertex normals, and where in its triangle each pixel's centre lies."""

import numpy as np
import tensorflow as tf
from tensorflow_graphics.geometry.representation import triangle as triangle_geometry
from tensorflow_graphics.rendering import barycentrics as tfg_barycentrics
from tensorflow_graphics.rendering import framebuffer


def vertex_normals(positions: tf.Tensor, triangles: tf.Tensor) -> tf.Tensor:
    """Unit normals of vertices: the mean of their triangles', weighted by area; 0 where there is none.

    Args:
        positions: `[B, V, 3]` float32.
        triangles: `[T, 3]` int32, counter-clockwise seen from outside.

    Returns:
        `[B, V, 3]`.
    """
    # [V, B, 3]: triangles' rows then hold the whole batch, for one segment sum.
    by_vertex = tf.transpose(positions, [1, 0, 2])
    corners = [tf.gather(by_vertex, triangles[:, corner]) for corner in range(3)]
    # What this function calls clockwise is the right-handed cross product, hence counter-clockwise.
    normals = triangle_geometry.normal(*corners, clockwise=True, normalize=False)
    vertex_count = positions.shape[1] if positions.shape[1] is not None else tf.shape(positions)[1]
    sums = tf.math.unsorted_segment_sum(
        tf.tile(normals, [3, 1, 1]), tf.reshape(tf.transpose(triangles), [-1]), vertex_count
    )
    return tf.transpose(tf.math.l2_normalize(sums, axis=-1, epsilon=1e-20), [1, 0, 2])


def pixel_framebuffer(homogeneous: tf.Tensor, triangles: tf.Tensor, triangle_ids: tf.Tensor) -> framebuffer.Framebuffer:
    """Framebuffer of a visibility, with barycentrics that are differentiable and perspective-correct.

    The edge matrices are tensorflow-graphics', of triangles moved so that each pixel's centre is the origin: in its own
    normalised coordinates a triangle smaller than a pixel loses three digits of float32 to cancellation.

    Args:
        homogeneous: `[B, V, 3]` float32 x w, y w, w with x and y in pixels and w positive, 1 for a parallel projection.
        triangles: `[T, 3]` int32.
        triangle_ids: `[B, H, W]` int32, -1 for none.

    Returns:
        One-layer framebuffer; barycentrics are 0 outside the mesh.
    """
    height, width = triangle_ids.shape[1:]
    mask = tf.cast(triangle_ids >= 0, tf.float32)[..., None]
    seen = tf.maximum(triangle_ids, 0)
    # [B, H, W, 3]
    vertex_ids = tf.gather(triangles, seen)
    # [B, H, W, 3, 3]: the three corners, each x w, y w, w
    corners = tf.gather(homogeneous, vertex_ids, batch_dims=1)
    x, y = tf.range(width, dtype=tf.float32) + 0.5, tf.range(height, dtype=tf.float32) + 0.5
    centers = tf.stack(tf.meshgrid(x, y), axis=-1)[:, :, None]
    w = corners[..., 2:]
    moved = tf.reshape(tf.concat([corners[..., :2] - centers * w, w, w], axis=-1), [-1, 4])
    matrices = tfg_barycentrics.compute_triangle_matrices(moved, tf.reshape(tf.range(tf.shape(moved)[0]), [-1, 3]))
    # The edge functions at the origin are the matrices' constant terms: [3, B H W].
    edges = matrices[:, 2]
    weights = tf.transpose(tf.math.divide_no_nan(edges, tf.reduce_sum(edges, axis=0)))
    weights = tf.reshape(weights, tf.shape(vertex_ids)) * mask
    return framebuffer.Framebuffer(
        barycentrics=framebuffer.RasterizedAttribute(tf.ensure_shape(weights, vertex_ids.shape)),
        triangle_id=seen[..., None],
        vertex_ids=vertex_ids,
        foreground_mask=mask,
    )


def interpolate_constant(attribute: np.ndarray, frame: framebuffer.Framebuffer) -> tf.Tensor:
    """An attribute that is the same for all meshes of a batch, at pixels.

    Args:
        attribute: `[V, C]` float32.
        frame: Framebuffer of the batch.

    Returns:
        `[B, H, W, C]`, 0 outside the mesh; its gradient is the barycentrics'.
    """
    corners = tf.gather(tf.constant(attribute), frame.vertex_ids)
    return tf.reduce_sum(corners * frame.barycentrics.value[..., None], axis=-2)


def facing(screen: tf.Tensor, vertex_ids: tf.Tensor) -> tf.Tensor:
    """Which side of its triangle a pixel sees.

    Args:
        screen: `[B, V, 3]` x and y in pixels, and any third coordinate.
        vertex_ids: `[B, H, W, 3]` corners of the triangle of each pixel.

    Returns:
        `[B, H, W, 1]` 1 for the outside, -1 for the inside; without gradient.
    """
    corners = tf.stop_gradient(tf.gather(screen[..., :2], vertex_ids, batch_dims=1))
    first, second = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]
    area = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    # Counter-clockwise seen from outside is clockwise on the screen, whose y points down.
    return tf.where(area > 0, -1.0, 1.0)[..., None]
