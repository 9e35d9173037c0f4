"""What there is to wear: garments by kind, from the committed asset, from other files, and from a user's own folder."""

import dataclasses
import functools
import hashlib
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.wardrobe.garment import KINDS, Garment

DEFAULT_WARDROBE_PATH = Path(__file__).parents[1] / "morphable" / "assets" / "wardrobe.npz"
"""The committed wardrobe of the default head; `monoface model build-wardrobe` builds it."""


_TOPOLOGIES: Final[dict[int, str]] = {}
"""Of models that live, by their id: hashing takes longer than dressing."""


def topology_of(head_triangles: np.ndarray) -> str:
    """Hexadecimal hash of a head's triangles: bindings hold for every head that has the same."""
    return hashlib.sha256(np.ascontiguousarray(head_triangles, np.int32).tobytes()).hexdigest()


@dataclasses.dataclass(frozen=True, eq=False)
class Wardrobe:
    """Garments bound to one kind of head.

    Raises:
        ValueError: If two garments have the same name.
    """

    garments: tuple[Garment, ...]
    topology: str
    """`topology_of` the head that they are bound to."""
    body: np.ndarray | None = None
    """`[19158, 3]` float32 MakeHuman's whole base mesh around the mean head, millimetres, model frame: what `.mhclo` files
    refer to. None if no such files can be added."""
    provenance: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """JSON-able: sources, their licences, command."""

    def __post_init__(self) -> None:
        names = [garment.name for garment in self.garments]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"`garments` must have names of their own. Received twice: {', '.join(twice)}")

    def names(self) -> tuple[str, ...]:
        """Names of all garments, in order."""
        return tuple(garment.name for garment in self.garments)

    def of_kind(self, kind: str) -> tuple[Garment, ...]:
        """Garments of one kind, in order.

        Raises:
            ValueError: If there is no such kind.
        """
        if kind not in KINDS:
            raise ValueError(f"`kind` must be one of {KINDS}. Received: {kind!r}")
        return tuple(garment for garment in self.garments if garment.kind == kind)

    def __getitem__(self, name: str) -> Garment:
        """The garment of that name.

        Raises:
            KeyError: If there is none.
        """
        for garment in self.garments:
            if garment.name == name:
                return garment
        raise KeyError(name)

    def check(self, model: MorphableModel) -> None:
        """Refuses a head that the garments do not fit.

        Raises:
            ValueError: If the model has other triangles than the head that they were bound to.
        """
        key = id(model)
        if key not in _TOPOLOGIES:
            _TOPOLOGIES[key] = topology_of(model.triangles)
            weakref.finalize(model, _TOPOLOGIES.pop, key, None)
        if _TOPOLOGIES[key] != self.topology:
            raise ValueError(
                f"`model` must have the triangles of the head that the wardrobe was made for. Received: {model.name!r}"
            )

    def with_folder(self, path: str | Path, model: MorphableModel) -> "Wardrobe":
        """The wardrobe with a folder of further MakeHuman assets (`.mhclo` with `.obj`, `.mhmat` and pictures).

        The kind is that of the folder or tag that names it: hair, eyebrows, eyelashes, hats; clothes otherwise. The licence
        is what the file's header says.

        Args:
            path: Folder; every `.mhclo` below it is read and bound.
            model: The head that the wardrobe is for.

        Raises:
            FileNotFoundError: If a file is missing.
            ValueError: If there is none, one cannot be read, or this wardrobe does not know the base mesh.
        """
        from trainer.wardrobe.tailor import tailored_folder

        self.check(model)
        if self.body is None:
            raise ValueError("this wardrobe lacks the base mesh that .mhclo files refer to.")
        torso = next(iter(self.of_kind("torso")), None)
        further = tailored_folder(Path(path), self.body, model, torso)
        return dataclasses.replace(self, garments=(*self.garments, *further))


@functools.lru_cache(maxsize=1)
def default_wardrobe() -> Wardrobe:
    """The default head's wardrobe, CC0. Read once a process; treat it as constant."""
    from trainer.wardrobe.storage import load

    return load(DEFAULT_WARDROBE_PATH)
