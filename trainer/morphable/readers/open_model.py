"""Any face model that can be read, by what its path is."""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from trainer.morphable import io
from trainer.morphable.landmark_transfer import Known
from trainer.morphable.model import MorphableModel
from trainer.morphable.readers import basel_2009, basel_h5, basel_landmarks, ict_facekit
from trainer.morphable.readers.source_model import SourceModel, finish

Reader = Callable[[Path, Mapping[str, Known]], SourceModel]

BASEL_H5: Final = (".h5", ".hdf5")
MATLAB: Final = ".mat"
NATIVE: Final = ".npz"

_PIECE: Final = 1 << 20


def open_model(
    path: str | os.PathLike[str],
    landmark_tables: str | os.PathLike[str] | None = None,
    sha256: str | None = None,
) -> MorphableModel:
    """Reads a face model: the native `.npz`, Basel 2009 `.mat`, Basel 2017 and 2019 `.h5`, or an ICT-FaceKit folder.

    Whatever the format, what comes out is in millimetres and in the model frame, with both landmark sets; see the reader of
    the format for how it is converted and `trainer.morphable.readers.source_model` for what is filled in. `provenance` tells
    the files with their hashes.

    Args:
        path: File or folder.
        landmark_tables: A table of landmark vertices (see `basel_landmarks.read_table`) that precedes the file's own. Not for
            the native format, which has its landmarks.
        sha256: The hash that the model must have: either the model's (`MorphableModel.sha256`), or that of its files
            (`source_digest`). None does not check.

    Returns:
        The model.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: If it is no face model, cannot be read, or is not the one that `sha256` pins. The message names the file.
    """
    path = Path(path)
    listed = model_files(path)
    digest = source_digest(path)
    if listed == [path] and path.suffix == NATIVE:
        if landmark_tables is not None:
            raise ValueError(f"`landmark_tables` is not for the native format: {path} has its landmarks")
        model = io.load(path)
    else:
        model = _convert(path, listed, digest, landmark_tables)
    if sha256 is not None and sha256.lower() not in (model.sha256, digest):
        raise ValueError(
            f"{path} is not the face model that is pinned: `sha256` is {sha256}, the model's is {model.sha256} and that of "
            f"its files {digest}"
        )
    return model


def model_files(path: str | os.PathLike[str]) -> list[Path]:
    """Files that are read for a model, in a fixed order.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: If it is nothing that can be read.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no face model at {path}")
    if path.is_dir():
        if any((path / name).is_file() for name in (basel_2009.PUBLIC, basel_2009.TRIMMED)):
            return basel_2009.files(path)
        return ict_facekit.files(path)
    if path.suffix == MATLAB:
        return basel_2009.files(path)
    if path.suffix in (*BASEL_H5, NATIVE):
        return [path]
    raise ValueError(
        f"{path} is no face model that can be read: it must be a folder or end in {NATIVE}, {MATLAB} or {BASEL_H5[0]}"
    )


def source_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a model's files: of the file itself where there is one, else of the list of names and hashes.

    Raises:
        FileNotFoundError: If there is no such file or folder, or one of its files is missing.
        ValueError: If it is nothing that can be read.
    """
    hashes = {file.name: _hash(file) for file in model_files(path)}
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    lines = "".join(f"{value}  {name}\n" for name, value in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _convert(
    path: Path, listed: list[Path], digest: str, landmark_tables: str | os.PathLike[str] | None
) -> MorphableModel:
    known: Mapping[str, Known] = {} if landmark_tables is None else dict(basel_landmarks.read_table(landmark_tables))
    reader: Reader = ict_facekit.read
    if listed[0].suffix == MATLAB:
        reader = basel_2009.read
    elif path.suffix in BASEL_H5:
        reader = basel_h5.read
    try:
        model = finish(reader(path, known))
    except ValueError as error:
        text = str(error)
        raise ValueError(text if str(path) in text else f"{path} cannot be read as a face model: {text}") from error
    names = [file.name for file in listed]
    source = {"files": names if len(names) < 10 else [*names[:3], f"and {len(names) - 3} more"], "files sha256": digest}
    return dataclasses.replace(model, provenance={"source": source, **model.provenance})


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
