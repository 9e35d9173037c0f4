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

    At most one thing of a kind, and at most one of those before the face, is drawn: where chance says two, one of them at
    random. Each kind has chance of its own: switched off, it leaves the others what and where they were, but for those that had
    to give way to it.

    Raises:
        ValueError: If a fraction is not in [0, 1].
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


EXCLUSIVE = (("hand", "phone", "microphone", "cup", "shape", "mask"), ("scarf", "turtleneck"))
"""Kinds of which at most one is drawn: before the face, and around the neck."""
MOST_HIDDEN = 0.6
"""Share of the landmarks that occluders may hide, whatever the yaw: what alone hides more is drawn anew, what hides more together
with another is left out."""
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
    names = [field.name for field in dataclasses.fields(config)]
    chances, ranks = dict(zip(names, rng.random(len(names)), strict=True)), rng.permutation(len(names))
    seeds = dict(zip(names, rng.integers(0, 2**63, len(names)), strict=True))
    kinds = []
    for group in EXCLUSIVE:
        chosen = [name for name in group if chances[name] < getattr(config, name)]
        kinds += [min(chosen, key=lambda name: ranks[names.index(name)])] if chosen else []
    occluders: list[Surface] = []
    if not kinds:
        return occluders
    points = measure(model, vertices).points
    for kind in kinds:
        own = np.random.default_rng(seeds[kind])
        for _ in range(_ATTEMPTS):
            drawn = _sample(kind, model, vertices, own, skin_rgb, bearded)
            if hidden_share(drawn, points) <= MOST_HIDDEN:
                if not occluders or hidden_share(occluders + drawn, points) <= MOST_HIDDEN:
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
    hidden = _most_hidden(
        np.asarray(points, np.float32), np.asarray(mesh, np.float32), triangles, np.cos(angle), np.sin(angle)
    )
    return float(hidden) / len(points)


@numba.njit(cache=True, nogil=True)
def _most_hidden(points, vertices, triangles, cosines, sines):  # type: ignore[no-untyped-def]
    """How many points `[N, 3]` lie behind a triangle for the viewer who sees the most so, turned by one of the angles."""
    most = 0
    seen, placed = np.empty_like(points), np.empty_like(vertices)
    for view in range(len(cosines)):
        cosine, sine = np.float32(cosines[view]), np.float32(sines[view])
        _turn(points, cosine, sine, seen)
        _turn(vertices, cosine, sine, placed)
        most = max(most, _hidden_count(seen, placed, triangles))
    return most


@numba.njit(cache=True, nogil=True)
def _turn(places, cosine, sine, turned):  # type: ignore[no-untyped-def]
    """Places `[N, 3]` as x to the viewer's right, y up and z towards the viewer."""
    for index in range(len(places)):
        x, z = places[index, 0], places[index, 2]
        turned[index, 0] = cosine * x - sine * z
        turned[index, 1] = places[index, 1]
        turned[index, 2] = sine * x + cosine * z


@numba.njit(cache=True, nogil=True)
def _hidden_count(points, vertices, triangles):  # type: ignore[no-untyped-def]
    """How many points `[N, 3]` lie behind a triangle (x right, y up, z towards the viewer)."""
    hidden = np.zeros(len(points), np.bool_)
    first_x, last_x = points[:, 0].min(), points[:, 0].max()
    first_y, last_y = points[:, 1].min(), points[:, 1].max()
    for triangle in range(len(triangles)):
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
        ax, ay, bx, by = vertices[a, 0], vertices[a, 1], vertices[b, 0], vertices[b, 1]
        cx, cy = vertices[c, 0], vertices[c, 1]
        left, right = min(ax, bx, cx), max(ax, bx, cx)
        low, high = min(ay, by, cy), max(ay, by, cy)
        if right < first_x or left > last_x or high < first_y or low > last_y:
            continue
        far = min(vertices[a, 2], vertices[b, 2], vertices[c, 2])
        for point in range(len(points)):
            x, y = points[point, 0], points[point, 1]
            if hidden[point] or x < left or x > right or y < low or y > high or points[point, 2] > far:
                continue
            u = (bx - x) * (cy - y) - (by - y) * (cx - x)
            v = (cx - x) * (ay - y) - (cy - y) * (ax - x)
            w = (ax - x) * (by - y) - (ay - y) * (bx - x)
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
