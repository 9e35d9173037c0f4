"""Topology of the default head: cut, refined, with eyeballs, teeth and tongue; mirror pairs."""

import dataclasses
from typing import Final

import numpy as np
import scipy.sparse

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable import makehuman
from trainer.morphable.eyeball import build_eyeball
from trainer.morphable.population import UNIT
from trainer.morphable.refinement import PolygonMesh, boundary_loops, refine, triangulate

PARTS: Final = (
    makehuman.BODY,
    makehuman.LEFT_EYE,
    makehuman.RIGHT_EYE,
    makehuman.UPPER_TEETH,
    makehuman.LOWER_TEETH,
    makehuman.TONGUE,
)
EYES: Final = (makehuman.LEFT_EYE, makehuman.RIGHT_EYE)
TEETH: Final = (makehuman.UPPER_TEETH, makehuman.LOWER_TEETH)
TEETH_RECESS: Final = 5.0
"""The base mesh's teeth touch the lips from behind and show between them; they are set back by this, millimetres."""

TONGUE_RECESS: Final = 4.0
"""The tongue is set back by this, so that it stays behind receding lower lips, millimetres."""

RECESSES: Final = ((TEETH, TEETH_RECESS), ((makehuman.TONGUE,), TONGUE_RECESS))
"""Parts and how far they are set back."""

EYE_LANDMARKS: Final = [*LANDMARK_GROUPS["right_eye"], *LANDMARK_GROUPS["left_eye"]]
LIP_LANDMARKS: Final = [*LANDMARK_GROUPS["outer_lips"], *LANDMARK_GROUPS["inner_lips"]]

CUT_HEIGHT: Final = 550.0
"""The body below this height is left out; millimetres in the base mesh, chin at 642."""
CUT_WIDTH: Final = 176.0
"""The shoulders beyond this distance from the middle are left out, millimetres."""
LOOP_REACH: Final = 5
"""The cut's zigzag is smoothed over this many vertices to each side."""
COARSE: Final = 3.0
"""Face quads with an edge longer than this are split, millimetres."""

FACE_HALF_WIDTH: Final = 67.0
FACE_HEIGHTS: Final = (624.0, 830.0)
FACE_DEPTH: Final = 57.0
"""Where quads count as face: |x|, y and least z of their centre, millimetres in the base mesh."""
NECK_HEIGHT: Final = 624.0
"""Below this, identity modes count neck and shoulders little; millimetres in the base mesh."""

EYE_UV_CENTER: Final = (0.773, 0.944)
EYE_UV_RADIUS: Final = 0.012
"""Where the eyeballs lie in the texture: the base mesh's own place for them."""
EYE_UV_REACH: Final = 16.0
"""Distance from the gaze axis at the rim of that place, millimetres."""


@dataclasses.dataclass(frozen=True)
class HeadMesh:
    """The head's topology over the kept base vertices."""

    source: np.ndarray
    """`[N]` kept vertices of the base mesh, ascending."""
    weights: scipy.sparse.csr_matrix
    """`[V, N]`: vertices = weights @ base vertices[source]."""
    triangles: np.ndarray
    """`[T, 3]`."""
    coarse_eyes: np.ndarray
    """`[E, 3]` triangles of the base mesh's own eyes, indices into `source`."""
    uv: np.ndarray
    """`[V, 2]`; on a seam, that of one side."""
    corner_uv: np.ndarray
    """`[M, 2]` every texture coordinate that a vertex has."""
    corner_vertex: np.ndarray
    """`[M]` its vertex."""
    mirror: np.ndarray
    """`[V]`."""
    part: np.ndarray
    """`[V]` index into `PARTS`."""
    axis_distance: np.ndarray
    """`[V]` distance from the gaze axis of eyeball vertices, millimetres; infinite elsewhere."""
    axis_angle: np.ndarray
    """`[V]` radians around the gaze axis; 0 elsewhere."""
    recess: np.ndarray
    """`[N]` how far the teeth and the tongue are set back, millimetres."""
    vertex_of_source: np.ndarray
    """`[N]` vertex that is a kept base vertex, -1 for those of the coarse eyes."""


def build(base: makehuman.BaseMesh, mirror: np.ndarray) -> HeadMesh:
    """Cuts and refines the head.

    Args:
        base: The whole human.
        mirror: `[vertices]` mirror pairs of the base.
    """
    symmetric = (base.vertices + base.vertices[mirror] * [-1, 1, 1]) / 2 * UNIT
    faces, texture_faces = dict(base.faces), dict(base.face_texture)
    corners = symmetric[faces[makehuman.BODY]]
    kept = (corners[..., 1].min(axis=1) > CUT_HEIGHT) & (np.abs(corners[..., 0]).max(axis=1) < CUT_WIDTH)
    faces[makehuman.BODY] = faces[makehuman.BODY][kept]
    texture_faces[makehuman.BODY] = texture_faces[makehuman.BODY][kept]
    source = np.unique(np.concatenate([faces[part].ravel() for part in PARTS]))
    faces = {part: np.searchsorted(source, faces[part]) for part in PARTS}
    vertices, mirror = symmetric[source], np.searchsorted(source, mirror[source])
    part = np.zeros(len(source), np.int64)
    for index, name in enumerate(PARTS):
        part[faces[name]] = index
    mesh, triangles, texture_triangles = _refined(vertices, faces, texture_faces, base.texture)
    used, triangles = np.unique(triangles, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    weights = mesh.weights[used]
    pairs = np.unique(np.stack([triangles.ravel(), texture_triangles.ravel()], axis=1), axis=0)
    first = np.searchsorted(pairs[:, 0], np.arange(len(used)))
    solid = HeadMesh(
        source=source,
        weights=weights,
        triangles=triangles,
        coarse_eyes=np.concatenate([faces[eye][:, corners] for eye in EYES for corners in ([0, 1, 2], [0, 2, 3])]),
        uv=mesh.texture[pairs[first, 1]],
        corner_uv=mesh.texture[pairs[:, 1]],
        corner_vertex=pairs[:, 0],
        mirror=_mirror(weights, mirror),
        part=part[weights.indices[weights.indptr[:-1]]],
        axis_distance=np.full(len(used), np.inf),
        axis_angle=np.zeros(len(used)),
        recess=np.sum(
            [depth * np.isin(part, [PARTS.index(name) for name in names]) for names, depth in RECESSES], axis=0
        ),
        vertex_of_source=_vertex_of_source(used, len(source)),
    )
    return _with_eyes(solid, vertices, faces)


def _refined(
    vertices: np.ndarray,
    faces: dict[str, np.ndarray],
    texture_faces: dict[str, np.ndarray],
    texture: np.ndarray,
) -> tuple[PolygonMesh, np.ndarray, np.ndarray]:
    """All but the eyes, capped at the cut, split where coarse, as triangles."""
    solid = [name for name in PARTS if name not in EYES]
    polygons = [face.tolist() for name in solid for face in faces[name]]
    texture_polygons = [face.tolist() for name in solid for face in texture_faces[name]]
    corner_texture = {
        vertex: at
        for face, texture_face in zip(polygons, texture_polygons, strict=True)
        for vertex, at in zip(face, texture_face, strict=True)
    }
    lowest = min(boundary_loops(faces[makehuman.BODY].tolist()), key=lambda loop: vertices[loop, 1].mean())
    polygons.append(lowest[::-1])
    texture_polygons.append([corner_texture[vertex] for vertex in lowest[::-1]])
    mesh = PolygonMesh(_smoothed_loop(len(vertices), lowest), texture, polygons, texture_polygons)
    mesh = refine(mesh, np.array([_is_coarse_face(vertices[polygon]) for polygon in polygons]))
    return triangulate(mesh, mesh.weights @ vertices)


def _smoothed_loop(count: int, loop: list[int]) -> scipy.sparse.csr_matrix:
    """`[count, count]` identity, but for the vertices of a loop: means of their neighbours along it."""
    kernel = np.concatenate([np.arange(1, LOOP_REACH + 1), np.arange(LOOP_REACH, 0, -1)[1:]])
    offsets = np.arange(len(kernel)) - len(kernel) // 2
    weights = scipy.sparse.identity(count, format="lil")
    for at, vertex in enumerate(loop):
        weights[vertex, vertex] = 0
        for offset, value in zip(offsets, kernel / kernel.sum(), strict=True):
            weights[vertex, loop[(at + offset) % len(loop)]] += value
    return scipy.sparse.csr_matrix(weights)


def _is_coarse_face(corners: np.ndarray) -> bool:
    """Whether a polygon `[n, 3]`, millimetres of the base mesh, lies in the face and has an edge that is too long."""
    x, y, z = corners.mean(axis=0)
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).max()
    in_face = abs(x) < FACE_HALF_WIDTH and FACE_HEIGHTS[0] < y < FACE_HEIGHTS[1] and z > FACE_DEPTH
    return bool(in_face and longest > COARSE)


def _mirror(weights: scipy.sparse.csr_matrix, mirror: np.ndarray) -> np.ndarray:
    """Mirror vertices `[V]` of a refined mesh, found by the base vertices that they are made of."""
    rows = [
        tuple(sorted(zip(row.indices.tolist(), np.round(row.data, 6).tolist(), strict=True)))
        for row in (weights[index] for index in range(weights.shape[0]))
    ]
    index = {row: at for at, row in enumerate(rows)}
    return np.array([index[tuple(sorted((int(mirror[column]), value) for column, value in row))] for row in rows])


def _vertex_of_source(used: np.ndarray, count: int) -> np.ndarray:
    """Position of each kept base vertex in the refined mesh, -1 where no face uses it."""
    position = np.full(max(count, int(used.max()) + 1), -1)
    position[used] = np.arange(len(used))
    return position[:count]


def _with_eyes(solid: HeadMesh, vertices: np.ndarray, faces: dict[str, np.ndarray]) -> HeadMesh:
    """The mesh with a geometric eyeball in place of each coarse one."""
    start = len(solid.uv)
    parts: dict[str, list[np.ndarray]] = {
        "weights": [],
        "triangles": [],
        "uv": [],
        "distance": [],
        "angle": [],
    }
    eyes = {}
    for name in EYES:
        coarse = np.unique(faces[name])
        eye = eyes[name] = build_eyeball(vertices[coarse])
        weights = np.zeros((len(eye.weights), len(vertices)))
        weights[:, coarse] = eye.weights
        parts["weights"].append(weights)
        parts["triangles"].append(eye.triangles + start + sum(len(other) for other in parts["uv"]))
        turn = np.stack([np.cos(eye.angle), np.sin(eye.angle)], axis=1)
        reach = np.minimum(eye.axis_distance, EYE_UV_REACH) / EYE_UV_REACH
        parts["uv"].append(EYE_UV_CENTER + EYE_UV_RADIUS * turn * reach[:, None])
        parts["distance"].append(eye.axis_distance)
        parts["angle"].append(eye.angle)
    count = len(eyes[makehuman.LEFT_EYE].mirror)
    across = eyes[makehuman.LEFT_EYE].mirror
    uv = np.concatenate(parts["uv"])
    indices = np.repeat([PARTS.index(makehuman.LEFT_EYE), PARTS.index(makehuman.RIGHT_EYE)], count)
    return dataclasses.replace(
        solid,
        weights=scipy.sparse.csr_matrix(scipy.sparse.vstack([solid.weights, *parts["weights"]])),
        triangles=np.concatenate([solid.triangles, *parts["triangles"]]),
        uv=np.concatenate([solid.uv, uv]),
        corner_uv=np.concatenate([solid.corner_uv, uv]),
        corner_vertex=np.concatenate([solid.corner_vertex, start + np.arange(2 * count)]),
        mirror=np.concatenate([solid.mirror, start + count + across, start + across]),
        part=np.concatenate([solid.part, indices]),
        axis_distance=np.concatenate([solid.axis_distance, *parts["distance"]]),
        axis_angle=np.concatenate([solid.axis_angle, *parts["angle"]]),
    )


def importance(vertices: np.ndarray) -> np.ndarray:
    """Weight of each kept base vertex `[N, 3]`, millimetres, when identity modes are ordered: the face counts most."""
    return np.where(vertices[:, 1] < NECK_HEIGHT, 0.05, np.where(vertices[:, 2] > FACE_DEPTH, 1.0, 0.3))
