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


@pytest.mark.parametrize(
    ("kelvin", "x", "y"),
    [
        (2000, 0.5267, 0.4133),
        (2856, 0.4476, 0.4074),
        (5000, 0.3451, 0.3516),
        (6500, 0.3135, 0.3237),
        (10000, 0.2806, 0.2883),
    ],
)
def test_black_bodies_lie_on_the_planckian_locus(kelvin, x, y):
    """Published CIE 1931 chromaticities, within the error of the fitted observer."""
    xyz = np.linalg.inv(color.XYZ_TO_LINEAR) @ color.blackbody(kelvin)
    np.testing.assert_allclose(xyz[:2] / xyz.sum(), [x, y], atol=0.003)


def test_black_bodies_have_luminance_1_and_grow_bluer_when_hotter():
    temperatures = np.array([[1000, 1900, 2700], [5500, 7500, 40000]])
    rgb = color.blackbody(temperatures)
    assert rgb.shape == (2, 3, 3)
    assert rgb.dtype == np.float32
    np.testing.assert_allclose(rgb @ [0.2126, 0.7152, 0.0722], 1, atol=1e-3)
    assert (rgb >= 0).all()
    ordered = rgb.reshape(-1, 3)
    assert (np.diff(ordered[:, 0]) < 0).all()
    assert (np.diff(ordered[1:, 2]) > 0).all()
    np.testing.assert_allclose(color.blackbody(6504), 1, atol=0.05)


@pytest.mark.parametrize("kelvin", [0, 999, 50000, np.nan, np.array([3000, -1])])
def test_impossible_temperatures_are_refused(kelvin):
    with pytest.raises(ValueError, match="kelvin"):
        color.blackbody(kelvin)
