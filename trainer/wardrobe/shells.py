"""Sheets around a head: cloth that lies on it, from the grid of its outside."""

import dataclasses
import functools

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.wardrobe import head_grid, solids
from trainer.wardrobe.measures import Measures, measure


@dataclasses.dataclass(frozen=True)
class Wrapped:
    """A head prepared for cloth."""

    head: Measures
    grid: head_grid.HeadGrid
    center: np.ndarray
    """`[3]` middle of the head, between and a little above the ears."""
    points: np.ndarray
    """`[R, C, 3]` the outside, drawn over with cloth."""

    def on(self, azimuth: np.ndarray, elevation: np.ndarray, thickness: np.ndarray | float) -> np.ndarray:
        """`[..., 3]` places in these directions (degrees), this far outside the head (millimetres)."""
        place = head_grid.seen(self.grid.directions, self.points, self.center, azimuth, elevation)
        return place + solids.unit(place - self.center) * np.asarray(thickness)[..., None]

    def lifted(self, places: np.ndarray, margin: float) -> np.ndarray:
        """Places `[..., 3]`, moved outwards until each lies at least `margin` millimetres outside."""
        flat = places.reshape(-1, 3)
        short = margin - self.grid.clearance(self.points, self.head, flat)
        moved = flat + solids.unit(flat - self.center) * np.maximum(short, 0)[:, None]
        return moved.reshape(places.shape)

    def elevation(self, place: np.ndarray) -> float:
        """Degrees of a place `[3]` above the middle of the head."""
        away = place - self.center
        return float(np.degrees(np.arctan2(away[1], np.hypot(away[0], away[2]))))


def wrapped(model: MorphableModel, vertices: np.ndarray, name: str, passes: int = 3) -> Wrapped:
    """Prepares a head.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head.
        name: Of the grid (`head_grid.GRIDS`) on which the cloth lies: `head` goes over the ears, `skull` does not.
        passes: How taut the cloth is, see `head_grid.smoothed`.
    """
    head = measure(model, vertices)
    grid = head_grid.head_grid(model, name)
    center = grid.origin(head)
    points = head_grid.smoothed(grid.points(vertices, head), center, passes, grid.directions.wraps)
    return Wrapped(head, grid, center, points)


def brim_line(azimuth: np.ndarray, front: float, side: float, back: float) -> np.ndarray:
    """Elevation of a line around the head through these three, degrees, at azimuths `[...]`."""
    angle = np.radians(azimuth)
    level = (front + back) / 4
    return level + side / 2 + (front - back) / 2 * np.cos(angle) + (level - side / 2) * np.cos(2 * angle)


def dome(rows: np.ndarray) -> solids.Mesh:
    """A shell that closes at its top, from rows `[R, C, 3]` that run around the head, lowest first."""
    count, columns = rows.shape[:2]
    vertices = np.concatenate([rows.reshape(-1, 3), rows[-1].mean(0, keepdims=True)]).astype(np.float32)
    return vertices, _dome_triangles(count, columns)


def ring(rows: np.ndarray) -> solids.Mesh:
    """A band from rows `[R, C, 3]` that run around the head, lowest first."""
    return rows.reshape(-1, 3).astype(np.float32), solids.sheet_triangles(rows.shape[0], rows.shape[1], wraps=True)


def sheet(rows: np.ndarray) -> solids.Mesh:
    """A patch from rows `[R, C, 3]` that run to the right seen from outside, lowest first."""
    return rows.reshape(-1, 3).astype(np.float32), solids.sheet_triangles(rows.shape[0], rows.shape[1])


@functools.lru_cache(maxsize=64)
def folded_uv(rows: int, columns: int, folds: int, extra: int = 0) -> np.ndarray:
    """Texture coordinates of rows of a shell: the texture goes around `folds` times, every other time mirrored.

    Args:
        rows: Of the shell.
        columns: Same; a multiple of `folds`, which is even for a ring.
        folds: Times.
        extra: Points after the last row, at its middle.

    Returns:
        `[rows * columns + extra, 2]` float32, read-only.
    """
    u = np.arange(columns) / (columns / folds)
    u = 1 - np.abs(np.mod(u, 2) - 1)
    v = np.linspace(0, 1, rows)
    uv = np.stack(np.broadcast_arrays(u[None, :], v[:, None]), axis=-1).reshape(-1, 2)
    uv = np.concatenate([uv, np.tile([[0.5, 1.0]], (extra, 1))]).astype(np.float32)
    uv.flags.writeable = False
    return uv


def ripples(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """`[R, C, 3]` folds of cloth, about a millimetre and hardly inwards, smooth around a ring of columns."""
    angle = np.radians(np.arange(rows.shape[1]) * (360 / rows.shape[1]))
    height = np.linspace(0, 1, rows.shape[0])[:, None]
    waves = sum(
        rng.normal() * np.sin(count * angle + rng.uniform(0, 6.3) + rng.normal() * 3 * height) for count in (5, 9, 14)
    )
    return solids.unit(rows - rows.mean((0, 1))) * (0.6 * np.maximum(waves, -0.3))[..., None]


@functools.lru_cache(maxsize=32)
def _dome_triangles(rows: int, columns: int) -> np.ndarray:
    column = np.arange(columns)
    last = (rows - 1) * columns
    cap = np.stack([last + column, last + (column + 1) % columns, np.full(columns, rows * columns)], axis=-1)
    triangles = np.concatenate([solids.sheet_triangles(rows, columns, wraps=True), cap]).astype(np.int32)
    triangles.flags.writeable = False
    return triangles
