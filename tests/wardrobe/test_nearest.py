"""Nearest points of a mesh."""

import numpy as np
import pytest

from trainer.wardrobe.nearest import barycentrics_of_nearest, nearest_on_mesh

VERTICES = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0], [4, 4, 1], [10, 10, 10]], float)
TRIANGLES = np.array([[0, 1, 2], [1, 3, 2], [2, 3, 4]])


def test_no_point_of_the_mesh_is_nearer():
    rng = np.random.default_rng(0)
    points = rng.uniform(-3, 12, (200, 3))
    triangle, weights = nearest_on_mesh(points, VERTICES, TRIANGLES)
    assert (weights >= -1e-12).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    found = np.einsum("nc,ncd->nd", weights, VERTICES[TRIANGLES[triangle]])
    dense = rng.dirichlet([0.6, 0.6, 0.6], 20_000)
    sampled = np.concatenate([dense @ VERTICES[t] for t in TRIANGLES])
    nearest = np.linalg.norm(points[:, None] - sampled[None], axis=2).min(axis=1)
    own = np.linalg.norm(points - found, axis=1)
    assert (own <= nearest + 1e-9).all()
    assert np.abs(own - nearest).max() < 0.2


@pytest.mark.parametrize(
    ("point", "weights"),
    [((1, 1, 5), (0.5, 0.25, 0.25)), ((-3, -3, 0), (1, 0, 0)), ((2, -7, 2), (0.5, 0.5, 0)), ((3, 3, 0), (0, 0.5, 0.5))],
)
def test_inside_corner_and_edges_by_hand(point, weights):
    found = barycentrics_of_nearest(np.array([point], float), VERTICES[TRIANGLES[:1]])
    np.testing.assert_allclose(found, [weights], atol=1e-12)


def test_a_mesh_must_have_triangles():
    with pytest.raises(ValueError, match="at least one"):
        nearest_on_mesh(np.zeros((1, 3)), VERTICES, TRIANGLES[:0])
