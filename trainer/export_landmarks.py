"""The landmark network and the locator as a SavedModel of their own: photo bytes to boxes, 68 points, pose and confidence.

x and y are the network's, in the landmark set that is asked for. z and pose are those of the default head (or another) laid under
the `basel` points, in the graph. Signatures: `serving_default`, `with_box`, `faces`, `examples`.
"""

import os
from typing import Any

import tensorflow as tf

from trainer import contract, servable
from trainer.imaging import alignment
from trainer.imaging.decoding import Photos
from trainer.landmarks.finder import WHOLE, FaceNetworks, FoundFaces, Views
from trainer.landmarks.flip import flip_averaged
from trainer.landmarks.head_fit import HeadFit
from trainer.morphable.model import MorphableModel


def export_landmarks(
    networks: FaceNetworks,
    head: MorphableModel,
    directory: str | os.PathLike[str],
    margin: float = 0.25,
    landmark_set: str = contract.LANDMARK_SETS[0],
    flip: bool = False,
    warmup: bool = True,
) -> str:
    """Writes the servable; nothing is left at `directory` if it fails.

    Args:
        networks: The locator and the landmark network.
        head: The face model from which z and pose are taken.
        directory: Where to write. An earlier SavedModel there is replaced, as a whole.
        margin: Of the crops that the landmark network was trained on.
        landmark_set: Which of `contract.LANDMARK_SETS` x and y are of.
        flip: Whether the landmark network also looks at the mirrored crop, at twice the cost.
        warmup: Whether to add warm-up requests for TensorFlow Serving.

    Returns:
        `directory`.

    Raises:
        FileExistsError: If `directory` holds something other than a SavedModel.
        ValueError: If the landmark set is unknown.
    """
    landmarks = LandmarkServable(networks, head, margin, landmark_set, flip)
    asked = (contract.SIGNATURE_DEFAULT, contract.SIGNATURE_FACES) if warmup else ()
    return servable.write(landmarks, directory, asked)


class LandmarkServable(servable.FaceServable):
    """The graph of the servable."""

    def __init__(
        self,
        networks: FaceNetworks,
        head: MorphableModel,
        margin: float = 0.25,
        landmark_set: str = contract.LANDMARK_SETS[0],
        flip: bool = False,
        views: Views = WHOLE,
    ):
        """Takes what `export_landmarks` takes, and what the locator looks at."""
        if landmark_set not in contract.LANDMARK_SETS:
            raise ValueError(f"`landmark_set` must be one of {contract.LANDMARK_SETS}. Received: {landmark_set!r}")
        if flip:
            networks = networks._replace(landmarks=flip_averaged(networks.landmarks))
        super().__init__(networks, margin, views)
        self._set = contract.LANDMARK_SETS.index(landmark_set)
        self._fit = HeadFit(head)

    def describe(self, photos: Photos, faces: FoundFaces, owners: Any = None) -> dict[str, Any]:
        """The found faces, with depth and pose. The depths are those of the `basel` points in either set."""
        depths, euler = self._fit(faces.landmarks, faces.sigma[:, 0])
        points = (faces.landmarks, faces.outline)[self._set]
        return {
            contract.OUTPUT_BOX: alignment.landmark_box(points),
            contract.OUTPUT_LANDMARKS: tf.concat([points, depths[..., None]], axis=-1),
            contract.OUTPUT_POSE: euler,
            contract.OUTPUT_CONFIDENCE: faces.confidence,
        }
