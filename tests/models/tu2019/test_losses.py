import numpy as np
import pytest
import tensorflow as tf
import training_parts as parts

from trainer import contract
from trainer.models.tu2019 import losses
from trainer.rendering import camera as cameras

FACE = parts.face_model()
MEAN, IDENTITY, EXPRESSION = FACE.landmark_basis()
MODES = np.concatenate([IDENTITY, EXPRESSION])
SIZE = 12 + len(MODES)


def vectors(count=4, seed=0):
    """True parameters and wrong ones, not whitened."""
    rng = np.random.default_rng(seed)
    rows = []
    for index in range(count):
        record = parts.features(FACE, index)
        parameters = [record[key] for key in (contract.CAMERA_MATRIX, contract.MORPHABLE_SHAPE)]
        rows.append(np.concatenate([np.ravel(part) for part in [*parameters, record[contract.MORPHABLE_EXPRESSION]]]))
    truth = np.array(rows)
    scale = np.concatenate([np.tile([0.05, 0.05, 0.05, 2.0], 3), np.ones(len(MODES))])
    return truth.astype("f"), (truth + rng.normal(0, scale, truth.shape)).astype("f")


def project(parameters):
    points = MEAN + np.einsum("k,knd->nd", parameters[12:], MODES)
    return cameras.project(points, parameters[:12].reshape(3, 4), contract.SCALED_ORTHOGRAPHIC)


def test_weights_are_those_of_the_papers_loop():
    truth, predicted = vectors()
    expected = np.zeros_like(truth)
    for row in range(len(truth)):
        for element in range(SIZE):
            replaced = truth[row].astype(np.float64)
            replaced[element] = predicted[row, element]
            if element != 11:
                expected[row, element] = np.linalg.norm(project(replaced) - project(truth[row].astype(np.float64)))
    expected /= expected.sum(axis=1, keepdims=True)
    points = MEAN + np.einsum("bk,knd->bnd", truth[:, 12:], MODES)
    weights = losses.coefficient_weights(truth, predicted - truth, points, MODES)
    np.testing.assert_allclose(weights, expected, rtol=2e-3, atol=1e-6)


def test_no_gradient_flows_into_the_weights_and_a_perfect_prediction_costs_nothing():
    truth, predicted = vectors()
    points = (MEAN + np.einsum("bk,knd->bnd", truth[:, 12:], MODES)).astype("f")
    variable = tf.Variable(predicted)
    with tf.GradientTape() as tape:
        weights = losses.coefficient_weights(truth, variable - truth, points, MODES)
        loss = tf.reduce_sum(losses.weighted_coefficient_loss(truth, variable, weights))
    gradient = tape.gradient(loss, variable)
    np.testing.assert_allclose(gradient, 2 * np.asarray(weights) * (predicted - truth), rtol=1e-4, atol=1e-6)
    weights = losses.coefficient_weights(truth, truth - truth, points, MODES)
    assert np.isfinite(weights).all()
    np.testing.assert_array_equal(losses.weighted_coefficient_loss(truth, truth, weights), 0)


def test_coefficient_loss_by_hand():
    weights = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]], np.float32)
    truth = np.array([[1, 2, 3], [1, 1, 1]], np.float32)
    predicted = np.array([[3, 2, 1], [2, 9, 9]], np.float32)
    np.testing.assert_allclose(losses.weighted_coefficient_loss(truth, predicted, weights), [3.0, 1.0])


def test_control_points_are_the_papers():
    """[17,19,21,22,24,26,36,(37+40)/2,39,42,(43+46)/2,45,31,30,35,48,(62+66)/2,54], 4:2:1."""
    single = [17, 19, 21, 22, 24, 26, 36, None, 39, 42, None, 45, 31, 30, 35, 48, None, 54]
    pairs = iter([(37, 40), (43, 46), (62, 66)])
    expected = np.zeros((18, 68))
    for row, index in enumerate(single):
        expected[row, list(next(pairs)) if index is None else index] = 0.5 if index is None else 1.0
    np.testing.assert_array_equal(losses.CONTROL_MATRIX, expected)
    np.testing.assert_array_equal(losses.CONTROL_WEIGHTS, [1] * 6 + [4, 2, 4, 4, 2, 4, 2, 4, 2, 4, 2, 4])


def test_landmark_consistency_by_hand():
    truth = np.random.default_rng(0).uniform(0, 100, (1, 68, 2)).astype("f")
    predicted = truth.copy()
    predicted[0, 30] += (3, 4)  # nose tip, weight 4
    predicted[0, 37] += (6, 8)  # half of an eye's centre, weight 2
    predicted[0, 5] += (50, 50)  # jaw, not counted
    np.testing.assert_allclose(losses.landmark_consistency(truth, predicted), [4 * 5 + 2 * 5], rtol=1e-4)


def test_landmark_consistency_has_the_numerical_gradient():
    rng = np.random.default_rng(1)
    truth = rng.uniform(0, 100, (1, 68, 2)).astype("f")
    predicted = tf.constant(truth + rng.normal(0, 5, truth.shape).astype("f"))
    with tf.GradientTape() as tape:
        tape.watch(predicted)
        loss = losses.landmark_consistency(truth, predicted)
    gradient = tape.gradient(loss, predicted).numpy()
    for landmark in (17, 30, 37, 62, 3):
        move = np.zeros_like(truth)
        move[0, landmark, 1] = 0.1
        ahead, behind = (losses.landmark_consistency(truth, predicted + sign * move) for sign in (1, -1))
        assert gradient[0, landmark, 1] == pytest.approx(float(ahead[0] - behind[0]) / 0.2, abs=2e-2)
