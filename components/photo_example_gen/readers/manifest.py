"""A manifest: CSV with a header, or JSON lines, one row a face. `docs/photos.md` has its fields.

One row is one line: a broken one costs nothing but itself. Paths are relative to the manifest's folder; absolute ones and those
that lead upwards are read too, for the manifest is the user's own file.
"""

import csv
import difflib
import json
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from components.photo_example_gen.config import MANIFEST
from components.photo_example_gen.labels import LabelError, Labels
from components.photo_example_gen.photo_file import PhotoFile, Problem, Row
from components.photo_example_gen.readers import manifest_row
from components.photo_example_gen.readers.manifest_row import FIELDS, NOTE, PATH
from components.photo_example_gen.readers.reader import PhotoReader, digest
from components.records import SPLITS

MAX_ROW_BYTES: Final = 1 << 20
"""Longer lines are refused; 68 points take two kilobytes."""

JSON_SUFFIXES: Final = frozenset({".jsonl", ".ndjson", ".json"})


class _Line(NamedTuple):
    row: Row
    content: bytes | None
    """None where it is too long."""


class ManifestReader(PhotoReader):
    """Photos that a manifest lists, with their labels."""

    kind = MANIFEST

    def __init__(self, source: str, first_pixel_center: float = 0.5):
        """Reads the header.

        Args:
            source: The manifest.
            first_pixel_center: What its points and boxes call the centre of the first pixel.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is no text, or its header or first row cannot be used; the message names the file.
        """
        super().__init__(source)
        self._center = first_pixel_center
        path = Path(source)
        if not path.exists():
            raise FileNotFoundError(f"`source` must be a folder of photos or a manifest. There is none at {source!r}")
        if not path.is_file():
            raise ValueError(f"`source` must be a file to be read as a manifest. Received: {source!r}")
        try:
            with path.open("rb") as file:
                self._columns = _columns(file, path.suffix.lower())
        except ValueError as error:
            raise ValueError(f"The manifest {source} cannot be used: {error}") from error

    @property
    def folder(self) -> Path:
        """The manifest's."""
        return Path(self.source).parent

    def find(self) -> list[PhotoFile]:
        """A photo a row, rows that cannot be used included.

        Raises:
            ValueError: If there is no row.
        """
        found, seen, faces = [], set(), dict[str, int]()
        for line in self._rows():
            photo, key = self._photo(line)
            if photo.problem is None:
                if (photo.path, key) in seen:
                    photo = self._refused(
                        line, Problem("duplicate", "The same photo with the same labels is listed before.")
                    )
                else:
                    seen.add((photo.path, key))
                    photo = _numbered(photo, faces)
            found.append(photo)
        if not found:
            raise ValueError(f"The manifest {self.source} cannot be used: it has no row.")
        return found

    def labels(self, photo: PhotoFile, height: int) -> Labels | None:
        """What the photo's row says."""
        row = photo.row or Row(0, 0, 0)
        with Path(self.source).open("rb") as file:
            file.seek(row.offset)
            values = self._values(file.read(row.length))
        if posixpath.normpath(str(values.get(PATH))) != photo.path:
            raise LabelError("manifest_changed", f"Line {row.number} of the manifest is another than it was.")
        return manifest_row.labels_of(values, 0.5 - self._center)

    def label_path(self, photo: PhotoFile) -> str | None:
        """The manifest."""
        return Path(self.source).name

    def state(self, photos: Sequence[PhotoFile]) -> str:
        """As of every reader; a row that cannot be used is in the manifest anyway."""
        return digest(self.folder, [Path(self.source).name, *(photo.path for photo in photos if photo.problem is None)])

    def _rows(self) -> Iterator[_Line]:
        with Path(self.source).open("rb") as file:
            lines = _lines(file)
            if self._columns is not None:
                next(lines)
            yield from lines

    def _photo(self, line: _Line) -> tuple[PhotoFile, int]:
        """The row's photo, and a key of its labels."""
        if line.content is None:
            problem = Problem("row_too_long", f"A row may have {MAX_ROW_BYTES} bytes at most.")
            return self._refused(line, problem), 0
        try:
            values = self._values(line.content)
            path = posixpath.normpath(manifest_row.path_of(values))
            identity, moment, split = (manifest_row.text_of(values, name) for name in ("identity", "moment", "split"))
            if split is not None and split not in SPLITS:
                raise LabelError("unknown_split", f"`split` must be {' or '.join(SPLITS)}. Received: {split[:40]!r}")
        except LabelError as error:
            return self._refused(line, error.problem), 0
        key = hash((repr(values.get("box")), repr(values.get("landmarks"))))
        return PhotoFile(path, identity or "", moment or "", split, row=line.row), key

    def _values(self, content: bytes) -> dict[str, Any]:
        return manifest_row.values_of(content, self._columns)

    def _refused(self, line: _Line, problem: Problem) -> PhotoFile:
        name = f"{Path(self.source).name}:{line.row.number}"
        return PhotoFile(name, name, row=line.row, problem=problem)


def _numbered(photo: PhotoFile, faces: dict[str, int]) -> PhotoFile:
    """The photo with its number among the faces of one file, of which each is somebody else unless the manifest names them."""
    face = faces.get(photo.path, 0)
    faces[photo.path] = face + 1
    identity = photo.identity or photo.path + (f"#{face}" if face else "")
    return PhotoFile(photo.path, identity, photo.moment, photo.split, face, photo.row)


def _lines(file: BinaryIO) -> Iterator[_Line]:
    """Lines that are not empty."""
    number = 0
    while True:
        offset = file.tell()
        content = file.readline(MAX_ROW_BYTES + 1)
        if not content:
            return
        number += 1
        row = Row(number, offset, len(content))
        if len(content) <= MAX_ROW_BYTES:
            if content.strip():
                yield _Line(row, content)
            continue
        while not content.endswith(b"\n") and (content := file.readline(MAX_ROW_BYTES)):
            pass
        yield _Line(row, None)


def _columns(file: BinaryIO, suffix: str) -> tuple[str, ...] | None:
    """Columns of a CSV; None for JSON lines.

    Raises:
        ValueError: If there is no header that can be used.
    """
    first = next(_lines(file), None)
    if first is None:
        raise ValueError("it is empty.")
    if first.content is None:
        raise ValueError(f"its first line has more than {MAX_ROW_BYTES} bytes.")
    try:
        text = first.content.decode("utf-8").removeprefix("\ufeff").strip()
    except UnicodeDecodeError as error:
        raise ValueError("it must be UTF-8 text.") from error
    if "\0" in text:
        raise ValueError("it must be UTF-8 text. It holds zero bytes.")
    if suffix in JSON_SUFFIXES or (suffix != ".csv" and text.startswith("{")):
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"it must hold one JSON object a line: line {first.row.number}: {error}") from error
        if not isinstance(values, dict):
            raise ValueError(f"it must hold one JSON object a line. Received: {text[:40]!r}")
        _check_columns(list(values))
        return None
    try:
        columns = [name.strip() for name in next(csv.reader([text], strict=True))]
    except csv.Error as error:
        raise ValueError(f"its header is no CSV: {error}") from error
    _check_columns(columns)
    return tuple(columns)


def _check_columns(columns: list[str]) -> None:
    for name in columns:
        if name not in FIELDS and not name.startswith(NOTE):
            close = difflib.get_close_matches(name, FIELDS, n=1)
            hint = f" Did you mean `{close[0]}`?" if close else f" Known: {', '.join(FIELDS)}."
            raise ValueError(f"there is no field `{name[:40]}`.{hint} Names of notes of your own begin with {NOTE}.")
    if PATH not in columns:
        raise ValueError(f"its header must name `{PATH}`. Received: {', '.join(columns)[:200]}")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise ValueError(f"its header names {', '.join(twice)} more than once.")
