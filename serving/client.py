"""Clients of a served model, over gRPC and over REST, one interface: grpcio, protobuf and NumPy, no TensorFlow.

    with connect("grpc://localhost:8500") as model:
        face = model.reconstruct(Path("photo.jpg").read_bytes(), mesh=True)

They speak TensorFlow Serving's protocols, so the server may be TensorFlow Serving, KServe or `monoface serve`.
"""

import urllib.parse

from serving.face_model import DEFAULT_NAME
from serving.grpc_client import GrpcModel
from serving.remote_model import DEFAULT_TIMEOUT, RemoteModel
from serving.rest_client import RestModel


def connect(
    url: str,
    name: str = DEFAULT_NAME,
    version: int | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> RemoteModel:
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
