"""A folder of photos: every file, whatever its name ends in, for a photo may be called anything. What is none becomes a dead
letter. The first sub-folder is the person; a file in the folder itself is a person of its own.

Hidden files and folders (a leading dot) are passed over, and links to folders are not followed.
"""

import os
from pathlib import Path

from components.photo_example_gen.config import FOLDER, MULTIVIEW
from components.photo_example_gen.photo_file import PhotoFile, Problem
from components.photo_example_gen.readers.reader import PhotoReader


class FolderReader(PhotoReader):
    """Photos without labels."""

    kind = FOLDER

    def find(self) -> list[PhotoFile]:
        """Every file, in order of the paths."""
        return [
            PhotoFile(path.as_posix(), path.parts[0] if len(path.parts) > 1 else path.as_posix())
            for path in files_of(self.source)
        ]


class MultiviewReader(PhotoReader):
    """Several views of one instant: `subject/moment/view`, where the view is a file of any name."""

    kind = MULTIVIEW

    def find(self) -> list[PhotoFile]:
        """Every file; what does not lie two folders deep is no view."""
        return [self._photo(path) for path in files_of(self.source)]

    def _photo(self, path: Path) -> PhotoFile:
        if len(path.parts) == 3:
            return PhotoFile(path.as_posix(), path.parts[0], "/".join(path.parts[:2]))
        message = f"Views must lie in subject/moment/. Received: {len(path.parts) - 1} folders deep"
        return PhotoFile(path.as_posix(), path.parts[0], problem=Problem("not_a_view", message))


def files_of(source: str) -> list[Path]:
    """All files of a folder, sub-folders included, as paths relative to it, in order.

    Raises:
        FileNotFoundError: If there is no such folder, or no file in it.
        NotADirectoryError: If it is a file.
        OSError: If it, or a folder in it, cannot be read.
    """
    root = Path(source)
    if not root.exists():
        raise FileNotFoundError(f"`source` must be a folder of photos or a manifest. There is none at {source!r}")
    if not root.is_dir():
        raise NotADirectoryError(f"`source` must be a folder of photos. Received a file: {source!r}")
    paths = []
    for folder, subfolders, names in os.walk(root, onerror=_stop):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        paths += [Path(folder, name).relative_to(root) for name in names if not name.startswith(".")]
    if not paths:
        raise FileNotFoundError(f"`source` must hold photos. There is no file in {source!r}")
    return sorted(paths, key=Path.as_posix)


def _stop(error: OSError) -> None:
    """What `os.walk` is to do with a folder that it cannot read: photos must not be left out unnoticed."""
    raise error
