"""SavedModels on disk: which there are, what is wrong with them, and what warms them up."""

import shutil
from pathlib import Path
from types import ModuleType

import pytest

tf = pytest.importorskip("tensorflow")

from serving.face_model import ModelNotFoundError, ServingError  # noqa: E402
from serving.saved_model import WARMUP_FILE, find_versions, load_latest  # noqa: E402
from serving.server import ModelInService  # noqa: E402
from trainer.imaging import codecs  # noqa: E402


def test_one_saved_model_is_a_base_of_its_own(fake_base: Path, tmp_path: Path) -> None:
    assert list(find_versions(fake_base / "3")) == [3]
    shutil.copytree(fake_base / "3", tmp_path / "model")
    assert load_latest(tmp_path / "model").version == 1


@pytest.mark.parametrize("path", ["absent", "empty"])
def test_no_model_says_how_to_get_one(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelNotFoundError, match=f"{path}.*monoface run"):
        load_latest(tmp_path / path)


def test_a_damaged_model_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"\x08\x01garbage")
    with pytest.raises(ServingError, match=str(tmp_path / "1")):
        load_latest(tmp_path)


def test_warm_up_replays_the_model_s_own_requests(fake_base: Path, fake: ModuleType, tmp_path: Path) -> None:
    from tensorflow_serving.apis import prediction_log_pb2

    photo = codecs.encode_png(fake.photo_of_disc(60, 80, (40.0, 30.0)))
    shutil.copytree(fake_base / "3", tmp_path / "3")
    model = load_latest(tmp_path)
    assert model.warm_up() == 3  # the signatures that take a photo, or a photo and a box
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.signature_name = "mesh"
    log.predict_log.request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([photo]))
    (tmp_path / "3" / WARMUP_FILE).parent.mkdir()
    with tf.io.TFRecordWriter(str(tmp_path / "3" / WARMUP_FILE)) as writer:
        for _ in range(2):
            writer.write(log.SerializeToString())
    asked = []
    model.predict = lambda signature, inputs: asked.append((signature, inputs["image_bytes"][0]))  # type: ignore
    assert model.warm_up() == 2
    assert asked == [("mesh", photo)] * 2


def test_warm_up_requests_that_cannot_be_read_are_an_error_that_names_them(fake_base: Path, tmp_path: Path) -> None:
    shutil.copytree(fake_base / "3", tmp_path / "3")
    service = ModelInService(tmp_path)
    shutil.copytree(fake_base / "3", tmp_path / "4")
    requests = tmp_path / "4" / WARMUP_FILE
    requests.parent.mkdir()
    with tf.io.TFRecordWriter(str(tmp_path / "record")) as writer:
        writer.write(b"\xff\xff no request")
    for content in (b"no records at all, but quite long", (tmp_path / "record").read_bytes()):
        requests.write_bytes(content)
        with pytest.raises(ServingError, match=f"{requests} does not hold requests"):
            load_latest(tmp_path).warm_up()
        # The server keeps what it has, and goes on looking.
        assert not service.refresh()
        assert service.get("monoface").version == 3
