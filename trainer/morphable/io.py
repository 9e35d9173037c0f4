"""Native file of a face model: one compressed `.npz` without pickle.

Members are the arrays of `MorphableModel`; `landmarks/<set>/triangles`, `landmarks/<set>/barycentrics` and
`regions/<name>` those of its mappings; `metadata` is UTF-8 JSON as bytes: format, name, licence, expression names and
provenance. Saving loses nothing: a float array is stored as float16 only where every value survives it.
"""

import json
import math
import os
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainer.morphable.model import ARRAY_FIELDS, LandmarkSet, MorphableModel

FORMAT = "monoface-morphable-model/1"
"""Value of `format` in a file's metadata."""

MAX_BYTES = 2 << 30
"""Files that claim to unpack to more than this are refused before they are read."""

_METADATA = "metadata"
_LANDMARKS = "landmarks"
_REGIONS = "regions"


def save(model: MorphableModel, path: str | os.PathLike[str]) -> None:
    """Writes a model, atomically: a killed save leaves the old file or none. The same model gives the same bytes.

    Args:
        model: What to write.
        path: Target, usually `*.npz`; its folder must exist.
    """
    path = Path(path)
    metadata = {
        "format": FORMAT,
        "name": model.name,
        "licence": model.licence,
        "expression_names": list(model.expression_names),
        "provenance": dict(model.provenance),
    }
    members = {_METADATA: np.frombuffer(json.dumps(metadata, sort_keys=True).encode(), np.uint8)}
    members |= {field: compact(getattr(model, field)) for field in ARRAY_FIELDS}
    for key, points in sorted(model.landmarks.items()):
        members[f"{_LANDMARKS}/{key}/triangles"] = points.triangles
        members[f"{_LANDMARKS}/{key}/barycentrics"] = points.barycentrics
    members |= {f"{_REGIONS}/{key}": compact(value) for key, value in sorted(model.regions.items())}
    write_arrays(members, path)


def write_arrays(members: Mapping[str, np.ndarray], path: Path) -> None:
    """Writes arrays as a compressed `.npz`, atomically; the same arrays give the same bytes."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **members)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> MorphableModel:
    """Reads a model.

    Args:
        path: A file that `save` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not such a model: not a zip, truncated, damaged, a pickled object inside, an array
            missing, of a wrong shape, with NaN or with indices out of range. The message names the file and the reason.
    """
    path = Path(path)
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                arrays = read_arrays(archive)
            return _model(arrays)
        except Exception as error:  # zipfile, decompressors and NumPy raise nearly anything on damaged files
            raise ValueError(f"{path} is not a face model that can be read: {error}") from error


def compact(array: np.ndarray) -> np.ndarray:
    """The array as float16 where that is exact, else as it is."""
    if array.dtype != np.float32:
        return array
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), array) else array


def read_arrays(archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """Every array of an archive, by its name, after checking what it claims; no pickled object is ever read.

    Raises:
        ValueError: If a member is not an array of numbers, is damaged, or all together are too big.
    """
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES:
        raise ValueError(f"it unpacks to {total} bytes, more than {MAX_BYTES}")
    arrays = {}
    for member in members:
        with archive.open(member) as file:
            arrays[member.filename.removesuffix(".npy")] = _read_array(file, member)
    return arrays


def _read_array(file: Any, member: zipfile.ZipInfo) -> np.ndarray:
    """One `.npy` member. The size is checked before memory is taken, and objects are refused before they are built."""
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"member {member.filename} has an unknown array version {version}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        shape, fortran, dtype = readers[version](file)
    if dtype.kind not in "fiu":
        raise ValueError(f"member {member.filename} must be numeric; it is {dtype}, and pickled objects are never read")
    size = math.prod(shape) * dtype.itemsize
    if fortran or min(shape, default=0) < 0 or size > member.file_size:
        raise ValueError(f"member {member.filename} claims shape {shape} in {member.file_size} bytes")
    data = file.read()
    if len(data) != size:
        raise ValueError(f"member {member.filename} holds {len(data)} bytes instead of {size}")
    return np.frombuffer(data, dtype).reshape(shape)


def _model(arrays: dict[str, np.ndarray]) -> MorphableModel:
    """The model that these members describe."""
    missing = [name for name in (_METADATA, *ARRAY_FIELDS) if name not in arrays]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    metadata = json.loads(arrays[_METADATA].tobytes().decode())
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ValueError(f"its metadata does not say the format {FORMAT!r}")
    wanted = {"name": str, "licence": str, "expression_names": list, "provenance": dict}
    for key, kind in wanted.items():
        if not isinstance(metadata.get(key), kind):
            raise ValueError(f"its metadata's {key!r} must be of type {kind.__name__}")
    names = sorted({key.split("/")[1] for key in arrays if key.startswith(f"{_LANDMARKS}/") and key.count("/") == 2})
    return MorphableModel(
        name=metadata["name"],
        licence=metadata["licence"],
        expression_names=tuple(map(str, metadata["expression_names"])),
        provenance=metadata["provenance"],
        landmarks={
            key: LandmarkSet(arrays[f"{_LANDMARKS}/{key}/triangles"], arrays[f"{_LANDMARKS}/{key}/barycentrics"])
            for key in names
        },
        regions={key.split("/", 1)[1]: arrays[key] for key in arrays if key.startswith(f"{_REGIONS}/")},
        **{field: arrays[field] for field in ARRAY_FIELDS},
    )
