"""A face model small enough to compute by hand."""

from typing import Any

import numpy as np

from trainer.morphable.model import LandmarkSet, MorphableModel


def build_tiny_model(**changes: Any) -> MorphableModel:
    """A tetrahedron with two identity modes, one expression and one albedo mode; arguments replace fields."""
    corner = np.array([0.25, 0.25, 0.5], np.float32)
    fields: dict[str, Any] = {
        "name": "tiny",
        "mean": np.array([[-1, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0.5, 4]], np.float32),
        "identity": np.stack([np.full((4, 3), 0.5), np.eye(4, 3)]).astype(np.float32),
        "identity_sd": np.array([1.5, 0.5], np.float32),
        "expression": np.tile(np.array([0, -2, 1], np.float32), (1, 4, 1)),
        "expression_names": ("jawOpen",),
        "expression_range": np.array([[0, 1]], np.float32),
        "expression_sd": np.array([0.25], np.float32),
        "albedo_mean": np.full((4, 3), 0.5, np.float32),
        "albedo": np.full((1, 4, 3), 0.2, np.float32),
        "albedo_sd": np.array([0.7], np.float32),
        "triangles": np.array([[0, 1, 3], [1, 2, 3], [2, 0, 3], [0, 2, 1]], np.int32),
        "uv": np.array([[0, 0], [1, 0], [0.5, 1], [0.5, 0.5]], np.float32),
        "landmarks": {"basel": LandmarkSet(np.arange(68) % 4, np.tile(corner, (68, 1)))},
        "regions": {"face": np.array([1, 1, 0, 0.5], np.float32)},
        "mirror": np.array([1, 0, 2, 3], np.int32),
        "provenance": {"source": "by hand", "samples": 3},
        "licence": "CC0-1.0",
    }
    return MorphableModel(**(fields | changes))
