"""What a picture is taken of: surfaces, and one camera and light or a batch of them."""

import dataclasses
from typing import Any

import numpy as np

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
    """An order-2 spherical-harmonic environment, one parallel light and any number of lamps nearby; arrays or tensors.

    Directions and places are in the camera-aligned model frame (x to the image's right, y up, z towards the viewer): the
    light stays with the camera when the head turns. `trainer.rendering.lighting` says what the numbers mean.

    Raises:
        ValueError: If `harmonics` is not `[..., 9, 3]`, a direction or colour not `[..., 3]`, or the lamps' places and colours
            do not both come as `[..., P, 3]`.
    """

    harmonics: Any
    """`[..., 9, 3]` radiance of the environment, linear RGB; order L00, L1-1 (y), L10 (z), L11 (x), L2-2, L2-1, L20, L21, L22."""
    direction: Any
    """`[..., 3]` unit vector towards the parallel light."""
    color: Any
    """`[..., 3]` linear RGB of the parallel light: what a white matt surface that faces it sends back."""
    specular: Any
    """`[..., 3]` share of the parallel light and of the lamps that the surface mirrors, in [0, 1]."""
    shininess: Any
    """`[...]` exponent of the highlight, 0 or more."""
    lamp_positions: Any = None
    """`[..., P, 3]` point lights, millimetres from the model frame's origin; None is none."""
    lamp_colors: Any = None
    """`[..., P, 3]` linear RGB: what a white matt surface at the model frame's origin that faces the lamp sends back; it falls
    off with the square of the distance."""
    specular_complement: Any = None
    """`[...]` in [0, 1]: how far the mirrored share gives way to the albedo, `specular` (1 - m albedo); None is 0."""

    def __post_init__(self) -> None:
        if tuple(self.harmonics.shape[-2:]) != (HARMONICS_COUNT, 3):
            raise ValueError(
                f"`harmonics` must be [..., {HARMONICS_COUNT}, 3]. Received: {tuple(self.harmonics.shape)}"
            )
        for name in ("direction", "color", "specular"):
            shape = tuple(getattr(self, name).shape)
            if shape[-1:] != (3,):
                raise ValueError(f"`{name}` must be [..., 3]. Received: {shape}")
        if (self.lamp_positions is None) != (self.lamp_colors is None):
            raise ValueError("`lamp_positions` and `lamp_colors` must be given together.")
        if self.lamp_positions is not None:
            places, colors = tuple(self.lamp_positions.shape), tuple(self.lamp_colors.shape)
            if len(places) < 2 or places[-1] != 3 or places != colors:
                raise ValueError(
                    f"`lamp_positions` and `lamp_colors` must both be [..., P, 3]. Received: {places} and {colors}"
                )


@dataclasses.dataclass(frozen=True)
class Surface:
    """One mesh of a scene that the forward renderer draws: the head, or something that it wears or that hides it. NumPy.

    Raises:
        ValueError: If a texture comes without texture coordinates, or the opacity is not in [0, 1].
    """

    name: str
    """What it is: `head`, `hair`, `glasses`, …"""
    vertices: np.ndarray
    """`[V, 3]` float32 millimetres, model frame: it turns with the head."""
    triangles: np.ndarray
    """`[T, 3]` int32, counter-clockwise seen from outside."""
    colors: np.ndarray
    """`[V, 3]` float32 linear RGB albedo; multiplied with the texture's colour where there is one."""
    uv: np.ndarray | None = None
    """`[V, 2]` float32 in [0, 1], v upwards."""
    texture: np.ndarray | None = None
    """`[H, W, 4]` uint8 sRGB and straight alpha; its first row is v = 1."""
    opacity: float = 1.0
    """Factor on alpha. What lies between 0 and 1 covers that share of the samples of a pixel."""
    two_sided: bool = True
    """False draws front faces only."""
    gloss: float = 1.0
    """Factor on the light's `specular`."""

    def __post_init__(self) -> None:
        if self.texture is not None and self.uv is None:
            raise ValueError(f"`uv` must be given for the texture of {self.name!r}. Received: None")
        if not 0 <= self.opacity <= 1:
            raise ValueError(f"`opacity` must be in [0, 1]. Received: {self.opacity} for {self.name!r}")
