"""Compiled loops over a mesh: the sum of a face's modes, and shoulders that do not follow the head.

One thread and one order of summation: the same input gives the same bits.
"""

import math

import numba
import numpy as np

BLOCK = 1024
"""Numbers that are summed over all modes before the next ones: they stay in the core's cache."""


class Modes:
    """Displacements of a mesh, ready to be summed: where a mode moves nothing, it costs nothing."""

    def __init__(self, modes: np.ndarray):
        """Prepares.

        Args:
            modes: `[K, V, 3]` float32.
        """
        self._modes = modes.reshape(len(modes), modes[0].size if len(modes) else 0)
        count = self._modes.shape[1]
        starts = np.arange(0, count, BLOCK)
        self._moves = (
            np.add.reduceat(self._modes != 0, starts, axis=1) > 0 if count else np.zeros((len(modes), 0), bool)
        )

    def added(self, base: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """A mesh plus weighted modes.

        Args:
            base: `[V, 3]` float32.
            weights: `[K]` float32.

        Returns:
            `[V, 3]` float32.
        """
        out = base.copy()
        _add_modes(out.reshape(-1), self._modes, self._moves, weights)
        return out


@numba.njit(cache=True, nogil=True)
def _add_modes(out, modes, moves, weights):  # type: ignore[no-untyped-def]
    """Adds to `[N]` `out`; `moves` `[K, blocks]` tells in which blocks a mode is not 0. Four modes go in one pass."""
    used = np.empty(weights.size + 3, np.int64)
    factors = np.zeros(weights.size + 3, np.float32)
    for block in range(moves.shape[1]):
        start = block * BLOCK
        part = out[start : start + BLOCK]
        count = 0
        for mode in range(weights.size):
            if moves[mode, block] and weights[mode] != 0:
                used[count], factors[count] = mode, weights[mode]
                count += 1
        used[count : count + 3], factors[count : count + 3] = 0, 0
        for first in range(0, count, 4):
            a, b, c, d = factors[first], factors[first + 1], factors[first + 2], factors[first + 3]
            row_a = modes[used[first], start : start + BLOCK]
            row_b = modes[used[first + 1], start : start + BLOCK]
            row_c = modes[used[first + 2], start : start + BLOCK]
            row_d = modes[used[first + 3], start : start + BLOCK]
            for index in range(part.size):
                part[index] += a * row_a[index] + b * row_b[index] + c * row_c[index] + d * row_d[index]


@numba.njit(cache=True, nogil=True)
def _turn_weighted(vertices, weights, axis, angle):  # type: ignore[no-untyped-def]
    """Turns each vertex by its weight's share of an angle about an axis through the middle of the neck (Rodrigues).

    Args:
        vertices: `[V, 3]` float32, turned in place.
        weights: `[V]` float32 in [0, 1].
        axis: `[3]` float64 unit vector.
        angle: Radians.
    """
    pivot, total = np.zeros(3), 0.0
    for vertex in range(vertices.shape[0]):
        share = weights[vertex] * (1 - weights[vertex])
        total += share
        for coordinate in range(3):
            pivot[coordinate] += share * vertices[vertex, coordinate]
    if total > 0:
        pivot /= total
    for vertex in range(vertices.shape[0]):
        weight = weights[vertex]
        if weight <= 0:
            continue
        sine, cosine = math.sin(weight * angle), math.cos(weight * angle)
        x, y, z = vertices[vertex, 0] - pivot[0], vertices[vertex, 1] - pivot[1], vertices[vertex, 2] - pivot[2]
        along = (axis[0] * x + axis[1] * y + axis[2] * z) * (1 - cosine)
        vertices[vertex, 0] = pivot[0] + x * cosine + (axis[1] * z - axis[2] * y) * sine + axis[0] * along
        vertices[vertex, 1] = pivot[1] + y * cosine + (axis[2] * x - axis[0] * z) * sine + axis[1] * along
        vertices[vertex, 2] = pivot[2] + z * cosine + (axis[0] * y - axis[1] * x) * sine + axis[2] * along


def turn_body(vertices: np.ndarray, weights: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Turns the shoulders under the head; the neck follows smoothly.

    Args:
        vertices: `[V, 3]` float32 millimetres, model frame.
        weights: `[V]` float32: the model's region `body`, 0 on the skull, 1 on the shoulders.
        rotation: `[3, 3]` of the shoulders, model frame.

    Returns:
        `[V, 3]` float32.
    """
    vector = _rotation_vector(rotation)
    angle = float(np.linalg.norm(vector))
    if angle < 1e-6:
        return vertices
    turned = vertices.copy()
    _turn_weighted(turned, weights, vector / angle, angle)
    return turned


def _rotation_vector(rotation: np.ndarray) -> np.ndarray:
    """`[3]` axis times angle of a rotation by less than 180°."""
    twist = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine, cosine = np.linalg.norm(twist) / 2, (np.trace(rotation) - 1) / 2
    return twist / 2 * (math.atan2(sine, cosine) / sine) if sine > 1e-9 else np.zeros(3)
