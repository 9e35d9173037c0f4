"""A client of TensorFlow Serving's gRPC: grpcio, protobuf and NumPy."""

from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np

from serving import messages
from serving.face_model import (
    DEFAULT_NAME,
    ERRORS,
    MAX_REQUEST_BYTES,
    ServerUnavailableError,
    ServingError,
    Signature,
    conform,
)
from serving.remote_model import DEFAULT_TIMEOUT, RemoteModel

_BY_CODE = {error.code: error for error in ERRORS}


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
        try:
            return {name: messages.to_array(tensor) for name, tensor in response.outputs.items()}
        except ValueError as error:
            raise ServingError(f"{self.address}: the answer is not TensorFlow Serving's: {error}") from error

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
