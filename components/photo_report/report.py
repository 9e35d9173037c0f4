"""Writes and reads the report's artifact: the page for people, the shifts for programs, and the traits for the next span."""

import dataclasses
import io
import json
import logging
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from apache_beam.io.filesystems import FileSystems

from components import records
from components.photo_report import page, shifts
from components.photo_report.config import PhotoReportConfig
from components.photo_report.shifts import Shift
from components.photo_report.traits import Table, read_traits

PAGE: Final = "report.html"
SHIFTS: Final = "shifts.json"
_TRAITS: Final = "traits.npz"
_BEFORE: Final = "before/"
_LOGGER: Final = logging.getLogger(__name__)


class Spans(NamedTuple):
    """What an earlier report keeps: the photos it was about and those before them."""

    source: str
    """Where the examples of its photos lie: tells one span from another."""
    photos: Table
    before: Table | None


def write_report(
    uri: str,
    source: str,
    photos: Sequence[str],
    renders: Sequence[str] | None,
    earlier: Spans | None,
    config: PhotoReportConfig,
) -> list[Shift]:
    """Compares photos and writes the report.

    Args:
        uri: Directory of the artifact.
        source: Where the photos' examples lie.
        photos: Directories of the photos' splits.
        renders: Directories of the rendered faces' splits; None leaves them out.
        earlier: What the last report keeps. If it was about the same photos, these are compared with those before them, so that
            a run that is repeated says the same.
        config: How many faces, and thresholds.

    Returns:
        What was found.

    Raises:
        FileNotFoundError: If there are no photos.
        ValueError: If a file is no TFRecord file of examples.
    """
    table = read_traits(photos, config.sample)
    before = None if earlier is None else earlier.before if earlier.source == source else earlier.photos
    rendered = None if renders is None else read_traits(renders, config.sample)
    found = shifts.find_shifts(table, before, rendered, config)
    named = {"photos": table, "photos before": before, "renders": rendered}
    shown = {name: values for name, values in named.items() if values is not None}
    _write(uri, PAGE, page.page(shown, found).encode())
    _write(uri, SHIFTS, (json.dumps([dataclasses.asdict(shift) for shift in found], indent=2) + "\n").encode())
    _write(uri, _TRAITS, _packed(Spans(source, table, before)))
    return found


def read_shifts(uri: str) -> list[Shift]:
    """What a report found.

    Raises:
        OSError: If the file is not there.
    """
    with FileSystems.open(FileSystems.join(uri, SHIFTS)) as stream:
        return [Shift(**values) for values in json.loads(stream.read())]


def read_spans(uri: str) -> Spans | None:
    """What a report keeps for the next one; None, with a warning in the log, if its files are gone or damaged."""
    try:
        with FileSystems.open(FileSystems.join(uri, _TRAITS)) as stream:
            content = np.load(io.BytesIO(stream.read()), allow_pickle=False)
            arrays = {name: content[name] for name in content.files}
        source = str(arrays.pop("source"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        _LOGGER.warning("The report before, in %s, cannot be read, so no drift is told: %s", uri, error)
        return None
    before = {name.removeprefix(_BEFORE): array for name, array in arrays.items() if name.startswith(_BEFORE)}
    photos = {name: array for name, array in arrays.items() if not name.startswith(_BEFORE)}
    return Spans(source, photos, before or None)


def _packed(spans: Spans) -> bytes:
    arrays: dict[str, Any] = {"source": np.array(spans.source), **spans.photos}
    arrays |= {_BEFORE + name: values for name, values in (spans.before or {}).items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _write(uri: str, name: str, content: bytes) -> None:
    records.write_file(uri, FileSystems.join(uri, name), content)
