"""The landmark servable: where faces lie, their depth and pose against a head that was projected, and the options."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from servable_parts import color_patch_networks, encoded, photo, tiny_networks

from trainer import contract, examples
from trainer.export_landmarks import LandmarkServable, export_landmarks
from trainer.landmarks.finder import FaceNetworks
from trainer.morphable.default import default_head
from trainer.rendering import camera

COMMON = {contract.OUTPUT_BOX, contract.OUTPUT_LANDMARKS, contract.OUTPUT_POSE, contract.OUTPUT_CONFIDENCE}
EULER = np.array([25.0, -10.0, 15.0])
PATCH, GREEN = (60, 40, 160, 160), (200, 90, 260, 140)


@keras.saving.register_keras_serializable(package="monoface_tests")
class HeadInPatch(keras.layers.Layer):
    """The default head's own landmarks, turned by `EULER`, laid into whatever the crop shows."""

    def call(self, images):
        points = np.stack([projected_head(images.shape[1])[:, :2]] * 2).astype("float32")
        points[1] += 1.0  # the outline: elsewhere
        ones = keras.ops.ones_like(images[:, :1, :1, 0])
        log_sigma = np.zeros((2, contract.LANDMARK_COUNT), "float32")
        return ones[..., None] * points, ones * log_sigma

    def compute_output_shape(self, input_shape):
        shape = (input_shape[0], 2, contract.LANDMARK_COUNT)
        return (*shape, 2), shape


def projected_head(size: int) -> np.ndarray:
    """`[68, 3]` landmarks of the mean head over a square of this side."""
    matrix = camera.scaled_orthographic_matrix(EULER, size / 220, np.array([size / 2, size / 2, 0.0]))
    points = default_head().landmark_basis()[0].astype(np.float64)
    return camera.project(points, matrix, contract.SCALED_ORTHOGRAPHIC)


def head_networks(size: int = 64) -> FaceNetworks:
    image = keras.Input((size, size, 3))
    return color_patch_networks()._replace(landmarks=keras.Model(image, list(HeadInPatch()(image))))


def ask(servable, name, *photos, **inputs):
    function = {
        contract.SIGNATURE_DEFAULT: servable.default,
        contract.SIGNATURE_WITH_BOX: servable.with_box,
        contract.SIGNATURE_FACES: servable.faces,
        contract.SIGNATURE_EXAMPLES: servable.examples,
    }[name]
    if photos:
        inputs[contract.INPUT_IMAGE_BYTES] = tf.constant(list(photos))
    return {key: value.numpy() for key, value in tf.function(function)(**inputs).items()}


@pytest.fixture(scope="module")
def servable():
    return LandmarkServable(head_networks(), default_head())


def test_depth_and_pose_are_those_of_the_head_that_was_projected(servable):
    """The stand-in answers with a projected head, so z and pose are known, in the photo's pixels."""
    box = np.array([[60.0, 40.0, 160.0, 140.0]], np.float32)
    answer = ask(servable, contract.SIGNATURE_WITH_BOX, encoded(photo(300, 220, PATCH)), box=tf.constant(box))
    wanted = projected_head(64)
    scale = 64 / (100 * 1.5)
    xy = (wanted[:, :2] - 32) / scale + (110, 90)
    np.testing.assert_allclose(answer[contract.OUTPUT_LANDMARKS][0, :, :2], xy, atol=1e-2)
    np.testing.assert_allclose(answer[contract.OUTPUT_LANDMARKS][0, :, 2], wanted[:, 2] / scale, atol=0.1)
    np.testing.assert_allclose(answer[contract.OUTPUT_POSE][0], EULER, atol=0.1)
    np.testing.assert_allclose(answer[contract.OUTPUT_BOX][0], [*xy.min(0), *xy.max(0)], atol=1e-2)
    assert answer[contract.OUTPUT_LANDMARKS][0, 30, 2] < answer[contract.OUTPUT_LANDMARKS][0, 8, 2]  # nose before chin


def test_every_face_is_found_and_the_larger_one_is_the_most_prominent(servable):
    both = encoded(photo(300, 220, PATCH, GREEN))
    faces = ask(servable, contract.SIGNATURE_FACES, encoded(photo(50, 50, None)), both)
    assert set(faces) == COMMON | {contract.OUTPUT_IMAGE_INDEX}
    np.testing.assert_array_equal(faces[contract.OUTPUT_IMAGE_INDEX], [1, 1])
    one = ask(servable, contract.SIGNATURE_DEFAULT, both)
    assert set(one) == COMMON
    widths = np.ptp(faces[contract.OUTPUT_LANDMARKS][..., 0], axis=1)
    np.testing.assert_allclose(
        one[contract.OUTPUT_LANDMARKS][0], faces[contract.OUTPUT_LANDMARKS][widths.argmax()], atol=0.05
    )


def test_examples_answer_as_with_box(servable):
    image, box = encoded(photo(300, 220, PATCH)), np.array([[50.0, 40, 170, 150]], np.float32)
    record = examples.encode({contract.IMAGE_ENCODED: image, contract.FACE_BOX: box[0], contract.IMAGE_ID: "x"})
    wanted = ask(servable, contract.SIGNATURE_WITH_BOX, image, box=tf.constant(box))
    for key, value in ask(servable, contract.SIGNATURE_EXAMPLES, examples=tf.constant([record])).items():
        np.testing.assert_allclose(value, wanted[key], atol=1e-4)


def test_the_outline_has_its_own_points_and_the_same_depth_and_pose(servable):
    outline = LandmarkServable(head_networks(), default_head(), landmark_set="outline")
    image, box = encoded(photo(300, 220, PATCH)), tf.constant([[60.0, 40.0, 160.0, 140.0]])
    first = ask(servable, contract.SIGNATURE_WITH_BOX, image, box=box)
    second = ask(outline, contract.SIGNATURE_WITH_BOX, image, box=box)
    moved = second[contract.OUTPUT_LANDMARKS] - first[contract.OUTPUT_LANDMARKS]
    np.testing.assert_allclose(moved[0], np.tile([150 / 64, 150 / 64, 0], (68, 1)), atol=1e-3)
    np.testing.assert_allclose(second[contract.OUTPUT_POSE], first[contract.OUTPUT_POSE], atol=1e-4)
    with pytest.raises(ValueError, match="landmark_set"):
        LandmarkServable(head_networks(), default_head(), landmark_set="ibug")


def test_the_saved_model_answers_as_the_networks_do(tmp_path):
    """The project's own networks, tiny and untrained, with flip averaging."""
    networks = tiny_networks()
    directory = export_landmarks(networks, default_head(), tmp_path / "1", flip=True)
    loaded = tf.saved_model.load(directory).signatures
    assert set(loaded) == {"serving_default", "with_box", "faces", "examples"}
    image, box = encoded(photo(90, 70, (20, 20, 60, 60))), tf.constant([[20.0, 20.0, 60.0, 60.0]])
    wanted = ask(LandmarkServable(networks, default_head(), flip=True), contract.SIGNATURE_WITH_BOX, image, box=box)
    found = loaded[contract.SIGNATURE_WITH_BOX](image_bytes=tf.constant([image]), box=box)
    for key, value in wanted.items():
        np.testing.assert_allclose(found[key], value, atol=1e-2, err_msg=key)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"image_bytes\[1\] could not be decoded: it is empty"):
        loaded[contract.SIGNATURE_FACES](image_bytes=tf.constant([image, b""]))
