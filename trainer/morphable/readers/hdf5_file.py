"""Arrays and text of HDF5 files that may be damaged or hostile: nothing outside the file is ever opened."""

import math
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import h5py
import numpy as np

from trainer.morphable.io import MAX_BYTES

MAX_RATIO: Final = 1100
"""A data set may be this many times larger than its bytes in the file: the most that deflate can do."""

MAX_TEXT: Final = 8 << 20
"""Longest text, bytes."""

MAX_DEPTH: Final = 16


class Hdf5File:
    """A context that reads checked arrays.

    Links to other files, data stored in other files, virtual data sets, soft links and types that are not numbers are
    refused: a path in a hostile file leads nowhere.
    """

    def __init__(self, path: str | os.PathLike[str], max_bytes: int | None = None) -> None:
        """Remembers the path, and how much may be read in all (None is `MAX_BYTES`); `with` opens it."""
        self._path = Path(path)
        self._max_bytes = MAX_BYTES if max_bytes is None else max_bytes
        self._file: Any = None
        self._read = 0

    def __enter__(self) -> "Hdf5File":
        """Opens the file.

        Raises:
            OSError: If it is no HDF5 file.
        """
        self._file = h5py.File(self._path, "r")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the file."""
        self._file.close()

    def has(self, name: str) -> bool:
        """Whether there is something of this name."""
        return self._find(name) is not None

    def array(self, name: str, finite: bool = True) -> np.ndarray:
        """Reads an array of numbers.

        Args:
            name: Path inside the file.
            finite: Whether NaN and infinity are refused.

        Returns:
            The whole array.

        Raises:
            ValueError: If it is missing, no array of numbers, stored elsewhere, larger than what the file can hold, larger
                than it may be together with what was read before, or not finite.
        """
        dataset = self._dataset(name)
        if dataset.dtype.kind not in "fiu":
            raise ValueError(f"{name} must be numbers; it is of type {dataset.dtype}")
        size = math.prod(dataset.shape) * dataset.dtype.itemsize
        self._check_size(name, dataset, size)
        array = np.asarray(dataset[()])
        if finite and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinity")
        return array

    def text(self, name: str) -> str:
        """Reads a text: a string, or bytes in an array of whatever shape.

        Raises:
            ValueError: If it is missing, of another type, longer than `MAX_TEXT`, or not UTF-8.
        """
        dataset = self._dataset(name)
        if math.prod(dataset.shape) * max(dataset.dtype.itemsize, 1) > MAX_TEXT:
            raise ValueError(f"{name} is longer than {MAX_TEXT} bytes")
        string = h5py.check_string_dtype(dataset.dtype)
        if string is not None and string.length is None and math.prod(dataset.shape) > 1:
            # Each element is a reference; a hostile file points all of them to one long text.
            raise ValueError(f"{name} must be one string; it is {math.prod(dataset.shape)} of them")
        if string is None and dataset.dtype.kind not in "iu":
            raise ValueError(f"{name} must be text; it is of type {dataset.dtype}")
        value = dataset[()]
        if string is not None:
            pieces = [value] if isinstance(value, bytes) else list(np.ravel(value))
            content = b"".join(piece if isinstance(piece, bytes) else str(piece).encode() for piece in pieces)
        else:
            content = np.asarray(value).astype(np.uint8).tobytes()
        if len(content) > MAX_TEXT:
            raise ValueError(f"{name} is longer than {MAX_TEXT} bytes")
        try:
            return content.rstrip(b"\0").decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"{name} is not UTF-8 text") from error

    def _dataset(self, name: str) -> Any:
        found = self._find(name)
        if found is None:
            raise ValueError(f"it lacks {name}")
        if not isinstance(found, h5py.Dataset):
            raise ValueError(f"{name} must be a data set; it is a group")
        if found.is_virtual or found.external:
            raise ValueError(f"{name} is stored in another file, which is never opened")
        if found.shape is None:
            raise ValueError(f"{name} is empty")
        return found

    def _check_size(self, name: str, dataset: Any, size: int) -> None:
        stored = dataset.id.get_storage_size()
        if size > stored * MAX_RATIO:
            raise ValueError(
                f"{name} claims {size} bytes (shape {list(dataset.shape)}); the file holds {stored} of them"
            )
        self._read += size
        if self._read > self._max_bytes:
            raise ValueError(f"it unpacks to more than {self._max_bytes} bytes")

    def _find(self, name: str) -> Any:
        """The object at a path whose links all are plain, or None where it is not there."""
        at: Any = self._file
        parts = name.strip("/").split("/")
        if len(parts) > MAX_DEPTH:
            raise ValueError(f"{name} lies too deep")
        for part in parts:
            if not isinstance(at, h5py.Group):
                return None
            link = at.get(part, getlink=True)
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                raise ValueError(f"{name} is a link, which is never followed")
            at = at[part]
        return at
