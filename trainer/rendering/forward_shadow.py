"""The shadow that a head and what it wears cast by the parallel light: a depth map from the light's side, softly looked up.

The map is seen along the light, orthographically, around the first surface. A point is lit by the share of the map's texels
around it that see nothing nearer to the light (percentage-closer filtering, Reeves et al. 1987), weighted by a tent, so that a
shadow's edge is a ramp. The point is moved off its surface along the normal first, which keeps a surface from shadowing itself.
"""

import math

import numba
import numpy as np

SIZE = 160
"""Texels along a side of the map: about 2 mm on a head."""

_MARGIN = 1.15
"""The map reaches this far around the first surface."""

_OFF_SURFACE = np.float32(2.5)
"""Along the normal, texels. The filter reaches 2 texels from the point: its depths differ from the point's by up to 2 tan θ under
a light at the angle θ from the normal, and an offset of n along the normal is n / cos θ along the light."""

_BIAS = np.float32(0.5)
"""Towards the light, texels: the map's depths are those of texels' centres."""


def light_frame(direction: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The map's frame around some points.

    Args:
        direction: `[3]` unit vector towards the light.
        positions: `[V, 3]` points that the map shall show; those that are not finite are left out.

    Returns:
        `[3, 4]` float32: columns and rows of the map, and the depth in texels that grows away from the light, of a position.
    """
    away = -np.asarray(direction, np.float64) / np.linalg.norm(direction)
    across = np.cross(away, np.eye(3)[np.abs(away).argmin()])
    across /= np.linalg.norm(across)
    axes = np.stack([across, np.cross(away, across), away])
    seen = positions @ axes.T.astype(np.float32)
    low, high = np.nanmin(seen, axis=0), np.nanmax(seen, axis=0)
    scale = SIZE / max(float((high - low)[:2].max()) * _MARGIN, 1e-6)
    shift = SIZE / 2 - scale * (low + high) / 2
    return np.concatenate([scale * axes, shift[:, None]], axis=1).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def place_in_map(positions, frame, out):  # type: ignore[no-untyped-def]
    """`[V, 3]` float32 columns, rows and depths of `[V, 3]` float32 positions in the map of a `[3, 4]` frame, into `out`."""
    for vertex in range(positions.shape[0]):
        x, y, z = positions[vertex, 0], positions[vertex, 1], positions[vertex, 2]
        for axis in range(3):
            out[vertex, axis] = frame[axis, 0] * x + frame[axis, 1] * y + frame[axis, 2] * z + frame[axis, 3]


@numba.njit(cache=True, nogil=True)
def lit_share(shadow_map, frame, x, y, z, nx, ny, nz):  # type: ignore[no-untyped-def]
    """Share of the parallel light that reaches a point, float32 in [0, 1]; 1 outside the map.

    Args:
        shadow_map: `[size, size]` float32 depth of the nearest surface in texels, inf where there is none.
        frame: `[3, 4]` float32, see `light_frame`.
        x: Float32 position, with y and z.
        y: Same.
        z: Same.
        nx: Float32 unit normal on the light's side of the surface, with ny and nz.
        ny: Same.
        nz: Same.
    """
    size, half, one = shadow_map.shape[0], np.float32(0.5), np.float32(1.0)
    scale = np.float32(math.sqrt(frame[2, 0] * frame[2, 0] + frame[2, 1] * frame[2, 1] + frame[2, 2] * frame[2, 2]))
    offset = _OFF_SURFACE / scale
    x, y, z = x + offset * nx, y + offset * ny, z + offset * nz
    column = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z + frame[0, 3] - half
    row = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z + frame[1, 3] - half
    depth = frame[2, 0] * x + frame[2, 1] * y + frame[2, 2] * z + frame[2, 3] - _BIAS
    if not (column >= one and row >= one and column < np.float32(size - 3) and row < np.float32(size - 3)):
        return one
    left, top = int(column), int(row)
    across, down = column - np.float32(left), row - np.float32(top)
    total = np.float32(0.0)
    for step in range(4):
        y_weight = one
        if step == 0:
            y_weight = one - down
        elif step == 3:
            y_weight = down
        line = shadow_map[top - 1 + step]
        lit = (one - across) * np.float32(line[left - 1] >= depth) + across * np.float32(line[left + 2] >= depth)
        lit += np.float32(line[left] >= depth) + np.float32(line[left + 1] >= depth)
        total += y_weight * lit
    return total * np.float32(1.0 / 9.0)
