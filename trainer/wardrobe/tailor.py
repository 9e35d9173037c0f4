"""Makes garments out of meshes posed on the mean head: where they hang, what they hide, what of them is kept."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import scipy.ndimage
import scipy.spatial

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.model import MorphableModel
from trainer.wardrobe import textures
from trainer.wardrobe.binding import Binding
from trainer.wardrobe.cutting import compacted, cut_at, vertex_normals
from trainer.wardrobe.garment import Garment
from trainer.wardrobe.mhclo import Clothes, read_clothes
from trainer.wardrobe.nearest import nearest_on_mesh

TEXTURE_SIZES: Final = {"hair": 288, "brows": 160, "lashes": 128, "clothes": 256, "hat": 192}
"""Longest side of a garment's texture, texels."""
GREY_SPREAD: Final = {"hair": 0.4, "brows": 0.25, "lashes": 0.2}
"""Greatest standard deviation of the logarithm of a dyed picture's detail: the pictures have highlights painted in."""
FLOOR: Final = -400.0
"""Clothes and hair end at this height, millimetres in the model frame: the waist."""
GLOSS: Final = {"hair": 0.3, "brows": 0.3, "lashes": 0.2, "clothes": 0.15, "hat": 0.2}
"""How much of the light's highlight shows; skin is 1."""
COVER_REACH: Final = (-25.0, 45.0)
"""Skin so far below a garment is covered by it, millimetres; less than 0 is above: there it would poke through."""
CLEARANCE: Final = 6.0
"""Covered skin of the head is drawn at least so far below the garment, millimetres."""
BROW_LEVEL: Final = -1.0
"""Height of the middle of brows over their landmarks, millimetres."""
BROW_CLEARANCE: Final = (0.4, 1.5)
"""Brows lie so far above the skin, millimetres."""
BROW_SOFTNESS: Final = 0.7
BROW_GAIN: Final = 1.9
"""Brows are drawn hair by hair, and photographs show bands: alpha is smoothed so far, texels, and raised by this factor."""
NATURAL: Final = ("male_elegantsuit01", "male_casualsuit05")
"""Clothes of several pieces, which no single colour fits."""
SAME_PLACE: Final = 0.5
"""A vertex of the body and of the torso are one if nearer than this, millimetres."""
ROOT: Final = 1.2
"""Lash vertices nearer to the skin than this are roots, millimetres."""
MOST_ANCHORS: Final = 64

KIND_WORDS: Final = (
    ("brows", r"(eye)?brows?"),
    ("lashes", r"(eye)?lash(es)?"),
    ("hair", r"hairs?"),
    ("hat", r"hats?"),
)
"""Words in the path or the tags of an asset that tell what it is; clothes otherwise."""


def kind_of(clothes: Clothes, folders: Sequence[str]) -> str:
    """What an asset is, by the folders that it lies in and its tags.

    Args:
        clothes: The asset.
        folders: Their names.
    """
    words = re.split(r"[^a-z]+", " ".join([*folders, *clothes.tags]).lower())
    for kind, pattern in KIND_WORDS:
        if any(re.fullmatch(pattern, word) for word in words):
            return kind
    return "clothes"


def tailored(
    clothes: Clothes,
    kind: str,
    body: np.ndarray,
    model: MorphableModel,
    torso: Garment | None = None,
    source: str = "",
) -> Garment:
    """A garment out of an asset.

    Args:
        clothes: The asset.
        kind: What it is, see `trainer.wardrobe.garment.KINDS`.
        body: `[19158, 3]` base mesh around the mean head, millimetres, model frame.
        model: The head.
        torso: The bare chest, whose parts clothes hide.
        source: Where the asset comes from.

    Raises:
        ValueError: If the asset lacks texture coordinates or a picture, or lies wholly below the waist.
    """
    if clothes.mesh.uv is None or clothes.picture is None:
        raise ValueError(f"{clothes.name!r} must have texture coordinates and a picture.")
    places, triangles, uv = clothes.pose(body), clothes.mesh.triangles, clothes.mesh.uv
    if kind == "clothes":
        places, triangles, uv = cut_at(FLOOR, places, triangles, uv, clothes.mesh.vertex_of_corner)
    else:
        places, triangles, uv = compacted(places, triangles[(places[triangles, 1] > FLOOR).any(axis=1)], uv)
    if not len(triangles):
        raise ValueError(f"{clothes.name!r} must reach above the waist.")
    texture, uv, share = textures.cropped(clothes.picture, uv, triangles, TEXTURE_SIZES[kind])
    dye = "hair" if kind in GREY_SPREAD else None if clothes.name in NATURAL else "cloth"
    if kind in GREY_SPREAD:
        texture = textures.greyed(texture, share, GREY_SPREAD[kind])
    if kind == "brows":
        texture = textures.thickened(texture, BROW_SOFTNESS, BROW_GAIN)
        places = lifted_brows(places, uv, texture, model)
    covered_head, depth, covered_torso = None, None, None
    if kind in ("clothes", "hat"):
        region = model.regions["body" if kind == "clothes" else "scalp"]
        skin = np.flatnonzero((region > 0) & (model.regions["skin"] > 0.5))
        normals = vertex_normals(model.mean, model.triangles)
        height = height_above(places, triangles, model.mean[skin], normals[skin])
        covered_head = skin[np.isfinite(height)]
        depth = np.clip(CLEARANCE - height[np.isfinite(height)], 0, -COVER_REACH[0])
    if kind == "clothes" and torso is not None:
        below = torso.fit(model.mean)
        hidden = np.isfinite(height_above(places, triangles, below, vertex_normals(below, torso.triangles)))
        if len(clothes.hidden):
            hidden |= scipy.spatial.cKDTree(body[clothes.hidden]).query(below)[0] < SAME_PLACE
        covered_torso = np.flatnonzero(_both_sides(below, torso.triangles, hidden[torso.triangles].all(axis=1)))
    return Garment(
        name=clothes.name.lower(),
        kind=kind,
        triangles=triangles,
        binding=bound(places, kind, model),
        uv=uv,
        texture=texture,
        dye=dye,
        tint=textures.mean_color(texture, share),
        covered_head=covered_head,
        covered_depth=depth,
        covered_torso=covered_torso,
        gloss=GLOSS[kind],
        licence=clothes.licence,
        source=source,
    )


def tailored_folder(folder: Path, body: np.ndarray, model: MorphableModel, torso: Garment | None) -> list[Garment]:
    """Garments out of every `.mhclo` below a folder, in the order of their paths.

    Raises:
        FileNotFoundError: If a file that one names is missing.
        ValueError: If there is none, or one cannot be used.
    """
    paths = sorted(folder.rglob("*.mhclo"))
    if not paths:
        raise ValueError(f"{folder} holds no .mhclo file.")
    garments = []
    for path in paths:
        clothes = read_clothes(path)
        kind = kind_of(clothes, path.absolute().parts[-3:-1])
        garments.append(tailored(clothes, kind, body, model, torso, path.relative_to(folder).as_posix()))
    return garments


def bound(places: np.ndarray, kind: str, model: MorphableModel) -> Binding:
    """Hangs vertices on the mean head.

    Args:
        places: `[N, 3]` millimetres, model frame.
        kind: What they are part of: hair hangs on the scalp, brows on the skin around them, lashes on the lids, clothes on neck
            and shoulders.
        model: The head.
    """
    triangles = model.triangles[_may_hold(kind, model)]
    triangle, weights = nearest_on_mesh(places, model.mean, triangles)
    if kind == "lashes":
        triangle, weights = _on_roots(places, model.mean, triangles, triangle, weights)
    corners = triangles[triangle]
    weights[:, :2] = weights[:, :2].astype(np.float16)
    weights[:, 2] = 1 - weights[:, 0] - weights[:, 1]
    offsets = places - np.einsum("nc,ncd->nd", weights, model.mean[corners])
    if kind in ("brows", "lashes"):
        offsets = np.einsum("nrd,nd->nr", _frames(model.mean[corners]), offsets)
        return Binding(corners, weights, offsets.astype(np.float16))
    anchors = anchors_of(kind, model)
    return Binding(corners, weights, offsets.astype(np.float16), anchors, model.mean[anchors])


def anchors_of(kind: str, model: MorphableModel) -> np.ndarray:
    """`[A]` vertices whose turning a kind of thing follows: the shoulders for clothes and torso, the skull for all else."""
    body = model.regions["body"]
    firm = (body > 0.98) if kind in ("clothes", "torso") else (model.regions["scalp"] > 0.98)
    vertices = np.flatnonzero(firm)
    return vertices[:: max(1, len(vertices) // MOST_ANCHORS)]


def height_above(places: np.ndarray, triangles: np.ndarray, skin: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """How far a garment is above the skin that it covers.

    Args:
        places: `[N, 3]` of the garment.
        triangles: `[T, 3]`.
        skin: `[V, 3]`.
        normals: `[V, 3]` outwards.

    Returns:
        `[V]` millimetres, infinite where the skin is not below the garment: beside its rims, or too far.
    """
    triangle, weights = nearest_on_mesh(skin, places, triangles)
    away = np.einsum("nc,ncd->nd", weights, places[triangles[triangle]]) - skin
    distance, height = np.linalg.norm(away, axis=1), (away * normals).sum(axis=1)
    below = ((np.abs(height) > 0.7 * distance) | (distance < 3)) & (height > COVER_REACH[0]) & (height < COVER_REACH[1])
    return np.where(below, height, np.inf)


def lifted_brows(places: np.ndarray, uv: np.ndarray, texture: np.ndarray, model: MorphableModel) -> np.ndarray:
    """Brows moved up or down the forehead until their middle is level with their landmarks; each style keeps its curve.

    Args:
        places: `[N, 3]` where the asset has them.
        uv: `[N, 2]`.
        texture: `[H, W, 4]` uint8, by whose alpha the middle is found.
        model: The head.
    """
    points = model.landmark_points(model.mean)
    height, width = texture.shape[:2]
    column = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip(((1 - uv[:, 1]) * height).astype(int), 0, height - 1)
    hair = scipy.ndimage.gaussian_filter(texture[..., 3].astype(np.float64), 2.0)[row, column] + 1e-6
    rises = []
    for group, side in (("right_brow", places[:, 0] < 0), ("left_brow", places[:, 0] > 0)):
        line = points[list(LANDMARK_GROUPS[group])]
        line = line[np.argsort(line[:, 0])]
        wanted = np.interp(places[side, 0], line[:, 0], line[:, 1]) + BROW_LEVEL
        rises.append(np.average(wanted - places[side, 1], weights=hair[side]))
    allowed = np.flatnonzero(_may_hold("brows", model))
    triangles = model.triangles[allowed]
    normals = vertex_normals(model.mean, model.triangles)

    def skin_below(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        triangle, weights = nearest_on_mesh(points, model.mean, triangles)
        corners = triangles[triangle]
        return (np.einsum("nc,ncd->nd", weights, field[corners]) for field in (model.mean, normals))  # type: ignore[return-value]

    foot, normal = skin_below(places)
    clearance = np.clip(((places - foot) * normal).sum(axis=1), *BROW_CLEARANCE)
    foot, normal = skin_below(places + np.array([0, np.mean(rises), 0]))
    return foot + clearance[:, None] * normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _may_hold(kind: str, model: MorphableModel) -> np.ndarray:
    """`[T]` bool: triangles of the head that a kind of thing may hang on."""
    regions, vertices = model.regions, model.mean
    if kind in ("clothes", "torso"):
        level = vertex_normals(vertices, model.triangles)[:, 1]
        held = (regions["body"] > 0.3) & (regions["skin"] > 0.5) & (level > -0.8)
    elif kind == "brows":
        held = (regions["skin"] > 0.5) & (vertices[:, 2] > -45) & (vertices[:, 1] > 25) & (regions["eyelids"] < 0.9)
    elif kind == "lashes":
        held = (regions["eyelids"] > 0.05) & (regions["skin"] > 0.5)
    else:
        held = regions["scalp"] > 0.3
    return held[model.triangles].all(axis=1)


def _both_sides(vertices: np.ndarray, triangles: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """`[T]` bool: chosen triangles and those where their mirror images are."""
    centers = vertices[triangles].mean(axis=1)
    _, across = scipy.spatial.cKDTree(centers).query(centers * [-1, 1, 1])
    return chosen | chosen[across]


def _on_roots(
    places: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, triangle: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bindings of lash vertices, tips to where the nearest root is bound, so that a hair moves as one."""
    distance = np.linalg.norm(np.einsum("nc,ncd->nd", weights, vertices[triangles[triangle]]) - places, axis=1)
    roots = np.flatnonzero(distance < max(ROOT, float(np.quantile(distance, 0.3))))
    nearest = roots[np.argmin(np.linalg.norm(places[:, None] - places[roots][None], axis=-1), axis=1)]
    return triangle[nearest], weights[nearest]


def _frames(corners: np.ndarray) -> np.ndarray:
    """`[N, 3, 3]` rows edge, perpendicular, normal of triangles `[N, 3, 3]`: what `trainer.wardrobe.binding` turns offsets by."""
    edge = corners[:, 1] - corners[:, 0]
    normal = np.cross(edge, corners[:, 2] - corners[:, 0])
    edge = edge / np.linalg.norm(edge, axis=1, keepdims=True)
    normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    return np.stack([edge, np.cross(normal, edge), normal], axis=1)
