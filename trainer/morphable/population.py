"""Who is drawn: weights of MakeHuman's targets whose mean and spread are those of human faces.

A head is `base + CORRECTION + macro targets + local targets`. Macro targets combine as products of sex, age, ethnicity,
muscle and weight. A local direction is half the difference of two opposite targets, weighted by a normal number, so that
it moves the spread but never the mean.
"""

from pathlib import Path
from typing import Final

import numpy as np

from trainer.morphable.makehuman import read_target

UNIT: Final = 104.0
"""Millimetres of the head in one unit of the base mesh: nominally 100, but the base's heads are 4 % smaller than people's
(interpupillary distance and face height, ANSUR II)."""

SEED: Final = 20240607
SAMPLE_COUNT: Final = 1200

ETHNICITIES: Final = ("african", "asian", "caucasian")
SEXES: Final = ("female", "male")
AGES: Final = ("young", "old")
LEVELS: Final = ("minmuscle-", "averagemuscle-", "maxmuscle-"), ("minweight", "averageweight", "maxweight")

OPPOSITES: Final = (
    ("-decr", "-incr"),
    ("-in", "-out"),
    ("-down", "-up"),
    ("-backward", "-forward"),
    ("-concave", "-convex"),
    ("-compress", "-uncompress"),
)
"""Endings of two targets that move a thing in opposite directions."""

GROUP_SD: Final = {
    "asym": 0.10,
    "cheek": 0.20,
    "chin": 0.12,
    "ears": 0.10,
    "eyebrows": 0.12,
    "eyes": 0.12,
    "forehead": 0.20,
    "head": 0.08,
    "mouth": 0.10,
    "neck": 0.15,
    "nose": 0.08,
}
"""Standard deviation of a local target's weight, by MakeHuman's folder; set so that the landmarks' spread by region is near
that of Basel model fits to photographs."""

SIDE_CORRELATION: Final = 0.9
"""Correlation of the weights of a left target and its right partner."""

CORRECTION: Final = {
    "nose/nose-scale-depth-incr": 0.35,
    "nose/nose-volume-decr": 0.2,
    "head/head-triangular": 0.35,
    "head/head-fat-decr": 0.25,
    "chin/chin-triangle": 0.35,
    "chin/chin-bones-decr": 0.2,
    "chin/chin-jaw-drop-incr": 0.3,
    "mouth/mouth-scale-depth-decr": 0.2,
    "mouth/mouth-upperlip-middle-up": 0.2,
    "mouth/mouth-scale-horiz-incr": 0.15,
    "nose/nose-curve-convex": 0.3,
    "faceunits/mouthClose": 0.03,
}
"""Targets, `folder/name` to weight, that bring the mean head to the mean of people and close its lips. Rounded from a bounded
least-squares fit of 68 landmarks to the Basel model's mean; a few (lips, nose ridge, mouth width) tried one by one."""


def sample_population(folder: Path, vertex_count: int, kept: np.ndarray) -> np.ndarray:
    """Offsets of sampled heads from the base mesh.

    Args:
        folder: MakeHuman's `targets`.
        vertex_count: Of the base mesh.
        kept: `[N]` indices of the base vertices to return.

    Returns:
        `[S, N, 3]` float32, decimetres.
    """
    rng = np.random.default_rng(SEED)
    names, directions, group_sd = local_directions(folder, vertex_count, kept)
    weights = local_weights(rng, names, group_sd)
    heads = weights @ directions.reshape(len(directions), -1)
    macro_names, macro_weights = macro_weights_of(rng, SAMPLE_COUNT)
    macros = np.stack(
        [read_target(folder / "macrodetails" / f"{name}.target.gz", vertex_count)[kept] for name in macro_names]
    )
    heads += macro_weights @ macros.reshape(len(macros), -1)
    for name, weight in CORRECTION.items():
        heads += weight * read_target(folder / f"{name}.target.gz", vertex_count)[kept].ravel()
    return heads.reshape(SAMPLE_COUNT, len(kept), 3).astype(np.float32)


def local_directions(folder: Path, vertex_count: int, kept: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Directions of the local targets.

    Returns:
        Names, `[D, N, 3]` decimetres per unit weight, `[D]` standard deviation of the weight.
    """
    names, directions, deviations = [], [], []
    for group, deviation in GROUP_SD.items():
        found = {path.name.removesuffix(".target.gz"): path for path in sorted((folder / group).glob("*.target.gz"))}
        for name, path in found.items():
            opposite = next((name.removesuffix(a) + b for a, b in OPPOSITES if name.endswith(a)), None)
            if opposite in found:
                ends = [read_target(found[key], vertex_count)[kept] for key in (name, opposite)]
                directions.append((ends[1] - ends[0]) / 2)
            elif any(name.endswith(b) and name.removesuffix(b) + a in found for a, b in OPPOSITES):
                continue
            else:
                directions.append(read_target(path, vertex_count)[kept])
            names.append(f"{group}/{name}")
            deviations.append(deviation)
    return names, np.stack(directions), np.array(deviations)


def local_weights(rng: np.random.Generator, names: list[str], deviations: np.ndarray) -> np.ndarray:
    """`[S, D]` normal weights; those of a left and a right partner are correlated."""
    weights = rng.standard_normal((SAMPLE_COUNT, len(names)))
    index = {name: at for at, name in enumerate(names)}
    for name, at in index.items():
        partner = index.get(name.replace("/l-", "/r-"))
        if "/l-" in name and partner is not None:
            own = weights[:, partner]
            weights[:, partner] = SIDE_CORRELATION * weights[:, at] + np.sqrt(1 - SIDE_CORRELATION**2) * own
    return weights * deviations


def macro_weights_of(rng: np.random.Generator, count: int) -> tuple[list[str], np.ndarray]:
    """Macro targets and their `[count, M]` weights: products whose factors each sum to 1."""
    ethnicity = rng.dirichlet([1.2, 1.2, 2.4], count)
    male = rng.beta(2.0, 2.0, count)
    sex = np.stack([1 - male, male], axis=1)
    old = rng.beta(1.2, 6.0, count)
    age = np.stack([1 - old, old], axis=1)
    muscle, weight = (_levels(np.clip(rng.normal(0, 0.2, count), -1, 1)) for _ in range(2))
    names, weights = [], []
    for s, sex_name in enumerate(SEXES):
        for a, age_name in enumerate(AGES):
            for e, ethnicity_name in enumerate(ETHNICITIES):
                names.append(f"{ethnicity_name}-{sex_name}-{age_name}")
                weights.append(ethnicity[:, e] * sex[:, s] * age[:, a])
            for m, muscle_name in enumerate(LEVELS[0]):
                for w, weight_name in enumerate(LEVELS[1]):
                    names.append(f"universal-{sex_name}-{age_name}-{muscle_name}{weight_name}")
                    weights.append(sex[:, s] * age[:, a] * muscle[:, m] * weight[:, w])
    return names, np.stack(weights, axis=1)


def _levels(value: np.ndarray) -> np.ndarray:
    """`[S]` in [-1, 1] as `[S, 3]` weights of least, average and most."""
    return np.stack([np.maximum(-value, 0), 1 - np.abs(value), np.maximum(value, 0)], axis=1)
