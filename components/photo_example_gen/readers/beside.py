"""Photos with a label file of the same name beside each: `a/1.jpg` and `a/1.pts`."""

from pathlib import Path, PurePosixPath
from typing import ClassVar, Final

from components.photo_example_gen.labels import LabelError
from components.photo_example_gen.photo_file import PhotoFile, Problem
from components.photo_example_gen.readers.folder import files_of
from components.photo_example_gen.readers.reader import PhotoReader

PHOTO_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
"""Of files that are taken for photos, lower case. Other files (readmes, licences) are passed over."""


class BesideReader(PhotoReader):
    """Pairs photos with label files. Where nothing says who is on them, each photo is taken for a person of its own."""

    suffix: ClassVar[str]
    """Of label files, lower case."""

    def find(self) -> list[PhotoFile]:
        """Every photo, with labels or without, and every label file whose photo is missing.

        Raises:
            FileNotFoundError: If there is neither; else as `files_of`.
        """
        paths = files_of(self.source)
        photos = [path for path in paths if path.suffix.lower() in PHOTO_SUFFIXES]
        paired = {path.with_suffix("") for path in photos}
        lonely = [path for path in paths if path.suffix.lower() == self.suffix and path.with_suffix("") not in paired]
        if len(lonely) + len(photos) == 0:
            raise FileNotFoundError(
                f"`source` must hold photos with {self.suffix} files. There is none in {self.source!r}"
            )
        found = [PhotoFile(path.as_posix(), self.identity(path)) for path in photos]
        for path in lonely:
            problem = Problem("missing", f"There is no photo beside {path.name}.")
            found.append(PhotoFile(path.as_posix(), path.as_posix(), problem=problem))
        return found

    def identity(self, path: Path) -> str:
        """Who is on a photo, by its path in the folder."""
        return path.as_posix()

    def label_path(self, photo: PhotoFile) -> str | None:
        """The file beside the photo, whichever case its ending is in; the plain name where there is none."""
        path = PurePosixPath(photo.path)
        if path.suffix.lower() == self.suffix:
            return None
        names = [path.with_suffix(self.suffix).as_posix(), path.with_suffix(self.suffix.upper()).as_posix()]
        return next((name for name in names if Path(self.folder, name).exists()), names[0])

    def label_file(self, photo: PhotoFile) -> Path:
        """Where the labels lie.

        Raises:
            LabelError: If there are none.
        """
        relative = self.label_path(photo)
        path = Path(self.folder, relative) if relative else None
        if path is None or not path.exists():
            raise LabelError("missing_labels", f"There is no {self.suffix} file beside the photo.")
        return path
