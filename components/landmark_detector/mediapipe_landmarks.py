"""Faces of a photo and their 68 landmarks, by MediaPipe's bundled networks: no download, no network access.

MediaPipe's face mesh alone wants a face that fills much of the picture. So faces are located first: the short-range
detector on the padded picture (close-ups, profiles), the full-range one on the whole picture unless the first saw a face too
large to have a larger one beside it, and, where both see nothing or every face is wanted, the full-range one on overlapping
tiles. The mesh then runs on a crop around each.
"""

import contextlib
import math
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image

from trainer import contract
from trainer.imaging import alignment

CLOSE_UP_PADDING: Final = 0.25
"""Border for the short-range detector, fraction of the longer side: it misses faces cut by the picture's edge."""

TILINGS: Final = (2, 4)
"""Tiles along the longer side, tried in this order."""

SMALLEST_TILE: Final = 128
"""Photos are not cut into tiles smaller than this, pixels: what they show was seen before, not much smaller."""

TILE_OVERLAP: Final = 0.5
"""Fraction of a tile that its neighbour repeats, so that a face smaller than half a tile lies whole in one of them."""

CROP_MARGINS: Final = (0.75, 0.35, 1.5)
"""Margins around a located face, fractions of its longer side, tried until the mesh takes hold."""

LOCATOR_SIZES: Final = (128, 384)
"""Longer side of what the short-range and the full-range detector are given, pixels. Their networks see 128 and 192; the second
takes fewer things for faces where MediaPipe does the reducing."""

CROP_SIZE: Final = 384
"""Side of what the mesh is given, pixels; it reduces this to 128 to look for the face, which it then cuts out at 192."""

LARGE_FACE: Final = 0.35
"""A face whose box is as long as this part of the photo's longer side is taken for the largest without a second look."""

SAME_FACE_OVERLAP: Final = 0.3
"""Intersection over union above which two boxes are one face."""

_SHORT_RANGE, _FULL_RANGE = 0, 1
_STANDARD_ERROR: Final = 2
_QUIET_LOCK = threading.Lock()


class DetectedFace(NamedTuple):
    """A face in a photo."""

    points: np.ndarray
    """`[68, 3]` float32 image frame, pixels; z in the same scale, 0 midway between the eyes' and the mouth's centres."""
    box: np.ndarray
    """`[4]` float32 x0, y0, x1, y1, the tight box of the 68 points."""
    confidence: float
    """Score of the face detector, 0 to 1; at a marked place where it saw none, the least that the mesh asks for."""


class LandmarkDetector:
    """Finds faces and their landmarks. One instance serves one thread; `close` frees its graphs."""

    def __init__(self, min_confidence: float = 0.5, every_face: bool = False):
        """Loads the networks.

        Args:
            min_confidence: Score that a detector must give, 0 to 1.
            every_face: Search the tiles for small faces even where a larger one was found: ten times slower.
        """
        self._every_face = every_face
        self._min_confidence = min_confidence
        with quiet_logs():
            from mediapipe.python.solutions import face_detection, face_mesh

            self._locators = tuple(
                face_detection.FaceDetection(min_detection_confidence=min_confidence, model_selection=model)
                for model in (_SHORT_RANGE, _FULL_RANGE)
            )
            self._mesh = face_mesh.FaceMesh(
                static_image_mode=True,
                max_num_faces=1,
                refine_landmarks=True,
                min_detection_confidence=min_confidence,
                min_tracking_confidence=min_confidence,
            )
            # Networks are loaded by the first picture, and only then do they write to standard error.
            blank = np.zeros((CROP_SIZE, CROP_SIZE, 3), np.uint8)
            for graph in (*self._locators, self._mesh):
                run_graph(graph, blank)

    def close(self) -> None:
        """Frees the graphs; the instance is of no use afterwards."""
        for graph in (*self._locators, self._mesh):
            graph.close()

    def detect(self, image: np.ndarray) -> list[DetectedFace]:
        """Finds faces.

        Args:
            image: `[H, W, 3]` uint8, sRGB.

        Returns:
            Faces, the largest first; empty if there is none.
        """
        faces: list[DetectedFace] = []
        for box, score in self._locate(image):
            points = self._landmarks(image, box)
            if points is None:
                continue
            face = DetectedFace(points, alignment.landmark_box(points), score)
            if all(_overlap(face.box, other.box) < SAME_FACE_OVERLAP for other in faces):
                faces.append(face)
        return sorted(faces, key=lambda face: -_area(face.box))

    def detect_at(self, image: np.ndarray, box: np.ndarray) -> DetectedFace | None:
        """The face at a place that somebody has marked.

        Args:
            image: `[H, W, 3]` uint8, sRGB.
            box: `[4]` x0, y0, x1, y1, pixels, about the face.

        Returns:
            The found face that overlaps most with the box, else what the mesh takes for a face there; None if it takes nothing.
        """
        faces = [face for face in self.detect(image) if _overlap(face.box, box) >= SAME_FACE_OVERLAP]
        if faces:
            return max(faces, key=lambda face: _overlap(face.box, box))
        points = self._landmarks(image, np.asarray(box, np.float32))
        if points is None or _overlap(alignment.landmark_box(points), box) < SAME_FACE_OVERLAP:
            return None
        return DetectedFace(points, alignment.landmark_box(points), self._min_confidence)

    def _locate(self, image: np.ndarray) -> list[tuple[np.ndarray, float]]:
        """Boxes of likely faces with their scores, best first, one a face."""
        height, width = image.shape[:2]
        whole = np.array([0, 0, width, height], np.float32)
        padding = CLOSE_UP_PADDING * max(height, width)
        padded = whole + np.array([-padding, -padding, padding, padding], np.float32)
        found = self._detections(image, padded, _SHORT_RANGE)
        if self._every_face or not any(_side(box) >= LARGE_FACE * max(height, width) for box, _ in found):
            found += self._detections(image, whole, _FULL_RANGE)
        for count in TILINGS:
            if (found and not self._every_face) or max(height, width) < count * SMALLEST_TILE:
                break
            for tile in _tiles(height, width, count):
                found += self._detections(image, tile, _FULL_RANGE)
        kept: list[tuple[np.ndarray, float]] = []
        for box, score in sorted(found, key=lambda item: -item[1]):
            if all(_overlap(box, other) < SAME_FACE_OVERLAP for other, _ in kept):
                kept.append((box, score))
        return kept

    def _detections(self, image: np.ndarray, window: np.ndarray, model: int) -> list[tuple[np.ndarray, float]]:
        """Faces that a detector sees in a window of the image: boxes in image pixels, scores."""
        x0, y0, x1, y1 = window
        result = run_graph(self._locators[model], _cut(image, window, LOCATOR_SIZES[model]))
        detections = []
        for detection in result.detections or ():
            relative = detection.location_data.relative_bounding_box
            left, top = x0 + relative.xmin * (x1 - x0), y0 + relative.ymin * (y1 - y0)
            right, bottom = left + relative.width * (x1 - x0), top + relative.height * (y1 - y0)
            detections.append((np.array([left, top, right, bottom], np.float32), float(detection.score[0])))
        return detections

    def _landmarks(self, image: np.ndarray, box: np.ndarray) -> np.ndarray | None:
        """The 68 points of the face at a box, `[68, 3]` image frame, or None if the mesh finds no face there."""
        center = (box[:2] + box[2:]) / 2
        for margin in CROP_MARGINS:
            transform = alignment.crop_transform(box, margin, CROP_SIZE)
            corners = np.array([[0.0, 0.0], [CROP_SIZE, CROP_SIZE]])
            window = alignment.from_crop(corners, transform).reshape(-1)
            result = run_graph(self._mesh, _cut(image, window, CROP_SIZE))
            for mesh in result.multi_face_landmarks or ():
                chosen = [mesh.landmark[index] for index in contract.MEDIAPIPE_TO_IBUG68]
                points = np.array([(point.x, point.y, point.z) for point in chosen], np.float64) * CROP_SIZE
                points[:, 2] -= _origin_depth(points)
                points = alignment.from_crop(points, transform).astype(np.float32)
                if (points[:, :2].min(0) < center).all() and (center < points[:, :2].max(0)).all():
                    return points
        return None


def _origin_depth(points: np.ndarray) -> float:
    """Z of the model frame's origin, midway between the eyes' and the mouth's centres, in MediaPipe's depths."""
    eyes = points[list(contract.LANDMARK_GROUPS["right_eye"] + contract.LANDMARK_GROUPS["left_eye"]), 2].mean()
    mouth = points[list(contract.LANDMARK_GROUPS["outer_lips"]), 2].mean()
    return float((eyes + mouth) / 2)


def run_graph(graph: Any, image: np.ndarray) -> Any:
    """A graph's result. Protobuf's warning about a function that MediaPipe calls is not for users."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"SymbolDatabase\.GetPrototype", category=UserWarning)
        return graph.process(image)


def _cut(image: np.ndarray, window: np.ndarray, longer_side: int) -> np.ndarray:
    """A window of the image, anti-aliased, black outside the image, `longer_side` pixels along its longer side."""
    x0, y0, x1, y1 = (float(value) for value in window)
    factor = longer_side / max(x1 - x0, y1 - y0)
    width, height = max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor))
    columns, source_x = _covered(x0, (x1 - x0) / width, width, image.shape[1])
    rows, source_y = _covered(y0, (y1 - y0) / height, height, image.shape[0])
    result = np.zeros((height, width, 3), np.uint8)
    size = columns.stop - columns.start, rows.stop - rows.start
    if min(size) > 0:
        box = source_x[0], source_y[0], source_x[1], source_y[1]
        result[rows, columns] = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, box, reducing_gap=2.0)
    return result


def _covered(start: float, step: float, count: int, length: int) -> tuple[slice, tuple[float, float]]:
    """Which of `count` output pixels, each `step` image pixels wide from `start` on, lie in an image of that length.

    Returns:
        The output pixels, and the interval of the image that they show.
    """
    first = min(max(math.ceil(-start / step - 1e-6), 0), count)
    last = max(min(math.floor((length - start) / step + 1e-6), count), first)
    return slice(first, last), (max(start + first * step, 0.0), min(start + last * step, float(length)))


def _tiles(height: int, width: int, count: int) -> Iterator[np.ndarray]:
    """Overlapping square windows, `count` of which, side by side, would span the longer side."""
    side = min(max(height, width) / count * (1 + TILE_OVERLAP / 2), max(height, width))
    for y in _starts(height, side):
        for x in _starts(width, side):
            yield np.array([x, y, x + side, y + side], np.float32)


def _starts(length: int, side: float) -> np.ndarray:
    """Where tiles begin along one axis so that neighbours overlap by at least `TILE_OVERLAP`."""
    if length <= side:
        return np.array([(length - side) / 2])
    return np.linspace(0, length - side, math.ceil((length - side) / (side * (1 - TILE_OVERLAP))) + 1)


def _side(box: np.ndarray) -> float:
    """Longer side of a box, pixels."""
    return float(max(box[2] - box[0], box[3] - box[1]))


def _area(box: np.ndarray) -> float:
    return float(max(box[2] - box[0], 0) * max(box[3] - box[1], 0))


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    common = _area(np.concatenate([np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])]))
    return common / max(_area(one) + _area(other) - common, 1e-6)


@contextlib.contextmanager
def quiet_logs() -> Iterator[None]:
    """Keeps MediaPipe's C++ code from writing to standard error while it loads: it asks no logger for leave.

    The process's standard error is away for that moment, a tenth of a second once MediaPipe is imported.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    with _QUIET_LOCK:
        sys.stderr.flush()
        kept = os.dup(_STANDARD_ERROR)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STANDARD_ERROR)
        try:
            yield
        finally:
            os.dup2(kept, _STANDARD_ERROR)
            os.close(nowhere)
            os.close(kept)
