"""The frozen network: points in the images' pixels at any size, gradients to the images, weights that stay."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.imaging import alignment
from trainer.landmarks import network
from trainer.landmarks.config import LandmarkNetworkConfig
from trainer.landmarks.frozen import FrozenLandmarks, frozen_landmarks
from trainer.landmarks.released import released_config

TINY = LandmarkNetworkConfig.preset("tiny")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    keras.utils.set_random_seed(3)
    model = network.build(TINY)
    # Points of fresh weights hardly depend on the image.
    model.get_layer("raw").kernel.assign(np.random.default_rng(0).normal(0, 0.05, model.get_layer("raw").kernel.shape))
    network.save(model, TINY, path := tmp_path_factory.mktemp("frozen") / "landmarks.npz")
    return path


@pytest.fixture(scope="module")
def landmarks(path):
    return frozen_landmarks(path)


def pictures(height, width, count=2):
    """Smooth colours, as of faces out of focus."""
    coarse = np.random.default_rng(1).uniform(0, 1, (count, 5, 5, 3)).astype(np.float32)
    return tf.image.resize(coarse, (height, width), "bicubic").numpy().clip(0, 1)


def test_at_the_networks_size_it_is_the_network(path, landmarks):
    images = pictures(32, 32)
    np.testing.assert_allclose(landmarks(images), network.load(path)[0](images)[0], atol=1e-4)
    assert (landmarks.size, landmarks.margin) == (32, TINY.margin)


@pytest.mark.parametrize("size", [20, 48, 96, 113])
def test_other_sizes_are_seen_as_crops_are_and_points_scaled_back(path, landmarks, size):
    images = pictures(size, size)
    transform = np.array([32 / size, 0, 0], np.float32)
    crops = np.stack([alignment.crop_image(image, transform, 32) for image in images])
    expected = network.load(path)[0](crops)[0] * (size / 32)
    np.testing.assert_allclose(landmarks(images), expected, atol=2e-3 * size)


def test_sides_scale_each_by_its_own_factor(landmarks):
    flat = np.full((1, 40, 80, 3), 0.4, np.float32)
    np.testing.assert_allclose(landmarks(flat), landmarks(flat[:, :, :40]) * (2, 1), rtol=1e-5)


@pytest.mark.parametrize("size", [32, 80])
def test_gradients_reach_the_image_and_are_right(landmarks, size):
    image = tf.Variable(pictures(size, size, 1))
    weights = np.random.default_rng(2).normal(size=(1, 2, 68, 2)).astype(np.float32)

    def value(pixels):
        return tf.reduce_sum(landmarks(pixels) * weights)

    with tf.GradientTape() as tape:
        result = value(image)
    gradient = tape.gradient(result, image).numpy()
    assert (np.abs(gradient) > 0).mean() > 0.9
    direction = gradient / np.linalg.norm(gradient)
    step = 1e-2
    numerical = (value(image + step * direction) - value(image - step * direction)) / (2 * step)
    np.testing.assert_allclose(numerical, np.linalg.norm(gradient), rtol=0.05)


def test_it_compiles_whatever_the_size(landmarks):
    size = tf.TensorSpec([None, None, None, 3])
    any_size = tf.function(landmarks, input_signature=[size])
    compiled = tf.function(landmarks, jit_compile=True)
    for images in (pictures(40, 40), pictures(50, 64)):
        np.testing.assert_allclose(any_size(images), landmarks(images), atol=1e-3)
        np.testing.assert_allclose(compiled(images), landmarks(images), atol=1e-2)


def test_a_model_that_holds_it_neither_trains_nor_keeps_its_weights(landmarks):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.landmarks = landmarks
            self.dense = keras.layers.Dense(2)

    model = Model()
    model.dense.build((None, 3))
    assert [weight.shape for weight in model.weights] == [(3, 2), (2,)]
    assert landmarks._model.trainable_variables == []


def test_it_is_float32_under_any_policy(path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = frozen_landmarks(path)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        assert model(pictures(40, 40)).dtype == tf.float32
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(model(pictures(40, 40)), frozen_landmarks(path)(pictures(40, 40)), atol=1e-5)


def test_the_released_network_is_the_default():
    released = frozen_landmarks()
    assert isinstance(released, FrozenLandmarks)
    assert released.size == released_config().image_size
    assert released(np.full((1, 64, 64, 3), 0.5, np.float32)).shape == (1, 2, 68, 2)
