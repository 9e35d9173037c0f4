"""Every preset's draws lie where its paper says; a paper's own figures, not the preset's fields, are compared with."""

import dataclasses

import numpy as np
import pytest

from components.synthetic_face_gen import lights
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.sampling import Sampler
from trainer import contract
from trainer.morphable.default import default_head
from trainer.rendering import camera as cameras
from trainer.rendering.lighting import irradiance


def drawn(name, count=200, **overrides):
    """Samples of other people and moments: first views of identities, as far as there are any."""
    config = SyntheticFaceConfig.preset(name, **overrides)
    sampler = Sampler(config, default_head().truncated(4, len(default_head().expression), 2))
    step = max(1, min(config.views_per_identity, config.count // count))
    return config, [sampler.sample(step * number) for number in range(count)]


def flat(values, low, high):
    """Whether values fill a range evenly: quartiles within a tenth of where they should be."""
    quartiles = (np.quantile(values, [0.25, 0.5, 0.75]) - low) / (high - low)
    return min(values) >= low and max(values) <= high and np.abs(quartiles - [0.25, 0.5, 0.75]).max() < 0.1


def test_piao2019():
    config, faces = drawn("piao2019")
    assert (config.image_size, config.wardrobe, config.surroundings.black) == (256, None, 1)
    euler = np.array([face.euler for face in faces])
    for axis, most in enumerate((90, 60, 10)):
        assert flat(euler[:, axis], -most, most)
    freeform = np.array([face.person.freeform for face in faces])
    assert freeform.std() == pytest.approx(0.001, rel=0.15)
    directions = np.array([face.light.direction for face in faces])
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-5)
    # Flat over a half sphere is flat in height (Archimedes), and around it.
    assert flat(directions[:, 2], 0, 1)
    assert flat(np.arctan2(directions[:, 1], directions[:, 0]), -np.pi, np.pi)
    for colors in (
        np.array([irradiance(np.eye(3)[2:], face.light.harmonics)[0] for face in faces]),
        np.array([face.light.color for face in faces]),
        np.array([face.light.specular for face in faces]),
    ):
        white = colors / colors.mean()
        np.testing.assert_allclose(white.mean(axis=0), 1, atol=0.005)
        np.testing.assert_allclose(white.std(axis=0), 0.01, rtol=0.25)
    assert all(face.light.lamp_positions is None for face in faces)


def test_shu2020_shows_ten_views_of_a_moment():
    config, _ = drawn("shu2020", 1)
    assert config.image_size == 360
    sampler = Sampler(config, default_head())
    views = [sampler.sample(index) for index in range(20)]
    fields = [(face.identity, face.moment) for face in views]
    assert fields == [(0, 0)] * 10 + [(1, 0)] * 10
    first = views[0]
    for face in views[1:10]:
        np.testing.assert_array_equal(face.person.shape, first.person.shape)
        np.testing.assert_array_equal(face.expression, first.expression)
        assert face.camera.field_of_view == first.camera.field_of_view
    assert len({tuple(face.euler) for face in views[:10]}) > 7
    assert not np.array_equal(views[10].expression, first.expression)


def test_shu2020_angles_are_multiples_of_five_and_light_stands_still():
    config, faces = drawn("shu2020")
    euler = np.array([face.euler for face in faces])
    for axis, most in enumerate((45, 30, 20)):
        assert set(euler[:, axis]) == set(range(-most, most + 1, 5))
    counts = [0 if face.light.lamp_positions is None else len(face.light.lamp_positions) for face in faces]
    assert set(counts) == {0, 1, 2, 3, 4, 5}
    assert all(face.camera.kind == contract.PERSPECTIVE for face in faces)
    sampler = Sampler(config, default_head())
    views = [sampler.sample(index) for index in range(10)]
    normals = np.eye(3)
    seen = []
    for face in views:
        rotation = cameras.rotation_from_euler(face.euler)
        seen.append(irradiance(normals @ rotation.T, face.light.harmonics))
    # The same side of the face gets the same light in every view.
    np.testing.assert_allclose(seen, np.broadcast_to(seen[0], np.shape(seen)), rtol=1e-3, atol=1e-3)


def test_genova2018():
    config, faces = drawn("genova2018")
    assert (config.image_size, config.views_per_identity) == (224, 3)
    assert not any(face.expression.any() for face in faces)
    for face in faces:
        light = face.light
        assert light.lamp_positions.shape == (2, 3)
        assert (np.linalg.norm(light.lamp_positions, axis=1) >= 999).all()
        assert not light.harmonics.any()
        assert not light.color.any()
        assert light.specular_complement == 1
    strength = np.array([face.light.specular[0] * (face.light.shininess + 2) / 2 for face in faces])
    assert flat(strength, 0, 1)
    warmth = np.array(
        [np.log(face.light.lamp_colors[:, 0] / face.light.lamp_colors[:, 2].clip(1e-3)) for face in faces]
    )
    assert (warmth > 0.5).mean() > 0.2
    assert (warmth < 0.2).mean() > 0.2


def test_gecer2018_is_narrower_than_what_it_is_drawn_from():
    config, faces = drawn("gecer2018")
    assert config.image_size == 108
    wide = dataclasses.replace(config, paired_set=None)
    sampler = Sampler(wide, default_head().truncated(4, len(default_head().expression), 2))
    reference = [sampler.sample(20 * number) for number in range(200)]
    yaw, wider = (np.std([face.euler[0] for face in some]) for some in (faces, reference))
    assert yaw == pytest.approx(wider / np.sqrt(3), rel=0.2)
    jaw = default_head().expression_names.index("jawOpen")
    opened, wider = (np.var([face.expression[jaw] for face in some]) for some in (faces, reference))
    assert opened < 0.9 * wider


def test_tu2019_and_tiny_show_bare_heads_by_their_own_albedo():
    for name, size in (("tu2019", 224), ("tiny", 128)):
        config, faces = drawn(name, 5)
        assert (config.image_size, config.wardrobe, config.population.skin) == (size, None, "modes")
        assert all(face.camera.kind == contract.SCALED_ORTHOGRAPHIC for face in faces)


def test_wild():
    config, faces = drawn("wild", 120)
    assert (config.image_size, config.supersample) == (128, 2)
    assert config.wardrobe is not None
    euler = np.array([face.euler for face in faces])
    assert flat(euler[:, 0], -90, 90)
    assert (np.abs(euler) <= (90, 45, 40)).all()
    assert np.abs(euler[:, 1]).max() > 40
    assert np.abs(euler[:, 2]).max() > 35
    assert flat(np.log([face.camera.matrix[2, 3] for face in faces]), np.log(499.9), np.log(8001))
    tones = np.array([face.person.skin.melanin for face in faces])
    assert tones.min() < 0.03
    assert tones.max() > 0.25
    turned = np.array([face.euler - face.shoulders for face in faces])
    assert np.abs(turned[:, 0]).max() > 30
    assert (np.sign(turned) * np.sign(euler) >= 0).all()


def test_each_ingredient_draws_its_own_chance():
    """Without clothes, grey pictures and expression, pose, camera and light are what they were."""
    _, faces = drawn("wild", 4)
    _, plain = drawn("wild", 4, wardrobe=None, expression={"strength": 0.0}, image_chain={"grey_fraction": 0.0})
    for face, other in zip(faces, plain, strict=True):
        np.testing.assert_array_equal(face.euler, other.euler)
        np.testing.assert_array_equal(face.light.harmonics, other.light.harmonics)
        np.testing.assert_array_equal(face.person.shape, other.person.shape)
        assert face.camera.matrix[2, 3] == other.camera.matrix[2, 3]


def test_exposure_is_metered():
    """Whatever the light, a white surface that faces the camera comes out at about the same brightness."""
    config = SyntheticFaceConfig.preset("wild", light={"exposure_spread": 0.0, "skin_exposure": 0.0})
    levels = []
    for seed in range(40):
        light = lights.sample_light(config.light, np.random.default_rng(seed))
        meter = irradiance(lights.FACING, light.harmonics) / np.pi
        meter = meter + np.maximum(lights.FACING @ light.direction, 0)[:, None] * light.color
        if light.lamp_positions is not None:
            towards = light.lamp_positions / np.linalg.norm(light.lamp_positions, axis=1, keepdims=True)
            meter = meter + np.maximum(lights.FACING @ towards.T, 0) @ light.lamp_colors
        levels.append(meter.mean(axis=0) @ [0.2126, 0.7152, 0.0722])
    np.testing.assert_allclose(levels, lights.WHITE, rtol=0.1)


def test_turning_a_light_turns_all_of_it():
    config = SyntheticFaceConfig.preset("shu2020", light={"lamps": [2, 2], "parallel_fraction": 1.0})
    light = lights.sample_light(config.light, np.random.default_rng(1))
    rotation = cameras.rotation_from_euler(np.array([40.0, -20.0, 10.0]))
    turned = lights.turned(light, rotation)
    normals = np.array([[0.0, 0, 1], [0.6, 0, 0.8], [0, -0.6, 0.8]])
    np.testing.assert_allclose(
        irradiance(normals @ rotation.T, turned.harmonics), irradiance(normals, light.harmonics), atol=1e-4
    )
    np.testing.assert_allclose(turned.direction, rotation @ light.direction, atol=1e-6)
    np.testing.assert_allclose(turned.lamp_positions, light.lamp_positions @ rotation.T, rtol=1e-5)
