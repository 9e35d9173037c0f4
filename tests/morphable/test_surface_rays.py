import numpy as np
from numpy.testing import assert_allclose

from trainer.morphable.surface_rays import cast

TWO_SHEETS = np.array([[-10, -10, 0], [10, -10, 0], [0, 10, 0], [-10, -10, 5], [10, -10, 5], [0, 10, 5]], float)
TRIANGLES = np.array([[0, 1, 2], [3, 5, 4]])
DOWN = np.array([0.0, 0.0, -1.0])


def test_the_nearer_and_the_farther_sheet():
    origins = np.array([[0.0, 0.0, 20.0], [1.0, -3.0, 2.0]])
    first = cast(TWO_SHEETS, TRIANGLES, origins, DOWN)
    last = cast(TWO_SHEETS, TRIANGLES, origins, DOWN, last=True)
    assert_allclose(first.triangles, [1, 1])
    assert_allclose(last.triangles, [0, 0])
    assert_allclose(first.points, [[0, 0, 5], [1, -3, 5]], atol=1e-12)
    assert_allclose(first.distances, [15, -3])  # what lies behind the origin counts
    assert_allclose(last.distances, [20, 2])


def test_barycentrics_give_the_point_along_a_slanted_ray():
    direction = np.array([0.3, -0.2, -0.9]) / np.linalg.norm([0.3, -0.2, -0.9])
    hits = cast(TWO_SHEETS, TRIANGLES, np.array([[-2.0, 2.0, 12.0]]), direction)
    found = hits.barycentrics[0] @ TWO_SHEETS[TRIANGLES[hits.triangles[0]]]
    assert_allclose(found, hits.points[0])
    assert_allclose(found, np.array([-2.0, 2.0, 12.0]) + hits.distances[0] * direction)
    assert_allclose(found[2], 5)


def test_a_miss_is_told():
    hits = cast(TWO_SHEETS, TRIANGLES, np.array([[30.0, 0.0, 0.0]]), DOWN)
    assert hits.triangles[0] == -1
    assert np.isinf(hits.distances[0])
    assert np.isnan(hits.points).all()


def test_no_ray_slips_between_two_triangles():
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
    diagonal = np.linspace(-0.99, 0.99, 401)
    origins = np.stack([diagonal, diagonal, np.ones_like(diagonal)], axis=1)
    assert (cast(square, np.array([[0, 1, 2], [0, 2, 3]]), origins, DOWN).triangles >= 0).all()
