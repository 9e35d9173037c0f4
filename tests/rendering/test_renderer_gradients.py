"""Numerical against analytic derivatives of every output of the differentiable renderer."""

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from trainer import contract
from trainer.rendering import camera as cameras
from trainer.rendering.renderer import Renderer
from trainer.rendering.scene import Camera, Light


def scene_of(kind, theta):
    """A scene of 8 × 8 pixels inside one bumpy quad from a dictionary of arrays: no pixel is near an edge of the mesh."""
    if kind == contract.PERSPECTIVE:
        camera = Camera(kind, theta["matrix"], theta["field_of_view"])
    else:
        camera = Camera(kind, theta["matrix"])
    light = Light(**{field.name: theta[field.name] for field in dataclasses.fields(Light)})
    return theta["vertices"], theta["colors"], camera, light


@functools.lru_cache
def patch(kind):
    """Two large triangles and their parameters, the shared edge running between pixel centres."""
    rng = np.random.default_rng(3)
    vertices = np.array([[-40, -43, 2], [41, -40, -3], [38, 41, 4], [-42, 39, -1]]) + rng.normal(0, 1, (4, 3))
    euler = np.array([12.0, -8, 4])
    scale, shift = 0.11, np.array([4.13, 3.91, 0.0])
    matrix = cameras.scaled_orthographic_matrix(euler, scale, shift)
    if kind == contract.PERSPECTIVE:
        matrix = cameras.perspective_matrix(euler, np.array([1.0, -2.0, 300.0]))
    direction = np.array([0.25, 0.2, 0.95])
    theta = {
        "vertices": vertices,
        "colors": rng.uniform(0.2, 0.8, (4, 3)),
        "matrix": matrix,
        "harmonics": rng.normal(0, 0.3, (9, 3)) + np.array([3.0, *[0] * 8])[:, None],
        "direction": direction / np.linalg.norm(direction),
        "color": rng.uniform(0.3, 0.9, 3),
        "specular": rng.uniform(0.1, 0.3, 3),
        "shininess": np.array(6.0),
        "lamp_positions": np.array([[60.0, 80.0, 150.0], [-120.0, 20.0, 90.0]]),
        "lamp_colors": rng.uniform(0.2, 0.5, (2, 3)),
        "specular_complement": np.array(0.7),
        "field_of_view": np.array(14.0),
    }
    theta = {name: value[None].astype(np.float32) for name, value in theta.items()}
    return theta, np.array([[0, 1, 2], [0, 2, 3]], np.int32)


PARAMETERS = ["vertices", "colors", "matrix", *(field.name for field in dataclasses.fields(Light))]


GRADIENTS = [
    *((contract.SCALED_ORTHOGRAPHIC, name) for name in PARAMETERS),
    *((contract.PERSPECTIVE, name) for name in (*PARAMETERS, "field_of_view")),
]


@pytest.mark.parametrize(("kind", "name"), GRADIENTS)
def test_gradients_are_finite_differences(kind, name):
    """Central differences of a random linear function of the colours of pixels that keep their triangle, within 2 %."""
    theta, triangles = patch(kind)
    render = Renderer(triangles, 8, 8)
    weights = tf.constant(np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32))
    rng = np.random.default_rng(1)

    def colors_and_ids(changed):
        output = render(*scene_of(kind, {**theta, name: changed}))
        return output.color, output.triangle_ids.numpy()

    value = tf.constant(theta[name])
    with tf.GradientTape() as tape:
        tape.watch(value)
        color, ids = colors_and_ids(value)
        loss = tf.reduce_sum(color * weights)
    gradient = tape.gradient(loss, value).numpy()
    assert (ids >= 0).mean() > 0.5
    assert np.abs(gradient).max() > 1e-3
    checked = 0
    for _ in range(8):
        direction = rng.normal(size=value.shape) * (np.abs(theta[name]) + 0.05 * np.abs(theta[name]).max())
        if name == "matrix":
            direction *= 0.3
        step = 2e-3
        (plus, ids_plus), (minus, ids_minus) = (
            colors_and_ids(tf.constant((theta[name] + sign * step * direction).astype(np.float32))) for sign in (1, -1)
        )
        if (ids_plus != ids).any() or (ids_minus != ids).any():
            continue
        checked += 1
        difference = plus.numpy().astype(np.float64) - minus.numpy()
        numeric = (difference * weights.numpy()).sum() / (2 * step)
        analytic = (gradient.astype(np.float64) * direction).sum()
        scale = np.sqrt(np.square(gradient * direction).sum())
        assert analytic == pytest.approx(numeric, abs=0.02 * scale + 2e-3)
    assert checked >= 3


@pytest.mark.parametrize("name", ["vertices", "matrix"])
@pytest.mark.parametrize("output", ["color", "depth", "normals", "barycentrics", "uv"])
def test_every_output_is_differentiable_with_samples(output, name):
    """Four samples a pixel; central differences of a random linear function of the output, in three directions."""
    theta, triangles = patch(contract.PERSPECTIVE)
    render = Renderer(triangles, 8, 8, samples=2, uv=10 * np.float32([[0, 0], [1, 0], [1, 1], [0, 1]]))
    rng = np.random.default_rng(2)

    def drawn(changed):
        images = render(*scene_of(contract.PERSPECTIVE, {**theta, name: changed}))
        value = getattr(images, output)
        seen = images.triangle_ids.numpy() >= 0
        return tf.boolean_mask(value, seen), np.stack([images.triangle_ids.numpy(), images.mask.numpy()])

    value = tf.constant(theta[name])
    with tf.GradientTape() as tape:
        tape.watch(value)
        image, ids = drawn(value)
        weights = rng.normal(size=image.shape).astype(np.float32)
        loss = tf.reduce_sum(image * weights)
    gradient = tape.gradient(loss, value).numpy().astype(np.float64)
    checked = 0
    for _ in range(20):
        direction = rng.normal(size=value.shape) * (0.3 * np.abs(theta[name]) + 0.01 * np.abs(theta[name]).max())
        ends = [drawn(tf.constant((theta[name] + sign * 1e-3 * direction).astype(np.float32))) for sign in (1, -1)]
        if any((other != ids).any() for _, other in ends):
            continue
        checked += 1
        difference = ends[0][0].numpy().astype(np.float64) - ends[1][0].numpy()
        numeric = (difference * weights).sum() / 2e-3
        scale = np.sqrt(np.square(gradient * direction).sum())
        assert (gradient * direction).sum() == pytest.approx(numeric, abs=0.02 * scale + 0.03)
    assert checked >= 3
