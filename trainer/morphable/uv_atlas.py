"""UV atlas: a model's face laid on a square, as position, normal and weight maps (Piao et al. 2019; Feng et al. 2018).

Pixels are the nodes of a grid whose outer ones lie on the square's border: row r, column c is at u = c / (size - 1),
v = 1 - r / (size - 1). A map is a fixed gather and blend: pixel = Σ_k weight_k · vertex_k over the three corners of the triangle
on which it lies, which a tensor pipeline does with `pixel_vertices` and `pixel_weights`. Holes (the mouth) are spanned by
triangles between the vertices of their edge. The way back is bilinear interpolation at the vertices' places.
"""

import numpy as np
from scipy import sparse

from trainer.contract import CLOSED_GROUPS, LANDMARK_GROUPS
from trainer.morphable.conformal_map import map_to_square
from trainer.morphable.face_region import FaceRegion, face_region
from trainer.morphable.hole_span import span_holes
from trainer.morphable.model import MorphableModel

_KEPT = 8
"""Atlases that a process remembers."""

_FARTHEST_LANDMARK = 5.0
"""How far a landmark may lie beside the face that is mapped, millimetres."""

_MIDDLE = 1.0
"""A vertex that is its own mirror image lies within so many millimetres of x = 0; elsewhere it has none."""

_MOST_SLACK = 1e-6
"""How far outside its best triangle a pixel may lie, in barycentrics: rounding."""


class UvAtlas:
    """The atlas of one model at one size. Arrays are made once; treat them as constant.

    Args:
        model: Any model with landmarks.
        size: Side of the maps, pixels.
        landmark_set: What says where the face is, and where weights are high.
        balance: See `conformal_map.map_to_square`: 0 is conformal; by default what sticks out gets room.

    Raises:
        ValueError: If the size is less than 2, or the model's face has no map (see `face_region` and `map_to_square`).
    """

    def __init__(self, model: MorphableModel, size: int = 256, landmark_set: str = "basel", balance: float = 1.0):
        if size < 2:
            raise ValueError(f"`size` must be at least 2. Received: size={size}")
        region = face_region(model, landmark_set)
        mirror = _local_mirror(model, region.vertex_ids)
        points = model.mean[region.vertex_ids].astype(np.float64)
        if mirror is not None:
            paired = mirror >= 0
            points[paired] = (points[paired] + points[mirror[paired]] * [-1, 1, 1]) / 2
        self.size = size
        self.vertex_ids = region.vertex_ids
        """`[N]` int32 vertices of the model that the atlas holds."""
        self.triangles = region.triangles
        """`[F, 3]` int32 the face as a mesh over these N vertices."""
        self.coordinates = map_to_square(points, region.triangles, region.loops, balance, mirror)
        """`[N, 2]` float64 u, v of these vertices in [0, 1], v upwards; mirrored vertices are at u and 1 - u where the mesh is
        symmetric."""
        spans = span_holes(self.coordinates, region.loops[1:], mirror)
        corners, weights = _locate(self.coordinates, np.concatenate([region.triangles, spans]), size)
        self.pixel_vertices = region.vertex_ids[corners]
        """`[size, size, 3]` int32 vertices of the model that a pixel blends."""
        self.pixel_weights = weights
        """`[size, size, 3]` float32 their weights; they sum to 1."""
        self.vertex_pixels, self.vertex_weights = self._bilinear(self.coordinates)
        self.landmark_coordinates = self._landmark_coordinates(model, landmark_set, region)
        """`[68, 2]` u, v of the landmarks."""
        self.landmark_pixels, self.landmark_weights = self._bilinear(self.landmark_coordinates)

    @classmethod
    def of(cls, model: MorphableModel, size: int = 256) -> "UvAtlas":
        """The atlas of a model, made once a process for each model and size."""
        key = (model.sha256, size)
        if key not in _atlases:
            while len(_atlases) >= _KEPT:
                _atlases.pop(next(iter(_atlases)))
            _atlases[key] = cls(model, size)
        return _atlases[key]

    def position_map(self, vertices: np.ndarray) -> np.ndarray:
        """Positions over the square.

        Args:
            vertices: `[..., V, 3]` of the model, any frame.

        Returns:
            `[..., size, size, 3]` in the vertices' frame and type.

        Raises:
            ValueError: If there are fewer vertices than the model's.
        """
        if vertices.ndim < 2 or vertices.shape[-2] <= self.vertex_ids[-1] or vertices.shape[-1] != 3:
            raise ValueError(f"`vertices` must be [..., V, 3] of the model. Received: {vertices.shape}")
        weights = self.pixel_weights.astype(vertices.dtype)
        blended = (
            vertices[..., self.pixel_vertices[..., corner], :] * weights[..., corner, None] for corner in range(3)
        )
        return sum(blended, start=np.zeros((), vertices.dtype))

    def normal_map(self, vertices: np.ndarray) -> np.ndarray:
        """Normals over the square: those of the vertices, interpolated.

        Args:
            vertices: `[..., V, 3]` of the model, right-handed frame.

        Returns:
            `[..., size, size, 3]` unit, out of the face.
        """
        corners = vertices[..., self.vertex_ids, :][..., self.triangles, :]
        faces = np.cross(corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :])
        count = len(self.triangles)
        touching = sparse.csr_matrix(
            (np.ones(3 * count), (self.vertex_ids[self.triangles].ravel(), np.repeat(np.arange(count), 3))),
            shape=(vertices.shape[-2], count),
        )
        sums = np.stack([touching @ one for one in faces.reshape(-1, count, 3)])
        normals = self.position_map(_unit(sums).astype(vertices.dtype)).reshape(
            *vertices.shape[:-2], self.size, self.size, 3
        )
        return _unit(normals)

    def weight_map(self, sigma: float = 0.05) -> np.ndarray:
        """How much a pixel of a position map matters: Gaussian of the distance to the edges through the landmarks.

        Args:
            sigma: Standard deviation of the Gaussian, in sides of the square.

        Returns:
            `[size, size]` float32 in (0, 1], 1 on the edges.

        Raises:
            ValueError: If `sigma` is not positive.
        """
        if not sigma > 0:
            raise ValueError(f"`sigma` must be positive. Received: sigma={sigma}")
        starts, ends = [], []
        for name, group in LANDMARK_GROUPS.items():
            following = [*group[1:], group[0]] if name in CLOSED_GROUPS else group[1:]
            starts += list(group[: len(following)])
            ends += list(following)
        nodes = _nodes(self.size).reshape(-1, 2)
        squared = np.full(len(nodes), np.inf)
        for start, end in zip(self.landmark_coordinates[starts], self.landmark_coordinates[ends], strict=True):
            edge = end - start
            along = np.clip((nodes - start) @ edge / max(float(edge @ edge), 1e-18), 0, 1)
            squared = np.minimum(squared, np.square(nodes - start - along[:, None] * edge).sum(axis=1))
        return np.exp(-squared / (2 * sigma**2)).astype(np.float32).reshape(self.size, self.size)

    def vertices_from(self, position_map: np.ndarray) -> np.ndarray:
        """The vertices of the face from a position map.

        Args:
            position_map: `[..., size, size, 3]`.

        Returns:
            `[..., N, 3]` in the order of `vertex_ids`; `triangles` makes a mesh of them.

        Raises:
            ValueError: If the map has another size.
        """
        return self._sampled(position_map, self.vertex_pixels, self.vertex_weights)

    def landmarks_from(self, position_map: np.ndarray) -> np.ndarray:
        """The landmarks of the face from a position map: `[..., size, size, 3]` to `[..., 68, 3]`."""
        return self._sampled(position_map, self.landmark_pixels, self.landmark_weights)

    def _landmark_coordinates(self, model: MorphableModel, landmark_set: str, region: FaceRegion) -> np.ndarray:
        """`[68, 2]` u, v; a landmark beside the region, on an eyeball say, is at the nearest vertex."""
        landmarks = model.landmarks[landmark_set]
        corners, weights = model.triangles[landmarks.triangles], landmarks.barycentrics
        local = np.minimum(np.searchsorted(region.vertex_ids, corners), len(region.vertex_ids) - 1)
        coordinates = np.einsum("nkd,nk->nd", self.coordinates[local], weights)
        points = model.landmark_points(model.mean, landmark_set)
        for index in np.flatnonzero(~np.isin(landmarks.triangles, region.triangle_ids)):
            distances = np.linalg.norm(model.mean[region.vertex_ids] - points[index], axis=1)
            if distances.min() > _FARTHEST_LANDMARK:
                raise ValueError(
                    f"`model` must have its landmarks within {_FARTHEST_LANDMARK:g} mm of the face. "
                    f"Received: landmark {index} is {distances.min():.1f} mm off it"
                )
            coordinates[index] = self.coordinates[distances.argmin()]
        return coordinates

    def _bilinear(self, coordinates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`[n, 4]` int32 pixels, counted row by row, and float32 weights of points `[n, 2]` of the square."""
        place = np.clip(coordinates * [1, -1] + [0, 1], 0, 1) * (self.size - 1)
        first = np.minimum(place.astype(np.int64), self.size - 2)
        column, row = first.T
        x, y = (place - first).T
        pixels = np.stack([row * self.size + column + step for step in (0, 1, self.size, self.size + 1)], axis=-1)
        weights = np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], axis=-1)
        return pixels.astype(np.int32), weights.astype(np.float32)

    def _sampled(self, position_map: np.ndarray, pixels: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if position_map.shape[-3:] != (self.size, self.size, 3):
            raise ValueError(
                f"`position_map` must be [..., {self.size}, {self.size}, 3]. Received: {position_map.shape}"
            )
        flat = position_map.reshape(*position_map.shape[:-3], -1, 3)
        return np.einsum("...nkd,nk->...nd", flat[..., pixels, :], weights.astype(position_map.dtype))


_atlases: dict[tuple[str, int], UvAtlas] = {}


def _local_mirror(model: MorphableModel, vertex_ids: np.ndarray) -> np.ndarray | None:
    """`[N]` mirror vertices among those of the atlas, -1 for a vertex without one; None for a model without mirror."""
    if np.array_equal(model.mirror, np.arange(model.vertex_count)):
        return None
    partners = model.mirror[vertex_ids]
    place = np.minimum(np.searchsorted(vertex_ids, partners), len(vertex_ids) - 1)
    alone = (partners == vertex_ids) & (np.abs(model.mean[vertex_ids, 0]) > _MIDDLE)
    return np.where((vertex_ids[place] == partners) & ~alone, place, -1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _nodes(size: int) -> np.ndarray:
    """`[size, size, 2]` u, v of the pixels."""
    side = np.linspace(0, 1, size)
    return np.stack(np.meshgrid(side, side[::-1]), axis=-1)


def _locate(coordinates: np.ndarray, triangles: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel lies: `[size, size, 3]` vertices of its triangle, and float32 barycentrics there."""
    place = coordinates * [1, -1] + [0, 1]
    corners = (place * (size - 1))[triangles]
    margin = _MOST_SLACK * size
    first = np.maximum(np.ceil(corners.min(axis=1) - margin), 0).astype(np.int64)
    last = np.minimum(np.floor(corners.max(axis=1) + margin), size - 1).astype(np.int64)
    columns, rows = np.maximum(last - first + 1, 0).T
    # One line of candidates: every pixel in the bounds of every triangle.
    owner = np.repeat(np.arange(len(triangles)), columns * rows)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(columns * rows) - columns * rows, columns * rows)
    column, row = first[owner, 0] + rank % columns[owner], first[owner, 1] + rank // columns[owner]
    relative = corners[owner] - np.stack([column, row], axis=-1)[:, None]
    following = np.roll(relative, -1, axis=1)
    edges = relative[..., 0] * following[..., 1] - relative[..., 1] * following[..., 0]
    # The weight of a corner is the area opposite to it.
    weights = np.roll(edges, -1, axis=1) / edges.sum(axis=1, keepdims=True)
    inside = weights.min(axis=1)
    order = np.argsort(inside, kind="stable")
    best = np.full(size * size, -1)
    best[(row * size + column)[order]] = order
    if (best < 0).any() or inside[best].min() < -_MOST_SLACK * size:
        raise ValueError("`coordinates` must cover the square. Received: a map with gaps")
    weights = np.maximum(weights[best], 0)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return triangles[owner[best]].reshape(size, size, 3).astype(np.int32), weights.reshape(size, size, 3)
