import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer.imaging import augmentation
from trainer.imaging.augmentation import AugmentationConfig

NONE = AugmentationConfig.none()


def images(count=64, size=32):
    return tf.random.stateless_uniform([count, size, size, 3], [5, 6], 0.2, 0.8)


def test_nothing_switched_on_changes_nothing():
    before = images(4)
    np.testing.assert_allclose(augmentation.change_appearance(before, NONE, [1, 2]), before, atol=1e-6)
    geometry = augmentation.sample_geometry(NONE, tf.constant([1, 2]))
    box = tf.constant([10.0, 20.0, 50.0, 80.0])
    np.testing.assert_allclose(augmentation.jitter_box(box, geometry), box)
    assert float(geometry.angle) == 0
    assert augmentation.padded_size(NONE, 120) == 120


@pytest.mark.parametrize("name", ["brightness", "contrast", "gamma", "color", "gray", "noise", "occlusion", "blur"])
def test_every_ingredient_is_a_switch_of_its_own(name):
    extra = {"occlusion_size": 0.5} if name == "occlusion" else {"blur_sigma": 2.0} if name == "blur" else {}
    config = dataclasses.replace(NONE, **{name: 0.5}, **extra)
    before = images()
    after = augmentation.change_appearance(before, config, [1, 2]).numpy()
    changed = np.abs(after - before.numpy()).max(axis=(1, 2, 3)) > 1e-3
    low, high = (0.3, 0.7) if name in ("gray", "occlusion", "blur") else (0.9, 1.0)
    assert low < changed.mean() <= high
    assert after.min() >= 0
    assert after.max() <= 1
    np.testing.assert_array_equal(after, augmentation.change_appearance(before, config, [1, 2]))


def test_gray_has_equal_channels_and_blur_keeps_the_mean():
    gray = augmentation.change_appearance(images(), dataclasses.replace(NONE, gray=1.0), [1, 2]).numpy()
    np.testing.assert_allclose(gray[..., 0], gray[..., 2], atol=1e-6)
    before = images()
    blurred = augmentation.change_appearance(
        before, dataclasses.replace(NONE, blur=1.0, blur_sigma=1.0), [1, 2]
    ).numpy()
    np.testing.assert_allclose(blurred.mean(axis=(1, 2, 3)), before.numpy().mean(axis=(1, 2, 3)), atol=2e-3)
    assert (blurred.std(axis=(1, 2)) < before.numpy().std(axis=(1, 2)) + 1e-6).all()


def test_rotation_is_counter_clockwise_for_images_and_points_alike():
    """A quarter turn brings what is right of the middle above it."""
    image = np.zeros((1, 33, 33, 1), np.float32)
    image[0, 16, 26] = 1.0
    angle = tf.constant([np.pi / 2], tf.float32)
    turned = augmentation.rotate_images(tf.constant(image), angle, 33).numpy()[0, ..., 0]
    assert np.unravel_index(turned.argmax(), turned.shape) == (6, 16)
    point = augmentation.rotate_points(tf.constant([[26.5, 16.5]]), angle[0], 33)
    np.testing.assert_allclose(point, [[16.5, 6.5]], atol=1e-4)


def test_turned_crops_have_no_empty_corners():
    config = dataclasses.replace(NONE, rotation=45.0)
    pad = augmentation.padded_size(config, 40)
    white = tf.ones([1, pad, pad, 3])
    for degrees in (-45.0, -20.0, 45.0):
        turned = augmentation.rotate_images(white, tf.constant([np.radians(degrees)], tf.float32), 40).numpy()
        assert turned.min() > 0.99


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="rotation"):
        AugmentationConfig(rotation=60.0)
    with pytest.raises(ValueError, match="blur"):
        AugmentationConfig(blur=1.5)
    with pytest.raises(ValueError, match="noise"):
        AugmentationConfig(noise=-0.1)
