"""Face models in the formats in which others distribute them, written from the default head with a few modes."""

import functools
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from trainer.morphable.default import default_head
from trainer.morphable.model import MorphableModel

SHIFT = np.array([3.0, -20.0, 70.0], np.float32)
"""Of the origin in the files, millimetres: nobody else puts it where the contract does."""

IDENTITY_SD = np.array([4.0, 2.5, 1.5])
EXPRESSION_SD = np.array([0.5, 2.0])

NAMES = {
    "right.eye.corner_outer": 36,
    "right.eye.corner_inner": 39,
    "left.eye.corner_inner": 42,
    "left.eye.corner_outer": 45,
    "center.nose.tip": 30,
    "center.nose.attachement_to_philtrum": 33,
    "right.lips.corner": 48,
    "center.lips.upper.outer": 51,
    "left.lips.corner": 54,
    "center.lips.lower.outer": 57,
}


@functools.lru_cache(maxsize=1)
def head() -> MorphableModel:
    """The default head's skin with three identity and two expression modes."""
    return default_head().truncated(3, 2, 2)


def landmark_vertices() -> np.ndarray:
    """`[68]` the heaviest vertex of each landmark of the `basel` set."""
    points = head().landmarks["basel"]
    corners = head().triangles[points.triangles]
    return corners[np.arange(68), points.barycentrics.argmax(axis=1)]


def _column(points: np.ndarray) -> np.ndarray:
    return points.reshape(-1, 1)


def _basis(modes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """`[3V, K]` such that `scale` times a column is the mode."""
    return (modes / scale[:, None, None]).reshape(len(modes), -1).T


def srgb(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def basel_2009() -> dict[str, np.ndarray]:
    """Variables of `01_MorphableModel.mat`."""
    return {
        "shapeMU": _column((head().mean + SHIFT) * 1000).astype(np.float32),
        "shapePC": _basis(head().identity * 1000, IDENTITY_SD).astype(np.float32),
        "shapeEV": IDENTITY_SD[:, None],
        "texMU": _column(srgb(head().albedo_mean) * 255).astype(np.float32),
        "texPC": _basis(head().albedo * 255, np.array([2.0, 5.0])).astype(np.float32),
        "texEV": np.array([[2.0], [5.0]]),
        "tl": head().triangles[:, ::-1].astype(np.float64) + 1,
        "segbin": np.zeros((head().vertex_count, 4), np.uint8),
    }


def trimmed_shape() -> dict[str, np.ndarray]:
    """Variables of `Model_Shape.mat`, as 300W-LP's script makes it."""
    full = basel_2009()
    return {
        "mu_shape": full["shapeMU"],
        "w": full["shapePC"],
        "sigma": full["shapeEV"],
        "mu_tex": full["texMU"],
        "w_tex": full["texPC"],
        "tri": (head().triangles[:, ::-1].T + 1).astype(np.float64),
        "keypoints": landmark_vertices()[None].astype(np.float64) + 1,
        "symlist": np.zeros((2, 5)),
        "segbin": full["segbin"],
    }


def expressions() -> dict[str, np.ndarray]:
    """Variables of `Model_Exp.mat`."""
    return {
        "mu_exp": _column(np.full_like(head().mean, 0.25) * 1000),
        "w_exp": _basis(head().expression * 1000, EXPRESSION_SD).astype(np.float32),
        "sigma_exp": EXPRESSION_SD[:, None],
    }


def save_mat(path: Path, variables: dict[str, Any], compressed: bool = True) -> Path:
    scipy.io.savemat(path, variables, do_compression=compressed)
    return path


def save_mat_73(path: Path, variables: dict[str, np.ndarray]) -> Path:
    """As MATLAB's `-v7.3` does: HDF5 behind 512 bytes of text, axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in variables.items():
            file[name] = np.asarray(array).T
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


def save_basel_h5(path: Path, minor_version: int = 9, **changes: Any) -> Path:
    """A `model2019*.h5`; `changes` replace data sets by name, None leaves one out."""
    scale = {"shape": IDENTITY_SD, "color": np.array([0.02, 0.05]), "expression": EXPRESSION_SD}
    modes = {"shape": head().identity, "color": head().albedo, "expression": head().expression}
    means = {
        "shape": head().mean + SHIFT,
        "color": srgb(head().albedo_mean),
        "expression": np.full_like(head().mean, 0.25),
    }
    content: dict[str, Any] = {}
    for name, sd in scale.items():
        columns = _basis(modes[name], np.ones(len(sd)) if minor_version == 8 else sd)
        content |= {
            f"{name}/model/mean": means[name].ravel().astype(np.float32),
            f"{name}/model/pcaBasis": columns.astype(np.float32),
            f"{name}/model/pcaVariance": np.square(sd).astype(np.float32),
            f"{name}/model/noiseVariance": np.float32(0),
            f"{name}/representer/points": (head().mean + SHIFT).T.astype(np.float32),
            f"{name}/representer/cells": head().triangles.T.astype(np.int32),
            f"{name}/version/majorVersion": np.int32(0),
            f"{name}/version/minorVersion": np.int32(minor_version),
        }
    corners = head().mean[landmark_vertices()] + SHIFT
    entries = [{"id": name, "coordinates": corners[index].tolist()} for name, index in NAMES.items()]
    content["metadata/landmarks/json"] = json.dumps([*entries, {"id": "left.ear.lobule.tip", "coordinates": [0, 0, 0]}])
    with h5py.File(path, "w") as file:
        for name, value in (content | changes).items():
            if value is not None:
                file[name] = value
    return path


def obj_text(vertices: np.ndarray) -> str:
    """An `.obj` of the head, with quads' syntax, texture coordinates and materials."""
    model = head()
    lines = ["# a head", "mtllib material.mtl", "o Model"]
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in model.uv]
    parts = {"M_ScleraLeft": "eyeballs", "M_Teeth": "teeth", "M_GumsTongue": "tongue"}
    left = np.ones(model.triangle_count, bool)
    for material, region in parts.items():
        inside = (model.regions[region] > 0.5)[model.triangles].all(axis=1) & left
        lines += [f"usemtl {material}", *(_faces(model.triangles[inside]))]
        left &= ~inside
    lines += ["usemtl M_Face", *_faces(model.triangles[left]), "usemtl M_EyeLashes", "f 1/1 2/2 3/3"]
    return "\n".join(lines) + "\n"


def _faces(triangles: np.ndarray) -> list[str]:
    return [f"f {a}/{a} {b}/{b} {c}/{c}" for a, b, c in triangles + 1]


def save_ict(folder: Path) -> Path:
    """An ICT-FaceKit distribution with three identities and two expressions."""
    target = folder / "FaceXModel"
    target.mkdir(parents=True)
    mean = (head().mean + SHIFT) / 10
    shapes = {"generic_neutral_mesh": mean}
    shapes |= {f"identity{number:03d}": mean + mode / 10 for number, mode in enumerate(head().identity)}
    names = ["jawOpen", "browDown_L"]
    shapes |= {name: mean + mode / 10 for name, mode in zip(names, head().expression, strict=True)}
    whole = obj_text(mean).splitlines()
    rest = "\n".join(line for line in whole if not line.startswith("v "))
    for name, vertices in shapes.items():
        rows = "\n".join(f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices)
        (target / f"{name}.obj").write_text(f"{rows}\n{rest}\n")
    indices = {"expressions": names, "idx_to_landmark_verts": landmark_vertices().tolist()}
    (target / "vertex_indices.json").write_text(json.dumps(indices))
    return folder
