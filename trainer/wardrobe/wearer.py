"""One head while it is dressed, and what of its model dressing needs again and again."""

import functools
import weakref
from typing import Final

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe.cutting import vertex_normals
from trainer.wardrobe.garment import Garment
from trainer.wardrobe.wardrobe import Wardrobe

INNER_DROP: Final = 20.0
"""What is not drawn of the head at its cut is gathered in the shoulders' middle, this much lower, millimetres."""


class Tables:
    """What of a model does not change from head to head.

    Attributes:
        mirror: `[V]` its mirror pairs.
        normals: `[V, 3]` of the mean head.
        cheeks: `[K]` vertices, all where the model has no such region.
        scalp: `[K]` likewise.
    """

    def __init__(self, model: MorphableModel):
        self.mirror = model.mirror
        self.normals = vertex_normals(model.mean, model.triangles)
        everywhere = np.ones(model.vertex_count)
        self.cheeks, self.scalp = (
            np.flatnonzero(model.regions.get(name, everywhere) > 0.5) for name in ("cheeks", "scalp")
        )

    @staticmethod
    def of(model: MorphableModel) -> "Tables":
        """Those of a model, made at the first call and kept as long as the model lives."""
        key = id(model)
        if key not in _TABLES:
            _TABLES[key] = Tables(model)
            weakref.finalize(model, _TABLES.pop, key, None)
        return _TABLES[key]


_TABLES: Final[dict[int, Tables]] = {}


class Wearer:
    """One head while it is dressed.

    Attributes:
        wardrobe: What there is.
        model: The head's model.
        tables: Of that.
        vertices: `[V, 3]` float32 millimetres, model frame.
        drawn: `[V, 3]` float32: the same with covered skin deeper.
        surfaces: What it wears so far.
        names: Of that.
    """

    def __init__(self, wardrobe: Wardrobe, model: MorphableModel, vertices: np.ndarray):
        self.wardrobe, self.model, self.vertices = wardrobe, model, vertices
        self.tables = Tables.of(model)
        self.drawn = vertices.copy()
        self.surfaces: list[Surface] = []
        self.names: list[str] = []
        self._carried: dict[int, np.ndarray | None] = {}

    def wear(self, *surfaces: Surface, name: str | None = None) -> None:
        """Puts things on, under the name of a garment or their own ones."""
        for surface in surfaces:
            own = surface.name if name is None else name
            if own not in self.names:
                self.names.append(own)
            self.surfaces.append(surface)

    def carry(self, garment: Garment) -> np.ndarray | None:
        """`Binding.carried` of a garment on this head, found once for all with the same anchors."""
        key = id(garment.binding.anchors)
        if key not in self._carried:
            self._carried[key] = garment.binding.carried(self.vertices)
        return self._carried[key]

    def fitted(self, garment: Garment, color: np.ndarray | None = None) -> Surface:
        """A garment on this head, see `Garment.surface`; not yet worn."""
        return garment.surface(self.vertices, color, self.carry(garment))

    def tuck(self, garment: Garment) -> None:
        """Draws the skin that a garment covers deeper."""
        anchors, turn = garment.binding.anchors, self.carry(garment)
        if garment.covered_head is None or garment.covered_depth is None or anchors is None or turn is None:
            return
        gone = ~np.isfinite(garment.covered_depth)
        deeper, depth = garment.covered_head[~gone], garment.covered_depth[~gone, None]
        if len(deeper):
            self.drawn[deeper] -= (depth * (self.tables.normals[deeper] @ turn.T)).astype(np.float32)
        if gone.any():
            middle = self.vertices[anchors].mean(axis=0)
            self.drawn[garment.covered_head[gone]] = middle - np.array([0, INNER_DROP, 0], np.float32)


def mirrored(garment: Garment, model: MorphableModel) -> Garment:
    """A garment's mirror image; kept for the next time."""
    return _mirrored(garment, Tables.of(model))


@functools.lru_cache(maxsize=128)
def _mirrored(garment: Garment, tables: Tables) -> Garment:
    return garment.mirrored(tables.mirror)
