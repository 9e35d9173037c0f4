import numpy as np
import pytest

from components.synthetic_face_gen import blending
from trainer.morphable.default import default_head
from trainer.rendering.camera import rotation_from_euler


def test_modes_add_up_as_the_model_says():
    model = default_head()
    rng = np.random.default_rng(0)
    weights = np.where(rng.random(len(model.expression)) < 0.3, rng.random(len(model.expression)), 0).astype(np.float32)
    np.testing.assert_allclose(
        blending.Modes(model.expression).added(model.mean, weights), model.vertices(expression=weights), atol=1e-3
    )
    np.testing.assert_array_equal(blending.Modes(model.expression).added(model.mean, 0 * weights), model.mean)
    none = blending.Modes(np.zeros((0, 5, 3), np.float32))
    base = np.ones((5, 3), np.float32)
    np.testing.assert_array_equal(none.added(base, np.zeros(0, np.float32)), base)


def test_shoulders_turn_by_the_whole_angle_and_the_skull_not_at_all():
    model, rotation = default_head(), rotation_from_euler(np.array([40.0, 10.0, -5.0]))
    weights = model.regions["body"]
    turned = blending.turn_body(model.mean, weights, rotation)
    np.testing.assert_array_equal(turned[weights == 0], model.mean[weights == 0])
    points = model.landmark_points(turned)
    np.testing.assert_allclose(points, model.landmark_points(model.mean), atol=0.5)
    shoulders = weights > 0.999
    assert shoulders.sum() > 20
    pivot = np.linalg.lstsq(
        rotation - np.eye(3), (model.mean[shoulders] @ rotation.T - turned[shoulders]).mean(axis=0), rcond=None
    )[0]
    expected = (model.mean[shoulders] - pivot) @ rotation.T + pivot
    np.testing.assert_allclose(turned[shoulders], expected, atol=0.5)


@pytest.mark.parametrize("angle", [20.0, 60.0])
def test_the_neck_does_not_fold(angle):
    """Between skull and shoulders no triangle turns over, however far the shoulders turn."""
    model = default_head()
    turned = blending.turn_body(model.mean, model.regions["body"], rotation_from_euler(np.array([angle, 0.0, 0.0])))
    stretch = np.linalg.norm(turned[model.triangles[:, 0]] - turned[model.triangles[:, 1]], axis=1) / np.maximum(
        np.linalg.norm(model.mean[model.triangles[:, 0]] - model.mean[model.triangles[:, 1]], axis=1), 0.5
    )
    assert np.quantile(stretch, 0.999) < 2.5


def test_no_turn_gives_the_same_vertices():
    model = default_head()
    assert blending.turn_body(model.mean, model.regions["body"], np.eye(3)) is model.mean
