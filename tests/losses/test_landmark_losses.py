import numpy as np
import pytest
import tensorflow as tf

from trainer.losses import landmarks


def test_distances_by_hand_and_weights():
    truth = np.zeros((2, 3, 2), np.float32)
    predicted = np.array([[[3, 4], [0, 0], [0, 1]], [[6, 8], [5, 12], [0, 0]]], np.float32)
    np.testing.assert_allclose(landmarks.point_distances(truth, predicted), [[5, 0, 1], [10, 13, 0]])
    weights = np.array([1.0, 1.0, 2.0], np.float32)
    np.testing.assert_allclose(landmarks.weighted_point_distance(truth, predicted, weights), [7 / 4, 23 / 4])
    np.testing.assert_allclose(landmarks.weighted_point_distance(truth, predicted, 0 * weights), [0, 0])
    with pytest.raises(ValueError, match="same number"):
        landmarks.point_distances(truth, predicted[:, :2])


def test_gradient_is_finite_where_points_meet_and_right_where_not():
    truth = tf.zeros((1, 4, 2))
    predicted = tf.constant([[[0.0, 0.0], [1.0, 2.0], [-3.0, 1.0], [0.5, -0.5]]])

    def loss(points):
        return landmarks.weighted_point_distance(truth, points, np.ones(4, np.float32))

    with tf.GradientTape() as tape:
        tape.watch(predicted)
        value = loss(predicted)
    gradient = tape.gradient(value, predicted).numpy()[0]
    np.testing.assert_array_equal(gradient[0], 0)
    step = 1e-2
    for point in range(1, 4):
        for axis in range(2):
            move = np.zeros((1, 4, 2), np.float32)
            move[0, point, axis] = step
            difference = float(loss(predicted + move)[0] - loss(predicted - move)[0]) / (2 * step)
            assert gradient[point, axis] == pytest.approx(difference, abs=1e-3)
