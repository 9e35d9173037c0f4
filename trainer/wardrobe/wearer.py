"""One head while it is dressed, and what of its model dressing needs again and again."""

import functools
import weakref
from typing import Final

import numba
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
        covered, depth = _covered(garment)
        _sink(self.drawn, covered, depth, self.tables.normals, turn, _middle(self.vertices, anchors))


@functools.lru_cache(maxsize=256)
def _covered(garment: Garment) -> tuple[np.ndarray, np.ndarray]:
    """A garment's `covered_head` and `covered_depth` as `_sink` takes them."""
    return np.asarray(garment.covered_head, np.int64), np.asarray(garment.covered_depth, np.float32)


@numba.njit(cache=True, nogil=True)
def _middle(vertices, anchors):  # type: ignore[no-untyped-def]
    """`[3]` float32 mean of some of the vertices `[V, 3]`."""
    total = np.zeros(3)
    for anchor in anchors:
        for axis in range(3):
            total[axis] += vertices[anchor, axis]
    return (total / len(anchors)).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _sink(drawn, covered, depth, normals, turn, middle):  # type: ignore[no-untyped-def]
    """Lowers covered vertices `[K]` of `[V, 3]` by depths `[K]` along the mean's normals `[V, 3]`, turned as this head is.

    Those of infinite depth go below the middle.
    """
    for index in range(len(covered)):
        vertex = covered[index]
        if np.isfinite(depth[index]):
            x, y, z = normals[vertex, 0], normals[vertex, 1], normals[vertex, 2]
            for axis in range(3):
                drawn[vertex, axis] -= depth[index] * (turn[axis, 0] * x + turn[axis, 1] * y + turn[axis, 2] * z)
        else:
            for axis in range(3):
                drawn[vertex, axis] = middle[axis] - (INNER_DROP if axis == 1 else 0.0)


def mirrored(garment: Garment, model: MorphableModel) -> Garment:
    """A garment's mirror image; kept for the next time."""
    return _mirrored(garment, Tables.of(model))


@functools.lru_cache(maxsize=128)
def _mirrored(garment: Garment, tables: Tables) -> Garment:
    return garment.mirrored(tables.mirror)
