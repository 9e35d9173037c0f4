"""Natural expressions: which face units move together, and how often.

Most views of people are near neutral; smiles, speech and half-closed eyes are common, strong expressions rare. Units are found
by ARKit's names in any spelling (`mouthSmileLeft`, `mouthSmile_L`, `mouth-smile-left`); a model that has none of these names,
such as a Basel model with numbered modes, gets its own statistics: a few modes at random, by their standard deviations.
"""

from typing import Final

import numpy as np

from trainer.morphable.model import MorphableModel

MOODS: Final[tuple[tuple[float, dict[str, tuple[float, float]]], ...]] = (
    (0.30, {}),
    (0.22, {"mouthSmile": (0.2, 0.9), "cheekSquint": (0.0, 0.6), "eyeSquint": (0.0, 0.5), "mouthUpperUp": (0.0, 0.3)}),
    (0.10, {"mouthSmile": (0.5, 1.0), "jawOpen": (0.1, 0.5), "cheekSquint": (0.2, 0.8), "mouthUpperUp": (0.1, 0.6)}),
    (
        0.14,
        {"jawOpen": (0.05, 0.45), "mouthFunnel": (0.0, 0.4), "mouthStretch": (0.0, 0.3), "mouthLowerDown": (0.0, 0.5)},
    ),
    (0.05, {"mouthPucker": (0.2, 0.9), "mouthFunnel": (0.0, 0.4)}),
    (0.06, {"jawOpen": (0.15, 0.8), "browInnerUp": (0.3, 1.0), "browOuterUp": (0.3, 1.0), "eyeWide": (0.2, 0.9)}),
    (0.06, {"browDown": (0.3, 1.0), "mouthPress": (0.1, 0.7), "noseSneer": (0.0, 0.6), "eyeSquint": (0.1, 0.6)}),
    (0.05, {"browInnerUp": (0.2, 0.9), "mouthFrown": (0.2, 0.9), "mouthShrugLower": (0.0, 0.5)}),
    (0.02, {"jawOpen": (0.5, 1.0), "mouthStretch": (0.0, 0.5), "mouthLowerDown": (0.0, 0.8)}),
)
"""Probability of a mood, and the weights of its face units: drawn flat between the two numbers."""

BLINK_FRACTION: Final = 0.12
"""Fraction of views with eyes at least half closed."""


def sample_expression(
    model: MorphableModel, rng: np.random.Generator, strength: float, strong_fraction: float
) -> np.ndarray:
    """Draws an expression.

    Args:
        model: A face model.
        rng: Source of randomness.
        strength: Factor on the weights; 0 gives the neutral face.
        strong_fraction: Fraction of grimaces: a few units at random, up to their full range.

    Returns:
        `[K_expression]` float32 weights within the model's `expression_range`.
    """
    count = len(model.expression_names)
    if not count:
        return np.zeros(0, np.float32)
    units = [_unit(name) for name in model.expression_names]
    weights = np.zeros(count)
    if rng.random() < strong_fraction:
        chosen = rng.random(count) < 4 / count
        low, high = model.expression_range.T
        weights = np.where(chosen, rng.uniform(low, high), 0.0)
    elif {_fold(unit) for _, mood in MOODS for unit in mood}.isdisjoint(unit for unit, _ in units):
        weights = rng.standard_normal(count) * model.expression_sd
    else:
        weights = _natural(units, rng)
    _close_only_what_is_open(weights, [unit for unit, _ in units])
    low, high = model.expression_range.T
    return np.clip(strength * weights, np.minimum(low, 0), high).astype(np.float32)


def _natural(units: list[tuple[str, str]], rng: np.random.Generator) -> np.ndarray:
    """Weights of a mood, a blink and a little of everything, the two sides nearly alike."""
    known = {_fold(unit): unit for _, mood in MOODS for unit in mood}
    mood = MOODS[rng.choice(len(MOODS), p=[probability for probability, _ in MOODS])][1]
    targets = {unit: rng.uniform(*span) for unit, span in mood.items()}
    blink = rng.uniform(0.5, 1.0) if rng.random() < BLINK_FRACTION else rng.uniform(0.0, 0.2)
    lopsided = rng.normal(0, 0.12)  # one side of a face moves a little more than the other
    weights = []
    for unit, side in units:
        noise = rng.random() ** 4 * 0.25
        target = blink if unit == _fold("eyeBlink") else targets.get(known.get(unit, ""), noise)
        sign = {"left": 1, "right": -1}.get(side, 0)
        weights.append(target * (1 + sign * lopsided))
    return np.array(weights)


def _close_only_what_is_open(weights: np.ndarray, units: list[str]) -> None:
    """ARKit's `mouthClose` brings the lips together over an open jaw; without one it would push them through each other."""
    close, jaw = _fold("mouthClose"), _fold("jawOpen")
    if close in units and jaw in units:
        position = units.index(close)
        weights[position] = min(weights[position], weights[units.index(jaw)])


def _fold(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _unit(name: str) -> tuple[str, str]:
    """A unit's name without side, folded, and the side: `left`, `right` or nothing."""
    folded = _fold(name)
    for side in ("left", "right"):
        if folded.endswith(side) and folded != side:
            return folded.removesuffix(side), side
    if name[-2:] in ("_L", "_R"):
        return folded[:-1], {"L": "left", "R": "right"}[name[-1]]
    return folded, ""
