"""A folder of this machine for work whose home may be an object store: checkpoints and logs come from there and go back."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Callable, Iterator

import tensorflow as tf

_CHECKPOINT = "ckpt-"
"""Start of the names of TensorFlow's checkpoints, which are never written again."""
_UNFINISHED = ".unfinished"


@contextlib.contextmanager
def local_run_folder(
    address: str | os.PathLike[str], kept: Callable[[str], bool]
) -> Iterator[tuple[pathlib.Path, Callable[[], None]]]:
    """A local folder with what a run has in its home.

    Args:
        address: The home: a path, which is itself the local folder then, or an address such as gs://bucket/folder.
        kept: Which files, by their path in the folder with `/`, belong to the home.

    Yields:
        The folder, and a function that brings the home up to date. It is called once more when the block ends well.
    """
    home = os.fspath(address)
    if "://" not in home:
        folder = pathlib.Path(home)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder, lambda: None
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name in _files(home):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            tf.io.gfile.copy(f"{home}/{name}", str(folder / name), overwrite=True)

        def update() -> None:
            _update(folder, home, kept)

        yield folder, update
        update()


def _update(folder: pathlib.Path, home: str, kept: Callable[[str], bool]) -> None:
    """Copies what is new, the file that names the latest checkpoint after the checkpoints; then removes what is gone."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    names = sorted(filter(kept, names), key=lambda name: (_CHECKPOINT not in name, name))
    there = set(_files(home))
    for name in names:
        if name not in there or _CHECKPOINT not in name:
            tf.io.gfile.makedirs(f"{home}/{name}".rsplit("/", 1)[0])
            tf.io.gfile.copy(str(folder / name), f"{home}/{name}{_UNFINISHED}", overwrite=True)
            tf.io.gfile.rename(f"{home}/{name}{_UNFINISHED}", f"{home}/{name}", overwrite=True)
    for name in sorted(there - set(names)):
        tf.io.gfile.remove(f"{home}/{name}")


def _files(address: str) -> list[str]:
    """Paths of the files below an address, relative to it."""
    if not tf.io.gfile.exists(address):
        return []
    found = []
    for parent, _, names in tf.io.gfile.walk(address):
        inner = parent[len(address) :].strip("/")
        found += [f"{inner}/{name}" if inner else name for name in names]
    return found
