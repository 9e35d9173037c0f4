"""The outside of a head as seen from within: one point of the surface in each direction of a grid.

Each point is bound to a triangle of the model, found once on its mean, so that the grid of any other head of the model is a
gather: it follows identity and expression. Where a model has no surface (a face without skull or neck) the grid is continued
by a skull of usual shape.
"""

import dataclasses
import math

import numba
import numpy as np

from trainer.morphable.model import MorphableModel
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
        points = gather(np.ascontiguousarray(vertices, np.float32), self.corners, self.weights)
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
        radius = np.linalg.norm(points - center, axis=-1)
        distance = np.linalg.norm(away, axis=-1)
        azimuth = np.degrees(np.arctan2(away[:, 0], away[:, 2]))
        elevation = np.degrees(np.arcsin(np.clip(away[:, 1] / np.maximum(distance, 1e-6), -1, 1)))
        return distance - at(self.directions, radius[..., None], azimuth, elevation)[:, 0]


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
    _interpolate(
        np.ascontiguousarray(values, np.float32),
        azimuth.ravel(),
        elevation.ravel(),
        (across[0], across[1] - across[0], up[0], up[1] - up[0]),
        directions.wraps,
        result,
    )
    return result.reshape(*azimuth.shape, -1)


@numba.njit(cache=True, nogil=True)
def _interpolate(values, azimuth, elevation, start_step, wraps, result):  # type: ignore[no-untyped-def]
    """`at` on `[N]` azimuths and elevations into `[N, D]`."""
    rows, columns, depth = values.shape
    for index in range(len(azimuth)):
        x = (azimuth[index] - start_step[0]) / start_step[1]
        x = x - columns * math.floor(x / columns) if wraps else min(max(x, 0.0), columns - 1.0)
        y = min(max((elevation[index] - start_step[2]) / start_step[3], 0.0), rows - 1.0)
        left, low = min(int(x), columns - 1), min(int(y), rows - 2)
        right = (left + 1) % columns if wraps else min(left + 1, columns - 1)
        fx, fy = x - left, y - low
        for axis in range(depth):
            bottom = values[low, left, axis] * (1 - fx) + values[low, right, axis] * fx
            top = values[low + 1, left, axis] * (1 - fx) + values[low + 1, right, axis] * fx
            result[index, axis] = bottom * (1 - fy) + top * fy


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
    _smooth(result, np.asarray(center, np.float32), passes, wraps)
    return result


@numba.njit(cache=True, nogil=True)
def _smooth(points, center, passes, wraps):  # type: ignore[no-untyped-def]
    """`smoothed` in place on `[R, C, 3]`."""
    rows, columns = points.shape[:2]
    radius = np.empty((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            x, y, z = points[row, column] - center
            radius[row, column] = math.sqrt(x * x + y * y + z * z)
    before, lifted = radius.copy(), radius.copy()
    for _ in range(passes):
        for row in range(rows):
            low, high = max(row - 1, 0), min(row + 1, rows - 1)
            for column in range(columns):
                left, right = column - 1, column + 1
                if wraps:
                    left, right = left % columns, right % columns
                else:
                    left, right = max(left, 0), min(right, columns - 1)
                total = before[low, column] + before[high, column] + before[row, left] + before[row, right]
                lifted[row, column] = max(before[row, column], np.float32(0.25) * total)
        before[:] = lifted
    for row in range(rows):
        for column in range(columns):
            factor = lifted[row, column] / max(radius[row, column], np.float32(1e-6))
            for axis in range(3):
                points[row, column, axis] = center[axis] + (points[row, column, axis] - center[axis]) * factor


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
    found, weights, radius = _cast(
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


@numba.njit(cache=True, nogil=True)
def gather(vertices, corners, weights):  # type: ignore[no-untyped-def]
    """`[N, 3]` float32 points at weights `[N, 3]` of the corners `[N, 3]` among vertices `[V, 3]`."""
    points = np.empty((corners.shape[0], 3), np.float32)
    for point in range(corners.shape[0]):
        a, b, c = corners[point, 0], corners[point, 1], corners[point, 2]
        u, v, w = weights[point, 0], weights[point, 1], weights[point, 2]
        for axis in range(3):
            points[point, axis] = u * vertices[a, axis] + v * vertices[b, axis] + w * vertices[c, axis]
    return points


@numba.njit(cache=True, nogil=True)
def _cast(vertices, triangles, vectors, columns, rows):  # type: ignore[no-untyped-def]
    """Outermost hits of rays from 0 along a grid of unit vectors `[R * C, 3]`.

    Args:
        vertices: `[V, 3]`.
        triangles: `[T, 3]`.
        vectors: The rays.
        columns: First azimuth, its step, how many; degrees.
        rows: Same of elevations.

    Returns:
        `[R * C]` triangle or -1, `[R * C, 3]` barycentrics, `[R * C]` distance, 0 for none.
    """
    count = vectors.shape[0]
    found = np.full(count, -1, np.int64)
    weights = np.zeros((count, 3))
    radius = np.zeros(count)
    column_count, row_count = int(columns[2]), int(rows[2])
    azimuth, elevation = np.empty(3), np.empty(3)
    for triangle in range(triangles.shape[0]):
        a = vertices[triangles[triangle, 0]].astype(np.float64)
        b = vertices[triangles[triangle, 1]].astype(np.float64)
        c = vertices[triangles[triangle, 2]].astype(np.float64)
        bc, ca, ab = np.cross(b, c), np.cross(c, a), np.cross(a, b)
        volume = a[0] * bc[0] + a[1] * bc[1] + a[2] * bc[2]
        if volume <= 0:
            continue  # seen from the centre the outside's triangles show their backs
        for corner, point in enumerate((a, b, c)):
            azimuth[corner] = math.degrees(math.atan2(point[0], point[2]))
            elevation[corner] = math.degrees(math.atan2(point[1], math.hypot(point[0], point[2])))
        for corner in (1, 2):
            azimuth[corner] -= 360 * round((azimuth[corner] - azimuth[0]) / 360)
        span = max(azimuth.max() - azimuth.min(), 1.0)
        around = max(elevation.max(), -elevation.min()) > 80
        margin = max(1.0, elevation.max() - elevation.min())
        first_row = max(0, math.floor((elevation.min() - margin - rows[0]) / rows[1]))
        last_row = min(row_count - 1, math.ceil((elevation.max() + margin - rows[0]) / rows[1]))
        first = math.floor((azimuth.min() - span - columns[0]) / columns[1])
        last = math.ceil((azimuth.max() + span - columns[0]) / columns[1])
        turn = round(360 / columns[1])
        if around or last - first >= turn:
            first, last = 0, column_count - 1
        for row in range(first_row, last_row + 1):
            for unwrapped in range(first, last + 1):
                column = unwrapped % turn
                if column >= column_count:
                    continue
                ray = row * column_count + column
                d = vectors[ray]
                u = (d[0] * bc[0] + d[1] * bc[1] + d[2] * bc[2]) / volume
                v = (d[0] * ca[0] + d[1] * ca[1] + d[2] * ca[2]) / volume
                w = (d[0] * ab[0] + d[1] * ab[1] + d[2] * ab[2]) / volume
                if u < 0 or v < 0 or w < 0:
                    continue
                distance = 1 / (u + v + w)
                if distance > radius[ray]:
                    radius[ray] = distance
                    found[ray] = triangle
                    weights[ray, 0], weights[ray, 1], weights[ray, 2] = u * distance, v * distance, w * distance
    return found, weights, radius
