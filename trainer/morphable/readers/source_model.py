"""What a reader hands over, in millimetres and the model frame's axes, and how it becomes a `MorphableModel`.

A file rarely has all that a model needs. What lacks is filled in the same way for every format: the origin from landmarks,
landmarks and regions from the default head, the mirror map from nearest reflected vertices, texture coordinates from a
cylinder, albedo from one neutral skin colour.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from scipy.spatial import cKDTree

from trainer.contract import LANDMARK_GROUPS, OUTER_EYE_CORNERS
from trainer.morphable.landmark_transfer import (
    ANATOMICAL,
    Known,
    fit_head,
    known_place,
    landmark_transfer,
    region_transfer,
)
from trainer.morphable.model import MorphableModel

NEUTRAL_SKIN: Final = (0.42, 0.25, 0.17)
"""Linear RGB of skin where a file has no colour."""

PART_COLORS: Final[dict[str, tuple[float, float, float]]] = {
    "eyeballs": (0.62, 0.58, 0.55),
    "teeth": (0.62, 0.56, 0.45),
    "tongue": (0.32, 0.085, 0.075),
    "mouth_interior": (0.16, 0.035, 0.032),
}
"""Linear RGB of parts where a file has no colour."""

EYE_SPAN: Final = (55.0, 130.0)
"""Distance between the outer corners of a grown person's eyes, millimetres: outside, the file's unit is not what it should be."""

LEAST_KNOWN: Final = 4
"""Landmarks that must be known before the rest can be found."""

IRIS_COLOR: Final = (0.085, 0.055, 0.035)

MAX_VERTICES: Final = 1_000_000
MAX_MODES: Final = 1_000


@dataclasses.dataclass(frozen=True)
class SourceModel:
    """A face model as a file holds it, converted to millimetres and the model frame's axes; the origin is the file's."""

    name: str
    licence: str
    """SPDX expression."""
    vertices: np.ndarray
    """`[V, 3]` the neutral face: where landmarks are placed."""
    triangles: np.ndarray
    """`[T, 3]` 0-based, either orientation."""
    identity: np.ndarray
    """`[K, V, 3]` per standard deviation."""
    known: Mapping[str, Known]
    """Landmark set to the landmarks that the file (or a table) defines: vertex or point."""
    start: Known
    """Landmarks that start the transfer of the others: they mean what the `basel` set means."""
    mean_expression: np.ndarray | None = None
    """`[V, 3]` what the model adds to the neutral face at zero weights."""
    expression: np.ndarray | None = None
    """`[K, V, 3]` per unit of weight."""
    expression_names: tuple[str, ...] = ()
    expression_range: tuple[float, float] = (0.0, 1.0)
    expression_sd: float = 0.25
    albedo_mean: np.ndarray | None = None
    """`[V, 3]` linear RGB."""
    albedo: np.ndarray | None = None
    """`[K, V, 3]` linear RGB per standard deviation."""
    uv: np.ndarray | None = None
    """`[V, 2]` in [0, 1]."""
    parts: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """Region to `[V]` weights that the file knows; they replace what the default head says."""
    iris: np.ndarray | None = None
    """`[V]` weights of the irises, which are part of the eyeballs and have a colour of their own."""
    provenance: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the reader did: format, units, conventions."""


def finish(source: SourceModel) -> MorphableModel:
    """Fills in what a file lacks and moves the origin between the eyes' and the mouth's centres.

    Args:
        source: What a reader read.

    Returns:
        The model.

    Raises:
        ValueError: If an array does not fit the others, an index is out of range, a value is not finite, or the face's size
            is not that of a face in millimetres.
    """
    count = len(source.vertices)
    _check(source, count)
    triangles, flipped = outward(source.vertices, source.triangles)
    used = np.bincount(triangles.ravel(), minlength=count) > 0
    if len(source.start) < LEAST_KNOWN:
        raise ValueError(
            f"the landmarks of this mesh of {count} vertices are not known: give a table with {LEAST_KNOWN} or more of those "
            f"that mean the same in every scheme, iBUG {', '.join(str(index + 1) for index in ANATOMICAL)}"
        )
    _check_size(source)
    warp = fit_head(source.vertices, triangles, source.start)
    landmarks = landmark_transfer(source.vertices, triangles, source.known, warp)
    regions = region_transfer(source.vertices, triangles, warp)
    if source.parts:
        own = np.maximum.reduce(list(source.parts.values())) > 0.5
        regions = {name: np.where(own, 0, weights) for name, weights in regions.items()}
        regions |= {name: weights.astype(np.float32) for name, weights in source.parts.items()}
    points = landmarks["basel"]
    at = np.einsum("ncd,nc->nd", source.vertices[triangles[points.triangles]], points.barycentrics)
    origin = face_origin(at)
    vertices = source.vertices - origin
    empty = np.zeros((0, count, 3), np.float32)
    expression = empty if source.expression is None else source.expression
    albedo = empty if source.albedo is None else source.albedo
    mean = vertices if source.mean_expression is None else vertices + source.mean_expression
    return MorphableModel(
        name=source.name,
        licence=source.licence,
        mean=mean,
        identity=source.identity,
        identity_sd=mode_sizes(source.identity),
        expression=expression,
        expression_names=source.expression_names,
        expression_range=np.tile(np.array(source.expression_range, np.float32), (len(expression), 1)),
        expression_sd=np.full(len(expression), source.expression_sd, np.float32),
        albedo_mean=_neutral_albedo(source) if source.albedo_mean is None else source.albedo_mean,
        albedo=albedo,
        albedo_sd=mode_sizes(albedo),
        triangles=triangles,
        uv=cylindrical_uv(vertices) if source.uv is None else source.uv,
        landmarks=landmarks,
        regions={name: np.where(used, weights, 0) for name, weights in regions.items()},
        mirror=mirror_map(vertices),
        provenance={
            **source.provenance,
            "triangles turned outwards": flipped,
            "texture coordinates": "cylinder" if source.uv is None else "file",
            "albedo": "neutral" if source.albedo_mean is None else "file",
            "landmarks from the file": {name: len(known) for name, known in source.known.items()},
        },
    )


def outward(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, bool]:
    """Triangles counter-clockwise seen from outside, and whether they had to be turned: most of their area decides."""
    corners = vertices[triangles].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    volume = np.einsum("nd,nd->", normals, corners.mean(axis=1) - vertices.mean(axis=0))
    return (triangles[:, ::-1], True) if volume < 0 else (triangles, False)


def face_origin(landmarks: np.ndarray) -> np.ndarray:
    """`[3]` midpoint of the eyes' and the mouth's centres of `[68, 3]` landmarks: the model frame's origin."""
    eyes = landmarks[[*LANDMARK_GROUPS["right_eye"], *LANDMARK_GROUPS["left_eye"]]].mean(axis=0)
    mouth = landmarks[[*LANDMARK_GROUPS["outer_lips"], *LANDMARK_GROUPS["inner_lips"]]].mean(axis=0)
    middle: np.ndarray = (eyes + mouth) / 2
    return middle


def mode_sizes(modes: np.ndarray) -> np.ndarray:
    """`[K]` root of the variance that each of `[K, V, 3]` modes carries over all values."""
    return np.array([np.linalg.norm(mode) for mode in modes], np.float32)


def mirror_map(vertices: np.ndarray) -> np.ndarray:
    """`[V]` int32: each vertex's nearest vertex after reflection at x = 0 where the choice is mutual, else itself."""
    _, nearest = cKDTree(vertices).query(vertices * [-1.0, 1.0, 1.0])
    own = np.arange(len(vertices))
    return np.where(nearest[nearest] == own, nearest, own).astype(np.int32)


def cylindrical_uv(vertices: np.ndarray) -> np.ndarray:
    """`[V, 2]`: angle about a vertical axis through the middle of the depths, and height, both in [0, 1]."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    angle = np.arctan2(vertices[:, 0], vertices[:, 2] - (low[2] + high[2]) / 2)
    height = (vertices[:, 1] - low[1]) / max(high[1] - low[1], 1e-9)
    return np.stack([np.clip(angle / (2 * math.pi) + 0.5, 0, 1), height], axis=1).astype(np.float32)


def _neutral_albedo(source: SourceModel) -> np.ndarray:
    """`[V, 3]` linear RGB: one skin colour, and those of the parts that are not skin."""
    colors = np.tile(np.array(NEUTRAL_SKIN, np.float32), (len(source.vertices), 1))
    for name, color in PART_COLORS.items():
        if name in source.parts:
            colors[source.parts[name] > 0.5] = color
    if source.iris is not None:
        colors[source.iris > 0.5] = IRIS_COLOR
    return colors


def anatomical(points: Known) -> Known:
    """Those of the points that mean the same in every scheme."""
    return {index: place for index, place in points.items() if index in ANATOMICAL}


def _check_size(source: SourceModel) -> None:
    """Refuses a mesh in another unit, by the distance between the outer corners of its eyes."""
    if not set(OUTER_EYE_CORNERS) <= set(source.start):
        return
    right, left = (known_place(source.vertices, source.start[corner]) for corner in OUTER_EYE_CORNERS)
    span = float(np.linalg.norm(right - left))
    if not EYE_SPAN[0] <= span <= EYE_SPAN[1]:
        raise ValueError(
            f"the outer corners of the eyes must be {EYE_SPAN[0]:.0f} to {EYE_SPAN[1]:.0f} mm apart; they are {span:.3g} mm "
            "after the conversion of the file's units"
        )


def _check(source: SourceModel, count: int) -> None:
    """Shapes, indices and values, before anything is computed from them."""
    arrays: dict[str, tuple[Any, tuple[int | None, ...]]] = {
        "vertices": (source.vertices, (count, 3)),
        "triangles": (source.triangles, (None, 3)),
        "identity": (source.identity, (None, count, 3)),
        "mean_expression": (source.mean_expression, (count, 3)),
        "expression": (source.expression, (len(source.expression_names), count, 3)),
        "albedo_mean": (source.albedo_mean, (count, 3)),
        "albedo": (source.albedo, (None, count, 3)),
        "uv": (source.uv, (count, 2)),
    }
    for name, (array, shape) in arrays.items():
        if array is None:
            continue
        if array.ndim != len(shape) or any(
            want not in (None, got) for want, got in zip(shape, array.shape, strict=True)
        ):
            raise ValueError(f"{name} has shape {list(array.shape)} where {list(shape)} belongs")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinity")
    if not 4 <= count <= MAX_VERTICES:
        raise ValueError(f"the mesh must have 4 to {MAX_VERTICES} vertices; it has {count}")
    if not len(source.triangles) or source.triangles.min() < 0 or source.triangles.max() >= count:
        raise ValueError(f"triangles must hold vertices in [0, {count})")
