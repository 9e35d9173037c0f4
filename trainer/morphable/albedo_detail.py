"""What a face model's own albedo says beside the tone of its skin."""

from typing import Final

import numpy as np
import scipy.sparse

from trainer.morphable.skin_optics import skin_tone, tone_of

ALBEDO_LEAST: Final = 0.02
"""Mean linear RGB, and relative deviation of it, below which a model's albedo says nothing about skin."""
FILL_ROUNDS: Final = 60
"""Rounds of averaging over neighbours that span what hair covers."""


def knows_skin(colors: np.ndarray) -> bool:
    """Whether an albedo `[n, 3]` of bare skin is more than a blank."""
    level = float(colors.mean()) if len(colors) else 0.0
    return level > ALBEDO_LEAST and float(colors.std(axis=0).mean()) > ALBEDO_LEAST * level


def albedo_detail(
    colors: np.ndarray,
    melanin: np.ndarray,
    blood: np.ndarray,
    bare: np.ndarray,
    covered: np.ndarray,
    triangles: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Albedo over that of a uniform skin of its tone.

    A mode's tone is its mean factor over bare skin; without it, coefficients of any tone leave bare skin as it is.

    Args:
        colors: `[1 + K, V, 3]` linear RGB, mean and modes.
        melanin: `[V]` factor on a skin's melanin.
        blood: `[V]` factor on its blood.
        bare: `[n]` int, vertices of bare facial skin.
        covered: `[V]` in [0, 1], where hair or something else hides the skin; there the result is spanned.
        triangles: `[T, 3]`.

    Returns:
        `[V, 3]` and `[K, V, 3]` float32.
    """
    tone = tone_of(colors[0, bare].mean(axis=0))
    values = colors / skin_tone(tone[0] * melanin, tone[1] * blood)
    values /= values[0, bare].mean(axis=0)
    values[1:] -= values[1:, bare].mean(axis=1)[:, None] * values[0]
    flat = filled(values.transpose(1, 0, 2).reshape(len(melanin), -1), covered, triangles)
    values = np.ascontiguousarray(flat.reshape(len(melanin), -1, 3).transpose(1, 0, 2), np.float32)
    return values[0], values[1:]


def filled(values: np.ndarray, covered: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Values of a mesh with those of hidden vertices replaced by what a membrane spans between their neighbours.

    Args:
        values: `[V, C]`.
        covered: `[V]` in [0, 1]; more than 0.02 is hidden.
        triangles: `[T, 3]`.

    Returns:
        `[V, C]`.
    """
    hidden = covered > 0.02
    average = adjacency(len(values), triangles)[hidden]
    spanned = values.copy()
    spanned[hidden] = values[~hidden].mean(axis=0)
    for _ in range(FILL_ROUNDS):
        spanned[hidden] = average @ spanned
    return spanned


def adjacency(count: int, triangles: np.ndarray) -> scipy.sparse.csr_matrix:
    """`[V, V]` rows that average a vertex' neighbours."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    degree = np.maximum(np.bincount(pairs[:, 0], minlength=count), 1)
    weights = (1 / degree)[pairs[:, 0]]
    return scipy.sparse.csr_matrix((weights, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
