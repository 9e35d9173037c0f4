"""Compiled loops over a mesh: the sum of a face's modes, and shoulders that do not follow the head.

One thread and one order of summation: the same input gives the same bits.
"""

import math

import numba
import numpy as np

_BLOCK = 4096
"""Numbers that are summed over all modes before the next ones: they stay in the core's cache."""


@numba.njit(cache=True, nogil=True)
def add_modes(base, modes, weights):  # type: ignore[no-untyped-def]
    """A mesh plus weighted modes; modes of weight 0 cost nothing.

    Args:
        base: `[V, 3]` float32.
        modes: `[K, V, 3]` float32.
        weights: `[K]` float32.

    Returns:
        `[V, 3]` float32.
    """
    out = base.copy()
    flat, rows = out.reshape(-1), modes.reshape(modes.shape[0], -1)
    for start in range(0, flat.size, _BLOCK):
        stop = min(start + _BLOCK, flat.size)
        for mode in range(weights.size):
            weight = weights[mode]
            if weight != 0:
                for index in range(start, stop):
                    flat[index] += weight * rows[mode, index]
    return out


@numba.njit(cache=True, nogil=True)
def turn_weighted(vertices, weights, pivot, axis, angle):  # type: ignore[no-untyped-def]
    """Turns each vertex about an axis by its weight's share of an angle (Rodrigues).

    Args:
        vertices: `[V, 3]` float32, turned in place.
        weights: `[V]` float32 in [0, 1].
        pivot: `[3]` float64 point of the axis.
        axis: `[3]` float64 unit vector.
        angle: Radians.
    """
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
    if angle < 1e-6 or not weights.any():
        return vertices
    neck = weights * (1 - weights)
    pivot = (neck[:, None] * vertices).sum(axis=0, dtype=np.float64) / max(float(neck.sum()), 1e-9)
    turned = vertices.copy()
    turn_weighted(turned, weights, pivot, vector / angle, angle)
    return turned


def _rotation_vector(rotation: np.ndarray) -> np.ndarray:
    """`[3]` axis times angle of a rotation by less than 180°."""
    twist = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine, cosine = np.linalg.norm(twist) / 2, (np.trace(rotation) - 1) / 2
    return twist / 2 * (math.atan2(sine, cosine) / sine) if sine > 1e-9 else np.zeros(3)
