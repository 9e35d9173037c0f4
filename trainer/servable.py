"""What every servable has in common: photo bytes to faces, boxes that are checked, warm-up requests, and a write that is whole.

Everything runs in the graph. Signatures, inputs and outputs are named in `trainer.contract`; what photos may be, in
`trainer.imaging.decoding`.
"""

import abc
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from trainer import contract
from trainer.imaging.decoding import Photos, decode_photos
from trainer.landmarks.finder import (
    WHOLE,
    FaceNetworks,
    FoundFaces,
    Views,
    at_least_one,
    find_all_faces,
    find_faces,
    refine_faces,
)

WARMUP_FILE: Final = pathlib.Path("assets.extra") / "tf_serving_warmup_requests"
"""Where TensorFlow Serving looks for requests to run before it announces a model."""

PHOTOS: Final = tf.TensorSpec([None], tf.string, name=contract.INPUT_IMAGE_BYTES)
_BOXES: Final = tf.TensorSpec([None, 4], tf.float32, name=contract.INPUT_BOX)
_EXAMPLES: Final = tf.TensorSpec([None], tf.string, name=contract.INPUT_EXAMPLES)
_WARMUP_SIZE = 256

Signatures = dict[str, tuple[Callable[..., dict[str, Any]], list[tf.TensorSpec]]]
"""Names to functions and what they take."""


class FaceServable(tf.Module, abc.ABC):
    """Signatures over networks that find faces, and over what a subclass says of a found face."""

    def __init__(self, networks: FaceNetworks, margin: float, views: Views = WHOLE):
        """Takes what finds faces.

        Args:
            networks: The locator and the landmark network.
            margin: Of the landmark network's crop, fraction of the box's longer side on every side.
            views: What the locator looks at, where no box is given.
        """
        super().__init__()
        self.networks = networks
        self.margin = margin
        self._views = views
        self.kept_variables: list[Any] = []

    @abc.abstractmethod
    def describe(self, photos: Photos, faces: FoundFaces, owners: Any = None) -> dict[str, Any]:
        """What is answered of faces.

        Args:
            photos: Decoded photos.
            faces: Faces found on them.
            owners: `[N]` int32 index of each face's photo; None where there is one face a photo, in order.

        Returns:
            Outputs by the contract, each with a leading N: `box`, `landmarks`, `pose`, `confidence`.
        """

    def functions(self) -> Signatures:
        """The signatures; a subclass may have more."""
        return {
            contract.SIGNATURE_DEFAULT: (self.default, [PHOTOS]),
            contract.SIGNATURE_WITH_BOX: (self.with_box, [PHOTOS, _BOXES]),
            contract.SIGNATURE_FACES: (self.faces, [PHOTOS]),
            contract.SIGNATURE_EXAMPLES: (self.examples, [_EXAMPLES]),
        }

    def signatures(self) -> dict[str, Any]:
        """Signature names to concrete functions."""
        traced = {}
        for name, (function, specifications) in self.functions().items():
            traced[name] = tf.function(function, input_signature=specifications).get_concrete_function()
            known = {id(variable) for variable in self.kept_variables}
            self.kept_variables += [v for v in traced[name].graph.variables if id(v) not in known]
        return traced

    def default(self, image_bytes: Any) -> dict[str, Any]:
        """The most prominent face of every photo."""
        photos = decode_photos(image_bytes)
        return self.describe(photos, self.most_prominent(photos))

    def with_box(self, image_bytes: Any, box: Any) -> dict[str, Any]:
        """The face in a given box of every photo."""
        return self.in_boxes(decode_photos(image_bytes), checked_boxes(box, contract.INPUT_BOX))

    def faces(self, image_bytes: Any) -> dict[str, Any]:
        """All faces of every photo, and which photo each is on.

        How many there are is not how many photos came: a server that joins requests into batches cannot split the answers again.
        """
        return self.all_faces(decode_photos(image_bytes))

    def examples(self, examples: Any) -> dict[str, Any]:
        """The faces in the boxes of serialised examples, which must carry image and box."""
        features = {
            contract.IMAGE_ENCODED: tf.io.FixedLenFeature([], tf.string),
            contract.FACE_BOX: tf.io.FixedLenFeature([4], tf.float32),
        }
        parsed = tf.io.parse_example(examples, features)
        photos = decode_photos(parsed[contract.IMAGE_ENCODED], contract.INPUT_EXAMPLES)
        return self.in_boxes(photos, checked_boxes(parsed[contract.FACE_BOX], contract.INPUT_EXAMPLES))

    def most_prominent(self, photos: Photos) -> FoundFaces:
        """One face a photo."""
        return find_faces(self.networks, photos, self.margin, views=self._views)

    def all_faces(self, photos: Photos) -> dict[str, Any]:
        """What `faces` answers of photos that are decoded."""
        owners, found = find_all_faces(self.networks, photos, self.margin, views=self._views)
        count = tf.size(owners)
        one = at_least_one(count)
        described = self.describe(photos, FoundFaces(*map(one, found)), one(owners))
        return {contract.OUTPUT_IMAGE_INDEX: owners, **{name: value[:count] for name, value in described.items()}}

    def in_boxes(self, photos: Photos, boxes: Any) -> dict[str, Any]:
        """What `with_box` and `examples` answer of boxes `[B, 4]` that are sound."""
        return self.describe(photos, refine_faces(self.networks.landmarks, photos, boxes, self.margin))


def checked_boxes(boxes: Any, name: str) -> Any:
    """The boxes, once it is sure that each is one.

    Args:
        boxes: `[B, 4]` x0, y0, x1, y1.
        name: What errors call the input.

    Returns:
        The same. Running it raises `tf.errors.InvalidArgumentError`, which names the index of every box that is not finite, or
        does not have x0 < x1 and y0 < y1.
    """
    valid = tf.reduce_all(tf.math.is_finite(boxes), axis=-1) & tf.reduce_all(boxes[:, 2:] > boxes[:, :2], axis=-1)
    wrong = tf.reshape(tf.where(~valid), [-1])
    values = tf.strings.reduce_join(tf.strings.as_string(tf.gather(boxes, wrong)), axis=-1, separator=", ")
    rule = "] must have a finite box x0, y0, x1, y1 with x0 < x1 and y0 < y1. Received: "
    lines = tf.strings.join([f"{name}[", tf.strings.as_string(wrong), rule, values])
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.size(wrong) == 0, [tf.strings.reduce_join(lines, separator=" ")])]
    ):
        return tf.identity(boxes)


def write(servable: FaceServable, directory: str | os.PathLike[str], warmup: Sequence[str] = ()) -> str:
    """Writes a SavedModel, with all of `servable.signatures()`; nothing is left at `directory` if it fails.

    Args:
        servable: What to write.
        directory: Where. An earlier SavedModel there is replaced, as a whole.
        warmup: Signatures of photos alone that TensorFlow Serving is to run once before it announces the model.

    Returns:
        `directory`.

    Raises:
        FileExistsError: If `directory` holds something other than a SavedModel.
    """
    target = pathlib.Path(directory)
    if target.exists() and any(target.iterdir()) and not (target / "saved_model.pb").is_file():
        raise FileExistsError(f"{target}: is not empty and holds no SavedModel; it is not overwritten.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        written = pathlib.Path(folder) / "model"
        tf.saved_model.save(servable, str(written), signatures=servable.signatures())
        if warmup:
            _write_warmup(written / WARMUP_FILE, warmup)
        if target.exists():
            target.rename(pathlib.Path(folder) / "replaced")
        shutil.copymode(target.parent, written)
        written.rename(target)
    return str(directory)


def _write_warmup(path: pathlib.Path, signatures: Sequence[str]) -> None:
    """Warm-up requests of one photo."""
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    ramp = np.linspace(0, 255, _WARMUP_SIZE, dtype=np.uint8)
    photo = tf.io.encode_jpeg(
        np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], ramp[::-1, None]), axis=-1)
    ).numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature in signatures:
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = signature
            request.inputs[contract.INPUT_IMAGE_BYTES].CopyFrom(tf.make_tensor_proto([photo]))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
