"""One door for every format, and the pin on it."""

import hashlib

import pytest
import source_files
from morphable_parts import build_tiny_model

from trainer.morphable import io
from trainer.morphable.readers.open_model import model_files, open_model, source_digest


@pytest.fixture
def native(tmp_path):
    path = tmp_path / "tiny.npz"
    io.save(build_tiny_model(), path)
    return path


def test_the_native_format_is_read_as_it_is(native):
    model = open_model(native)
    assert model.sha256 == build_tiny_model().sha256
    assert source_digest(native) == hashlib.sha256(native.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match="not for the native format"):
        open_model(native, landmark_tables=native)


def test_the_hash_of_the_model_or_of_its_file_pins_it(native):
    for pin in (build_tiny_model().sha256, source_digest(native), source_digest(native).upper()):
        assert open_model(native, sha256=pin).name == "tiny"
    for pin in ("", "0" * 64, build_tiny_model().sha256[:-1]):
        with pytest.raises(ValueError, match=rf"tiny\.npz is not the face model that is pinned: `sha256` is {pin}"):
            open_model(native, sha256=pin)


def test_any_file_of_a_model_that_changes_changes_its_digest(tmp_path):
    folder = tmp_path / "bfm"
    folder.mkdir()
    for name in ("Model_Shape.mat", "Model_Exp.mat", "unrelated.mat"):
        (folder / name).write_bytes(name.encode())
    before = source_digest(folder)
    (folder / "unrelated.mat").write_bytes(b"other")
    assert source_digest(folder) == before
    (folder / "Model_Exp.mat").write_bytes(b"other")
    assert source_digest(folder) != before


def test_files_that_belong_together_are_found_from_each_door(tmp_path):
    for name in ("01_MorphableModel.mat", "model_info.mat", "Model_Expression.mat"):
        (tmp_path / name).write_bytes(b"")
    expected = ["01_MorphableModel.mat", "Model_Expression.mat", "model_info.mat"]
    assert [path.name for path in model_files(tmp_path)] == expected
    assert [path.name for path in model_files(tmp_path / "01_MorphableModel.mat")] == expected
    (tmp_path / "Model_Shape.mat").write_bytes(b"")
    expected = ["Model_Shape.mat", "Model_Expression.mat", "01_MorphableModel.mat"]
    assert [path.name for path in model_files(tmp_path)] == expected


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no face model at .*nowhere"):
        open_model(tmp_path / "nowhere.h5")
    (tmp_path / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ValueError, match=r"model\.pkl is no face model that can be read"):
        open_model(tmp_path / "model.pkl")
    with pytest.raises(ValueError, match="is no ICT-FaceKit folder"):
        open_model(tmp_path)
    for suffix in ("npz", "mat", "h5"):
        path = tmp_path / f"wrong.{suffix}"
        path.write_bytes(b"\x80\x04\x95 pickled")
        with pytest.raises(ValueError, match=rf"wrong\.{suffix}"):
            open_model(path)


def test_reading_twice_gives_the_same_bytes(tmp_path):
    """Nothing is drawn at random on the way: a pin made on one day holds on the next."""
    path = source_files.save_basel_h5(tmp_path / "model.h5")
    assert open_model(path).sha256 == open_model(path).sha256
