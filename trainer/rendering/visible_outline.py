"""The `outline` landmarks as an annotator of pictures sees them: on the far side of a turned face, the visible contour.

A point of the jaw that is fixed to the skin goes behind the cheek when the head turns; annotators put it where the face ends
in the picture, at the same height of the face (landmark marching: Zhu et al., "High-Fidelity Pose and Expression
Normalization", CVPR 2015).
"""

from typing import Final

import numpy as np

from trainer import contract
from trainer.morphable.model import MorphableModel
from trainer.rendering import camera as cameras
from trainer.rendering.scene import Camera

BAND: Final = 5.0
"""Half the height of the strip of skin, around a landmark's own height, in which its contour point is looked for, millimetres."""

_CHIN: Final = len(contract.LANDMARK_GROUPS["jaw"]) // 2
_NO_CONTOUR: Final = ("eyeballs", "mouth_interior", "teeth", "tongue", "nose", "lips")
"""What lies inside, and what annotators mark as itself where it stands out of the cheek's contour."""


class VisibleOutline:
    """Finds the `outline` points of one model's faces."""

    def __init__(self, model: MorphableModel):
        """Prepares which vertices can be a face's contour: its skin, without ears, neck, nose and lips.

        Args:
            model: The face model; one without regions is taken to be a face and nothing else.

        Raises:
            ValueError: If it has no `outline` landmarks.
        """
        self._model = model
        model.landmark_points(model.mean, "outline")
        contour = model.regions.get("face", np.ones(model.vertex_count)) > 0.5
        for name in _NO_CONTOUR:
            if name in model.regions:
                contour &= model.regions[name] <= 0.5
        self._contour = np.flatnonzero(contour)

    def project(self, vertices: np.ndarray, camera: Camera, height: int, width: int) -> np.ndarray:
        """The points in the picture.

        Args:
            vertices: `[V, 3]` the face, model frame, millimetres.
            camera: One camera.
            height: Of the image, pixels.
            width: Of the image, pixels.

        Returns:
            `[68, 2]` image frame, pixels.
        """
        points = self._model.landmark_points(vertices, "outline")
        skin = vertices[self._contour]
        view = camera.matrix, camera.kind, camera.field_of_view, height, width
        seen = cameras.project(points, *view)[:, :2].astype(np.float64)
        edge = cameras.project(skin, *view)[:, :2]
        rotation = camera.matrix[:, :3] / np.linalg.norm(camera.matrix[0, :3])
        far = 1 if rotation[2, 0] < 0 else -1  # the side of the head that points away from the camera
        up = np.array([rotation[0, 1], -rotation[1, 1]])
        length = np.linalg.norm(up)
        if length < 1e-6:
            return seen
        sideways = far * np.array([-up[1], up[0]]) / length
        side = np.arange(_CHIN + 1, 2 * _CHIN + 1) if far > 0 else np.arange(_CHIN)
        near = np.abs(skin[None, :, 1] - points[side, None, 1]) <= BAND
        farthest = np.where(near, edge @ sideways, -np.inf).max(axis=1)
        # What of the strip lies beyond the point even when the face looks straight ahead: next to the chin, much.
        straight = np.where(near, far * skin[:, 0], -np.inf).max(axis=1) - far * points[side, 0]
        beyond = farthest - seen[side] @ sideways - np.maximum(straight, 0) * _pixels_per_millimetre(camera, height)
        seen[side] += np.maximum(beyond, 0)[:, None] * sideways
        return seen


def _pixels_per_millimetre(camera: Camera, height: int) -> float:
    """Scale at the model frame's origin."""
    if camera.kind == contract.SCALED_ORTHOGRAPHIC:
        return float(np.linalg.norm(camera.matrix[0, :3]))
    return float(cameras.focal_length(camera.field_of_view, height) / camera.matrix[2, 3])
