"""ICT-FaceKit (Li et al. 2020, "Learning Formation of Physically-Based Face Attributes"), light version, MIT.

As distributed: a folder `FaceXModel` with `generic_neutral_mesh.obj` (26,719 vertices, materials name the parts),
`identity000.obj` … one standard deviation from the neutral mesh each, an `.obj` for each expression at full strength, and
`vertex_indices.json` with the names of the expressions and ICT's own 68 landmarks. Or the region of the face alone:
`ict_face.npz` with `mean [V, 3]`, `ident [K, V, 3]`, `expr [K, V, 3]`, the latter two offsets, and `expr_names.json` beside
`generic_neutral_mesh.obj` and `vertex_indices.json`; its vertices are the first of the whole mesh, and `ict_interior` makes the
rest follow them.

Centimetres, x to the image's right, y up, z out of the face. ICT's own landmarks start the transfer and are no set: they define
jaw, brows and nose in a way of their own (photographs P1, mean face, free pose: 3.5 %; the transferred `outline` 2.8, `basel`
2.8; fixtures: 4.9, 2.7, 2.2). Shells that only shade the eyes and the lashes (fluid, blend, occlusion) are left out: they are
transparent in use.
"""

import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from trainer.contract import LANDMARK_COUNT, LANDMARK_GROUPS
from trainer.morphable.io import read_arrays
from trainer.morphable.landmark_transfer import Known
from trainer.morphable.readers import ict_interior
from trainer.morphable.readers.obj_file import ObjMesh, read_mesh, read_vertices
from trainer.morphable.readers.source_model import MAX_MODES, SourceModel, anatomical

NEUTRAL: Final = "generic_neutral_mesh.obj"
INDICES: Final = "vertex_indices.json"
REGION: Final = "ict_face.npz"
REGION_NAMES: Final = "expr_names.json"
FOLDER: Final = "FaceXModel"

MILLIMETRES: Final = 10.0
"""Millimetres in a centimetre."""

TRANSPARENT: Final = ("M_LacrimalFluid", "M_EyeBlend", "M_EyeOcclusion", "M_EyeLashes")
"""Materials that are left out."""

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "eyeballs": ("M_ScleraLeft", "M_IrisLeft", "M_ScleraRight", "M_IrisRight"),
    "teeth": ("M_Teeth",),
    "tongue": ("M_GumsTongue",),
}
"""Regions to the materials that make them. Gums and tongue are one material."""

EYES: Final = (("M_ScleraLeft", "M_IrisLeft"), ("M_ScleraRight", "M_IrisRight"))

IRISES: Final = ("M_IrisLeft", "M_IrisRight")

CHIN: Final = LANDMARK_GROUPS["jaw"][8]

REGION_TOLERANCE: Final = 0.02
"""The face region's mean is the neutral mesh's within this, centimetres."""

MAX_JSON_BYTES: Final = 4 << 20
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def files(folder: Path) -> list[Path]:
    """Files of the model in a folder.

    Args:
        folder: The distribution, its `FaceXModel`, or a folder with the face region.

    Returns:
        The neutral mesh and the indices first, then the morph targets or the region.

    Raises:
        ValueError: If the folder holds no such model.
    """
    if (folder / FOLDER / NEUTRAL).is_file():
        folder = folder / FOLDER
    wanted = [folder / NEUTRAL, folder / INDICES]
    missing = [path.name for path in wanted if not path.is_file()]
    if missing:
        raise ValueError(f"{folder} is no ICT-FaceKit folder: it lacks {', '.join(missing)}")
    if (folder / REGION).is_file():
        return [*wanted, folder / REGION, folder / REGION_NAMES]
    return [*wanted, *_identities(folder), *(folder / f"{name}.obj" for name in _expression_names(folder))]


def read(path: Path, known: Mapping[str, Known]) -> SourceModel:
    """Reads the model.

    Args:
        path: The folder.
        known: Landmarks from the user's tables; they precede ICT's own.

    Raises:
        ValueError: If a file is missing, cannot be read or does not fit the others. The message names the file.
    """
    listed = files(path)
    folder = listed[0].parent
    mesh = read_mesh(folder / NEUTRAL)
    own = dict(enumerate(_landmarks(folder, len(mesh.vertices))))
    if folder / REGION in listed:
        name = "ict-facekit-face"
        identity, expression, names = _whole(folder, mesh, own)
    else:
        name = "ict-facekit"
        names = tuple(_expression_names(folder))
        identity = _targets(_identities(folder), mesh)
        expression = _targets([folder / f"{name}.obj" for name in names], mesh)
    kept_triangles = ~_of(mesh, TRANSPARENT)
    vertices = np.unique(mesh.triangles[kept_triangles])
    mean, identity, expression = mesh.vertices[vertices], identity[:, vertices], expression[:, vertices]
    row = np.full(len(mesh.vertices), -1)
    row[vertices] = np.arange(len(vertices))
    triangles = row[mesh.triangles[kept_triangles]]
    if not len(triangles):
        raise ValueError(f"{folder / NEUTRAL} has no polygon among the vertices of the model")
    placed = {index: int(row[vertex]) for index, vertex in own.items() if row[vertex] >= 0}
    parts = {part: _part(mesh, row, len(vertices), materials) for part, materials in PARTS.items()}
    iris = _part(mesh, row, len(vertices), IRISES)
    return SourceModel(
        name=name,
        licence="MIT",
        vertices=mean * np.float32(MILLIMETRES),
        triangles=triangles,
        identity=identity * np.float32(MILLIMETRES),
        expression=expression * np.float32(MILLIMETRES),
        expression_names=names,
        uv=_texture(mesh, kept_triangles, row, len(vertices)),
        known=known,
        start=anatomical({**placed, **known.get("basel", {})}),
        parts={part: weights for part, weights in parts.items() if weights.any()},
        iris=iris,
        provenance={
            "format": "ICT-FaceKit light",
            "unit": "centimetre",
            "left out": ", ".join(TRANSPARENT),
            "moved with the skin": "all beyond the face region" if name.endswith("face") else "nothing",
        },
    )


def _whole(folder: Path, mesh: ObjMesh, landmarks: Mapping[int, int]) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Offsets of identity and expression over the whole mesh, from those of the face region, and the expressions' names."""
    mean, identity, expression, names = _region(folder)
    count = len(mean)
    if count > len(mesh.vertices) or np.abs(mean - mesh.vertices[:count]).max() > REGION_TOLERANCE:
        raise ValueError(f"{folder / REGION} must hold the first vertices of {NEUTRAL} as its `mean`")
    identity = ict_interior.follow_skin(mesh.vertices, count, identity)
    expression = ict_interior.follow_skin(mesh.vertices, count, expression)
    for materials in EYES:
        eye = np.unique(mesh.triangles[_of(mesh, materials)])
        if len(eye):
            ict_interior.move_eye(mesh.vertices, count, eye, identity, expression, names)
    teeth, gums = (mesh.triangles[_of(mesh, PARTS[part])] for part in ("teeth", "tongue"))
    if len(teeth):
        chin = landmarks[CHIN]
        ict_interior.move_teeth(mesh.vertices, count, teeth, gums, chin, identity, expression, names)
    return identity, expression, names


def _identities(folder: Path) -> list[Path]:
    """`identity000.obj` and on, without a gap."""
    found: list[Path] = []
    while (path := folder / f"identity{len(found):03d}.obj").is_file():
        found.append(path)
    if not 1 <= len(found) <= MAX_MODES:
        raise ValueError(f"{folder} must hold identity000.obj and on, 1 to {MAX_MODES} of them. Received: {len(found)}")
    return found


def _expression_names(folder: Path) -> list[str]:
    names = _json(folder / INDICES).get("expressions")
    if not isinstance(names, list) or len(names) > MAX_MODES:
        raise ValueError(f"{folder / INDICES} must list at most {MAX_MODES} `expressions`")
    return _plain_names(folder / INDICES, names)


def _plain_names(path: Path, names: list[Any]) -> list[str]:
    """The names, each of which is a word and so leads to no other folder."""
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"{path} must name expressions by letters, digits and `_`. Received: {str(name)[:60]!r}")
    if len(set(names)) != len(names):
        raise ValueError(f"{path} names an expression twice")
    return names


def _landmarks(folder: Path, count: int) -> list[int]:
    vertices = _json(folder / INDICES).get("idx_to_landmark_verts")
    if not isinstance(vertices, list) or len(vertices) != LANDMARK_COUNT:
        raise ValueError(f"{folder / INDICES} must list {LANDMARK_COUNT} `idx_to_landmark_verts`")
    if not all(type(vertex) is int and 0 <= vertex < count for vertex in vertices):
        raise ValueError(f"{folder / INDICES}: `idx_to_landmark_verts` must be vertices in [0, {count})")
    return vertices


def _json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ValueError(f"{path} is longer than {MAX_JSON_BYTES} bytes")
    try:
        content = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    return content if isinstance(content, dict) else {"": content}


def _targets(paths: list[Path], mesh: ObjMesh) -> np.ndarray:
    """`[K, V, 3]` offsets of morph targets from the neutral mesh, centimetres."""
    offsets = np.empty((len(paths), len(mesh.vertices), 3), np.float32)
    for offset, path in zip(offsets, paths, strict=True):
        if not path.is_file():
            raise ValueError(f"{path} is missing")
        np.subtract(read_vertices(path, len(mesh.vertices)), mesh.vertices, out=offset)
    return offsets


def _region(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Mean, offsets of identity and expression, and the names of the latter, centimetres."""
    path = folder / REGION
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            arrays = read_arrays(archive)
    except Exception as error:  # zipfile, decompressors and NumPy raise nearly anything on damaged files
        raise ValueError(f"{path} cannot be read: {error}") from error
    missing = [name for name in ("mean", "ident", "expr") if name not in arrays]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}")
    mean, identity, expression = (arrays[name].astype(np.float32) for name in ("mean", "ident", "expr"))
    for name, array in (("mean", mean[None] if mean.ndim == 2 else mean), ("ident", identity), ("expr", expression)):
        if array.ndim != 3 or array.shape[1:] != (len(mean), 3) or not np.isfinite(array).all():
            raise ValueError(f"{path}: `{name}` must be finite and [K, {len(mean)}, 3]. Received: {list(array.shape)}")
    names = _json(folder / REGION_NAMES).get("") if (folder / REGION_NAMES).is_file() else None
    if not isinstance(names, list) or len(names) != len(expression):
        raise ValueError(f"{folder / REGION_NAMES} must be a list of {len(expression)} names")
    return mean, identity, expression, tuple(_plain_names(folder / REGION_NAMES, names))


def _of(mesh: ObjMesh, materials: tuple[str, ...]) -> np.ndarray:
    """`[T]` whether a triangle is of one of the materials."""
    return np.isin(mesh.triangle_material, [row for row, name in enumerate(mesh.materials) if name in materials])


def _part(mesh: ObjMesh, row: np.ndarray, count: int, materials: tuple[str, ...]) -> np.ndarray:
    """`[V]` 1 where a vertex belongs to one of the materials."""
    weights = np.zeros(count, np.float32)
    weights[row[mesh.triangles[_of(mesh, materials)]].ravel()] = 1
    return weights


def _texture(mesh: ObjMesh, kept: np.ndarray, row: np.ndarray, count: int) -> np.ndarray | None:
    """`[V, 2]` in [0, 1]: tiles side by side share the width; a vertex on a seam keeps the first of its places."""
    at = mesh.triangle_texture[kept].ravel()
    if not len(at) or at.min() < 0:
        return None
    uv = np.zeros((count, 2), np.float32)
    uv[row[mesh.triangles[kept]].ravel()[::-1]] = mesh.texture[at[::-1]]
    tiles = max(1.0, float(np.ceil(uv[:, 0].max())))
    return np.clip(uv / (tiles, 1.0), 0, 1).astype(np.float32)
