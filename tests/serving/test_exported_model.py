"""What `trainer.export` writes, served and asked: errors keep their words, and both protocols carry everything."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
from servable_parts import FixedRegressor, color_patch_networks, encoded, photo, tiny_model

from serving.client import connect
from serving.face_model import FaceModel, InvalidRequestError
from serving.reconstruct import ask
from serving.server import Server
from trainer.export import export

PATCH = (100, 60, 180, 150)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("exported")
    export(FixedRegressor(), color_patch_networks(), tiny_model(), base / "1")
    return base


@pytest.fixture(scope="module")
def served(exported: Path) -> Iterator[Server]:
    with Server(exported) as running:
        yield running


@pytest.fixture(params=["process", "grpc", "http"])
def model(request: pytest.FixtureRequest, served: Server) -> Iterator[FaceModel]:
    if request.param == "process":
        yield served.model.get("monoface")
        return
    port = served.port if request.param == "grpc" else served.rest_port
    with connect(f"{request.param}://127.0.0.1:{port}") as client:
        yield client


def test_a_photo_s_face_and_mesh(model: FaceModel) -> None:
    image = photo(300, 220, PATCH)
    face = ask(model, image)
    boxed = model.reconstruct(encoded(image), box=PATCH)
    assert face.vertices is not None
    assert face.vertices.shape == tiny_model().mean.shape
    np.testing.assert_array_equal(face.triangles, tiny_model().triangles)
    # The stand-in's first 68 vertices are its landmarks.
    np.testing.assert_allclose(face.vertices[:68], face.landmarks, atol=1e-3)
    np.testing.assert_allclose(boxed.landmarks.mean(axis=0)[:2], face.landmarks.mean(axis=0)[:2], atol=10)


def test_a_box_with_a_mesh(model: FaceModel) -> None:
    image = photo(300, 220, PATCH)
    face, free = ask(model, image, PATCH), ask(model, image)
    assert face.vertices is not None
    np.testing.assert_allclose(face.landmarks, free.landmarks, atol=6)


def test_a_broken_photo_is_named_by_its_index_and_nothing_else_is_said(model: FaceModel) -> None:
    good = encoded(photo(300, 220, PATCH))
    with pytest.raises(InvalidRequestError) as caught:
        model.predict("serving_default", {"image_bytes": [good, good[:200]]})
    said = "image_bytes[1] could not be decoded: its data is truncated or damaged."
    assert said in str(caught.value)
    assert "assertion" not in str(caught.value)
    assert "{{" not in str(caught.value)
    with pytest.raises(InvalidRequestError, match=r"box\[0\] must have a finite box"):
        model.predict("with_box", {"image_bytes": [good], "box": [[5, 5, 1, 1]]})
