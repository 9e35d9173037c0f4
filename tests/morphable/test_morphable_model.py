import dataclasses

import numpy as np
import pytest
from morphable_parts import build_tiny_model
from numpy.testing import assert_allclose

from trainer.morphable.model import LandmarkSet


def test_vertices_are_the_mean_plus_weighted_modes(tiny_model):
    assert_allclose(tiny_model.vertices(), tiny_model.mean)
    face = tiny_model.vertices(identity=[2, -1], expression=[0.5])
    # Vertex 1: mean (1, 0, 0), first mode 0.5 everywhere, second mode only y, expression (0, -2, 1).
    assert_allclose(face[1], [1 + 1, 1 - 1 - 1, 1 + 0.5])


def test_missing_coefficients_count_as_zero(tiny_model):
    assert_allclose(tiny_model.vertices(identity=[2]), tiny_model.vertices(identity=[2, 0]))
    assert_allclose(tiny_model.vertices(identity=[]), tiny_model.mean)
    assert_allclose(tiny_model.albedo_colors([]), tiny_model.albedo_mean)


def test_batches_equal_single_faces_and_broadcast(tiny_model):
    identity = np.array([[1, 0], [0, 3], [-1, 2]], np.float32)
    batch = tiny_model.vertices(identity=identity, expression=[1.0])
    assert batch.shape == (3, 4, 3)
    for face, row in zip(batch, identity, strict=True):
        assert_allclose(face, tiny_model.vertices(row, [1.0]), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"identity": [1, 2, 3]}, "`identity`.*at most 2.*3"),
        ({"expression": [[1, 2]]}, "`expression`.*at most 1"),
        ({"identity": 1.0}, "`identity` must be"),
        ({"identity": np.zeros((2, 2)), "expression": np.zeros((3, 1))}, "same batch size.*2 and 3"),
    ],
)
def test_impossible_coefficients_are_refused(tiny_model, arguments, words):
    with pytest.raises(ValueError, match=words):
        tiny_model.vertices(**arguments)


def test_colors_are_clipped_to_what_can_be_shown(tiny_model):
    assert_allclose(tiny_model.albedo_colors([1.0]), 0.7)
    assert_allclose(tiny_model.albedo_colors([[10.0], [-10.0]])[:, 0, 0], [1, 0])
    with pytest.raises(ValueError, match="`coefficients`"):
        tiny_model.albedo_colors([1, 2])


def test_landmarks_interpolate_their_triangle(tiny_model):
    # Landmark 1: triangle (1, 2, 3) with weights 1/4, 1/4, 1/2.
    expected = np.array([1, 0, 0]) / 4 + np.array([0, 2, 0]) / 4 + np.array([0, 0.5, 4]) / 2
    points = tiny_model.landmark_points(tiny_model.mean)
    assert points.shape == (68, 3)
    assert_allclose(points[1], expected)
    assert_allclose(tiny_model.landmark_points(tiny_model.mean[None, None])[0, 0], points)
    with pytest.raises(ValueError, match=r"basel.*outline"):
        tiny_model.landmark_points(tiny_model.mean, "outline")


def test_landmark_basis_is_the_model_at_the_landmarks(tiny_model):
    mean, identity, expression = tiny_model.landmark_basis("basel")
    coefficients, weight = np.array([0.7, -1.2], np.float32), 0.4
    expected = tiny_model.landmark_points(tiny_model.vertices(coefficients, [weight]))
    assert_allclose(mean + np.tensordot(coefficients, identity, 1) + weight * expression[0], expected, atol=1e-6)


def test_truncation_keeps_the_first_modes(tiny_model):
    small = tiny_model.truncated(1, 0)
    assert (len(small.identity), len(small.expression), len(small.albedo)) == (1, 0, 1)
    assert small.expression_names == ()
    assert_allclose(small.vertices([2.0]), tiny_model.vertices([2.0]))
    assert len(tiny_model.truncated(2, 1, 0).albedo) == 0
    for counts in ((3, 1), (-1, 1), (2, 2), (2, 1, 2)):
        with pytest.raises(ValueError, match="the number of modes"):
            tiny_model.truncated(*counts)


def test_the_hash_follows_the_content_but_not_the_provenance(tiny_model):
    assert tiny_model.sha256 == build_tiny_model(provenance={}).sha256
    moved = tiny_model.mean.copy()
    moved[0, 0] += 1e-3
    changed = [{"mean": moved}, {"name": "other"}, {"regions": {}}, {"expression_names": ("jawLeft",)}]
    assert len({tiny_model.sha256, *(build_tiny_model(**change).sha256 for change in changed)}) == 5


def test_a_shared_model_cannot_be_changed(tiny_model):
    with pytest.raises(ValueError, match="read-only"):
        tiny_model.mean[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        tiny_model.name = "other"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mean": np.full((4, 3), np.nan)}, "`mean` must be finite"),
        ({"uv": np.zeros((3, 2))}, r"`uv` must have shape \[4, 2\]"),
        ({"identity": np.zeros((2, 5, 3))}, r"`identity` must have shape \[2, 4, 3\]"),
        ({"albedo_sd": np.zeros(2)}, "`albedo_sd`"),
        ({"triangles": np.array([[0, 1, 4]])}, r"`triangles` must hold indices in \[0, 4\)"),
        ({"triangles": np.zeros((4, 3))}, "`triangles` must hold integers"),
        ({"triangles": np.int32(3)}, r"`triangles` must have shape \[0, 3\]"),
        ({"triangles": np.array([[0, 1, 2**32]])}, "`triangles` must fit int32"),
        ({"mean": np.full((4, 3), 1e300)}, "`mean` must be finite.*more than float32"),
        ({"mirror": np.array([1, 2, 0, 3])}, "involution"),
        ({"expression_names": ()}, "`expression_names`"),
        ({"regions": {"face": np.zeros(3)}}, r"`regions\[face\]`"),
        ({"mean": np.full((4, 3), "a")}, "`mean` must be numeric"),
    ],
)
def test_fields_that_do_not_fit_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        build_tiny_model(**change)


def test_barycentrics_must_sum_to_one():
    with pytest.raises(ValueError, match="sum to 1"):
        LandmarkSet(np.zeros(68, np.int32), np.zeros((68, 3)))
