"""An evaluation to look at: the best, median and worst faces, what each point is off by, and whether doubts are justified."""

import pathlib
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from trainer import contract
from trainer.landmarks.evaluation import LandmarkEvaluation

SHEET: Final = 10
"""Faces of each sheet."""
_TILE: Final = 288
_COLUMNS: Final = 5
_TRUE, _PREDICTED, _TEXT = (255, 70, 70), (70, 255, 90), (255, 240, 90)


def write_report(evaluation: LandmarkEvaluation, landmark_set: str, directory: pathlib.Path) -> list[pathlib.Path]:
    """Writes all pictures.

    Args:
        evaluation: What to show.
        landmark_set: In which set of predictions.
        directory: Folder, made if absent.

    Returns:
        Paths of `best.png`, `median.png`, `worst.png` (truth red, prediction green), `residuals.png` and `reliability.png`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    order = np.argsort(evaluation.errors(landmark_set), kind="stable")
    middle = max(0, len(order) // 2 - SHEET // 2)
    parts = {"best": order[:SHEET], "median": order[middle : middle + SHEET], "worst": order[::-1][:SHEET]}
    paths = []
    for name, chosen in parts.items():
        paths.append(directory / f"{name}.png")
        Image.fromarray(sheet(evaluation, landmark_set, chosen)).save(paths[-1])
    for name, draw in (("residuals", draw_residuals), ("reliability", draw_reliability)):
        paths.append(directory / f"{name}.png")
        draw(evaluation, landmark_set, paths[-1])
    return paths


def sheet(evaluation: LandmarkEvaluation, landmark_set: str, chosen: np.ndarray) -> np.ndarray:
    """Some faces with truth and prediction.

    Args:
        evaluation: All faces.
        landmark_set: Name of the predictions' set.
        chosen: Indices of the faces to show.

    Returns:
        `[H, W, 3]` uint8 sRGB.
    """
    index = contract.LANDMARK_SETS.index(landmark_set)
    errors, faces = evaluation.errors(landmark_set), evaluation.faces
    magnification = _TILE / faces.images.shape[1]
    tiles = []
    for face in chosen:
        tile = Image.fromarray(np.asarray(faces.images[face])).resize((_TILE, _TILE), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(tile)
        own = evaluation.true_set[face]
        true = faces.points[face, own][faces.known[face, own] > 0]
        for points, color in ((true, _TRUE), (evaluation.points[face, index], _PREDICTED)):
            for x, y in points * magnification:
                draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=color)
        draw.text((4, 3), f"{errors[face]:.1f} %   confidence {evaluation.confidence[face]:.2f}", fill=_TEXT)
        tiles.append(np.asarray(tile))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % _COLUMNS)
    rows = [np.concatenate(tiles[start : start + _COLUMNS], axis=1) for start in range(0, len(tiles), _COLUMNS)]
    return np.concatenate(rows)


def draw_residuals(evaluation: LandmarkEvaluation, landmark_set: str, path: pathlib.Path) -> None:
    """Median residual of every point as an arrow on the median face, one panel a |yaw| bin, magnified fivefold."""
    plt = _pyplot()
    bins = evaluation.median_residuals(landmark_set)
    shapes, names = evaluation.turned_right(evaluation.points[:, contract.LANDMARK_SETS.index(landmark_set)])
    figure, axes = plt.subplots(1, len(bins), figsize=(5 * len(bins), 5), squeeze=False)
    for axis, (name, residual) in zip(axes[0], bins.items(), strict=True):
        some = shapes[names == name]
        box = np.ptp(some, axis=1).prod(axis=1) ** 0.5
        mean = np.median((some - some.mean(axis=1, keepdims=True)) / box[:, None, None], axis=0) * 100
        axis.scatter(*mean.T, s=8, color="black")
        axis.quiver(*mean.T, *residual.T, angles="xy", scale_units="xy", scale=0.2, color="crimson", width=0.004)
        axis.update_datalim((mean + 5 * residual)[np.isfinite(residual).all(axis=1)])
        axis.autoscale_view()
        axis.set_title(f"|yaw| {name}°, {int((names == name).sum())} faces, {np.nanmean(np.hypot(*residual.T)):.2f} %")
        axis.invert_yaxis()
        axis.set_aspect("equal")
        axis.axis("off")
    figure.suptitle(f"Median residual (prediction − annotation) × 5, set {landmark_set}")
    _save(figure, path)


def draw_reliability(evaluation: LandmarkEvaluation, landmark_set: str, path: pathlib.Path) -> None:
    """Announced against measured error by tenths, and the error of what is kept when the least sure faces are rejected."""
    plt = _pyplot()
    errors, announced = evaluation.errors(landmark_set), evaluation.announced(landmark_set)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6))
    for part in np.array_split(np.argsort(announced), min(10, len(errors))):
        low, high = np.percentile(errors[part], (25, 75))
        left.plot([announced[part].mean()] * 2, [low, high], color="lightsteelblue", linewidth=4)
        left.plot(announced[part].mean(), errors[part].mean(), "o", color="navy")
    limit = 1.05 * max(np.percentile(errors, 99), announced.max())
    left.plot([0, limit], [0, limit], color="gray", linewidth=0.8)
    left.set(
        xlim=(0, limit), ylim=(0, limit), xlabel="announced error, %", ylabel="measured error, % (mean, quartiles)"
    )
    kept = np.linspace(0.2, 1, 41)
    count = np.maximum(1, np.round(kept * len(errors)).astype(int))
    for order, label in (
        (np.argsort(-evaluation.confidence, kind="stable"), "by confidence"),
        (np.argsort(errors), "by the error itself"),
    ):
        cumulative = np.cumsum(errors[order]) / np.arange(1, len(errors) + 1)
        right.plot(100 * (1 - kept), cumulative[count - 1], label=label)
    right.axhline(errors.mean(), color="gray", linewidth=0.8, label="at random")
    right.set(xlabel="faces rejected, %", ylabel="mean error of the others, %", ylim=(0, None))
    right.legend()
    _save(figure, path)


def _pyplot():  # type: ignore[no-untyped-def]
    """Matplotlib without a window; imported when a figure is wanted."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _save(figure, path: pathlib.Path) -> None:  # type: ignore[no-untyped-def]
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    _pyplot().close(figure)
