"""Free-form deformation of nose and chin: lattice of trivariate Bernstein polynomials (Sederberg and Parry 1986).

A box of control points surrounds nose and chin. A point with lattice coordinates (s, t, u) in [0, 1]³ that is drawn through the
lattice moves by the sum over control points of B_i(s) B_j(t) B_k(u) times the control point's displacement (their equation 2;
undisplaced control points give the point back, so that only displacements enter). Only control points at least two steps inside
the lattice move: there polynomials and slopes are 0 on its boundary, and the deformation fades out without a crease.

As in Piao et al. 2019, the control points next to the nose's tip and those next to the chin's tip move, each group as one and
within the plane of symmetry. The coordinates (s, t, u) of a vertex are those of the model's mean, whoever the face is: the
deformation is linear in its coefficients, and can be added to a mesh like an expression.
"""

import math
from typing import Any

import numpy as np

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.model import MorphableModel

LATTICE_DEGREES = (6, 12, 6)
"""Degrees of the polynomials along x, y, z: one less than the number of control points."""

COEFFICIENT_NAMES = ("nose_y", "nose_z", "chin_y", "chin_z")
"""Displacement upwards and forwards of the control points next to each tip, in the lattice's length."""

_NEIGHBOURS = 1
"""Control points within this many steps of the one nearest to a tip, along each axis, move with it."""

_FIXED_RIM = 2
"""Control points in so many outer layers never move."""


class FreeForm:
    """Free-form deformation of one model.

    Args:
        model: Any model with the landmark set `landmark_set`; its plane of symmetry is x = 0.
        landmark_set: Where nose and chin are.

    Raises:
        ValueError: If the model has no such set, or its chin is not below its nose.
    """

    def __init__(self, model: MorphableModel, landmark_set: str = "basel"):
        points = model.landmark_points(model.mean, landmark_set).astype(np.float64)
        jaw = LANDMARK_GROUPS["jaw"]
        nose, chin = points[LANDMARK_GROUPS["nose_bridge"][-1]], points[jaw[len(jaw) // 2]]
        apart = float(nose[1] - chin[1])
        if not apart > 0:
            raise ValueError(
                f"`model` must have its chin below its nose. Received: {model.name!r}, {apart:g} mm above it"
            )
        middle = np.array([0.0, (nose[1] + chin[1]) / 2, (nose[2] + chin[2]) / 2])
        self.origin = middle - apart * np.array([0.75, 1.0, 1.0])
        """`[3]` least corner of the lattice, millimetres, model frame."""
        self.size = apart * np.array([1.5, 2.0, 2.0])
        """`[3]` edges of the lattice, millimetres; the tips are at 1/4 and 3/4 of its height."""
        self.length = float(self.size.max())
        """The lattice's length, millimetres: the unit of the coefficients."""
        coordinates = (model.mean - self.origin) / self.size
        inside = ((coordinates >= 0) & (coordinates <= 1)).all(axis=1)
        weights = [
            np.where(inside, _group_weight(coordinates, (tip - self.origin) / self.size), 0.0) for tip in (nose, chin)
        ]
        basis = np.zeros((len(COEFFICIENT_NAMES), model.vertex_count, 3), np.float32)
        for index, weight in enumerate(weights):
            basis[2 * index, :, 1] = basis[2 * index + 1, :, 2] = self.length * weight
        basis.flags.writeable = False
        self.basis = basis
        """`[K, V, 3]` float32 displacement of each vertex per unit of a coefficient, millimetres."""

    def sample(self, rng: np.random.Generator, sd: float = 0.001) -> np.ndarray:
        """Draws coefficients.

        Args:
            rng: Source of randomness.
            sd: Standard deviation, in the lattice's length; Piao et al.'s by default, under which vertices move by some
                hundredths of a millimetre. Faces stay plausible up to about 0.1.

        Returns:
            `[K]` float32, in the order of `COEFFICIENT_NAMES`: `contract.MORPHABLE_FREEFORM`.

        Raises:
            ValueError: If `sd` is negative.
        """
        if not sd >= 0:
            raise ValueError(f"`sd` must be 0 or more. Received: sd={sd}")
        return rng.normal(0, sd, len(COEFFICIENT_NAMES)).astype(np.float32)

    def deform(self, vertices: np.ndarray, coefficients: Any) -> np.ndarray:
        """Moves the vertices of a face.

        Args:
            vertices: `[V, 3]` or `[B, V, 3]` float32 millimetres, model frame.
            coefficients: `[K]` or `[B, K]`, in the lattice's length.

        Returns:
            `[V, 3]` or `[B, V, 3]` float32; the vertices themselves where all coefficients are 0.

        Raises:
            ValueError: If a shape does not fit.
        """
        coefficients = np.asarray(coefficients, np.float32)
        if vertices.shape[-2:] != self.basis.shape[1:]:
            raise ValueError(f"`vertices` must be [..., {self.basis.shape[1]}, 3]. Received: {vertices.shape}")
        if coefficients.shape[-1:] != (len(self.basis),):
            raise ValueError(f"`coefficients` must be [..., {len(self.basis)}]. Received: {coefficients.shape}")
        return vertices + np.tensordot(coefficients, self.basis, axes=1)


def bernstein(degree: int, position: Any) -> np.ndarray:
    """Bernstein polynomials.

    Args:
        degree: n.
        position: `[...]` in [0, 1].

    Returns:
        `[..., n + 1]`: binomial(n, i) (1 - s)^(n - i) s^i.
    """
    position = np.asarray(position, np.float64)[..., None]
    index = np.arange(degree + 1)
    binomial = np.array([math.comb(degree, i) for i in index])
    return binomial * (1 - position) ** (degree - index) * position**index


def _group_weight(coordinates: np.ndarray, tip: np.ndarray) -> np.ndarray:
    """`[V]` sum of the weights that the control points next to a tip have at vertices, both in lattice coordinates."""
    weight = np.ones(len(coordinates))
    for axis, degree in enumerate(LATTICE_DEGREES):
        nearest = round(float(tip[axis]) * degree)
        first = max(nearest - _NEIGHBOURS, _FIXED_RIM)
        last = min(nearest + _NEIGHBOURS, degree - _FIXED_RIM)
        # A tip beside the lattice's middle layers takes the layer nearest to it.
        first, last = min(first, degree - _FIXED_RIM), max(last, _FIXED_RIM)
        weight *= bernstein(degree, np.clip(coordinates[:, axis], 0, 1))[:, first : last + 1].sum(axis=1)
    return weight
