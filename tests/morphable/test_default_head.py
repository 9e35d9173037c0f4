"""Properties of the committed head that a wrong frame, side, unit or winding would break."""

import numpy as np
import pytest

from trainer.contract import LANDMARK_FLIP, LANDMARK_GROUPS, LANDMARK_SETS
from trainer.morphable.default import DEFAULT_HEAD_PATH, default_head

GROUPS = {name: list(indices) for name, indices in LANDMARK_GROUPS.items()}


@pytest.fixture(scope="module")
def head():
    return default_head()


@pytest.fixture(scope="module")
def points(head):
    return head.landmark_points(head.mean)


def triangle_normals(vertices, triangles):
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def test_sizes(head):
    assert head.triangle_count < 40_000
    assert head.vertex_count < 20_000
    assert DEFAULT_HEAD_PATH.stat().st_size < 6_000_000
    assert head.identity.shape[0] == 80
    assert len(head.expression) == 52
    assert set(LANDMARK_SETS) <= set(head.landmarks)
    assert {"face", "eyes", "nose", "mouth", "jaw", "ears", "neck", "skin", "eyeballs", "teeth"} <= set(head.regions)


def test_frame(points):
    eyes, mouth = points[GROUPS["right_eye"] + GROUPS["left_eye"]].mean(0), points[GROUPS["outer_lips"]].mean(0)
    assert eyes[1] > 20
    assert mouth[1] < -20
    np.testing.assert_allclose((eyes + mouth) / 2, 0, atol=2.0)
    assert points[GROUPS["left_eye"], 0].min() > 0 > points[GROUPS["right_eye"], 0].max()
    assert points[0, 0] < -50
    assert points[16, 0] > 50


def test_the_nose_points_at_the_viewer(head, points):
    tip = points[30]
    middle = head.mean[(np.abs(head.mean[:, 0]) < 20) & (head.mean[:, 1] > -60)]
    assert abs(tip[0]) < 1
    assert middle[:, 2].max() - tip[2] < 1.5
    near = np.linalg.norm(head.mean[head.triangles].mean(1) - tip, axis=1) < 6
    assert triangle_normals(head.mean, head.triangles[near]).sum(0)[2] > 0


def test_closed_parts_have_outward_triangles(head):
    for name in ("eyeballs", "tongue"):
        part = head.triangles[(head.regions[name][head.triangles] > 0.5).all(1)]
        centered = head.mean - head.mean[np.unique(part)].mean(0)
        volume = np.einsum("td,td->", centered[part[:, 0]], triangle_normals(centered, part)) / 6
        assert volume > 0, name


def test_the_head_is_closed_at_the_neck(head):
    """Every edge of the skin belongs to two triangles, run through in opposite directions."""
    skin = head.triangles[
        (head.regions["eyeballs"] + head.regions["teeth"] + head.regions["tongue"])[head.triangles].max(1) == 0
    ]
    edges = np.concatenate([skin[:, [0, 1]], skin[:, [1, 2]], skin[:, [2, 0]]])
    forward = {tuple(edge) for edge in edges.tolist()}
    assert len(forward) == len(edges)
    assert sum((b, a) not in forward for a, b in forward) == 0


def test_mirror(head, points):
    reflected = head.mean[head.mirror] * [-1, 1, 1]
    distance = np.linalg.norm(reflected - head.mean, axis=1)
    assert np.median(distance) < 0.5
    assert distance.max() < 3
    swapped = points[list(LANDMARK_FLIP)] * [-1, 1, 1]
    assert np.linalg.norm(swapped - points, axis=1).max() < 2


def test_barycentrics(head):
    for points_of in head.landmarks.values():
        np.testing.assert_allclose(points_of.barycentrics.sum(1), 1, atol=1e-5)
        assert points_of.barycentrics.min() >= 0


def test_human_lengths(points):
    right, left = points[GROUPS["right_eye"]].mean(0), points[GROUPS["left_eye"]].mean(0)
    assert 60 < np.linalg.norm(right - left) < 66  # ANSUR II: 64.0 (3.4), 61.7 (3.6)
    assert 105 < points[27, 1] - points[8, 1] < 125  # sellion to menton 122.6 (6.7), 113.1 (6.1)
    assert 44 < np.linalg.norm(points[48] - points[54]) < 54  # mouth 51.1 (4.2), 48.0 (4.0)


def test_jaw_open_takes_teeth_and_tongue_along(head):
    index = head.expression_names.index("jawOpen")
    moved = head.expression[index]
    chin = head.landmark_points(moved)[8]
    lower = (head.regions["teeth"] > 0) & (np.abs(moved[:, 1]) > 1)
    upper = (head.regions["teeth"] > 0) & ~lower
    assert chin[1] < -10
    assert lower.sum() > 50
    assert upper.sum() > 50
    assert moved[lower, 1].mean() < -10
    assert np.abs(moved[upper]).max() < 0.5
    assert moved[head.regions["tongue"] > 0.5, 1].mean() < -8


@pytest.mark.parametrize(("name", "eye"), [("eyeBlinkLeft", "left_eye"), ("eyeBlinkRight", "right_eye")])
def test_a_blink_shuts_the_lids_without_crossing_them(head, points, name, eye):
    weights = np.eye(len(head.expression))[head.expression_names.index(name)]
    shut = head.landmark_points(head.vertices(expression=weights))
    upper, lower = GROUPS[eye][1:3], GROUPS[eye][4:6]
    assert points[upper, 1].mean() - points[lower, 1].mean() > 6
    assert -1.3 < shut[upper, 1].mean() - shut[lower, 1].mean() <= 0


@pytest.mark.parametrize(("name", "axis", "sign"), [("eyeLookUpLeft", 1, 1), ("eyeLookInLeft", 0, -1)])
def test_gaze_turns_the_eye_of_its_side(head, name, axis, sign):
    moved = head.expression[head.expression_names.index(name)]
    eyes = head.regions["eyeballs"] > 0.5
    for side, moves in ((1, True), (-1, False)):
        eye = eyes & (np.sign(head.mean[:, 0]) == side)
        front = eye & (head.mean[:, 2] > np.quantile(head.mean[eye, 2], 0.9))
        assert (moved[front, axis].mean() * sign > 1) == moves


def test_features_are_visible_in_the_colors(head, points):
    """Iris, brow and lip are told from their surroundings: what a network sees."""
    luminance = head.albedo_colors() @ [0.2126, 0.7152, 0.0722]
    eyes = head.regions["eyeballs"] > 0.5
    assert luminance[eyes].min() < 0.02
    assert luminance[eyes].max() > 0.3
    skin = head.regions["skin"] > 0.9
    near_cheek = skin & (np.linalg.norm(head.mean - (points[31] + points[2]) / 2 - [0, 0, 25], axis=1) < 30)
    brow = luminance[head.regions["brows"] > 0.8]
    assert len(brow) > 20
    assert brow.mean() < 0.75 * luminance[near_cheek].mean()
    red = head.albedo_mean[:, 0] / head.albedo_mean[:, 1]
    assert red[head.regions["lips"] > 0.9].mean() > 1.3 * red[near_cheek].mean()


def test_skin_tones_span_the_skins(head):
    skin = head.regions["face"] > 0.9
    tones = [head.albedo_colors([weight])[skin].mean() for weight in (-2.2, 2.2)]
    assert 0.03 < min(tones) < 0.15
    assert max(tones) > 0.35


def test_licence_and_provenance_travel_with_the_head(head):
    assert head.licence == "CC0-1.0"
    assert {"source", "source_licence", "source_sha256", "command", "generator_version"} <= set(head.provenance)
    page = (DEFAULT_HEAD_PATH.parent / "PROVENANCE.md").read_text()
    assert head.sha256 in page
    assert head.provenance["source_sha256"] in page
    assert "CC0" in (DEFAULT_HEAD_PATH.parent / "LICENSE.makehuman.txt").read_text()


def test_the_tongue_comes_out_between_the_lips(head, points):
    weights = np.eye(len(head.expression))[head.expression_names.index("tongueOut")]
    moved = head.vertices(expression=weights)
    tongue = head.regions["tongue"] > 0.5
    tip = moved[tongue][moved[tongue, 2].argmax()]
    lips = head.landmark_points(moved)
    assert tip[2] > lips[[62, 66], 2].max() + 2
    assert lips[57, 1] < tip[1] < lips[62, 1]
    assert head.mean[tongue, 2].max() < points[66, 2] - 10  # and lies far behind them at rest


@pytest.mark.parametrize(("name", "degrees"), [("Out", 30), ("In", 30), ("Up", 20), ("Down", 25)])
def test_eyes_turn_about_their_centres_and_no_farther_than_people_s(head, name, degrees):
    moved = head.expression[head.expression_names.index(f"eyeLook{name}Left")]
    eye = (head.regions["eyeballs"] > 0.5) & (head.mean[:, 0] > 0)
    center = (head.mean[eye].min(0) + head.mean[eye].max(0)) / 2
    before = head.mean[eye] - center
    after = before + moved[eye]
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), np.linalg.norm(before, axis=1), atol=0.1)
    pole = before[:, 2].argmax()
    cosine = before[pole] @ after[pole] / np.linalg.norm(before[pole]) / np.linalg.norm(after[pole])
    assert np.degrees(np.arccos(cosine)) == pytest.approx(degrees, abs=1)
    assert 11.5 < np.linalg.norm(before, axis=1).mean() < 13  # people's: 12 mm
