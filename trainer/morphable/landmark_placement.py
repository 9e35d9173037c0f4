"""Where the landmarks of a head sit: definitions in terms of what is seen, laid onto the outer skin.

`basel` is the set that fits of the Basel Face Model to photographs mean (AFLW2000-3D, 300W-LP): brows along the hair's upper
edge, lids and lips along their visible edges, the jaw along the mandible from the ear to the chin. `outline` shares its inner
points; its jaw runs along the contour of the face that is seen from the front. Every point is where a line of sight meets
the skin, so none lies beneath it. Only the right side (x < 0) is defined, the left is its mirror image.
"""

import dataclasses
from collections.abc import Mapping
from typing import Final

import numpy as np
import scipy.ndimage
import scipy.spatial

from trainer.contract import LANDMARK_COUNT, LANDMARK_FLIP, LANDMARK_GROUPS, LANDMARK_SETS
from trainer.morphable.face_features import TOWARDS_FACE, Band, Surface, farthest, profile
from trainer.morphable.model import LandmarkSet
from trainer.morphable.surface_rays import Hits

MARGIN: Final = 0.4
"""How far beyond the eye's opening and the lips' edges the skin is taken, millimetres."""

BROW_TOP: Final = (14.5, 20.5, 23.3, 22.7, 19.8)
"""Height of the brow's upper edge above the line through the corners of the eye, from its outer to its inner end, millimetres."""
BROW_OVERHANG: Final = 14.0
"""How far the brow reaches out beyond the eye's outer corner, millimetres; it starts above the inner corner."""

RIDGE: Final = (0.0, 0.35, 0.7, 1.0)
"""The nose ridge's points in parts of the way down to the tip: evenly along the bridge, then the shorter ball of the tip."""
BRIDGE_RISE: Final = 1.0
"""The nose ridge's first point lies this far above the inner corners of the eyes, millimetres."""
NOSTRIL_REACH: Final = 0.68
"""The nose base's outer points in parts of half the nose's breadth: where the wing meets the lip."""
CREASE: Final = (0.7071, -0.7071)
"""Direction (y, z) in which the corner between nose and lip lies farthest: where the surface turns through 45 degrees."""

PEAK_WINDOW: Final = (0.14, 0.40)
"""The lip's peak is sought between these parts of the mouth's half width."""
INNER_CORNER: Final = 0.09
"""The lips' inner corners in parts of the mouth's half width from the outer ones."""
INNER_EDGE: Final = 1.2
"""The lips' inner edges lie this far from the line where they meet, millimetres."""

MENTON: Final = (-0.94, 0.34)
"""Direction (y, z) in which the chin's point lies farthest: below, seen with the head tipped back by 20 degrees."""
TRAGION_HEIGHT: Final = 0.70
"""Where the ear's front joins the head, in parts of the ear's height from below."""
EAR_GAP: Final = 1.5
"""The jaw's first point lies this far in front of the ear, millimetres."""
GONION_DROP: Final = 0.30
"""Height of the jaw's angle, in parts from the mouth's corner down to the chin."""
GONION_DEPTH: Final = 0.22
"""Its depth, in parts from the tragion forward to the chin."""
RAMUS_BEND: Final = 3.0
"""Power with which the line from the tragion to the jaw's angle bends forward: straight down first, most at the end."""
EDGE_AZIMUTH: Final = (72.0, 58.0, 42.0)
"""From where one looks at the three points of the mandible's edge, degrees from the front to the side."""
EDGE_ELEVATION: Final = -38.0
"""The same, degrees from below."""
CHIN_LENGTH: Final = 40.0
"""The chin reaches back this far from its foremost point, millimetres."""
FROM_THE_SIDE: Final = np.array([1.0, 0.0, 0.0])

OUTLINE_TOP: Final = -1.0
"""The outline's ends lie this far above the line through the eyes' corners, millimetres: annotators begin just below (the mean of
iBUG annotation over LFW, OpenFace's alignment template: 0.5 % of the face's width)."""
OUTLINE_CENTER: Final = 10.0
"""Height around which the outline turns, millimetres."""
OUTLINE_SMOOTHING: Final = 0.25
"""The contour's depth jumps from vertex to vertex; its median over this part of its length is taken."""
UNDERSIDE_SLOPE: Final = 0.5
"""The underside of the jaw rises by this much for every millimetre backwards from the chin."""
WING_STEP: Final = 0.25
WING_SLOPE: Final = 1.0
"""Where, coming from the cheek in steps of this many millimetres, the surface first rises this steeply, the nose begins."""
NOSE_WIDTH: Final = 28.0
"""The nose is sought up to this far from the middle, millimetres."""


@dataclasses.dataclass(frozen=True)
class Features:
    """What landmarks are defined by, of the right side."""

    eye: Band
    """The eye's opening."""
    lips: Band
    """The red of both lips, to x = 0."""
    ears: np.ndarray
    """`[V]` weight of the ears."""

    @property
    def corners(self) -> tuple[np.ndarray, np.ndarray]:
        """`[2]` x and y of the eye's outer and inner corner."""
        middle = (self.eye.top + self.eye.bottom) / 2
        return np.array([self.eye.x[0], middle[0]]), np.array([self.eye.x[-1], middle[-1]])


@dataclasses.dataclass(frozen=True)
class Sight:
    """A line of sight: the landmark is where it first meets the skin."""

    point: np.ndarray
    """`[3]` anywhere on it, millimetres."""
    direction: np.ndarray
    """`[3]` unit vector in which one looks."""


def place(surface: Surface, features: Features) -> dict[str, LandmarkSet]:
    """Both landmark sets.

    Args:
        surface: A head symmetric about x = 0, millimetres, model frame.
        features: Measured on it.

    Raises:
        ValueError: If a landmark's line of sight meets no skin.
    """
    inner = _inner_points(surface, features)
    jaws = _mandible(surface, features), _outline(surface, features)
    return {name: _placed(surface, inner | jaw) for name, jaw in zip(LANDMARK_SETS, jaws, strict=True)}


def _inner_points(surface: Surface, features: Features) -> dict[int, Sight]:
    """Lines of sight of brows, nose, eyes and lips: all from the front."""
    outer, inner = features.corners
    places: dict[int, tuple[float, float]] = {}
    brow = np.linspace(outer[0] - BROW_OVERHANG, inner[0], len(BROW_TOP))
    for index, x, rise in zip(LANDMARK_GROUPS["right_brow"], brow, BROW_TOP, strict=True):
        places[index] = (x, (outer[1] + inner[1]) / 2 + rise)
    places |= _eye(features) | _lips(features.lips)
    places |= _nose(surface, features, inner[1] + BRIDGE_RISE)
    return {index: Sight(np.array([*place, 0.0]), TOWARDS_FACE) for index, place in places.items()}


def _eye(features: Features) -> dict[int, tuple[float, float]]:
    """Corners just outside the opening, lids at thirds of their length."""
    (outer_x, outer_y), (inner_x, inner_y) = features.corners
    group = LANDMARK_GROUPS["right_eye"]
    places = {group[0]: (outer_x - MARGIN, outer_y), group[3]: (inner_x + MARGIN, inner_y)}
    upper = features.eye.along("top", outer_x, inner_x, 3)
    lower = features.eye.along("bottom", outer_x, inner_x, 3)
    places |= {index: (x, y + MARGIN) for index, (x, y) in zip(group[1:3], upper, strict=True)}
    places |= {index: (x, y - MARGIN) for index, (x, y) in zip((group[5], group[4]), lower, strict=True)}
    return places


def _lips(lips: Band) -> dict[int, tuple[float, float]]:
    """Outer contour with the upper lip's peaks, inner edges on both sides of the line where the lips meet."""
    outer, inner = LANDMARK_GROUPS["outer_lips"], LANDMARK_GROUPS["inner_lips"]
    corner = lips.x[0]
    window = (lips.x <= PEAK_WINDOW[0] * corner) & (lips.x >= PEAK_WINDOW[1] * corner)
    peak = lips.x[window][lips.top[window].argmax()]
    places = {
        outer[0]: (corner - MARGIN, lips.at("fold", corner)),
        outer[1]: lips.along("top", corner, peak, 2)[0],
        outer[2]: (peak, lips.at("top", peak)),
        outer[3]: (0.0, lips.at("top", 0.0)),
        outer[9]: (0.0, lips.at("bottom", 0.0)),
    }
    places |= dict(zip(outer[10:12], lips.along("bottom", 0.0, corner, 3), strict=True))
    inside = (1 - INNER_CORNER) * corner
    places[inner[0]] = (inside, lips.at("fold", inside))
    for index, x, side in ((1, inside / 3, 1), (2, 0.0, 1), (6, 0.0, -1), (7, inside / 3, -1)):
        places[inner[index]] = (x, lips.at("fold", x) + side * INNER_EDGE)
    return places


def _nose(surface: Surface, features: Features, top: float) -> dict[int, tuple[float, float]]:
    """Ridge from the eyes' height to the tip; base along the crease between nose and lip."""
    bridge, base = LANDMARK_GROUPS["nose_bridge"], LANDMARK_GROUPS["nose_base"]
    lip = features.lips.at("top", 0.0)
    tip = farthest(profile(surface, 0.0, lip, top), (0.0, 1.0))
    places = {index: (0.0, top + part * (tip[0] - top)) for index, part in zip(bridge, RIDGE, strict=True)}
    reach = NOSTRIL_REACH * nose_half_breadth(surface, tip[0], lip)
    heights = []
    for x in (-reach, 0.0):
        line = profile(surface, x, lip, tip[0])
        heights.append(farthest(line, CREASE)[0])
    for index, part in zip(base[:3], (0.0, 0.5, 1.0), strict=True):
        places[index] = ((part - 1) * reach, heights[0] + part * (heights[1] - heights[0]))
    return places


def nose_half_breadth(surface: Surface, tip: float, lip: float) -> float:
    """Distance of the nose wing's outer edge from the middle, millimetres.

    Args:
        surface: The head.
        tip: Height of the nose tip, millimetres.
        lip: Height of the upper lip's edge.
    """
    y = np.linspace(tip - 0.55 * (tip - lip), tip, 15)
    x = np.arange(-NOSE_WIDTH, 0, WING_STEP)
    widest = 0.0
    for height in y:
        origins = np.stack([x, np.full_like(x, height), np.zeros_like(x)], axis=1)
        hits = surface.meet(origins, TOWARDS_FACE, surface.skin & surface.within((-NOSE_WIDTH, height), (0, height)))
        slope = np.diff(hits.points[:, 2]) / WING_STEP
        steep = np.flatnonzero(slope > WING_SLOPE)
        widest = max(widest, -x[steep[0]] if len(steep) else 0.0)
    return widest


def _chin(surface: Surface, features: Features) -> np.ndarray:
    """`[3]` menton."""
    low = features.lips.at("bottom", 0.0)
    middle = surface.vertices[(np.abs(surface.vertices[:, 0]) < 1e-3) & (surface.vertices[:, 1] < low)]
    front = middle[middle[:, 2] > middle[:, 2].max() - CHIN_LENGTH]
    return front[(front[:, 1:] @ np.asarray(MENTON)).argmax()]


def _mandible(surface: Surface, features: Features) -> dict[int, Sight]:
    """Jaw points: from the ear down to the jaw's angle, then along the edge to the chin, each half evenly divided."""
    jaw = LANDMARK_GROUPS["jaw"]
    chin = _chin(surface, features)
    ear = surface.vertices[(features.ears > 0.5) & (surface.vertices[:, 0] < 0)]
    low, high = ear[:, 1].min(), ear[:, 1].max()
    height = low + TRAGION_HEIGHT * (high - low)
    tragion = np.array([0.0, height, ear[np.abs(ear[:, 1] - height) < 4, 2].max() + EAR_GAP])
    mouth = features.lips.at("fold", features.lips.x[0])
    angle = np.array([0.0, mouth + GONION_DROP * (chin[1] - mouth), tragion[2] + GONION_DEPTH * (chin[2] - tragion[2])])
    sights = {}
    for index, part in zip(jaw[:5], np.linspace(0, 1, 5), strict=True):
        bent = np.array([part, part, part**RAMUS_BEND])
        sights[index] = Sight(tragion + bent * (angle - tragion), FROM_THE_SIDE)
    corner = _meet(surface, sights[jaw[4]]).points[0]
    for index, part, azimuth in zip(jaw[5:8], np.linspace(0, 1, 5)[1:-1], np.radians(EDGE_AZIMUTH), strict=True):
        level, down = np.cos(np.radians(EDGE_ELEVATION)), np.sin(np.radians(EDGE_ELEVATION))
        viewer = np.array([-np.sin(azimuth) * level, down, np.cos(azimuth) * level])
        sights[index] = Sight(corner + part * (chin - corner), -viewer)
    sights[jaw[8]] = Sight(chin, np.array([0.0, *MENTON]) / -np.hypot(*MENTON))
    return sights


def _outline(surface: Surface, features: Features) -> dict[int, Sight]:
    """Jaw points evenly spaced along the contour of the face, without ears and neck, that is seen from the front."""
    jaw = LANDMARK_GROUPS["jaw"][8::-1]
    outer, inner = features.corners
    chin = _chin(surface, features)
    face = surface.vertices[np.unique(surface.triangles[surface.skin])]
    underside = chin[1] + UNDERSIDE_SLOPE * (chin[2] - face[:, 2]) - 3
    ear = surface.vertices[features.ears > 0.5, 2].max() + EAR_GAP
    face = face[(face[:, 1] > underside) & (face[:, 2] > ear) & (face[:, 0] <= 1e-6)]
    around = np.concatenate([face, face * [-1, 1, 1]])
    rim = around[scipy.spatial.ConvexHull(around[:, :2]).vertices]
    rim = rim[rim[:, 0] <= 0]
    rim = rim[np.argsort(np.arctan2(-rim[:, 0], rim[:, 1] - OUTLINE_CENTER))[::-1]]
    rim = np.concatenate([[rim[0] * [0, 1, 1]], rim])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(rim[:, :2], axis=0), axis=1))])
    dense = np.linspace(0, length[-1], 2000)
    curve = np.stack([np.interp(dense, length, rim[:, axis]) for axis in range(3)], axis=1)
    curve[:, 2] = scipy.ndimage.median_filter(curve[:, 2], int(OUTLINE_SMOOTHING * len(curve)), mode="nearest")
    end = int((curve[:, 1] > (outer[1] + inner[1]) / 2 + OUTLINE_TOP).argmax())
    sights = {}
    for index, at in zip(jaw, np.linspace(0, end, len(jaw)).astype(int), strict=True):
        along = curve[min(at + 20, len(curve) - 1)] - curve[max(at - 20, 0)]
        inward = np.array([along[1], -along[0], 0.0]) if at else np.array([0.0, 1.0, 0.0])
        sights[index] = Sight(curve[at], inward / np.linalg.norm(inward))
    return sights


def _meet(surface: Surface, sight: Sight) -> Hits:
    """Where a line of sight first meets the skin."""
    return surface.meet(sight.point[None], sight.direction, surface.skin)


def _placed(surface: Surface, sights: Mapping[int, Sight]) -> LandmarkSet:
    """The right side's lines of sight and their mirror images as points of the mesh."""
    flip = np.array([-1, 1, 1])
    rows, weights = np.zeros(LANDMARK_COUNT, np.int32), np.zeros((LANDMARK_COUNT, 3), np.float32)
    for index, sight in sights.items():
        for number, side in {LANDMARK_FLIP[index]: flip, index: np.ones(3)}.items():
            hits = _meet(surface, Sight(sight.point * side, sight.direction * side))
            if hits.triangles[0] < 0:
                raise ValueError(f"landmark {number} finds no skin on its line of sight through {sight.point * side}.")
            rounded = np.round(np.clip(hits.barycentrics[0], 0, 1), 3)
            rows[number], weights[number] = hits.triangles[0], rounded / rounded.sum()
    return LandmarkSet(rows, weights)
