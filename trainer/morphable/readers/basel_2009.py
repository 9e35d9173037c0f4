"""The Basel Face Model of 2009 (Paysan et al. 2009) and its cut to 53,215 vertices with expressions (Zhu et al. 2016).

Files, each with the variables that are read:

- `01_MorphableModel.mat`: `shapeMU [3V, 1]`, `shapePC [3V, K]`, `shapeEV [K, 1]`, `texMU`, `texPC`, `texEV`, `tl [T, 3]`
  1-based; 53,490 vertices. `EV` are standard deviations, not variances, despite the name.
- `model_info.mat`: `trimIndex [V', 1]` and `keypoints [1, 68]`, 1-based, `tri [3, T]`: how 300W-LP cuts it.
- `Model_Shape.mat`, which `ModelGenerate.m` of 300W-LP makes of both: `mu_shape`, `w [3V', K]`, `sigma [K, 1]`, `mu_tex`,
  `w_tex`, `tri [3, T]`, `keypoints`.
- `Model_Exp.mat` (also `Model_Expression.mat`): `mu_exp [3V', 1]`, `w_exp [3V', 29]`, `sigma_exp [29, 1]`: the modes that
  Zhu et al. made of FaceWarehouse.

Coordinates are micrometres, x to the image's right, y up, z out of the face; colours 0 to 255, sRGB. Coefficients of the model
that comes out are standard deviations: divide the `Shape_Para` and `Exp_Para` of 300W-LP by `sigma` and `sigma_exp`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from trainer.morphable.landmark_transfer import Known
from trainer.morphable.readers import basel_landmarks
from trainer.morphable.readers.color import linear_colors
from trainer.morphable.readers.mat_file import read_mat
from trainer.morphable.readers.source_model import MAX_MODES, MAX_VERTICES, SourceModel, anatomical

PUBLIC: Final = "01_MorphableModel.mat"
TRIMMED: Final = "Model_Shape.mat"
TRIM: Final = "model_info.mat"
EXPRESSIONS: Final = ("Model_Exp.mat", "Model_Expression.mat")

MILLIMETRES: Final = 1e-3
"""Millimetres in a micrometre."""

LICENCE: Final = "LicenseRef-Basel-Face-Model"

_PUBLIC_NAMES: Final = ("shapeMU", "shapePC", "shapeEV", "texMU", "texPC", "texEV", "tl")
_TRIMMED_NAMES: Final = ("mu_shape", "w", "sigma", "mu_tex", "w_tex", "tri", "keypoints")
_EXPRESSION_NAMES: Final = ("mu_exp", "w_exp", "sigma_exp")


def files(path: Path) -> list[Path]:
    """Files that make up the model at a path: the file, or what of the known files lies in the folder, and its companions.

    Args:
        path: One of the `.mat` files, or their folder.

    Returns:
        The main file first.

    Raises:
        ValueError: If the folder holds none.
    """
    if path.is_file():
        folder, main = path.parent, path
    else:
        folder = path
        found = [folder / name for name in (TRIMMED, PUBLIC) if (folder / name).is_file()]
        if not found:
            raise ValueError(f"{path} holds neither {TRIMMED} nor {PUBLIC}")
        main = found[0]
    companions = [*EXPRESSIONS, PUBLIC if main.name == TRIMMED else TRIM]
    return [main, *(folder / name for name in companions if (folder / name).is_file() and folder / name != main)]


def read(path: Path, known: Mapping[str, Known]) -> SourceModel:
    """Reads the model with what lies beside its file.

    Args:
        path: `01_MorphableModel.mat`, `Model_Shape.mat`, or a folder that holds one.
        known: Landmarks from the user's tables; they precede the file's.

    Raises:
        ValueError: If a file cannot be read or lacks a variable, or the files do not fit together.
    """
    main, *companions = files(path)
    beside = {file.name: file for file in companions}
    variables = read_mat(main, (*_PUBLIC_NAMES, *_TRIMMED_NAMES))
    if "shapeMU" in variables:
        parts = _public(main, variables, beside)
    elif "mu_shape" in variables:
        parts = _trimmed(main, variables, beside)
    else:
        raise ValueError(f"{main} must hold `shapeMU` (Basel 2009) or `mu_shape` (300W-LP); it holds neither")
    count = len(parts["vertices"])
    expression = next((beside[name] for name in EXPRESSIONS if name in beside), None)
    if expression is not None:
        parts |= _expressions(expression, count)
    basel = {**parts.pop("points"), **known.get("basel", {})}
    whole = len(basel) == len(basel_landmarks.TRIMMED_BASEL)
    return SourceModel(
        licence=LICENCE,
        known={**known, "basel": basel},
        start=basel if whole else anatomical(basel),
        **parts,
    )


def _public(main: Path, variables: Mapping[str, np.ndarray], beside: Mapping[str, Path]) -> dict[str, Any]:
    """Parts of the model as Basel publishes it, cut if `model_info.mat` lies beside it."""
    _need(main, variables, ("shapeMU", "shapePC", "shapeEV", "tl"))
    mean, modes = _mean(main, variables, "shapeMU"), _modes(main, variables, "shapePC", "shapeEV", "shapeMU")
    colors = _colors(main, variables, ("texMU", "texPC", "texEV"), len(mean))
    parts: dict[str, Any] = {"provenance": {"format": "Basel Face Model 2009, MATLAB", "unit": "micrometre"}}
    if TRIM not in beside:
        points = basel_landmarks.public_points() if len(mean) == basel_landmarks.PUBLIC_VERTICES else {}
        triangles = _indices(main, variables["tl"], "tl", len(mean))
        return {
            **parts,
            **colors,
            "name": "bfm2009",
            "vertices": mean,
            "identity": modes,
            "triangles": triangles,
            "points": points,
        }
    info = read_mat(beside[TRIM], ("trimIndex", "tri", "keypoints"))
    _need(beside[TRIM], info, ("trimIndex", "tri"))
    kept = _numbers(beside[TRIM], info["trimIndex"], "trimIndex", len(mean)).ravel()
    return {
        **parts,
        **{key: value[..., kept, :] for key, value in colors.items()},
        "name": "bfm2009-trimmed",
        "vertices": mean[kept],
        "identity": modes[:, kept],
        "triangles": _indices(beside[TRIM], info["tri"], "tri", len(kept)),
        "points": _keypoints(beside[TRIM], info, len(kept)),
    }


def _trimmed(main: Path, variables: Mapping[str, np.ndarray], beside: Mapping[str, Path]) -> dict[str, Any]:
    """Parts of the model as 300W-LP cuts it. Its colour modes come without their scale: `texEV` is in Basel's file."""
    _need(main, variables, ("mu_shape", "w", "sigma", "tri"))
    mean = _mean(main, variables, "mu_shape")
    scales = read_mat(beside[PUBLIC], ("texEV",)) if PUBLIC in beside else {}
    return {
        **_colors(main, {**variables, **scales}, ("mu_tex", "w_tex", "texEV"), len(mean)),
        "name": "bfm2009-trimmed",
        "vertices": mean,
        "identity": _modes(main, variables, "w", "sigma", "mu_shape"),
        "triangles": _indices(main, variables["tri"], "tri", len(mean)),
        "points": _keypoints(main, variables, len(mean)),
        "provenance": {"format": "Basel Face Model 2009, cut of 300W-LP, MATLAB", "unit": "micrometre"},
    }


def _expressions(path: Path, count: int) -> dict[str, Any]:
    """Expression modes. Their mean is added to the mean face, as in every program that reads 300W-LP's parameters."""
    variables = read_mat(path, _EXPRESSION_NAMES)
    _need(path, variables, _EXPRESSION_NAMES)
    mean = _mean(path, variables, "mu_exp")
    if len(mean) != count:
        raise ValueError(
            f"{path} has {len(mean)} vertices, the shape {count}: the expressions belong to the {TRIM} cut of the model"
        )
    modes = _modes(path, variables, "w_exp", "sigma_exp", "mu_exp")
    return {
        "mean_expression": mean,
        "expression": modes,
        "expression_names": tuple(f"zhu2016_{number:02d}" for number in range(len(modes))),
        "expression_range": (-3.0, 3.0),
        "expression_sd": 1.0,
    }


def _colors(
    path: Path, variables: Mapping[str, np.ndarray], names: tuple[str, str, str], count: int
) -> dict[str, np.ndarray]:
    """Mean and modes of colour in linear RGB, as far as the file has them."""
    mean_name, basis, scale = names
    if mean_name not in variables:
        return {}
    mean = _points(path, variables[mean_name], mean_name) / 255
    if len(mean) != count:
        raise ValueError(f"{path}: `{mean_name}` has {len(mean)} vertices, the shape {count}")
    if basis not in variables or scale not in variables:
        return {"albedo_mean": linear_colors(mean, None)[0]}
    modes = _modes(path, variables, basis, scale, mean_name, 1 / 255)
    linear, linear_modes = linear_colors(mean, modes)
    return {"albedo_mean": linear} | ({} if linear_modes is None else {"albedo": linear_modes})


def _need(path: Path, variables: Mapping[str, np.ndarray], names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in variables]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}")


def _points(path: Path, column: np.ndarray, name: str) -> np.ndarray:
    """`[V, 3]` from `[3V, 1]` or `[1, 3V]`: x, y and z of each vertex in turn."""
    if column.size % 3 or column.size != max(column.shape) or not 12 <= column.size <= 3 * MAX_VERTICES:
        raise ValueError(f"{path}: `{name}` must be [3V, 1]. Received: {list(column.shape)}")
    with np.errstate(over="ignore"):
        points = column.reshape(-1, 3).astype(np.float32)
    if not np.isfinite(points).all():
        raise ValueError(f"{path}: `{name}` holds NaN or infinity")
    return points


def _mean(path: Path, variables: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    return _points(path, variables[name], name) * np.float32(MILLIMETRES)


def _modes(
    path: Path,
    variables: Mapping[str, np.ndarray],
    name: str,
    scale_name: str,
    mean_name: str,
    unit: float = MILLIMETRES,
) -> np.ndarray:
    """`[K, V, 3]` per standard deviation from `[3V, K]` and `[K, 1]`."""
    basis, scale = variables[name], variables[scale_name].astype(np.float32).ravel()
    rows = variables[mean_name].size
    if basis.ndim != 2 or basis.shape != (rows, len(scale)) or not 1 <= len(scale) <= MAX_MODES:
        raise ValueError(
            f"{path}: `{name}` must be [{rows}, {len(scale)}], as `{mean_name}` and `{scale_name}` have it. "
            f"Received: {list(basis.shape)}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        modes = np.ascontiguousarray(basis.T, np.float32) * (scale * np.float32(unit))[:, None]
    if not np.isfinite(modes).all():
        raise ValueError(f"{path}: `{name}` or `{scale_name}` holds NaN or infinity")
    return modes.reshape(len(scale), -1, 3)


def _numbers(path: Path, array: np.ndarray, name: str, count: int) -> np.ndarray:
    """1-based vertex numbers as 0-based ones."""
    if not array.size or not np.array_equal(array, np.round(array)) or array.min() < 1 or array.max() > count:
        raise ValueError(f"{path}: `{name}` must hold vertices in [1, {count}]")
    return array.astype(np.int64) - 1


def _indices(path: Path, array: np.ndarray, name: str, count: int) -> np.ndarray:
    """`[T, 3]` 0-based from `[3, T]` or `[T, 3]` 1-based."""
    if array.ndim != 2 or 3 not in array.shape:
        raise ValueError(f"{path}: `{name}` must be [3, T] or [T, 3]. Received: {list(array.shape)}")
    return _numbers(path, array.T if array.shape[0] == 3 else array, name, count)


def _keypoints(path: Path, variables: Mapping[str, np.ndarray], count: int) -> dict[int, int]:
    """The `basel` set: the file's own, or the known table where the vertices are those of the known cut."""
    if "keypoints" in variables:
        numbers = _numbers(path, variables["keypoints"], "keypoints", count).ravel()
        if len(numbers) != len(basel_landmarks.TRIMMED_BASEL):
            raise ValueError(f"{path}: `keypoints` must be 68 vertices. Received: {len(numbers)}")
        return dict(enumerate(numbers.tolist()))
    if count == basel_landmarks.TRIMMED_VERTICES:
        return dict(enumerate(basel_landmarks.TRIMMED_BASEL))
    return {}
