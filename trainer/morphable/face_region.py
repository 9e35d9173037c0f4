"""The face of a head mesh as a surface that can be laid flat: one connected piece, one outer edge, holes allowed."""

import dataclasses

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.model import MorphableModel

_INSIDE = ("mouth_interior", "teeth", "tongue", "eyeballs")
"""Regions that lie behind the face's openings."""

_SOCKET_REACH, _SOCKET_COSINE = 1.5, -0.8
"""The lining of an eye's socket: within so many radii of the eyeball's centre, and facing it by this cosine."""

_WHOLE = 0.6
"""A model of which the cut would keep at least this share of the surface is a face already, and stays whole."""


@dataclasses.dataclass(frozen=True)
class FaceRegion:
    """A disk with holes on a model's mesh."""

    vertex_ids: np.ndarray
    """`[N]` int32 vertices of the model that the region uses, ascending."""
    triangles: np.ndarray
    """`[F, 3]` int32, indices into `vertex_ids`, counter-clockwise seen from outside."""
    triangle_ids: np.ndarray
    """`[F]` int32 the same triangles in the model."""
    loops: tuple[np.ndarray, ...]
    """Edges of the region as indices into `vertex_ids`, the longest, outer one first, the holes after it; the surface lies to
    the left of each, seen from outside."""


def face_region(model: MorphableModel, landmark_set: str = "basel") -> FaceRegion:
    """Cuts the face, ears included, out of a head; a model that is just a face stays whole.

    The cut is a wedge in profile: in front of the ears' backs, below a plane from there to the hairline, above one from there to
    below the chin. Slivers that hang on the rest by one edge between two vertices of the outer edge are left out: on a square
    they would have no area.

    Args:
        model: Any model with landmarks; its plane of symmetry is x = 0.
        landmark_set: What says where the face is.

    Returns:
        The region.

    Raises:
        ValueError: If there is no connected piece with most of the landmarks, or that piece is no disk with holes.
    """
    wanted = model.landmarks[landmark_set].triangles if landmark_set in model.landmarks else None
    if wanted is None:
        raise ValueError(f"`landmark_set` must be one of {sorted(model.landmarks)}. Received: {landmark_set!r}")
    inside = _socket_lining(model, wanted)
    for name in _INSIDE:
        if name in model.regions:
            inside |= model.regions[name] > 0.5
    candidates = np.flatnonzero(~inside[model.triangles].all(axis=1))
    whole = _piece(model.triangles, candidates, wanted)
    kept = _wedge(model, landmark_set)
    kept = kept & kept[model.mirror]
    cut = whole[kept[model.triangles[whole]].all(axis=1)]
    areas = np.linalg.norm(_cross(model.mean, model.triangles), axis=1)
    if areas[cut].sum() >= _WHOLE * areas[whole].sum():
        cut = whole
    remaining = np.zeros(0, np.int64)
    while len(remaining) != len(cut):
        remaining, cut = cut, _piece(model.triangles, cut, wanted)
        pinched = _pinched(model.triangles, cut)
        cut = np.setdiff1d(cut, pinched) if len(pinched) else _without_slivers(model.triangles, cut, wanted)
    vertex_ids, triangles = np.unique(model.triangles[cut], return_inverse=True)
    triangles = triangles.reshape(-1, 3).astype(np.int32)
    loops = boundary_loops(triangles)
    edges = len(np.unique(np.sort(_edges(triangles), axis=1), axis=0))
    if not loops or len(vertex_ids) - edges + len(triangles) != 2 - len(loops):
        raise ValueError(
            f"`model` must have a face that is a disk with holes. Received: {model.name!r}, Euler characteristic "
            f"{len(vertex_ids) - edges + len(triangles)} with {len(loops)} edges"
        )
    points = model.mean[vertex_ids]
    loops.sort(key=lambda loop: -float(np.linalg.norm(points[loop] - points[np.roll(loop, -1)], axis=1).sum()))
    return FaceRegion(vertex_ids.astype(np.int32), triangles, cut.astype(np.int32), tuple(loops))


def boundary_loops(triangles: np.ndarray) -> list[np.ndarray]:
    """Edges of a surface as closed loops.

    Args:
        triangles: `[F, 3]` int, consistently oriented.

    Returns:
        `[n]` int32 vertices each, in the direction of the triangles' edges.

    Raises:
        ValueError: If an edge has more than two triangles or is used twice in one direction, or loops touch at a vertex.
    """
    following = _open_edges(triangles)
    starts, ends = following[:, 0], following[:, 1]
    if len(np.unique(starts)) != len(starts):
        raise ValueError("`triangles` must be a manifold. Received: edges that touch at a vertex")
    after = dict(zip(starts.tolist(), ends.tolist(), strict=True))
    loops = []
    while after:
        loop = [next(iter(after))]
        while (vertex := after.pop(loop[-1])) != loop[0]:
            loop.append(vertex)
        loops.append(np.array(loop, np.int32))
    return loops


def _wedge(model: MorphableModel, landmark_set: str) -> np.ndarray:
    """`[V]` bool: what the cut keeps; everything, where the landmarks are not a face's."""
    points = model.landmark_points(model.mean, landmark_set)
    jaw = list(LANDMARK_GROUPS["jaw"])
    chin, ears = points[jaw[len(jaw) // 2]], points[[jaw[0], jaw[-1]]].mean(axis=0)
    brows = points[[*LANDMARK_GROUPS["right_brow"], *LANDMARK_GROUPS["left_brow"]]].mean(axis=0)
    unit = float(points[LANDMARK_GROUPS["nose_bridge"][-1], 1] - chin[1])
    if not unit > 0:
        return np.ones(model.vertex_count, bool)
    back = float(ears[2]) - 0.5 * unit
    if "ears" in model.regions and (model.regions["ears"] > 0.5).any():
        back = float(model.mean[model.regions["ears"] > 0.5, 2].min()) - 2
    y, z = model.mean[:, 1].astype(np.float64), model.mean[:, 2].astype(np.float64)
    hairline = (float(brows[1]) + 0.75 * unit, float(brows[2]) - 0.2 * unit)
    behind_top, behind_bottom = (float(ears[1]) + 0.6 * unit, back), (float(ears[1]) - 0.75 * unit, back)
    throat = (float(chin[1]) - 0.25 * unit, float(chin[2]) - 0.1 * unit)

    def height_over(a: tuple[float, float], b: tuple[float, float]) -> np.ndarray:
        """Y above the line through two points of the profile."""
        return y - (a[0] + (z - a[1]) * (b[0] - a[0]) / (b[1] - a[1]))

    return (z > back) & (height_over(behind_top, hairline) < 0) & (height_over(behind_bottom, throat) > 0)


def _socket_lining(model: MorphableModel, wanted: np.ndarray) -> np.ndarray:
    """`[V]` bool: what surrounds the eyeballs unseen, as far from the lids' edges as leaves the landmarks' triangles in place."""
    lining = np.zeros(model.vertex_count, bool)
    if "eyeballs" not in model.regions:
        return lining
    eyeballs, points = model.regions["eyeballs"] > 0.5, model.mean.astype(np.float64)
    corners = model.triangles.ravel()
    faces = np.repeat(_cross(points, model.triangles), 3, axis=0)
    normals = np.stack([np.bincount(corners, faces[:, axis], model.vertex_count) for axis in range(3)], axis=-1)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    for side in (points[:, 0] < 0, points[:, 0] > 0):
        ball = points[eyeballs & side]
        if not len(ball):
            continue
        away = points - (ball.min(axis=0) + ball.max(axis=0)) / 2
        distance = np.linalg.norm(away, axis=1)
        near = distance < _SOCKET_REACH * distance[eyeballs & side].mean()
        lining |= near & ~eyeballs & ((away * normals).sum(axis=1) < _SOCKET_COSINE * distance)
    before = 0
    while lining[model.triangles[wanted]].all(axis=1).any() and before != lining.sum():
        before = lining.sum()
        # One ring back from what is seen.
        lining[model.triangles[~lining[model.triangles].all(axis=1)]] = False
    return lining


def _piece(triangles: np.ndarray, chosen: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Of the chosen triangles, `[n]`, ascending, the piece connected by edges that has most of the wanted ones."""
    return _component(triangles, chosen, wanted, np.zeros(0, np.int64))


def _component(triangles: np.ndarray, chosen: np.ndarray, wanted: np.ndarray, uncrossed: np.ndarray) -> np.ndarray:
    """`_piece` without crossing the edges of which these are the codes (see `_codes`)."""
    codes = _codes(_edges(triangles[chosen]))
    owner = np.tile(np.arange(len(chosen)), 3)
    kept = ~np.isin(codes, uncrossed)
    order = np.argsort(codes[kept], kind="stable")
    codes, owner = codes[kept][order], owner[kept][order]
    same = codes[1:] == codes[:-1]
    graph = sparse.coo_matrix((np.ones(same.sum()), (owner[:-1][same], owner[1:][same])), shape=(len(chosen),) * 2)
    _, labels = csgraph.connected_components(graph, directed=False)
    place = np.minimum(np.searchsorted(chosen, wanted), max(len(chosen) - 1, 0))
    found = chosen[place] == wanted if len(chosen) else np.zeros(len(wanted), bool)
    votes = np.bincount(labels[place[found]]) if found.any() else np.zeros(1, int)
    if 2 * votes.max() <= len(wanted):
        raise ValueError(
            "`model` must have most of its landmarks on one connected piece of skin. "
            f"Received: {votes.max()} of {len(wanted)} on the piece with most"
        )
    return chosen[labels == votes.argmax()]


def _pinched(triangles: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """Triangles of a piece at vertices where two of its edges touch."""
    starts = _open_edges(triangles[piece])[:, 0]
    vertices, counts = np.unique(starts, return_counts=True)
    return piece[np.isin(triangles[piece], vertices[counts > 1]).any(axis=1)]


def _without_slivers(triangles: np.ndarray, piece: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """A piece without what hangs on it by one edge between two vertices of its outer edge."""
    loops = boundary_loops(triangles[piece])
    outer = max(loops, key=len) if loops else np.zeros(0, np.int32)
    edges = _edges(triangles[piece])
    codes = np.unique(_codes(edges[np.isin(edges, outer).all(axis=1)]))
    border = _codes(_open_edges(triangles[piece]))
    return _component(triangles, piece, wanted, np.setdiff1d(codes, border))


def _edges(triangles: np.ndarray) -> np.ndarray:
    """`[3 F, 2]` directed edges: all first ones, then all second ones, then all third ones."""
    return np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)


def _codes(edges: np.ndarray) -> np.ndarray:
    """One number for each undirected edge."""
    return edges.min(axis=1) << 32 | edges.max(axis=1)


def _open_edges(triangles: np.ndarray) -> np.ndarray:
    """`[n, 2]` directed edges that have a triangle on one side alone."""
    edges = _edges(triangles)
    _, first, counts = np.unique(_codes(edges), return_index=True, return_counts=True)
    if (counts > 2).any() or len(np.unique(edges[:, 0] << 32 | edges[:, 1])) != len(edges):
        raise ValueError(
            "`triangles` must be a manifold. Received: an edge that more than two triangles, or two sides, share"
        )
    return edges[first[counts == 1]]


def _cross(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """`[F, 3]` normals of triangles, twice their area long."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)
