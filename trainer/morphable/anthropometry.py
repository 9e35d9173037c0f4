"""Lengths of heads as anthropometrists take them, and what is published about people's.

Every length is between places that are fixed on the surface (triangle and barycentrics, found once on the mean head), or an
extent over a fixed patch, so that thousands of heads are measured by a few matrix products.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from trainer.contract import LANDMARK_GROUPS, LANDMARK_SETS
from trainer.morphable.face_features import TOWARDS_FACE, Surface, farthest, profile
from trainer.morphable.landmark_placement import nose_half_breadth
from trainer.morphable.model import MorphableModel


@dataclasses.dataclass(frozen=True)
class Published:
    """Mean and standard deviation of a length of adults, millimetres."""

    men: tuple[float, float]
    women: tuple[float, float]
    source: str

    @property
    def mean(self) -> float:
        """Of both sexes."""
        return (self.men[0] + self.women[0]) / 2

    @property
    def sd(self) -> float:
        """Mean of both sexes' spreads."""
        return (self.men[1] + self.women[1]) / 2


ANSUR: Final = "ANSUR II, n 4,082 / 1,986"
NIOSH: Final = "NIOSH 2003, n 3,997"
FARKAS: Final = "Farkas 1994"

PUBLISHED: Final[Mapping[str, Published]] = {
    "interpupillary distance": Published((64.0, 3.4), (61.7, 3.6), ANSUR),
    "bizygomatic breadth": Published((142.6, 6.2), (133.8, 5.6), ANSUR),
    "sellion-menton": Published((122.6, 6.7), (113.1, 6.1), ANSUR),
    "head breadth": Published((154.3, 5.5), (147.8, 5.2), ANSUR),
    "head length": Published((199.5, 7.0), (189.8, 7.4), ANSUR),
    "head circumference": Published((574, 16), (561, 19), ANSUR),
    "ear length": Published((64.2, 4.5), (59.4, 3.9), ANSUR),
    "ear breadth": Published((36.1, 3.0), (33.2, 2.8), ANSUR),
    "tragion to top of head": Published((131.1, 6.2), (126.5, 6.5), ANSUR),
    "neck circumference": Published((398, 26), (330, 19), ANSUR),
    "bigonial breadth": Published((120.4, 10.4), (110.1, 8.9), NIOSH),
    "minimum frontal breadth": Published((105.5, 5.7), (102.9, 5.4), NIOSH),
    "nose breadth": Published((36.6, 4.1), (33.2, 3.9), NIOSH),
    "nose protrusion": Published((21.1, 2.7), (19.8, 2.7), NIOSH),
    "nose root breadth": Published((16.6, 2.3), (16.3, 2.0), NIOSH),
    "sellion-subnasale": Published((52.0, 4.1), (48.2, 3.8), NIOSH),
    "mouth width": Published((51.1, 4.2), (48.0, 4.0), NIOSH),
    "eye fissure": Published((31.3, 1.2), (30.7, 1.2), FARKAS),
    "outer canthi": Published((91.2, 3.0), (87.8, 3.2), FARKAS),
}
"""RENDERED_FACES.md C6."""

TEAR_DUCT: Final = (3.8, -1.2)
"""From the inner end of the eye's opening to where the lids' skin meets beyond the tear duct: x and y, millimetres."""
BROW_CLEARANCE: Final = 8.0
"""The forehead's least breadth and the head's circumference are taken this far above the brows, millimetres."""
TEMPLE_AZIMUTH: Final = 52.0
"""Where the forehead turns into the temple: the skin faces this far to the side, degrees from the front."""
CIRCUMFERENCE_TILT: Final = 0.12
"""The plane of the circumference falls by this much for every millimetre backwards."""
NECK_DROP: Final = 32.0
"""The neck's girth is taken this far below the chin, millimetres, in a plane that rises backwards by `NECK_TILT`."""
NECK_TILT: Final = 0.5
RING: Final = 72
"""Points of a girth."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Points on a mesh: `[P]` triangles and `[P, 3]` barycentrics."""

    triangles: np.ndarray
    barycentrics: np.ndarray


@dataclasses.dataclass(frozen=True)
class Rulers:
    """How to take every length on heads of one topology."""

    triangles: np.ndarray
    """`[T, 3]`."""
    chains: Mapping[str, Place]
    """Name of a length to the points whose chain has it; two for a distance."""
    extents: Mapping[str, tuple[np.ndarray, int]]
    """Name to a patch of vertices and the axis along which it is measured."""

    @property
    def vertices(self) -> np.ndarray:
        """Indices of all vertices that any length depends on, ascending."""
        used = [self.triangles[place.triangles].ravel() for place in self.chains.values()]
        return np.unique(np.concatenate([*used, *(patch for patch, _ in self.extents.values())]))

    def measure(self, vertices: np.ndarray) -> dict[str, np.ndarray]:
        """Lengths of heads.

        Args:
            vertices: `[S, V, 3]` millimetres.

        Returns:
            Name to `[S]` millimetres, in the order of `PUBLISHED`.
        """
        lengths = {}
        for name, place in self.chains.items():
            points = np.einsum("spcd,pc->spd", vertices[:, self.triangles[place.triangles]], place.barycentrics)
            lengths[name] = np.linalg.norm(np.diff(points, axis=1), axis=-1).sum(axis=1)
        for name, (patch, axis) in self.extents.items():
            lengths[name] = np.ptp(vertices[:, patch, axis], axis=1)
        return {name: lengths[name] for name in PUBLISHED if name in lengths}


def rulers(model: MorphableModel) -> Rulers:
    """Finds the places on the mean of a whole head.

    Args:
        model: A model with the regions `skin`, `ears` and `eyeballs`, symmetric but for a trace.

    Raises:
        ValueError: If it is no whole head.
    """
    missing = sorted({"skin", "ears", "eyeballs", "teeth", "tongue", "scalp"} - set(model.regions))
    if missing:
        raise ValueError(f"lengths are taken on whole heads; the model {model.name!r} has no region {missing[0]!r}.")
    mean = model.mean.astype(np.float64)
    regions, triangles = model.regions, model.triangles
    skin = (regions["skin"] > 0.5) & (regions["ears"] < 0.05)
    outside = (regions["eyeballs"] + regions["teeth"] + regions["tongue"])[triangles].max(axis=1) == 0
    finder = _Finder(Surface(mean, triangles, outside), skin, model.landmark_points(mean, LANDMARK_SETS[0]))
    ear = np.flatnonzero((regions["ears"] > 0.5) & (mean[:, 0] > 0))
    pupils = np.flatnonzero(regions["eyeballs"] > 0.5)
    return Rulers(triangles, finder.chains(ear, pupils), finder.extents(ear, regions["scalp"] > 0.5))


class _Finder:
    """Places on the mean head."""

    def __init__(self, surface: Surface, skin: np.ndarray, landmarks: np.ndarray) -> None:
        self._surface, self._skin, self._landmarks = surface, skin, landmarks
        self._mean = surface.vertices
        base, lips = LANDMARK_GROUPS["nose_base"], LANDMARK_GROUPS["outer_lips"]
        self._tip = landmarks[LANDMARK_GROUPS["nose_bridge"][-1]]
        self._subnasale = landmarks[base[2]]
        self._lip = landmarks[lips[3], 1]
        self._chin = landmarks[LANDMARK_GROUPS["jaw"][8]]
        self._brow = landmarks[list(LANDMARK_GROUPS["right_brow"]), 1].max()
        self._sellion = self._deepest_of_the_root()

    def chains(self, ear: np.ndarray, eyeballs: np.ndarray) -> dict[str, Place]:
        eye, lips, jaw = (LANDMARK_GROUPS[name] for name in ("right_eye", "outer_lips", "jaw"))
        outer, opening = self._landmarks[eye[0]], self._landmarks[eye[3]]
        inner = self._front([[opening[0] + TEAR_DUCT[0], opening[1] + TEAR_DUCT[1]]])
        canthus = self._nearest(outer)
        wing = nose_half_breadth(self._surface, self._tip[1], self._lip)
        wing_height = (self._tip[1] + self._subnasale[1]) / 2
        root = self._root()
        temple = self._temple()
        top, bottom = ear[self._mean[ear, 1].argmax()], ear[self._mean[ear, 1].argmin()]
        pupils = [
            side[self._mean[side, 2].argmax()]
            for side in (eyeballs[self._mean[eyeballs, 0] < 0], eyeballs[self._mean[eyeballs, 0] > 0])
        ]
        chin = self._nearest(self._chin)
        sellion, subnasale, tip = (self._front([point[:2]]) for point in (self._sellion, self._subnasale, self._tip))
        return {
            "interpupillary distance": self._at_vertices(pupils),
            "sellion-menton": _joined(sellion, chin),
            "head circumference": self._girth(self._brow + BROW_CLEARANCE, CIRCUMFERENCE_TILT),
            "neck circumference": self._girth(self._chin[1] - NECK_DROP, -NECK_TILT),
            "ear length": self._at_vertices([top, bottom]),
            "bigonial breadth": self._pair(self._landmarks[jaw[4]]),
            "minimum frontal breadth": self._pair(temple),
            "nose breadth": self._front([[-wing, wing_height], [wing, wing_height]]),
            "nose protrusion": _joined(subnasale, tip),
            "nose root breadth": self._front([[-root, self._sellion[1]], [root, self._sellion[1]]]),
            "sellion-subnasale": _joined(sellion, subnasale),
            "mouth width": self._pair(self._landmarks[lips[0]]),
            "eye fissure": _joined(canthus, inner),
            "outer canthi": self._pair(outer),
        }

    def extents(self, ear: np.ndarray, scalp: np.ndarray) -> dict[str, tuple[np.ndarray, int]]:
        y, z = self._mean[:, 1], self._mean[:, 2]
        front, top = self._mean[ear, 2].max(), self._mean[ear, 1].max()
        tragion = self._landmarks[LANDMARK_GROUPS["jaw"][0]]
        middle = np.abs(self._mean[:, 0]) < 12
        cheek = self._skin & (y > tragion[1] - 30) & (y < tragion[1] + 12) & (z > front + 10)
        glabella = middle & (y < self._brow + 4) & (y > self._brow - 10) & (z > 0)
        crown = np.flatnonzero(scalp & (y > y[self._skin].max() - 8))
        patches = {
            "bizygomatic breadth": (np.flatnonzero(cheek), 0),
            "head breadth": (np.flatnonzero(self._skin & (y > top - 5)), 0),
            "head length": (np.flatnonzero(self._skin & ((scalp & (y > tragion[1])) | glabella)), 2),
            "ear breadth": (ear, 2),
            "tragion to top of head": (np.append(crown, self._vertex(tragion)), 1),
        }
        return patches

    def _deepest_of_the_root(self) -> np.ndarray:
        """`[3]` sellion: the profile's greatest indentation behind the line from the brow to the nose's tip."""
        line = profile(self._surface, 0.0, self._tip[1], self._brow)
        (low, tip), (high, brow) = line[0], line[-1]
        return np.array([0.0, *farthest(line, (brow - tip, low - high))])

    def _root(self) -> float:
        """Half the breadth of the nose's root: at the sellion's height, half as deep as the hollow beside it."""
        inner = self._landmarks[LANDMARK_GROUPS["right_eye"][3]]
        x = np.arange(inner[0], 0, 0.25)
        origins = np.stack([x, np.full_like(x, self._sellion[1]), np.zeros_like(x)], axis=1)
        depth = self._surface.meet(origins, TOWARDS_FACE, self._surface.skin).points[:, 2]
        return float(-x[(depth > (self._sellion[2] + depth.min()) / 2).argmax()])

    def _temple(self) -> np.ndarray:
        level = self._brow + BROW_CLEARANCE
        turn = np.radians(TEMPLE_AZIMUTH)
        rows = np.flatnonzero(self._skin & (np.abs(self._mean[:, 1] - level) < 5) & (self._mean[:, 0] < 0))
        return self._mean[rows[(self._mean[rows] @ [-np.sin(turn), 0, np.cos(turn)]).argmax()]]

    def _girth(self, height: float, fall: float) -> Place:
        """A closed chain around the head at `height` in front, in a plane that falls by `fall` backwards."""
        rows, weights = [], []
        center = self._mean[self._skin & (np.abs(self._mean[:, 1] - height) < 20)].mean(axis=0)
        skin = self._skin[self._surface.triangles].all(axis=1)
        for turn in 2 * np.pi * np.arange(RING + 1) / RING:
            outward = np.array([np.sin(turn), 0.0, np.cos(turn)])
            outward[1] = fall * outward[2]
            origin = np.array([0.0, height + fall * center[2], center[2]])
            hits = self._surface.meet(origin[None], outward / np.linalg.norm(outward), skin, last=True)
            rows.append(hits.triangles[0])
            weights.append(hits.barycentrics[0])
        return Place(np.array(rows), np.array(weights))

    def _front(self, places: Sequence[ArrayLike]) -> Place:
        """Points of the skin seen from the front at x and y."""
        origins = np.concatenate([np.asarray(places, np.float64), np.zeros((len(places), 1))], axis=1)
        hits = self._surface.meet(origins, TOWARDS_FACE, self._surface.skin)
        return Place(hits.triangles, hits.barycentrics)

    def _pair(self, point: np.ndarray) -> Place:
        """The vertices nearest to a point and to its mirror image."""
        return _joined(self._nearest(point), self._nearest(point * [-1, 1, 1]))

    def _nearest(self, point: np.ndarray) -> Place:
        return self._at_vertices([self._vertex(point)])

    def _vertex(self, point: np.ndarray) -> int:
        used = np.unique(self._surface.triangles[self._surface.skin])
        return int(used[np.linalg.norm(self._mean[used] - point, axis=1).argmin()])

    def _at_vertices(self, indices: list[int]) -> Place:
        rows = [int((self._surface.triangles == index).any(axis=1).argmax()) for index in indices]
        return Place(np.array(rows), (self._surface.triangles[rows] == np.asarray(indices)[:, None]).astype(float))


def _joined(*places: Place) -> Place:
    return Place(
        np.concatenate([place.triangles for place in places]),
        np.concatenate([place.barycentrics for place in places]),
    )
