"""How a thing that a head wears follows that head: each of its vertices hangs on a triangle of the head.

A place is the triangle's point plus an offset. Offsets turn and grow either with the whole skull or body (*anchored*: the
similarity that takes the anchors' places on the mean head to where they are now; hair, clothes, hats: lengths of decimetres
stay calm) or with the triangle itself (*surface*: its normal and first edge; brows, lashes: they follow a blink).
"""

import dataclasses
import functools
from typing import Any

import numba
import numpy as np

SMALLEST_AREA = 1e-12
"""Twice the area of a triangle below which it has no frame, square millimetres: its vertices sit on it without an offset."""


@dataclasses.dataclass(frozen=True)
class Binding:
    """Places of N vertices on a head.

    Raises:
        ValueError: If shapes do not fit, a value is not finite, or there are fewer than three anchors.
    """

    corners: np.ndarray
    """`[N, 3]` int32 vertices of the head: the triangle, or the mirror image of one."""
    barycentrics: np.ndarray
    """`[N, 3]` float32 weights of its corners, summing to 1."""
    offsets: np.ndarray
    """`[N, 3]` float32 millimetres: model axes of the mean head if anchored, else along the first edge, along its
    perpendicular in the triangle, and along the normal."""
    anchors: np.ndarray | None = None
    """`[A]` int32 vertices of the head that carry the offsets, None if each triangle carries its own."""
    anchor_places: np.ndarray | None = None
    """`[A, 3]` float32 their places on the mean head, millimetres."""

    def __post_init__(self) -> None:
        count = len(self.corners)
        wanted: dict[str, tuple[Any, tuple[int, ...]]] = {
            "corners": (np.int32, (count, 3)),
            "barycentrics": (np.float32, (count, 3)),
            "offsets": (np.float32, (count, 3)),
        }
        if (self.anchors is None) != (self.anchor_places is None):
            raise ValueError("`anchors` and `anchor_places` must be given together.")
        if self.anchors is not None:
            if len(self.anchors) < 3:
                raise ValueError(f"`anchors` must be three or more. Received: {len(self.anchors)}")
            wanted |= {
                "anchors": (np.int32, (len(self.anchors),)),
                "anchor_places": (np.float32, (len(self.anchors), 3)),
            }
        for name, (dtype, shape) in wanted.items():
            array = np.ascontiguousarray(getattr(self, name), dtype)
            if array.shape != shape:
                raise ValueError(f"`{name}` must be {list(shape)}. Received: {list(array.shape)}")
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(f"`{name}` must be finite.")
            object.__setattr__(self, name, array)

    @functools.cached_property
    def highest(self) -> int:
        """Greatest vertex of the head that it names, -1 if none."""
        anchors = -1 if self.anchors is None else int(self.anchors.max())
        return max(anchors, int(self.corners.max(initial=-1)))

    def carried(self, vertices: np.ndarray) -> np.ndarray | None:
        """`[3, 3]` what turns and scales anchored offsets on a head `[V, 3]`; None if they are not anchored.

        The same for all garments with the same anchors, so that it can be kept.
        """
        if self.anchors is None or self.anchor_places is None:
            return None
        return similarity(self.anchor_places, vertices[self.anchors])

    def place(self, vertices: np.ndarray, stretch: float = 1.0, carry: np.ndarray | None = None) -> np.ndarray:
        """Where the bound vertices are on a head.

        Args:
            vertices: `[V, 3]` of the head, millimetres, model frame.
            stretch: Factor on anchored offsets: more makes hair fuller and longer.
            carry: What `carried` gives for this head; None finds it.

        Returns:
            `[N, 3]` float32, millimetres, model frame.

        Raises:
            ValueError: If the binding names a vertex that this head lacks.
        """
        vertices = np.ascontiguousarray(vertices, np.float32)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or self.highest >= len(vertices):
            raise ValueError(
                f"`vertices` must be [V, 3] with V above {self.highest}, the head that the garment was bound to. "
                f"Received: {list(vertices.shape)}"
            )
        if self.anchors is None:
            return _place_on_surface(vertices, self.corners, self.barycentrics, self.offsets, np.float32(SMALLEST_AREA))
        turn = np.float32(stretch) * np.asarray(self.carried(vertices) if carry is None else carry, np.float32)
        return _place_anchored(vertices, self.corners, self.barycentrics, self.offsets, turn)

    def interpolated(self, values: np.ndarray) -> np.ndarray:
        """What a head's vertices have, at the points of the skin that the bound vertices hang on.

        Args:
            values: `[V, 3]`, for example colours.

        Returns:
            `[N, 3]` float32.
        """
        still = np.zeros((3, 3), np.float32)
        values = np.ascontiguousarray(values, np.float32)
        return _place_anchored(values, self.corners, self.barycentrics, self.offsets, still)

    def mirrored(self, mirror_vertex: np.ndarray) -> "Binding":
        """The binding of the thing's mirror image (x to −x); its own triangles must be turned round by the caller.

        Args:
            mirror_vertex: `[V]` the model's mirror pairs.
        """
        corners = mirror_vertex[self.corners]
        if self.anchors is None:
            # The image of a triangle runs the other way round: its normal points inwards.
            return Binding(corners, self.barycentrics, self.offsets * np.array([1, 1, -1], np.float32))
        flip = np.array([-1, 1, 1], np.float32)
        return Binding(corners, self.barycentrics, self.offsets * flip, self.anchors, self.anchor_places)


def similarity(places: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Rotation times scale that best takes points onto others after both are centred (Umeyama 1991, eq. 40–42).

    Args:
        places: `[A, 3]`.
        targets: `[A, 3]`.

    Returns:
        `[3, 3]` float64.
    """
    return np.asarray(_similarity(np.ascontiguousarray(places), np.ascontiguousarray(targets)))


@numba.njit(cache=True, nogil=True)
def _similarity(places, targets):  # type: ignore[no-untyped-def]
    count = len(places)
    middle, aim, squares = np.zeros(3), np.zeros(3), 0.0
    for index in range(count):
        for axis in range(3):
            middle[axis] += places[index, axis] / count
            aim[axis] += targets[index, axis] / count
    covariance = np.zeros((3, 3))
    for index in range(count):
        for axis in range(3):
            away = places[index, axis] - middle[axis]
            squares += away * away
            for other in range(3):
                covariance[other, axis] += (targets[index, other] - aim[other]) * away
    left, values, right = np.linalg.svd(covariance)
    if np.linalg.det(left) * np.linalg.det(right) < 0:
        left[:, 2] = -left[:, 2]
        values[2] = -values[2]
    return left @ right * (values.sum() / squares)


@numba.njit(cache=True, fastmath=False)
def _place_anchored(vertices, corners, barycentrics, offsets, carry):  # type: ignore[no-untyped-def]
    placed = np.empty((len(corners), 3), np.float32)
    for index in range(len(corners)):
        for axis in range(3):
            value = np.float32(0)
            for corner in range(3):
                value += barycentrics[index, corner] * vertices[corners[index, corner], axis]
                value += carry[axis, corner] * offsets[index, corner]
            placed[index, axis] = value
    return placed


@numba.njit(cache=True, fastmath=False)
def _place_on_surface(vertices, corners, barycentrics, offsets, smallest_area):  # type: ignore[no-untyped-def]
    placed = np.empty((len(corners), 3), np.float32)
    for index in range(len(corners)):
        first, second, third = corners[index, 0], corners[index, 1], corners[index, 2]
        edge_x = vertices[second, 0] - vertices[first, 0]
        edge_y = vertices[second, 1] - vertices[first, 1]
        edge_z = vertices[second, 2] - vertices[first, 2]
        other_x = vertices[third, 0] - vertices[first, 0]
        other_y = vertices[third, 1] - vertices[first, 1]
        other_z = vertices[third, 2] - vertices[first, 2]
        normal_x = edge_y * other_z - edge_z * other_y
        normal_y = edge_z * other_x - edge_x * other_z
        normal_z = edge_x * other_y - edge_y * other_x
        area = np.sqrt(normal_x * normal_x + normal_y * normal_y + normal_z * normal_z)
        along, across, out = np.float32(0), np.float32(0), np.float32(0)
        if area > smallest_area:
            length = np.sqrt(edge_x * edge_x + edge_y * edge_y + edge_z * edge_z)
            along = offsets[index, 0] / length
            across = offsets[index, 1] / (area * length)
            out = offsets[index, 2] / area
        for axis in range(3):
            value = along * (edge_x if axis == 0 else edge_y if axis == 1 else edge_z)
            value += out * (normal_x if axis == 0 else normal_y if axis == 1 else normal_z)
            for corner in range(3):
                value += barycentrics[index, corner] * vertices[corners[index, corner], axis]
            placed[index, axis] = value
        placed[index, 0] += across * (normal_y * edge_z - normal_z * edge_y)
        placed[index, 1] += across * (normal_z * edge_x - normal_x * edge_z)
        placed[index, 2] += across * (normal_x * edge_y - normal_y * edge_x)
    return placed
