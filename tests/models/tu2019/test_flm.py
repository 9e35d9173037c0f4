import numpy as np

from trainer.models.tu2019.flm import landmark_map


def test_map_by_hand():
    """Row is y, column is x; floor, not rounding; outside is clamped; two points may share a pixel."""
    points = np.array([[[2.0, 0.99], [3.999, 1.0], [3.2, 1.7], [-5.0, 2.0], [9.0, 99.0]]], np.float32)
    expected = np.full((4, 4), -1.0)
    expected[0, 2] = expected[1, 3] = expected[2, 0] = expected[3, 3] = 1.0
    drawn = np.asarray(landmark_map(points, 4))
    assert drawn.shape == (1, 4, 4, 1)
    np.testing.assert_array_equal(drawn[0, ..., 0], expected)


def test_absent_points_are_not_drawn_and_each_image_has_its_own():
    points = np.array([[[0.5, 0.5], [1.5, 1.5]], [[1.5, 0.5], [0.5, 1.5]]], np.float32)
    drawn = np.asarray(landmark_map(points, 2, np.array([[1, 0], [1, 1]])))[..., 0]
    np.testing.assert_array_equal(drawn, [[[1, -1], [-1, -1]], [[-1, 1], [1, -1]]])
