import numpy as np
import pytest
import tensorflow as tf

from trainer.rendering import color


@pytest.mark.parametrize(("linear", "srgb"), [(0, 0), (0.0031308, 0.04045), (0.2140411, 0.5), (0.5, 0.7353569), (1, 1)])
def test_published_pairs(linear, srgb):
    assert color.linear_to_srgb(np.array([linear]))[0] == pytest.approx(srgb, abs=1e-5)
    assert color.srgb_to_linear(np.array([srgb]))[0] == pytest.approx(linear, abs=1e-5)


def test_round_trip_and_clipping():
    values = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(color.srgb_to_linear(color.linear_to_srgb(values)), values, atol=1e-6)
    np.testing.assert_array_equal(color.linear_to_srgb(np.array([-1.0, 2.0])), [0, color.linear_to_srgb(np.array(1.0))])


def test_tensors_and_their_gradient_at_black():
    values = tf.constant([0.0, 0.001, 0.3, 1.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        srgb = color.linear_to_srgb(values)
    np.testing.assert_allclose(srgb, color.linear_to_srgb(values.numpy()), atol=1e-6)
    assert np.isfinite(tape.gradient(srgb, values)).all()
