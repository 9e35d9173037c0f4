"""Batched fits in TensorFlow: they are NumPy's cameras, minima, differentiable, and finite whatever comes."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import contract
from trainer.rendering import camera, camera_fit

RNG = np.random.default_rng(0)
MEAN = (RNG.normal(0, 1, (68, 3)) * (55, 60, 30) + (3, -20, 10)).astype(np.float32)
MODES = RNG.normal(0, 4, (3, 68, 3)).astype(np.float32)


def project(points, matrix):
    return camera.project(np.asarray(points), np.asarray(matrix), contract.SCALED_ORTHOGRAPHIC)


def cameras(count: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    euler, scale = rng.uniform(-80, 80, (count, 3)), rng.uniform(0.2, 4, count)
    return camera.scaled_orthographic_matrix(euler, scale, np.c_[rng.uniform(0, 500, (count, 2)), np.zeros(count)])


def noisy(count: int) -> np.ndarray:
    """`[count, 68, 2]` with errors of some 5 % of the face."""
    matrices = cameras(count)
    errors = np.random.default_rng(2).normal(0, 5, (count, 68, 2))
    return project(MEAN, matrices)[..., :2] + errors * np.linalg.norm(matrices[:, :1, :1], axis=(1, 2))[:, None, None]


@pytest.mark.parametrize("exact", [True, False])
def test_it_is_the_numpy_fit(exact):
    points = project(MEAN, cameras(20))[..., :2] if exact else noisy(20)
    found = camera_fit.fit_cameras(MEAN, points).numpy()
    wanted = np.stack([camera.fit_scaled_orthographic(MEAN, each) for each in points])
    assert found.shape == (20, 3, 4)
    np.testing.assert_allclose(project(MEAN, found), project(MEAN, wanted), atol=5e-3)
    np.testing.assert_array_equal(found[:, 2, 3], 0)
    if exact:
        np.testing.assert_allclose(found, cameras(20), atol=2e-3)


def test_a_weight_of_two_is_a_point_given_twice_and_none_is_a_point_left_out():
    points, weights = noisy(3), np.ones((3, 68))
    weights[:, :20], weights[:, 60:] = 2.0, 0.0
    points[:, 60:] += 500.0
    found = camera_fit.fit_cameras(MEAN, points, weights).numpy()
    kept = [*range(60), *range(20)]
    wanted = np.stack([camera.fit_scaled_orthographic(MEAN[kept], each[kept]) for each in points])
    np.testing.assert_allclose(project(MEAN, found), project(MEAN, wanted), atol=5e-3)


def test_coefficients_are_found_and_shrink_with_the_ridge():
    coefficients = np.array([[1.5, -1.0, 0.5], [-2.0, 0.3, 1.0]])
    shapes = MEAN + np.einsum("bk,knd->bnd", coefficients, MODES)
    matrices = cameras(2)
    points = np.stack([project(shape, matrix)[:, :2] for shape, matrix in zip(shapes, matrices, strict=True)])
    free = camera_fit.fit_linear_model(MEAN, MODES, points, ridge=0.0)
    np.testing.assert_allclose(free.coefficients, coefficients, atol=5e-3)
    np.testing.assert_allclose(free.points, shapes, atol=0.05)
    np.testing.assert_allclose(free.camera, matrices, rtol=1e-3, atol=0.05)
    tight = camera_fit.fit_linear_model(MEAN, MODES, points, ridge=1e9)
    np.testing.assert_allclose(tight.coefficients, 0, atol=1e-3)
    np.testing.assert_allclose(tight.camera, camera_fit.fit_cameras(MEAN, points), rtol=1e-3, atol=1e-2)


def test_it_is_a_minimum():
    points = noisy(2)
    weights = np.random.default_rng(3).uniform(0.01, 1.0, (2, 68))
    ridge = 3.0
    fit = camera_fit.fit_linear_model(MEAN, MODES, points, weights, ridge, iterations=8)

    def cost(matrix, coefficients):
        shape = MEAN + np.einsum("bk,knd->bnd", coefficients, MODES)
        squares = np.square(project(shape, matrix)[..., :2] - points).sum(axis=-1)
        return (weights * squares).sum(axis=1) + ridge * np.square(coefficients).sum(axis=1)

    scale, euler, shift = camera.decompose(fit.camera.numpy().astype(np.float64))
    coefficients, lowest = (
        fit.coefficients.numpy(),
        cost(fit.camera.numpy().astype(np.float64), fit.coefficients.numpy()),
    )
    rng = np.random.default_rng(4)
    for _ in range(30):
        moved = camera.scaled_orthographic_matrix(
            euler + rng.normal(0, 0.5, euler.shape),
            scale * rng.normal(1, 0.005, 2),
            shift + rng.normal(0, 0.3, shift.shape),
        )
        assert (cost(moved, coefficients + rng.normal(0, 0.05, coefficients.shape)) > lowest).all()


def test_gradients_are_those_of_finite_differences():
    points, weights = noisy(2).astype(np.float32), np.full((2, 68), 0.1, np.float32)
    mix = np.random.default_rng(5).normal(size=(2, 68, 3)).astype(np.float32)

    def loss(given):
        fit = camera_fit.fit_linear_model(MEAN, MODES, given, weights, 5.0, iterations=6)
        return tf.reduce_sum(camera.project(fit.points, fit.camera, contract.SCALED_ORTHOGRAPHIC) * mix)

    given = tf.constant(points)
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = loss(given)
    gradient = tape.gradient(value, given).numpy()
    direction = np.random.default_rng(6).normal(size=points.shape).astype(np.float32)
    step = 0.1
    sides = [float(loss(tf.constant(points + sign * step * direction))) for sign in (1, -1)]
    assert np.abs(gradient).max() > 0.01
    assert (gradient * direction).sum() == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=0.03)


@pytest.mark.parametrize("place", [0.0, 1e5])
def test_points_that_determine_nothing_give_something_finite(place):
    same = np.full((2, 68, 2), place, np.float32)
    line = np.stack([np.linspace(0, 100, 68), np.full(68, place)], axis=-1)[None]
    for points, weights in ((same, None), (line, None), (same, np.zeros((2, 68)))):
        fit = camera_fit.fit_linear_model(MEAN, MODES, points, weights)
        for value in fit:
            assert np.isfinite(value).all()
