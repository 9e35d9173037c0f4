import numpy as np
import pytest
import training_parts as parts

from trainer import contract
from trainer.layers.linear_landmarks import LinearLandmarks

FACE = parts.face_model()


def test_projects_the_face_models_own_landmarks():
    layer = LinearLandmarks(parts.IDENTITY, parts.EXPRESSION)
    layer.set_basis(*FACE.landmark_basis())
    for index in range(3):
        record = parts.features(FACE, index)
        coefficients = np.concatenate([record[contract.MORPHABLE_SHAPE], record[contract.MORPHABLE_EXPRESSION]])
        points = layer(record[contract.CAMERA_MATRIX][None].astype("f"), coefficients[None].astype("f"))
        np.testing.assert_allclose(points[0, :, :2], record[contract.LANDMARKS_XY], atol=1e-3)
        np.testing.assert_allclose(points[0, :, 2], record[contract.LANDMARKS_Z], atol=1e-3)


def test_takes_the_first_modes_of_a_larger_face_and_refuses_a_smaller_one():
    layer = LinearLandmarks(1, 1)
    mean, identity, expression = FACE.landmark_basis()
    layer.set_basis(mean, identity, expression)
    points = layer.model_points(np.array([[2.0, -1.0]], np.float32))
    np.testing.assert_allclose(points[0], mean + 2 * identity[0] - expression[0], rtol=1e-5, atol=1e-4)
    with pytest.raises(ValueError, match="9 identity"):
        LinearLandmarks(9, 1).set_basis(mean, identity, expression)
