"""Is a face model's population human? Lengths beside published ones, landmarks beside a second model's."""

import dataclasses
from pathlib import Path
from typing import Final

import numpy as np

from trainer.contract import LANDMARK_COUNT, LANDMARK_GROUPS, LANDMARK_SETS
from trainer.morphable.anthropometry import PUBLISHED, rulers
from trainer.morphable.model import MorphableModel

SAMPLES: Final = 2000
SEED: Final = 20240609

FEATURES: Final = {
    "jaw": ("jaw",),
    "brows": ("right_brow", "left_brow"),
    "nose": ("nose_bridge", "nose_base"),
    "eyes": ("right_eye", "left_eye"),
    "mouth": ("outer_lips", "inner_lips"),
}
"""Part of the face to its landmark groups."""

POSE_PARAMETERS: Final = 12
SHAPE_PARAMETERS: Final = 40
"""Of the 62 parameters of fits to photographs (`bfm68`): pose, then shape, then expression."""

MEAN_BAR: Final = 2.0
POINT_BAR: Final = 5.0
"""Greatest rms distance of the mean's landmarks to the reference's mean, and of any one, millimetres."""
SPREAD_BAR: Final = (0.8, 1.5)
"""Least and greatest ratio of a part's spread to the reference's."""


@dataclasses.dataclass(frozen=True)
class Length:
    """One length of the sampled heads beside people's, millimetres."""

    name: str
    mean: float
    sd: float
    published_mean: float
    published_sd: float
    source: str

    @property
    def deviations(self) -> float:
        """Distance of the means in published standard deviations; the bar is 1."""
        return (self.mean - self.published_mean) / self.published_sd


@dataclasses.dataclass(frozen=True)
class Spread:
    """How different people are in one part of the face: root mean square distance of a landmark from its mean, millimetres."""

    part: str
    sd: float
    reference_sd: float

    @property
    def ratio(self) -> float:
        """To the reference's."""
        return self.sd / self.reference_sd


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The `basel` landmarks of a population beside those of a reference, after similarity alignment to its mean."""

    rms: float
    """Root mean square distance of the two means, millimetres."""
    distances: np.ndarray
    """`[68]` distance of the two means at each landmark, millimetres."""
    spreads: tuple[Spread, ...]


def lengths(model: MorphableModel, count: int = SAMPLES, seed: int = SEED) -> list[Length]:
    """Lengths of sampled heads.

    Args:
        model: A whole head.
        count: Number of heads.
        seed: Of the draw.

    Raises:
        ValueError: If the model is no whole head.
    """
    ruler = rulers(model)
    kept = ruler.vertices
    weights = _weights(model, count, seed)
    measured: dict[str, list[np.ndarray]] = {}
    for part in np.array_split(weights, max(count // _CHUNK, 1)):
        heads = np.zeros((len(part), model.vertex_count, 3), np.float32)
        heads[:, kept] = model.mean[kept] + np.einsum("sk,kvd->svd", part, model.identity[:, kept], optimize=True)
        for name, values in ruler.measure(heads).items():
            measured.setdefault(name, []).append(values)
    rows = []
    for name, parts in measured.items():
        taken, people = np.concatenate(parts), PUBLISHED[name]
        rows.append(Length(name, float(taken.mean()), float(taken.std()), people.mean, people.sd, people.source))
    return rows


_CHUNK: Final = 100
"""Heads measured at a time."""


def compare(model: MorphableModel, folder: Path, count: int = SAMPLES, seed: int = SEED) -> Comparison:
    """Landmarks of sampled heads beside those of fits of the Basel Face Model to photographs.

    Args:
        model: Any model with the `basel` landmarks.
        folder: The data set `bfm68`: `u_base.txt`, `w_shp_base.txt`, `param_whitening.npz`.
        count: Number of heads of each.
        seed: Of the draws.

    Raises:
        ValueError: If the folder does not hold the reference.
    """
    mean, reference = _reference(folder, count, seed)
    base, identity, _ = model.landmark_basis(LANDMARK_SETS[0])
    sampled = base + np.tensordot(_weights(model, count, seed), identity, 1)
    sampled, reference = similarity_aligned(sampled, mean), similarity_aligned(reference, mean)
    found = similarity_aligned(sampled.mean(axis=0)[None], mean)[0]
    distances = np.linalg.norm(found - mean, axis=1)
    spreads = []
    for part, groups in FEATURES.items():
        members = [index for group in groups for index in LANDMARK_GROUPS[group]]
        spreads.append(Spread(part, _spread(sampled[:, members]), _spread(reference[:, members])))
    return Comparison(float(np.sqrt(np.square(distances).mean())), distances, tuple(spreads))


def similarity_aligned(shapes: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Shapes `[S, N, 3]` moved, turned and scaled, in least squares, onto a reference `[N, 3]` (Umeyama 1991)."""
    center = reference.mean(axis=0)
    moved = shapes - shapes.mean(axis=1, keepdims=True)
    u, values, vt = np.linalg.svd(np.einsum("nd,sne->sde", reference - center, moved))
    sign = np.ones((len(shapes), 3))
    sign[:, 2] = np.linalg.det(u @ vt)
    scale = (values * sign).sum(axis=1) / np.square(moved).sum(axis=(1, 2))
    return scale[:, None, None] * np.einsum("sde,sne->snd", (u * sign[:, None]) @ vt, moved) + center


def _weights(model: MorphableModel, count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, len(model.identity))).astype(np.float32)


def _spread(shapes: np.ndarray) -> float:
    return float(np.sqrt(np.square(shapes - shapes.mean(axis=0)).sum(axis=-1).mean()))


def _reference(folder: Path, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`[68, 3]` mean and `[count, 68, 3]` samples, millimetres."""
    try:
        mean = np.loadtxt(folder / "u_base.txt").reshape(LANDMARK_COUNT, 3) / 1000
        basis = np.loadtxt(folder / "w_shp_base.txt").reshape(LANDMARK_COUNT * 3, SHAPE_PARAMETERS) / 1000
        with np.load(folder / "param_whitening.npz", allow_pickle=False) as file:
            shape = slice(POSE_PARAMETERS, POSE_PARAMETERS + SHAPE_PARAMETERS)
            center, deviation = np.asarray(file["mean"]).ravel()[shape], np.asarray(file["std"]).ravel()[shape]
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{folder} does not hold the 68 landmarks of the Basel Face Model: {error}") from error
    draws = center + deviation * np.random.default_rng(seed + 1).standard_normal((count, SHAPE_PARAMETERS))
    return mean, mean + (draws @ basis.T).reshape(count, LANDMARK_COUNT, 3)
