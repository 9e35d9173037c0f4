"""The shadow that a head and what it wears cast by the parallel light: a depth map from the light's side, softly looked up.

The map is seen along the light, orthographically, around the first surface, the head. A point is lit by the share of the texels
around it that see nothing nearer to the light (percentage-closer filtering, Reeves et al. 1987), weighted by a tent, so that a
shadow's edge is a ramp. The point is moved off its surface along the normal first, which keeps a surface from shadowing itself.
"""

import math

import numba
import numpy as np

from trainer.rendering.forward_coverage import see
from trainer.rendering.forward_geometry import rotation_rows
from trainer.rendering.forward_scene import Scene
from trainer.rendering.forward_scratch import SCRATCH
from trainer.rendering.visibility_numba import read

SIZE = 192
"""Texels along a side of the map."""

REACH = 160.0
"""Millimetres around the model frame's origin that the map shows at most, in each direction: a head and its neck, by texels of
1.7 mm. What lies farther out is lit."""

_MARGIN = 4
"""Texels around what the map shows."""

_OFF_SURFACE = np.float32(2.5)
"""Along the normal, texels. The filter reaches 2 texels from the point: its depths differ from the point's by up to 2 tan θ under
a light at the angle θ from the normal, and an offset of n along the normal is n / cos θ along the light."""

_BIAS = np.float32(0.5)
"""Towards the light, texels: the map's depths are those of texels' centres."""


def cast(scene: Scene, aligned: np.ndarray, origin: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The map of a scene.

    Args:
        scene: The surfaces.
        aligned: `[V, 3]` float32 their vertices in the camera-aligned model frame.
        origin: `[4]` float32 the model frame's origin there, and millimetres per unit of the frame.
        direction: `[3]` unit vector towards the light.

    Returns:
        `[SIZE, SIZE]` float32 depth in texels of what is nearest to the light, inf where there is nothing; scratch: the next
        call overwrites it. `[3, 4]` float32 frame, see `light_frame`.
    """
    frame = light_frame(direction, aligned[: scene.vertex_starts[1]], origin)
    placed = SCRATCH.take("placed", aligned.shape, np.float32)
    place_in_map(aligned, frame, placed)
    buffer = see(scene, placed, False, 1, SIZE, SIZE, both_sides=True)
    depth = SCRATCH.take("shadow", (SIZE, SIZE), np.float32)
    read(buffer, SCRATCH.take("casters", (SIZE, SIZE), np.int32), depth)
    return depth, frame


def light_frame(direction: np.ndarray, positions: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """The map's frame around a head.

    Args:
        direction: `[3]` unit vector towards the light.
        positions: `[V, 3]` float32 the head's vertices in the camera-aligned model frame.
        origin: `[4]` float32, see `cast`.

    Returns:
        `[3, 4]` float32: columns and rows of the map, and the depth in texels that grows away from the light, of a position.
    """
    away = -np.asarray(direction, np.float64) / np.linalg.norm(direction)
    across = np.cross(away, np.eye(3)[np.abs(away).argmin()])
    across /= np.linalg.norm(across)
    axes = np.stack([across, np.cross(away, across), away])
    center, reach = axes @ origin[:3], REACH / origin[3]
    bounds = np.stack([center[:2] - reach, center[:2] + reach])
    low, high = np.clip(_extent(positions, axes[:2].astype(np.float32)), *bounds)
    scale = (SIZE - 2 * _MARGIN) / max(float((high - low).max()), 1e-6)
    shift = SIZE / 2 - scale * np.append((low + high) / 2, center[2])
    return np.concatenate([scale * axes, shift[:, None]], axis=1).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _extent(positions, axes):  # type: ignore[no-untyped-def]
    """`[2, 2]` least and greatest coordinates of `[V, 3]` float32 positions along `[2, 3]` float32 axes."""
    (xx, xy, xz), (yx, yy, yz) = (axes[0, 0], axes[0, 1], axes[0, 2]), (axes[1, 0], axes[1, 1], axes[1, 2])
    low_x = low_y = np.float32(np.inf)
    high_x = high_y = np.float32(-np.inf)
    for vertex in range(positions.shape[0]):
        x = xx * positions[vertex, 0] + xy * positions[vertex, 1] + xz * positions[vertex, 2]
        y = yx * positions[vertex, 0] + yy * positions[vertex, 1] + yz * positions[vertex, 2]
        low_x, high_x, low_y, high_y = min(low_x, x), max(high_x, x), min(low_y, y), max(high_y, y)
    return np.array([[low_x, low_y], [high_x, high_y]], np.float32)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def place_in_map(positions, frame, out):  # type: ignore[no-untyped-def]
    """`[V, 3]` float32 columns, rows and depths of `[V, 3]` float32 positions in the map of a `[3, 4]` frame, into `out`."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation_rows(frame)
    shift_x, shift_y, shift_z = frame[0, 3], frame[1, 3], frame[2, 3]
    for vertex in range(positions.shape[0]):
        x, y, z = positions[vertex, 0], positions[vertex, 1], positions[vertex, 2]
        out[vertex, 0] = xx * x + xy * y + xz * z + shift_x
        out[vertex, 1] = yx * x + yy * y + yz * z + shift_y
        out[vertex, 2] = zx * x + zy * y + zz * z + shift_z


@numba.njit(cache=True, nogil=True, error_model="numpy")
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
