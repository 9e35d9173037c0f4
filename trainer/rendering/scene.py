"""What a picture is taken of, apart from the mesh: a camera and a light, one or a batch of them."""

import dataclasses
from typing import Any

from trainer import contract

HARMONICS_COUNT = 9
"""Spherical-harmonic coefficients up to order 2, per colour channel."""


@dataclasses.dataclass(frozen=True)
class Camera:
    """A camera by the contract's conventions; arrays or tensors.

    Raises:
        ValueError: If the kind is unknown, the matrix is not `[..., 3, 4]`, or a perspective camera has no field of view.
    """

    kind: str
    """`contract.SCALED_ORTHOGRAPHIC` or `contract.PERSPECTIVE`."""
    matrix: Any
    """`[..., 3, 4]`: `[f R | t]` or `[R | t]`, see `trainer.contract`."""
    field_of_view: Any = None
    """`[...]` vertical, degrees, in (0, 180); perspective only."""

    def __post_init__(self) -> None:
        if self.kind not in (contract.SCALED_ORTHOGRAPHIC, contract.PERSPECTIVE):
            raise ValueError(
                f"`kind` must be {contract.SCALED_ORTHOGRAPHIC!r} or {contract.PERSPECTIVE!r}. Received: {self.kind!r}"
            )
        if tuple(self.matrix.shape[-2:]) != (3, 4):
            raise ValueError(f"`matrix` must be [..., 3, 4]. Received: {tuple(self.matrix.shape)}")
        if self.kind == contract.PERSPECTIVE and self.field_of_view is None:
            raise ValueError("`field_of_view` must be given for a perspective camera. Received: None")


@dataclasses.dataclass(frozen=True)
class Light:
    """Distant light: an order-2 spherical-harmonic environment and one parallel light; arrays or tensors.

    Directions are in the camera-aligned model frame (x to the image's right, y up, z towards the viewer): the light stays
    with the camera when the head turns. `trainer.rendering.lighting` says what the numbers mean.

    Raises:
        ValueError: If `harmonics` is not `[..., 9, 3]` or a direction or colour not `[..., 3]`.
    """

    harmonics: Any
    """`[..., 9, 3]` radiance of the environment, linear RGB; order L00, L1-1 (y), L10 (z), L11 (x), L2-2, L2-1, L20, L21, L22."""
    direction: Any
    """`[..., 3]` unit vector towards the parallel light."""
    color: Any
    """`[..., 3]` linear RGB of the parallel light: what a white matt surface that faces it sends back."""
    specular: Any
    """`[..., 3]` share of the parallel light that the surface mirrors, in [0, 1]."""
    shininess: Any
    """`[...]` exponent of the highlight, 0 or more."""

    def __post_init__(self) -> None:
        if tuple(self.harmonics.shape[-2:]) != (HARMONICS_COUNT, 3):
            raise ValueError(
                f"`harmonics` must be [..., {HARMONICS_COUNT}, 3]. Received: {tuple(self.harmonics.shape)}"
            )
        for name in ("direction", "color", "specular"):
            shape = tuple(getattr(self, name).shape)
            if shape[-1:] != (3,):
                raise ValueError(f"`{name}` must be [..., 3]. Received: {shape}")
