"""A local server of one SavedModel that answers as TensorFlow Serving does, for those who do not have its binary.

gRPC: `PredictionService.Predict` and `GetModelMetadata`. REST: see `serving.rest`. It serves the latest version under its
directory and takes a newer one into service, warmed up, when one appears.
"""

import concurrent.futures
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from serving import messages, rest
from serving.face_model import (
    DEFAULT_NAME,
    MAX_REQUEST_BYTES,
    InvalidRequestError,
    ModelNotFoundError,
    ServingError,
)
from serving.saved_model import LoadedModel, find_versions, load_latest
from trainer import contract

LOGGER = logging.getLogger(__name__)

POLL_SECONDS = 2.0
"""How often the directory is searched for a newer version."""

WORKERS = 4
"""Requests that are worked on at the same time; TensorFlow spreads each over the cores."""


class ModelInService:
    """The latest version of a model on disk. Requests that are under way keep the version they began with."""

    def __init__(self, path: Path, name: str = DEFAULT_NAME) -> None:
        """Loads the latest version and warms it up.

        Args:
            path: See `saved_model.find_versions`.
            name: Under which it is served.

        Raises:
            ServingError: If there is no model, or it cannot be loaded.
        """
        self.path, self.name = path, name
        self._model = load_latest(path)
        self._refused: int | None = None
        self._model.warm_up()

    def get(self, name: str, version: int | None = None) -> LoadedModel:
        """The model in service.

        Raises:
            ModelNotFoundError: If it has another name or version.
        """
        model = self._model
        if name != self.name or version not in (None, model.version):
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise ModelNotFoundError(f"Servable not found for request: {wanted}")
        return model

    def refresh(self) -> bool:
        """Takes the latest version into service if it is newer; a version that does not load (yet) is tried again later."""
        latest = max(find_versions(self.path), default=None)
        if latest is None or latest <= self._model.version:
            return False
        try:
            newer = load_latest(self.path)
            newer.warm_up()
        except ServingError as error:
            if self._refused != latest:
                LOGGER.warning("Version %s stays out of service for now: %s", latest, error)
            self._refused = latest
            return False
        self._model = newer
        LOGGER.info("Version %s is in service.", newer.version)
        return True


class Server:
    """gRPC and REST for one model; a context manager that starts and gracefully stops both."""

    def __init__(
        self,
        path: Path,
        name: str = DEFAULT_NAME,
        host: str = "127.0.0.1",
        port: int = 0,
        rest_port: int = 0,
        max_request_bytes: int = MAX_REQUEST_BYTES,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Loads the model and binds both ports.

        Args:
            path: A SavedModel, or a directory of numbered ones.
            name: Under which it is served.
            host: Address to listen on.
            port: gRPC's port; 0 for a free one.
            rest_port: REST's port; 0 for a free one.
            max_request_bytes: Larger requests are refused unread.
            poll_seconds: How often to look for a newer version.

        Raises:
            ServingError: If the model cannot be loaded.
            OSError: If a port cannot be bound.
        """
        self.model = ModelInService(path, name)
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._grpc = grpc.server(
            concurrent.futures.ThreadPoolExecutor(WORKERS, thread_name_prefix="grpc"),
            options=[
                ("grpc.max_receive_message_length", max_request_bytes),
                ("grpc.max_send_message_length", MAX_REQUEST_BYTES),
                # Without this a second server on the same port would quietly take half of the requests.
                ("grpc.so_reuseport", 0),
            ],
        )
        self._grpc.add_generic_rpc_handlers((prediction_service(self.model),))
        try:
            self.port = self._grpc.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise OSError(f"Port {port} of {host} cannot be bound: {error}") from error
        try:
            self._rest = rest.RestServer((host, rest_port), self.model, max_request_bytes, WORKERS)
        except OSError as error:
            self._grpc.stop(None)
            raise OSError(f"Port {rest_port} of {host} cannot be bound: {error}") from error
        self.rest_port = self._rest.server_address[1]
        self._threads = [
            threading.Thread(target=self._rest.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True),
            threading.Thread(target=self._watch, daemon=True),
        ]

    def start(self) -> None:
        """Begins to answer; returns at once."""
        self._grpc.start()
        for thread in self._threads:
            thread.start()

    def stop(self, grace_seconds: float = 10.0) -> None:
        """Takes no more requests, lets those under way end, for at most the grace."""
        self._stopping.set()
        stopped = self._grpc.stop(grace_seconds)
        self._rest.shutdown()
        self._rest.drain(grace_seconds)
        self._rest.server_close()
        stopped.wait(grace_seconds)
        for thread in self._threads:
            thread.join(grace_seconds)

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _watch(self) -> None:
        while not self._stopping.wait(self._poll_seconds):
            try:
                self.model.refresh()
            except OSError as error:
                LOGGER.warning("%s cannot be searched for versions: %s", self.model.path, error)


def prediction_service(service: ModelInService) -> grpc.GenericRpcHandler:
    """TensorFlow Serving's `PredictionService` over a model."""

    def predict(request: Any) -> Any:
        specification = request.model_spec
        model = service.get(specification.name, _version(specification))
        signature = specification.signature_name or contract.SIGNATURE_DEFAULT
        try:
            inputs = {name: messages.to_array(tensor) for name, tensor in request.inputs.items()}
        except ValueError as error:
            raise InvalidRequestError(str(error)) from error
        outputs = model.predict(signature, inputs)
        wanted = list(request.output_filter) or list(outputs)
        if unknown := sorted(set(wanted) - set(outputs)):
            raise InvalidRequestError(f"output tensor alias not found in signature: {', '.join(unknown)}")
        response = messages.PredictResponse()
        for name in wanted:
            response.outputs[name].CopyFrom(messages.from_array(outputs[name]))
        _specify(response.model_spec, service.name, model.version, signature)
        return response

    def metadata(request: Any) -> Any:
        model = service.get(request.model_spec.name, _version(request.model_spec))
        if list(request.metadata_field) != [messages.METADATA_FIELD]:
            raise InvalidRequestError(f"Metadata field must be `{messages.METADATA_FIELD}`.")
        response = messages.GetModelMetadataResponse()
        _specify(response.model_spec, service.name, model.version, "")
        packed = response.metadata[messages.METADATA_FIELD]
        packed.type_url = messages.SIGNATURE_DEF_TYPE
        packed.value = model.definitions.SerializeToString()
        return response

    methods = {
        "Predict": (predict, messages.PredictRequest, messages.PredictResponse),
        "GetModelMetadata": (metadata, messages.GetModelMetadataRequest, messages.GetModelMetadataResponse),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            _answering(method),
            request_deserializer=request.FromString,
            response_serializer=response.SerializeToString,
        )
        for name, (method, request, response) in methods.items()
    }
    return grpc.method_handlers_generic_handler(messages.PREDICTION_SERVICE, handlers)


def _answering(method: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """A gRPC handler whose named errors become statuses with their message."""

    def answer(request: Any, context: Any) -> Any:
        try:
            return method(request)
        except ServingError as error:
            context.abort(grpc.StatusCode[error.code], str(error))
        except Exception as error:  # whatever a model may raise: the caller is told, the server lives
            LOGGER.exception("A request failed.")
            context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")

    return answer


def _version(model_spec: Any) -> int | None:
    return model_spec.version.value if model_spec.HasField("version") else None


def _specify(model_spec: Any, name: str, version: int, signature: str) -> None:
    model_spec.name, model_spec.signature_name = name, signature
    model_spec.version.value = version
