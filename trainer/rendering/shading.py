"""Shading of pixels with gradients: the equation of `trainer.rendering.lighting` on tensors."""

import dataclasses
import math
from typing import Any

import tensorflow as tf
from tensorflow_graphics.rendering.reflectance import lambertian, phong

from trainer.rendering import lighting
from trainer.rendering.scene import Light


def shade(
    albedo: tf.Tensor, normals: tf.Tensor, view: tf.Tensor, light: Light, places: tf.Tensor | None = None
) -> tf.Tensor:
    """Light that pixels send to the viewer.

    Args:
        albedo: `[..., H, W, 3]` linear RGB.
        normals: `[..., H, W, 3]` unit, camera-aligned model frame.
        view: `[..., H, W, 3]` unit, towards the viewer.
        light: `[...]` lights, tensors.
        places: `[..., H, W, 3]` points of the surface, millimetres from the model frame's origin, camera-aligned; for lamps.

    Returns:
        `[..., H, W, 3]` linear RGB.

    Raises:
        ValueError: If the light has lamps and `places` is None.
    """
    pixels = tf.reshape(normals, [*normals.shape[:-3], normals.shape[-3] * normals.shape[-2], 3])
    environment = tf.reshape(lighting.irradiance(pixels, light.harmonics), normals.shape)
    shininess, specular = light.shininess[..., None, None, None], _per_pixel(light.specular)
    if light.specular_complement is not None:
        specular *= 1.0 - light.specular_complement[..., None, None, None] * albedo
    color = albedo * tf.maximum(environment, 0.0) / math.pi
    sources = [(_per_pixel(light.direction), _per_pixel(light.color))]
    if light.lamp_positions is not None:
        if places is None:
            raise ValueError("`places` must be given for a light with lamps. Received: None")
        sources += [
            _arriving(
                _per_pixel(light.lamp_positions[..., lamp, :]), _per_pixel(light.lamp_colors[..., lamp, :]), places
            )
            for lamp in range(light.lamp_positions.shape[-2])
        ]
    for towards, strength in sources:
        cosine = tf.maximum(tf.reduce_sum(normals * towards, axis=-1, keepdims=True), 0.0)
        # A Lambertian surface looks the same from everywhere: seen along its normal, pixels at the silhouette stay lit.
        matt = lambertian.brdf(-towards, normals, normals, albedo)
        glossy = phong.brdf(-towards, view, normals, shininess, specular)
        color += math.pi * strength * cosine * (matt + glossy)
    return color


def shade_batch(
    albedo: tf.Tensor, normals: tf.Tensor, view: tf.Tensor, light: Light, places: tf.Tensor | None = None
) -> tf.Tensor:
    """`shade`, also where the batch's size is not known until the graph runs, which the reflectances cannot handle."""
    if normals.shape[0] is not None:
        return shade(albedo, normals, view, light, places)
    fields = {field.name: getattr(light, field.name) for field in dataclasses.fields(light)}
    given: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    images = {"albedo": albedo, "normals": normals, "view": view} | ({} if places is None else {"places": places})
    return tf.vectorized_map(lambda one: shade(**one[0], light=Light(**one[1])), (images, given))


def _per_pixel(value: tf.Tensor) -> tf.Tensor:
    """`[..., 3]` to `[..., 1, 1, 3]`."""
    return value[..., None, None, :]


def _arriving(lamp: tf.Tensor, color: tf.Tensor, places: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Unit directions towards a lamp, and its colour there, `[..., H, W, 3]`."""
    offset = lamp - places
    squared = tf.reduce_sum(tf.square(offset), axis=-1, keepdims=True)
    at_origin = tf.reduce_sum(tf.square(lamp), axis=-1, keepdims=True)
    return tf.math.l2_normalize(offset, axis=-1, epsilon=1e-12), color * at_origin / tf.maximum(squared, 1.0)
