"""The local server, asked by our clients, by TensorFlow Serving's own stub, and by hand."""

import base64
import http.client
import json
import shutil
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from serving.client import RestModel, connect  # noqa: E402
from serving.face_model import (  # noqa: E402
    FaceModel,
    InvalidRequestError,
    ModelNotFoundError,
    RequestTooLargeError,
    UnknownSignatureError,
)
from serving.saved_model import LoadedModel, find_versions  # noqa: E402
from serving.server import ModelInService, Server  # noqa: E402
from trainer import contract  # noqa: E402
from trainer.imaging import codecs  # noqa: E402

CENTER = (150.0, 100.0)


@pytest.fixture(scope="module")
def photo(fake: ModuleType) -> bytes:
    return codecs.encode_png(fake.photo_of_disc(220, 300, CENTER))


def test_reconstruct_gives_the_face_that_is_on_the_photo(remote: FaceModel, photo: bytes, fake: ModuleType) -> None:
    face = remote.reconstruct(photo, mesh=True)
    expected = np.array([*CENTER, 0], np.float32) + fake.RADIUS * fake.face_template()
    np.testing.assert_allclose(face.landmarks, expected, atol=0.3)
    np.testing.assert_allclose(face.box, [*expected.min(0)[:2], *expected.max(0)[:2]], atol=0.3)
    np.testing.assert_allclose(face.pose, [10, -5, 2.5])
    assert face.confidence == 1.0
    vertices, triangles = fake.head_mesh()
    assert face.vertices is not None
    np.testing.assert_allclose(face.vertices, np.array([*CENTER, 0], np.float32) + fake.RADIUS * vertices, atol=0.6)
    np.testing.assert_array_equal(face.triangles, triangles)
    assert (face.landmarks.dtype, face.triangles.dtype) == (np.float32, np.int32)


def test_a_given_box_is_used(remote: FaceModel, photo: bytes) -> None:
    face = remote.reconstruct(photo, box=(10, 20, 30, 40))
    assert face.vertices is None
    assert 10 < face.landmarks[:, 0].mean() < 30
    assert 20 < face.landmarks[:, 1].mean() < 40


def test_in_process_and_both_protocols_agree(remote: FaceModel, fake_model: LoadedModel, photo: bytes) -> None:
    assert remote.signatures() == fake_model.signatures()
    inputs = {"text_bytes": [b"\xff\x00", b""], "number": [[1, 2], [0.1, 1e-30]], "count": [2**53 + 1, -1]}
    here, there = fake_model.predict("echo", inputs), remote.predict("echo", inputs)
    assert set(here) == set(there) == set(inputs)
    for name, array in here.items():
        assert array.dtype == there[name].dtype
        np.testing.assert_array_equal(array, there[name])
    batch = {contract.INPUT_IMAGE_BYTES: [photo, photo, photo]}
    for name, array in fake_model.predict(contract.SIGNATURE_DEFAULT, batch).items():
        np.testing.assert_array_equal(array, remote.predict(contract.SIGNATURE_DEFAULT, batch)[name])


def test_errors_have_names_and_carry_the_model_s_words(remote: FaceModel, photo: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="Unknown image file format") as caught:
        remote.reconstruct(b"no image")
    assert "{{" not in str(caught.value)
    with pytest.raises(InvalidRequestError, match=r"x0 < x1"):
        remote.reconstruct(photo, box=(5, 5, 1, 1))
    with pytest.raises(UnknownSignatureError, match=r'"depth".*serving_default'):
        remote.predict("depth", {})
    with pytest.raises(UnknownSignatureError, match="box and image_bytes"):
        remote.reconstruct(photo, box=(1, 1, 5, 5), mesh=True)
    with pytest.raises(InvalidRequestError, match=r"Sent extra: \{image\}. Missing but required: \{image_bytes\}"):
        remote.predict(contract.SIGNATURE_DEFAULT, {"image": [photo]})
    with pytest.raises(InvalidRequestError, match=r"shape \[\?,4\]"):
        remote.predict(contract.SIGNATURE_WITH_BOX, {"image_bytes": [photo], "box": [1, 2, 3, 4]})
    with pytest.raises(InvalidRequestError, match="strings of bytes"):
        remote.predict(contract.SIGNATURE_DEFAULT, {"image_bytes": [1]})


@pytest.mark.parametrize(("name", "version"), [("other", None), ("monoface", 99)])
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_model_that_is_not_served(server: Server, protocol: str, name: str, version: int | None) -> None:
    port = server.port if protocol == "grpc" else server.rest_port
    with (
        connect(f"{protocol}://127.0.0.1:{port}", name, version) as remote,
        pytest.raises(ModelNotFoundError, match=name),
    ):
        remote.signatures()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_the_version_that_is_served_may_be_named(server: Server, protocol: str) -> None:
    port = server.port if protocol == "grpc" else server.rest_port
    with connect(f"{protocol}://127.0.0.1:{port}", "monoface", 3) as remote:
        assert "echo" in remote.signatures()


def test_tensorflow_serving_s_own_stub_is_answered(server: Server, photo: bytes) -> None:
    from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "monoface"
        request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([photo]))
        request.output_filter.append("pose")
        response = stub.Predict(request, timeout=30)
        assert list(response.outputs) == ["pose"]
        np.testing.assert_allclose(tf.make_ndarray(response.outputs["pose"]), [[10, -5, 2.5]])
        assert response.model_spec.version.value == 3
        assert response.model_spec.signature_name == "serving_default"

        metadata = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        metadata.model_spec.name = "monoface"
        definitions = get_model_metadata_pb2.SignatureDefMap()
        assert stub.GetModelMetadata(metadata).metadata["signature_def"].Unpack(definitions)
        assert definitions.signature_def["mesh"].inputs["image_bytes"].dtype == tf.string.as_datatype_enum

        for change, status in (
            ({"signature_name": "depth"}, grpc.StatusCode.FAILED_PRECONDITION),
            ({"name": "other"}, grpc.StatusCode.NOT_FOUND),
        ):
            for key, value in change.items():
                setattr(request.model_spec, key, value)
            with pytest.raises(grpc.RpcError) as caught:
                stub.Predict(request, timeout=30)
            assert caught.value.code() == status
        request.model_spec.name, request.model_spec.signature_name = "monoface", ""
        request.output_filter[0] = "depth"
        with pytest.raises(grpc.RpcError) as caught:
            stub.Predict(request, timeout=30)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        del request.output_filter[:]
        request.inputs["image_bytes"].tensor_shape.dim[0].size = 1 << 40
        with pytest.raises(grpc.RpcError) as caught:
            stub.Predict(request, timeout=30)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def ask(
    server: Server, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=30)
    content = body if isinstance(body, bytes) or body is None else json.dumps(body)
    connection.request(method, path, content, headers or {})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_rest_answers_as_tensorflow_serving_does(server: Server, photo: bytes) -> None:
    status, answer = ask(server, "GET", "/v1/models/monoface")
    assert (status, answer["model_version_status"][0]["state"]) == (200, "AVAILABLE")
    assert answer["model_version_status"][0]["version"] == "3"
    assert ask(server, "GET", "/healthz")[0] == 200
    status, answer = ask(server, "GET", "/v1/models/monoface/versions/3/metadata")
    described = answer["metadata"]["signature_def"]["signature_def"]["with_box"]["inputs"]["box"]
    assert described["dtype"] == "DT_FLOAT"
    assert [dim["size"] for dim in described["tensor_shape"]["dim"]] == ["-1", "4"]

    encoded = {"b64": base64.b64encode(photo).decode()}
    for body in (
        {"instances": [encoded, encoded]},
        {"instances": [{"image_bytes": encoded}] * 2},
        {"inputs": [encoded] * 2},
        {"inputs": {"image_bytes": [encoded] * 2}, "signature_name": "serving_default"},
    ):
        status, answer = ask(server, "POST", "/v1/models/monoface:predict", body)
        assert status == 200
        if "instances" in body:
            assert [row["pose"] for row in answer["predictions"]] == [[10.0, -5.0, 2.5]] * 2
        else:
            assert answer["outputs"]["pose"] == [[10.0, -5.0, 2.5]] * 2
    echo = {"text_bytes": [{"b64": "/wA="}], "number": [[1, 2]], "count": [3]}
    status, answer = ask(server, "POST", "/v1/models/monoface:predict", {"signature_name": "echo", "inputs": echo})
    assert (status, answer) == (
        200,
        {"outputs": {"text_bytes": [{"b64": "/wA="}], "number": [[1.0, 2.0]], "count": [3]}},
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/v1/models/other", None, 404, "Latest(other)"),
        ("GET", "/v1/models/monoface/versions/4", None, 404, "Specific(monoface, 4)"),
        ("GET", "/v2/models", None, 404, "Malformed"),
        ("GET", "/v1/models/monoface:predict", None, 400, "POST"),
        ("POST", "/v1/models/monoface", {}, 400, "Malformed"),
        ("POST", "/v1/models/monoface:predict", b"{", 400, "JSON Parse error"),
        ("POST", "/v1/models/monoface:predict", b"[" * 100_000, 400, "JSON Parse error"),
        ("POST", "/v1/models/monoface:predict", [], 400, "inputs"),
        ("POST", "/v1/models/monoface:predict", {"inputs": 1, "instances": [1]}, 400, "either"),
        ("POST", "/v1/models/monoface:predict", {"instances": []}, 400, "non-empty"),
        ("POST", "/v1/models/monoface:predict", {"instances": [{"b64": "?"}]}, 400, "base64"),
        ("POST", "/v1/models/monoface:predict", {"instances": [{"image_bytes": {"b65": ""}}]}, 400, "base64"),
        ("POST", "/v1/models/monoface:predict", {"inputs": 1, "signature_name": "depth"}, 400, "depth"),
        ("POST", "/v1/models/monoface:predict", {"inputs": 1, "signature_name": ["mesh"]}, 400, "mesh"),
        ("POST", "/v1/models/monoface:predict", {"inputs": 1, "signature_name": "with_box"}, 400, "multiple"),
        ("POST", "/v1/models/monoface:predict", {"inputs": [[1, [2]]]}, 400, "image_bytes"),
        ("POST", "/v1/models/monoface:predict", {"inputs": [{"b64": "aGVsbG8="}]}, 400, "Unknown image file format"),
    ],
)
def test_rest_refuses_with_a_reason(server: Server, method: str, path: str, body: Any, status: int, says: str) -> None:
    given, answer = ask(server, method, path, body)
    assert given == status
    assert says in answer["error"]


def test_requests_over_the_limit_are_refused_unread(fake_base: Path, photo: bytes) -> None:
    with Server(fake_base, max_request_bytes=4096) as small:
        big = photo + bytes(5000)
        for url in (f"grpc://127.0.0.1:{small.port}", f"http://127.0.0.1:{small.rest_port}"):
            with connect(url) as remote:
                assert remote.reconstruct(photo).confidence == 1.0
                with pytest.raises(RequestTooLargeError):
                    remote.reconstruct(big)
                assert remote.reconstruct(photo).confidence == 1.0
        status, answer = ask(small, "POST", "/v1/models/monoface:predict", None, {"Transfer-Encoding": "chunked"})
        assert (status, "Content-Length" in answer["error"]) == (400, True)


def test_two_servers_do_not_share_a_port(fake_base: Path, server: Server) -> None:
    with pytest.raises(OSError, match=str(server.port)):
        Server(fake_base, port=server.port)
    with pytest.raises(OSError, match=str(server.rest_port)):
        Server(fake_base, rest_port=server.rest_port)


def test_a_newer_version_takes_over_and_a_broken_one_does_not(
    fake_base: Path, fake: ModuleType, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(fake_base / "3", base / "3")
    (base / "not-a-version").mkdir()
    (base / "7").mkdir()  # half-way through a push
    assert list(find_versions(base)) == [3]
    service = ModelInService(base)
    assert not service.refresh()
    (base / "7" / "saved_model.pb").write_bytes(b"half")
    assert not service.refresh()
    assert service.get("monoface").version == 3
    shutil.rmtree(base / "7")
    fake.write_fake_model(tmp_path / "new", scale=2.0)
    (tmp_path / "new").rename(base / "7")
    assert service.refresh()
    photo = codecs.encode_png(fake.photo_of_disc(64, 64, (30, 30), 8))
    np.testing.assert_allclose(service.get("monoface").reconstruct(photo).pose, [20, -10, 5])
    with pytest.raises(ModelNotFoundError):
        service.get("monoface", 3)


def test_a_running_server_notices(fake_base: Path, tmp_path: Path) -> None:
    shutil.copytree(fake_base / "3", tmp_path / "3")
    with Server(tmp_path, poll_seconds=0.05) as running, connect(f"http://127.0.0.1:{running.rest_port}") as remote:
        assert isinstance(remote, RestModel)
        assert remote.status() == {"3": "AVAILABLE"}
        shutil.copytree(fake_base / "3", tmp_path / "copied")
        (tmp_path / "copied").rename(tmp_path / "10")
        deadline = time.monotonic() + 20
        while remote.status() != {"10": "AVAILABLE"}:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_stopping_lets_a_request_under_way_end(fake_base: Path, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()
    answers: list[Any] = []
    predict = LoadedModel.predict

    def slow(self: LoadedModel, signature: str, inputs: Any) -> Any:
        begun.set()
        time.sleep(0.5)
        return predict(self, signature, inputs)

    for protocol in ("grpc", "http"):
        running = Server(fake_base)
        running.start()
        remote = connect(f"{protocol}://127.0.0.1:{running.port if protocol == 'grpc' else running.rest_port}")
        remote.signatures()
        monkeypatch.setattr(LoadedModel, "predict", slow)
        caller = threading.Thread(target=lambda asked=remote: answers.append(asked.reconstruct(photo)))
        caller.start()
        assert begun.wait(10)
        running.stop()
        caller.join(10)
        monkeypatch.undo()
        begun.clear()
        remote.close()
    assert [answer.confidence for answer in answers] == [1.0, 1.0]
