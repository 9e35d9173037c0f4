"""What the default head knows, carried to another face's mesh: both landmark sets, and regions.

A model comes with a few points that are known (an eye's corner is an eye's corner in every scheme). They start a warp from
the default head onto the model; the rest of the landmarks, and the names of skin, lips or ears, ride on it.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from trainer.contract import LANDMARK_COUNT, LANDMARK_GROUPS, LANDMARK_SETS
from trainer.morphable.default import default_head
from trainer.morphable.model import LandmarkSet, MorphableModel
from trainer.morphable.surface_warp import Surface, Warp, fit_warp, vertex_normals

ANATOMICAL: Final[tuple[int, ...]] = (
    *(LANDMARK_GROUPS[eye][corner] for eye in ("right_eye", "left_eye") for corner in (0, 3)),
    LANDMARK_GROUPS["nose_bridge"][-1],
    LANDMARK_GROUPS["nose_base"][2],
    *(LANDMARK_GROUPS["outer_lips"][point] for point in (0, 3, 6, 9)),
)
"""Landmarks that mean the same in every scheme: eye corners, tip and base of the nose, corners and middles of the lips. Of
ICT-FaceKit's own 68 these served best as known points: the chin, brows and jaw beside them moved the rest off by up to half a
per cent on the 28 fixtures."""

LANDMARK_AGREEMENT: Final = 0.3
"""Least cosine between a landmark's normal on the head and that of the triangle on which it is laid."""

REGION_REACH: Final = 12.0
"""A vertex farther than this from the warped head takes no region from it, millimetres."""

SEPARATE: Final = ("eyeballs", "teeth", "tongue")
"""Regions of the default head that are bodies of their own: another face has them in its file or not at all."""

Known = Mapping[int, "int | np.ndarray"]
"""Landmark index to a vertex index or a point `[3]`."""


def fit_head(
    vertices: np.ndarray,
    triangles: np.ndarray,
    known: Known,
    landmark_set: str = "basel",
    head: MorphableModel | None = None,
) -> Warp:
    """The map from the default head's space to a face's.

    Args:
        vertices: `[V, 3]` the face, neutral, millimetres, axes of the model frame, any origin.
        triangles: `[T, 3]`, counter-clockwise seen from outside.
        known: Landmarks of the face whose places are known, at least 4 not in a line. All are used: leave out those that the
            face's scheme defines in another way than `landmark_set` (see `ANATOMICAL`).
        landmark_set: Which of the head's sets has the counterparts.
        head: The head to start from; the default head if None.

    Returns:
        A map of points of the head's mean.

    Raises:
        ValueError: If too few points are known, or an index is out of range.
    """
    head = default_head() if head is None else head
    indices = sorted(known)
    if indices and not 0 <= indices[0] <= indices[-1] < LANDMARK_COUNT:
        raise ValueError(f"`known` must name landmarks in [0, {LANDMARK_COUNT}). Received: {indices}")
    places = np.array([known_place(vertices, known[index]) for index in indices], np.float64).reshape(-1, 3)
    counterparts = head.landmark_points(head.mean, landmark_set)[indices]
    return fit_warp(head.mean, head.triangles, _outer_skin(head), counterparts, Surface(vertices, triangles), places)


def landmark_transfer(
    vertices: np.ndarray,
    triangles: np.ndarray,
    known: Mapping[str, Known],
    warp: Warp,
    head: MorphableModel | None = None,
) -> dict[str, LandmarkSet]:
    """Both landmark sets on a face's mesh.

    Args:
        vertices: `[V, 3]` the face, neutral, millimetres.
        triangles: `[T, 3]`, counter-clockwise seen from outside.
        known: By landmark set: the points that are taken as they are. The others come from the head.
        warp: What `fit_head` gave for this face.
        head: The head that `warp` starts from; the default head if None.

    Returns:
        The sets of `trainer.contract.LANDMARK_SETS`.

    Raises:
        ValueError: If a known vertex is in no triangle.
    """
    head = default_head() if head is None else head
    surface = Surface(vertices, triangles)
    normals = vertex_normals(warp(head.mean), head.triangles)
    sets = {}
    for name in LANDMARK_SETS:
        source = head.landmarks[name]
        corners = head.triangles[source.triangles]
        directions = np.einsum("ncd,nc->nd", normals[corners], source.barycentrics)
        directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
        places = warp(head.landmark_points(head.mean, name))
        found = surface.nearest(places, directions, LANDMARK_AGREEMENT)
        rows, weights = found.triangles.astype(np.int32), found.barycentrics.astype(np.float32)
        for index, place in known.get(name, {}).items():
            rows[index], weights[index] = _pin(vertices, triangles, surface, place)
        sets[name] = LandmarkSet(rows, weights / weights.sum(axis=1, keepdims=True))
    return sets


def region_transfer(
    vertices: np.ndarray, triangles: np.ndarray, warp: Warp, head: MorphableModel | None = None
) -> dict[str, np.ndarray]:
    """The head's regions on a face's mesh, each vertex from the nearest point of the warped head's skin that faces its way.

    Eyeballs, teeth and tongue (`SEPARATE`) are not transferred.

    Args:
        vertices: `[V, 3]` the face, neutral, millimetres.
        triangles: `[T, 3]`, counter-clockwise seen from outside.
        warp: What `fit_head` gave for this face.
        head: The head that `warp` starts from; the default head if None.

    Returns:
        Name to `[V]` float32 weights in [0, 1]; 0 where nothing of the head is near.
    """
    head = default_head() if head is None else head
    warped = warp(head.mean)
    normals = vertex_normals(vertices, triangles)
    apart = np.maximum.reduce([head.regions.get(name, np.zeros(head.vertex_count)) for name in SEPARATE]) > 0.5
    skin = head.triangles[~apart[head.triangles].any(axis=1)]
    found = Surface(warped, skin).nearest(vertices, normals)
    corners = skin[found.triangles]
    near = found.distances < REGION_REACH
    return {
        name: np.where(near, (weights[corners] * found.barycentrics).sum(axis=1), 0).clip(0, 1).astype(np.float32)
        if name not in SEPARATE
        else np.zeros(len(vertices), np.float32)
        for name, weights in head.regions.items()
    }


def _outer_skin(head: MorphableModel) -> np.ndarray:
    """`[V]` 1 on the skin of face, ears, head and throat, 0 below the jaw's end of the neck and inside."""
    weights = head.regions["skin"] > 0.5
    for name in (*SEPARATE, "mouth_interior", "body"):
        weights &= head.regions.get(name, np.zeros(head.vertex_count)) < 0.1
    return weights.astype(np.float64)


def known_place(vertices: np.ndarray, place: "int | np.ndarray") -> np.ndarray:
    """`[3]` point of a known landmark on `[V, 3]` vertices.

    Raises:
        ValueError: If it is a vertex that is out of range.
    """
    if np.ndim(place):
        return np.asarray(place, np.float64)
    if not 0 <= int(place) < len(vertices):
        raise ValueError(f"a known landmark must be a vertex in [0, {len(vertices)}). Received: {place}")
    return np.asarray(vertices[int(place)], np.float64)


def _pin(
    vertices: np.ndarray, triangles: np.ndarray, surface: Surface, place: "int | np.ndarray"
) -> tuple[int, np.ndarray]:
    """Triangle and barycentrics of a known landmark: a vertex stays that vertex, a point goes to the nearest surface."""
    if np.ndim(place):
        found = surface.nearest(known_place(vertices, place)[None])
        return int(found.triangles[0]), found.barycentrics[0]
    touching = np.argwhere(triangles == int(place))
    if not len(touching):
        raise ValueError(f"a known landmark must be a vertex of a triangle. Received: {place}, which is in none")
    row, corner = touching[0]
    return int(row), np.eye(3)[corner]
