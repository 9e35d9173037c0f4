"""Scarves, turtlenecks and face masks."""

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe import fabric, shells, solids

_COLUMNS = 48
_AZIMUTH = np.arange(_COLUMNS) * (360.0 / _COLUMNS)
_SIDES = 10


def sample_scarf(model: MorphableModel, vertices: np.ndarray, rng: np.random.Generator) -> list[Surface]:
    """Two or three turns of a scarf around the neck, sometimes up to the mouth.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres.
        rng: Draws it.

    Returns:
        Surfaces `scarf`.
    """
    neck = shells.wrapped(model, vertices, "neck", 2)
    scale = neck.head.scale
    color, cloth = fabric.sample_dye(rng), fabric.sample_cloth(rng)
    turns = int(rng.integers(2, 4))
    chin = neck.elevation(neck.head.chin)
    high = chin - rng.uniform(2, 32) if rng.random() < 0.75 else chin + rng.uniform(0, 14)
    worn = []
    for turn in range(turns):
        wide, tall = rng.uniform(10, 19) * scale, rng.uniform(18, 30) * scale
        angle = np.radians(_AZIMUTH)
        level = high - 17 * turn + 7 * np.cos(angle + rng.uniform(-0.5, 0.5)) * rng.uniform(-1, 1)
        level = np.clip(level + 3 * _waves(rng, angle), -50, 55)
        path = neck.on(_AZIMUTH, level, wide * (0.8 + 0.12 * _waves(rng, angle)) + 3 * (turns - turn - 1))
        path = _held_in(path, neck, 98 * scale)
        path = 0.5 * path + 0.25 * (np.roll(path, 1, axis=0) + np.roll(path, -1, axis=0))
        size = np.stack([wide * (1 + 0.2 * _waves(rng, angle)), tall * (1 + 0.15 * _waves(rng, angle))], -1)
        mesh, triangles = solids.tube(path, size, np.array([0.0, 1.0, 0.0]), _SIDES, closed=True)
        folds = 1 + 0.09 * _waves(rng, np.linspace(0, 12, _SIDES))
        middle = np.repeat(path, _SIDES, axis=0)
        mesh = (middle + (mesh - middle) * np.tile(folds, _COLUMNS)[:, None]).astype(np.float32)
        around = np.abs(np.arange(_SIDES) * 2 / _SIDES - 1)
        along = 1 - np.abs((np.arange(_COLUMNS) * 8 / _COLUMNS) % 2 - 1)
        uv = np.stack(np.broadcast_arrays(along[:, None], around[None, :]), -1).reshape(-1, 2).astype(np.float32)
        worn.append(Surface("scarf", mesh, triangles, solids.tinted(color, mesh, rng, 0.07), uv, cloth, gloss=0.1))
    return worn


def sample_turtleneck(model: MorphableModel, vertices: np.ndarray, rng: np.random.Generator) -> list[Surface]:
    """A high collar: arguments and result as of `sample_scarf`, the surface is named `collar`."""
    neck = shells.wrapped(model, vertices, "neck", 3)
    scale = neck.head.scale
    top = neck.elevation(neck.head.chin) + rng.uniform(-10, 5)
    angle = np.radians(_AZIMUTH)
    level = top + rng.uniform(-4, 10) * (1 - np.cos(angle)) / 2
    low = np.full(_COLUMNS, -52.0)
    stand = rng.uniform(1.5, 9) * scale
    step = np.array([0.0, 0.3, 0.55, 0.8, 0.97, 1.0, 0.9])[:, None]
    out = stand * np.array([1.0, 1.0, 1.0, 1.1, 1.1, 0.6, 0.1])[:, None] + 1.5
    rows = neck.on(
        np.broadcast_to(_AZIMUTH, (7, _COLUMNS)), low + (level - low) * step, np.broadcast_to(out, (7, _COLUMNS))
    )
    rows = _held_in(rows, neck, 84 * scale + 0.6 * np.maximum(neck.center[1] - rows[..., 1], 0))
    mesh, triangles = shells.ring(rows)
    kind = "knit" if rng.random() < 0.6 else "plain"
    cloth = fabric.cloth(kind, int(rng.integers(fabric.VARIANTS)))
    uv = shells.folded_uv(7, _COLUMNS, 6)
    return [Surface("collar", mesh, triangles, solids.tinted(fabric.sample_dye(rng), mesh, rng), uv, cloth, gloss=0.1)]


def sample_mask(
    model: MorphableModel, vertices: np.ndarray, rng: np.random.Generator, bearded: bool = False
) -> list[Surface]:
    """A surgical, moulded or cloth mask over nose and mouth, sometimes slipped below the nose.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres.
        rng: Draws it.
        bearded: Whether there must be room for a beard.

    Returns:
        Surfaces `mask`: the cloth and its bands.
    """
    face = shells.wrapped(model, vertices, "face", 9)
    head, scale = face.head, face.head.scale
    kind = str(rng.choice(("surgical", "cloth", "moulded"), p=(0.55, 0.3, 0.15)))
    slipped = rng.random() < 0.12
    columns, rows = 25, 13
    ears = np.degrees(np.arctan2(*(head.ears - face.center).T[[0, 2]]))
    half = (0.62 if kind == "moulded" else 0.72) * float(np.abs(ears).mean())
    azimuth = np.linspace(-half, half, columns)
    across = np.abs(azimuth) / half
    bridge = (
        head.nose_base.mean(0)
        if slipped
        else head.bridge[1] + rng.uniform(0.1, 0.9) * (head.bridge[2] - head.bridge[1])
    )
    top = face.elevation(bridge) + (3 if slipped else 0)
    side = face.elevation(head.mouth) + rng.uniform(14, 26)
    upper = side + (top - side) * np.cos(np.pi / 2 * across) ** 1.5
    chin = face.elevation(head.chin) - rng.uniform(4, 16)
    low_side = side - rng.uniform(22, 40)
    lower = low_side + (chin - low_side) * np.clip(1 - across**2.2, 0, 1)
    share = np.linspace(0, 1, rows)[:, None]
    elevation = lower + (upper - lower) * share
    stand = np.full((rows, columns), (11.0 if bearded else 2.2) * scale)
    tent = np.sin(np.pi * share) * np.cos(np.pi / 2 * across)
    if kind == "surgical":
        stand += scale * (4 * tent + 1.6 * np.abs(np.sin(np.pi * 3.5 * share)) * (1 - across**4))
    elif kind == "cloth":
        stand += scale * (5 * tent + 3 * np.exp(-((azimuth / 4) ** 2)) * np.sin(np.pi * share))
    else:
        stand += scale * 14 * tent**0.7
    place = face.on(np.broadcast_to(azimuth, elevation.shape), elevation, stand)
    mesh, triangles = shells.sheet(place)
    pale = ([0.32, 0.52, 0.7], [0.75, 0.76, 0.77], [0.35, 0.6, 0.55], [0.015, 0.015, 0.016], [0.7, 0.45, 0.5])
    color = np.asarray(pale[rng.integers(len(pale))]) if kind != "cloth" else fabric.sample_dye(rng)
    cloth = fabric.sample_cloth(rng) if kind == "cloth" else None
    u, v = np.broadcast_arrays((azimuth + half) / (2 * half), share)
    uv = np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)
    straps = []
    for index, column in ((0, 0), (1, -1)):
        sign = 2 * index - 1
        for row, over in ((rows - 1, 18.0), (0, -18.0)):
            end = head.ears[index] + np.array([sign * 3.0, over, -8.0]) * scale
            start = place[row, column]
            middle = 0.5 * (start + end) + np.array([sign * 3.0, 0, 0]) * scale
            path = np.stack([start, middle, end])
            short = 1.2 - face.grid.clearance(face.points, head, path)
            path[:, 0] += sign * np.clip(short, 0, 6 * scale)
            straps.append(solids.tube(path, np.array([[0.7, 1.5]]), np.array([0.0, 1.0, 0.05]), 4))
    bands, band_triangles = solids.merged(straps)
    return [
        Surface("mask", mesh, triangles, solids.tinted(color, mesh, rng, 0.03), uv, cloth, gloss=0.3),
        Surface("mask", bands, band_triangles, solids.tinted(np.full(3, 0.6), bands, rng, 0.03), gloss=0.2),
    ]


def _held_in(places: np.ndarray, neck: shells.Wrapped, widest: np.ndarray | float) -> np.ndarray:
    """Places `[..., 3]` no further from the neck's axis than this: cloth sinks into the shoulders instead of lying on them."""
    away = (places - neck.center)[..., ::2]
    aside = np.linalg.norm(away, axis=-1)
    held = places.copy()
    held[..., ::2] = neck.center[::2] + away * np.minimum(1, widest / np.maximum(aside, 1e-6))[..., None]
    return held


def _waves(rng: np.random.Generator, angle: np.ndarray) -> np.ndarray:
    """Smooth unevenness along angles, about -1 to 1."""
    return sum(np.sin(count * angle + rng.uniform(0, 6.3)) for count in (2, 3, 7)) * 0.45
