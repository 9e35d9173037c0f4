"""A SavedModel whose signature `examples` answers with the example's own landmarks, shifted: its error is known exactly."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from trainer import contract


class ShiftedTruth(tf.Module):
    """Predicts every true landmark moved by `shift` pixels along x."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = tf.constant([shift, 0.0, 0.0])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=contract.INPUT_EXAMPLES)])
    def predict(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        count = contract.LANDMARK_COUNT
        parsed = tf.io.parse_example(
            examples,
            {
                contract.LANDMARKS_XY: tf.io.FixedLenFeature([count, 2], tf.float32),
                contract.LANDMARKS_Z: tf.io.FixedLenFeature([count, 1], tf.float32),
                contract.FACE_BOX: tf.io.FixedLenFeature([4], tf.float32),
                contract.POSE_EULER: tf.io.FixedLenFeature([3], tf.float32),
            },
        )
        truth = tf.concat([parsed[contract.LANDMARKS_XY], parsed[contract.LANDMARKS_Z]], axis=-1)
        return {
            contract.OUTPUT_LANDMARKS: truth + self.shift,
            contract.OUTPUT_BOX: parsed[contract.FACE_BOX],
            contract.OUTPUT_POSE: parsed[contract.POSE_EULER],
            contract.OUTPUT_CONFIDENCE: tf.ones(tf.shape(examples)),
        }


@pytest.fixture(scope="session")
def save_shifted_truth() -> Callable[[Path, float], Path]:
    """Function (folder, shift) that writes the SavedModel with the signature `examples` alone and returns its folder."""

    def save(directory: Path, shift: float) -> Path:
        model = ShiftedTruth(shift)
        tf.saved_model.save(model, str(directory), signatures={contract.SIGNATURE_EXAMPLES: model.predict})
        return directory

    return save
