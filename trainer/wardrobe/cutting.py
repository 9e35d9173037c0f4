"""Cuts meshes off and closes the cut; normals and rims of meshes."""

import numpy as np


def cut_at(
    floor: float, places: np.ndarray, triangles: np.ndarray, uv: np.ndarray, welded: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What of a mesh lies above a height, with a lid on every opening that the cut makes.

    Args:
        floor: The height.
        places: `[N, 3]` corners.
        triangles: `[T, 3]`.
        uv: `[N, 2]`.
        welded: `[N]` vertex of each corner: corners of one vertex are one place.

    Returns:
        `[M, 3]` places, `[S, 3]` triangles, `[M, 2]` texture coordinates of what is kept.
    """
    kept = triangles[(places[triangles, 1] > floor).all(axis=1)]
    if not len(kept):
        return places[:0], kept, uv[:0]
    opened = rim_edges(welded[kept]) - rim_edges(welded[triangles])
    lids: list[tuple[int, int, int]] = []
    middles: list[tuple[np.ndarray, np.ndarray]] = []
    corner_of = dict(zip(welded[kept].ravel().tolist(), kept.ravel().tolist(), strict=True))
    for loop in _loops(opened):
        corners = np.array([corner_of[vertex] for vertex in loop])
        middle = len(places) + len(middles)
        middles.append((places[corners].mean(axis=0), uv[corners[0]]))
        lids += [(int(b), int(a), middle) for a, b in zip(corners, np.roll(corners, -1), strict=True)]
    if lids:
        places = np.concatenate([places, [place for place, _ in middles]])
        uv = np.concatenate([uv, [point for _, point in middles]])
        kept = np.concatenate([kept, lids])
    return compacted(places, kept, uv)


def compacted(places: np.ndarray, triangles: np.ndarray, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mesh without the vertices that no triangle uses: places `[M, 3]`, triangles `[T, 3]`, coordinates `[M, 2]`."""
    used, triangles = np.unique(triangles, return_inverse=True)
    return places[used], triangles.reshape(-1, 3), uv[used]


def rim_edges(triangles: np.ndarray) -> set[tuple[int, int]]:
    """Directed edges that one triangle has and none has the other way round."""
    edges = {(int(t[a]), int(t[b])) for t in triangles for a, b in ((0, 1), (1, 2), (2, 0))}
    return {(a, b) for a, b in edges if (b, a) not in edges}


def _loops(edges: set[tuple[int, int]]) -> list[list[int]]:
    """Closed chains of directed edges; what does not close is left open and out."""
    following = dict(sorted(edges))
    loops = []
    while following:
        start = next(iter(following))
        loop, vertex = [start], following.pop(start)
        while vertex != start and vertex in following:
            loop.append(vertex)
            vertex = following.pop(vertex)
        if vertex == start and len(loop) > 2:
            loops.append(loop)
    return loops


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """`[V, 3]` unit normals, mean of the triangles around by area; zero where there is none."""
    corners = np.asarray(vertices, np.float64)[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros((len(vertices), 3))
    for corner in range(3):
        np.add.at(total, triangles[:, corner], faces)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
