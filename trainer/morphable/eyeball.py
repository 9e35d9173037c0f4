"""A geometric eyeball: rings around the gaze axis that fall on the edges of pupil and iris, bound to a coarse eye mesh.

The binding is affine, by least squares over the coarse mesh's vertices, and so linear: whatever moves, scales or turns the
coarse eye does the same to this one.
"""

import dataclasses
from typing import Final

import numpy as np

PUPIL_RADIUS: Final = 1.8
"""Millimetres, indoors."""

IRIS_RADIUS: Final = 5.9
"""Millimetres: half the visible iris' diameter of 11.8 (0.4)."""

RADIUS: Final = 11.9
"""Millimetres on the base mesh, a little more on the mean head; people's eyes have 12. MakeHuman's have 16, and their front
is kept where it was."""

OUTWARD: Final = 0.8
"""How far the smaller eye sits outwards of MakeHuman's, in the middle of the lids' opening, millimetres."""

_SEGMENTS: Final = 24
_RINGS: Final = (0.9, 1.75, 1.95, 3.2, 4.6, 5.6, 6.2, 7.4, 9.0, 11.0, 13.0)
"""Distances of the front rings from the gaze axis, millimetres; edges of pupil and iris lie between two close rings."""
_BACK_RINGS: Final = (1.0, 0.85, 0.5)
"""Rings of the equator and behind, as fractions of the eyeball's radius."""


@dataclasses.dataclass(frozen=True)
class Eyeball:
    """Mesh of one eye over the vertices of a coarse eye."""

    weights: np.ndarray
    """`[V, n]`: vertices = weights @ coarse eye's vertices; rows sum to 1."""
    triangles: np.ndarray
    """`[T, 3]`, counter-clockwise seen from outside."""
    axis_distance: np.ndarray
    """`[V]` distance from the gaze axis, millimetres; infinite behind the equator."""
    angle: np.ndarray
    """`[V]` radians around the gaze axis, from x > 0 towards y > 0."""
    mirror: np.ndarray
    """`[V]`: vertex of the other eye that lies at the mirrored place, when both eyes have this structure."""


def build_eyeball(coarse: np.ndarray) -> Eyeball:
    """Eyeball in place of a larger, coarse spherical one that looks along z; both share the front pole.

    Args:
        coarse: `[n, 3]` its vertices, millimetres.

    Raises:
        ValueError: If it is smaller than a human eye.
    """
    coarse_center = (coarse.min(axis=0) + coarse.max(axis=0)) / 2
    coarse_radius = np.linalg.norm(coarse - coarse_center, axis=1).mean()
    if coarse_radius < RADIUS:
        raise ValueError(f"`coarse` must have a radius of at least {RADIUS} mm. Received: {coarse_radius:.3g}")
    radius = RADIUS
    center = coarse_center + np.array([np.sign(coarse_center[0]) * OUTWARD, 0.0, coarse_radius - radius])
    front = [(distance, np.sqrt(radius**2 - distance**2)) for distance in _RINGS if distance < 0.95 * radius]
    back = [(radius * part, -radius * np.sqrt(1 - part**2)) for part in _BACK_RINGS]
    rings = front + back
    turns = 2 * np.pi * np.arange(_SEGMENTS) / _SEGMENTS
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    points = [[[0.0, 0.0, radius]]]
    points += [np.concatenate([distance * circle, np.full((_SEGMENTS, 1), z)], axis=1) for distance, z in rings]
    points.append([[0.0, 0.0, -radius]])
    vertices = np.concatenate([np.asarray(part) for part in points]) + center
    behind = np.concatenate([[False], np.repeat(np.array(rings)[:, 1] <= 0, _SEGMENTS), [True]])
    distances = np.concatenate([[0.0], np.repeat(np.array(rings)[:, 0], _SEGMENTS), [0.0]])
    mirrored_turn = (_SEGMENTS // 2 - np.arange(_SEGMENTS)) % _SEGMENTS
    ring_start = 1 + _SEGMENTS * np.arange(len(rings))
    last = len(vertices) - 1
    return Eyeball(
        weights=_affine_weights(coarse, vertices),
        triangles=_triangles(len(rings), last),
        axis_distance=np.where(behind, np.inf, distances),
        angle=np.concatenate([[0.0], np.tile(turns, len(rings)), [0.0]]),
        mirror=np.concatenate([[0], (ring_start[:, None] + mirrored_turn).ravel(), [last]]),
    )


def gaze_turn(eye: np.ndarray, right: float, up: float) -> np.ndarray:
    """Movement `[n, 3]` of an eyeball `[n, 3]`, millimetres, that turns about its own centre.

    Args:
        eye: Its vertices on the mean head, looking along z.
        right: Degrees towards x > 0.
        up: Degrees upwards.
    """
    across, rise = np.radians(right), np.radians(up)
    turn = np.array([[np.cos(across), 0, np.sin(across)], [0, 1, 0], [-np.sin(across), 0, np.cos(across)]])
    lift = np.array([[1, 0, 0], [0, np.cos(rise), np.sin(rise)], [0, -np.sin(rise), np.cos(rise)]])
    away = eye - (eye.min(axis=0) + eye.max(axis=0)) / 2
    return away @ (turn @ lift).T - away


def _affine_weights(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """`[V, n]` weights with which any affine map of `source` `[n, 3]` maps `target` `[V, 3]` too."""
    homogeneous = np.concatenate([source - source.mean(axis=0), np.ones((len(source), 1))], axis=1)
    wanted = np.concatenate([target - source.mean(axis=0), np.ones((len(target), 1))], axis=1)
    return wanted @ np.linalg.pinv(homogeneous)


def _triangles(ring_count: int, last: int) -> np.ndarray:
    """Caps around both poles and bands between the rings."""
    here = np.arange(_SEGMENTS)
    after = (here + 1) % _SEGMENTS
    parts = [np.stack([np.zeros_like(here), 1 + here, 1 + after], axis=1)]
    for ring in range(ring_count - 1):
        inner, outer = 1 + ring * _SEGMENTS, 1 + (ring + 1) * _SEGMENTS
        parts.append(np.stack([inner + here, outer + here, outer + after], axis=1))
        parts.append(np.stack([inner + here, outer + after, inner + after], axis=1))
    final = 1 + (ring_count - 1) * _SEGMENTS
    parts.append(np.stack([final + here, np.full_like(here, last), final + after], axis=1))
    return np.concatenate(parts)
