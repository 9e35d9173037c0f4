"""Who is drawn: weights of MakeHuman's targets whose mean and spread are those of human faces.

A head is `base + CORRECTION + macro targets + local targets`. Macro targets combine as products of sex, age, ethnicity,
muscle and weight. A local direction is half the difference of two opposite targets, weighted by a normal number, so that
it moves the spread but never the mean.
"""

from collections.abc import Mapping
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
    "eyes": 0.10,
    "forehead": 0.20,
    "head": 0.06,
    "mouth": 0.08,
    "neck": 0.15,
    "nose": 0.05,
}
"""Standard deviation of a local target's weight, by MakeHuman's folder; set so that the landmarks' spread by region is near
that of Basel model fits to photographs."""

TARGET_SD: Final = {
    "forehead/forehead-scale-vert-decr": 0.12,
    "mouth/mouth-scale-horiz-decr": 0.2,
    "nose/nose-scale-horiz-decr": 0.18,
    "nose/nose-trans-backward": 0.05,
    "nose/nose-trans-down": 0.05,
    "nose/nose-width3-decr": 0.2,
}
"""The same for single targets, so that breadths vary as people's do and places no more than theirs."""

SIDE_CORRELATION: Final = 0.9
"""Correlation of the weights of a left target and its right partner."""

CORRECTION: Final = {
    "chin/chin-bones-decr": 0.2,
    "chin/chin-jaw-drop-incr": 0.2,
    "chin/chin-prognathism-incr": 0.25,
    "chin/chin-triangle": 0.25,
    "chin/chin-width-incr": 0.4,
    "ears/l-ear-scale-vert-incr": 0.35,
    "eyes/l-eye-push1-out": 0.4,
    "eyes/l-eye-push2-out": 0.4,
    "faceunits/mouthClose": 0.06,
    "forehead/forehead-scale-vert-incr": 0.25,
    "head/head-angle-out": 0.05,
    "head/head-fat-incr": 0.2,
    "head/head-scale-horiz-incr": 0.05,
    "head/head-scale-vert-decr": 0.05,
    "head/head-triangular": 0.1,
    "mouth/mouth-lowerlip-height-decr": 0.3,
    "mouth/mouth-scale-depth-incr": 0.3,
    "mouth/mouth-scale-horiz-incr": 0.1,
    "mouth/mouth-scale-vert-decr": 0.3,
    "nose/nose-curve-convex": 0.4,
    "nose/nose-compression-uncompress": 0.2,
    "nose/nose-greek-decr": 0.2,
    "nose/nose-hump-incr": 0.1,
    "nose/nose-point-up": 0.2,
    "nose/nose-scale-depth-incr": 0.45,
    "nose/nose-scale-horiz-decr": 0.3,
    "nose/nose-volume-decr": 0.4,
}
"""Targets, `folder/name` to weight, that bring the mean head to the mean of people and close its lips; one of the left eye or
ear stands for both. Chosen one after the other, each weight at most 0.45, so that the published lengths (RENDERED_FACES.md C6)
and the mean of fits to photographs are met; rounded to 0.05."""

SIZE_SD: Final = 0.028
"""Relative standard deviation of a head's size, on top of what the targets do: the published lengths vary together."""


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
    for name, weight in _both_sides(CORRECTION).items():
        heads += weight * read_target(folder / f"{name}.target.gz", vertex_count)[kept].ravel()
    return heads.reshape(SAMPLE_COUNT, len(kept), 3).astype(np.float32)


def sizes(count: int) -> np.ndarray:
    """`[count]` factors on whole heads, with mean 1."""
    return 1 + SIZE_SD * np.random.default_rng([SEED, 1]).standard_normal(count)


def _both_sides(weights: Mapping[str, float]) -> dict[str, float]:
    """The same with a right target beside every left one."""
    return {key: weight for name, weight in weights.items() for key in (name, name.replace("/l-", "/r-"))}


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
            deviations.append(TARGET_SD.get(names[-1], deviation))
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
    ethnicity = rng.dirichlet([0.9, 0.9, 1.8], count)
    male = rng.beta(1.2, 1.2, count)
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
