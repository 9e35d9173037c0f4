"""Natural expressions: which face units move together, and how often.

Most views of people are near neutral; smiles, speech and half-closed eyes are common, strong expressions rare. Units are found
by ARKit's names in any spelling (`mouthSmileLeft`, `mouthSmile_L`, `mouth-smile-left`); a model that has none of these names,
such as a Basel model with numbered modes, gets its own statistics: its modes by their standard deviations.
"""

from typing import Final

import numpy as np

from components.synthetic_face_gen.config_parts import ExpressionConfig
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

BYSTANDERS: Final = (0.3, 0.3)
"""Chance of a unit that has no part in the mood to move as well, and its greatest weight; most are far smaller."""

TONGUE: Final = "tongueOut"
"""Out in grimaces alone: nobody speaks or smiles with a little of it."""

GRIMACE_UNITS: Final = 4
"""Mean number of units in a grimace."""

LOPSIDED: Final = 0.12
"""One side of a face moves a little more than the other: relative standard deviation."""

GAZE: Final = {
    "eyeLookOut": ("left", 1.0, 0.0),
    "eyeLookIn": ("right", 1.0, 0.0),
    "eyeLookUp": ("", 0.0, 1.0),
    "eyeLookDown": ("", 0.0, -1.0),
}
"""Units that turn the eyes: on which side a unit looks towards the person's left, else it looks towards the right; its share of
a sideways and of an upward look. Both eyes look the same way."""


class ExpressionSampler:
    """Draws expressions of one model."""

    def __init__(self, model: MorphableModel):
        """Finds the model's units.

        Args:
            model: The face model.
        """
        units = [_unit(name) for name in model.expression_names]
        names = [name for name, _ in units]
        self._low, self._high = model.expression_range.astype(np.float64).T
        self._sd = model.expression_sd.astype(np.float64)
        self._side = np.array([{"left": 1.0, "right": -1.0}.get(side, 0.0) for _, side in units])
        spans = [[mood.get(unit) for unit in names] for mood in (_folded(mood) for _, mood in MOODS)]
        self._named = any(span is not None for mood in spans for span in mood)
        self._spans = np.array([[span or (np.nan, np.nan) for span in mood] for mood in spans]).reshape(
            len(MOODS), len(units), 2
        )
        self._chances = np.cumsum([chance for chance, _ in MOODS])
        self._pair = np.unique(names, return_inverse=True)[1] if names else np.zeros(0, int)
        self._blink = np.array([name == _fold("eyeBlink") for name in names], bool)
        self._tongue = np.array([name == _fold(TONGUE) for name in names], bool)
        self._gaze = np.array([_gaze(name, side) for name, side in units]).reshape(len(units), 2)
        self._gazes = self._gaze.any(axis=1)
        self._jaw = names.index(_fold("jawOpen")) if _fold("jawOpen") in names else None
        self._close = names.index(_fold("mouthClose")) if _fold("mouthClose") in names else None

    def sample(self, rng: np.random.Generator, config: ExpressionConfig) -> np.ndarray:
        """Draws an expression.

        Args:
            rng: Source of randomness.
            config: How strong, and how often what.

        Returns:
            `[K_expression]` float32 weights within the model's `expression_range`.
        """
        count = len(self._low)
        if not count:
            return np.zeros(0, np.float32)
        grimace, mood, closed, looks = rng.random(4)
        if grimace < config.strong_fraction:
            chosen = rng.random(count) < GRIMACE_UNITS / count
            weights = np.where(chosen & ~self._gazes, rng.uniform(self._low, self._high), 0.0)
        elif self._named:
            weights = config.strength * self._natural(rng, mood)
        else:
            weights = config.strength * rng.standard_normal(count) * self._sd
        lids = rng.uniform(0.5, 1.0) if closed < config.closed_fraction else rng.uniform(0.0, 0.2) * config.strength
        weights = np.where(self._blink, np.maximum(lids, weights * (grimace < config.strong_fraction)), weights)
        sideways, up = rng.normal(0, (0.35, 0.2))
        if looks < config.gaze_fraction:
            weights = np.where(self._gazes, np.maximum(self._gaze @ (sideways, up), 0), weights)
        if self._close is not None and self._jaw is not None:
            # ARKit's `mouthClose` brings the lips together over an open jaw; without one it would push them into each other.
            weights[self._close] = min(weights[self._close], weights[self._jaw])
        return np.clip(weights, np.minimum(self._low, 0), self._high).astype(np.float32)

    def _natural(self, rng: np.random.Generator, mood: float) -> np.ndarray:
        """Weights of a mood and a little of everything else, the two sides nearly alike."""
        low, high = self._spans[min(int(np.searchsorted(self._chances, mood)), len(MOODS) - 1)].T
        drawn = rng.random(len(low))[self._pair]
        chance, most = BYSTANDERS
        besides = np.where(rng.random(len(low)) < chance, most * rng.random(len(low)) ** 3, 0.0)
        weights = np.where(np.isnan(low), besides, low + drawn * (high - low))
        weights *= 1 + self._side * rng.normal(0, LOPSIDED)
        return np.where(self._gazes | self._tongue, 0.0, weights)


def _folded(mood: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    return {_fold(unit): span for unit, span in mood.items()}


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


def _gaze(name: str, side: str) -> tuple[float, float]:
    """How much a unit looks towards the person's left, and up."""
    for unit, (left_side, sideways, up) in GAZE.items():
        if name == _fold(unit) and side:
            return (sideways if side == left_side else -sideways) if sideways else 0.0, up
    return 0.0, 0.0
