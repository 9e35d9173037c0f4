"""What a landmark is hidden by: things in front, the head itself, the picture's end."""

import numpy as np
import pytest

from components.synthetic_face_gen import visible
from components.synthetic_face_gen.borders import FILLS, Border, sample_border
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.config_parts import CameraConfig, ExpressionConfig, PopulationConfig, PoseConfig
from components.synthetic_face_gen.config_pictures import SurroundingsConfig
from components.synthetic_face_gen.sampling import sample
from trainer import contract
from trainer.morphable.default import default_head
from trainer.rendering.camera import project
from trainer.rendering.forward import render_scene
from trainer.rendering.scene import Surface

SIZE = 128
MOUTH = [*contract.LANDMARK_GROUPS["outer_lips"], *contract.LANDMARK_GROUPS["inner_lips"]]
EYES = [*contract.LANDMARK_GROUPS["right_eye"], *contract.LANDMARK_GROUPS["left_eye"]]


@pytest.fixture(scope="module")
def face():
    config = SyntheticFaceConfig(
        count=1,
        image_size=SIZE,
        population=PopulationConfig(identity_scale=0, albedo_scale=0),
        expression=ExpressionConfig(strength=0, strong_fraction=0, closed_fraction=0, gaze_fraction=0),
        pose=PoseConfig(yaw=(0, 0), pitch=(0, 0), roll=(0, 0)),
        camera=CameraConfig(face_size=(0.6, 0.6), face_offset=0),
    )
    return sample(config, default_head(), 0)


def seen(face, *things, border=None):
    head = Surface("head", face.vertices, default_head().triangles, face.colors)
    surfaces = [head, *things]
    image = render_scene(surfaces, face.camera, face.light, (SIZE, SIZE), 2)
    projected = project(face.landmarks, face.camera.matrix, face.camera.kind)
    return visible.landmark_visibility_in(projected, image, surfaces, face.camera, border)


def sheet(face, points, name="hand", margin=8.0, opacity=1.0):
    """A rectangle 20 mm before the nose that covers some landmarks."""
    low, high = face.landmarks[points, :2].min(axis=0) - margin, face.landmarks[points, :2].max(axis=0) + margin
    z = face.landmarks[:, 2].max() + 20
    corners = np.array([[low[0], low[1], z], [high[0], low[1], z], [high[0], high[1], z], [low[0], high[1], z]])
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return Surface(name, corners.astype(np.float32), triangles, np.full((4, 3), 0.3, np.float32), opacity=opacity)


def test_a_bare_face_shows_its_landmarks(face):
    result = seen(face)
    assert result.visible[17:].mean() > 0.9
    assert not result.occluded


def test_clothes_behind_the_chin_hide_nothing(face):
    wall = sheet(face, range(contract.LANDMARK_COUNT), name="clothes", margin=200.0)
    wall.vertices[:, 2] = face.landmarks[:, 2].min() - 20
    np.testing.assert_array_equal(seen(face, wall).visible, seen(face).visible)


def test_a_hand_before_the_mouth_hides_the_mouth_and_nothing_else(face):
    bare, covered = seen(face).visible, seen(face, sheet(face, MOUTH))
    assert not covered.visible[MOUTH].any()
    assert covered.occluded
    others = np.setdiff1d(np.arange(68), [*MOUTH, *contract.LANDMARK_GROUPS["nose_base"], *range(5, 12)])
    np.testing.assert_array_equal(covered.visible[others], bare[others])


@pytest.mark.parametrize(("opacity", "hidden"), [(1.0, True), (0.8, True), (0.3, False), (0.1, False)])
def test_dark_lenses_hide_eyes_and_clear_ones_do_not(face, opacity, hidden):
    assert (seen(face, sheet(face, EYES, "glasses", 4.0, opacity)).visible[EYES].mean() < 0.2) == hidden


def test_what_grows_on_the_skin_does_not_hide_it(face):
    assert seen(face, sheet(face, EYES, "brows")).visible[EYES].mean() > 0.9


def test_what_is_behind_the_face_hides_nothing(face):
    behind = sheet(face, MOUTH)
    behind.vertices[:, 2] -= 400
    np.testing.assert_array_equal(seen(face, behind).visible, seen(face).visible)


def test_landmarks_beyond_the_picture_s_end_are_hidden_and_stay_where_they_are(face):
    border = Border("black", SIZE, left=SIZE // 2, top=0, right=0, bottom=0)
    projected = project(face.landmarks, face.camera.matrix, face.camera.kind)
    result = seen(face, border=border)
    assert not result.visible[projected[:, 0] < SIZE // 2].any()
    assert result.visible[projected[:, 0] > SIZE // 2].mean() > 0.7
    assert result.occluded


@pytest.mark.parametrize("fill", sorted(set(FILLS)))
def test_a_border_leaves_the_picture_within_as_it_was(fill):
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    drawn = Border(fill, 64, left=10, top=0, right=0, bottom=20).drawn(image)
    assert drawn.shape == image.shape
    np.testing.assert_array_equal(drawn[:44, 10:], image[:44, 10:])
    assert not np.array_equal(drawn[:, :10], image[:, :10])
    if fill == "black":
        assert not drawn[44:].any()
    if fill == "edge":
        np.testing.assert_array_equal(drawn[44:, 10:], np.broadcast_to(image[43:44, 10:], (20, 54, 3)))


def test_borders_are_as_frequent_and_as_wide_as_configured():
    settings = SurroundingsConfig(border_fraction=0.3, border_extent=(0.1, 0.2))
    borders = [sample_border(settings, 100, np.random.default_rng(seed)) for seed in range(300)]
    found = [border for border in borders if border]
    assert 0.2 < len(found) / 300 < 0.4
    for border in found:
        left, right = border.columns.start, 100 - border.columns.stop
        top, bottom = border.rows.start, 100 - border.rows.stop
        widths = [width for width in (left, right, top, bottom) if width]
        assert 1 <= len(widths) <= 2
        assert all(10 <= width <= 20 for width in widths)
        assert not (left and right)
        assert not (top and bottom)
    assert sample_border(SurroundingsConfig(), 100, np.random.default_rng(0)) is None
