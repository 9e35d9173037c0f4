import numpy as np
from numpy.testing import assert_allclose

from trainer.contract import LANDMARK_FLIP
from trainer.morphable.landmark_placement import place, shifts


def sheet():
    """A flat grid of 21 by 21 vertices 10 mm apart in the plane z = 0, symmetric about x = 0, facing +z."""
    x, y = np.meshgrid(np.arange(-10, 11) * 10.0, np.arange(-10, 11) * 10.0)
    vertices = np.stack([x, y, np.zeros_like(x)], -1).reshape(-1, 3)
    at = np.arange(21 * 21).reshape(21, 21)
    a, b, c, d = (part.ravel() for part in (at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return vertices, triangles, at[:, ::-1].ravel()


def test_shifts_are_symmetric():
    table = shifts()
    assert_allclose(table[list(LANDMARK_FLIP)] * [-1, 1, 1], table)
    assert np.abs(table).max() < 8


def test_landmarks_move_by_their_shift_and_stay_on_the_surface():
    vertices, triangles, mirror = sheet()
    middle = 10 * 21 + 10
    offset = np.array([index - LANDMARK_FLIP[index] for index in range(68)])
    start = middle + np.sign(offset) * 4
    shift = np.zeros((68, 3))
    shift[:] = [0, 3.3, 5.0]
    points = place(vertices, triangles, mirror, np.ones(len(triangles), bool), start, shift)
    placed = np.einsum("ncd,nc->nd", vertices[triangles[points.triangles]], points.barycentrics)
    assert_allclose(placed, vertices[start] + [0, 3.3, 0], atol=0.02)


def test_an_uneven_pair_meets_in_the_middle():
    vertices, triangles, mirror = sheet()
    start = np.full(68, 10 * 21 + 10)
    start[0], start[16] = 10 * 21 + 4, 10 * 21 + 15  # x = -60 and 50
    points = place(vertices, triangles, mirror, np.ones(len(triangles), bool), start, np.zeros((68, 3)))
    placed = np.einsum("ncd,nc->nd", vertices[triangles[points.triangles]], points.barycentrics)
    assert_allclose(placed[[0, 16], 0], [-55, 55], atol=0.02)
