"""Conformal map of a disk with holes onto the unit square, without flipped triangles.

Discrete harmonic coordinates with the outer edge fixed on the square (Desbrun, Meyer and Alliez 2002, Intrinsic
Parameterizations of Surface Meshes: the conformal energy, whose weights are cotangents). A cotangent weight can be negative where
triangles are obtuse, and then triangles can flip; a small positive weight replaces it, so that every inner vertex is a convex
combination of its neighbours and the map is one to one (Tutte 1963, Floater 1997). Holes are free: each is closed by one more
vertex that hangs on its edge by weak weights, which is enough for Tutte's theorem.

What sticks out, a nose or an ear, shrinks in a conformal map. Steps of Yoshizawa, Belyaev and Seidel 2004 (A Fast and Simple
Stretch-Minimizing Mesh Parameterization) weaken the springs where the surface is stretched, keep them positive, and so give such
places room.
"""

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

_LEAST_WEIGHT = 0.05
"""Takes the place of smaller cotangent weights; that of an equilateral triangle is 0.29."""

_HOLE_WEIGHT = 0.2
"""Of the edges to the vertex that closes a hole."""


def map_to_square(
    points: np.ndarray,
    triangles: np.ndarray,
    loops: tuple[np.ndarray, ...],
    balance: float = 0.0,
    mirror: np.ndarray | None = None,
) -> np.ndarray:
    """Maps a surface onto the unit square, its outer edge by arc length onto the border.

    The edge's uppermost crossing of the plane x = 0 goes to the middle of the top, the lowest to the middle of the bottom, so
    that a symmetric surface gets a symmetric map (u ↔ 1 - u).

    Args:
        points: `[N, 3]` millimetres.
        triangles: `[F, 3]` int, counter-clockwise seen from outside.
        loops: The outer edge, then the holes; each `[n]` vertices with the surface to the left.
        balance: How far room is shared out by area rather than angles kept: the exponent of the stretch in the springs; 0 is
            the conformal map.
        mirror: `[N]` the vertex on the other side of x = 0, -1 for none; an involution. Where triangles are not mirrored with
            the vertices, places of partners are averaged but for those whose triangles would flip.

    Returns:
        `[N, 2]` float64 u, v in [0, 1], v upwards; every triangle counter-clockwise.

    Raises:
        ValueError: If the outer edge does not go around x = 0, or a triangle without area, a doubled one or a fold leaves no map.
    """
    points = np.asarray(points, np.float64)
    border = square_border(points[loops[0]])
    first, second, weight = _springs(points, triangles, loops)
    size = len(points) + len(loops) - 1
    uv = _settle(first, second, weight, loops[0], border, size)
    if balance:
        stretch = np.ones(size)
        stretch[: len(points)] = _stretch(points, triangles, uv)
        uv = _settle(first, second, weight / stretch[second] ** balance, loops[0], border, size)
    uv = uv[: len(points)]
    if mirror is not None:
        uv = _averaged(uv, triangles, loops[0], mirror)
    flipped = signed_areas(uv, triangles) <= 0
    if flipped.any():
        raise ValueError(
            f"`triangles` must be a disk with holes that has a map. Received: {flipped.sum()} triangles flip, "
            f"the first is {flipped.argmax()}"
        )
    return uv


def square_border(points: np.ndarray) -> np.ndarray:
    """A closed edge on the border of the unit square, by arc length on either side of the plane x = 0.

    In each half of the loop, the vertices nearest to an eighth and three eighths of the way around are the corners, and
    between corners lengths keep their proportions.

    Args:
        points: `[n, 3]` the loop, counter-clockwise seen from outside.

    Returns:
        `[n, 2]` u, v.

    Raises:
        ValueError: If the loop does not go around x = 0.
    """
    lengths = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    before, after = points[:, 0], np.roll(points[:, 0], -1)
    share = np.divide(before, before - after, out=np.zeros(len(points)), where=before != after)
    heights = points[:, 1] + share * (np.roll(points[:, 1], -1) - points[:, 1])
    start = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    leftwards, rightwards = (before > 0) & (after <= 0), (before <= 0) & (after > 0)
    if not leftwards.any():
        raise ValueError("`points` must go around the plane x = 0. Received: a loop on one side of it")
    # Counter-clockwise, it goes to the left at the top, and to the right at the bottom.
    top = _crossing(leftwards, heights, start + share * lengths, highest=True)
    bottom = _crossing(rightwards, heights, start + share * lengths, highest=False)
    total = lengths.sum()
    left_half = (bottom - top) % total
    travelled = (start - top) % total
    on_left = travelled <= left_half
    # The way from the top's middle along either half, 0 to 1: corners are at a quarter and three quarters.
    way = np.where(on_left, travelled / left_half, (total - travelled) / (total - left_half))
    border = np.zeros((len(points), 2))
    for half, sign in ((on_left, -1.0), (~on_left, 1.0)):
        members = np.flatnonzero(half)
        corners = [way[members[np.abs(way[members] - corner).argmin()]] for corner in (0.25, 0.75)]
        along = np.interp(way[members], [0.0, *corners, 1.0], [0.0, 0.5, 1.5, 2.0])
        border[members, 0] = 0.5 + sign * np.clip(np.minimum(along, 2 - along), 0, 0.5)
        border[members, 1] = 1 - np.clip(along - 0.5, 0, 1)
    return border


def cotangent_weights(points: np.ndarray, triangles: np.ndarray) -> sparse.csr_matrix:
    """Half the sum of the cotangents of the angles opposite to each edge.

    Args:
        points: `[N, 3]`.
        triangles: `[F, 3]` int.

    Returns:
        `[N, N]` symmetric; negative where opposite angles sum to more than 180°.

    Raises:
        ValueError: If a triangle has no area.
    """
    rows, columns, values = [], [], []
    for corner in range(3):
        at, left, right = triangles[:, corner], triangles[:, (corner + 1) % 3], triangles[:, (corner + 2) % 3]
        u, v = points[left] - points[at], points[right] - points[at]
        area = np.linalg.norm(np.cross(u, v), axis=1)
        if not (area > 0).all():
            raise ValueError(f"`triangles` must have area. Received: triangle {int((~(area > 0)).argmax())} without")
        rows.append(left)
        columns.append(right)
        values.append(0.5 * (u * v).sum(axis=1) / area)
    count = len(points)
    half = sparse.coo_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(count, count)
    ).tocsr()
    return half + half.T


def signed_areas(uv: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """`[F]` areas of triangles in the plane, positive where counter-clockwise."""
    a, b, c = (uv[triangles[:, corner]] for corner in range(3))
    u, v = b - a, c - a
    return 0.5 * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])


def _averaged(uv: np.ndarray, triangles: np.ndarray, outer: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """A map with partners at u and 1 - u, but for those around which triangles would flip, or that would leave the border."""
    paired = mirror >= 0
    averaged = uv.copy()
    averaged[paired] = (uv[paired] + uv[mirror[paired]] * [-1, 1] + [1, 0]) / 2
    kept = np.zeros(len(uv), bool)
    kept[outer] = ~_on_border(averaged[outer])
    while True:
        kept[mirror[kept & paired]] = True
        mixed = np.where(kept[:, None], uv, averaged)
        flipped = triangles[signed_areas(mixed, triangles) <= 0]
        if kept[flipped].all():
            return mixed
        kept[flipped] = True


def _on_border(uv: np.ndarray) -> np.ndarray:
    """`[n]` bool, up to rounding."""
    return np.minimum(uv, 1 - uv).min(axis=1) < 1e-12


def _crossing(where: np.ndarray, heights: np.ndarray, places: np.ndarray, highest: bool) -> float:
    """Arc length of the highest or lowest of a loop's crossings."""
    chosen = np.flatnonzero(where)
    best = chosen[heights[chosen].argmax() if highest else heights[chosen].argmin()]
    return float(places[best])


def _springs(
    points: np.ndarray, triangles: np.ndarray, loops: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directed edges `[n]` from, `[n]` to, and their positive weights; the holes' vertices follow those of the mesh."""
    weights = cotangent_weights(points, triangles).tocoo()
    first, second, weight = [weights.row], [weights.col], [np.maximum(weights.data, _LEAST_WEIGHT)]
    for hole, loop in enumerate(loops[1:]):
        center = np.full(len(loop), len(points) + hole)
        first += [loop, center]
        second += [center, loop]
        weight += [np.full(2 * len(loop), _HOLE_WEIGHT)]
    return np.concatenate(first), np.concatenate(second), np.concatenate(weight)


def _settle(
    first: np.ndarray, second: np.ndarray, weight: np.ndarray, fixed: np.ndarray, border: np.ndarray, size: int
) -> np.ndarray:
    """`[size, 2]` positions in which every vertex that is not fixed is the weighted mean of its neighbours."""
    matrix = sparse.coo_matrix((weight, (first, second)), shape=(size, size)).tocsr()
    laplacian = (sparse.diags(np.asarray(matrix.sum(axis=1)).ravel()) - matrix).tocsr()
    uv = np.zeros((size, 2))
    uv[fixed] = border
    free = np.setdiff1d(np.arange(size), fixed)
    if len(free):
        pulled = -(laplacian[free][:, fixed] @ border)
        uv[free] = linalg.splu(laplacian[free][:, free].tocsc()).solve(pulled)
    return uv


def _stretch(points: np.ndarray, triangles: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """`[N]` root mean square stretch of the map from the square to the surface around each vertex (Sander et al. 2001)."""
    area = np.maximum(signed_areas(uv, triangles), 1e-18)
    (u1, v1), (u2, v2), (u3, v3) = (uv[triangles[:, corner]].T for corner in range(3))
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    along_u = (a * (v2 - v3)[:, None] + b * (v3 - v1)[:, None] + c * (v1 - v2)[:, None]) / (2 * area)[:, None]
    along_v = (a * (u3 - u2)[:, None] + b * (u1 - u3)[:, None] + c * (u2 - u1)[:, None]) / (2 * area)[:, None]
    squared = ((along_u**2).sum(axis=1) + (along_v**2).sum(axis=1)) / 2
    surface = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    corners = triangles.ravel()
    total = np.bincount(corners, np.repeat(surface * squared, 3), minlength=len(points))
    stretch = np.sqrt(total / np.maximum(np.bincount(corners, np.repeat(surface, 3), minlength=len(points)), 1e-18))
    return stretch / stretch.mean()
