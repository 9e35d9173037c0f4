"""Clients without a server: addresses, silence, and life without TensorFlow."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.client import GrpcModel, RestModel, connect
from serving.face_model import ServerTimeoutError, ServerUnavailableError, ServingError

ROOT = Path(__file__).resolve().parents[2]


def test_the_client_needs_no_tensorflow() -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = sys.modules['tensorflow_serving'] = None\n"
        "import numpy as np, serving.client as c, serving.messages as m\n"
        "assert m.to_array(m.from_array(np.ones(3))).sum() == 3\n"
        "assert c.connect('grpc://localhost:1').address == 'localhost:1'\n"
        "import serving.reconstruct\n"
        "print(sorted(n for n in ('PIL', 'scipy', 'matplotlib', 'trimesh') if n in sys.modules))"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['PIL']"


@pytest.mark.parametrize(
    ("url", "kind", "address", "name"),
    [
        ("grpc://host:8500", GrpcModel, "host:8500", "given"),
        ("host:8500", GrpcModel, "host:8500", "given"),
        ("grpcs://host:443", GrpcModel, "host:443", "given"),
        ("http://host:8501", RestModel, "http://host:8501", "given"),
        ("https://host/behind/proxy/", RestModel, "https://host/behind/proxy", "given"),
        ("http://host:8501/v1/models/named:predict", RestModel, "http://host:8501", "named"),
        ("https://host/a/v1/models/named/versions/3", RestModel, "https://host/a", "named"),
    ],
)
def test_addresses(url: str, kind: type, address: str, name: str) -> None:
    with connect(url, "given") as client:
        assert type(client) is kind
        assert (client.address, client.name) == (address, name)


@pytest.mark.parametrize("url", ["", "host", "grpc://host", "ftp://host:1", "grpc://host:port", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="`url` must"):
        connect(url)


def test_a_timeout_must_be_positive() -> None:
    with pytest.raises(ValueError, match="`timeout` must be positive"):
        connect("host:1", timeout=0)


@pytest.fixture
def mute() -> Iterator[int]:
    """Port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stop, taken = threading.Event(), []

        def accept() -> None:
            while not stop.is_set():
                try:
                    taken.append(listener.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        stop.set()
        thread.join()
        for connection in taken:
            connection.close()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_silence_ends_with_the_timeout(mute: int, protocol: str) -> None:
    with (
        connect(f"{protocol}://127.0.0.1:{mute}", timeout=0.3) as client,
        pytest.raises((ServerTimeoutError, ServerUnavailableError), match=str(mute)) as caught,
    ):
        client.signatures()
    if protocol == "http":
        assert "0.3 s" in str(caught.value)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_nobody_there(protocol: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with connect(f"{protocol}://127.0.0.1:{port}") as client, pytest.raises(ServerUnavailableError, match=str(port)):
        client.predict("serving_default", {})


def test_a_closed_client_says_so() -> None:
    client = connect("127.0.0.1:1")
    client.close()
    client.close()
    with pytest.raises(ServerUnavailableError, match="closed"):
        client.signatures()


def test_a_server_of_something_else(mute: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection = listener.accept()[0]
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with connect(url) as client, pytest.raises(ServingError, match="not TensorFlow Serving's JSON"):
            client.signatures()
        thread.join()
