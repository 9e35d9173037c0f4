import numpy as np
import scipy.sparse
from numpy.testing import assert_allclose

from trainer.morphable.refinement import PolygonMesh, boundary_loops, refine, triangulate


def strip():
    """Two unit quads side by side, facing +z, each with its own texture corner at the shared edge."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0], [1, 1, 0], [2, 1, 0]], float)
    texture = np.concatenate([vertices[[0, 1, 4, 3], :2], vertices[[1, 2, 5, 4], :2] + 10])
    mesh = PolygonMesh(
        weights=scipy.sparse.identity(6, format="csr"),
        texture=texture,
        polygons=[[0, 1, 4, 3], [1, 2, 5, 4]],
        texture_polygons=[[0, 1, 2, 3], [4, 5, 6, 7]],
    )
    return mesh, vertices


def areas(vertices, triangles):
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a) / 2


def test_refinement_leaves_no_crack_and_keeps_area_and_winding():
    mesh, original = strip()
    refined = refine(mesh, np.array([True, False]))
    mesh, triangles, _ = triangulate(refined, refined.weights @ original)
    vertices = mesh.weights @ original
    signed = areas(vertices, triangles)
    assert_allclose(signed.sum(0), [0, 0, 2])
    assert signed[:, 2].min() > 0
    edges = {tuple(edge) for triangle in triangles for edge in zip(triangle, np.roll(triangle, -1), strict=True)}
    inner = [(a, b) for a, b in edges if (b, a) not in edges and 0 < vertices[a, 0] < 2 and 0 < vertices[b, 0] < 2]
    assert all(vertices[a, 1] == vertices[b, 1] and vertices[a, 1] in (0, 1) for a, b in inner)


def test_new_vertices_are_averages_and_shared():
    mesh, original = strip()
    refined = refine(mesh, np.array([True, True]))
    assert refined.weights.shape[0] == 6 + 7 + 2
    assert_allclose(np.asarray(refined.weights.sum(1)).ravel(), 1)
    assert len(refined.polygons) == 8
    moved = refined.weights @ (original * 3 + 1)
    assert_allclose(moved, (refined.weights @ original) * 3 + 1)


def test_a_texture_seam_survives():
    mesh, original = strip()
    refined = refine(mesh, np.array([True, True]))
    positions = refined.weights @ original
    for corners, texture_corners in zip(refined.polygons, refined.texture_polygons, strict=True):
        offset = refined.texture[texture_corners] - positions[corners, :2]
        assert_allclose(offset, offset[0] * np.ones((len(corners), 1)))
        assert offset[0, 0] in (0, 10)


def test_boundary_loop():
    mesh, _ = strip()
    (loop,) = boundary_loops(mesh.polygons)
    assert loop == [0, 1, 2, 5, 4, 3]
    assert boundary_loops([*mesh.polygons, loop[::-1]]) == []
