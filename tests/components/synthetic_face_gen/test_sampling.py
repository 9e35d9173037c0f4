import dataclasses

import numpy as np
import pytest

from components.synthetic_face_gen import labels, people, placement, sampling
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.config_parts import CameraConfig, ExpressionConfig
from components.synthetic_face_gen.expressions import ExpressionSampler
from trainer import contract
from trainer.imaging.alignment import landmark_box
from trainer.morphable.default import default_head
from trainer.rendering.camera import project

CONFIG = SyntheticFaceConfig(count=200, views_per_identity=4, seed=3)


def test_sample_depends_on_seed_and_index_alone():
    model = default_head()
    first = sampling.sample(CONFIG, model, 9)
    for config in (CONFIG, dataclasses.replace(CONFIG, count=10)):
        sampling.sample(config, model, 4)
        again = sampling.sample(config, model, 9)
        np.testing.assert_array_equal(again.vertices, first.vertices)
        np.testing.assert_array_equal(again.camera.matrix, first.camera.matrix)
        np.testing.assert_array_equal(again.light.harmonics, first.light.harmonics)
    other = sampling.sample(dataclasses.replace(CONFIG, seed=4), model, 9)
    assert not np.array_equal(other.person.shape, first.person.shape)


def test_identities_own_shape_and_albedo_and_views_own_the_rest():
    model = default_head()
    one, two, stranger = (sampling.sample(CONFIG, model, index) for index in (8, 9, 12))
    assert (one.identity, one.view, two.identity, two.view, stranger.identity) == (2, 0, 2, 1, 3)
    np.testing.assert_array_equal(one.person.shape, two.person.shape)
    np.testing.assert_array_equal(one.person.albedo, two.person.albedo)
    assert not np.array_equal(one.person.shape, stranger.person.shape)
    assert not np.array_equal(one.euler, two.euler)
    assert not np.array_equal(one.expression, two.expression)


def test_colors_follow_from_the_albedo_even_where_no_skin_is_that_dark():
    dark = dataclasses.replace(default_head(), albedo_mean=np.full_like(default_head().albedo_mean, 0.001))
    for model in (default_head(), dark):
        for index in (0, 4, 8):
            face = sampling.sample(CONFIG, model, index)
            np.testing.assert_allclose(face.colors, model.albedo_colors(face.person.albedo), atol=1e-6)


def test_index_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"`index` must be in \[0, 200\)"):
        sampling.sample(CONFIG, default_head(), 200)


def test_population_covers_the_ranges_and_stays_in_them():
    model, config = default_head(), dataclasses.replace(CONFIG, views_per_identity=1)
    faces = [sampling.sample(config, model, index) for index in range(120)]
    euler = np.array([face.euler for face in faces])
    for axis, span in enumerate((config.pose.yaw, config.pose.pitch, config.pose.roll)):
        assert span[0] <= euler[:, axis].min() < 0.7 * span[0]
        assert 0.7 * span[1] < euler[:, axis].max() <= span[1]
    bins = [contract.yaw_bin(yaw) for yaw in euler[:, 0]]
    assert min(bins.count(name) for name in contract.YAW_BINS) > 20
    shapes = np.array([face.person.shape for face in faces])
    assert 0.9 < shapes.std() < 1.1
    assert np.abs(shapes).max() <= people.LARGEST_COEFFICIENT
    lights = np.array([face.light.harmonics[0] for face in faces])
    assert (lights > 0).all()
    tones = {labels.skin_tone_bin(face.person.skin_color) for face in faces}
    assert len(tones) >= 4


def test_expressions_stay_in_range_and_are_mostly_mild():
    model = default_head()
    rng = np.random.default_rng(0)
    sampler = ExpressionSampler(model)
    drawn = np.array([sampler.sample(rng, ExpressionConfig()) for _ in range(400)])
    low, high = model.expression_range.T
    assert (drawn >= np.minimum(low, 0) - 1e-6).all()
    assert (drawn <= high + 1e-6).all()
    names = list(model.expression_names)
    left, right = drawn[:, names.index("mouthSmileLeft")], drawn[:, names.index("mouthSmileRight")]
    assert 0.15 < np.mean(left > 0.2) < 0.5
    assert np.corrcoef(left, right)[0, 1] > 0.8
    assert 0.05 < np.mean(drawn[:, names.index("eyeBlinkLeft")] > 0.4) < 0.3
    assert (drawn[:, names.index("mouthClose")] <= drawn[:, names.index("jawOpen")] + 1e-6).all()
    still = ExpressionConfig(strength=0, strong_fraction=0, closed_fraction=0, gaze_fraction=0)
    assert not sampler.sample(rng, still).any()


def test_models_with_unknown_expression_names_use_their_own_spread():
    model = default_head()
    numbered = dataclasses.replace(model, expression_names=[f"mode {i}" for i in range(len(model.expression_names))])
    drawn = ExpressionSampler(numbered).sample(np.random.default_rng(0), ExpressionConfig(strong_fraction=0))
    assert drawn.any()
    assert (drawn <= model.expression_range[:, 1]).all()


@pytest.mark.parametrize("kind", [contract.SCALED_ORTHOGRAPHIC, contract.PERSPECTIVE])
def test_cameras_put_the_face_where_it_was_asked_for(kind):
    points = default_head().landmark_points(default_head().mean)
    for yaw, distance in ((0.0, 400.0), (85.0, 600.0), (-40.0, 3000.0)):
        center = np.array([70.0, 55.0])
        camera = placement.place(points, np.array([yaw, 10.0, -20.0]), kind, distance, 80.0, center, 128)
        box = landmark_box(project(points, camera.matrix, kind, camera.field_of_view, 128, 128))
        assert max(box[2] - box[0], box[3] - box[1]) == pytest.approx(80, abs=0.2)
        np.testing.assert_allclose((box[:2] + box[2:]) / 2, center, atol=0.2)
        expected = 0.0 if kind == contract.SCALED_ORTHOGRAPHIC else distance
        assert camera.matrix[2, 3] == pytest.approx(expected)


def test_camera_configuration_sets_size_and_offset_of_the_face():
    config = dataclasses.replace(CONFIG, camera=CameraConfig(face_size=(0.5, 0.5), face_offset=0.0))
    face = sampling.sample(config, default_head(), 0)
    box = landmark_box(project(face.landmarks, face.camera.matrix, face.camera.kind))
    assert max(box[2] - box[0], box[3] - box[1]) == pytest.approx(64, abs=1e-3)
    np.testing.assert_allclose((box[:2] + box[2:]) / 2, [64, 64], atol=1e-3)
