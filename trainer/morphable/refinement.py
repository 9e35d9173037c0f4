"""Refinement of a polygon mesh by edge midpoints, without cracks, keeping every new vertex linear in the old ones."""

import dataclasses

import numpy as np
import scipy.sparse


@dataclasses.dataclass(frozen=True)
class PolygonMesh:
    """Polygons over vertices that are weighted sums of the vertices of an original mesh.

    Texture coordinates have indices of their own, so that seams survive.
    """

    weights: scipy.sparse.csr_matrix
    """`[V, N]`: vertices = weights @ original vertices; rows sum to 1."""
    texture: np.ndarray
    """`[M, 2]` texture coordinates."""
    polygons: list[list[int]]
    """Vertex indices, counter-clockwise seen from outside."""
    texture_polygons: list[list[int]]
    """Texture indices of the same corners."""


def refine(mesh: PolygonMesh, selected: np.ndarray) -> PolygonMesh:
    """Splits each selected polygon of n corners into n quads around its centre.

    A neighbour that shares a split edge gets the midpoint as a further corner, so that no crack opens.

    Args:
        mesh: Polygons.
        selected: `[P]` bool.
    """
    positions = _Growth(mesh.weights.shape[0])
    texture = _Growth(len(mesh.texture))
    split = set()
    for index in np.flatnonzero(selected):
        split |= {_edge(*pair) for pair in _pairs(mesh.polygons[index])}
    polygons, texture_polygons = [], []
    for index, (corners, texture_corners) in enumerate(zip(mesh.polygons, mesh.texture_polygons, strict=True)):
        ring, texture_ring = [], []
        for pair, texture_pair in zip(_pairs(corners), _pairs(texture_corners), strict=True):
            ring.append(pair[0])
            texture_ring.append(texture_pair[0])
            if _edge(*pair) in split:
                ring.append(positions.point(_edge(*pair)))
                texture_ring.append(texture.point(_edge(*texture_pair)))
        if not selected[index]:
            polygons.append(ring)
            texture_polygons.append(texture_ring)
            continue
        centre, texture_centre = positions.point(tuple(corners)), texture.point(tuple(texture_corners))
        for start in range(0, len(ring), 2):
            around = [start - 1, start, start + 1]
            polygons.append([ring[at] for at in around] + [centre])
            texture_polygons.append([texture_ring[at] for at in around] + [texture_centre])
    return PolygonMesh(
        weights=scipy.sparse.csr_matrix(scipy.sparse.vstack([mesh.weights, positions.matrix() @ mesh.weights])),
        texture=np.concatenate([mesh.texture, texture.matrix() @ mesh.texture]),
        polygons=polygons,
        texture_polygons=texture_polygons,
    )


def triangulate(mesh: PolygonMesh, vertices: np.ndarray) -> tuple[PolygonMesh, np.ndarray, np.ndarray]:
    """Triangles of the polygons: a quad along its shorter diagonal, more corners around an added centre.

    Args:
        mesh: Polygons.
        vertices: `[V, 3]` positions that decide the diagonals.

    Returns:
        The mesh with the added centres, `[T, 3]` vertex indices, `[T, 3]` texture indices.
    """
    positions, texture = _Growth(len(vertices)), _Growth(len(mesh.texture))
    triangles, texture_triangles = [], []
    for corners, texture_corners in zip(mesh.polygons, mesh.texture_polygons, strict=True):
        if len(corners) == 3:
            cuts = [(0, 1, 2)]
        elif len(corners) == 4:
            a, b, c, d = vertices[corners]
            shorter = np.linalg.norm(a - c) <= np.linalg.norm(b - d) + 1e-9
            cuts = [(0, 1, 2), (0, 2, 3)] if shorter else [(0, 1, 3), (1, 2, 3)]
        else:
            count = len(corners)
            corners = [*corners, positions.point(tuple(corners))]
            texture_corners = [*texture_corners, texture.point(tuple(texture_corners))]
            cuts = [(at, (at + 1) % count, count) for at in range(count)]
        triangles += [[corners[at] for at in cut] for cut in cuts]
        texture_triangles += [[texture_corners[at] for at in cut] for cut in cuts]
    grown = PolygonMesh(
        weights=scipy.sparse.csr_matrix(scipy.sparse.vstack([mesh.weights, positions.matrix() @ mesh.weights])),
        texture=np.concatenate([mesh.texture, texture.matrix() @ mesh.texture]),
        polygons=triangles,
        texture_polygons=texture_triangles,
    )
    return grown, np.array(triangles), np.array(texture_triangles)


def boundary_loops(polygons: list[list[int]]) -> list[list[int]]:
    """Closed loops of the edges that belong to one polygon only, each running so that its reverse closes the mesh."""
    edges = {pair for polygon in polygons for pair in _pairs(polygon)}
    following = {a: b for a, b in sorted(edges) if (b, a) not in edges}
    loops = []
    while following:
        loop = [min(following)]
        while (after := following.pop(loop[-1], None)) is not None and after != loop[0]:
            loop.append(after)
        loops.append(loop)
    return loops


class _Growth:
    """New points, each the mean of a tuple of existing ones; asking again for the same tuple gives the same point."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._points: dict[tuple[int, ...], int] = {}

    def point(self, parents: tuple[int, ...]) -> int:
        return self._points.setdefault(parents, self._count + len(self._points))

    def matrix(self) -> scipy.sparse.csr_matrix:
        """`[new, old]` averaging weights."""
        rows = [row for row, parents in enumerate(self._points) for _ in parents]
        columns = [parent for parents in self._points for parent in parents]
        values = [1 / len(parents) for parents in self._points for _ in parents]
        return scipy.sparse.csr_matrix((values, (rows, columns)), shape=(len(self._points), self._count))


def _pairs(ring: list[int]) -> list[tuple[int, int]]:
    return list(zip(ring, [*ring[1:], ring[0]], strict=True))


def _edge(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)
