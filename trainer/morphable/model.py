"""A linear (3D) morphable face model: mean plus identity, expression and albedo modes over one topology.

NumPy only. Geometry is in the model frame of `trainer.contract`, millimetres; colours are linear RGB in [0, 1].
"""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.contract import LANDMARK_COUNT


@dataclasses.dataclass(frozen=True)
class LandmarkSet:
    """68 points on a mesh, each fixed in a triangle, so that it may sit between vertices."""

    triangles: np.ndarray
    """`[68]` int32, index into the model's triangles."""
    barycentrics: np.ndarray
    """`[68, 3]` float32, weights of the triangle's three vertices; each row sums to 1."""

    def __post_init__(self) -> None:
        _set(self, "triangles", _array("triangles", self.triangles, np.int32, (LANDMARK_COUNT,)))
        _set(self, "barycentrics", _array("barycentrics", self.barycentrics, np.float32, (LANDMARK_COUNT, 3)))
        if np.abs(self.barycentrics.sum(axis=1) - 1).max() > 1e-4:
            raise ValueError("`barycentrics` must sum to 1 in each row.")


@dataclasses.dataclass(frozen=True)
class MorphableModel:
    """Mean, modes, topology, landmarks and names of a face model. Arrays are checked, cast and made read-only.

    V vertices, T triangles, K modes of each kind.

    Raises:
        ValueError: If a shape, an index or a value does not fit; the message names the field.
    """

    name: str
    mean: np.ndarray
    """`[V, 3]` float32, millimetres, model frame."""
    identity: np.ndarray
    """`[K_identity, V, 3]` float32, millimetres per standard deviation."""
    identity_sd: np.ndarray
    """`[K_identity]` float32, root of the variance that a mode carries over all coordinates, millimetres."""
    expression: np.ndarray
    """`[K_expression, V, 3]` float32, millimetres per unit of weight."""
    expression_names: tuple[str, ...]
    expression_range: np.ndarray
    """`[K_expression, 2]` float32, least and greatest sensible weight."""
    expression_sd: np.ndarray
    """`[K_expression]` float32, spread of the weight in natural faces."""
    albedo_mean: np.ndarray
    """`[V, 3]` float32, linear RGB."""
    albedo: np.ndarray
    """`[K_albedo, V, 3]` float32, linear RGB per standard deviation."""
    albedo_sd: np.ndarray
    """`[K_albedo]` float32, root of the variance that a mode carries over all values."""
    triangles: np.ndarray
    """`[T, 3]` int32, counter-clockwise seen from outside."""
    uv: np.ndarray
    """`[V, 2]` float32 in [0, 1], v upwards."""
    landmarks: Mapping[str, LandmarkSet]
    """By the names of `trainer.contract.LANDMARK_SETS`."""
    regions: Mapping[str, np.ndarray]
    """Name to `[V]` float32 weight in [0, 1]."""
    mirror: np.ndarray
    """`[V]` int32: the vertex on the other side of the plane x = 0; an involution."""
    provenance: Mapping[str, Any]
    """JSON-able: sources, their licences, generator version, command. Not part of `sha256`."""
    licence: str
    """SPDX expression."""

    def __post_init__(self) -> None:
        vertex_count = _length(self.mean)
        counts = {name: np.shape(getattr(self, name))[:1] for name in ("identity", "expression", "albedo")}
        shapes = {
            "mean": (vertex_count, 3),
            "albedo_mean": (vertex_count, 3),
            "uv": (vertex_count, 2),
            "expression_range": (*counts["expression"], 2),
            **{name: (*counts[name], vertex_count, 3) for name in counts},
            **{f"{name}_sd": counts[name] for name in counts},
        }
        for name, shape in shapes.items():
            _set(self, name, _array(name, getattr(self, name), np.float32, shape))
        _set(self, "triangles", _array("triangles", self.triangles, np.int32, (_length(self.triangles), 3)))
        _set(self, "mirror", _array("mirror", self.mirror, np.int32, (vertex_count,)))
        for name, bound, values in (
            ("triangles", vertex_count, self.triangles),
            ("mirror", vertex_count, self.mirror),
            *((f"landmarks[{key}]", self.triangle_count, item.triangles) for key, item in self.landmarks.items()),
        ):
            if values.size and (values.min() < 0 or values.max() >= bound):
                raise ValueError(f"`{name}` must hold indices in [0, {bound}). Received: {values.min()}…{values.max()}")
        if not np.array_equal(self.mirror[self.mirror], np.arange(vertex_count)):
            raise ValueError("`mirror` must be an involution: the mirror of a vertex's mirror is the vertex.")
        regions = {
            key: _array(f"regions[{key}]", value, np.float32, (vertex_count,)) for key, value in self.regions.items()
        }
        _set(self, "regions", regions)
        _set(self, "landmarks", dict(self.landmarks))
        _set(self, "expression_names", tuple(self.expression_names))
        if len(self.expression_names) != len(self.expression):
            raise ValueError(
                "`expression_names` must name every expression mode. "
                f"Received: {len(self.expression_names)} names for {len(self.expression)} modes"
            )

    @property
    def vertex_count(self) -> int:
        """V."""
        return len(self.mean)

    @property
    def triangle_count(self) -> int:
        """T."""
        return len(self.triangles)

    @functools.cached_property
    def sha256(self) -> str:
        """Hexadecimal hash of everything but `provenance`; the same before a save and after the load."""
        digest = hashlib.sha256()
        header = [self.name, self.licence, self.expression_names, sorted(self.landmarks), sorted(self.regions)]
        digest.update(json.dumps(header).encode())
        arrays = [getattr(self, field) for field in ARRAY_FIELDS]
        for key in sorted(self.landmarks):
            arrays += [self.landmarks[key].triangles, self.landmarks[key].barycentrics]
        arrays += [self.regions[key] for key in sorted(self.regions)]
        for array in arrays:
            digest.update(str((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def vertices(self, identity: Any = None, expression: Any = None) -> np.ndarray:
        """Vertices of a face.

        Args:
            identity: `[K]` or `[B, K]` standard deviations, K at most the number of modes; None is the mean.
            expression: `[K]` or `[B, K]` weights of the expression modes, likewise.

        Returns:
            `[V, 3]`, or `[B, V, 3]` if either is batched; float32 millimetres, model frame.

        Raises:
            ValueError: If there are more coefficients than modes, or the two batches differ in size.
        """
        offset = _blend("identity", identity, self.identity)
        moved = _blend("expression", expression, self.expression)
        if offset.ndim == 3 and moved.ndim == 3 and len(offset) != len(moved):
            raise ValueError(
                f"`identity` and `expression` must have the same batch size. Received: {len(offset)} and {len(moved)}"
            )
        return self.mean + offset + moved

    def albedo_colors(self, coefficients: Any = None) -> np.ndarray:
        """Vertex colours of a face.

        Args:
            coefficients: `[K]` or `[B, K]` standard deviations, K at most the number of modes; None is the mean.

        Returns:
            `[V, 3]` or `[B, V, 3]` float32 linear RGB, clipped to [0, 1].

        Raises:
            ValueError: If there are more coefficients than modes.
        """
        return np.clip(self.albedo_mean + _blend("coefficients", coefficients, self.albedo), 0, 1)

    def landmark_points(self, vertices: np.ndarray, landmark_set: str = "basel") -> np.ndarray:
        """Landmarks of a mesh.

        Args:
            vertices: `[..., V, 3]` in any frame.
            landmark_set: A key of `landmarks`.

        Returns:
            `[..., 68, 3]` in the vertices' frame.

        Raises:
            ValueError: If the set is unknown.
        """
        corners, weights = self._landmark_corners(landmark_set)
        return np.einsum("...ncd,nc->...nd", vertices[..., corners, :], weights)

    def landmark_basis(self, landmark_set: str = "basel") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The linear model at the landmarks.

        Returns:
            Mean `[68, 3]`, identity `[K_identity, 68, 3]` per standard deviation, expression `[K_expression, 68, 3]`
            per unit; millimetres, model frame.
        """
        return (
            self.landmark_points(self.mean, landmark_set),
            self.landmark_points(self.identity, landmark_set),
            self.landmark_points(self.expression, landmark_set),
        )

    def truncated(
        self, identity_count: int, expression_count: int, albedo_count: int | None = None
    ) -> "MorphableModel":
        """The model with its first modes only.

        Args:
            identity_count: Identity modes kept, at most as many as there are; so for the others.
            expression_count: Expression modes kept.
            albedo_count: Albedo modes kept; None keeps all.

        Raises:
            ValueError: If a count is negative or greater than the number of modes.
        """
        albedo_count = len(self.albedo) if albedo_count is None else albedo_count
        kept = {"identity": identity_count, "expression": expression_count, "albedo": albedo_count}
        for name, count in kept.items():
            if not 0 <= count <= len(getattr(self, name)):
                raise ValueError(
                    f"`{name}_count` must be in [0, {len(getattr(self, name))}], the number of modes. Received: {count}"
                )
        return dataclasses.replace(
            self,
            identity=self.identity[:identity_count],
            identity_sd=self.identity_sd[:identity_count],
            expression=self.expression[:expression_count],
            expression_names=self.expression_names[:expression_count],
            expression_range=self.expression_range[:expression_count],
            expression_sd=self.expression_sd[:expression_count],
            albedo=self.albedo[:albedo_count],
            albedo_sd=self.albedo_sd[:albedo_count],
        )

    def _landmark_corners(self, landmark_set: str) -> tuple[np.ndarray, np.ndarray]:
        """`[68, 3]` vertex indices and weights of a set."""
        if landmark_set not in self.landmarks:
            raise ValueError(f"`landmark_set` must be one of {sorted(self.landmarks)}. Received: {landmark_set!r}")
        points = self.landmarks[landmark_set]
        return self.triangles[points.triangles], points.barycentrics


ARRAY_FIELDS: tuple[str, ...] = (
    "mean",
    "identity",
    "identity_sd",
    "expression",
    "expression_range",
    "expression_sd",
    "albedo_mean",
    "albedo",
    "albedo_sd",
    "triangles",
    "uv",
    "mirror",
)
"""Fields of a model that are single arrays, in the order in which they are hashed."""


def _length(array: Any) -> int:
    """Size along the first axis, 0 for a single number."""
    return np.shape(array)[0] if np.ndim(array) else 0


def _set(target: Any, field: str, value: Any) -> None:
    object.__setattr__(target, field, value)


def _array(name: str, value: Any, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    """`value` as a read-only, contiguous array of this type, or a ValueError that names the field."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"`{name}` must be numeric. Received: dtype {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"`{name}` must have shape {list(shape)}. Received: {list(array.shape)}")
    if np.dtype(dtype).kind == "i" and array.dtype.kind == "f":
        raise ValueError(f"`{name}` must hold integers. Received: dtype {array.dtype}")
    if array.dtype == dtype and array.flags.c_contiguous and not array.flags.writeable:
        cast = array
    else:
        with np.errstate(over="ignore"):
            cast = np.array(array, dtype=dtype, order="C")
        cast.flags.writeable = False
    if cast.dtype.kind == "f" and not np.isfinite(cast).all():
        raise ValueError(f"`{name}` must be finite; it holds NaN, infinity, or more than {cast.dtype} can.")
    if cast.dtype.kind == "i" and not np.array_equal(cast, array):
        raise ValueError(f"`{name}` must fit {cast.dtype}. Received: {array.min()}…{array.max()}")
    return cast


def _blend(name: str, coefficients: Any, basis: np.ndarray) -> np.ndarray:
    """Weighted sum of the first modes of `basis` `[K, V, 3]`: `[V, 3]`, or `[B, V, 3]` for batched coefficients."""
    count, vertex_count, _ = basis.shape
    if coefficients is None:
        return np.zeros((1, 3), np.float32)
    weights = np.asarray(coefficients, dtype=np.float32)
    if weights.ndim not in (1, 2) or weights.shape[-1] > count:
        raise ValueError(f"`{name}` must be [K] or [B, K] with K at most {count}. Received: {list(weights.shape)}")
    flat = basis.reshape(count, vertex_count * 3)[: weights.shape[-1]]
    return (weights @ flat).reshape(*weights.shape[:-1], vertex_count, 3)
