"""MATLAB files as MATLAB and SciPy write them, and what a broken or malicious one gets."""

import resource
import struct
import zlib

import numpy as np
import pytest
import scipy.io
import source_files

from trainer.morphable.readers.mat_file import read_mat

VALUES = np.arange(12, dtype=np.float32).reshape(4, 3) - 5
HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data


def matrix(name, shape, values, matlab_class=6, claim=None):
    """A miMATRIX element with the subelements that the format asks for."""
    padded = name.encode().ljust(-(-len(name) // 8) * 8, b"\0")
    dimensions = struct.pack(f"<{len(shape)}i", *shape)
    body = element(6, struct.pack("<II", matlab_class, 0))
    body += element(5, dimensions + b"\0" * (-len(dimensions) % 8))[:4] + struct.pack("<I", len(dimensions))
    body += dimensions + b"\0" * (-len(dimensions) % 8)
    body += struct.pack("<II", 1, len(name)) + padded
    body += struct.pack("<II", 9, len(values) if claim is None else claim) + values
    return element(14, body)


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_come_as_matlab_shows_them(tmp_path, compressed):
    variables = {"values": VALUES, "flag": np.array([[True, False]]), "column": np.arange(5.0)[:, None], "text": "no"}
    path = source_files.save_mat(tmp_path / "a.mat", variables, compressed)
    read = read_mat(path, ("values", "flag", "column", "absent"))
    assert sorted(read) == ["column", "flag", "values"]
    np.testing.assert_array_equal(read["values"], VALUES)
    np.testing.assert_array_equal(read["flag"], [[1, 0]])
    assert read["column"].shape == (5, 1)


def test_version_7_3_gives_the_same_as_version_5(tmp_path):
    new = read_mat(source_files.save_mat_73(tmp_path / "new.mat", {"values": VALUES}), ("values", "absent"))
    old = read_mat(source_files.save_mat(tmp_path / "old.mat", {"values": VALUES}), ("values",))
    assert list(new) == ["values"]
    np.testing.assert_array_equal(new["values"], old["values"])


def test_the_hand_made_element_is_what_the_format_says(tmp_path):
    """So that what is refused below is refused for its fault."""
    path = tmp_path / "a.mat"
    path.write_bytes(HEADER + matrix("values", (2, 1), struct.pack("<2d", 1, 2)))
    np.testing.assert_array_equal(read_mat(path, ("values",))["values"], [[1], [2]])


@pytest.mark.parametrize("version", ["5", "5 plain", "7.3"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.95])
def test_truncated_files_are_refused_by_name(tmp_path, version, kept):
    noise = {"values": np.random.default_rng(0).normal(size=(300, 20))}
    path = tmp_path / "cut.mat"
    if version == "7.3":
        source_files.save_mat_73(path, noise)
    else:
        source_files.save_mat(path, noise, version == "5")
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"cut\.mat cannot be read"):
        read_mat(path, ("values",))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04" * 100, "not a MATLAB file"),
        (HEADER + struct.pack("<II", 14, 1 << 31), "claims 2147483648 bytes"),
        (HEADER + struct.pack("<II", 77, 0), "unknown kind 77"),
        (HEADER + matrix("values", (-4, 3), b"\0" * 96), "claims shape"),
        (HEADER + matrix("values", (1 << 30, 1 << 20), b"\0" * 96), "claims shape"),
        (HEADER + matrix("values", (4, 3), b"\0" * 96, claim=1 << 31), "cut.mat cannot be read"),
        (HEADER + matrix("values", (400, 3), b"\0" * 96), "cut.mat cannot be read"),
        (HEADER + element(15, b"not zlib"), "cut.mat cannot be read"),
        (
            HEADER + element(15, zlib.compress(struct.pack("<II", 14, 1 << 30) + b"\0" * 64)),
            "holds 72 bytes and claims",
        ),
    ],
)
def test_hostile_files_are_refused(tmp_path, content, reason):
    path = tmp_path / "cut.mat"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_mat(path, ("values",))


def test_cells_structures_and_objects_are_never_built(tmp_path):
    for value in (np.array([1, "two"], object), {"field": 1}):
        scipy.io.savemat(tmp_path / "a.mat", {"values": value})
        with pytest.raises(ValueError, match="which is never read"):
            read_mat(tmp_path / "a.mat", ("values",))
    scipy.io.savemat(tmp_path / "complex.mat", {"values": np.array([[1j]])})
    with pytest.raises(ValueError, match=r"complex\.mat.*real array"):
        read_mat(tmp_path / "complex.mat", ("values",))


def test_a_compression_bomb_is_refused_before_memory_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("trainer.morphable.readers.mat_file.MAX_BYTES", 1 << 24)
    packer = zlib.compressobj(9)
    zeros = b"\0" * (1 << 20)
    size = 300 << 20
    packed = packer.compress(struct.pack("<II", 14, size)) + b"".join(packer.compress(zeros) for _ in range(300))
    path = tmp_path / "bomb.mat"
    path.write_bytes(HEADER + element(15, packed + packer.flush()))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=r"bomb\.mat.*unpacks to more than"):
        read_mat(path, ("values",))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
