"""Eyes, teeth, mouth and back of the head for ICT-FaceKit's face region, whose file moves the skin of the face alone.

The neutral mesh has them. Skin goes on as its nearest neighbours in the region do; an eyeball keeps its shape and goes with the
lids, and turns with the expressions that say where the eyes look; the teeth go with the lips, the lower ones with the jaw.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
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
    triangles: np.ndarray,
    chin: int,
    identity: np.ndarray,
    expression: np.ndarray,
    names: Sequence[str],
) -> None:
    """Makes teeth, gums and tongue rigid: they go with the lips from person to person, the lower ones with the jaw. In place.

    Args:
        vertices: `[V, 3]` neutral mesh, the region first.
        count: Vertices of the region.
        triangles: `[T, 3]` of teeth, gums and tongue.
        chin: Vertex at the chin's tip.
        identity: `[K, V, 3]`, changed.
        expression: `[K, V, 3]`, changed.
        names: Of the expressions.
    """
    used = np.unique(triangles)
    tree = cKDTree(vertices[:count])
    front = vertices[used][vertices[used][:, 2] >= np.quantile(vertices[used][:, 2], 0.9)].mean(axis=0)
    _, lips = tree.query(front, k=LIPS)
    identity[:, used] = identity[:, lips].mean(axis=1, keepdims=True)
    expression[:, used] = 0
    links = coo_matrix((np.ones(len(triangles)), (triangles[:, 0], triangles[:, 1])), shape=(len(vertices),) * 2)
    links = links + coo_matrix((np.ones(len(triangles)), (triangles[:, 1], triangles[:, 2])), shape=links.shape)
    _, body = connected_components(links, directed=False)
    height = np.bincount(body[used], vertices[used, 1]) / np.maximum(np.bincount(body[used]), 1)
    lower = used[height[body[used]] < front[1]]
    _, patch = tree.query(vertices[chin], k=CHIN)
    for row, name in enumerate(names):
        if name.startswith(JAW):
            moved = vertices[patch] + expression[row, patch]
            rotation, shift = rigid_alignment(vertices[patch][None].astype(np.float64), moved.astype(np.float64))
            expression[row, lower] = vertices[lower] @ rotation[0].T + shift[0] - vertices[lower]


def _turn(about_x: float, about_y: float) -> np.ndarray:
    """`[3, 3]` rotation, radians."""
    cx, sx, cy, sy = np.cos(about_x), np.sin(about_x), np.cos(about_y), np.sin(about_y)
    turned: np.ndarray = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ [[1, 0, 0], [0, cx, -sx], [0, sx, cx]]
    return turned
