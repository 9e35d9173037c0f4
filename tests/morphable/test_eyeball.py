import numpy as np
import pytest
from numpy.testing import assert_allclose

from trainer.morphable.eyeball import IRIS_RADIUS, PUPIL_RADIUS, build_eyeball

CENTER = np.array([30.0, 40.0, 5.0])


def coarse_eye():
    """A coarse sphere of 12 mm around `CENTER`."""
    turns, heights = np.meshgrid(np.arange(8) * np.pi / 4, [-0.9, -0.5, 0, 0.5, 0.9])
    ring = np.sqrt(1 - heights**2)
    return CENTER + 12 * np.stack([ring * np.cos(turns), ring * np.sin(turns), heights], -1).reshape(-1, 3)


@pytest.fixture
def eye():
    return build_eyeball(coarse_eye())


def test_it_is_a_closed_outward_sphere(eye):
    vertices = eye.weights @ coarse_eye()
    assert_allclose(np.linalg.norm(vertices - CENTER, axis=1), 12, rtol=1e-6)
    a, b, c = (vertices[eye.triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    assert (np.einsum("td,td->t", normals, (a + b + c) / 3 - CENTER) > 0).all()
    edges = {tuple(edge) for t in eye.triangles for edge in zip(t, np.roll(t, -1), strict=True)}
    assert all((b, a) in edges for a, b in edges)


def test_any_affine_motion_of_the_coarse_eye_is_followed(eye):
    rng = np.random.default_rng(0)
    matrix, shift = rng.normal(size=(3, 3)), rng.normal(size=3)
    moved = eye.weights @ (coarse_eye() @ matrix.T + shift)
    assert_allclose(moved, (eye.weights @ coarse_eye()) @ matrix.T + shift, atol=1e-9)


def test_mirror_vertices_lie_at_the_mirrored_place(eye):
    offset = eye.weights @ coarse_eye() - CENTER
    assert_allclose(offset[eye.mirror] * [-1, 1, 1], offset, atol=1e-9)


def test_the_gaze_axis_is_z(eye):
    offset = eye.weights @ coarse_eye() - CENTER
    front = np.isfinite(eye.axis_distance)
    assert_allclose(np.linalg.norm(offset[front, :2], axis=1), eye.axis_distance[front], atol=1e-6)
    assert offset[eye.axis_distance < IRIS_RADIUS, 2].min() > 9
    assert (eye.axis_distance < PUPIL_RADIUS).sum() > 1


def test_an_eye_in_the_wrong_unit_is_refused():
    with pytest.raises(ValueError, match="radius of at least"):
        build_eyeball(coarse_eye() / 100)
