"""HDF5: arrays and text, and files that point elsewhere or claim what they do not hold."""

import h5py
import numpy as np
import pytest

from trainer.morphable.readers.hdf5_file import Hdf5File


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.h5"


def write(path, fill):
    with h5py.File(path, "w") as file:
        fill(file)
    return Hdf5File(path)


def test_arrays_and_texts_of_every_writer(path):
    def fill(file):
        file["group/array"] = np.arange(6).reshape(2, 3)
        file.create_dataset("packed", data=np.ones((100, 100)), compression="gzip")
        file["string"] = "naïve"
        file["bytes"] = np.frombuffer("naïve".encode(), np.uint8)
        file["signed"] = np.frombuffer("naïve".encode(), np.int8)
        file["fixed"] = np.array([b"plain"], "S8")

    with write(path, fill) as file:
        np.testing.assert_array_equal(file.array("group/array"), [[0, 1, 2], [3, 4, 5]])
        assert file.array("packed").sum() == 10_000
        assert [file.text(name) for name in ("string", "bytes", "signed", "fixed")] == ["naïve"] * 3 + ["plain"]
        assert file.has("group")
        assert not file.has("group/array/deeper")
        assert not file.has("nothing")


@pytest.mark.parametrize(
    ("fill", "reason"),
    [
        (lambda file: None, "lacks data"),
        (lambda file: file.create_group("data"), "it is a group"),
        (lambda file: file.__setitem__("data", h5py.ExternalLink("other.h5", "/data")), "never followed"),
        (lambda file: file.__setitem__("data", h5py.SoftLink("/other")), "never followed"),
        (
            lambda file: file.create_dataset("data", (4,), "f4", external=[("/etc/passwd", 0, 16)]),
            "stored in another file",
        ),
        (
            lambda file: file.create_virtual_dataset("data", h5py.VirtualLayout((4,), "f4")),
            "stored in another file",
        ),
        (lambda file: file.create_dataset("data", (1 << 40,), "f4"), "claims 4398046511104 bytes"),
        (lambda file: file.create_dataset("data", (1 << 20,), "f4", chunks=(1024,)), "claims 4194304 bytes"),
        (lambda file: file.__setitem__("data", np.array([1.0, np.nan])), "NaN"),
        (lambda file: file.__setitem__("data", np.array([1j])), "must be numbers"),
        (lambda file: file.__setitem__("data", "text"), "must be numbers"),
        (lambda file: file.__setitem__("data", h5py.Empty("f4")), "is empty"),
        (
            lambda file: file.create_dataset("data", data=np.array([file.ref], h5py.ref_dtype)),
            "must be numbers",
        ),
    ],
)
def test_what_is_no_array_of_this_file_is_refused(path, fill, reason):
    with write(path, fill) as file, pytest.raises(ValueError, match=reason):
        file.array("data")


def test_texts_have_limits(path, monkeypatch):
    monkeypatch.setattr("trainer.morphable.readers.hdf5_file.MAX_TEXT", 100)

    def fill(file):
        file["long"] = "x" * 101
        file["wide"] = np.zeros(101, np.uint8)
        file["wrong"] = np.zeros(3)
        file["latin"] = np.frombuffer("naïve".encode("latin-1"), np.uint8)

    with write(path, fill) as file:
        for name, reason in {"long": "longer", "wide": "longer", "wrong": "must be text", "latin": "UTF-8"}.items():
            with pytest.raises(ValueError, match=reason):
                file.text(name)


def test_many_strings_of_unknown_length_are_refused(tmp_path):
    """Their elements may all refer to one long text: a file of 3 MB took 8 GB."""
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("text", data=["[]", "[]"], dtype=h5py.string_dtype())
    with Hdf5File(path) as file, pytest.raises(ValueError, match="text must be one string; it is 2"):
        file.text("text")
