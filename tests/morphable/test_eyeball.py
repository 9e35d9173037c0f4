import numpy as np
import pytest
from numpy.testing import assert_allclose

from trainer.morphable.eyeball import IRIS_RADIUS, OUTWARD, PUPIL_RADIUS, RADIUS, build_eyeball, gaze_turn

COARSE_CENTER = np.array([30.0, 40.0, 5.0])
CENTER = COARSE_CENTER + np.array([OUTWARD, 0, 16 - RADIUS])


def coarse_eye():
    """A coarse sphere of 16 mm around `COARSE_CENTER`."""
    turns, heights = np.meshgrid(np.arange(8) * np.pi / 4, [-1, -0.9, -0.5, 0, 0.5, 0.9, 1])
    ring = np.sqrt(1 - heights**2)
    return COARSE_CENTER + 16 * np.stack([ring * np.cos(turns), ring * np.sin(turns), heights], -1).reshape(-1, 3)


@pytest.fixture
def eye():
    return build_eyeball(coarse_eye())


def test_it_is_a_closed_outward_sphere(eye):
    vertices = eye.weights @ coarse_eye()
    assert_allclose(np.linalg.norm(vertices - CENTER, axis=1), RADIUS, rtol=1e-6)
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


def test_it_keeps_the_front_of_the_larger_eye(eye):
    assert_allclose((eye.weights @ coarse_eye())[:, 2].max(), coarse_eye()[:, 2].max(), atol=1e-6)


@pytest.mark.parametrize(
    ("right", "up", "axis", "sign"), [(30, 0, 0, 1), (-30, 0, 0, -1), (0, 20, 1, 1), (0, -25, 1, -1)]
)
def test_gaze_turns_about_the_centre(eye, right, up, axis, sign):
    vertices = eye.weights @ coarse_eye()
    turned = vertices + gaze_turn(vertices, right, up)
    assert_allclose(np.linalg.norm(turned - CENTER, axis=1), RADIUS, rtol=1e-6)
    pole = turned[0] - CENTER
    assert pole[axis] * sign > 0
    assert_allclose(np.degrees(np.arccos(pole[2] / RADIUS)), abs(right) + abs(up), atol=1e-4)
