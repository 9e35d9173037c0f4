import io
import json
import zipfile

import numpy as np
import pytest
from morphable_parts import build_tiny_model

from trainer.morphable.io import FORMAT, load, save


class Hostile:
    """Unpickling this would fail the test loudly."""

    def __reduce__(self):
        return (pytest.fail, ("a pickled object was executed",))


@pytest.fixture
def saved(tiny_model, tmp_path):
    path = tmp_path / "model.npz"
    save(tiny_model, path)
    return path


def rewrite(path, **changes):
    """The file with members replaced, or removed where the change is None."""
    with np.load(path) as archive:
        members = {name: archive[name] for name in archive.files}
    members = {name: value for name, value in (members | changes).items() if value is not None}
    np.savez(path, **members)


def test_a_round_trip_loses_nothing(tiny_model, saved):
    loaded = load(saved)
    assert loaded.sha256 == tiny_model.sha256
    assert loaded.provenance == tiny_model.provenance
    assert loaded.expression_names == ("jawOpen",)
    assert loaded.identity.dtype == np.float32
    np.testing.assert_array_equal(loaded.landmarks["basel"].barycentrics, tiny_model.landmarks["basel"].barycentrics)


def test_values_that_float16_cannot_hold_survive(tmp_path):
    model = build_tiny_model(mean=np.array([[1 / 3, 1e6, -1e-9]] * 4, np.float32))
    save(model, tmp_path / "model.npz")
    np.testing.assert_array_equal(load(tmp_path / "model.npz").mean, model.mean)


def test_the_same_model_gives_the_same_bytes_and_no_leftovers(tiny_model, saved, tmp_path):
    before = saved.read_bytes()
    save(load(saved), saved)
    assert saved.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_a_failed_save_leaves_the_old_file(saved, tmp_path):
    before = saved.read_bytes()
    with pytest.raises(TypeError):
        save(build_tiny_model(provenance={"not": object()}), saved)
    assert saved.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_truncated_at_any_length_is_refused(saved):
    data = saved.read_bytes()
    for length in (0, 1, 100, len(data) // 2, len(data) - 1):
        saved.write_bytes(data[:length])
        with pytest.raises(ValueError, match=f"{saved.name} is not a face model"):
            load(saved)


def outcome(path):
    """The hash of what was read, or the refusal."""
    try:
        return load(path).sha256
    except ValueError as error:
        return str(error)


def test_damaged_bytes_are_refused_or_harmless(saved):
    data = saved.read_bytes()
    expected = load(saved).sha256
    for position in np.random.default_rng(0).integers(0, len(data), 60):
        broken = bytearray(data)
        broken[position] ^= 0xFF
        saved.write_bytes(bytes(broken))
        result = outcome(saved)
        assert result == expected or f"{saved.name} is not a face model" in result


def test_not_a_zip_and_not_there(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.npz is not a face model"):
        load(tmp_path / "text.npz")
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"array\.npy is not a face model"):
        load(tmp_path / "array.npy")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.npz")


def test_a_pickled_object_is_never_read(saved):
    rewrite(saved, mean=np.array([Hostile()], dtype=object))
    with pytest.raises(ValueError, match="pickled objects are never read"):
        load(saved)


def member(header: dict, data: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + data


@pytest.mark.parametrize("shape", [(10**12, 3), (-1, 3), (4, 4)])
def test_a_header_that_lies_about_its_size_is_refused(saved, shape):
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["mean.npy"] = member({"descr": "<f4", "fortran_order": False, "shape": shape}, bytes(48))
    with zipfile.ZipFile(saved, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ValueError, match="mean"):
        load(saved)


@pytest.mark.parametrize("header", [b"{'descr': (", b"  1\n 2", b"(" * 500])
def test_a_header_that_is_no_dictionary_is_refused(saved, header):
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("mean.npy", data)
    with pytest.raises(ValueError, match=f"{saved.name} is not a face model"):
        load(saved)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mean": None}, "lacks mean"),
        ({"metadata": None, "uv": None}, "lacks metadata, uv"),
        ({"mean": np.zeros((5, 3), np.float32)}, "must have shape"),
        ({"mean": np.full((4, 3), np.nan, np.float32)}, "`mean` must be finite"),
        ({"triangles": np.full((4, 3), 9, np.int32)}, "`triangles`"),
        ({"mean": np.array(["text"] * 4)}, "must be numeric"),
        ({"metadata": np.frombuffer(b"{", np.uint8)}, "not a face model"),
        ({"metadata": np.frombuffer(b"\xff\xfe", np.uint8)}, "not a face model"),
        ({"metadata": np.frombuffer(b'{"format": "other"}', np.uint8)}, FORMAT),
        ({"metadata": np.frombuffer(json.dumps({"format": FORMAT}).encode(), np.uint8)}, "'name'"),
        ({"landmarks/basel/barycentrics": None}, "barycentrics"),
        ({"landmarks/basel/triangles": np.full(68, 7, np.int32)}, "basel"),
    ],
)
def test_wrong_content_is_refused_with_its_reason(saved, changes, words):
    rewrite(saved, **changes)
    with pytest.raises(ValueError, match=words) as caught:
        load(saved)
    assert saved.name in str(caught.value)
