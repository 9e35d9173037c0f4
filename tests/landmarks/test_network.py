"""The network, its loss, its confidence and its file."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import contract
from trainer.landmarks import network
from trainer.landmarks.confidence import EXPECTED_ERROR, confidence
from trainer.landmarks.config import LandmarkNetworkConfig, LandmarkTrainingConfig
from trainer.landmarks.loss import landmark_nll

TINY = LandmarkNetworkConfig.preset("tiny")


@pytest.fixture(scope="module")
def tiny():
    keras.utils.set_random_seed(0)
    return network.build(TINY)


def test_shapes_and_size_of_the_small_network():
    small = network.build(LandmarkNetworkConfig.preset("small"))
    points, log_sigma = small(np.zeros((2, 96, 96, 3), np.float32))
    assert points.shape == (2, 2, 68, 2)
    assert log_sigma.shape == (2, 2, 68)
    assert small.count_params() <= 1_500_000


def test_raw_numbers_are_quarters_of_the_side_from_the_middle():
    raw = np.zeros((1, 2 * 68 * 3), np.float32)
    raw[0, :3] = (1.0, -2.0, np.log(50))  # the first point of the first set
    points, log_sigma = network.PointsAndSigmas(80)(raw)
    np.testing.assert_allclose(points[0, 0, 0], (60, 0))
    np.testing.assert_allclose(np.exp(log_sigma[0, 0, 0]), 80, rtol=1e-5)
    np.testing.assert_allclose(points[0, 1], 40.0)
    np.testing.assert_allclose(np.exp(log_sigma[0, 1]), 1.6, rtol=1e-5)


def test_gradients_reach_the_image_and_are_right(tiny):
    image = tf.Variable(np.random.default_rng(0).uniform(0.2, 0.8, (1, 32, 32, 3)).astype(np.float32))
    weights = np.random.default_rng(1).normal(size=(1, 2, 68, 2)).astype(np.float32)

    def value(pixels):
        return tf.reduce_sum(tiny(pixels, training=False)[0] * weights)

    with tf.GradientTape() as tape:
        result = value(image)
    gradient = tape.gradient(result, image).numpy()
    assert np.abs(gradient).max() > 0
    direction = gradient / np.linalg.norm(gradient)
    step = 3e-3
    numerical = (value(image + step * direction) - value(image - step * direction)) / (2 * step)
    np.testing.assert_allclose(numerical, np.linalg.norm(gradient), rtol=0.05)


def test_it_overfits_one_batch():
    keras.utils.set_random_seed(1)
    model = network.build(TINY)
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(4, 32, 32, 3)).astype(np.float32)
    points = rng.uniform(6, 26, (4, 2, 68, 2)).astype(np.float32)
    optimizer = keras.optimizers.Adam(1e-2)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            predicted, log_sigma = model(images, training=True)
            loss = tf.reduce_mean(landmark_nll(points, predicted, log_sigma))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss, tf.reduce_mean(tf.norm(predicted - points, axis=-1))

    first_loss, first_error = step()
    for _ in range(250):
        loss, error = step()
    assert error < 0.25 * first_error
    assert loss < first_loss - 1


def test_the_loss_is_least_where_sigma_is_half_the_error():
    true, predicted = np.zeros((1, 1, 2), np.float32), np.array([[[3.0, 4.0]]], np.float32)
    losses = [float(landmark_nll(true, predicted, np.full((1, 1), np.log(s), np.float32))[0]) for s in (2.0, 2.5, 3.0)]
    assert losses[1] < losses[0]
    assert losses[1] < losses[2]
    np.testing.assert_allclose(losses[1], 2 + 2 * np.log(2.5), rtol=1e-4)


def test_unknown_points_do_not_count():
    rng = np.random.default_rng(0)
    true, predicted = rng.normal(size=(2, 3, 5, 2, 2)).astype(np.float32)
    log_sigma = rng.normal(size=(3, 5, 2)).astype(np.float32)
    known = np.zeros((3, 5, 2), np.float32)
    known[0, 1, 0], known[1] = 1, 1
    losses = np.array(landmark_nll(true, predicted, log_sigma, known))
    alone = landmark_nll(true[:1, 1:2, :1], predicted[:1, 1:2, :1], log_sigma[:1, 1:2, :1])
    np.testing.assert_allclose(losses[0], alone[0], rtol=1e-5)
    np.testing.assert_allclose(losses[1], landmark_nll(true, predicted, log_sigma)[1], rtol=1e-5)
    assert losses[2] == 0


def test_confidence_falls_as_sigma_grows():
    points = np.random.default_rng(0).uniform(0, 80, (1, 68, 2)).astype(np.float32)
    extent = points.max(1) - points.min(1)
    half = EXPECTED_ERROR * np.sqrt(extent.prod()) / 2
    values = [float(confidence(points, np.full((1, 68), np.log(s * half), np.float32))[0]) for s in (0.1, 0.5, 1, 2, 9)]
    assert values == sorted(values, reverse=True)
    assert 0 <= values[-1] < 0.01 < 0.99 < values[0] <= 1
    np.testing.assert_allclose(values[2], 0.5, rtol=1e-4)
    wild = confidence(
        np.zeros((2, 68, 2), np.float32), np.array([[1e9], [-1e9]], np.float32) * np.ones((1, 68), "float32")
    )
    assert np.isfinite(wild).all()


def test_save_and_load_round_trip(tiny, tmp_path):
    path = tmp_path / "weights.npz"
    network.save(tiny, TINY, path)
    loaded, config = network.load(path)
    assert config == TINY
    images = np.random.default_rng(0).uniform(size=(2, 32, 32, 3)).astype(np.float32)
    for kept, original in zip(loaded(images), tiny(images), strict=True):
        np.testing.assert_allclose(kept, original, atol=0.05)
    assert [file.name for file in tmp_path.iterdir()] == ["weights.npz"]


@pytest.mark.parametrize("damage", ["missing", "truncated", "other", "misfit", "not finite"])
def test_a_bad_weights_file_is_named(tiny, tmp_path, damage):
    path = tmp_path / "weights.npz"
    if damage == "misfit":
        network.save(tiny, LandmarkNetworkConfig.preset("small"), path)
    elif damage == "other":
        np.savez(path, something=np.zeros(3))
    elif damage == "not finite":
        broken = keras.models.clone_model(tiny)
        broken.set_weights([np.full_like(value, np.nan) for value in tiny.get_weights()])
        network.save(broken, TINY, path)
    elif damage == "truncated":
        network.save(tiny, TINY, path)
        path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"weights\.npz: not a landmark network"):
        network.load(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [("image_size", 50), ("channels", (8, 0)), ("blocks", (0, -1)), ("blocks", (0, 1, 0)), ("margin", -0.1)],
)
def test_a_senseless_network_is_refused(field, value):
    with pytest.raises(ValueError, match=field):
        dataclasses.replace(TINY, **{field: value})


def test_unknown_presets_are_refused():
    for kind in (LandmarkNetworkConfig, LandmarkTrainingConfig):
        with pytest.raises(ValueError, match="tiny"):
            kind.preset("huge")


def test_flipping_twice_changes_nothing_and_swaps_sides():
    flip = np.array(contract.LANDMARK_FLIP)
    np.testing.assert_array_equal(flip[flip], np.arange(contract.LANDMARK_COUNT))
    right, left = contract.LANDMARK_GROUPS["right_eye"], contract.LANDMARK_GROUPS["left_eye"]
    assert {int(flip[index]) for index in right} == set(left)
