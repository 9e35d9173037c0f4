"""Where a pipeline's face model comes from: the default head, or any model that `trainer.morphable.readers` reads."""

from pathlib import Path
from typing import Final

from trainer.morphable.default import DEFAULT_HEAD_PATH, default_head
from trainer.morphable.model import MorphableModel
from trainer.morphable.readers.open_model import open_model, source_digest

DEFAULT: Final = "default"
"""The head that comes with the project."""


def digest(source: str) -> str:
    """SHA-256 of a source's files: a file that changed under the same name is another source.

    Args:
        source: `default`, or the path of a file or folder that `open_model` reads.

    Raises:
        FileNotFoundError: If there is nothing at the path.
        ValueError: If what is there is no face model that can be read.
    """
    path = _path(source)
    if not path.exists():
        raise FileNotFoundError(
            f"`source` must be {DEFAULT!r} or the path of a face model. Received: {source!r}, where there is nothing"
        )
    return source_digest(path)


def load(source: str, expected_digest: str | None = None, sha256: str | None = None) -> MorphableModel:
    """Reads a source.

    Args:
        source: `default`, or the path of a file or folder that `open_model` reads.
        expected_digest: What `digest` gave when the pipeline was built; None does not check.
        sha256: Hash that the user pins: of the model or of its files. None does not check.

    Raises:
        FileNotFoundError: If there is nothing at the path.
        ValueError: If it is no face model, not the one that the pipeline was built with, or not the one that is pinned.
    """
    found = digest(source)
    if expected_digest is not None and found != expected_digest:
        raise ValueError(
            f"`source` {source!r} has changed since the pipeline was built: {expected_digest} became {found}"
        )
    if source == DEFAULT and sha256 is None:
        return default_head()
    return open_model(_path(source), sha256=sha256)


def _path(source: str) -> Path:
    return DEFAULT_HEAD_PATH if source == DEFAULT else Path(source)
