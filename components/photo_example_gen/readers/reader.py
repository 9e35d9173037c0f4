"""What every reader of photos does: find them before any work starts, and read one photo's labels on the machine that works."""

import abc
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from components.photo_example_gen.labels import LabelError, Labels
from components.photo_example_gen.photo_file import PhotoFile

MAX_LABEL_BYTES = 4 << 20
"""Label files that are larger, or unpack to more, are refused: a face's labels take kilobytes."""


class PhotoReader(abc.ABC):
    """Finds photos at a place. Picklable; holds paths and small settings only."""

    kind: ClassVar[str]
    """Its name in `PhotoConfig.reader`."""

    def __init__(self, source: str):
        """Remembers where to look.

        Args:
            source: Folder or file, which must be mounted where the work is done.
        """
        self.source = source

    @property
    def folder(self) -> Path:
        """What the photos' paths are relative to."""
        return Path(self.source)

    @property
    def face_model(self) -> str | None:
        """SHA-256 of the face model whose coefficients the labels are converted to; None where they are left out."""
        return None

    @abc.abstractmethod
    def find(self) -> list[PhotoFile]:
        """All photos, and what the source lists as one but shows to be none.

        Raises:
            OSError: If the source is missing, empty or cannot be read.
            ValueError: If it is nothing that this reader reads.
        """

    def labels(self, photo: PhotoFile, height: int) -> Labels | None:
        """What is known of a photo, in the contract's pixels; None where nothing is.

        Args:
            photo: One that `find` found.
            height: Of the picture that the labels were made on, pixels.

        Raises:
            LabelError: If there are labels that cannot be used, or none where there should be.
            OSError: If they cannot be read.
        """
        return None

    def label_path(self, photo: PhotoFile) -> str | None:
        """Path of the file that `labels` reads, written as the photo's own is; None where there is none."""
        return None

    def state(self, photos: Sequence[PhotoFile]) -> str:
        """A digest of names, sizes and times of all files that `find` found: it changes when photos or labels do."""
        paths = [photo.path for photo in photos]
        paths += [path for photo in photos if (path := self.label_path(photo)) is not None]
        return digest(self.folder, paths)


def digest(folder: Path, paths: Iterable[str]) -> str:
    """Hexadecimal SHA-256 of files' names, sizes and times, quick even for large files; a file may be missing."""
    total = hashlib.sha256()
    for relative in dict.fromkeys(paths):
        try:
            status = (folder / relative).stat()
            line = f"{relative!r} {status.st_size} {status.st_mtime_ns}\n"
        except (OSError, ValueError):  # not there, or a path that no file can have
            line = f"{relative!r} missing\n"
        total.update(line.encode("utf-8", "backslashreplace"))
    return total.hexdigest()


def read_small(path: Path) -> bytes:
    """Content of a label file.

    Raises:
        LabelError: If it is missing, no file, or larger than labels are.
        OSError: If it cannot be read.
    """
    if not path.exists():
        raise LabelError("missing_labels", f"There is no file {path.name} beside the photo.")
    if not path.is_file():  # a pipe would be waited for
        raise LabelError("bad_labels", f"{path.name} must be a file.")
    with path.open("rb") as file:
        data = file.read(MAX_LABEL_BYTES + 1)
    if len(data) > MAX_LABEL_BYTES:
        raise LabelError("bad_labels", f"{path.name} may have {MAX_LABEL_BYTES} bytes at most.")
    return data
