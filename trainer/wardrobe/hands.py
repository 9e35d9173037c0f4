"""Hands and forearms in the skin's colour, laid on the face or held before it."""

import dataclasses

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe import fabric, shells, solids
from trainer.wardrobe.shells import Wrapped

POSES = ("cheek", "chin", "mouth", "forehead", "eye", "fist", "before", "both")
"""Where `sample_hands` puts a hand: on these places, a fist on the cheek, a spread hand before the face, or on both cheeks."""
_ODDS = (0.2, 0.15, 0.15, 0.12, 0.1, 0.1, 0.1, 0.08)
_KNUCKLES = np.array([[27.0, 90, 2], [9, 95, 4], [-10, 91, 3], [-27, 80, 0]])
_PHALANGES = np.array([[42.0, 25, 21], [46, 29, 22], [43, 27, 21], [33, 20, 18]])
_WIDTHS = np.array([[9.2, 8.4, 7.4], [9.5, 8.6, 7.5], [9.0, 8.1, 7.1], [8.0, 7.2, 6.3]])
_SIDES = 8
_MAX_STEP = 45.0
"""How far a hand is moved off the face at most, millimetres."""


@dataclasses.dataclass(frozen=True)
class HandPose:
    """How the fingers are held. Angles in radians."""

    curl: np.ndarray
    """`[4]` bend of each finger's three joints together, index first: 0 straight, 1.5 a fist."""
    spread: float
    """Between neighbouring fingers."""
    thumb: float
    """0 beside the index finger, 1 stretched out."""
    wrist: float
    """Bend of the forearm against the hand, towards its back."""
    cuff: float | None = None
    """Where a sleeve starts, millimetres from the wrist, 15 to 120; None is a bare arm."""


def hand_mesh(pose: HandPose, arm: np.ndarray, left: bool) -> tuple[solids.Mesh, np.ndarray]:
    """A hand with forearm.

    Its own frame, millimetres: the wrist at 0, y along the fingers, z out of the back of the hand, x towards the thumb.

    Args:
        pose: How the fingers are held.
        arm: `[3]` direction of the forearm from the wrist.
        left: A left hand: x towards the little finger, so that the thumb is on the other side.

    Returns:
        The mesh, and `[N]` what each vertex is: 0 skin, towards 1 knuckles and fingertips, 2 forearm, 3 sleeve.
    """
    parts, kinds = [], []
    angle = np.cumsum(np.outer(pose.curl, [0.75, 1.1, 0.75]), axis=1)  # against y, towards -z
    aside = pose.spread * np.array([1.2, 0.3, -0.5, -1.5])
    for finger in range(4):
        bend, turn = angle[finger], aside[finger]
        along = np.stack([np.sin(turn) * np.cos(bend), np.cos(turn) * np.cos(bend), -np.sin(bend)], axis=-1)
        joints = _KNUCKLES[finger] + np.concatenate(
            [np.zeros((1, 3)), np.cumsum(_PHALANGES[finger][:, None] * along, 0)]
        )
        path = np.stack([joints[0] - 14 * along[0], joints[0], *_between(joints)])
        wide = _WIDTHS[finger][[0, 0, 0, 1, 1, 2, 2]]
        raised = (
            np.array([-np.sin(turn) * 0, 0, 1]) * np.cos(bend)[:, None] + np.array([0, 1, 0]) * np.sin(bend)[:, None]
        )
        parts.append(solids.capsule(path, wide, _raised(raised), _SIDES, 0.92))
        kinds.append(_along(len(path) + 4, [0, 0, 0, 0.3, 0.6, 0.2, 0.6, 0.2, 0.5, 0.8, 1.0]))
    out = 0.35 + 0.75 * pose.thumb
    thumb = np.array([np.sin(out), np.cos(out), -0.45 + 0.25 * pose.thumb])
    thumb /= np.linalg.norm(thumb)
    end = np.array([np.sin(0.6 * out), np.cos(0.6 * out), -0.55])
    end /= np.linalg.norm(end)
    base = np.array([17.0, 22, -8])
    joints = base + np.cumsum([np.zeros(3), 36 * thumb, 28 * thumb, 12 * end, 10 * end], axis=0)
    parts.append(solids.capsule(joints, np.array([14.0, 12, 10.5, 10, 8.5]), np.array([-0.5, 0.2, 1.0]), _SIDES, 0.9))
    kinds.append(_along(9, [0, 0, 0, 0.2, 0.5, 0.3, 0.5, 0.8, 1]))
    palm = np.array([[0.0, -6, 0], [0, 12, 0], [1, 40, 0], [0, 66, 0], [-1, 84, 0], [-1, 94, 0]])
    size = np.array([[27.0, 19], [31, 20], [40, 18], [43, 15.5], [42, 13], [38, 9]])
    parts.append(solids.tube(palm, size, np.array([0.0, 0, 1]), 12))
    kinds.append(_along(6, [0, 0, 0, 0, 0.3, 0.5], 12))
    fore = arm / np.linalg.norm(arm)
    cuff = 100.0 if pose.cuff is None else pose.cuff
    sleeve = 0.0 if pose.cuff is None else 1.0
    reach = np.array([-8.0, 8, cuff, cuff + 0.5, cuff + 3, 160, 260])[:, None]
    wide = 25 + 20 * np.clip(reach / 200, 0, 1) ** 1.3
    size = np.hstack([wide, wide * (0.72 + 0.22 * np.clip(reach / 200, 0, 1))])
    size[3:] += sleeve * np.array([1.0, 4.0, 9.0, 14.0])[:, None]
    parts.append(solids.tube(reach * fore, size, _across(fore), 12))
    kinds.append(_along(7, [2, 2, 2, *[2 + sleeve] * 4], 12))
    vertices, triangles = solids.merged(parts)
    if left:
        vertices, triangles = vertices * np.array([-1, 1, 1], np.float32), triangles[:, ::-1]
    return (vertices, triangles), np.concatenate(kinds)


def sample_hands(
    model: MorphableModel,
    vertices: np.ndarray,
    rng: np.random.Generator,
    skin_rgb: np.ndarray,
    pose: str | None = None,
) -> list[Surface]:
    """One hand, or two, on a face or before it.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres.
        rng: Draws it.
        skin_rgb: `[3]` linear RGB of the face.
        pose: One of `POSES`; None draws one.

    Returns:
        Surfaces `hand`.

    Raises:
        ValueError: If the pose is unknown.
    """
    pose = POSES[int(np.searchsorted(np.cumsum(_ODDS), rng.random()))] if pose is None else pose
    if pose not in POSES:
        raise ValueError(f"`pose` must be one of {POSES}. Received: {pose!r}")
    head = shells.wrapped(model, vertices, "head", 2)
    side = int(rng.integers(2))
    if pose == "both":
        return [*_laid(head, rng, skin_rgb, "cheek", 0), *_laid(head, rng, skin_rgb, "cheek", 1)]
    return _laid(head, rng, skin_rgb, pose, side)


def sample_cuff(rng: np.random.Generator) -> float | None:
    """Where a sleeve starts, for every second arm."""
    return float(rng.uniform(15, 110)) if rng.random() < 0.5 else None


def _laid(head: Wrapped, rng: np.random.Generator, skin_rgb: np.ndarray, pose: str, side: int) -> list[Surface]:
    """One hand from the image's left (side 0) or right (1)."""
    sign = 2.0 * side - 1.0
    face = head.head
    eye = face.eyes[side]
    curl, spread, thumb = rng.uniform(0.08, 0.35), rng.uniform(0, 0.12), rng.uniform(0.2, 1)
    touches = np.array([0.0, rng.uniform(70, 110), -14])  # which point of the hand lies on the target
    gap = 0.0
    if pose == "cheek":
        target, along = (
            head.on(np.array([sign * rng.uniform(55, 75)]), np.array([rng.uniform(-32, -8)]), np.zeros(1))[0],
            [-sign * rng.uniform(-0.3, 0.3), 1.0, -0.25],
        )
    elif pose == "chin":
        target, along = face.chin + np.array([0, 2, 4]), [-sign * rng.uniform(0.5, 1.2), rng.uniform(0.4, 1.0), 0.2]
        touches = np.array([0.0, rng.uniform(95, 135), -12])
        curl = rng.uniform(0.3, 0.7)
    elif pose == "mouth":
        target, along = face.mouth + np.array([0, rng.uniform(-8, 6), 2]), [-sign, rng.uniform(0.1, 0.9), 0]
    elif pose == "forehead":
        target, along = (
            face.brows + np.array([sign * rng.uniform(0, 25), rng.uniform(15, 40), -4]),
            [-sign, rng.uniform(-0.1, 1.0), 0],
        )
    elif pose == "eye":
        target, along = eye + np.array([0, 0, 4]), [-sign * rng.uniform(-0.2, 0.7), 1.0, 0]
        touches = np.array([0.0, rng.uniform(85, 130), -14])
    elif pose == "fist":
        target, along = (
            head.on(np.array([sign * rng.uniform(45, 65)]), np.array([rng.uniform(-35, -18)]), np.zeros(1))[0],
            [-sign * 0.3, 1.0, 0.1],
        )
        curl, spread, thumb, touches = rng.uniform(1.3, 1.6), 0.0, 0.1, np.array([0.0, 80, -20])
    else:
        target = face.mouth + np.array([sign * rng.uniform(20, 80), rng.uniform(-50, 50), 0])
        along, gap = [-sign * rng.uniform(-0.4, 0.6), 1.0, 0], rng.uniform(25, 110)
        spread, curl = rng.uniform(0.05, 0.3), rng.uniform(0, 0.5)
    outward = solids.unit(target - head.center * [1, 0, 1] - [0, target[1] * 0.8, 0])
    if pose == "chin":
        outward = solids.unit(np.array([sign * 0.2, -0.45, 0.85]))
    return [
        held(
            head,
            rng,
            skin_rgb,
            HandPose(curl * rng.uniform(0.6, 1.4, 4), spread, thumb, rng.uniform(-0.1, 0.5), sample_cuff(rng)),
            target + outward * gap * face.scale,
            np.asarray(along, float),
            outward,
            touches,
            side,
            clear=pose != "before",
        )
    ]


def held(
    head: Wrapped,
    rng: np.random.Generator,
    skin_rgb: np.ndarray,
    pose: HandPose,
    target: np.ndarray,
    along: np.ndarray,
    outward: np.ndarray,
    touches: np.ndarray,
    side: int,
    clear: bool = True,
) -> Surface:
    """A hand with its palm towards the face.

    Args:
        head: The head.
        rng: Size, unevenness and sleeve.
        skin_rgb: `[3]` linear RGB.
        pose: How the fingers are held.
        target: `[3]` place of the point `touches` of the hand, model frame, millimetres.
        along: `[3]` where the fingers point.
        outward: `[3]` where the back of the hand looks.
        touches: `[3]` in the hand's frame.
        side: 0 comes from the image's left, 1 from its right.
        clear: Whether the hand is moved out of the head.
    """
    scale = head.head.scale * rng.uniform(0.88, 1.05)
    back = solids.unit(outward)
    fingers = solids.unit(along - (along @ back) * back)
    sign = 2.0 * side - 1.0
    across = np.cross(fingers, back)
    # Which hand: the one whose thumb points up or to the middle; the palm may also be of the other hand.
    left = bool(across @ np.array([-0.5 * sign, 1.0, 0]) < 0)
    frame = np.stack([across, fingers, back])
    arm = np.array([0.0, -np.cos(pose.wrist), -np.sin(pose.wrist)]) @ frame
    arm = solids.unit(arm + np.array([sign * 0.5, -0.6, 0.1]))
    (vertices, triangles), kinds = hand_mesh(pose, (frame @ arm) * ([-1, 1, 1] if left else 1), left)
    vertices = (vertices - touches) * scale @ frame + target
    if clear:
        nearest = head.grid.clearance(head.points, head.head, vertices[kinds < 2])
        step = np.clip(1.0 - np.percentile(nearest, 4), 0, _MAX_STEP)
        vertices = vertices + back * step
        vertices = head.lifted(vertices, 0.4)
    tone = np.clip(np.asarray(skin_rgb) * rng.uniform(0.85, 1.1), 0, 1)
    red = np.array([0.06, -0.05, -0.05])
    warmth = np.clip(kinds, 0, 1)[:, None] * (kinds < 2)[:, None]
    colors = solids.tinted(tone * (1 + warmth * (red - 0.04)), vertices, rng, 0.03)
    colors[kinds == 3] = np.clip(fabric.sample_dye(rng), 0, 1)
    return Surface("hand", vertices.astype(np.float32), np.ascontiguousarray(triangles), colors, gloss=0.8)


def _between(joints: np.ndarray) -> np.ndarray:
    """Joints after the first, and points shortly before and after those between."""
    a, b, c, d = joints
    return np.stack([b + 0.12 * (a - b), b + 0.12 * (c - b), c + 0.15 * (b - c), c + 0.15 * (d - c), d])


def _raised(per_bone: np.ndarray) -> np.ndarray:
    """`[11, 3]` back of a finger at the points of its capsule, from that of its three bones."""
    return per_bone[[0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2]]


def _along(rings: int, values: list[float], sides: int = _SIDES) -> np.ndarray:
    """What the vertices of a tube are, from what its rings are."""
    full = np.repeat(np.asarray(values, float), sides)
    if len(values) != rings:
        raise ValueError(f"`values` must be one a ring, {rings}. Received: {len(values)}")
    return np.concatenate([full, [values[0], values[-1]]])


def _across(direction: np.ndarray) -> np.ndarray:
    """A direction at right angles, as near to z as can be."""
    up = np.array([0.0, 0.1, 1.0])
    return solids.unit(up - (up @ direction) * direction)
