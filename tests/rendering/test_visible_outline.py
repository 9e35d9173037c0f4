"""The outline as an annotator sees it: on the far side at the contour, elsewhere where the skin's points are."""

import numpy as np
import pytest

from trainer import contract
from trainer.morphable.default import default_head
from trainer.rendering import camera as cameras
from trainer.rendering.scene import Camera
from trainer.rendering.visible_outline import VisibleOutline

SIZE = 256


def view(yaw, roll=0.0):
    euler = np.array([yaw, 0.0, roll])
    matrix = cameras.scaled_orthographic_matrix(euler, 1.0, np.array([SIZE / 2, SIZE / 2, 0.0]))
    return Camera(contract.SCALED_ORTHOGRAPHIC, matrix)


def both(yaw, roll=0.0):
    model = default_head()
    vertices, camera = model.vertices(), view(yaw, roll)
    fixed = cameras.project(
        model.landmark_points(vertices, "outline"), camera.matrix, camera.kind, camera.field_of_view, SIZE, SIZE
    )[:, :2]
    return fixed, VisibleOutline(model).project(vertices, camera, SIZE, SIZE)


def test_a_frontal_face_keeps_its_points():
    fixed, seen = both(0.0)
    assert np.linalg.norm(seen - fixed, axis=1).max() < 0.1  # millimetres
    np.testing.assert_allclose(seen[8], fixed[8])


@pytest.mark.parametrize(("yaw", "far"), [(50.0, slice(9, 17)), (-50.0, slice(0, 8))])
def test_the_far_jaw_goes_outwards_and_nothing_else_moves(yaw, far):
    fixed, seen = both(yaw)
    outwards = np.sign(yaw) * (seen - fixed)[:, 0]
    assert (outwards[far] >= 0).all()
    assert outwards[far].max() > 10
    np.testing.assert_allclose(seen[:, 1], fixed[:, 1], atol=1e-6)
    others = np.delete(np.arange(68), np.arange(68)[far])
    np.testing.assert_allclose(seen[others], fixed[others])


def test_no_skin_of_the_cheek_lies_beyond():
    model, camera = default_head(), view(60.0)
    seen = VisibleOutline(model).project(model.vertices(), camera, SIZE, SIZE)
    cheeks = np.flatnonzero((model.regions["cheeks"] > 0.5) & (model.mean[:, 0] > 0))
    skin = cameras.project(model.mean[cheeks], camera.matrix, camera.kind, None, SIZE, SIZE)
    points = model.landmark_points(model.mean, "outline")
    for index in range(11, 16):
        band = np.abs(model.mean[cheeks, 1] - points[index, 1]) < 3
        if band.any():
            assert skin[band, 0].max() <= seen[index, 0] + 1e-3


def test_a_turn_in_the_plane_turns_the_points():
    _, upright = both(50.0)
    _, turned = both(50.0, 25.0)
    angle = np.radians(25.0)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose((upright - SIZE / 2) @ rotation.T + SIZE / 2, turned, atol=1e-3)
