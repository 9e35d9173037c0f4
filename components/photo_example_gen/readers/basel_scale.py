"""What turns 300W-LP's coefficients and cameras into those of the Basel Face Model 2009 as `open_model` reads it."""

import dataclasses
import os
from pathlib import Path

import numpy as np

from components.photo_example_gen.labels import LabelError
from trainer.morphable.readers import basel_2009
from trainer.morphable.readers.mat_file import read_mat
from trainer.morphable.readers.open_model import MATLAB, model_files, open_model


@dataclasses.dataclass(frozen=True)
class BaselScale:
    """Scales and origin of the model's files."""

    identity_sigma: np.ndarray
    """`[K]` standard deviation of each of the file's identity coefficients."""
    expression_sigma: np.ndarray
    """`[K]` of each expression coefficient; empty where the files have no expressions."""
    origin: np.ndarray
    """`[3]` origin of the model frame in the file's axes, millimetres."""
    sha256: str
    """Of the model that `open_model` gives."""

    def identity(self, coefficients: np.ndarray) -> np.ndarray:
        """Standard deviations of `Shape_Para`.

        Raises:
            LabelError: If there are more or fewer than the model has.
        """
        return _divided("Shape_Para", coefficients, self.identity_sigma)

    def expression(self, coefficients: np.ndarray) -> np.ndarray | None:
        """Standard deviations of `Exp_Para`; None where the model has no expressions.

        Raises:
            LabelError: If there are more or fewer than the model has.
        """
        return _divided("Exp_Para", coefficients, self.expression_sigma) if self.expression_sigma.size else None

    def camera(self, rotation: np.ndarray, shift: np.ndarray, scale: float) -> np.ndarray:
        """Camera `[f R | t]` of the model frame, `[3, 4]`, in the axes of `shift`: x right, y up, z towards the camera.

        Args:
            rotation: `[3, 3]`.
            shift: `[3]` where the file's origin is, pixels.
            scale: Pixels per micrometre.
        """
        matrix = rotation * (scale / basel_2009.MILLIMETRES)
        return np.column_stack([matrix, shift + matrix @ self.origin])


def basel_scale(path: str | os.PathLike[str], sha256: str | None = None) -> BaselScale | None:
    """Scales and origin of a face model, or None where it is another than Basel's of 2009 in its own files.

    Args:
        path: What `open_model` reads.
        sha256: Hash that the model must have, as for `open_model`.

    Raises:
        FileNotFoundError: If there is nothing at the path.
        ValueError: If it cannot be read, or is not the one that is pinned.
    """
    main, *companions = model_files(path)
    if main.suffix != MATLAB:
        return None
    model = open_model(path, sha256=sha256)
    source = basel_2009.read(Path(path), {})
    mean = source.vertices if source.mean_expression is None else source.vertices + source.mean_expression
    expressions = next((file for file in companions if file.name in basel_2009.EXPRESSIONS), None)
    return BaselScale(
        identity_sigma=_sigma(main, ("sigma", "shapeEV")),
        expression_sigma=np.zeros(0) if expressions is None else _sigma(expressions, ("sigma_exp",)),
        origin=(mean.astype(np.float64) - model.mean).mean(axis=0),
        sha256=model.sha256,
    )


def _sigma(path: Path, names: tuple[str, ...]) -> np.ndarray:
    """`[K]` the first of the variables that the file has; a mode of no spread would make every coefficient infinite."""
    found = read_mat(path, names)
    values = np.asarray(next(iter(found.values())), np.float64).ravel()
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"{path}: `{next(iter(found))}` must hold positive numbers")
    return values


def _divided(name: str, coefficients: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    if coefficients.size != sigma.size:
        raise LabelError(
            "other_face_model", f"`{name}` holds {coefficients.size} coefficients; the face model has {sigma.size}."
        )
    return coefficients / sigma
