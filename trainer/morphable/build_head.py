"""Builds the default head from MakeHuman's CC0 assets: one deterministic command, `monoface model build-head`.

Steps: cut head, neck and shoulders out of the base mesh with eyeballs, teeth and tongue; refine where the face is coarse;
sample people and reduce them to identity modes; face units become expression modes; skins become albedo modes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable import head_mesh, head_regions, landmark_placement, makehuman, paint
from trainer.morphable.eyeball import gaze_turn
from trainer.morphable.face_features import Surface
from trainer.morphable.linear import principal_modes, rigid_alignment
from trainer.morphable.model import LandmarkSet, MorphableModel
from trainer.morphable.population import UNIT, sample_population, sizes
from trainer.morphable.skin_map import build_map
from trainer.morphable.surface_rays import Hits

GENERATOR_VERSION: Final = "3"
IDENTITY_MODES: Final = 80
STEP: Final = 1 / 128
"""Identity and expression values are rounded to this many millimetres, and to float16, so that the file is compact."""
FINE_STEP: Final = 1 / 1024
"""The same for the mean, which stays float32."""
ALBEDO_STEP: Final = 1 / 4096
"""The same for albedo, linear RGB."""

EXPRESSION_LIMIT: Final = {"mouthClose": 0.12}
"""Greatest sensible weight of a face unit; 1 for the others. More of `mouthClose` belongs to an open jaw, at most as much."""
EXPRESSION_SD: Final = {"cheekPuff": 0.1, "jawForward": 0.1, "mouthClose": 0.04, "tongueOut": 0.08}
"""Spread of the weights of rare face units; 0.25 for the others."""

BROW_HALF: Final = 3.5
"""Half the width of a brow: the landmarks lie on its upper edge, the paint is centred this much below, millimetres."""

GAZE: Final = {"Out": (30.0, 0.0), "In": (-30.0, 0.0), "Up": (0.0, 20.0), "Down": (0.0, -25.0)}
"""Unit of gaze to how far an eye turns at weight 1: outwards and up, degrees. MakeHuman's units shift its eyes instead."""

TONGUE_REACH: Final = 1.4
TONGUE_LIFT: Final = 6.0
TONGUE_JAW: Final = 0.4
"""MakeHuman's `tongueOut` pushes the tongue through shut lips. It goes out by this factor more, its tip is lifted by so many
millimetres, and the jaw opens by this much of `jawOpen`."""

BLINKS: Final = {"eyeBlinkLeft": "left_eye", "eyeBlinkRight": "right_eye"}
"""Face units that shut an eye. MakeHuman's overshoot; they are scaled so that weight 1 brings the lids together."""
BLINK_OVERLAP: Final = 1.12
"""Lid movement at weight 1 over the mean head's opening, so that wider eyes close too."""

SOURCE: Final = "MakeHuman hm08 base mesh, targets, face units, skins and masks (makehumancommunity.org)"
LICENCE: Final = "CC0-1.0"
INPUTS: Final = (
    "3dobjs/base.obj",
    "landmarks68.json",
    "masks/*.png",
    "mesh_metadata/hm08.mirror",
    "skins/*.png",
    "targets/**/*.target.gz",
)
"""Assets that a build may read, below the MakeHuman folder."""


def build_head(makehuman_dir: str | Path) -> MorphableModel:
    """The default head.

    Args:
        makehuman_dir: Folder with `3dobjs`, `targets`, `skins`, `masks`, `mesh_metadata` and `landmarks68.json`.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file cannot be read.
    """
    folder = Path(makehuman_dir)
    base = makehuman.read_base(folder / "3dobjs" / "base.obj")
    count = len(base.vertices)
    tables = makehuman.read_landmarks(folder / "landmarks68.json")
    mesh = head_mesh.build(base, makehuman.read_mirror(folder / "mesh_metadata" / "hm08.mirror", count))
    samples = _aligned_samples(folder / "targets", base.vertices, mesh.source, tables["basel"])
    importance = head_mesh.importance(base.vertices[mesh.source] * UNIT)
    mean, modes, deviations, kept = principal_modes(samples, importance, IDENTITY_MODES)
    mean = mean - _origin(mean[np.searchsorted(mesh.source, tables["basel"])])
    mean[:, 2] -= mesh.recess
    vertices = mesh.weights @ mean
    vertices = (vertices + vertices[mesh.mirror] * [-1, 1, 1]) / 2
    names, expression = _face_units(folder / "targets" / "faceunits", count, mesh.source)
    seen = head_regions.pictured(mesh, folder / "masks")
    landmarks = landmark_placement.place(*_measured(mesh, vertices, mean, seen))
    vertices = vertices - _origin(_points(mesh.triangles, landmarks["basel"], vertices))
    points = _points(mesh.triangles, landmarks["basel"], vertices)
    units = _applied(mesh.weights, expression)
    _turn_eyes(names, units, mesh.part, vertices)
    _put_tongue_out(names, units, mesh.part == head_mesh.PARTS.index(makehuman.TONGUE))
    for index, name in enumerate(names):
        if name in BLINKS:
            units[index] *= _closing_weight(mesh.triangles, landmarks["basel"], points, units[index], BLINKS[name])
    regions = head_regions.regions(mesh, seen, vertices, points)
    regions["brows"] = paint.brow_mask(vertices, points - [0, BROW_HALF, 0], head_regions.front_skin(regions, vertices))
    albedo_mean, albedo, albedo_sd = _albedo(folder / "skins", mesh, regions, vertices, points)
    return MorphableModel(
        name="monoface-head",
        mean=np.round(vertices / FINE_STEP) * FINE_STEP,
        identity=_rounded(_applied(mesh.weights, modes), STEP),
        identity_sd=deviations,
        expression=_rounded(units, STEP),
        expression_names=names,
        expression_range=np.array([(0.0, EXPRESSION_LIMIT.get(name, 1.0)) for name in names], np.float32),
        expression_sd=np.array([EXPRESSION_SD.get(name, 0.25) for name in names], np.float32),
        albedo_mean=np.round(albedo_mean / ALBEDO_STEP) * ALBEDO_STEP,
        albedo=_rounded(albedo, ALBEDO_STEP),
        albedo_sd=albedo_sd,
        triangles=mesh.triangles,
        uv=mesh.uv,
        landmarks=landmarks,
        regions={key: _rounded(value, 1 / 256) for key, value in regions.items()},
        mirror=mesh.mirror,
        provenance=_provenance(folder, kept, len(samples)),
        licence=LICENCE,
    )


def _aligned_samples(targets: Path, base: np.ndarray, source: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """`[S, N, 3]` millimetres: sampled heads, moved and turned (never scaled) onto the base head's landmarks."""
    heads = (base[source] + sample_population(targets, len(base), source)) * UNIT
    heads *= sizes(len(heads))[:, None, None]
    reference = base[landmarks] * UNIT
    at = np.searchsorted(source, landmarks)
    rotations, shifts = rigid_alignment(heads[:, at], reference)
    return np.einsum("snd,sed->sne", heads, rotations) + shifts[:, None]


def _origin(landmarks: np.ndarray) -> np.ndarray:
    """Midpoint of the eyes' and the mouth's centres of `[68, 3]` landmarks, x on the plane of symmetry."""
    eyes = landmarks[head_mesh.EYE_LANDMARKS].mean(axis=0)
    mouth = landmarks[head_mesh.LIP_LANDMARKS].mean(axis=0)
    return (eyes + mouth) / 2 * np.array([0.0, 1.0, 1.0])


def _face_units(folder: Path, count: int, source: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and `[K, N, 3]` millimetres per unit of the expression units."""
    paths = sorted(folder.glob("*.target.gz"))
    if not paths:
        raise ValueError(f"{folder} holds no face unit (*.target.gz).")
    units = np.stack([makehuman.read_target(path, count)[source] for path in paths]) * UNIT
    return tuple(path.name.removesuffix(".target.gz") for path in paths), units


def _turn_eyes(names: Sequence[str], units: np.ndarray, part: np.ndarray, vertices: np.ndarray) -> None:
    """Makes the eyeballs turn about their centres in the `[K, V, 3]` units of gaze, and rest in all others."""
    balls = {
        side: part == head_mesh.PARTS.index(name) for side, name in zip(("Left", "Right"), head_mesh.EYES, strict=True)
    }
    for ball in balls.values():
        units[:, ball] = 0
    for direction, (outward, up) in GAZE.items():
        for side, ball in balls.items():
            right = outward if side == "Left" else -outward
            units[names.index(f"eyeLook{direction}{side}"), ball] = gaze_turn(vertices[ball], right, up)


def _put_tongue_out(names: Sequence[str], units: np.ndarray, tongue: np.ndarray) -> None:
    """Opens the jaw in the `[K, V, 3]` unit that puts out the tongue `[V]`, and lifts the tongue over the lower lip."""
    out = units[names.index("tongueOut")]
    out[tongue] *= TONGUE_REACH
    out[tongue, 1] += TONGUE_LIFT * out[tongue, 2] / out[tongue, 2].max()
    out += TONGUE_JAW * units[names.index("jawOpen")]


def _closing_weight(
    triangles: np.ndarray, landmarks: LandmarkSet, points: np.ndarray, unit: np.ndarray, eye: str
) -> float:
    """Weight of a blink unit `[V, 3]` that takes the upper lid's landmarks to the lower lid's, and a little beyond."""
    members = LANDMARK_GROUPS[eye]
    upper, lower = list(members[1:3]), list(members[4:6])
    moved = _points(triangles, landmarks, unit)
    gap, closing = (values[upper, 1].mean() - values[lower, 1].mean() for values in (points, moved))
    return float(-BLINK_OVERLAP * gap / closing)


def _measured(
    mesh: head_mesh.HeadMesh, vertices: np.ndarray, mean: np.ndarray, seen: Mapping[str, np.ndarray]
) -> tuple[Surface, landmark_placement.Features]:
    """What landmarks are placed by: the skin, and on it the opening of the eye and the red of the lips."""
    skin = (mesh.part[mesh.triangles] == head_mesh.PARTS.index(makehuman.BODY)).all(axis=1)
    surface = Surface(vertices, mesh.triangles, skin)
    coarse = mean[mesh.coarse_eyes].reshape(-1, 3)
    eye = coarse[coarse[:, 0] < 0]
    with_eyes = Surface(
        np.concatenate([vertices, mean]),
        np.concatenate([mesh.triangles[skin], mesh.coarse_eyes + len(vertices)]),
        np.arange(skin.sum() + len(mesh.coarse_eyes)) < skin.sum(),
    )
    opening = with_eyes.band(
        eye[:, :2].min(axis=0), eye[:, :2].max(axis=0), lambda hits: ~with_eyes.skin[hits.triangles]
    )
    red = seen["lips"]

    def is_lip(hits: Hits) -> np.ndarray:
        return np.einsum("rc,rc->r", red[mesh.triangles[hits.triangles]], hits.barycentrics) > 0.5

    places = vertices[red > 0.5]
    lips = surface.band((places[:, 0].min() - 4, places[:, 1].min() - 4), (0.0, places[:, 1].max() + 4), is_lip)
    return surface, landmark_placement.Features(opening, lips, seen["ears"])


def _points(triangles: np.ndarray, landmarks: LandmarkSet, vertices: np.ndarray) -> np.ndarray:
    return np.einsum("ncd,nc->nd", vertices[triangles[landmarks.triangles]], landmarks.barycentrics)


def _albedo(
    skins: Path, mesh: head_mesh.HeadMesh, regions: dict[str, np.ndarray], vertices: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean `[V, 3]`, modes `[K, V, 3]` and `[K]` deviations of painted people; the first two modes are melanin and blood."""
    sampled = paint.sample_skins(skins, mesh.corner_uv, mesh.corner_vertex, len(mesh.uv))
    where = build_map(vertices, mesh.triangles, regions, points)
    return paint.albedo_model(paint.features(sampled, where, mesh.triangles), where)


def _applied(weights: Any, modes: np.ndarray) -> np.ndarray:
    """`[K, V, 3]` modes of the refined mesh from `[K, N, 3]` of the base."""
    return np.stack([weights @ mode for mode in modes])


def _rounded(values: np.ndarray, step: float) -> np.ndarray:
    """Multiples of `step` that float16 holds, so that the file is compact and exact."""
    rounded = (np.round(values / step) * step).astype(np.float32)
    return rounded.astype(np.float16).astype(np.float32)


def _provenance(folder: Path, kept: float, sample_count: int) -> dict[str, Any]:
    return {
        "source": SOURCE,
        "source_licence": LICENCE,
        "source_sha256": _digest(folder),
        "command": "monoface model build-head --makehuman DIR --out PATH",
        "generator": "trainer.morphable.build_head",
        "generator_version": GENERATOR_VERSION,
        "samples": sample_count,
        "identity_variance_kept": round(kept, 4),
    }


def _digest(folder: Path) -> str:
    """SHA-256 over names and contents of the assets that a build reads."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in INPUTS for path in folder.glob(pattern)):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
