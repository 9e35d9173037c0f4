"""A trained model as a SavedModel that goes from photo bytes to landmarks, pose, mesh and confidence.

Decoding, finding faces, cropping, regression, the morphable model and the way back to the photo's pixels all run in the graph.
"""

import os
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from keras import ops

from trainer import contract, servable
from trainer.imaging import alignment
from trainer.imaging.decoding import Photos, decode_photos
from trainer.landmarks.finder import FaceNetworks, FoundFaces, refine_faces
from trainer.morphable.model import MorphableModel
from trainer.rendering import camera


class FaceRegressor(Protocol):
    """A trained model of one face in a crop: what a paper hands to `export`."""

    image_size: int
    """Side S of the square crop, pixels."""
    margin: float
    """Margin of the crop around the landmarks' box, fraction of its longer side on every side."""

    def __call__(self, images: Any, landmarks: Any) -> tuple[Any, Any, Any]:
        """Regresses faces; traced into the graph, so of TensorFlow or `keras.ops` operations alone.

        Args:
            images: `[B, S, S, 3]` sRGB in [0, 1].
            landmarks: `[B, 68, 2]` detected landmarks, pixels of the crop.

        Returns:
            `[B, 3, 4]` scaled orthographic cameras in the crop's frame, `[B, K_shape]` identity and `[B, K_expression]`
            expression coefficients of the morphable model, at most as many as it has.
        """


def export(
    regressor: FaceRegressor,
    networks: FaceNetworks,
    model: MorphableModel,
    directory: str | os.PathLike[str],
    landmark_margin: float = 0.25,
    warmup: bool = True,
) -> str:
    """Writes the servable; nothing is left at `directory` if it fails.

    Args:
        regressor: The trained model.
        networks: What finds faces: the locator and the landmark network.
        model: The morphable model whose coefficients the regressor returns.
        directory: Where to write. An earlier SavedModel there is replaced, as a whole.
        landmark_margin: Margin of the crops that the landmark network was trained on.
        warmup: Whether to add warm-up requests for TensorFlow Serving.

    Returns:
        `directory`.

    Raises:
        FileExistsError: If `directory` holds something other than a SavedModel.
        ValueError: If the regressor's coefficients do not fit the model.
    """
    reconstruction = Servable(regressor, networks, model, landmark_margin)
    asked = (contract.SIGNATURE_DEFAULT, contract.SIGNATURE_MESH) if warmup else ()
    return servable.write(reconstruction, directory, asked)


class Servable(servable.FaceServable):
    """The graph of a servable: signatures over a regressor, what finds faces, and a morphable model."""

    def __init__(
        self,
        regressor: FaceRegressor,
        networks: FaceNetworks,
        model: MorphableModel,
        landmark_margin: float = 0.25,
    ):
        """Takes what `export` takes."""
        super().__init__(networks, landmark_margin)
        self._regressor = regressor
        self._mesh_basis = (model.mean, model.identity, model.expression)
        self._landmark_basis = model.landmark_basis(contract.LANDMARK_SETS[0])
        self._triangles = model.triangles

    def functions(self) -> servable.Signatures:
        """Those of every servable, and `mesh`."""
        return {**super().functions(), contract.SIGNATURE_MESH: (self.mesh, [servable.PHOTOS])}

    def mesh(self, image_bytes: Any) -> dict[str, Any]:
        """The most prominent face of every photo, with its mesh."""
        photos = decode_photos(image_bytes)
        return self.describe(photos, self.most_prominent(photos), with_mesh=True)

    def in_boxes(self, photos: Photos, boxes: Any) -> dict[str, Any]:
        """What `with_box` and `examples` answer: the regressor sees the given box."""
        return self.describe(
            photos, refine_faces(self.networks.landmarks, photos, boxes, self.margin)._replace(box=boxes)
        )

    def describe(
        self, photos: Photos, faces: FoundFaces, owners: Any = None, with_mesh: bool = False
    ) -> dict[str, Any]:
        """Reconstructs the faces in `faces.box`, in the photos' pixels."""
        size = self._regressor.image_size
        transforms = alignment.crop_transform(faces.box, self._regressor.margin, size)
        images = photos.sample(transforms, size, owners)
        answer = self._regressor(images, alignment.to_crop(faces.landmarks, transforms))
        matrices, identity, expression = (ops.cast(value, "float32") for value in answer)
        # The depth of the model's origin is 0 by contract; a regressor has no evidence for another.
        matrices = matrices * tf.constant([[1.0] * 4, [1.0] * 4, [1.0] * 3 + [0.0]])
        matrices = camera.crop_matrix(matrices, alignment.invert(transforms))
        landmarks = self._project(self._landmark_basis, identity, expression, matrices)
        _, euler, _ = camera.decompose(matrices)
        outputs = {
            contract.OUTPUT_BOX: alignment.landmark_box(landmarks),
            contract.OUTPUT_LANDMARKS: landmarks,
            contract.OUTPUT_POSE: euler,
            contract.OUTPUT_CONFIDENCE: faces.confidence,
        }
        if with_mesh:
            triangles = tf.constant(self._triangles)[None]
            outputs[contract.OUTPUT_VERTICES] = self._project(self._mesh_basis, identity, expression, matrices)
            # The same for every photo, and yet batched: a server splits and joins outputs along the first axis.
            outputs[contract.OUTPUT_TRIANGLES] = tf.tile(triangles, [tf.shape(identity)[0], 1, 1])
        return outputs

    def _project(self, basis: Any, identity: Any, expression: Any, matrices: Any) -> Any:
        """`[B, N, 3]` points of the linear model, pixels of the photos."""
        mean, identity_basis, expression_basis = basis
        points = mean[None] + _blend("shape", identity, identity_basis)
        points = points + _blend("expression", expression, expression_basis)
        return camera.project(points, matrices, contract.SCALED_ORTHOGRAPHIC)


def _blend(name: str, coefficients: Any, basis: np.ndarray) -> Any:
    """`[B, N, 3]` weighted sum of the first modes of `basis` `[K, N, 3]`."""
    count = coefficients.shape[-1]
    if count is None or count > len(basis):
        raise ValueError(f"The regressor must return at most {len(basis)} {name} coefficients. Received: {count}")
    flat = tf.matmul(coefficients, tf.constant(basis[:count].reshape(count, -1)))
    return tf.reshape(flat, [-1, *basis.shape[1:]])
