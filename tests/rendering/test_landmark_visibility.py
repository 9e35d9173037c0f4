import numpy as np

from trainer.rendering.landmark_visibility import landmark_visibility


def test_points_behind_the_surface_or_outside_are_hidden():
    depth = np.full((10, 10), np.inf)
    depth[2:8, 2:8] = 0.0
    points = np.array([[5, 5, 0.5], [5, 5, 30.0], [-1, 5, 0], [5, 12, 0], [8.2, 5, 0.0]])
    np.testing.assert_array_equal(landmark_visibility(points, depth, 2.0), [1, 0, 0, 0, 1])


def test_at_an_edge_of_depth_the_farther_surface_counts():
    """A point on the cheek, next to the nose's edge: its own pixel shows the nose."""
    depth = np.full((6, 10), 0.0)
    depth[:, 5:] = 40.0
    points = np.array([[4.9, 3.5, 40.0], [3.9, 3.5, 40.0], [4.9, 3.5, 47.0]])
    np.testing.assert_array_equal(landmark_visibility(points, depth, 6.0), [1, 0, 0])


def test_a_point_that_nothing_was_drawn_near_is_hidden():
    depth = np.full((8, 8), np.inf)
    depth[0, 0] = 5.0
    np.testing.assert_array_equal(landmark_visibility(np.array([[6.0, 6.0, -9.0]]), depth, 6.0), [0])
