"""Hoods and headscarves: cloth around face, head and neck."""

import numpy as np

from trainer.rendering.scene import Surface
from trainer.wardrobe import fabric, shells, solids
from trainer.wardrobe.shells import Wrapped

_COLUMNS, _ROWS = 60, 12
_TURN = np.linspace(-155, 155, _COLUMNS)
"""Angle around the axis that looks out of the face, degrees: 0 up, 90 to the image's right."""
_AROUND = np.arange(_COLUMNS) * (360.0 / _COLUMNS)


def hood(head: Wrapped, rng: np.random.Generator) -> list[Surface]:
    """A hood of a jacket, loose, open at the front, down to the shoulders: surfaces `hat`."""
    scale = head.head.scale
    opening, chin = _opening(head, rng, rng.uniform(0, 12))
    share = np.linspace(0, 1, _ROWS)[:, None]
    up = np.clip(np.cos(np.radians(_TURN)), 0, 1)
    loose = rng.uniform(10, 26) * scale
    thickness = loose * (1.1 - 0.3 * share) + 10 * scale * up * (1 - share)
    return _worn(head, rng, opening, chin, thickness, fabric.sample_cloth(rng), 2.5, 0.6 * loose)


def headscarf(head: Wrapped, rng: np.random.Generator) -> list[Surface]:
    """Cloth close around face, head and neck: surfaces `hat`."""
    scale = head.head.scale
    opening, chin = _opening(head, rng, rng.uniform(-4, 6))
    share = np.linspace(0, 1, _ROWS)[:, None]
    thickness = (rng.uniform(3, 7) + rng.uniform(0, 14) * share) * scale
    kind = str(rng.choice(("plain", "plain", "stripes", "weave")))
    cloth = fabric.cloth(kind, int(rng.integers(fabric.VARIANTS)))
    return _worn(head, rng, opening, chin, np.broadcast_to(thickness, (_ROWS, _COLUMNS)), cloth, 1.8, 3 * scale)


def _opening(head: Wrapped, rng: np.random.Generator, loose: float) -> tuple[np.ndarray, float]:
    """Around the face: `[_COLUMNS]` angle from straight ahead at each of `_TURN`, and the elevation under the chin; degrees."""
    jaw = head.head.jaw - head.center
    brow = head.elevation(head.head.brows) + rng.uniform(6, 24)
    below = 2 + loose - head.elevation(head.head.chin)
    cheeks = jaw[[len(jaw) // 5, -1 - len(jaw) // 5]]
    cheek = np.degrees(np.arctan2(np.abs(cheeks[:, 0]).mean(), cheeks[:, 2].mean())) - rng.uniform(6, 22)
    angle = np.radians(_TURN)
    # An egg: its upper and its lower half are ellipses in polar form.
    vertical = np.where(np.cos(angle) > 0, brow + 12, below)
    return 1 / np.hypot(np.cos(angle) / vertical, np.sin(angle) / cheek), -below


def _worn(
    head: Wrapped,
    rng: np.random.Generator,
    opening: np.ndarray,
    chin: float,
    thickness: np.ndarray,
    cloth: np.ndarray,
    crumpled: float,
    stand: float,
) -> list[Surface]:
    """Cloth over the head from the opening to the back, and cloth that falls from the jaw around the neck."""
    scale = head.head.scale
    share = np.linspace(0, 1, _ROWS)[:, None] ** 1.15
    forward = opening + (179 - opening) * share
    polar, turn = np.radians(forward), np.radians(_TURN)
    x, y, z = np.sin(polar) * np.sin(turn), np.sin(polar) * np.cos(turn), np.cos(polar)
    over = head.on(np.degrees(np.arctan2(x, z)), np.degrees(np.arcsin(np.clip(y, -1, 1))), thickness)
    over += crumpled * shells.ripples(rng, over)
    edge = over[:1] + (head.center - over[:1]) * 0.05 + np.array([0, 0, 2 * scale])
    over = np.concatenate([edge, over])[:, ::-1]

    line = shells.brim_line(_AROUND, chin + 1, -24, 4)
    start = head.on(_AROUND, line, np.full(_COLUMNS, stand + 1.5 * scale))
    fall = np.linspace(0, 1, 8)[::-1, None]
    drop = rng.uniform(70, 130) * scale
    bottom = head.head.chin[1] - drop
    away = (start - head.center)[:, ::2]
    aside = np.linalg.norm(away, axis=1, keepdims=True)
    # The hem is rounder than the head, and the cloth hangs in towards the neck before it spreads over the shoulders.
    hem = rng.uniform(88, 118) * scale
    wide = aside[:, 0] + (hem - aside[:, 0]) * fall - 16 * scale * np.sin(np.pi * fall) * (1 - fall)
    skirt = np.empty((8, _COLUMNS, 3))
    skirt[..., ::2] = head.center[::2] + (away / aside) * wide[..., None]
    skirt[..., 1] = start[:, 1] + (bottom - start[:, 1]) * fall
    skirt += crumpled * shells.ripples(rng, skirt) * (0.3 + 0.7 * fall[..., None])
    color = fabric.sample_dye(rng)
    worn = []
    for rows, mesh, folds in ((_ROWS + 1, shells.sheet(over), 5), (8, shells.ring(skirt), 6)):
        uv = shells.folded_uv(rows, _COLUMNS, folds)
        colors = solids.tinted(color, mesh[0], rng, 0.05)
        worn.append(Surface("hat", *mesh, colors, uv, cloth, gloss=0.15))
    return worn
