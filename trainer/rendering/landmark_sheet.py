"""Landmark sets of a face model looked at: on its mean from several sides, and fitted to annotated photographs."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import scipy.io
from PIL import Image, ImageDraw

from trainer import contract
from trainer.morphable.model import MorphableModel
from trainer.morphable.skin import Skin, skin_colors
from trainer.rendering.camera import fit_scaled_orthographic, project
from trainer.rendering.model_sheet import Portrait, portrait_picture

YAWS: Final = (0.0, -30.0, -60.0, -90.0)
PHOTO_MARGIN: Final = 0.25
"""Around the landmarks of a photograph, in parts of their larger side."""
COLUMNS: Final = 4
_TRUE, _FITTED = (60, 255, 60), (255, 60, 60)


@dataclasses.dataclass(frozen=True)
class AnnotatedPhoto:
    """A photograph with 68 points."""

    path: Path
    points: np.ndarray
    """`[68, 2]` pixels."""
    yaw: float
    """Degrees."""


@dataclasses.dataclass(frozen=True)
class MeanFaceFit:
    """The mean face's landmarks on a photograph: scaled orthographic pose, free, nearest in least squares."""

    photo: AnnotatedPhoto
    points: np.ndarray
    """`[68, 2]` pixels."""
    error: float
    """Mean distance over the square root of the area of the true points' box."""


def read_photos(folder: Path) -> list[AnnotatedPhoto]:
    """Pictures with a `.mat` beside them, as AFLW2000-3D has them (`pt3d_68`, `Pose_Para`).

    Raises:
        ValueError: If there is none or a file cannot be read.
    """
    photos = []
    for path in sorted(folder.glob("*.mat")):
        try:
            content = scipy.io.loadmat(path)
            points, pose = np.asarray(content["pt3d_68"], np.float64), np.asarray(content["Pose_Para"], np.float64)
            points = points[:2].T.reshape(contract.LANDMARK_COUNT, 2)
            photos.append(AnnotatedPhoto(path.with_suffix(".jpg"), points, float(np.degrees(pose.ravel()[1]))))
        except (OSError, KeyError, ValueError, IndexError, TypeError, NotImplementedError) as error:
            raise ValueError(
                f"{path} does not hold `pt3d_68` and `Pose_Para` as AFLW2000-3D has them: {error}"
            ) from error
    if not photos:
        raise ValueError(f"{folder} holds no annotated photograph (*.mat beside *.jpg).")
    return photos


def fit_mean_face(model: MorphableModel, landmark_set: str, photos: Sequence[AnnotatedPhoto]) -> list[MeanFaceFit]:
    """The mean face on every photograph.

    Args:
        model: Any face model.
        landmark_set: Name of the set.
        photos: Photographs with the same 68 points.
    """
    mean = model.landmark_points(model.mean, landmark_set)
    fits = []
    for photo in photos:
        matrix = fit_scaled_orthographic(mean, photo.points)
        points = project(mean.astype(np.float64), matrix, contract.SCALED_ORTHOGRAPHIC)[:, :2]
        side = np.sqrt(np.prod(np.ptp(photo.points, axis=0)))
        error = float(np.linalg.norm(points - photo.points, axis=1).mean() / side)
        fits.append(MeanFaceFit(photo, points, error))
    return fits


def balanced(fits: Sequence[MeanFaceFit]) -> float:
    """Mean of the errors' means over the yaw bins that hold a photograph."""
    bins: dict[str, list[float]] = {}
    for fit in fits:
        bins.setdefault(contract.yaw_bin(fit.photo.yaw), []).append(fit.error)
    return float(np.mean([np.mean(errors) for errors in bins.values()]))


def landmark_sheet(model: MorphableModel, size: int = 448) -> np.ndarray:
    """`[H, W, 3]` uint8 sRGB: a row a set, the mean face from the front to the side."""
    colors = model.albedo_colors() if len(model.albedo) else skin_colors(model, Skin(), brows=True)
    rows = []
    for name in model.landmarks:
        portraits = [Portrait(f"{name} {yaw:.0f}", model.mean, colors, yaw, name) for yaw in YAWS]
        rows.append(np.concatenate([portrait_picture(model, portrait, size) for portrait in portraits], axis=1))
    return np.concatenate(rows)


def photo_sheet(fits: Sequence[MeanFaceFit], size: int = 224) -> np.ndarray:
    """`[H, W, 3]` uint8 sRGB: every photograph with its points (green) and the fitted mean face's (red)."""
    tiles = [_photo_tile(fit, size) for fit in fits]
    tiles += [np.zeros((size, size, 3), np.uint8)] * (-len(tiles) % COLUMNS)
    return np.concatenate([np.concatenate(tiles[at : at + COLUMNS], axis=1) for at in range(0, len(tiles), COLUMNS)])


def _photo_tile(fit: MeanFaceFit, size: int) -> np.ndarray:
    low, high = fit.photo.points.min(axis=0), fit.photo.points.max(axis=0)
    side = float((high - low).max()) * (1 + 2 * PHOTO_MARGIN)
    start = (low + high - side) / 2
    with Image.open(fit.photo.path) as image:
        box = (*start, *(start + side))
        tile = image.convert("RGB").crop(tuple(map(round, box))).resize((size, size))
    draw = ImageDraw.Draw(tile)
    for points, color in ((fit.photo.points, _TRUE), (fit.points, _FITTED)):
        for x, y in (points - start) * (size / side):
            draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=color)
    draw.text((4, 4), f"{100 * fit.error:.2f} %  yaw {fit.photo.yaw:.0f}", fill=(255, 255, 255))
    return np.asarray(tile)
