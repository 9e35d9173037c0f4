"""Numeric arrays of MATLAB files, version 5 to 7 and 7.3, from a file that may be damaged or hostile.

`scipy.io.loadmat` reads versions 5 to 7. It trusts sizes that a file claims, so those are checked first: every element must lie
within the file, and what is compressed is inflated once, piece by piece and kept nowhere, to know its true size. Cells,
structures and objects are never built. Version 7.3 is HDF5.
"""

import math
import os
import struct
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import scipy.io

from trainer.morphable.io import MAX_BYTES
from trainer.morphable.readers.hdf5_file import Hdf5File

_HEADER: Final = 128
_COMPRESSED: Final = 15
_MATRIX: Final = 14
_PIECE: Final = 1 << 20
_NUMERIC: Final = frozenset(
    ("double", "single", "logical", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
)


def read_mat(path: str | os.PathLike[str], names: Iterable[str], max_bytes: int | None = None) -> dict[str, np.ndarray]:
    """Reads those of the variables that the file has.

    Args:
        path: A MATLAB file.
        names: Variables wanted.
        max_bytes: What the file, unpacked, and each variable wanted may take; None is `MAX_BYTES`.

    Returns:
        Name to array as MATLAB shows it: two dimensions at least, a real number type. Variables that are missing are left out.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no MATLAB file, truncated or damaged, if a wanted variable is not a real array, or if it claims
            more than that. The message names the file.
    """
    path, most = Path(path), MAX_BYTES if max_bytes is None else max_bytes
    with path.open("rb") as file:
        header = file.read(_HEADER)
        try:
            if header.startswith(b"MATLAB 7.3 MAT-file") or header.startswith(b"\x89HDF\r\n\x1a\n"):
                return _read_hdf5(path, names, max_bytes)
            if len(header) < _HEADER or header[126:128] not in (b"IM", b"MI"):
                raise ValueError("it is not a MATLAB file of version 5 to 7.3")
            _check_elements(file, "<" if header[126:128] == b"IM" else ">", path.stat().st_size, most)
            return _read_version_5(file, names, most)
        except Exception as error:  # scipy, zlib and h5py raise nearly anything on damaged files
            raise ValueError(f"{path} cannot be read: {error}") from error


def _read_version_5(file: BinaryIO, names: Iterable[str], max_bytes: int) -> dict[str, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file.seek(0)
        claims = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(file)}
        wanted = [name for name in names if name in claims]
        for name in wanted:
            _check_claim(name, *claims[name], max_bytes)
        if not wanted:
            return {}
        file.seek(0)
        found = scipy.io.loadmat(file, variable_names=wanted, mat_dtype=False)
    return {name: _checked(name, found[name]) for name in wanted if name in found}


def _read_hdf5(path: Path, names: Iterable[str], max_bytes: int | None) -> dict[str, np.ndarray]:
    """MATLAB writes arrays column by column, so HDF5 shows them with their axes reversed."""
    with Hdf5File(path, max_bytes) as file:
        return {name: _checked(name, file.array(name).T) for name in names if file.has(name)}


def _check_claim(name: str, shape: tuple[int, ...], kind: str, max_bytes: int) -> None:
    if kind not in _NUMERIC:
        raise ValueError(f"variable {name!r} must be an array of numbers; it is of class {kind!r}, which is never read")
    if min(shape) < 0 or math.prod(shape) * 8 > max_bytes:
        raise ValueError(f"variable {name!r} claims shape {list(shape)}")


def _checked(name: str, array: Any) -> np.ndarray:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise ValueError(f"variable {name!r} must be a real array of numbers")
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


def _check_elements(file: BinaryIO, order: str, size: int, max_bytes: int) -> None:
    """Walks over the file's elements, or raises a ValueError: each must lie within the file and be as long as it says."""
    position, total = _HEADER, 0
    while position < size:
        file.seek(position)
        tag = file.read(8)
        if len(tag) < 8:
            raise ValueError(f"it ends within an element, at byte {size}")
        kind, length = struct.unpack(order + "II", tag)
        if kind not in (_COMPRESSED, _MATRIX):
            raise ValueError(f"the element at byte {position} is of the unknown kind {kind}")
        if length > size - position - 8:
            raise ValueError(f"the element at byte {position} claims {length} bytes of {size - position - 8}")
        total += _inflated(file, length, order, max_bytes - total) if kind == _COMPRESSED else length
        if total > max_bytes:
            raise ValueError(f"it holds more than {max_bytes} bytes")
        position += 8 + length


def _inflated(file: BinaryIO, length: int, order: str, limit: int) -> int:
    """Size of a compressed element, which must be as its own tag says."""
    inflater = zlib.decompressobj()
    total, claim, head = 0, 0, b""
    while length > 0 and not inflater.eof:
        data = file.read(min(length, _PIECE))
        length -= len(data)
        while data:
            piece = inflater.decompress(data, _PIECE)
            data = inflater.unconsumed_tail
            total += len(piece)
            if len(head) < 8:
                head += piece[:8]
                claim = struct.unpack(order + "II", head[:8])[1] + 8 if len(head) >= 8 else 0
            if total > limit:
                raise ValueError(f"it unpacks to more than the {limit} bytes that are left to it")
            if not piece and data:
                break
    if not inflater.eof or total != claim:
        raise ValueError(f"a compressed variable holds {total} bytes and claims {claim}")
    return total
