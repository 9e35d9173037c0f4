"""The landmark servable behind the local server: every face of a photo, over gRPC, over REST and in process."""

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("tensorflow")
from servable_parts import color_patch_networks, encoded, photo, tiny_networks

from serving.client import connect
from serving.face_model import FaceModel, InvalidRequestError, UnknownSignatureError
from serving.server import Server
from trainer import contract
from trainer.export_landmarks import export_landmarks
from trainer.morphable.default import default_head

PATCH, GREEN = (60, 40, 160, 160), (200, 90, 260, 140)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The project's landmark network, tiny, which always says a circle and is sure of it, behind a locator that finds coloured
    patches.
    """
    base = tmp_path_factory.mktemp("landmarks")
    networks = tiny_networks()._replace(locator=color_patch_networks().locator)
    angles = np.linspace(0, 2 * np.pi, contract.LANDMARK_COUNT, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles), np.full_like(angles, -4.0)], axis=-1)
    raw = networks.landmarks.get_layer("raw")
    raw.set_weights([np.zeros_like(raw.get_weights()[0]), np.tile(circle.ravel(), len(contract.LANDMARK_SETS))])
    export_landmarks(networks, default_head(), base / "1")
    with Server(base) as running:
        yield running


@pytest.fixture(params=["process", "grpc", "http"])
def model(request: pytest.FixtureRequest, served: Server) -> Iterator[FaceModel]:
    if request.param == "process":
        yield served.model.get("monoface")
        return
    port = served.port if request.param == "grpc" else served.rest_port
    with connect(f"{request.param}://127.0.0.1:{port}") as client:
        yield client


def test_all_faces_of_a_photo(model: FaceModel) -> None:
    image = encoded(photo(300, 220, PATCH, GREEN))
    faces = model.faces(image)
    assert len(faces) == 2
    centers = sorted(((face.box[:2] + face.box[2:]) / 2).tolist() for face in faces)
    # The circle lies around the middle of what the network is shown.
    np.testing.assert_allclose(centers, [[110, 100], [230, 115]], atol=12)
    for face in faces:
        assert face.landmarks.shape == (contract.LANDMARK_COUNT, 3)
        assert face.pose.shape == (3,)
        assert all(np.isfinite(value).all() for value in (face.landmarks, face.pose))
        assert 0 <= face.confidence <= 1
    prominent = model.reconstruct(image)
    largest = min(faces, key=lambda face: abs(face.box[0] - PATCH[0]))
    np.testing.assert_allclose(prominent.landmarks, largest.landmarks, atol=0.1)


def test_no_face_is_no_error(model: FaceModel) -> None:
    assert model.faces(encoded(photo(90, 60, None))) == []
    outputs = model.predict(contract.SIGNATURE_FACES, {contract.INPUT_IMAGE_BYTES: [encoded(photo(90, 60, None))]})
    assert outputs[contract.OUTPUT_LANDMARKS].shape == (0, contract.LANDMARK_COUNT, 3)


def test_several_photos_and_a_broken_one(model: FaceModel) -> None:
    both, one = encoded(photo(300, 220, PATCH, GREEN)), encoded(photo(300, 220, PATCH))
    outputs = model.predict(contract.SIGNATURE_FACES, {contract.INPUT_IMAGE_BYTES: [both, one]})
    np.testing.assert_array_equal(outputs[contract.OUTPUT_IMAGE_INDEX], [0, 0, 1])
    with pytest.raises(InvalidRequestError, match=r"image_bytes\[0\] could not be decoded"):
        model.faces(b"no photo")
    with pytest.raises(UnknownSignatureError):
        model.reconstruct(one, mesh=True)


def test_rows_are_refused_for_answers_that_do_not_come_row_by_row(served: Server) -> None:
    """Two photos, two faces on the first: in rows, the second photo would have got one of them."""
    import base64

    from serving.rest import predict

    images = [encoded(photo(300, 220, PATCH, GREEN)), encoded(photo(90, 60, None))]
    rows = [{"image_bytes": {"b64": base64.b64encode(image).decode()}} for image in images]
    with pytest.raises(InvalidRequestError, match="row by row"):
        predict(served.model.get("monoface"), {"signature_name": "faces", "instances": rows})
