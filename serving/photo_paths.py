"""Which photos are meant, and where the files of each go."""

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

DEAD_LETTERS_FILE = "dead_letters.jsonl"
"""Among the directories of several photos: the photos that failed."""

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
"""Files that a directory of photos is searched for."""


def find_photos(sources: Iterable[str | os.PathLike[str]], out: Path | None = None) -> list[Path]:
    """Photos that files, directories and patterns stand for, in order, each once.

    A directory gives the photos in it, at any depth, sorted. What matches nothing is kept as it is, so that it is reported.

    Args:
        sources: Files, directories and patterns.
        out: Directory of the results: where it lies in one that is searched, what earlier runs left there is no photo.
    """
    found: dict[Path, None] = {}
    for given in sources:
        source = os.fspath(given)
        path = Path(source)
        if path.is_dir():
            left_out = out is not None and path.resolve() in out.resolve().parents
            matched = sorted(
                p
                for p in path.rglob("*")
                if p.suffix.lower() in PHOTO_SUFFIXES
                and not p.is_dir()
                and not (left_out and out is not None and out.resolve() in p.resolve().parents)
            )
        elif not os.path.lexists(path) and glob.has_magic(source):
            # Not Path.glob, which takes no absolute pattern.
            matches = glob.glob(source, recursive=True)  # noqa: PTH207
            matched = sorted(Path(match) for match in matches if Path(match).is_file())
        else:
            matched = [path]
        found.update(dict.fromkeys(matched or [path]))
    return list(found)


def output_directories(photos: Sequence[Path], out: Path) -> list[Path]:
    """Where each photo's files go: `out` itself for one photo, else a directory named after its stem, made unique."""
    return [out] if len(photos) == 1 else [out / name for name in unique_names(photos)]


def unique_names(photos: Sequence[Path], taken: Iterable[str] = ()) -> list[str]:
    """A name for each photo: its stem, with a number where that is taken, by another photo or otherwise."""
    taken, names = {DEAD_LETTERS_FILE.casefold(), *(name.casefold() for name in taken)}, []
    for photo in photos:
        stem = photo.stem.strip(". ") or "photo"
        name, number = stem, 1
        # Some file systems do not tell upper case from lower.
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names
