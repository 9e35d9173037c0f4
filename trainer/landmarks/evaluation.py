"""How far the landmark network is off on faces with known landmarks, point by point, pose by pose, and whether it knows.

Errors are distances over √(width · height) of the true points' box, in per cent: `sqrt_box` of `trainer.metrics.nme`.
"""

import dataclasses
import math
import warnings
from typing import Any, Final

import keras
import numpy as np

from trainer import contract
from trainer.landmarks.canvases import Canvases
from trainer.landmarks.confidence import confidence
from trainer.landmarks.config import CanvasConfig, LandmarkNetworkConfig

_BATCH: Final = 128


@dataclasses.dataclass(frozen=True)
class LandmarkEvaluation:
    """Predictions of N faces beside the truth."""

    faces: Canvases
    """Crops as the network saw them, with the true points."""
    true_set: np.ndarray
    """`[N]` index of the landmark set that is annotated; `basel` where both are."""
    points: np.ndarray
    """`[N, 2, 68, 2]` predicted points, pixels of the crop."""
    sigma: np.ndarray
    """`[N, 2, 68]` half of each point's announced radial error, pixels of the crop."""
    confidence: np.ndarray
    """`[N]` in [0, 1]."""

    def residuals(self, landmark_set: str) -> np.ndarray:
        """`[N, 68, 2]` prediction in a set minus annotation, per cent of the box; NaN where nothing is annotated."""
        index = contract.LANDMARK_SETS.index(landmark_set)
        rows = np.arange(len(self.true_set))
        true, known = self.faces.points[rows, self.true_set], self.faces.known[rows, self.true_set] > 0
        masked = np.where(known[..., None], true, np.nan)
        extent = np.nanmax(masked, axis=1) - np.nanmin(masked, axis=1)
        scale = np.sqrt(extent.prod(axis=1))
        return 100 * (self.points[:, index] - masked) / scale[:, None, None]

    def errors(self, landmark_set: str) -> np.ndarray:
        """`[N]` mean distance of a face's points, per cent."""
        return np.nanmean(np.linalg.norm(self.residuals(landmark_set), axis=-1), axis=1)

    def announced(self, landmark_set: str) -> np.ndarray:
        """`[N]` mean distance that the network expects, per cent of the predicted points' box."""
        index = contract.LANDMARK_SETS.index(landmark_set)
        extent = np.ptp(self.points[:, index], axis=1)
        return 200 * self.sigma[:, index].mean(axis=1) / np.sqrt(extent.prod(axis=1))

    def summary(self) -> dict[str, Any]:
        """Figures as JSON holds them, for each set in which the network answers; None for what these faces do not tell.

        `image` is the mean over faces, `bins` the means by |yaw| where the pose is known, `balanced` the mean of the three bins,
        `without_bias` the image mean once every point's median residual is taken off: what is left is spread.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # points that no face has: NaN, as wanted
            figures = {name: self._figures(name) for name in contract.LANDMARK_SETS}
        return _json_values(figures) | {"faces": len(self.points)}

    def _figures(self, landmark_set: str) -> dict[str, Any]:
        errors, residuals = self.errors(landmark_set), self.residuals(landmark_set)
        spread = np.linalg.norm(residuals - np.nanmedian(residuals, axis=0), axis=-1)
        names = np.array([contract.yaw_bin(float(yaw)) for yaw in np.nan_to_num(self.faces.yaw)])
        names[np.isnan(self.faces.yaw)] = ""
        bins = {name: float(errors[names == name].mean()) for name in contract.YAW_BINS if (names == name).any()}
        points = np.nanmean(np.linalg.norm(residuals, axis=-1), axis=0)
        groups = {name: float(np.nanmean(points[list(group)])) for name, group in contract.LANDMARK_GROUPS.items()}
        return {
            "image": float(errors.mean()),
            "median": float(np.median(errors)),
            "bins": bins,
            "balanced": float(np.mean(list(bins.values()))) if len(bins) == len(contract.YAW_BINS) else None,
            "without_bias": float(np.nanmean(spread)),
            "groups": groups,
            "confidence_rank_correlation": _rank_correlation(self.confidence, -errors),
        }

    def median_residuals(self, landmark_set: str) -> dict[str, np.ndarray]:
        """`[68, 2]` median residual of every point by |yaw| bin, per cent: a bias is a wrong definition or population."""
        residuals, names = self.turned_right(self.residuals(landmark_set))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # points that no face has
            return {
                name: np.nanmedian(residuals[names == name], axis=0)
                for name in contract.YAW_BINS
                if (names == name).any()
            }

    def turned_right(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values `[N, 68, 2]` with those of faces that turn to the image's left mirrored, and `[N]` names of the |yaw| bins.

        A pose that is not known counts as frontal.
        """
        yaw = np.nan_to_num(self.faces.yaw)
        mirrored = values[:, list(contract.LANDMARK_FLIP)] * (-1, 1)
        names = np.array([contract.yaw_bin(float(angle)) for angle in yaw])
        return np.where((yaw < 0)[:, None, None], mirrored, values), names


def crop_config(network: LandmarkNetworkConfig) -> CanvasConfig:
    """Canvases that are exactly the network's crops around the given boxes."""
    return CanvasConfig(size=network.image_size, margin=network.margin)


def evaluate(model: keras.Model, faces: Canvases) -> LandmarkEvaluation:
    """Runs a network.

    Args:
        model: See `network.build`, or `flip.flip_averaged` of it.
        faces: Crops by `crop_config`.

    Raises:
        ValueError: If the crops are not of the network's size.
    """
    if faces.images.shape[1] != model.input_shape[1]:
        raise ValueError(
            f"`faces` must be crops of {model.input_shape[1]} pixels. Received: {faces.images.shape[1]} pixels"
        )
    points, sigma, trust = [], [], []
    for start in range(0, len(faces), _BATCH):
        images = np.asarray(faces.images[start : start + _BATCH], np.float32) / 255
        some_points, log_sigma = (np.asarray(value) for value in model(images, training=False))
        points.append(some_points)
        sigma.append(np.exp(log_sigma))
        trust.append(np.asarray(confidence(some_points[:, 0], log_sigma[:, 0])))
    has_basel = faces.known[:, 0].sum(axis=1) > 0
    true_set = np.where(has_basel, 0, 1)
    return LandmarkEvaluation(faces, true_set, *map(np.concatenate, (points, sigma, trust)))


def _json_values(values: Any) -> Any:
    if isinstance(values, dict):
        return {key: _json_values(value) for key, value in values.items()}
    return None if isinstance(values, float) and not math.isfinite(values) else values


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's."""
    first, second = (np.argsort(np.argsort(values)).astype(np.float64) for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1]) if len(one) > 2 else float("nan")
