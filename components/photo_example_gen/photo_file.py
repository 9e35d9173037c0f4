"""One photo that a reader has found: where it lies, of whom it is and what it is called."""

import dataclasses
from typing import NamedTuple


class Problem(NamedTuple):
    """Why something cannot be used."""

    reason: str
    """A short slug that groups and counts, such as `missing_labels`."""
    message: str
    """A sentence for people: the rule and what came."""


class Row(NamedTuple):
    """Where in a manifest a photo's labels are: to be read again by the worker, so that work units stay small."""

    number: int
    """Line, from 1."""
    offset: int
    """First byte."""
    length: int
    """Bytes."""


@dataclasses.dataclass(frozen=True)
class PhotoFile:
    """One photo, or one face of a photo that is listed for several. Picklable and small: what a shard is made of."""

    path: str
    """Relative to the reader's folder, with `/`, or absolute."""
    identity: str
    """Who is on it. Photos of one identity lie in one split."""
    moment: str = ""
    """Views of one instant share it; empty where the photo is a moment of its own."""
    split: str | None = None
    """Split that the source asks for; None leaves it to the identity."""
    face: int = 0
    """Number among the faces that the source lists for the same photo, from 0."""
    row: Row | None = None
    """Where its labels are; None where they are not in a manifest."""
    problem: Problem | None = None
    """Why it cannot be used, where the source itself shows it."""

    @property
    def id(self) -> str:
        """What the example and dead letters call it: the path, and for further faces their number."""
        return readable(self.path) + (f"#{self.face}" if self.face else "")

    @property
    def order(self) -> tuple[str, int, int]:
        """Key by which photos are sorted."""
        return self.path, self.face, self.row.number if self.row else 0


def readable(path: str) -> str:
    """A path as text that UTF-8 holds: bytes that are none of it are shown as question marks."""
    return path.encode("utf-8", "replace").decode()
