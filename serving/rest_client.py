"""A client of TensorFlow Serving's REST routes: the standard library and NumPy."""

import base64
import http.client
import json
import threading
import urllib.parse
from collections.abc import Mapping
from typing import Any

import numpy as np

from serving import messages
from serving.face_model import (
    DEFAULT_NAME,
    ERRORS,
    MAX_REQUEST_BYTES,
    InvalidRequestError,
    RequestTooLargeError,
    ServerTimeoutError,
    ServerUnavailableError,
    ServingError,
    Signature,
    TensorInfo,
    conform,
)
from serving.remote_model import DEFAULT_TIMEOUT, RemoteModel

_BY_HTTP_STATUS = {error.http_status: error for error in reversed(ERRORS)} | {400: InvalidRequestError}
_TYPE_BY_NAME = {name: dtype for name, dtype, _ in messages.DATA_TYPES.values()}


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
        try:
            return {
                name: _from_json(outputs[name], info) for name, info in described.outputs.items() if name in outputs
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ServingError(f"{self.address}: the answer is not TensorFlow Serving's: {error!r}") from error

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
        array = np.asarray(value, info.dtype)
        # JSON's empty list has lost the sizes of what it would hold.
        return array if array.size or info.shape is None else array.reshape([size or 0 for size in info.shape])

    def decoded(item: Any) -> Any:
        if isinstance(item, list):
            return [decoded(element) for element in item]
        return base64.b64decode(item["b64"]) if isinstance(item, dict) else item.encode()

    return np.array(decoded(value), object)
