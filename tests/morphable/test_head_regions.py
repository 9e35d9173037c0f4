"""Regions of the committed head lie where their names say."""

import numpy as np
import pytest

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.default import default_head

NAMES = (
    *("skin", "face", "neck", "body", "scalp", "beard", "cheeks", "lips", "ears", "nose", "eyelids", "brows", "eyes"),
    *("mouth", "jaw", "eyeballs", "teeth", "tongue", "mouth_interior"),
)


@pytest.fixture(scope="module")
def head():
    return default_head()


@pytest.fixture(scope="module")
def points(head):
    return head.landmark_points(head.mean)


def middle(head, name):
    weights = head.regions[name]
    return (weights[:, None] * head.mean).sum(0) / weights.sum()


def test_every_region_is_there_and_is_not_empty(head):
    assert set(NAMES) <= set(head.regions)
    for name in NAMES:
        assert 0 <= head.regions[name].min() < head.regions[name].max() <= 1, name
        assert (head.regions[name] > 0.5).sum() > 50, name


@pytest.mark.parametrize("name", NAMES)
def test_regions_are_symmetric(head, name):
    assert np.abs(head.regions[name] - head.regions[name][head.mirror]).mean() < 0.01
    assert abs(middle(head, name)[0]) < 1.0


def test_the_body_stays_when_the_head_turns(head, points):
    body = head.regions["body"]
    assert body[head.mean[:, 1] < points[8, 1] - 75].min() > 0.95
    assert body[head.mean[:, 1] > points[66, 1]].max() < 0.5  # the nape below it turns with the neck
    assert body[head.regions["face"] > 0.9].max() < 0.05
    assert body[(head.regions["eyeballs"] + head.regions["teeth"] + head.regions["ears"]) > 0.5].max() == 0
    edges = head.triangles[(head.regions["skin"][head.triangles] > 0.5).all(1)]
    assert np.abs(body[edges[:, 0]] - body[edges[:, 1]]).max() < 0.5  # no tear


def test_hair_grows_on_the_scalp_and_not_in_the_face(head, points):
    scalp = head.regions["scalp"]
    assert scalp[head.mean[:, 1] > points[24, 1] + 65].min() > 0.9
    assert scalp[(head.mean[:, 2] > -40) & (head.mean[:, 1] < points[24, 1] + 10)].max() == 0
    assert scalp[head.regions["ears"] > 0.9].max() < 0.1
    back = (head.mean[:, 2] < -150) & (np.abs(head.mean[:, 1] - points[30, 1]) < 15)
    assert scalp[back].min() > 0.9


def test_a_beard_grows_below_the_nose_around_the_lips_and_on_the_jaw(head, points):
    beard = head.regions["beard"]
    assert beard[head.regions["lips"] > 0.99].max() < 0.05
    assert beard[head.mean[:, 1] > points[0, 1] + 25].max() == 0
    spots = points[list(LANDMARK_GROUPS["jaw"])[4:13]]
    nearest = np.linalg.norm(head.mean[:, None] - spots[None], axis=-1).argmin(0)
    assert beard[nearest].min() > 0.3
    assert beard[nearest].mean() > 0.7


def test_the_cheek_is_between_eye_nose_mouth_and_ear(head, points):
    cheeks = head.regions["cheeks"] * (head.mean[:, 0] > 0)
    center = (cheeks[:, None] * head.mean).sum(0) / cheeks.sum()
    assert points[35, 0] + 15 < center[0] < points[15, 0] - 15
    assert points[54, 1] + 15 < center[1] < points[46, 1] - 10
    assert (cheeks * head.regions["beard"]).sum() < 0.1 * cheeks.sum()
