"""Where a pipeline's face model comes from: the default head, or a file in the native format."""

import hashlib
from pathlib import Path
from typing import Final

from trainer.morphable import io
from trainer.morphable.default import DEFAULT_HEAD_PATH, default_head
from trainer.morphable.model import MorphableModel

DEFAULT: Final = "default"
"""The head that comes with the project."""


def digest(source: str) -> str:
    """SHA-256 of a source's file: a file that changed under the same name is another source.

    Args:
        source: `default` or the path of a native `.npz`.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    path = _path(source)
    if not path.is_file():
        raise FileNotFoundError(
            f"`source` must be {DEFAULT!r} or the path of a face model. Received: {source!r}, not a file"
        )
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load(source: str, expected_digest: str | None = None) -> MorphableModel:
    """Reads a source.

    Args:
        source: `default` or the path of a native `.npz`.
        expected_digest: What `digest` gave when the pipeline was built; None does not check.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no face model, or not the one that the pipeline was built with.
    """
    found = digest(source)
    if expected_digest is not None and found != expected_digest:
        raise ValueError(
            f"`source` {source!r} has changed since the pipeline was built: {expected_digest} became {found}"
        )
    return default_head() if source == DEFAULT else io.load(source)


def _path(source: str) -> Path:
    return DEFAULT_HEAD_PATH if source == DEFAULT else Path(source)
