"""Chance puts something before a face."""

import dataclasses
from collections.abc import Sequence

import numba
import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe import handheld, hands, neckwear, solids
from trainer.wardrobe.measures import measure


@dataclasses.dataclass(frozen=True)
class OccluderConfig:
    """How often each kind of thing hides part of a face: fractions in [0, 1], each of them a switch (0 is never).

    At most one thing of a kind, and at most one of those before the face (hand, phone, microphone, cup, shape), is drawn.

    Raises:
        ValueError: If a fraction is not in [0, 1], or those of the things before the face add up to more than 1.
    """

    hand: float = 0.08
    phone: float = 0.025
    microphone: float = 0.02
    cup: float = 0.015
    shape: float = 0.05
    mask: float = 0.015
    scarf: float = 0.035
    turtleneck: float = 0.02

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not 0 <= getattr(self, field.name) <= 1:
                raise ValueError(f"`{field.name}` must be in [0, 1]. Received: {getattr(self, field.name)}")
        if sum(getattr(self, name) for name in BEFORE) > 1 + 1e-9:
            raise ValueError(f"{', '.join(f'`{name}`' for name in BEFORE)} must add up to at most 1. Received: {self}")


BEFORE = ("hand", "phone", "microphone", "cup", "shape")
"""Kinds of which at most one is drawn."""
MOST_HIDDEN = 0.6
"""Share of the landmarks that occluders may hide, whatever the yaw: what hides more is drawn anew."""
_ATTEMPTS = 6
_YAWS = np.array([-75.0, -45, -20, 0, 20, 45, 75])


def sample_occluders(
    model: MorphableModel,
    vertices: np.ndarray,
    rng: np.random.Generator,
    skin_rgb: np.ndarray,
    config: OccluderConfig | None = None,
    bearded: bool = False,
) -> list[Surface]:
    """What hides part of a face; nothing for most faces.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres.
        rng: Draws it.
        skin_rgb: `[3]` linear RGB of the face, for its hands.
        config: How often what; None is the usual.
        bearded: Whether a mask must leave room for a beard.

    Returns:
        Surfaces, none to a few; they hide at most `MOST_HIDDEN` of the landmarks.
    """
    config = config or OccluderConfig()
    chance = {name: rng.random() for name in ("before", "mask", "scarf", "turtleneck")}
    kinds = []
    left = chance["before"]
    for name in BEFORE:
        fraction = getattr(config, name)
        if 0 <= left < fraction:
            kinds.append(name)
        left -= fraction
    if not kinds and chance["mask"] < config.mask:
        kinds.append("mask")
    if chance["scarf"] < config.scarf:
        kinds.append("scarf")
    elif chance["turtleneck"] < config.turtleneck:
        kinds.append("turtleneck")
    occluders: list[Surface] = []
    points = measure(model, vertices).points
    for kind in kinds:
        for _ in range(_ATTEMPTS):
            drawn = _sample(kind, model, vertices, rng, skin_rgb, bearded)
            if hidden_share(occluders + drawn, points) <= MOST_HIDDEN:
                occluders += drawn
                break
    return occluders


def _sample(
    kind: str,
    model: MorphableModel,
    vertices: np.ndarray,
    rng: np.random.Generator,
    skin_rgb: np.ndarray,
    bearded: bool,
) -> list[Surface]:
    if kind in _SKINNED:
        return _SKINNED[kind](model, vertices, rng, skin_rgb)
    if kind == "mask":
        return neckwear.sample_mask(model, vertices, rng, bearded)
    return _PLAIN[kind](model, vertices, rng)


def hidden_share(surfaces: Sequence[Surface], points: np.ndarray) -> float:
    """The greatest share of points that surfaces hide from viewers far away at several yaws between the profiles.

    Args:
        surfaces: What hides; as if opaque.
        points: `[N, 3]` model frame, millimetres.

    Returns:
        In [0, 1].
    """
    if not surfaces:
        return 0.0
    mesh, triangles = solids.merged([(surface.vertices, surface.triangles) for surface in surfaces])
    angle = np.radians(_YAWS)
    sine, cosine, none = np.sin(angle), np.cos(angle), np.zeros_like(angle)
    # Rows: the viewer's right, up, and the way to the viewer.
    frames = np.stack([cosine, none, -sine, none, none + 1, none, sine, none, cosine], axis=-1).reshape(-1, 3, 3)
    return max(
        _hidden_count((points @ f.T).astype(np.float32), (mesh @ f.T).astype(np.float32), triangles) for f in frames
    ) / len(points)


@numba.njit(cache=True, nogil=True)
def _hidden_count(points, vertices, triangles):  # type: ignore[no-untyped-def]
    """How many points `[N, 3]` lie behind a triangle (x right, y up, z towards the viewer)."""
    hidden = np.zeros(len(points), np.bool_)
    for triangle in range(len(triangles)):
        a, b, c = vertices[triangles[triangle, 0]], vertices[triangles[triangle, 1]], vertices[triangles[triangle, 2]]
        left, right = min(a[0], b[0], c[0]), max(a[0], b[0], c[0])
        low, high = min(a[1], b[1], c[1]), max(a[1], b[1], c[1])
        far = min(a[2], b[2], c[2])
        for point in range(len(points)):
            x, y = points[point, 0], points[point, 1]
            if hidden[point] or x < left or x > right or y < low or y > high or points[point, 2] > far:
                continue
            u = (b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)
            v = (c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)
            w = (a[0] - x) * (b[1] - y) - (a[1] - y) * (b[0] - x)
            hidden[point] = (u >= 0 and v >= 0 and w >= 0) or (u <= 0 and v <= 0 and w <= 0)
    return hidden.sum()


_SKINNED = {
    "hand": hands.sample_hands,
    "phone": handheld.sample_phone,
    "microphone": handheld.sample_microphone,
    "cup": handheld.sample_cup,
}
_PLAIN = {
    "shape": handheld.sample_shape,
    "scarf": neckwear.sample_scarf,
    "turtleneck": neckwear.sample_turtleneck,
}
