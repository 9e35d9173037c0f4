import dataclasses

import numpy as np
import pytest

from trainer import contract
from trainer.morphable import freeform
from trainer.morphable.default import default_head
from trainer.morphable.freeform import COEFFICIENT_NAMES, FreeForm, bernstein

NOSE, CHIN = 30, 8


@pytest.fixture(scope="module")
def head():
    return default_head()


@pytest.fixture(scope="module")
def lattice(head):
    return FreeForm(head)


def test_bernstein_by_hand():
    np.testing.assert_allclose(bernstein(2, 0.25), [0.5625, 0.375, 0.0625])
    np.testing.assert_allclose(bernstein(3, [0, 0.5, 1]), [[1, 0, 0, 0], [0.125, 0.375, 0.375, 0.125], [0, 0, 0, 1]])
    np.testing.assert_allclose(bernstein(12, np.linspace(0, 1, 7)).sum(-1), 1)


def test_undisplaced_control_points_give_the_point_back():
    """Sederberg and Parry's equation 2 with a regular lattice is the identity: what lets us keep displacements alone."""
    s = np.random.default_rng(0).uniform(size=20)
    for degree in freeform.LATTICE_DEGREES:
        np.testing.assert_allclose(bernstein(degree, s) @ (np.arange(degree + 1) / degree), s)


def test_the_weight_is_the_trivariate_sum(head, lattice):
    """A vertex near the nose, by the full sum over displaced control points."""
    vertex = int(np.linalg.norm(head.mean - head.landmark_points(head.mean)[NOSE], axis=1).argmin())
    s, t, u = (head.mean[vertex] - lattice.origin) / lattice.size
    tip = (head.landmark_points(head.mean)[NOSE] - lattice.origin) / lattice.size * freeform.LATTICE_DEGREES
    total = 0.0
    for i in range(7):
        for j in range(13):
            for k in range(7):
                near = abs(i - round(tip[0])) <= 1 and abs(j - round(tip[1])) <= 1 and abs(k - round(tip[2])) <= 1
                if near and 2 <= i <= 4 and 2 <= j <= 10 and 2 <= k <= 4:
                    total += bernstein(6, s)[i] * bernstein(12, t)[j] * bernstein(6, u)[k]
    assert total > 0.1
    np.testing.assert_allclose(lattice.basis[1, vertex], [0, 0, total * lattice.length], rtol=1e-5)


def test_zero_is_the_identity_and_movement_is_linear(head, lattice):
    np.testing.assert_array_equal(lattice.deform(head.mean, np.zeros(4)), head.mean)
    once, twice = (lattice.deform(head.mean, factor * np.float32([0.1, -0.2, 0.05, 0.1])) for factor in (1, 2))
    np.testing.assert_allclose(twice - head.mean, 2 * (once - head.mean), atol=1e-4)


def test_each_coefficient_moves_its_tip_its_way(head, lattice):
    moved = head.landmark_points(lattice.basis)
    for index, name in enumerate(COEFFICIENT_NAMES):
        tip, other = (NOSE, CHIN) if name.startswith("nose") else (CHIN, NOSE)
        axis = 1 if name.endswith("_y") else 2
        assert moved[index, tip, axis] > 0.25 * lattice.length
        assert moved[index, tip].sum() == pytest.approx(moved[index, tip, axis]), "along one axis only"
        assert moved[index, other, axis] < 0.01 * moved[index, tip, axis]
        assert np.abs(moved[index, [36, 45, 0, 16]]).max() < 0.02 * moved[index, tip, axis], "eyes and ears stay"


def test_symmetric_faces_stay_symmetric(head, lattice):
    deformed = lattice.deform(head.mean, [0.1, 0.05, -0.1, 0.08])
    np.testing.assert_allclose(deformed[head.mirror] * [-1, 1, 1], deformed, atol=1e-3)


def test_it_fades_out_at_the_lattices_boundary_without_a_crease(lattice):
    """Value and slope of the weight vanish on all six sides."""
    rng = np.random.default_rng(0)
    tip = np.array([0.5, 0.75, 0.6])
    step = 1e-4
    peak = freeform._group_weight(tip[None], tip)[0]
    for axis in range(3):
        for side in (0.0, 1.0):
            points = rng.uniform(size=(50, 3))
            points[:, axis] = side
            inner = points.copy()
            inner[:, axis] = abs(side - step)
            assert np.abs(freeform._group_weight(points, tip)).max() < 1e-12
            assert np.abs(freeform._group_weight(inner, tip)).max() / step < 0.05 * peak


def test_samples_are_piaos_and_repeat(lattice):
    samples = np.stack([lattice.sample(np.random.default_rng(seed)) for seed in range(2000)])
    assert samples.dtype == np.float32
    assert samples.shape[1] == len(COEFFICIENT_NAMES)
    np.testing.assert_allclose(samples.std(0), 0.001, rtol=0.1)
    np.testing.assert_array_equal(samples[7], lattice.sample(np.random.default_rng(7)))
    assert contract.FEATURES[contract.MORPHABLE_FREEFORM].kind == "float"


def test_batches(head, lattice):
    coefficients = np.random.default_rng(0).normal(0, 0.1, (3, 4)).astype(np.float32)
    faces = head.vertices(identity=np.random.default_rng(1).normal(size=(3, 5)))
    together = lattice.deform(faces, coefficients)
    assert together.dtype == np.float32
    for face, row, expected in zip(faces, coefficients, together, strict=True):
        np.testing.assert_allclose(lattice.deform(face, row), expected, atol=1e-4)


def test_what_does_not_fit_is_named(head, lattice, tiny_model):
    with pytest.raises(ValueError, match=r"coefficients.*\(3,\)"):
        lattice.deform(head.mean, np.zeros(3))
    with pytest.raises(ValueError, match=r"vertices.*\(5, 3\)"):
        lattice.deform(np.zeros((5, 3)), np.zeros(4))
    with pytest.raises(ValueError, match="sd=-1"):
        lattice.sample(np.random.default_rng(0), sd=-1)
    with pytest.raises(ValueError, match=r"chin below its nose.*mm above it"):
        FreeForm(dataclasses.replace(head, mean=-head.mean))
    with pytest.raises(ValueError, match="outline"):
        FreeForm(tiny_model, "outline")
