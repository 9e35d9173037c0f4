"""Features of a symmetric head that landmarks are defined by, measured on what is seen from the front: the eye's opening,
the lips' contours, the nose's profile. All on the side x < 0, which is the person's right.
"""

import dataclasses
from collections.abc import Callable
from typing import Final

import numpy as np

from trainer.morphable.surface_rays import Hits, cast

TOWARDS_FACE: Final = np.array([0.0, 0.0, -1.0])
COLUMN: Final = 0.5
"""Distance of the columns that are searched, millimetres."""
ROW: Final = 0.25
"""Distance of the rays in a column, millimetres."""


@dataclasses.dataclass(frozen=True)
class Band:
    """A region seen from the front, column by column: from `top` to `bottom` at each `x`."""

    x: np.ndarray
    """`[C]` ascending, millimetres."""
    top: np.ndarray
    """`[C]` greatest y."""
    bottom: np.ndarray
    """`[C]` least y."""
    fold: np.ndarray
    """`[C]` y where the surface lies deepest between the two."""

    def at(self, edge: str, x: float) -> float:
        """Height of `top`, `bottom` or `fold` at x, between the columns by interpolation."""
        return float(np.interp(x, self.x, getattr(self, edge)))

    def along(self, edge: str, start: float, end: float, parts: int) -> list[tuple[float, float]]:
        """The points that cut an edge between two x into parts of equal length, without its ends; `(x, y)` each."""
        x = np.linspace(start, end, 200)
        y = np.interp(x, self.x, getattr(self, edge))
        length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        cuts = np.linspace(0, length[-1], parts + 1)[1:-1]
        return [(float(np.interp(cut, length, x)), float(np.interp(cut, length, y))) for cut in cuts]


@dataclasses.dataclass(frozen=True)
class Surface:
    """A head as rays meet it."""

    vertices: np.ndarray
    """`[V, 3]` millimetres, model frame, symmetric about x = 0."""
    triangles: np.ndarray
    """`[T, 3]`."""
    skin: np.ndarray
    """`[T]` bool: triangles that may carry a landmark."""

    def meet(self, origins: np.ndarray, direction: np.ndarray, among: np.ndarray, last: bool = False) -> Hits:
        """Where rays first (or last) meet those triangles that `among` `[T]` marks; indices are the head's own."""
        chosen = np.flatnonzero(among)
        hits = cast(self.vertices, self.triangles[chosen], origins, direction, last)
        return dataclasses.replace(hits, triangles=np.where(hits.triangles < 0, -1, chosen[hits.triangles]))

    def within(self, low: tuple[float, float], high: tuple[float, float]) -> np.ndarray:
        """`[T]` bool: triangles that reach into a rectangle of x and y."""
        corners = self.vertices[self.triangles][..., :2]
        return ((corners.max(axis=1) >= low) & (corners.min(axis=1) <= high)).all(axis=1)

    def band(
        self,
        low: tuple[float, float],
        high: tuple[float, float],
        inside: Callable[[Hits], np.ndarray],
    ) -> Band:
        """The part of a rectangle, seen from the front, where `inside` holds.

        Args:
            low: Least x and y, millimetres.
            high: Greatest x and y.
            inside: `[R]` bool of the hits of rays.

        Raises:
            ValueError: If it holds nowhere.
        """
        near = self.within(low, high)
        y = np.arange(low[1], high[1] + ROW, ROW)
        rows = []
        for x in np.arange(low[0], high[0] + COLUMN, COLUMN):
            origins = np.stack([np.full_like(y, x), y, np.zeros_like(y)], axis=1)
            hits = self.meet(origins, TOWARDS_FACE, near)
            member = (hits.triangles >= 0) & inside(hits)
            if member.any():
                depth = np.where(member, hits.distances, -np.inf)
                rows.append((x, y[member].max(), y[member].min(), y[depth.argmax()]))
        if not rows:
            raise ValueError(f"the head shows nothing of a feature between {low} and {high} mm; is it in its place?")
        return Band(*np.array(rows).T)


def profile(surface: Surface, x: float, low: float, high: float) -> np.ndarray:
    """`[R, 2]` y and z of the skin seen from the front in the column x, y ascending."""
    y = np.arange(low, high, ROW)
    origins = np.stack([np.full_like(y, x), y, np.zeros_like(y)], axis=1)
    hits = surface.meet(origins, TOWARDS_FACE, surface.skin & surface.within((x - 1, low), (x + 1, high)))
    return hits.points[hits.triangles >= 0][:, 1:]


def farthest(line: np.ndarray, direction: tuple[float, float]) -> np.ndarray:
    """`[2]` the point of `[R, 2]` that lies farthest in a direction."""
    return line[(line @ np.asarray(direction)).argmax()]
