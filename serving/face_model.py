"""A face model that can be asked: the interface, its result and its errors, the same in process, over gRPC and over REST.

NumPy and the standard library only.
"""

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from trainer import contract

DEFAULT_NAME = "monoface"
"""Name under which a model is served unless told otherwise."""

MAX_REQUEST_BYTES = 64 * 1024 * 1024
"""Largest request or response, bytes: a photo at the contract's pixel limit, as JPEG, fits."""


class ServingError(RuntimeError):
    """A request that got no answer. `code` is gRPC's status name, `http_status` REST's."""

    code: ClassVar[str] = "INTERNAL"
    http_status: ClassVar[int] = 500
    reason: ClassVar[str] = "model_failed"
    """Slug for dead letters."""


class InvalidRequestError(ServingError):
    """The model refused the inputs: a broken image, a wrong shape or type, a missing input."""

    code, http_status, reason = "INVALID_ARGUMENT", 400, "refused_by_model"


class UnknownSignatureError(ServingError):
    """The model has no signature of that name."""

    code, http_status, reason = "FAILED_PRECONDITION", 400, "unknown_signature"


class ModelNotFoundError(ServingError):
    """No model of that name or version is there or served."""

    code, http_status, reason = "NOT_FOUND", 404, "model_not_found"


class RequestTooLargeError(ServingError):
    """The request or the response is over the limit in bytes."""

    code, http_status, reason = "RESOURCE_EXHAUSTED", 413, "request_too_large"


class ServerUnavailableError(ServingError):
    """Nobody answers at the address, or the server is going down."""

    code, http_status, reason = "UNAVAILABLE", 503, "server_unavailable"


class ServerTimeoutError(ServingError):
    """No answer within the timeout."""

    code, http_status, reason = "DEADLINE_EXCEEDED", 504, "server_timeout"


ERRORS: tuple[type[ServingError], ...] = (
    ServingError,
    InvalidRequestError,
    UnknownSignatureError,
    ModelNotFoundError,
    RequestTooLargeError,
    ServerUnavailableError,
    ServerTimeoutError,
)


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """Type and shape of one input or output."""

    dtype: np.dtype
    """`object` for strings of bytes."""
    shape: tuple[int | None, ...] | None
    """None for a size that varies; None altogether where even the rank does."""


@dataclasses.dataclass(frozen=True)
class Signature:
    """What one signature of a served model takes and gives."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]


@dataclasses.dataclass(frozen=True)
class Face:
    """One reconstructed face, in the photo's image frame (see `trainer.contract`)."""

    box: np.ndarray
    """`[4]` float32 x0, y0, x1, y1, pixels."""
    landmarks: np.ndarray
    """`[68, 3]` float32 x, y pixels, z in the same scale, away from the camera."""
    pose: np.ndarray
    """`[3]` float32 yaw, pitch, roll, degrees."""
    confidence: float
    """In [0, 1]."""
    vertices: np.ndarray | None = None
    """`[V, 3]` float32, as `landmarks`; None where no mesh was asked for."""
    triangles: np.ndarray | None = None
    """`[T, 3]` int32, counter-clockwise seen from outside."""


class FaceModel(abc.ABC):
    """A model with the contract's signatures, wherever it runs. A context manager that closes what it owns."""

    @abc.abstractmethod
    def signatures(self) -> Mapping[str, Signature]:
        """Signatures by name.

        Raises:
            ServingError: If the model cannot be reached.
        """

    @abc.abstractmethod
    def predict(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Runs one signature.

        Args:
            signature: Its name.
            inputs: Name to array-like with a leading batch axis; strings as `bytes`.

        Returns:
            Name to array with the signature's type; strings are `bytes` in an object array.

        Raises:
            ServingError: One of its subclasses, which says what went wrong.
        """

    def close(self) -> None:  # noqa: B027 - a model in process owns nothing that needs closing
        """Releases connections. Closing twice is allowed."""

    def __enter__(self) -> "FaceModel":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def signature(self, name: str) -> Signature:
        """One signature by name.

        Raises:
            UnknownSignatureError: If there is none of that name.
        """
        known = self.signatures()
        if name not in known:
            raise UnknownSignatureError(f'Serving signature key "{name}" not found. Known: {", ".join(sorted(known))}.')
        return known[name]

    def reconstruct(self, image_bytes: bytes, box: Sequence[float] | None = None, mesh: bool = False) -> Face:
        """Reconstructs the face on one photo.

        Args:
            image_bytes: JPEG or PNG, upright.
            box: Where the face is, x0, y0, x1, y1 pixels; None to let the model find it.
            mesh: Also ask for the mesh.

        Raises:
            UnknownSignatureError: If the model has no signature for what is asked.
            ServingError: As `predict`.
        """
        inputs: dict[str, Any] = {contract.INPUT_IMAGE_BYTES: [image_bytes]}
        if box is not None:
            inputs[contract.INPUT_BOX] = np.asarray([box], np.float32)
        found = faces_of(self.predict(self.signature_for(box is not None, mesh), inputs))
        if len(found) != 1:
            raise ServingError(f"The model must answer with one face for one photo. Received: {len(found)}")
        return found[0]

    def faces(self, image_bytes: bytes) -> list[Face]:
        """Finds all faces on one photo, without meshes.

        One photo a request: a server that joins requests into batches could not tell whose the faces are.

        Args:
            image_bytes: JPEG or PNG, upright.

        Returns:
            The faces, likeliest first; none where the model sees none.

        Raises:
            UnknownSignatureError: If the model has no signature `faces`.
            ServingError: As `predict`.
        """
        outputs = self.predict(contract.SIGNATURE_FACES, {contract.INPUT_IMAGE_BYTES: [image_bytes]})
        index = outputs.get(contract.OUTPUT_IMAGE_INDEX)
        if index is None or index.any():
            raise ServingError("The model's answer does not say that all faces are on the one photo that was sent.")
        return faces_of(outputs)

    def signature_for(self, box: bool, mesh: bool) -> str:
        """Name of the signature that takes an image, and a box or none, and gives a mesh or need not.

        The contract's names go first; a paper's own signature with the right inputs and outputs is found as well.

        Raises:
            UnknownSignatureError: If the model has no such signature.
        """
        known = self.signatures()
        inputs = {contract.INPUT_IMAGE_BYTES} | ({contract.INPUT_BOX} if box else set())
        outputs = {contract.OUTPUT_VERTICES, contract.OUTPUT_TRIANGLES} if mesh else {contract.OUTPUT_LANDMARKS}
        preferred = (
            contract.SIGNATURE_MESH if mesh else contract.SIGNATURE_WITH_BOX if box else contract.SIGNATURE_DEFAULT
        )
        for name in (preferred, *sorted(known)):
            if name in known and set(known[name].inputs) == inputs and outputs <= set(known[name].outputs):
                return name
        raise UnknownSignatureError(
            f"No signature takes {' and '.join(sorted(inputs))} and gives {' and '.join(sorted(outputs))}. "
            f"Known: {', '.join(sorted(known))}."
        )


def faces_of(outputs: Mapping[str, np.ndarray]) -> list[Face]:
    """Faces of what a signature answered.

    Raises:
        ServingError: If an output is missing, or they are not as many of each.
    """
    wanted = [contract.OUTPUT_BOX, contract.OUTPUT_LANDMARKS, contract.OUTPUT_POSE, contract.OUTPUT_CONFIDENCE]
    if missing := [name for name in wanted if name not in outputs]:
        raise ServingError(f"The model's answer lacks {', '.join(missing)}: it is not a monoface model.")
    confidence = outputs[contract.OUTPUT_CONFIDENCE].reshape(-1)
    counts = {name: len(outputs[name]) for name in wanted[:3]}
    if set(counts.values()) != {len(confidence)}:
        raise ServingError(
            f"The model's answer is not of one number of faces: {counts}, confidence: {len(confidence)}."
        )
    vertices, triangles = outputs.get(contract.OUTPUT_VERTICES), outputs.get(contract.OUTPUT_TRIANGLES)
    return [
        Face(
            box=outputs[contract.OUTPUT_BOX][index],
            landmarks=outputs[contract.OUTPUT_LANDMARKS][index],
            pose=outputs[contract.OUTPUT_POSE][index],
            confidence=float(confidence[index]),
            vertices=None if vertices is None else vertices[index],
            # A topology may come once for all.
            triangles=None if triangles is None else triangles.reshape(-1, *triangles.shape[-2:])[0],
        )
        for index in range(len(confidence))
    ]


def conform(signature: Signature, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Inputs as arrays of the types and shapes that a signature asks for.

    Args:
        signature: The signature.
        inputs: Name to array-like.

    Raises:
        InvalidRequestError: If an input is missing, unknown, or has the wrong type or shape.
    """
    extra, missing = sorted(set(inputs) - set(signature.inputs)), sorted(set(signature.inputs) - set(inputs))
    if extra or missing:
        raise InvalidRequestError(
            f"input size does not match signature: {len(inputs)}!={len(signature.inputs)}. "
            f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
        )
    return {name: _as_tensor(name, inputs[name], info) for name, info in signature.inputs.items()}


def _as_tensor(name: str, value: Any, info: TensorInfo) -> np.ndarray:
    if info.dtype == object:
        try:
            array = np.array(value, object)
        except ValueError as error:
            raise InvalidRequestError(f"`{name}` must be an array: {error}") from error
        encoded = [item.encode() if isinstance(item, str) else item for item in array.reshape(-1)]
        if not all(isinstance(item, bytes) for item in encoded):
            raise InvalidRequestError(f"`{name}` must be strings of bytes. Received: {type(encoded[0]).__name__}")
        flat = np.empty(len(encoded), object)
        flat[:] = encoded
        array = flat.reshape(array.shape)
    else:
        try:
            array = np.asarray(value)
            if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and info.dtype.kind != "f"):
                raise TypeError(f"{array.dtype.name} is provided")
            with np.errstate(over="ignore"):
                cast = array.astype(info.dtype)
            if not np.array_equal(np.isfinite(cast), np.isfinite(array)) or (
                cast.dtype.kind in "iu" and (cast != array).any()
            ):
                raise ValueError("a value is out of its range")
            array = cast
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"`{name}` must be {info.dtype.name}: {error}") from error
    expected = info.shape
    fits = expected is None or (
        len(expected) == array.ndim
        and all(size is None or size == given for size, given in zip(expected, array.shape, strict=True))
    )
    if not fits:
        shape = ",".join("?" if size is None else str(size) for size in expected or ())
        raise InvalidRequestError(f"`{name}` must have shape [{shape}]. Received: {list(array.shape)}")
    return array
