"""The Basel Face Models of 2017 and 2019 (Gerig et al. 2018), `.h5` in the statismo format.

`shape`, `color` and `expression` each hold `model/mean [3V]`, `model/pcaBasis [3V, K]`, `model/pcaVariance [K]` and
`representer/cells [3, T]`, `representer/points [3, V]`; `metadata/landmarks/json` names points with their coordinates. The
columns of the basis are orthonormal since statismo's version 0.9 and carry the standard deviation in 0.8 (statismo,
StatisticalModel.hxx). Millimetres, x to the image's right, y up, z out of the face; colours 0 to 1, sRGB.

The mean of the expressions belongs to the model: it is added to the mean face, as statismo, scalismo-faces and eos do, so the
face at zero weights is the prior's mean and not quite neutral. Landmarks are laid on the neutral face. `noiseVariance` is not
read: a sample of the model has none.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.spatial import cKDTree

from trainer.morphable.landmark_transfer import Known
from trainer.morphable.readers import basel_landmarks
from trainer.morphable.readers.basel_2009 import LICENCE
from trainer.morphable.readers.color import linear_colors
from trainer.morphable.readers.hdf5_file import Hdf5File
from trainer.morphable.readers.source_model import MAX_MODES, MAX_VERTICES, SourceModel, anatomical

LANDMARKS: Final = "metadata/landmarks/json"

SCALED_VERSION: Final = 8
"""Statismo 0.8: the basis carries the standard deviation."""

ORTHONORMAL_VERSION: Final = 9
"""Statismo 0.9: the basis is orthonormal."""


def read(path: Path, known: Mapping[str, Known]) -> SourceModel:
    """Reads a model.

    Args:
        path: The `.h5` file.
        known: Landmarks from the user's tables; they precede the file's.

    Raises:
        ValueError: If the file cannot be read, or something in it is missing or does not fit. The message names the file.
    """
    try:
        with Hdf5File(path) as file:
            return _read(file, path, known)
    except Exception as error:  # h5py raises nearly anything on damaged files
        raise ValueError(f"{path} cannot be read as a Basel Face Model: {error}") from error


def _read(file: Hdf5File, path: Path, known: Mapping[str, Known]) -> SourceModel:
    mean, identity = _component(file, "shape")
    vertices = mean.reshape(-1, 3)
    representer = "shape/representer" if file.has("shape/representer/cells") else "representer"
    triangles = _columns(file, f"{representer}/cells")
    if triangles.dtype.kind not in "iu":
        raise ValueError(f"{representer}/cells must be integers")
    colors: dict[str, Any] = {}
    if file.has("color/model/mean"):
        color, modes = _component(file, "color")
        linear, linear_modes = linear_colors(color.reshape(-1, 3), modes)
        colors = {"albedo_mean": linear} | ({} if linear_modes is None else {"albedo": linear_modes})
    expressions: dict[str, Any] = {}
    if file.has("expression/model/mean"):
        offset, modes = _component(file, "expression")
        expressions = {
            "mean_expression": offset.reshape(-1, 3),
            "expression": modes,
            "expression_names": tuple(f"basel_{number:02d}" for number in range(len(modes))),
            "expression_range": (-3.0, 3.0),
            "expression_sd": 1.0,
        }
    named = _landmarks(file, vertices, representer)
    basel = {**named, **known.get("basel", {})}
    return SourceModel(
        name=path.stem,
        licence=LICENCE,
        vertices=vertices,
        triangles=triangles.astype(np.int64),
        identity=identity,
        known={**known, "basel": basel},
        start=anatomical(basel),
        provenance={"format": "Basel Face Model, statismo HDF5", "unit": "millimetre"},
        **expressions,
        **colors,
    )


def _component(file: Hdf5File, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean `[3V]` and modes `[K, V, 3]` per standard deviation of one of the three models."""
    mean = file.array(f"{name}/model/mean").astype(np.float32).ravel()
    basis = file.array(f"{name}/model/pcaBasis")
    variance = file.array(f"{name}/model/pcaVariance").astype(np.float64).ravel()
    if len(mean) % 3 or not 12 <= len(mean) <= 3 * MAX_VERTICES:
        raise ValueError(f"{name}/model/mean must be [3V]. Received: {len(mean)} numbers")
    if basis.shape != (len(mean), len(variance)) or not 1 <= len(variance) <= MAX_MODES:
        raise ValueError(f"{name}/model/pcaBasis must be [{len(mean)}, {len(variance)}]. Received: {list(basis.shape)}")
    if variance.min() < 0:
        raise ValueError(f"{name}/model/pcaVariance must be 0 or more. Received: {variance.min()}")
    scale = np.sqrt(variance) if _orthonormal(file, name) else np.ones(len(variance))
    with np.errstate(over="ignore", invalid="ignore"):
        modes = np.ascontiguousarray(basis.T, np.float32) * scale.astype(np.float32)[:, None]
    if not np.isfinite(modes).all():
        raise ValueError(f"{name}/model holds modes larger than a float can")
    return mean, modes.reshape(len(variance), -1, 3)


def _orthonormal(file: Hdf5File, name: str) -> bool:
    """What the version says of the basis; models without a version are of 0.8."""
    for group in (f"{name}/version", "version"):
        if file.has(f"{group}/minorVersion"):
            major, minor = (int(file.array(f"{group}/{part}").ravel()[0]) for part in ("majorVersion", "minorVersion"))
            if major == 0 and minor in (SCALED_VERSION, ORTHONORMAL_VERSION):
                return minor == ORTHONORMAL_VERSION
            raise ValueError(
                f"{group} must be 0.{SCALED_VERSION} or 0.{ORTHONORMAL_VERSION}. Received: {major}.{minor}"
            )
    return False


def _columns(file: Hdf5File, name: str) -> np.ndarray:
    """`[N, 3]` from `[3, N]`, or from `[N, 3]` as some writers have it."""
    array = file.array(name)
    if array.ndim != 2 or 3 not in array.shape:
        raise ValueError(f"{name} must be [3, N]. Received: {list(array.shape)}")
    return array.T if array.shape[0] == 3 else array


def _landmarks(file: Hdf5File, vertices: np.ndarray, representer: str) -> dict[int, int]:
    """Landmark to vertex. The file gives coordinates on its reference, which is the representer or the mean: the nearer."""
    if not file.has(LANDMARKS):
        return {}
    points = basel_landmarks.named_points(json.loads(file.text(LANDMARKS)))
    if not points:
        return {}
    places = np.array(list(points.values()))
    references = [vertices]
    if file.has(f"{representer}/points"):
        reference = _columns(file, f"{representer}/points")
        references += [reference] if len(reference) == len(vertices) else []
    found = [cKDTree(reference).query(places) for reference in references]
    _, chosen = min(found, key=lambda answer: float(np.median(answer[0])))
    return dict(zip(points, chosen.tolist(), strict=True))
