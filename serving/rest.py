"""TensorFlow Serving's REST routes over a model.

`GET /v1/models/NAME[/versions/N]` (status), `GET …/metadata` (signatures), `POST …:predict` (columns under `inputs` or rows
under `instances`), and `GET /healthz`, which TensorFlow Serving does not have.
"""

import base64
import binascii
import http.server
import json
import logging
import re
import threading
import time
from typing import Any, Protocol

import numpy as np

from serving import messages
from serving.face_model import (
    InvalidRequestError,
    ModelNotFoundError,
    RequestTooLargeError,
    ServingError,
    Signature,
    UnknownSignatureError,
)
from serving.saved_model import LoadedModel
from trainer import contract

LOGGER = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
"""A connection that says nothing for so long is closed."""

_ROUTE = re.compile(r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+))?(?P<verb>:predict|/metadata|)")


class Models(Protocol):
    """Where the routes find a model."""

    def get(self, name: str, version: int | None = None) -> LoadedModel:
        """The model, or `ModelNotFoundError`."""


class RestServer(http.server.ThreadingHTTPServer):
    """A thread per connection; at most `workers` predictions at a time."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], models: Models, max_request_bytes: int, workers: int) -> None:
        """Binds the address."""
        self.models, self.max_request_bytes = models, max_request_bytes
        self.turn = threading.Semaphore(workers)
        self._busy = 0
        self._count = threading.Lock()
        super().__init__(address, Routes)

    def begin(self) -> None:
        """One more request is under way."""
        with self._count:
            self._busy += 1

    def end(self) -> None:
        """A request was answered."""
        with self._count:
            self._busy -= 1

    def drain(self, grace_seconds: float) -> None:
        """Waits until no request is under way, for at most the grace."""
        deadline = time.monotonic() + grace_seconds
        while self._busy and time.monotonic() < deadline:
            time.sleep(0.02)


class Routes(http.server.BaseHTTPRequestHandler):
    """Requests of one connection."""

    server: RestServer
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Headers and content go out as two writes, and the second must not wait for the first to be acknowledged (40 ms).
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Status, metadata and health."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Predictions."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests go to the log, not to the terminal."""
        LOGGER.debug(format, *args)

    def _answer(self, work: Any) -> None:
        self.server.begin()
        try:
            status, answer = 200, work()
        except ServingError as error:
            status, answer = error.http_status, {"error": str(error)}
        except Exception as error:  # whatever a model may raise: the caller is told, the server lives
            LOGGER.exception("A request failed.")
            status, answer = 500, {"error": f"{type(error).__name__}: {error}"}
        try:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True
        finally:
            self.server.end()

    def _get(self) -> dict[str, Any]:
        if self.path == "/healthz":
            return {"status": "ok"}
        model, name, verb = self._model()
        if verb == ":predict":
            raise InvalidRequestError("Predictions are asked for by POST.")
        if verb == "/metadata":
            return {
                "model_spec": {"name": name, "signature_name": "", "version": str(model.version)},
                "metadata": {"signature_def": {"signature_def": _definitions(model)}},
            }
        state = {"version": str(model.version), "state": "AVAILABLE"}
        return {"model_version_status": [state | {"status": {"error_code": "OK", "error_message": ""}}]}

    def _post(self) -> dict[str, Any]:
        content = self._content()
        model, _, verb = self._model()
        if verb != ":predict":
            raise InvalidRequestError(f"Malformed request: POST {self.path}")
        try:
            body = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise InvalidRequestError(f"JSON Parse error: {error}") from error
        with self.server.turn:
            return predict(model, body)

    def _content(self) -> bytes:
        """The request's body; one that is refused unread closes the connection, since it would be taken for the next."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            raise InvalidRequestError("The request must say its Content-Length.")
        if int(length) > self.server.max_request_bytes:
            self.close_connection = True
            limit = self.server.max_request_bytes
            raise RequestTooLargeError(f"The request must have at most {limit} bytes. Received: {length}")
        return self.rfile.read(int(length))

    def _model(self) -> tuple[LoadedModel, str, str]:
        route = _ROUTE.fullmatch(self.path)
        if route is None:
            raise ModelNotFoundError(f"Malformed request: {self.command} {self.path}")
        version = None if route["version"] is None else int(route["version"])
        return self.server.models.get(route["name"], version), route["name"], route["verb"]


def predict(model: LoadedModel, body: Any) -> dict[str, Any]:
    """Answers the JSON of one `:predict` request.

    Args:
        model: The model.
        body: `{"signature_name", "inputs"}` or `{"signature_name", "instances"}`.

    Raises:
        ServingError: If the request is not as TensorFlow Serving wants it, or the model refuses it.
    """
    if not isinstance(body, dict) or ("inputs" in body) == ("instances" in body):
        raise InvalidRequestError("Request must have either `inputs` or `instances`.")
    name = body.get("signature_name", contract.SIGNATURE_DEFAULT)
    try:
        signature = model.signature(name)
    except (UnknownSignatureError, TypeError) as error:
        raise InvalidRequestError(f'Serving signature name: "{name}" not found in signature def') from error
    rows = "instances" in body
    columns = _columns(signature, body["instances"]) if rows else _named(signature, body["inputs"])
    arrays = {key: _decoded(key, value) for key, value in columns.items()}
    outputs = model.predict(name, arrays)
    encoded = {key: _encoded(output, key.endswith("_bytes")) for key, output in outputs.items()}
    if not rows:
        return {"outputs": encoded if len(encoded) > 1 else next(iter(encoded.values()))}
    if contract.OUTPUT_IMAGE_INDEX in outputs:
        # As many faces as photos would pass for one face each.
        raise InvalidRequestError(f'Signature "{name}" does not answer row by row. Ask for columns (`inputs`) instead.')
    sizes = {key: len(output) if output.ndim else -1 for key, output in outputs.items()}
    if set(sizes.values()) != {len(body["instances"])}:
        raise InvalidRequestError(f"Outputs have no common batch size: {sizes}. Ask for columns (`inputs`) instead.")
    if len(encoded) == 1:
        return {"predictions": next(iter(encoded.values()))}
    return {"predictions": [dict(zip(encoded, row, strict=True)) for row in zip(*encoded.values(), strict=True)]}


def _named(signature: Signature, inputs: Any) -> dict[str, Any]:
    """Columns by name; the only input of a signature may come without its name."""
    if isinstance(inputs, dict) and "b64" not in inputs:
        return inputs
    if len(signature.inputs) != 1:
        raise InvalidRequestError("`inputs` is a plain value/list, but expecting an object as multiple input tensors.")
    return {next(iter(signature.inputs)): inputs}


def _columns(signature: Signature, instances: Any) -> dict[str, list[Any]]:
    """Rows turned into columns."""
    if not isinstance(instances, list) or not instances:
        raise InvalidRequestError("`instances` must be a non-empty list.")
    rows = [_named(signature, instance) for instance in instances]
    if any(set(row) != set(rows[0]) for row in rows):
        raise InvalidRequestError("Every instance must have the same inputs.")
    return {name: [row[name] for row in rows] for name in rows[0]}


def _decoded(name: str, value: Any) -> Any:
    """`{"b64": …}` and text to bytes, at any depth."""
    if isinstance(value, list):
        return [_decoded(name, item) for item in value]
    if isinstance(value, dict):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except (KeyError, TypeError, binascii.Error, ValueError) as error:
            raise InvalidRequestError(f"`{name}` has an object that is not base64 under `b64`.") from error
    return value


def _encoded(array: np.ndarray, as_bytes: bool) -> Any:
    """Nested lists, strings as text, or as base64 where the output's name says bytes."""
    if array.dtype != object:
        return array.tolist()

    def encoded(item: Any) -> Any:
        if isinstance(item, list):
            return [encoded(element) for element in item]
        return {"b64": base64.b64encode(item).decode()} if as_bytes else item.decode("utf-8", "replace")

    return encoded(array.tolist())


def _definitions(model: LoadedModel) -> dict[str, Any]:
    """Signatures as TensorFlow Serving writes them in JSON."""

    def tensors(described: Any) -> dict[str, Any]:
        return {
            name: {
                "dtype": messages.DATA_TYPES[tensor.dtype][0] if tensor.dtype in messages.DATA_TYPES else "DT_INVALID",
                "tensor_shape": {
                    "dim": [{"size": str(dim.size), "name": dim.name} for dim in tensor.tensor_shape.dim],
                    "unknown_rank": tensor.tensor_shape.unknown_rank,
                },
                "name": tensor.name,
            }
            for name, tensor in described.items()
        }

    return {
        name: {
            "inputs": tensors(definition.inputs),
            "outputs": tensors(definition.outputs),
            "method_name": definition.method_name,
        }
        for name, definition in model.definitions.signature_def.items()
    }
