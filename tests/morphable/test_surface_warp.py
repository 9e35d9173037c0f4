"""Nearest points of a surface, similarity, normals: against hand-made cases."""

import numpy as np
import pytest

from trainer.morphable.surface_warp import Surface, similarity, vertex_normals

SQUARE = np.array([[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]], np.float32)
FACES = np.array([[0, 1, 2], [0, 2, 3]])


def test_nearest_points_lie_on_the_surface():
    found = Surface(SQUARE, FACES).nearest(np.array([[7.0, 2.0, 5.0], [-3.0, 4.0, 0.0], [20.0, 20.0, 0.0]]))
    np.testing.assert_allclose(found.points, [[7, 2, 0], [0, 4, 0], [10, 10, 0]], atol=1e-9)
    np.testing.assert_allclose(found.distances, [5, 3, np.hypot(10, 10)])
    np.testing.assert_array_equal(found.triangles[:2], [0, 1])
    rebuilt = np.einsum("ncd,nc->nd", SQUARE[FACES[found.triangles]], found.barycentrics)
    np.testing.assert_allclose(rebuilt, found.points, atol=1e-6)


def test_a_surface_that_faces_the_other_way_does_not_count():
    """Two sheets back to back, as a lip on a lip: the normal decides, not the distance."""
    vertices = np.concatenate([SQUARE, SQUARE + np.array([0, 0, -1])])
    surface = Surface(vertices, np.concatenate([FACES, FACES[:, ::-1] + 4]))
    point = np.array([[5.0, 3.0, -0.2]])
    assert surface.nearest(point, np.array([[0.0, 0.0, 1.0]])).points[0, 2] == pytest.approx(0)
    assert surface.nearest(point, np.array([[0.0, 0.0, -1.0]])).points[0, 2] == pytest.approx(-1)
    assert np.isinf(Surface(SQUARE, FACES).nearest(point, np.array([[0.0, 0.0, -1.0]])).distances[0])


def test_many_points_are_answered_as_one_by_one():
    points = np.random.default_rng(0).uniform(-5, 15, (9000, 3))
    together = Surface(SQUARE, FACES).nearest(points)
    np.testing.assert_allclose(
        together.points, np.concatenate([np.clip(points[:, :2], 0, 10), 0 * points[:, :1]], axis=1)
    )


def test_triangles_without_area_are_passed_over():
    found = Surface(SQUARE, np.array([[0, 0, 1], [0, 1, 2], [3, 3, 3]])).nearest(np.array([[5.0, 1.0, 1.0]]))
    assert found.triangles[0] == 1
    with pytest.raises(ValueError, match="must have an area"):
        Surface(SQUARE, np.array([[0, 0, 1]]))


def test_similarity_is_found_again():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(10, 3))
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    rotation *= np.linalg.det(rotation)
    scale, turned, shift = similarity(points, 2.5 * points @ rotation.T + [1, 2, 3])
    assert scale == pytest.approx(2.5)
    np.testing.assert_allclose(turned, rotation, atol=1e-9)
    np.testing.assert_allclose(shift, [1, 2, 3], atol=1e-9)


def test_a_reflection_is_never_a_rotation():
    points = np.random.default_rng(0).normal(size=(10, 3))
    assert np.linalg.det(similarity(points, points * [-1, 1, 1])[1]) == pytest.approx(1)


def test_normals_point_out_and_are_zero_where_there_is_no_triangle():
    normals = vertex_normals(np.concatenate([SQUARE, [[50, 50, 50]]]), FACES)
    np.testing.assert_allclose(normals, [[0, 0, 1]] * 4 + [[0, 0, 0]])
