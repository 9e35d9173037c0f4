"""Things held before a face: phone, microphone, cup; and shapes of any kind."""

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe import fabric, hands, shells, solids


def sample_phone(
    model: MorphableModel, vertices: np.ndarray, rng: np.random.Generator, skin_rgb: np.ndarray
) -> list[Surface]:
    """A phone at the ear or before the face, and the hand that holds it.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres.
        rng: Draws it.
        skin_rgb: `[3]` linear RGB of the hand.

    Returns:
        Surfaces `phone` and `hand`.
    """
    head = shells.wrapped(model, vertices, "head", 2)
    face, scale = head.head, head.head.scale
    side = int(rng.integers(2))
    sign = 2.0 * side - 1.0
    half = np.array([rng.uniform(33, 39), rng.uniform(66, 80), rng.uniform(3.5, 5.5)])
    if rng.random() < 0.6:
        ear = face.ears[side] + np.array([sign * 4.0, 2, 4]) * scale
        mouth = face.corners[side] + np.array([sign * 24.0, -6, -14]) * scale
        up = solids.unit(ear - mouth)
        back = solids.unit(np.array([sign, 0.0, 0.35 + 0.3 * rng.random()]))
        middle = 0.55 * ear + 0.45 * mouth
        fingers = np.array([-sign * 0.25, 0.55, -0.9])
    else:
        up = solids.unit(np.array([rng.uniform(-0.5, 0.5), 1.0, rng.uniform(-0.3, 0.3)]))
        back = solids.unit(np.array([rng.uniform(-0.4, 0.4), rng.uniform(-0.3, 0.1), 1.0]))
        places = (face.mouth, face.bridge[1], face.eyes[side], face.chin)
        middle = places[rng.integers(len(places))] + np.array([sign * rng.uniform(10, 50), rng.uniform(-50, -10), 0])
        middle = middle + back * rng.uniform(20, 110)
        fingers = np.array([-sign, 0.4, 0.0])
    up = solids.unit(up - (up @ back) * back)
    frame = np.stack([np.cross(up, back), up, back])
    mesh, triangles = solids.slab(middle, frame * half[:, None], 0.25)
    nearest = float(head.grid.clearance(head.points, face, mesh).min())
    step = back * max(1.0 - nearest, 0)
    mesh, middle = mesh + step, middle + step
    color = np.asarray(([0.01] * 3, [0.01] * 3, [0.6] * 3, rng.random(3) ** 2 * 0.6)[rng.integers(4)])
    away = (mesh - middle) @ back > 0.5 * half[2]
    colors = np.where(away[:, None], color, 0.012).astype(np.float32)
    pose = hands.HandPose(
        rng.uniform(0.35, 0.7, 4),
        rng.uniform(0, 0.1),
        rng.uniform(0.5, 1.0),
        rng.uniform(0, 0.4),
        hands.sample_cuff(rng),
    )
    grip = middle + back * half[2] - up * half[1] * rng.uniform(0.0, 0.4)
    touches = np.array([0.0, rng.uniform(75, 105), -15])
    hand = hands.held(head, rng, skin_rgb, pose, grip, fingers, back, touches, side, clear=False)
    return [Surface("phone", mesh.astype(np.float32), triangles, colors, gloss=4.0), hand]


def sample_microphone(
    model: MorphableModel, vertices: np.ndarray, rng: np.random.Generator, skin_rgb: np.ndarray
) -> list[Surface]:
    """A microphone before the mouth, often with the hand that holds it: arguments as of `sample_phone`.

    Returns:
        Surfaces `microphone` and `hand`.
    """
    head = shells.wrapped(model, vertices, "head", 2)
    face, scale = head.head, head.head.scale
    side = int(rng.integers(2))
    sign = 2.0 * side - 1.0
    lean = solids.unit(np.array([sign * rng.uniform(-0.2, 0.9), -1.0, rng.uniform(0.1, 1.1)]))
    size = rng.uniform(21, 30)
    top = face.mouth + np.array([sign * rng.uniform(0, 12), rng.uniform(-22, -4), size + rng.uniform(2, 35)]) * scale
    across = solids.unit(np.cross(lean, [1.0, 0.2, 0.0]))
    frame = np.stack([np.cross(-lean, across), -lean, across])
    ball = solids.ellipsoid(top, frame * (size * np.array([[1.0], [rng.uniform(1.0, 1.3)], [1.0]])), 8, 14)
    reach = np.array([0.5 * size, 1.1 * size, 1.15 * size, 60.0, 150.0, 210.0])[:, None]
    wide = np.array([0.75 * size, 0.75 * size, 16, 15, 12, 11])[:, None]
    handle = solids.tube(top + reach * lean, wide, across, 10)
    grey = rng.uniform(0.01, 0.2)
    mesh, triangles = solids.merged([ball, handle])
    colors = np.full((len(mesh), 3), rng.choice([0.01, 0.02, 0.3]), np.float32)
    colors[: len(ball[0])] = grey * rng.uniform(0.6, 1.4, (len(ball[0]), 1))
    worn = [Surface("microphone", mesh, triangles, np.clip(colors, 0, 1), gloss=1.5)]
    if rng.random() < 0.8:
        grip = top + lean * rng.uniform(75, 120)
        outward = solids.unit(np.array([sign * 0.4, 0.1, 1.0]))
        fingers = np.array([-sign, 0.25, 0.0])
        pose = hands.HandPose(rng.uniform(0.9, 1.25, 4), 0.02, 0.2, rng.uniform(0, 0.5), hands.sample_cuff(rng))
        touches = np.array([0.0, 85, -15])
        worn.append(
            hands.held(head, rng, skin_rgb, pose, grip + outward * 14, fingers, outward, touches, side, clear=False)
        )
    return worn


def sample_cup(
    model: MorphableModel, vertices: np.ndarray, rng: np.random.Generator, skin_rgb: np.ndarray
) -> list[Surface]:
    """A cup or a glass at the mouth and a hand around it: arguments as of `sample_phone`.

    Returns:
        Surfaces `cup` and `hand`.
    """
    head = shells.wrapped(model, vertices, "head", 2)
    face, scale = head.head, head.head.scale
    side = int(rng.integers(2))
    sign = 2.0 * side - 1.0
    lean = solids.unit(np.array([sign * rng.uniform(-0.15, 0.15), -1.0, rng.uniform(0.2, 1.0)]))
    radius, height = rng.uniform(30, 42), rng.uniform(75, 120)
    across = np.array([1.0, 0.0, 0.0])
    forward = solids.unit(np.cross(across, lean))
    rim = face.mouth + (forward * (radius + rng.uniform(-4, 14)) + np.array([0, rng.uniform(-8, 4), 4])) * scale
    taper = rng.uniform(0.68, 1.0)
    reach = height * np.array([0.12, 0.0, 0.02, 0.5, 0.97, 1.0])[:, None]
    wide = radius * np.array([0.9, 0.94, 1.0, 0.5 + 0.5 * taper, taper, 0.9 * taper])[:, None]
    mesh, triangles = solids.tube(rim + reach * lean, wide, forward, 18)
    step = max(1.0 - float(np.percentile(head.grid.clearance(head.points, face, mesh), 8)), 0.0)
    mesh = mesh + (forward * min(step, 40.0)).astype(np.float32)
    color = np.full(3, 0.75) if rng.random() < 0.4 else np.clip(fabric.sample_dye(rng), 0, 1)
    colors = solids.tinted(color, mesh, rng, 0.02)
    colors[:18] *= 0.35
    worn = [Surface("cup", mesh, triangles, colors, gloss=2.0)]
    if rng.random() < 0.9:
        outward = solids.unit(forward + sign * across * rng.uniform(0.2, 0.9))
        grip = mesh.mean(0) + outward * radius * 0.9
        pose = hands.HandPose(rng.uniform(0.4, 0.65, 4), 0.03, 0.6, rng.uniform(0, 0.4), hands.sample_cuff(rng))
        fingers = np.array([-sign, 0.15, 0.0])
        touches = np.array([0.0, rng.uniform(65, 95), -15])
        worn.append(hands.held(head, rng, skin_rgb, pose, grip, fingers, outward, touches, side, clear=False))
    return worn


def sample_shape(model: MorphableModel, vertices: np.ndarray, rng: np.random.Generator) -> list[Surface]:
    """A lump, a board or a stick of any colour before the face, from 10 to 120 mm in front of it.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres.
        rng: Draws it.

    Returns:
        One surface `shape`.
    """
    head = shells.wrapped(model, vertices, "head", 2)
    face, scale = head.head, head.head.scale
    place = face.points[rng.integers(len(face.points))] + rng.normal(size=3) * 14
    outward = solids.unit(solids.unit(place - head.center) + np.array([0, 0, rng.uniform(0, 1)]))
    turn = solids.unit(rng.normal(size=3))
    side = solids.unit(np.cross(turn, outward))
    frame = np.stack([side, np.cross(outward, side), outward])
    kind = int(rng.integers(3))
    uv = cloth = None
    if kind == 0:
        axes = frame * (rng.uniform(14, 36, (3, 1)) * scale)
        mesh, triangles = solids.ellipsoid(np.zeros(3), axes, 11, 18)
        waves = rng.normal(size=(5, 3)) * rng.uniform(0.02, 0.08, (5, 1))
        mesh = mesh * (1 + 0.13 * np.sin(mesh @ waves.T + rng.uniform(0, 6.3, 5)).sum(-1, keepdims=True))
        angle = np.linspace(0, 1, len(mesh) - 2)
        u = np.append(1 - np.abs((np.arange(len(angle)) % 18) / 9 - 1), [0.5, 0.5])
        uv = np.stack([u, np.append(angle, [0.0, 1.0])], -1).astype(np.float32)
        cloth = fabric.sample_cloth(rng)
    elif kind == 1:
        size = np.array([rng.uniform(15, 36), rng.uniform(20, 60), rng.uniform(1, 8)])[:, None] * scale
        mesh, triangles = solids.slab(np.zeros(3), frame * size, rng.uniform(0.05, 0.9))
    else:
        path = np.linspace(-1, 1, 7)[:, None] * frame[1] * rng.uniform(50, 190) * scale
        path = path + np.outer(np.linspace(-1, 1, 7) ** 2, frame[0]) * rng.uniform(-30, 30)
        mesh, triangles = solids.tube(path, np.full((1, 1), rng.uniform(2, 12) * scale), outward, 8)
    mesh = mesh + place
    nearest = float(head.grid.clearance(head.points, face, mesh).min())
    distance = max(3.0 - nearest, 0) + rng.uniform(0, 70) * rng.random()
    mesh = (mesh + outward * distance).astype(np.float32)
    colors = solids.tinted(np.clip(fabric.sample_dye(rng), 0, 1), mesh, rng, 0.15)
    return [Surface("shape", mesh, triangles, colors, uv, cloth, gloss=float(rng.choice([0.0, 0.5, 2.0])))]
