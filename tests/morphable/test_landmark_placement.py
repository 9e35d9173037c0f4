"""The definitions, laid onto the committed head and onto one that is changed."""

import dataclasses

import numpy as np
import pytest

from trainer.contract import LANDMARK_FLIP, LANDMARK_GROUPS, LANDMARK_SETS
from trainer.morphable.default import default_head
from trainer.morphable.eyeball import OUTWARD
from trainer.morphable.face_features import Band, Surface
from trainer.morphable.landmark_placement import Features, place

COARSE = 16 / 12.4
"""Radius of MakeHuman's eyes, which fill the lids' opening, over that of the head's."""

RIGHT = {name: list(indices) for name, indices in LANDMARK_GROUPS.items()}


@pytest.fixture(scope="module")
def head():
    return default_head()


@pytest.fixture(scope="module")
def vertices(head):
    mean = head.mean.astype(np.float64)
    return (mean + mean[head.mirror] * [-1, 1, 1]) / 2


def part(head, *names):
    return sum(head.regions[name] for name in names)[head.triangles].min(axis=1) > 0.5


@pytest.fixture(scope="module")
def surface(head, vertices):
    return Surface(vertices, head.triangles, ~part(head, "eyeballs", "teeth", "tongue"))


@pytest.fixture(scope="module")
def features(head, surface):
    balls, red = part(head, "eyeballs"), head.regions["lips"]
    filled = surface.vertices.copy()
    for side in (-1, 1):
        ball = (head.regions["eyeballs"] > 0.5) & (side * filled[:, 0] > 0)
        pole = filled[ball][filled[ball, 2].argmax()]
        filled[ball] = pole - [side * OUTWARD, 0, 0] + COARSE * (filled[ball] - pole)
    opening = dataclasses.replace(surface, vertices=filled)
    eye = opening.band((-48, 22), (-12, 48), lambda hits: balls[hits.triangles])
    lips = surface.band(
        (-30, -56),
        (0, -12),
        lambda hits: (red[head.triangles[hits.triangles]] * hits.barycentrics).sum(axis=1) > 0.5,
    )
    return Features(eye, lips, head.regions["ears"])


@pytest.fixture(scope="module")
def points(head, vertices, surface, features):
    sets = place(surface, features)
    assert tuple(sets) == LANDMARK_SETS
    return {
        name: np.einsum("ncd,nc->nd", vertices[head.triangles[found.triangles]], found.barycentrics)
        for name, found in sets.items()
    }


def test_placing_again_gives_the_committed_landmarks(head, points):
    for name in LANDMARK_SETS:
        distance = np.linalg.norm(points[name] - head.landmark_points(head.mean, name), axis=1)
        assert np.median(distance) < 0.5
        assert distance.max() < 2.0


@pytest.mark.parametrize("name", LANDMARK_SETS)
def test_sets_are_symmetric(points, name):
    np.testing.assert_allclose(points[name][list(LANDMARK_FLIP)] * [-1, 1, 1], points[name], atol=0.1)


def test_sets_differ_in_the_jaw_only(points):
    jaw = RIGHT["jaw"]
    inner = np.setdiff1d(np.arange(68), jaw)
    np.testing.assert_array_equal(points["basel"][inner], points["outline"][inner])
    assert np.linalg.norm(points["basel"][jaw] - points["outline"][jaw], axis=1).mean() > 2


def test_corners_and_lids_frame_the_eye(points, features):
    eye = points["basel"][RIGHT["right_eye"]]
    assert np.all(np.abs(eye[[0, 3], 0] - features.eye.x[[0, -1]]) < 1)
    for number, edge, sign in ((1, "top", 1), (2, "top", 1), (4, "bottom", -1), (5, "bottom", -1)):
        beyond = sign * (eye[number, 1] - features.eye.at(edge, eye[number, 0]))
        assert 0 < beyond < 1


def test_points_of_a_group_are_evenly_spaced_where_they_should_be(points):
    basel, outline = points["basel"], points["outline"]
    for steps in (
        np.diff(basel[RIGHT["right_brow"], 0]),
        np.diff(basel[RIGHT["nose_base"], 0]),
        np.linalg.norm(np.diff(outline[RIGHT["jaw"], :2], axis=0), axis=1)[1:-1],
    ):
        assert steps.max() / steps.min() < 1.25


def test_the_outline_is_what_is_seen_from_the_front(head, points):
    """No point of the face without ears lies outside of it at its height, and it is nearer to the viewer than the ear."""
    contour = points["outline"][:5]
    ears = head.regions["ears"] > 0.5
    assert contour[:, 2].min() > head.mean[ears, 2].max() - 1
    assert (np.diff(np.abs(contour[:, 0])) < 0.5).all()


def test_a_wider_mouth_takes_its_corners_along(head, vertices, surface, features):
    wider = dataclasses.replace(features.lips, x=features.lips.x * 1.2)
    changed = place(surface, dataclasses.replace(features, lips=wider))["basel"]
    moved = np.einsum("ncd,nc->nd", vertices[head.triangles[changed.triangles]], changed.barycentrics)
    assert moved[48, 0] == pytest.approx(1.2 * features.lips.x[0] - 0.4, abs=0.1)


def test_a_head_without_a_face_is_refused(surface):
    with pytest.raises(ValueError, match="shows nothing of a feature"):
        surface.band((-50, 24), (-40, 30), lambda hits: np.zeros(len(hits.triangles), bool))


def test_a_band_is_cut_into_equal_lengths():
    band = Band(np.array([0.0, 3.0, 6.0]), np.array([0.0, 4.0, 0.0]), np.zeros(3), np.zeros(3))
    np.testing.assert_allclose(band.along("top", 0, 6, 4), [(1.5, 2), (3, 4), (4.5, 2)], atol=0.05)
    assert band.at("top", 1.5) == pytest.approx(2)
