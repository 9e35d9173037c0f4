"""Manifests of label files that come in other forms: NumPy archives beside a folder of crops, and AFLW2000-3D's `.mat`."""

import csv
import io
import json
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from components import records
from components.photo_example_gen.labels import LabelError
from components.photo_example_gen.photo_file import readable
from components.photo_example_gen.readers.aflw2000 import Aflw2000Reader
from components.photo_example_gen.readers.manifest_row import FIELDS, NO_POINT

_UNWRITABLE: Final = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of what breaks a line or a file of UTF-8: control characters, surrogates, separators of lines."""

ARCHIVE: Final = "labels.npz"
IMAGES: Final = "img"

AFLW_TO_IBUG68: Final[tuple[int, ...]] = (
    *(17, 19, 21, 22, 24, 26),  # brows: left corner, centre, right corner of each
    *(36, -1, 39, 42, -1, 45),  # eyes: left corner, centre, right corner of each
    *(-1, -1, 30, -1, -1),  # left ear, left of the nose, its tip, right of the nose, right ear
    *(48, -1, 54, 8),  # mouth: left corner, centre, right corner; chin
)
"""AFLW's point `i` (0-based, left is the image's) is iBUG landmark `AFLW_TO_IBUG68[i]`; -1 where no landmark coincides. The sides
of AFLW's nose are its wings, which lie 3 % of the box outwards of the base's ends 31 and 35."""

Row = dict[str, Any]


def write_manifest(
    kind: str, folder: Path, out: Path, landmark_set: str | None = None
) -> tuple[int, list[tuple[str, str]]]:
    """Writes a manifest whose paths are relative to its own folder.

    Args:
        kind: One of `KINDS`.
        folder: With the labels and the photos.
        out: The manifest; `.csv` is written as CSV, anything else as JSON lines. Its folder is made.
        landmark_set: What the points mean, instead of what the kind's usually do.

    Returns:
        Number of rows, and name and reason of every photo that was left out.

    Raises:
        OSError: If a file cannot be read or written.
        ValueError: If the labels are not as the kind has them.
    """
    rows, problems, as_csv = [], [], out.suffix.lower() == ".csv"
    place = out.parent.resolve()  # `..` of a linked folder leads away from where it lies
    for item in KINDS[kind](folder):
        if isinstance(item, tuple):
            problems.append(item)
            continue
        item["path"] = Path(os.path.relpath(folder.resolve() / item["path"], place)).as_posix()
        if as_csv and any(unicodedata.category(letter) in _UNWRITABLE for letter in item["path"]):
            problems.append((readable(item["path"]), "a CSV file cannot hold such a name; JSON lines can"))
            continue
        if landmark_set is not None and "landmark_set" in item:
            item["landmark_set"] = landmark_set
        rows.append(item)
    if not rows:
        raise ValueError(f"{folder} holds no labels that can be used.")
    text = _csv(rows) if as_csv else "".join(json.dumps(row) + "\n" for row in rows)
    records.write_file(str(place), str(out), text.encode())
    return len(rows), problems


def p1_rows(folder: Path) -> Iterator[Row]:
    """Of `labels.npz` with `names [N]`, `pts68_crop [N, 68, 2]` and `identity [N]`.

    Their points are called `basel`: machine-made, they lie nearer to that set (mean head, free pose, every eighth photo: 2.52 %
    against 2.59 below 15° of yaw, 2.58 against 2.64 below 30°; few are beyond).
    """
    arrays = _arrays(folder, {"names": ("U", ()), "pts68_crop": ("f", (68, 2)), "identity": ("U", ())})
    for name, points, identity in zip(arrays["names"], arrays["pts68_crop"], arrays["identity"], strict=True):
        landmarks = _rounded(points)
        yield {
            "path": f"{IMAGES}/{name}",
            "identity": str(identity),
            "landmark_set": "basel",
            "landmarks": landmarks,
        }


def aflw_rows(folder: Path) -> Iterator[Row]:
    """Of `labels.npz` with `names [N]`, `pts21_crop [N, 21, 2]`, `visible [N, 21]` and `yaw_deg [N]` (nose to the left positive).

    AFLW has no points where something hides them; the others can be seen.
    """
    wanted = {"names": ("U", ()), "pts21_crop": ("f", (21, 2)), "visible": ("b", (21,)), "yaw_deg": ("f", ())}
    arrays = _arrays(folder, wanted)
    for name, points, visible, yaw in zip(*(arrays[key] for key in wanted), strict=True):
        yield {
            "path": f"{IMAGES}/{name}",
            "landmark_set": "outline",
            "landmarks": [point if seen else None for point, seen in zip(_rounded(points), visible, strict=True)],
            "landmark_map": list(AFLW_TO_IBUG68),
            "visible": [int(seen) for seen in visible],
            "pose": [round(-float(yaw), 3), None, None],
        }


def aflw2000_rows(folder: Path) -> Iterator[Row | tuple[str, str]]:
    """Of `.mat` files beside photos: landmarks and pose, in the contract's conventions."""
    reader = Aflw2000Reader(str(folder))
    for photo in reader.find():
        try:
            if photo.problem is not None:
                raise LabelError(*photo.problem)
            labels = reader.labels(photo, 0)
        except LabelError as error:
            yield photo.id, str(error)
            continue
        row: Row = {"path": photo.path, "landmark_set": labels.landmark_set}
        if labels.points is not None and labels.euler is not None:
            row |= {"landmarks": _rounded(labels.points), "pose": [round(float(angle), 4) for angle in labels.euler]}
        yield row


KINDS: Final[Mapping[str, Callable[[Path], Iterator[Any]]]] = {
    "p1": p1_rows,
    "aflw": aflw_rows,
    "aflw2000": aflw2000_rows,
}
"""Name of each form of labels to what reads its rows; paths are relative to the folder."""


def _arrays(folder: Path, wanted: Mapping[str, tuple[str, tuple[int, ...]]]) -> dict[str, np.ndarray]:
    """Arrays of an archive by name, each of a kind of numbers and `[N, …]`."""
    path = folder / ARCHIVE
    if not path.is_file():
        raise FileNotFoundError(f"There is no {path}")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            found = {name: archive[name] for name in wanted if name in archive.files}
    except Exception as error:  # zipfile and NumPy raise nearly anything on damaged files
        raise ValueError(f"{path} cannot be read: {error}") from error
    count = len(found["names"]) if "names" in found and found["names"].ndim else 0
    for name, (kind, shape) in wanted.items():
        if name not in found or found[name].dtype.kind != kind or found[name].shape != (count, *shape):
            got = f"{found[name].dtype} {list(found[name].shape)}" if name in found else "nothing"
            raise ValueError(f"{path} must hold `{name}` of kind {kind!r}, [{count}, {list(shape)}]. Received: {got}")
        if kind == "f" and not np.isfinite(found[name]).all():
            raise ValueError(f"{path}: `{name}` must be finite. It holds NaN or infinity.")
    return found


def _rounded(points: np.ndarray) -> list[list[float]]:
    """To a thousandth of a pixel, for files that people read."""
    return [[round(float(x), 3), round(float(y), 3)] for x, y in points]


def _csv(rows: list[Row]) -> str:
    columns = [name for name in FIELDS if any(name in row for row in rows)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_cell(row.get(name)) for name in columns] for row in rows])
    return text.getvalue()


def _cell(value: Any) -> str:
    """Numbers with spaces between, pairs flattened."""
    if not isinstance(value, list):
        return "" if value is None else str(value)
    nested = any(isinstance(item, list) for item in value)
    flat = [number for item in value for number in (item or [None, None])] if nested else value
    return " ".join(NO_POINT if number is None else str(number) for number in flat)
