"""Named regions of the default head: weights per vertex from mask pictures, parts, landmarks and the shape of the skull."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable import makehuman
from trainer.morphable.head_mesh import EYES, PARTS, TEETH, HeadMesh
from trainer.morphable.paint import average_corners

MASKS: Final = {"face": "face", "ears": "ears", "lips": "lips", "eyelids": "eyelids", "mouth_interior": "inside-mouth"}
"""Region to MakeHuman's mask picture."""

NEAR_LANDMARKS: Final = {
    "eyes": (("right_eye", "left_eye"), 8.0),
    "nose": (("nose_bridge", "nose_base"), 10.0),
    "mouth": (("outer_lips", "inner_lips"), 8.0),
    "jaw": (("jaw",), 14.0),
}
"""Region to the landmark groups around which it lies and the distance up to which its weight is 1; 0 at twice that."""

BROW_DEPTH: Final = -30.0
"""Brows grow in front of this, millimetres in the model frame."""

AXIS_DEPTH: Final = -80.0
"""Azimuths below are around the vertical line x = 0 at this z: 0 is the face's front, 90 an ear, 180 the back of the head."""
HAIRLINE: Final = (
    (0, 106),
    (20, 108),
    (38, 103),
    (52, 84),
    (62, 62),
    (72, 48),
    (79, 28),
    (87, 28),
    (92, 48),
    (100, 30),
    (112, -8),
    (130, -30),
    (155, -46),
    (180, -50),
)
"""Azimuth, degrees, and height in the model frame, millimetres, above which hair grows."""
BEARD_TOP: Final = (
    (0, -14),
    (16, -14),
    (24, -23),
    (33, -32),
    (45, -30),
    (58, -16),
    (70, 8),
    (78, 26),
    (86, 26),
    (90, -10),
)
"""The same for the height below which a beard grows: nose base, moustache, hollow of the cheek, sideburn."""
BEARD_END: Final = (88.0, 97.0)
"""Azimuths between which a beard thins out towards the neck's back."""
HAIR_SOFTNESS: Final = 14.0
"""Width of a hairline, millimetres."""
BEARD_DROP: Final = (14.0, 42.0)
"""A beard thins out between these distances below the underside of the jaw, millimetres."""

NECK_TILT: Final = 0.5
"""Planes across the neck fall by this many millimetres for every millimetre forwards."""
NECK_SPAN: Final = (14.0, 82.0)
"""The neck turns between these distances below the plane through the chin, millimetres."""

CHEEK_REACH: Final = (16.0, 30.0)
"""A cheek is 1 up to the first distance from its middle and 0 beyond the second, millimetres."""


def pictured(mesh: HeadMesh, masks: Path) -> dict[str, np.ndarray]:
    """`face`, `ears`, `lips`, `eyelids` and `mouth_interior`, `[V]` in [0, 1], from MakeHuman's `masks`."""
    body = mesh.part == PARTS.index(makehuman.BODY)
    found = {}
    for region, name in MASKS.items():
        picture = makehuman.read_picture(masks / f"{name}.png")
        sampled = makehuman.sample_picture(picture, mesh.corner_uv)
        found[region] = np.where(body, average_corners(sampled, mesh.corner_vertex, len(mesh.uv))[:, 0], 0)
    return found


def regions(
    mesh: HeadMesh, seen: Mapping[str, np.ndarray], vertices: np.ndarray, landmarks: np.ndarray
) -> dict[str, np.ndarray]:
    """Named weights of the mesh.

    Args:
        mesh: The head.
        seen: Those that pictures tell, by `pictured`.
        vertices: `[V, 3]` mean head, millimetres, model frame.
        landmarks: `[68, 3]` its `basel` landmarks.

    Returns:
        Name to `[V]` in [0, 1]: `face`, `ears`, `lips`, `eyelids`, `mouth_interior`, `eyeballs`, `teeth`, `tongue`, `skin`,
        `neck`, `eyes`, `nose`, `mouth`, `jaw`; `body`, 0 on the skull and 1 from the base of the neck on; `scalp` and
        `beard`, where hair grows; `cheeks`.
    """
    body = mesh.part == PARTS.index(makehuman.BODY)
    found = dict(seen)
    found["eyeballs"] = np.isin(mesh.part, [PARTS.index(name) for name in EYES])
    found["teeth"] = np.isin(mesh.part, [PARTS.index(name) for name in TEETH])
    found["tongue"] = mesh.part == PARTS.index(makehuman.TONGUE)
    found["skin"] = body * (1 - found["mouth_interior"])
    jaw = LANDMARK_GROUPS["jaw"]
    chin = landmarks[jaw[len(jaw) // 2]]
    behind = np.maximum(chin[2] - 25 - vertices[:, 2], 0)
    found["neck"] = found["skin"] * np.clip((chin[1] + 0.5 * behind - vertices[:, 1]) / 15, 0, 1)
    for region, (groups, reach) in NEAR_LANDMARKS.items():
        points = landmarks[[at for group in groups for at in LANDMARK_GROUPS[group]]]
        distance = np.linalg.norm(vertices[:, None] - points[None], axis=-1).min(axis=1)
        found[region] = found["skin"] * np.clip(2 - distance / reach, 0, 1)
    found["body"] = body * neck_motion(vertices, chin)
    found["scalp"] = found["skin"] * (1 - found["ears"]) * scalp(vertices)
    found["beard"] = found["skin"] * (1 - found["ears"]) * (1 - found["lips"]) * beard(vertices, chin)
    found["cheeks"] = found["skin"] * cheeks(vertices, landmarks)
    return {name: np.clip(np.asarray(value, np.float64), 0, 1) for name, value in found.items()}


def front_skin(regions_of: dict[str, np.ndarray], vertices: np.ndarray) -> np.ndarray:
    """`[V]` bool: skin of the face's front, where brows may be painted."""
    return (regions_of["skin"] > 0.5) & (vertices[:, 2] > BROW_DEPTH)


def scalp(vertices: np.ndarray) -> np.ndarray:
    """`[V]` 1 above the hairline of a head `[V, 3]`, softly 0 below."""
    height = np.interp(_azimuth(vertices), *np.array(HAIRLINE, float).T)
    return _smooth((vertices[:, 1] - height) / HAIR_SOFTNESS + 0.5)


def beard(vertices: np.ndarray, chin: np.ndarray) -> np.ndarray:
    """`[V]` 1 where men's beards grow: moustache, cheeks, chin and the underside of the jaw.

    Args:
        vertices: `[V, 3]` mean head, millimetres, model frame.
        chin: `[3]`.
    """
    azimuth = _azimuth(vertices)
    below_cheek = _smooth((np.interp(azimuth, *np.array(BEARD_TOP, float).T) - vertices[:, 1]) / HAIR_SOFTNESS + 0.5)
    in_front = 1 - _smooth((azimuth - BEARD_END[0]) / (BEARD_END[1] - BEARD_END[0]))
    drop = _below_chin(vertices, chin)
    return below_cheek * in_front * (1 - _smooth((drop - BEARD_DROP[0]) / (BEARD_DROP[1] - BEARD_DROP[0])))


def neck_motion(vertices: np.ndarray, chin: np.ndarray) -> np.ndarray:
    """`[V]` how far a vertex stays with the shoulders when the head turns: 0 above the jaw, 1 at the base of the neck.

    Args:
        vertices: `[V, 3]` mean head, millimetres, model frame.
        chin: `[3]`.
    """
    return _smooth((_below_chin(vertices, chin) - NECK_SPAN[0]) / (NECK_SPAN[1] - NECK_SPAN[0]))


def cheeks(vertices: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """`[V]` 1 on the fullness of both cheeks, between eye, nose, mouth and ear; `landmarks` `[68, 3]` are `basel`."""
    jaw, eyes, lips = (LANDMARK_GROUPS[name] for name in ("jaw", "right_eye", "outer_lips"))
    nearest = np.full(len(vertices), np.inf)
    for side in (1, -1):
        middle = (landmarks[eyes[0]] + landmarks[lips[0]]) / 2 * 0.88 + landmarks[jaw[1]] * 0.12
        nearest = np.minimum(nearest, np.linalg.norm(vertices - middle * [side, 1, 1], axis=1))
    return 1 - _smooth((nearest - CHEEK_REACH[0]) / (CHEEK_REACH[1] - CHEEK_REACH[0]))


def _below_chin(vertices: np.ndarray, chin: np.ndarray) -> np.ndarray:
    """Distance below a plane through the chin that rises towards the nape, millimetres."""
    fall = chin[1] - vertices[:, 1] + NECK_TILT * (chin[2] - vertices[:, 2])
    return fall / np.hypot(1, NECK_TILT)


def _azimuth(vertices: np.ndarray) -> np.ndarray:
    """`[V]` degrees from the front, 0 to 180."""
    return np.degrees(np.arctan2(np.abs(vertices[:, 0]), vertices[:, 2] - AXIS_DEPTH))


def _smooth(value: np.ndarray) -> np.ndarray:
    """Smooth step from 0 at 0 to 1 at 1."""
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)
