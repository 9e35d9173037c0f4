"""AFLW2000-3D's and 300W-LP's `.mat` beside photos: variables that are read, with their shapes.

- `Pose_Para [1, 7]`: pitch, yaw, roll (radians), t_x, t_y, t_z (pixels), f (pixels per micrometre). With Basel's axes (x to the
  image's right, y up, z out of the face) and `R = X(pitch) Y(yaw) Z(roll)`, each turning the other way round than the contract's:
  v = f R vertex + t. v is MATLAB's: x of the first column's centre is 1, and y = height + 1 - v_y.
- `pt3d_68 [3, 68]`: the 68 vertices there, x, y (downwards, first pixel's centre (1, 1)) and v_z: the set `basel`. 300W-LP has
  `pt2d [2, 68]` instead, points of the visible contour: the set `outline`.
- `Shape_Para [199, 1]`, `Exp_Para [29, 1]`: coefficients of the Basel Face Model 2009 and Zhu et al.'s expressions, in units of
  their sigma. They become standard deviations where that model is configured; else they are left out, since they mean nothing
  to another model. So is the camera, for it depends on where the model has its origin.

So yaw and roll have the other sign. The order of the turns differs, so |yaw| is not that of `Pose_Para`: on the 28 fixtures
by up to 6°.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from components.photo_example_gen.config import AFLW2000
from components.photo_example_gen.labels import LabelError, Labels
from components.photo_example_gen.photo_file import PhotoFile
from components.photo_example_gen.readers.basel_scale import BaselScale
from components.photo_example_gen.readers.beside import BesideReader
from components.photo_example_gen.readers.reader import MAX_LABEL_BYTES, read_small
from trainer import contract
from trainer.morphable.readers.mat_file import read_mat
from trainer.rendering import camera as cameras

MATLAB_OFFSET: Final = 0.5
"""MATLAB's coordinates minus the contract's."""

_EYES: Final = [*contract.LANDMARK_GROUPS["right_eye"], *contract.LANDMARK_GROUPS["left_eye"]]
_MOUTH: Final = [*contract.LANDMARK_GROUPS["outer_lips"], *contract.LANDMARK_GROUPS["inner_lips"]]
_VIEW: Final = re.compile(r"((?:AFW|HELEN|IBUG|LFPW)_.+)_\d{1,3}")
_VARIABLES: Final = ("Pose_Para", "pt3d_68", "pt2d", "Shape_Para", "Exp_Para")


class Aflw2000Reader(BesideReader):
    """Photos with `.mat` files."""

    kind = AFLW2000
    suffix = ".mat"

    def __init__(self, source: str, scale: BaselScale | None = None):
        """Remembers where to look.

        Args:
            source: The folder.
            scale: Of the configured face model, if that is Basel's of 2009; None leaves coefficients and camera out.
        """
        super().__init__(source)
        self._scale = scale

    def identity(self, path: Path) -> str:
        """The photo's path; for 300W-LP, whose `AFW_134212_1_3` is view 3 of photo `AFW_134212_1`, that of the photo.

        So views of one photo, and those of its mirror image in `AFW_Flip`, lie in one split.
        """
        view = _VIEW.fullmatch(path.stem)
        if view is None:
            return path.as_posix()
        return Path(path.parent.as_posix().removesuffix("_Flip"), view[1]).as_posix()

    @property
    def face_model(self) -> str | None:
        """SHA-256 of the configured model, if that is Basel's of 2009."""
        return None if self._scale is None else self._scale.sha256

    def labels(self, photo: PhotoFile, height: int) -> Labels:
        """Landmarks, pose and, where the face model is known, its coefficients and camera."""
        path = self.label_file(photo)
        read_small(path)  # refuses what is no file or too large
        try:
            variables = read_mat(path, _VARIABLES, MAX_LABEL_BYTES)
        except ValueError as error:
            message = str(error).replace(str(path), path.name)
            raise LabelError("bad_mat", message[:300]) from error
        return labels_of(variables, height, self._scale)


def labels_of(variables: Mapping[str, np.ndarray], height: int, scale: BaselScale | None) -> Labels:
    """Labels by the contract's conventions.

    Args:
        variables: Of a `.mat` file.
        height: Of the photo, pixels.
        scale: Of the face model; None leaves coefficients and camera out.

    Raises:
        LabelError: If a variable is missing, has another shape, or is not finite.
    """
    points, toward, landmark_set = _landmarks(variables)
    pose = _numbers(variables, "Pose_Para", 7)
    if not pose[6] > 0:
        raise LabelError("bad_pose", f"The scale in `Pose_Para` must be positive. Received: {pose[6]:g}")
    rotation = rotation_of(pose[:3])
    camera = shape = expression = depths = None
    if scale is not None:
        shape = scale.identity(_numbers(variables, "Shape_Para", None))
        expression = scale.expression(_numbers(variables, "Exp_Para", None))
        camera = scale.camera(rotation, pose[3:6], pose[6])
    if toward is not None:
        # Away from the camera, and 0 at the model frame's origin: the middle of the eyes' and the mouth's centres.
        origin = (toward[_EYES].mean() + toward[_MOUTH].mean()) / 2 if camera is None else camera[2, 3]
        depths = origin - toward
    if camera is not None:
        camera[:, 3] = camera[0, 3] - MATLAB_OFFSET, height + 1 - MATLAB_OFFSET - camera[1, 3], 0.0
    return Labels(
        points=points,
        depths=depths,
        landmark_set=landmark_set,
        euler=np.asarray(cameras.euler_from_rotation(rotation)),
        camera=camera,
        shape=shape,
        expression=expression,
    )


def rotation_of(angles: np.ndarray) -> np.ndarray:
    """`[3, 3]` rotation on column vectors of `[3]` pitch, yaw, roll, radians, by 300W-LP's `RotationMatrix.m`."""
    cos_x, cos_y, cos_z = np.cos(angles)
    sin_x, sin_y, sin_z = np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cos_x, sin_x], [0, -sin_x, cos_x]])
    about_y = np.array([[cos_y, 0, -sin_y], [0, 1, 0], [sin_y, 0, cos_y]])
    about_z = np.array([[cos_z, sin_z, 0], [-sin_z, cos_z, 0], [0, 0, 1]])
    rotation: np.ndarray = about_x @ about_y @ about_z
    return rotation


def _landmarks(variables: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray | None, str]:
    """`[68, 2]` points, `[68]` v_z or None, and the set."""
    for name, rows, landmark_set in (("pt3d_68", 3, "basel"), ("pt2d", 2, "outline")):
        found = variables.get(name)
        if found is None or (name == "pt2d" and found.shape[-1:] == (21,)):
            continue  # AFLW's own 21 points lie beside pt3d_68
        if found.shape != (rows, contract.LANDMARK_COUNT):
            raise LabelError("wrong_shape", f"`{name}` must be [{rows}, 68]. Received: {list(found.shape)[:8]}")
        values = _finite(name, found)
        return values[:2].T - MATLAB_OFFSET, values[2] if rows == 3 else None, landmark_set
    raise LabelError("missing_variable", "The .mat file must hold `pt3d_68` [3, 68] or `pt2d` [2, 68].")


def _numbers(variables: Mapping[str, np.ndarray], name: str, count: int | None) -> np.ndarray:
    """A row or column of numbers, `[count]` float64."""
    if name not in variables:
        raise LabelError("missing_variable", f"The .mat file must hold `{name}`.")
    found = variables[name]
    if found.size != max(found.shape, default=0) or (count is not None and found.size != count):
        raise LabelError("wrong_shape", f"`{name}` must be [{count or 'K'}, 1]. Received: {list(found.shape)[:8]}")
    return _finite(name, found).ravel()


def _finite(name: str, array: np.ndarray) -> np.ndarray:
    values = np.asarray(array, np.float64)
    if not np.isfinite(values).all():
        raise LabelError("not_finite", f"`{name}` must be finite. It holds NaN or infinity.")
    return values
