import numpy as np
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from trainer.morphable.linear import principal_modes, rigid_alignment


def test_alignment_undoes_a_rigid_motion_and_leaves_size():
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(10, 3))
    motions = [(Rotation.random(random_state=seed).as_matrix(), rng.normal(size=3)) for seed in range(3)]
    moved = np.stack([2.0 * reference @ rotation.T + shift for rotation, shift in motions])
    rotations, shifts = rigid_alignment(moved, reference)
    aligned = np.einsum("snd,sed->sne", moved, rotations) + shifts[:, None]
    centered = reference - reference.mean(0)
    assert_allclose(aligned, np.broadcast_to(2 * centered + reference.mean(0), aligned.shape), atol=1e-9)
    assert_allclose(np.linalg.det(rotations), 1)


def test_a_mirrored_shape_is_turned_not_mirrored():
    reference = np.random.default_rng(1).normal(size=(10, 3))
    rotations, _ = rigid_alignment((reference * [-1, 1, 1])[None], reference)
    assert_allclose(np.linalg.det(rotations), 1)


def test_modes_rebuild_the_covariance():
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(3, 5, 3))
    samples = 4 + np.einsum("sk,knd->snd", rng.normal(size=(400, 3)) * [3, 2, 1], directions)
    mean, modes, deviations, kept = principal_modes(samples, np.ones(5), 3)
    assert_allclose(mean, samples.mean(0))
    flat = modes.reshape(3, -1)
    assert_allclose(flat.T @ flat, np.cov(samples.reshape(400, -1), rowvar=False), atol=1e-9)
    assert_allclose(np.linalg.norm(flat, axis=1), deviations)
    assert (np.diff(deviations) < 0).all()
    assert_allclose(kept, 1)


def test_importance_orders_modes_but_does_not_scale_them():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(500, 2, 3)) * np.array([[5.0], [1.0]])
    _, modes, _, kept = principal_modes(samples, np.array([1e-6, 1.0]), 3)
    assert np.abs(modes[:, 1]).max() > 0.5
    assert kept > 0.9
    _, first, _, _ = principal_modes(samples, np.ones(2), 3)
    assert np.abs(first[:, 0]).max() > 3
