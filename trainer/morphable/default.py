"""The face model that comes with the project."""

import functools
from pathlib import Path

from trainer.morphable.io import load
from trainer.morphable.model import MorphableModel

DEFAULT_HEAD_PATH = Path(__file__).parent / "assets" / "head.npz"
"""The committed default head; `monoface model build-head` builds it."""


@functools.lru_cache(maxsize=1)
def default_head() -> MorphableModel:
    """The default head: a whole human head with eyes, teeth and tongue, CC0. Read once a process; treat it as constant."""
    return load(DEFAULT_HEAD_PATH)
