"""Eyes, teeth, mouth and back of the head for ICT-FaceKit's face region, whose file moves the skin of the face alone.

The neutral mesh has them. Skin goes on as its nearest neighbours in the region do; an eyeball keeps its shape and goes with the
lids, and turns with the expressions that say where the eyes look; the teeth go with the lips, the lower ones with the jaw.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

from trainer.morphable.linear import rigid_alignment

NEIGHBOURS: Final = 12
"""Vertices of the region that a vertex of the skin beyond it follows."""

LIDS: Final = 120
"""Vertices of the region that an eyeball follows: the nearest."""

LIPS: Final = 300
"""Vertices of the region that the teeth follow: the nearest."""

CHIN: Final = 200
"""Vertices around the chin's landmark that tell how the jaw moves."""

TOUCH: Final = 0.15
"""Gums within this of a tooth move with it, centimetres."""

GAZE: Final = 30.0
"""Turn of an eye at full weight of an expression that says where it looks, degrees."""

GAZES: Final[dict[str, tuple[tuple[float, float], tuple[float, float]]]] = {
    "eyeLookUp": ((-1, 0), (-1, 0)),
    "eyeLookDown": ((1, 0), (1, 0)),
    "eyeLookIn": ((0, -1), (0, 1)),
    "eyeLookOut": ((0, 1), (0, -1)),
}
"""Expression without its side to the turns about x and y of the left eye and of the right."""

JAW: Final = "jaw"
"""Beginning of the names of expressions that move the jaw's bone."""


def follow_skin(vertices: np.ndarray, count: int, offsets: np.ndarray) -> np.ndarray:
    """Offsets of every vertex: its own within the region, its nearest neighbours' beyond.

    Args:
        vertices: `[V, 3]` neutral mesh, the region first.
        count: Vertices of the region.
        offsets: `[K, count, 3]`.

    Returns:
        `[K, V, 3]`, float32.
    """
    distances, near = cKDTree(vertices[:count]).query(vertices[count:], k=NEIGHBOURS)
    weights = 1 / np.maximum(distances, 1e-6) ** 2
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    beyond = np.zeros((len(offsets), len(vertices) - count, 3), np.float32)
    for place in range(NEIGHBOURS):
        beyond += offsets[:, near[:, place]] * weights[:, place, None]
    return np.concatenate([offsets, beyond], axis=1)


def move_eye(
    vertices: np.ndarray,
    count: int,
    eye: np.ndarray,
    identity: np.ndarray,
    expression: np.ndarray,
    names: Sequence[str],
) -> None:
    """Makes an eyeball rigid: it goes with the lids from person to person and turns with its expressions. In place.

    Args:
        vertices: `[V, 3]` neutral mesh, the region first.
        count: Vertices of the region.
        eye: `[N]` vertices of one eyeball.
        identity: `[K, V, 3]`, changed.
        expression: `[K, V, 3]`, changed.
        names: Of the expressions, as ICT-FaceKit spells them.
    """
    center = (vertices[eye].min(axis=0) + vertices[eye].max(axis=0)) / 2
    _, lids = cKDTree(vertices[:count]).query(center, k=LIDS)
    identity[:, eye] = identity[:, lids].mean(axis=1, keepdims=True)
    expression[:, eye] = 0
    left = center[0] > 0
    for row, name in enumerate(names):
        unit, _, side = name.rpartition("_")
        if unit in GAZES and side == ("L" if left else "R"):
            about_x, about_y = np.multiply(GAZES[unit][0 if left else 1], np.radians(GAZE))
            expression[row, eye] = (vertices[eye] - center) @ (_turn(about_x, about_y) - np.eye(3)).T


def move_teeth(
    vertices: np.ndarray,
    count: int,
    teeth: np.ndarray,
    gums: np.ndarray,
    chin: int,
    identity: np.ndarray,
    expression: np.ndarray,
    names: Sequence[str],
) -> None:
    """Makes teeth, gums and tongue follow: the lips from person to person, and below the bite the jaw's bone. In place.

    Args:
        vertices: `[V, 3]` neutral mesh, the region first.
        count: Vertices of the region.
        teeth: `[T, 3]` triangles of the teeth.
        gums: `[T', 3]` triangles of gums and tongue.
        chin: Vertex at the chin's tip.
        identity: `[K, V, 3]`, changed.
        expression: `[K, V, 3]`, changed.
        names: Of the expressions.
    """
    used = np.unique(np.concatenate([teeth, gums]))
    tree = cKDTree(vertices[:count])
    rows = np.unique(teeth)
    front = vertices[rows][vertices[rows, 2] >= np.quantile(vertices[rows, 2], 0.9)].mean(axis=0)
    _, lips = tree.query(front, k=LIPS)
    identity[:, used] = identity[:, lips].mean(axis=1, keepdims=True)
    expression[:, used] = 0
    _, body = connected_components(_links(teeth, len(vertices)), directed=False)
    height = np.bincount(body[rows], vertices[rows, 1]) / np.maximum(np.bincount(body[rows]), 1)
    share = np.zeros(len(vertices))
    share[rows] = height[body[rows]] < front[1]
    if len(gums):
        inner = np.unique(gums)
        share[inner] = _spread(vertices, inner, gums, cKDTree(vertices[rows]), share[rows])
    _, patch = tree.query(vertices[chin], k=CHIN)
    for row, name in enumerate(names):
        if name.startswith(JAW):
            moved = vertices[patch] + expression[row, patch]
            rotation, shift = rigid_alignment(vertices[patch][None].astype(np.float64), moved.astype(np.float64))
            bone = vertices[used] @ rotation[0].T + shift[0] - vertices[used]
            expression[row, used] = share[used, None] * bone


def _spread(
    vertices: np.ndarray, inner: np.ndarray, triangles: np.ndarray, teeth: cKDTree, share: np.ndarray
) -> np.ndarray:
    """Share of the jaw's move at the gums and the tongue: that of the teeth where they touch, harmonic in between."""
    distances, nearest = teeth.query(vertices[inner])
    fixed = distances <= max(TOUCH, float(distances.min()))
    links = _links(triangles, len(vertices))[inner][:, inner]
    degree = np.asarray(links.sum(axis=1)).ravel()
    laplacian = (diags(degree + 1e-9) - links).tocsr()
    values = np.where(fixed, share[nearest], 0.0)
    if not fixed.all():
        free = ~fixed
        values[free] = spsolve(laplacian[free][:, free].tocsc(), links[free][:, fixed] @ values[fixed])
    return np.clip(values, 0, 1)


def _links(triangles: np.ndarray, count: int) -> csr_matrix:
    """`[V, V]` 1 where an edge joins two vertices."""
    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    links = csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return ((links + links.T) > 0).astype(np.float64)


def _turn(about_x: float, about_y: float) -> np.ndarray:
    """`[3, 3]` rotation, radians."""
    cx, sx, cy, sy = np.cos(about_x), np.sin(about_x), np.cos(about_y), np.sin(about_y)
    turned: np.ndarray = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ [[1, 0, 0], [0, cx, -sx], [0, sx, cx]]
    return turned
