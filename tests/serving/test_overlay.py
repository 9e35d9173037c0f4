"""Where the overlay draws, and what it leaves visible."""

import dataclasses
from types import ModuleType

import numpy as np
import pytest

from serving.face_model import Face
from serving.overlay import BOX_COLOR, FACE_MARGIN, GROUP_COLORS, draw_overlay, photo_scale
from trainer import contract

CENTER, RADIUS = np.array([300.0, 240.0, 0.0], np.float32), 100.0


@pytest.fixture(scope="module")
def face(fake: ModuleType) -> Face:
    vertices, triangles = fake.head_mesh()
    angle = np.linspace(0, 2 * np.pi, contract.LANDMARK_COUNT, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
    landmarks = (CENTER + 0.8 * RADIUS * ring).astype(np.float32)
    box = np.concatenate([landmarks[:, :2].min(0), landmarks[:, :2].max(0)])
    return Face(box, landmarks, np.zeros(3, np.float32), 1.0, CENTER + RADIUS * vertices, triangles)


def test_each_point_is_drawn_where_it_is_in_its_group_s_colour(face: Face) -> None:
    image = np.full((500, 640, 3), 128, np.uint8)
    overlay = draw_overlay(image, dataclasses.replace(face, vertices=None, triangles=None))
    side = overlay.shape[1] - 640
    enlarged = side / (2 * (0.5 + FACE_MARGIN) * (face.box[2] - face.box[0]))
    corner = CENTER[:2] - side / 2 / enlarged
    for name, indices in contract.LANDMARK_GROUPS.items():
        for index in indices:
            x, y = face.landmarks[index, :2]
            assert tuple(overlay[int(y), int(x)]) in {GROUP_COLORS[name], BOX_COLOR}, (name, index)
            x, y = (face.landmarks[index, :2] - corner) * enlarged
            assert tuple(overlay[int(y), 640 + int(x)]) == GROUP_COLORS[name], (name, index)
    assert (overlay[490, 20] == 128).all()


def test_the_mesh_covers_the_head_lets_the_photo_through_and_hides_its_back(face: Face) -> None:
    # Points and box in the middle, out of the mesh's way.
    middle = np.repeat(CENTER[None], contract.LANDMARK_COUNT, axis=0)
    face = dataclasses.replace(face, landmarks=middle, box=np.array([298, 238, 302, 242], np.float32))
    image = np.random.default_rng(0).integers(0, 255, (500, 640, 3)).astype(np.uint8)
    overlay = draw_overlay(image, face)[:500, :640]
    changed = (overlay.astype(int) - image).any(axis=-1)
    y, x = np.mgrid[:500, :640] + 0.5
    distance = np.hypot(x - CENTER[0], y - CENTER[1])
    assert changed[distance < RADIUS - 2].mean() > 0.99
    assert not changed[distance > RADIUS + 2].any()
    # See-through: what is under the mesh still shows.
    ring = (distance < 0.6 * RADIUS) & (distance > 0.1 * RADIUS)
    assert np.corrcoef(overlay[ring][:, 0], image[ring][:, 0])[0, 1] > 0.9
    # Lit from the upper right.
    grey = np.full_like(image, 128)
    brightness = draw_overlay(grey, face)[:500, :640].astype(int).sum(axis=-1)
    upper_right, lower_left = brightness[190:210, 330:350].mean(), brightness[270:290, 250:270].mean()
    assert upper_right > lower_left + 20
    # The half that is turned away is not drawn.
    assert face.vertices is not None
    assert face.triangles is not None
    away = face.triangles[(face.vertices[face.triangles][..., 2] > 0.05 * RADIUS).all(axis=1)]
    assert len(away) > 100
    back = draw_overlay(grey, dataclasses.replace(face, triangles=away))[:500, :640]
    assert (back[distance > 0.1 * RADIUS] == 128).all()


def test_large_photos_are_reduced_and_faces_off_the_photo_do_no_harm(face: Face) -> None:
    image = np.zeros((1000, 4000, 3), np.uint8)
    scale = photo_scale(image)
    assert draw_overlay(image, face).shape[0] == max(512, round(1000 * scale))
    away = dataclasses.replace(face, box=face.box - 900, landmarks=face.landmarks - 900, vertices=face.vertices - 900)
    assert draw_overlay(np.zeros((64, 48, 3), np.uint8), away).shape == (512, 48 + 512, 3)
    point = dataclasses.replace(
        face, box=np.zeros(4, np.float32), landmarks=face.landmarks * 0, vertices=face.vertices * 0
    )
    assert draw_overlay(np.zeros((64, 48, 3), np.uint8), point).shape == (512, 48 + 512, 3)
