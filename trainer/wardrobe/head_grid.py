"""The outside of a head as seen from within: one point of the surface in each direction of a grid.

Each point is bound to a triangle of the model, found once on its mean, so that the grid of any other head of the model is a
gather: it follows identity and expression. Where a model has no surface (a face without skull or neck) the grid is continued
by a skull of usual shape.
"""

import dataclasses

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.wardrobe import grid_kernels
from trainer.wardrobe.measures import Measures, measure

_SKULL_CENTER = (0.0, 14.0, -78.0)
_SKULL_AXES = (76.0, 104.0, 98.0)
"""Ellipsoid of a usual skull, millimetres: its centre from the middle of the eyes, for a head of scale 1."""
_NECK_RADIUS = 58.0
_NOT_SKIN = ("ears", "teeth", "tongue", "mouth_interior")
"""Regions through which the grids without ears look."""
_MODELS_KEPT = 8
_GRIDS: dict[tuple[str, str], "HeadGrid"] = {}


@dataclasses.dataclass(frozen=True)
class Directions:
    """A grid of directions around a centre.

    Azimuth 0 looks out of the face and grows to the image's right; elevation 90 is up. Degrees.
    """

    azimuths: np.ndarray
    """`[C]` ascending, evenly spaced."""
    elevations: np.ndarray
    """`[R]` ascending, evenly spaced."""
    rise: float
    """Centre's height above the ears' middle, as a share of the way to the mouth's height (negative is below)."""
    advance: float
    """Centre's way in front of the ears' middle, as a share of that to the mouth."""
    ears: bool
    """False looks through the ears where the model tells where they are."""

    @property
    def wraps(self) -> bool:
        """Whether the last column is followed by the first."""
        step = self.azimuths[1] - self.azimuths[0]
        return bool(self.azimuths[-1] + step - self.azimuths[0] >= 360)

    def vectors(self) -> np.ndarray:
        """`[R, C, 3]` float64 unit vectors."""
        return unit_vectors(self.azimuths[None, :], self.elevations[:, None])


GRIDS = {
    "head": Directions(np.arange(-180.0, 180, 5), np.arange(-85.0, 86, 5), 0.2, 0.12, True),
    "skull": Directions(np.arange(-180.0, 180, 5), np.arange(-85.0, 86, 5), 0.2, 0.12, False),
    "face": Directions(np.arange(-112.5, 113, 2.5), np.arange(-87.0, 64, 3), -0.75, 0.2, False),
    "neck": Directions(np.arange(-180.0, 180, 7.5), np.arange(-60.0, 61, 6), -2.3, -0.32, False),
}
"""`head`: the whole outside; `skull`: the same without ears; `face`: the lower face from behind the mouth, finer; `neck`: from
within it."""


@dataclasses.dataclass(frozen=True)
class HeadGrid:
    """Directions bound to a face model."""

    directions: Directions
    corners: np.ndarray
    """`[R * C, 3]` int32 vertices."""
    weights: np.ndarray
    """`[R * C, 3]` float32 barycentrics."""
    missing: np.ndarray
    """`[M]` int64 grid points where the model has no surface."""
    invented: np.ndarray
    """`[M, 3]` float32 their places, millimetres from the ears' middle of a head of scale 1."""
    center: np.ndarray
    """`[3]` float32 the grid's centre, likewise."""

    def points(self, vertices: np.ndarray, head: Measures) -> np.ndarray:
        """`[R, C, 3]` float32 the grid of the head with these vertices `[V, 3]`."""
        points = grid_kernels.gather(np.ascontiguousarray(vertices, np.float32), self.corners, self.weights)
        points[self.missing] = self.invented * np.float32(head.scale) + head.ears.mean(0)
        return points.reshape(len(self.directions.elevations), len(self.directions.azimuths), 3)

    def origin(self, head: Measures) -> np.ndarray:
        """`[3]` the centre of the grid of a head."""
        return self.center * np.float32(head.scale) + head.ears.mean(0)

    def clearance(self, points: np.ndarray, head: Measures, places: np.ndarray) -> np.ndarray:
        """How far places lie outside the head along their ray from the centre.

        Args:
            points: `[R, C, 3]` the head's grid.
            head: Its measures.
            places: `[N, 3]` model frame.

        Returns:
            `[N]` millimetres, negative inside; places beyond the grid's rim are compared with the rim.
        """
        center = self.origin(head)
        away = places - center
        distance = np.linalg.norm(away, axis=-1)
        azimuth = np.degrees(np.arctan2(away[:, 0], away[:, 2]))
        elevation = np.degrees(np.arcsin(np.clip(away[:, 1] / np.maximum(distance, 1e-6), -1, 1)))
        return distance - np.linalg.norm(seen(self.directions, points, center, azimuth, elevation) - center, axis=-1)


def unit_vectors(azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """`[..., 3]` unit vectors of azimuths and elevations in degrees, which broadcast."""
    azimuth, elevation = np.broadcast_arrays(np.radians(azimuth), np.radians(elevation))
    flat = np.cos(elevation)
    return np.stack([np.sin(azimuth) * flat, np.sin(elevation), np.cos(azimuth) * flat], axis=-1)


def at(directions: Directions, values: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """A grid's values between its directions, bilinear.

    Args:
        directions: The grid.
        values: `[R, C, D]`.
        azimuth: `[...]` degrees; wrapped where the grid is, else held at its rim.
        elevation: `[...]` degrees, held at the rim.

    Returns:
        `[..., D]`.
    """
    azimuth, elevation = np.broadcast_arrays(np.asarray(azimuth, np.float64), np.asarray(elevation, np.float64))
    result = np.empty((azimuth.size, values.shape[2]), np.float32)
    across, up = directions.azimuths, directions.elevations
    grid_kernels.interpolate(
        np.ascontiguousarray(values, np.float32),
        azimuth.ravel(),
        elevation.ravel(),
        (across[0], across[1] - across[0], up[0], up[1] - up[0]),
        directions.wraps,
        result,
    )
    return result.reshape(*azimuth.shape, -1)


def seen(
    directions: Directions, points: np.ndarray, center: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray
) -> np.ndarray:
    """What is seen of a head from within in these directions.

    Points of a head other than the mean lie off the grid's directions, those of an open jaw by far; here they are found where
    they are.

    Args:
        directions: The grid.
        points: `[R, C, 3]` grid of a head.
        center: `[3]` the grid's centre.
        azimuth: `[...]` degrees; wrapped where the grid is, else held at its rim.
        elevation: `[...]` degrees, held at the rim.

    Returns:
        `[..., 3]` float32.
    """
    azimuth, elevation = np.broadcast_arrays(np.asarray(azimuth, np.float64), np.asarray(elevation, np.float64))
    result = np.empty((azimuth.size, 3), np.float32)
    across, up = directions.azimuths, directions.elevations
    frame = (across[0], across[1] - across[0], up[0], up[1] - up[0])
    around = np.ascontiguousarray(points, np.float32) - np.asarray(center, np.float32)
    grid_kernels.seek(around, azimuth.ravel(), elevation.ravel(), frame, directions.wraps, result)
    result += np.asarray(center, np.float32)
    return result.reshape(*azimuth.shape, 3)


def smoothed(points: np.ndarray, center: np.ndarray, passes: int, wraps: bool = True) -> np.ndarray:
    """A grid drawn over with cloth: nowhere inside the head, without its hollows.

    Args:
        points: `[R, C, 3]` grid of a head.
        center: `[3]` the grid's centre.
        passes: How often every point is lifted to the mean of its neighbours; each spreads by one cell.
        wraps: Whether the last column is followed by the first.

    Returns:
        `[R, C, 3]` on the same rays.
    """
    result = np.array(points, np.float32, order="C")
    grid_kernels.smooth(result, np.asarray(center, np.float32), passes, wraps)
    return result


def normals(points: np.ndarray, wraps: bool = False) -> np.ndarray:
    """`[R, C, 3]` float32 unit normals of a grid of points `[R, C, 3]` whose columns run to the right seen from outside."""
    if wraps:
        padded = np.concatenate([points[:, -1:], points, points[:, :1]], axis=1)
        right = padded[:, 2:] - padded[:, :-2]
    else:
        right = np.gradient(points, axis=1)
    up = np.gradient(points, axis=0)
    normal = np.stack(
        [
            right[..., 1] * up[..., 2] - right[..., 2] * up[..., 1],
            right[..., 2] * up[..., 0] - right[..., 0] * up[..., 2],
            right[..., 0] * up[..., 1] - right[..., 1] * up[..., 0],
        ],
        axis=-1,
    ).astype(np.float32)
    return normal / np.maximum(np.sqrt((normal * normal).sum(-1, keepdims=True)), 1e-9)


def head_grid(model: MorphableModel, name: str) -> HeadGrid:
    """The grid of `GRIDS` on a model; found once a process (about 0.1 s), for the last few models."""
    key = (model.sha256, name)
    if key not in _GRIDS:
        while len(_GRIDS) >= _MODELS_KEPT * len(GRIDS):
            _GRIDS.pop(next(iter(_GRIDS)))
        _GRIDS[key] = _bind(model, GRIDS[name])
    return _GRIDS[key]


def _bind(model: MorphableModel, directions: Directions) -> HeadGrid:
    head = measure(model, model.mean)
    middle = head.ears.mean(0)
    down, out = middle[1] - head.mouth[1], head.mouth[2] - middle[2]
    center = middle + np.array([0, directions.rise * down, directions.advance * out])
    triangles = model.triangles
    if not directions.ears and "ears" in model.regions:
        inside = np.sum([model.regions[name] for name in _NOT_SKIN if name in model.regions], axis=0)
        triangles = triangles[(inside[triangles] < 0.5).any(axis=1)]
    vectors = directions.vectors()
    rows, columns = vectors.shape[:2]
    found, weights, radius = grid_kernels.cast(
        model.mean - center.astype(np.float32),
        triangles,
        vectors.reshape(-1, 3),
        np.array([directions.azimuths[0], directions.azimuths[1] - directions.azimuths[0], columns]),
        np.array([directions.elevations[0], directions.elevations[1] - directions.elevations[0], rows]),
    )
    missing = np.flatnonzero(found < 0)
    eyes = head.eyes.mean(0)
    skull = _usual_radius(
        center - (eyes + head.scale * np.array(_SKULL_CENTER)), head.scale * np.array(_SKULL_AXES), vectors
    )
    continued = _continued(radius.reshape(rows, columns), skull, directions.wraps)
    places = center + vectors * continued[..., None] - middle
    corners = triangles[np.maximum(found, 0)]
    return HeadGrid(
        directions,
        np.ascontiguousarray(corners, np.int32),
        weights.astype(np.float32),
        missing,
        (places.reshape(-1, 3)[missing] / head.scale).astype(np.float32),
        ((center - middle) / head.scale).astype(np.float32),
    )


def _continued(radius: np.ndarray, skull: np.ndarray, wraps: bool) -> np.ndarray:
    """`[R, C]` radii with the missing ones (0) taken from the skull, bent so that both meet; the bend dies out with distance."""
    known = radius > 0
    bend = np.where(known, radius - skull, 0.0)
    for _ in range(200):
        tall = np.pad(bend, ((1, 1), (0, 0)), mode="edge")
        wide = np.pad(bend, ((0, 0), (1, 1)), mode="wrap" if wraps else "edge")
        spread = 0.245 * (tall[2:] + tall[:-2] + wide[:, 2:] + wide[:, :-2])
        bend = np.where(known, bend, spread)
    return np.maximum(skull + bend, 10.0)


def _usual_radius(origin: np.ndarray, axes: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Distance along `[..., 3]` unit vectors from a point to an ellipsoid around 0; from below it, to a neck around the point."""
    start, step = origin / axes, vectors / axes
    a, b = (step * step).sum(-1), (step * start).sum(-1)
    if start @ start > 1:
        return _NECK_RADIUS / _SKULL_AXES[0] * axes[0] / np.maximum(np.hypot(vectors[..., 0], vectors[..., 2]), 0.6)
    return (np.sqrt(np.maximum(b * b - a * (start @ start - 1), 0)) - b) / a
