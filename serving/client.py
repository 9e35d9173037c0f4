"""Clients of a served model, over gRPC and over REST, one interface: grpcio, protobuf and NumPy, no TensorFlow.

    with connect("grpc://localhost:8500") as model:
        face = model.reconstruct(Path("photo.jpg").read_bytes(), mesh=True)

They speak TensorFlow Serving's protocols, so the server may be TensorFlow Serving, KServe or `monoface serve`.
"""

import base64
import http.client
import json
import threading
import urllib.parse
from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np

from serving import messages
from serving.face_model import (
    DEFAULT_NAME,
    ERRORS,
    MAX_REQUEST_BYTES,
    FaceModel,
    InvalidRequestError,
    RequestTooLargeError,
    ServerTimeoutError,
    ServerUnavailableError,
    ServingError,
    Signature,
    TensorInfo,
    conform,
)

DEFAULT_TIMEOUT = 60.0
"""Seconds a request may take."""

_BY_CODE = {error.code: error for error in ERRORS}
_BY_HTTP_STATUS = {error.http_status: error for error in reversed(ERRORS)} | {400: InvalidRequestError}
_TYPE_BY_NAME = {name: dtype for name, dtype, _ in messages.DATA_TYPES.values()}


def connect(
    url: str,
    name: str = DEFAULT_NAME,
    version: int | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> "RemoteModel":
    """A client for an address.

    Args:
        url: `grpc://host:port` or `host:port` for gRPC, `grpcs://` for gRPC over TLS, `http://` or `https://` for REST, the
            last two with a path if the server sits behind one. A path that ends in `/v1/models/NAME` names the model.
        name: The model's name on the server.
        version: The model's version; None for the latest.
        timeout: Seconds a request may take.

    Returns:
        A client. Nothing is sent before the first request.

    Raises:
        ValueError: If the address is none.
    """
    parts = urllib.parse.urlsplit(url if "://" in url else f"grpc://{url}")
    try:
        port = parts.port
    except ValueError:
        port = None
    if not parts.hostname or (parts.scheme in ("grpc", "grpcs") and port is None):
        raise ValueError(f"`url` must be grpc://host:port, http://host:port or https://host. Received: {url}")
    if parts.scheme in ("grpc", "grpcs"):
        return GrpcModel(parts.netloc, name, version, timeout, secure=parts.scheme == "grpcs")
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"`url` must begin with grpc://, grpcs://, http:// or https://. Received: {url}")
    prefix, found, named = parts.path.partition("/v1/models/")
    base = urllib.parse.urlunsplit((parts.scheme, parts.netloc, prefix.rstrip("/"), "", ""))
    return RestModel(base, named.split("/")[0].split(":")[0] if found and named else name, version, timeout)


class RemoteModel(FaceModel):
    """What both clients share: the model's address, and its signatures, asked for once."""

    def __init__(self, address: str, name: str, version: int | None, timeout: float) -> None:
        """See `connect`."""
        if timeout <= 0:
            raise ValueError(f"`timeout` must be positive. Received: {timeout}")
        self.address, self.name, self.version, self.timeout = address, name, version, timeout
        self._signatures: dict[str, Signature] | None = None

    def signatures(self) -> Mapping[str, Signature]:
        """Signatures by name, as the server describes them."""
        if self._signatures is None:
            self._signatures = self._fetch_signatures()
        return self._signatures

    def signature(self, name: str) -> Signature:
        """One signature; asks the server anew before it says that there is none, for the model may be a newer one."""
        if name not in self.signatures():
            self._signatures = None
        return super().signature(name)

    def _fetch_signatures(self) -> dict[str, Signature]:
        raise NotImplementedError


class GrpcModel(RemoteModel):
    """A model behind TensorFlow Serving's `PredictionService`. Owns its channel; safe to use from several threads."""

    def __init__(
        self,
        address: str,
        name: str = DEFAULT_NAME,
        version: int | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        secure: bool = False,
    ) -> None:
        """Opens the channel, lazily.

        Args:
            address: `host:port`.
            name: The model's name on the server.
            version: The model's version; None for the latest.
            timeout: Seconds a request may take.
            secure: Whether to use TLS with the system's certificates.
        """
        super().__init__(address, name, version, timeout)
        options = [
            ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
            ("grpc.max_send_message_length", MAX_REQUEST_BYTES),
        ]
        self._channel = (
            grpc.secure_channel(address, grpc.ssl_channel_credentials(), options)
            if secure
            else grpc.insecure_channel(address, options)
        )
        self._closed = False

    def close(self) -> None:
        """Closes the channel."""
        self._closed = True
        self._channel.close()

    def predict(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """As `FaceModel.predict`."""
        request = messages.PredictRequest()
        self._specify(request.model_spec)
        request.model_spec.signature_name = signature
        for name, array in conform(self.signature(signature), inputs).items():
            request.inputs[name].CopyFrom(messages.from_array(array))
        response = self._call("Predict", request, messages.PredictResponse)
        return {name: messages.to_array(tensor) for name, tensor in response.outputs.items()}

    def _fetch_signatures(self) -> dict[str, Signature]:
        request = messages.GetModelMetadataRequest(metadata_field=[messages.METADATA_FIELD])
        self._specify(request.model_spec)
        response = self._call("GetModelMetadata", request, messages.GetModelMetadataResponse)
        packed = response.metadata[messages.METADATA_FIELD].value
        return messages.signatures_of(messages.SignatureDefMap.FromString(packed).signature_def)

    def _specify(self, model_spec: Any) -> None:
        model_spec.name = self.name
        if self.version is not None:
            model_spec.version.value = self.version

    def _call(self, method: str, request: Any, answer: Any) -> Any:
        if self._closed:
            raise ServerUnavailableError(f"The client of {self.address} is closed.")
        call = self._channel.unary_unary(
            f"/{messages.PREDICTION_SERVICE}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            return call(request, timeout=self.timeout)
        except grpc.RpcError as error:
            kind = _BY_CODE.get(error.code().name, ServingError)
            raise kind(f"{self.address}: {error.details()} ({error.code().name})") from error


class RestModel(RemoteModel):
    """A model behind TensorFlow Serving's REST routes. Owns its connection; requests from several threads take turns."""

    def __init__(
        self,
        address: str,
        name: str = DEFAULT_NAME,
        version: int | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        """Remembers the address; the first request connects.

        Args:
            address: `http://host:port` or `https://host`, with a path if the server sits behind one.
            name: The model's name on the server.
            version: The model's version; None for the latest.
            timeout: Seconds that connecting, sending or waiting may take, each.
        """
        super().__init__(address, name, version, timeout)
        parts = urllib.parse.urlsplit(address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.netloc, timeout=timeout)
        self._path = f"{parts.path}/v1/models/{urllib.parse.quote(name, safe='')}"
        if version is not None:
            self._path += f"/versions/{version}"
        self._lock = threading.Lock()

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def predict(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """As `FaceModel.predict`."""
        described = self.signature(signature)
        columns = {name: _to_json(array) for name, array in conform(described, inputs).items()}
        answer = self._request("POST", ":predict", {"signature_name": signature, "inputs": columns})
        if "outputs" not in answer:
            raise ServingError(f"{self.address}: the answer has no `outputs`.")
        outputs = answer["outputs"]
        if len(described.outputs) == 1:
            outputs = dict.fromkeys(described.outputs, outputs)
        return {name: _from_json(outputs[name], info) for name, info in described.outputs.items() if name in outputs}

    def status(self) -> dict[str, str]:
        """State by version, such as `{"1": "AVAILABLE"}`."""
        answer = self._request("GET", "")
        return {version["version"]: version["state"] for version in answer["model_version_status"]}

    def _fetch_signatures(self) -> dict[str, Signature]:
        definitions = self._request("GET", "/metadata")["metadata"]["signature_def"]["signature_def"]
        return {
            name: Signature(_described(definition["inputs"]), _described(definition["outputs"]))
            for name, definition in definitions.items()
            if not name.startswith("__saved_model")
        }

    def _request(self, method: str, route: str, body: Any = None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        if content is not None and len(content) > MAX_REQUEST_BYTES:
            raise RequestTooLargeError(
                f"The request must have at most {MAX_REQUEST_BYTES} bytes. Given: {len(content)}"
            )
        status, answered = self._exchange(method, self._path + route, content)
        try:
            answer = json.loads(answered)
            message = answer.get("error", "") if status != http.client.OK else ""
        except (ValueError, AttributeError) as error:
            answer, message = None, f"not TensorFlow Serving's JSON ({error}): {answered[:200]!r}"
        if status != http.client.OK or answer is None:
            kind = _BY_HTTP_STATUS.get(status, ServingError)
            raise kind(f"{self.address}: {message} (HTTP {status})")
        return answer

    def _exchange(self, method: str, path: str, content: bytes | None) -> tuple[int, bytes]:
        """Status and body; once more where the server had closed the idle connection meanwhile."""
        with self._lock:
            for fresh in (self._connection.sock is None, True):
                try:
                    self._connection.request(method, path, content, {"Content-Type": "application/json"})
                    response = self._connection.getresponse()
                    answered = response.read(MAX_REQUEST_BYTES + 1)
                except TimeoutError as error:
                    self._connection.close()
                    raise ServerTimeoutError(f"{self.address}: no answer within {self.timeout} s") from error
                except (OSError, http.client.HTTPException) as error:
                    self._connection.close()
                    if fresh:
                        raise ServerUnavailableError(f"{self.address}: {error or type(error).__name__}") from error
                    continue
                if len(answered) > MAX_REQUEST_BYTES:
                    self._connection.close()
                    raise RequestTooLargeError(f"{self.address}: the answer has more than {MAX_REQUEST_BYTES} bytes.")
                return response.status, answered
        raise ServerUnavailableError(f"{self.address}: no answer")


def _described(tensors: Mapping[str, Any]) -> dict[str, TensorInfo]:
    """Inputs or outputs of a signature in a metadata answer."""
    described = {}
    for name, tensor in tensors.items():
        if tensor["dtype"] in _TYPE_BY_NAME:
            sizes = [int(dimension["size"]) for dimension in tensor["tensor_shape"].get("dim", [])]
            shape = tuple(None if size < 0 else size for size in sizes)
            unknown = tensor["tensor_shape"].get("unknown_rank", False)
            described[name] = TensorInfo(_TYPE_BY_NAME[tensor["dtype"]], None if unknown else shape)
    return described


def _to_json(array: np.ndarray) -> Any:
    """Nested lists; bytes as TensorFlow Serving wants them."""
    if array.dtype != object:
        return array.tolist()
    if array.ndim == 0:
        return {"b64": base64.b64encode(array.item()).decode()}
    return [_to_json(np.asarray(item, object)) for item in array]


def _from_json(value: Any, info: TensorInfo) -> np.ndarray:
    """The array of an output; strings come plain, or as `b64` where the output's name ends in `_bytes`."""
    if info.dtype != object:
        return np.asarray(value, info.dtype)

    def decoded(item: Any) -> Any:
        if isinstance(item, list):
            return [decoded(element) for element in item]
        return base64.b64decode(item["b64"]) if isinstance(item, dict) else item.encode()

    return np.array(decoded(value), object)
