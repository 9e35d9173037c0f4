"""Landmarks and regions carried to another mesh: the default head itself, bent, scaled and renumbered."""

import numpy as np
import pytest

from trainer.morphable.default import default_head
from trainer.morphable.landmark_transfer import ANATOMICAL, fit_head, landmark_transfer, region_transfer


def bent(points):
    """Another head: larger, turned, wider at the jaw, with a longer nose. Smooth, so that the truth is known."""
    angle = np.radians(20)
    rotation = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    x, y, z = points.T
    wider = 1 + 0.06 * np.exp(-np.square((y + 50) / 40))
    nose = 6 * np.exp(-(np.square(x) + np.square(y)) / 400 - np.square((z - 30) / 30))
    return (1.1 * np.stack([wider * x, y, z + nose], axis=1)) @ rotation.T + (5, -300, 40)


@pytest.fixture(scope="module")
def other():
    """Vertices and triangles of the bent head, its vertices in another order, without its eyeballs, teeth and tongue."""
    head = default_head()
    inner = np.maximum.reduce([head.regions[name] for name in ("eyeballs", "teeth", "tongue")]) > 0.5
    triangles = head.triangles[~inner[head.triangles].any(axis=1)]
    kept = np.random.default_rng(1).permutation(np.unique(triangles))
    row = np.full(head.vertex_count, -1)
    row[kept] = np.arange(len(kept))
    return bent(head.mean[kept]).astype(np.float32), row[triangles], kept


@pytest.fixture(scope="module")
def warp(other):
    head = default_head()
    truth = bent(head.landmark_points(head.mean))
    return fit_head(other[0], other[1], {index: truth[index] for index in ANATOMICAL})


def test_both_sets_arrive_where_they_belong(other, warp):
    vertices, triangles, _ = other
    head = default_head()
    sets = landmark_transfer(vertices, triangles, {}, warp)
    assert sorted(sets) == ["basel", "outline"]
    for name, points in sets.items():
        found = np.einsum("ncd,nc->nd", vertices[triangles[points.triangles]], points.barycentrics)
        distance = np.linalg.norm(found - bent(head.landmark_points(head.mean, name)), axis=1)
        assert np.median(distance) < 1.5, name
        assert distance.max() < 6, name


def test_a_mask_without_skull_and_ears_is_enough_for_the_inner_landmarks(other):
    vertices, triangles, kept = other
    head = default_head()
    front = (head.mean[kept, 2] > -70) & (head.mean[kept, 1] > -95) & (np.abs(head.mean[kept, 0]) < 68)
    faces = triangles[front[triangles].all(axis=1)]
    rows, faces = np.unique(faces, return_inverse=True)
    mask, faces = vertices[rows], faces.reshape(-1, 3)
    truth = bent(head.landmark_points(head.mean))
    warp = fit_head(mask, faces, {index: truth[index] for index in ANATOMICAL})
    points = landmark_transfer(mask, faces, {}, warp)["basel"]
    found = np.einsum("ncd,nc->nd", mask[faces[points.triangles]], points.barycentrics)
    assert np.linalg.norm(found - truth, axis=1)[17:].max() < 3


def test_known_landmarks_stay_where_they_are(other, warp):
    vertices, triangles, _ = other
    point = vertices[triangles[777]].mean(axis=0)
    sets = landmark_transfer(vertices, triangles, {"basel": {3: int(triangles[50, 1]), 8: point}}, warp)
    points = sets["basel"]
    found = np.einsum("ncd,nc->nd", vertices[triangles[points.triangles]], points.barycentrics)
    np.testing.assert_allclose(found[3], vertices[triangles[50, 1]], atol=1e-3)
    np.testing.assert_allclose(found[8], point, atol=1e-2)


def test_regions_arrive_where_they_belong(other, warp):
    vertices, triangles, kept = other
    head = default_head()
    regions = region_transfer(vertices, triangles, warp)
    assert sorted(regions) == sorted(head.regions)
    for name in ("lips", "ears", "brows", "nose", "scalp"):
        agreement = np.corrcoef(regions[name], head.regions[name][kept])[0, 1]
        assert agreement > 0.85, name
    assert not regions["eyeballs"].any(), "this head has none"


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({}, "at least 4 points"),
        (
            {index: np.array([index, 0.0, 0.0]) for index in range(5)},
            "`target_known` must be finite and must not lie in a line",
        ),
        ({68: 0, 1: 1, 2: 2, 3: 3}, r"`known` must name landmarks in \[0, 68\)"),
        ({0: 10**9, 1: 1, 2: 2, 3: 3}, "must be a vertex in"),
    ],
)
def test_too_little_is_refused(other, known, reason):
    with pytest.raises(ValueError, match=reason):
        fit_head(other[0], other[1], known)
