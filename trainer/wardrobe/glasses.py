"""Glasses: rims, lenses, bridge and temples, resting on the nose and the ears of the given head."""

import dataclasses
import math

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe import head_grid, solids
from trainer.wardrobe.measures import Measures, measure

_RIM_POINTS = 32
_FORWARD = np.array([0.0, 0.0, 1.0])
SHAPES = ("round", "oval", "rectangular", "square", "aviator", "cat-eye", "browline")
"""Outlines of lenses."""
FRAMES = ("full", "half", "rimless")
"""Whether a rim goes around the lens, over its upper half, or not at all."""


@dataclasses.dataclass(frozen=True)
class Style:
    """What a pair looks like. Millimetres for a head of scale 1; linear RGB."""

    shape: str
    """One of `SHAPES`."""
    frame: str
    """One of `FRAMES`."""
    lens_width: float
    """38 to 62."""
    lens_height: float
    """24 to 56."""
    gap: float
    """Between the lenses at the nose, 13 to 22."""
    rim: float
    """Half the rim's thickness, 0.5 to 3."""
    frame_color: np.ndarray
    lens_color: np.ndarray
    opacity: float
    """Of the lenses: 0.05 to 0.14 clear, 0.5 to 1 dark, in quarters, which 2 × 2 samples a pixel show without a pattern."""
    fades: bool
    """Whether the tint fades downwards."""
    metal: bool
    """Of the frame: a strong highlight; else plastic."""
    slipped: float
    """How far down the nose it sits, 0 to 1."""
    drop: float
    """Of the lenses' middle below the eyes, -2 to 6."""


def sample_style(rng: np.random.Generator) -> Style:
    """Draws a pair: about two thirds clear, the rest sunglasses of all tints."""
    shape = str(rng.choice(SHAPES, p=[0.16, 0.16, 0.26, 0.14, 0.12, 0.08, 0.08]))
    dark = bool(rng.random() < 0.35)
    frame = str(rng.choice(FRAMES, p=[0.78, 0.12, 0.1])) if shape != "browline" else "half"
    width = rng.uniform(40, 56) + (5 if dark else 0)
    ratio = {"round": 0.96, "oval": 0.74, "rectangular": 0.6, "square": 0.82, "aviator": 0.86, "cat-eye": 0.72}
    height = float(np.clip(width * ratio.get(shape, 0.75) * rng.uniform(0.9, 1.1), 24, 56))
    metal = bool(rng.random() < (0.75 if shape == "aviator" or frame == "rimless" else 0.35))
    tones = (
        [[0.34, 0.24, 0.1], [0.25, 0.25, 0.26], [0.04, 0.04, 0.045], [0.3, 0.17, 0.12]]
        if metal
        else [
            [0.012, 0.011, 0.011],
            [0.012, 0.011, 0.011],
            [0.09, 0.04, 0.02],
            [0.3, 0.2, 0.1],
            [0.7, 0.7, 0.7],
            rng.random(3) ** 2,
        ]
    )
    color = np.asarray(tones[rng.integers(len(tones))]) * rng.uniform(0.7, 1.2)
    tints = ([0.015, 0.015, 0.017], [0.05, 0.022, 0.01], [0.012, 0.03, 0.018], [0.02, 0.03, 0.07], rng.random(3) * 0.25)
    faint = ([0.5, 0.52, 0.54], [0.45, 0.52, 0.5], [0.35, 0.4, 0.44])
    lens = np.asarray(tints[rng.integers(len(tints))] if dark else faint[rng.integers(len(faint))])
    return Style(
        shape,
        frame,
        width,
        height,
        rng.uniform(15, 21),
        rng.uniform(0.55, 0.9) if metal else rng.uniform(1.0, 2.6),
        np.clip(color, 0, 1),
        lens,
        math.ceil(4 * rng.uniform(0.3, 0.85)) / 4 if dark else rng.uniform(0.05, 0.14),
        bool(dark and rng.random() < 0.35),
        metal,
        rng.random() ** 3,
        rng.uniform(-1, 5),
    )


def sample_glasses(model: MorphableModel, vertices: np.ndarray, rng: np.random.Generator) -> list[Surface]:
    """Glasses on a head.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres.
        rng: Draws the pair.

    Returns:
        Frame (`glasses`) and lenses (`lenses`).
    """
    return glasses(model, vertices, sample_style(rng))


def glasses(model: MorphableModel, vertices: np.ndarray, style: Style) -> list[Surface]:
    """A pair of this style on the head with these vertices `[V, 3]`: frame and lenses."""
    head = measure(model, vertices)
    grid = head_grid.head_grid(model, "skull")
    surface = grid.points(vertices, head)
    scale = head.scale
    outline = lens_outline(style) * scale
    seat = _seat(head, style)
    out = (style.gap + style.lens_width) / 2 * scale
    fronts = []
    for sign in (-1.0, 1.0):
        flat = outline * [sign, 1.0]
        place = np.empty((len(flat), 3))
        place[:, 0] = seat[0] + sign * out + flat[:, 0]
        place[:, 1] = head.eyes[:, 1].mean() - style.drop * scale + flat[:, 1] - 6 * style.slipped * scale
        aside = place[:, 0] - seat[0]
        # Lenses bend back around the face and lean in below.
        place[:, 2] = seat[2] - aside * aside / (2 * 190 * scale) + 0.14 * flat[:, 1]
        fronts.append(place if sign > 0 else place[::-1])
    rims = np.concatenate(fronts)
    outer = np.abs(rims[:, 0] - seat[0]) > 0.5 * style.gap * scale + 0.3 * style.lens_width * scale
    inside = style.rim + 1.0 - grid.clearance(surface, head, rims[outer])
    advance = float(np.clip(inside.max(), 0, 8 * scale))
    fronts = [front + _FORWARD * advance for front in fronts]
    seat = seat + _FORWARD * 0.5 * advance
    parts = [_bridge(fronts, seat, style, scale), *_temples(fronts, head, grid, surface, style)]
    for front in fronts:
        parts += _rim(front, style)
    mesh_vertices, triangles = solids.merged(parts)
    gloss = 5.0 if style.metal else 2.5
    frame = Surface(
        "glasses", mesh_vertices, triangles, _shaded(style, mesh_vertices, head), gloss=gloss, two_sided=True
    )
    return [frame, _lenses(fronts, style)]


def lens_outline(style: Style) -> np.ndarray:
    """`[_RIM_POINTS, 2]` a lens: x away from the nose, y up, counter-clockwise, millimetres from its middle."""
    angle = 2 * np.pi * np.arange(_RIM_POINTS) / _RIM_POINTS
    power = {"rectangular": 4.5, "square": 4.0, "browline": 3.2, "cat-eye": 2.8, "aviator": 2.4}.get(style.shape, 2.0)
    cosine, sine = np.cos(angle), np.sin(angle)
    radius = (np.abs(cosine) ** power + np.abs(sine) ** power) ** (-1 / power)
    x, y = radius * cosine, radius * sine
    if style.shape == "aviator":
        x = x * (1 - 0.16 * (y < 0) * y * y) + 0.1 * y * (y < 0) * -1
        y = np.where(y > 0, 0.82 * y, 1.1 * y)
    elif style.shape == "cat-eye":
        y = y + 0.3 * np.clip(x, 0, 1) ** 2 * (0.4 + 0.6 * (y > 0))
        x = x * (1 + 0.05 * (y > 0))
    elif style.shape == "browline":
        x = x * (1 + 0.05 * y)
    return np.stack([x * style.lens_width / 2, y * style.lens_height / 2], axis=-1)


def _seat(head: Measures, style: Style) -> np.ndarray:
    """`[3]` middle of the bridge: on the ridge of the nose, the thicker the frame the further out."""
    ridge = head.bridge
    along = np.clip(0.05 + 0.85 * style.slipped, 0, 1.5) * 1.0
    low = int(along)
    place = ridge[low] + (along - low) * (ridge[low + 1] - ridge[low])
    return place + np.array([0, 0, style.rim * 1.15 + 1.2 * head.scale])


def _rim(front: np.ndarray, style: Style) -> list[solids.Mesh]:
    if style.frame == "rimless":
        return []
    thin = np.array([0.75 * style.rim + 0.25, style.rim])
    if style.frame == "half":
        top = front[:, 1] > front[:, 1].mean() - 0.05 * np.ptp(front[:, 1])
        start = int(np.flatnonzero(top & ~np.roll(top, 1))[0])
        arc = np.roll(front, -start, axis=0)[: int(top.sum())]
        thick = 1.7 if style.shape == "browline" else 1.0
        return [solids.tube(arc, thin[::-1] * [thick, thick * 0.8], _FORWARD, 5)]
    return [solids.tube(front, thin[::-1], _FORWARD, 5, closed=True)]


def _bridge(fronts: list[np.ndarray], seat: np.ndarray, style: Style, scale: float) -> solids.Mesh:
    """A bow from lens to lens, over the ridge of the nose."""
    left, right = (front[np.argmin(np.abs(front[:, 0] - seat[0]) - 0.35 * front[:, 1])] for front in fronts)
    across = np.linspace(0, 1, 7)[:, None]
    path = left + (right - left) * across
    bow = 4 * across[:, 0] * (1 - across[:, 0])
    path[:, 1] += 1.5 * scale * bow
    path[:, 2] = np.maximum(path[:, 2] + 1.0 * bow, seat[2] * bow + path[:, 2] * (1 - bow))
    rim = max(style.rim, 0.7)
    return solids.tube(path, np.array([rim, rim]), np.array([0.0, 1.0, 0.0]), 5)


def _temples(
    fronts: list[np.ndarray], head: Measures, grid: head_grid.HeadGrid, surface: np.ndarray, style: Style
) -> list[solids.Mesh]:
    """Arms from the outer ends of the front, past the temples, over the ears and down behind them."""
    scale = head.scale
    parts = []
    for side, sign in ((0, -1.0), (1, 1.0)):
        front, ear = fronts[side], head.ears[side]
        high = front[:, 1] > front[:, 1].mean()
        hinge = front[high][np.argmax(sign * front[high, 0])]
        over = ear + np.array([sign * 1.0, 15.0, -9.0]) * scale
        behind = over + np.array([-sign * 2.0, -16.0, -15.0]) * scale
        start = hinge + np.array([sign * 2.5, 0, -1.0]) * scale
        path = np.stack([hinge, start, *(start + (over - start) * t for t in (0.2, 0.4, 0.6, 0.8, 1.0)), behind])
        inside = 1.2 + style.rim * 0.5 - grid.clearance(surface, head, path[2:])
        path[2:, 0] += sign * np.clip(inside, 0, 14 * scale)
        tall = 0.8 + (0.6 if style.metal else 1.4 * style.rim)
        height = np.linspace(tall, 0.8 * tall, len(path))
        parts.append(solids.tube(path, np.stack([np.full(len(path), 0.8), height], -1), np.array([0.0, 1.0, 0.02]), 6))
    return parts


def _lenses(fronts: list[np.ndarray], style: Style) -> Surface:
    """Both lenses: a fan of rings, bulged forward."""
    meshes, heights = [], []
    for front in fronts:
        middle = front.mean(0)
        rings = [middle + (front - middle) * share + _FORWARD * 1.6 * (1 - share * share) for share in (1.0, 0.55)]
        count = len(front)
        vertices = np.concatenate([*rings, [middle + 1.6 * _FORWARD]]).astype(np.float32)
        ring = np.arange(count)
        beside = (ring + 1) % count
        triangles = np.concatenate(
            [
                np.stack([ring, beside, count + beside], -1),
                np.stack([ring, count + beside, count + ring], -1),
                np.stack([count + ring, count + beside, np.full(count, 2 * count)], -1),
            ]
        )
        meshes.append((vertices, triangles.astype(np.int32)))
        heights.append((vertices[:, 1] - front[:, 1].min()) / np.ptp(front[:, 1]))
    vertices, triangles = solids.merged(meshes)
    colors = np.broadcast_to(np.asarray(style.lens_color, np.float32), vertices.shape).copy()
    if not style.fades:
        return Surface("lenses", vertices, triangles, colors, opacity=style.opacity, gloss=8.0)
    height = np.clip(np.concatenate(heights), 0, 1)
    texture = np.full((16, 2, 4), 255, np.uint8)
    texture[..., 3] = np.linspace(255, 60, 16)[:, None]
    uv = np.stack([np.full_like(height, 0.5), height], axis=-1).astype(np.float32)
    return Surface("lenses", vertices, triangles, colors, uv, texture, style.opacity, gloss=8.0)


def _shaded(style: Style, vertices: np.ndarray, head: Measures) -> np.ndarray:
    """Frame's colours: tortoise-like patches in bright plastic, a darker end of the arms."""
    color = np.broadcast_to(np.asarray(style.frame_color), vertices.shape)
    if not style.metal and 0.1 < style.frame_color[0] < 0.5:
        patches = np.sin(vertices[:, 0] * 0.7) * np.sin(vertices[:, 1] * 0.9 + 1) + np.sin(vertices[:, 2] * 0.5)
        color = color * (0.55 + 0.45 * np.tanh(2 * patches))[:, None]
    back = np.clip((head.ears[:, 2].mean() + 5 - vertices[:, 2]) / 10, 0, 1)[:, None]
    return np.clip(color * (1 - 0.6 * back * style.metal), 0, 1).astype(np.float32)
