"""A trained model as a SavedModel that goes from photo bytes to landmarks, pose, mesh and confidence.

Everything runs in the graph: decoding, finding the face, cropping, regression, the morphable model and the way back to the
photo's pixels. Signatures, inputs and outputs are named in `trainer.contract`; what photos may be, in
`trainer.imaging.decoding`.
"""

import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from trainer import contract
from trainer.imaging import alignment
from trainer.imaging.decoding import Photos, decode_photos
from trainer.landmarks.finder import FoundFaces, find_faces, refine_faces
from trainer.morphable.model import MorphableModel
from trainer.rendering import camera

WARMUP_FILE = pathlib.Path("assets.extra") / "tf_serving_warmup_requests"
"""Where TensorFlow Serving looks for requests to run before it announces a model."""

_WARMUP_SIZE = 256


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
    landmark_network: keras.Model,
    model: MorphableModel,
    directory: str | os.PathLike[str],
    landmark_margin: float = 0.25,
    warmup: bool = True,
) -> str:
    """Writes the servable; nothing is left at `directory` if it fails.

    Args:
        regressor: The trained model.
        landmark_network: Finds the face, see `trainer.landmarks.network.build`.
        model: The morphable model whose coefficients the regressor returns.
        directory: Where to write. An earlier SavedModel there is replaced, as a whole.
        landmark_margin: Margin of the crops that `landmark_network` was trained on.
        warmup: Whether to add warm-up requests for TensorFlow Serving.

    Returns:
        `directory`.

    Raises:
        FileExistsError: If `directory` holds something other than a SavedModel.
        ValueError: If the regressor's coefficients do not fit the model.
    """
    target = pathlib.Path(directory)
    if target.exists() and any(target.iterdir()) and not (target / "saved_model.pb").is_file():
        raise FileExistsError(f"{target}: is not empty and holds no SavedModel; it is not overwritten.")
    target.parent.mkdir(parents=True, exist_ok=True)
    servable = Servable(regressor, landmark_network, model, landmark_margin)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        written = pathlib.Path(folder) / "model"
        tf.saved_model.save(servable, str(written), signatures=servable.signatures())
        if warmup:
            _write_warmup(written / WARMUP_FILE)
        if target.exists():
            target.rename(pathlib.Path(folder) / "replaced")
        shutil.copymode(target.parent, written)
        written.rename(target)
    return str(directory)


class Servable(tf.Module):
    """The graph of a servable: signatures over a regressor, a landmark network and a morphable model."""

    def __init__(
        self,
        regressor: FaceRegressor,
        landmark_network: keras.Model,
        model: MorphableModel,
        landmark_margin: float = 0.25,
    ):
        """Takes what `export` takes."""
        super().__init__()
        self._regressor = regressor
        self._network = landmark_network
        self._landmark_margin = landmark_margin
        self._mesh_basis = (model.mean, model.identity, model.expression)
        self._landmark_basis = model.landmark_basis(contract.LANDMARK_SETS[0])
        self._triangles = model.triangles
        self.kept_variables: list[Any] = []

    def signatures(self) -> dict[str, Any]:
        """Signature names to concrete functions."""
        photos = tf.TensorSpec([None], tf.string, name=contract.INPUT_IMAGE_BYTES)
        boxes = tf.TensorSpec([None, 4], tf.float32, name=contract.INPUT_BOX)
        examples = tf.TensorSpec([None], tf.string, name=contract.INPUT_EXAMPLES)
        functions: dict[str, tuple[Callable[..., Any], list[tf.TensorSpec]]] = {
            contract.SIGNATURE_DEFAULT: (self._default, [photos]),
            contract.SIGNATURE_WITH_BOX: (self._with_box, [photos, boxes]),
            contract.SIGNATURE_MESH: (self._mesh, [photos]),
            contract.SIGNATURE_EXAMPLES: (self._examples, [examples]),
        }
        traced = {}
        for name, (function, specifications) in functions.items():
            traced[name] = tf.function(function, input_signature=specifications).get_concrete_function()
            known = {id(variable) for variable in self.kept_variables}
            self.kept_variables += [v for v in traced[name].graph.variables if id(v) not in known]
        return traced

    def _default(self, image_bytes: Any) -> dict[str, Any]:
        photos = decode_photos(image_bytes)
        return self._reconstruct(photos, find_faces(self._network, photos, self._landmark_margin))

    def _mesh(self, image_bytes: Any) -> dict[str, Any]:
        photos = decode_photos(image_bytes)
        faces = find_faces(self._network, photos, self._landmark_margin)
        return self._reconstruct(photos, faces, with_mesh=True)

    def _with_box(self, image_bytes: Any, box: Any) -> dict[str, Any]:
        return self._in_boxes(decode_photos(image_bytes), _checked_boxes(box, contract.INPUT_BOX))

    def _examples(self, examples: Any) -> dict[str, Any]:
        features = {
            contract.IMAGE_ENCODED: tf.io.FixedLenFeature([], tf.string),
            contract.FACE_BOX: tf.io.FixedLenFeature([4], tf.float32),
        }
        parsed = tf.io.parse_example(examples, features)
        photos = decode_photos(parsed[contract.IMAGE_ENCODED], contract.INPUT_EXAMPLES)
        return self._in_boxes(photos, _checked_boxes(parsed[contract.FACE_BOX], contract.INPUT_EXAMPLES))

    def _in_boxes(self, photos: Photos, boxes: Any) -> dict[str, Any]:
        """What `with_box` and `examples` answer: the regressor sees the given box."""
        faces = refine_faces(self._network, photos, boxes, self._landmark_margin)
        return self._reconstruct(photos, faces._replace(box=boxes))

    def _reconstruct(self, photos: Photos, faces: FoundFaces, with_mesh: bool = False) -> dict[str, Any]:
        """Reconstructs the faces in `faces.box`, in the photos' pixels."""
        size = self._regressor.image_size
        transforms = alignment.crop_transform(faces.box, self._regressor.margin, size)
        images = photos.sample(transforms, size)
        answer = self._regressor(images, alignment.to_crop(faces.landmarks, transforms))
        matrices, identity, expression = (ops.cast(value, "float32") for value in answer)
        inverse = _inverse_transform(transforms)
        # The depth of the model's origin is 0 by contract; a regressor has no evidence for another.
        matrices = matrices * tf.constant([[1.0] * 4, [1.0] * 4, [1.0] * 3 + [0.0]])
        matrices = camera.crop_matrix(matrices, inverse)
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


def _inverse_transform(transforms: Any) -> Any:
    """The transforms `[B, 3]` from crops back to photos."""
    scale = transforms[:, :1]
    return tf.concat([1.0 / scale, -transforms[:, 1:] / scale], axis=-1)


def _checked_boxes(boxes: Any, name: str) -> Any:
    """The boxes, once it is sure that each is one."""
    valid = tf.reduce_all(tf.math.is_finite(boxes), axis=-1) & tf.reduce_all(boxes[:, 2:] > boxes[:, :2], axis=-1)
    wrong = tf.reshape(tf.where(~valid), [-1])
    values = tf.strings.reduce_join(tf.strings.as_string(tf.gather(boxes, wrong)), axis=-1, separator=", ")
    rule = "] must have a finite box x0, y0, x1, y1 with x0 < x1 and y0 < y1. Received: "
    lines = tf.strings.join([f"{name}[", tf.strings.as_string(wrong), rule, values])
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.size(wrong) == 0, [tf.strings.reduce_join(lines, separator=" ")])]
    ):
        return tf.identity(boxes)


def _write_warmup(path: pathlib.Path) -> None:
    """Warm-up requests of one photo for the signatures that need nothing but photos."""
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    ramp = np.linspace(0, 255, _WARMUP_SIZE, dtype=np.uint8)
    photo = tf.io.encode_jpeg(
        np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], ramp[::-1, None]), axis=-1)
    ).numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature in (contract.SIGNATURE_DEFAULT, contract.SIGNATURE_MESH):
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = signature
            request.inputs[contract.INPUT_IMAGE_BYTES].CopyFrom(tf.make_tensor_proto([photo]))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
