"""SavedModels on disk: which versions there are, and one of them loaded into this process."""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from serving import messages
from serving.face_model import (
    FaceModel,
    InvalidRequestError,
    ModelNotFoundError,
    ServingError,
    Signature,
    conform,
)
from trainer import contract

MODEL_FILE = "saved_model.pb"
WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
"""Requests that TensorFlow Serving replays before it takes a model into service; the local server does the same."""

MAX_WARMUP_REQUESTS = 1000
"""As TensorFlow Serving."""

_STACK_LINE = re.compile(r"\s*$|Graph execution error:|Detected at node|<stack traces|\s+File |\s{4,}")

_WARMUP_SIDE = 256
"""Side of the grey image that warms up a model without requests of its own, pixels."""


def find_versions(path: Path) -> dict[int, Path]:
    """Versions of a model.

    Args:
        path: A base directory whose numbered sub-directories are SavedModels (what a Pusher writes), or one SavedModel.

    Returns:
        Version to directory, ascending; a SavedModel whose directory has no number is version 1. Empty where there is none.
    """
    if (path / MODEL_FILE).is_file():
        return {int(path.name) if path.name.isdecimal() else 1: path}
    if not path.is_dir():
        return {}
    numbered = {int(entry.name): entry for entry in path.iterdir() if entry.name.isdecimal()}
    return {version: numbered[version] for version in sorted(numbered) if (numbered[version] / MODEL_FILE).is_file()}


def load_latest(path: Path) -> "LoadedModel":
    """Loads the latest version under a path (see `find_versions`).

    Raises:
        ModelNotFoundError: If there is none.
        ServingError: If it cannot be loaded.
    """
    versions = find_versions(path)
    if not versions:
        what = "holds no SavedModel" if path.exists() else "does not exist"
        raise ModelNotFoundError(
            f"No model: {path} {what}. It must be a SavedModel, or a directory of numbered ones. "
            "`monoface run` trains one and pushes it."
        )
    version = max(versions)
    return LoadedModel(versions[version], version)


class LoadedModel(FaceModel):
    """A SavedModel in this process. Safe to use from several threads."""

    def __init__(self, directory: Path, version: int) -> None:
        """Loads it.

        Args:
            directory: Holds `saved_model.pb`.
            version: Its version.

        Raises:
            ServingError: If it cannot be loaded.
        """
        import tensorflow as tf
        from tensorflow.core.protobuf import saved_model_pb2

        self.directory, self.version = directory, version
        try:
            # Kept beside the functions, for with them goes the model.
            self._loaded = tf.saved_model.load(str(directory))
            graphs = saved_model_pb2.SavedModel.FromString((directory / MODEL_FILE).read_bytes()).meta_graphs
            served = next(graph for graph in graphs if tf.saved_model.SERVING in graph.meta_info_def.tags)
        except Exception as error:  # a damaged SavedModel raises nearly anything
            raise ServingError(f"{directory} cannot be loaded as a SavedModel: {error}") from error
        self.definitions = messages.SignatureDefMap()
        for name, definition in served.signature_def.items():
            self.definitions.signature_def[name].ParseFromString(definition.SerializeToString())
        self._signatures = {
            name: signature
            for name, signature in messages.signatures_of(self.definitions.signature_def).items()
            if name in self._loaded.signatures
        }

    def signatures(self) -> Mapping[str, Signature]:
        """Signatures by name, as the SavedModel describes them."""
        return self._signatures

    def predict(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """As `FaceModel.predict`."""
        import tensorflow as tf

        arrays = conform(self.signature(signature), inputs)
        try:
            outputs = self._loaded.signatures[signature](**{name: tf.constant(a) for name, a in arrays.items()})
            return {name: output.numpy() for name, output in outputs.items()}
        except tf.errors.OpError as error:
            kind = InvalidRequestError if error.error_code == tf.errors.INVALID_ARGUMENT else ServingError
            raise kind(_what_happened(str(error.message))) from error

    def warm_up(self) -> int:
        """Runs every signature once, or the requests that came with the model, so that the first caller need not wait.

        Returns:
            How many requests ran. One that the model refuses has warmed it up as well.

        Raises:
            ServingError: If the model's own requests cannot be read, or one fails for another reason than its inputs.
        """
        requests = self._recorded_requests() or self._plain_requests()
        for signature, inputs in requests:
            try:
                self.predict(signature, inputs)
            except InvalidRequestError:
                continue
        return len(requests)

    def _recorded_requests(self) -> list[tuple[str, dict[str, np.ndarray]]]:
        import tensorflow as tf

        path = self.directory / WARMUP_FILE
        if not path.is_file():
            return []
        requests = []
        try:
            for record in tf.data.TFRecordDataset(str(path)).take(MAX_WARMUP_REQUESTS).as_numpy_iterator():
                request = messages.PredictionLog.FromString(record).predict_log.request
                inputs = {name: messages.to_array(tensor) for name, tensor in request.inputs.items()}
                requests.append((request.model_spec.signature_name or contract.SIGNATURE_DEFAULT, inputs))
        except (tf.errors.OpError, DecodeError, ValueError) as error:
            raise ServingError(f"{path} does not hold requests: {error}") from error
        return requests

    def _plain_requests(self) -> list[tuple[str, dict[str, Any]]]:
        from PIL import Image

        buffer = io.BytesIO()
        Image.new("RGB", (_WARMUP_SIDE, _WARMUP_SIDE), (128, 128, 128)).save(buffer, "JPEG")
        known = {
            contract.INPUT_IMAGE_BYTES: [buffer.getvalue()],
            contract.INPUT_BOX: [[_WARMUP_SIDE / 4, _WARMUP_SIDE / 4, 3 * _WARMUP_SIDE / 4, 3 * _WARMUP_SIDE / 4]],
        }
        return [
            (name, {key: known[key] for key in signature.inputs})
            for name, signature in self._signatures.items()
            if set(signature.inputs) <= set(known)
        ]


def _what_happened(message: str) -> str:
    """A graph error's own words, without the nodes' names and the stack that TensorFlow puts around them."""
    lines = re.sub(r"\{\{\w+ [^}]*\}\}\s*", "", message).split("\n\t [[", 1)[0].splitlines()
    own = [line for line in lines if not _STACK_LINE.match(line)]
    assertion = re.fullmatch(r"assertion failed: \[(.*)\]", "\n".join(own), re.DOTALL)
    return assertion[1] if assertion else "\n".join(own)
