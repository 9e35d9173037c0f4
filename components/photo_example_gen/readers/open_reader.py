"""The reader for a place: by name, or by what is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from components.photo_example_gen.config import AFLW2000, AUTO, FOLDER, MANIFEST, MULTIVIEW, PTS, PhotoConfig
from components.photo_example_gen.readers.aflw2000 import Aflw2000Reader
from components.photo_example_gen.readers.basel_scale import BaselScale, basel_scale
from components.photo_example_gen.readers.beside import PHOTO_SUFFIXES
from components.photo_example_gen.readers.folder import FolderReader, MultiviewReader, files_of
from components.photo_example_gen.readers.ibug_pts import PtsReader
from components.photo_example_gen.readers.manifest import ManifestReader
from components.photo_example_gen.readers.reader import PhotoReader

BESIDE: Final = {PTS: PtsReader.suffix, AFLW2000: Aflw2000Reader.suffix}
"""Readers of label files beside photos, and how those files end."""

LEAST_LABELLED: Final = 0.5
"""Share of a folder's photos that must have a label file beside them for it to be taken for a labelled set."""


def open_reader(
    source: str, config: PhotoConfig, morphable_model: str | None = None, sha256: str | None = None
) -> PhotoReader:
    """The reader that a configuration asks for.

    Args:
        source: Folder or manifest.
        config: `reader` says which; `auto` takes a file for a manifest, a folder where at least half of the photos have a
            `.pts` or `.mat` beside them for a set of that kind, and any other folder for photos without labels.
        morphable_model: Face model whose coefficients the examples are to carry: a path that `open_model` reads. Only
            Basel's of 2009 has any in these formats. None leaves coefficients out.
        sha256: Hash that the face model must have.

    Raises:
        OSError: If the source, or the face model, is missing or cannot be read.
        ValueError: If a manifest's header cannot be used, or the face model is not the one that is pinned.
    """
    kind = config.reader if config.reader != AUTO else kind_of(source)
    if kind == MANIFEST:
        return ManifestReader(source, config.first_pixel_center)
    if kind == AFLW2000:
        scale: BaselScale | None = None if morphable_model is None else basel_scale(morphable_model, sha256)
        return Aflw2000Reader(source, scale)
    plain: dict[str, Callable[[str], PhotoReader]] = {FOLDER: FolderReader, MULTIVIEW: MultiviewReader, PTS: PtsReader}
    return plain[kind](source)


def kind_of(source: str) -> str:
    """What a place looks like: the name of a reader.

    Raises:
        OSError: If there is nothing, or it cannot be read.
    """
    if Path(source).is_file():
        return MANIFEST
    paths = files_of(source)
    photos = [path for path in paths if path.suffix.lower() in PHOTO_SUFFIXES]
    for kind, suffix in BESIDE.items():
        labelled = {path.with_suffix("") for path in paths if path.suffix.lower() == suffix}
        count = sum(path.with_suffix("") in labelled for path in photos)
        if photos and count >= LEAST_LABELLED * len(photos):
            return kind
    return FOLDER
