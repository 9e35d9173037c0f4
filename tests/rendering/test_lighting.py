import json
import math

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_graphics.math import spherical_harmonics

from trainer.rendering import color, lighting
from trainer.rendering.camera import rotation_from_euler
from trainer.rendering.scene import Light


def directions(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def sphere(count=200_000):
    """Nearly even directions, for integrals by sums."""
    index = np.arange(count) + 0.5
    z, azimuth = 1 - 2 * index / count, math.pi * (1 + math.sqrt(5)) * index
    return np.stack([np.sqrt(1 - z * z) * np.cos(azimuth), np.sqrt(1 - z * z) * np.sin(azimuth), z], axis=-1)


def radiance(vectors, harmonics):
    """Radiance of an environment, from the irradiance basis with its transfer taken off again."""
    bands = np.repeat([0, 1, 2], [1, 3, 5])
    return (lighting.irradiance_basis(vectors) / np.array(lighting.TRANSFER)[bands]) @ harmonics


def test_irradiance_is_the_integral_of_what_comes_from_above_the_surface():
    harmonics = np.random.default_rng(0).normal(size=(9, 3))
    around = sphere()
    for normal in directions(5):
        cosine = np.maximum(around @ normal, 0)
        expected = 4 * math.pi * (cosine[:, None] * radiance(around, harmonics)).mean(0)
        np.testing.assert_allclose(lighting.irradiance(normal[None], harmonics)[0], expected, atol=2e-3)


def test_basis_is_tensorflow_graphics_harmonics():
    normals = directions(20)
    order = np.array([0, -1, 0, 1, -2, -1, 0, 1, 2])
    degree = np.repeat([0, 1, 2], [1, 3, 5])
    theta = np.arccos(normals[:, 2:])
    phi = np.mod(np.arctan2(normals[:, 1:2], normals[:, :1]), 2 * math.pi)
    shape = (20, 9)
    reference = spherical_harmonics.evaluate_spherical_harmonics(
        np.broadcast_to(degree, shape), np.broadcast_to(order, shape), theta, phi
    ).numpy()
    # Signs differ by the Condon-Shortley phase, which this order-2 basis leaves out.
    basis = lighting.irradiance_basis(normals) / np.array(lighting.TRANSFER)[degree]
    np.testing.assert_allclose(np.abs(basis), np.abs(reference), atol=1e-5)


def test_published_irradiance_constants():
    up, right, viewer = np.eye(3)[[1, 0, 2]]
    c1, c2, c3, c4, c5 = 0.429043, 0.511664, 0.743125, 0.886227, 0.247708
    np.testing.assert_allclose(lighting.irradiance_basis(up), [c4, 2 * c2, 0, 0, 0, 0, -c5, 0, -c1], atol=2e-6)
    np.testing.assert_allclose(lighting.irradiance_basis(right), [c4, 0, 0, 2 * c2, 0, 0, -c5, 0, c1], atol=2e-6)
    np.testing.assert_allclose(lighting.irradiance_basis(viewer), [c4, 0, 2 * c2, 0, 0, 0, c3 - c5, 0, 0], atol=2e-6)


def test_uniform_white_light_shows_the_albedo():
    harmonics = np.zeros((9, 3))
    harmonics[0] = lighting.UNIT_L00
    np.testing.assert_allclose(lighting.irradiance(directions(4), harmonics) / math.pi, 1, atol=1e-5)


def test_ambient_light_is_the_same_from_everywhere():
    colors = np.array([[0.5, 1.0, 2.0], [0.1, 0.1, 0.1]])
    harmonics = lighting.ambient(colors)
    assert harmonics.shape == (2, 9, 3)
    assert harmonics.dtype == np.float32
    expected = np.broadcast_to(colors[:, None], (2, 4, 3))
    np.testing.assert_allclose(lighting.irradiance(directions(4)[None], harmonics) / math.pi, expected, rtol=1e-5)


def test_common_sources_have_colours():
    for kelvin in lighting.SOURCE_TEMPERATURES.values():
        assert color.blackbody(kelvin).min() >= 0
    warm, cold = (color.blackbody(lighting.SOURCE_TEMPERATURES[name]) for name in ("candle", "overcast sky"))
    assert warm[0] > 2 * warm[1] > 10 * warm[2]
    assert cold[2] > cold[0]


def test_turning_the_environment_turns_its_irradiance():
    harmonics, normals = np.random.default_rng(1).normal(size=(9, 3)), directions(50)
    rotation = rotation_from_euler(np.array([33.0, -20.0, 71.0]))
    turned = lighting.rotate_harmonics(harmonics, rotation)
    np.testing.assert_allclose(
        lighting.irradiance(normals @ rotation.T, turned), lighting.irradiance(normals, harmonics), atol=1e-5
    )


def test_samples_are_possible_light_of_unit_luminance_from_above():
    rng = np.random.default_rng(0)
    samples = np.stack([lighting.sample_harmonics(rng) for _ in range(400)])
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples[:, 0] @ lighting.LUMINANCE * lighting.BAND_0, 1, atol=1e-5)
    assert lighting.irradiance(directions(500)[None], samples).min() > 0
    relative = (samples @ lighting.LUMINANCE) / (samples[:, :1] @ lighting.LUMINANCE)
    assert 0.4 < relative[:, 1].mean() < 0.75, "light comes from above"
    assert np.abs(relative[:, [2, 3]].mean(0)).max() < 0.06, "and from no side more than from another"
    assert 0.15 < relative[:, 1].std() < 0.35
    again = np.random.default_rng(0)
    np.testing.assert_array_equal(samples[0], lighting.sample_harmonics(again))


def test_prior_is_that_of_the_measured_probes(development_data):
    path = development_data / "lights" / "debevec_light_probes_sh9.json"
    if not path.is_file():
        pytest.skip(f"no light probes at {path}")
    document = json.loads(path.read_text())
    probes = np.array([[light[name] for name in document["order"]] for light in document["lights"].values()])
    luminance = probes @ lighting.LUMINANCE
    relative = luminance / luminance[:, :1]
    np.testing.assert_allclose(relative.mean(0), lighting.PROBE_MEAN, atol=0.006)
    np.testing.assert_allclose(relative.std(0, ddof=1), lighting.PROBE_SD, atol=0.006)
    tint = np.log(probes[:, 0] / probes[:, 0, 1:2])
    np.testing.assert_allclose(tint.mean(0), lighting.TINT_MEAN, atol=0.006)
    np.testing.assert_allclose(tint.std(0, ddof=1), lighting.TINT_SD, atol=0.006)


def test_tensors_give_what_arrays_give():
    normals = directions(12).reshape(3, 4, 3).astype(np.float32)
    harmonics = np.random.default_rng(2).normal(size=(3, 9, 3)).astype(np.float32)
    expected = lighting.irradiance(normals, harmonics)
    np.testing.assert_allclose(lighting.irradiance(tf.constant(normals), tf.constant(harmonics)), expected, atol=1e-5)


def test_a_light_of_the_wrong_shape_is_refused():
    good = {"direction": np.zeros(3), "color": np.zeros(3), "specular": np.zeros(3), "shininess": np.float32(1)}
    with pytest.raises(ValueError, match="harmonics"):
        Light(np.zeros((27,)), **good)
    with pytest.raises(ValueError, match="specular"):
        Light(np.zeros((9, 3)), **{**good, "specular": np.zeros(1)})
