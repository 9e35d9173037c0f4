"""A thing that a head wears and that was made for the default head: its mesh, its texture and its place on the head.

Conventions of `trainer.wardrobe`, for garments and for the makers of procedural things alike:

- Everything is a `trainer.rendering.scene.Surface` in the end, in the model frame of the head that wears it, millimetres.
- Left and right are the person's: x > 0 is the person's left.
- Triangles face outwards, counter-clockwise; cards are drawn from both sides.
- Colours are linear RGB. A *dyed* thing has a grey texture whose mean over what is opaque is its `tint`: its surface's
  colours are `colour / tint`, so that the mean albedo is the colour asked for.
- Textures are `[H, W, 4]` uint8, sRGB and straight alpha; under transparent texels the colour of the nearest opaque ones goes
  on, so that no border shows when they are filtered.
- A maker is `sample_x(model, vertices, rng, …) -> list[Surface]` and draws random numbers only from `rng`.
"""

import dataclasses

import numpy as np

from trainer.rendering.scene import Surface
from trainer.wardrobe.binding import Binding

KINDS = ("torso", "scalp", "hair", "brows", "lashes", "clothes", "hat", "glasses", "beard", "occluder")
"""What a garment can be. `torso` is the bare chest below the head's cut; `scalp` short hair on a shell over the skin, alone or
below longer hair."""

DYES = ("hair", "cloth", "skin")
"""Whose colour a texture takes: that of hair, any, or that of the skin that it is bound to."""


@dataclasses.dataclass(frozen=True, eq=False)
class Garment:
    """One thing of a wardrobe. N vertices, T triangles.

    Raises:
        ValueError: If the kind or the dye is unknown, or shapes or indices do not fit.
    """

    name: str
    kind: str
    """One of `KINDS`."""
    triangles: np.ndarray
    """`[T, 3]` int32."""
    binding: Binding
    """Where its N vertices are on a head."""
    uv: np.ndarray | None = None
    """`[N, 2]` float32 in [0, 1], v upwards."""
    texture: np.ndarray | None = None
    """`[H, W, 4]` uint8 sRGB and straight alpha, first row v = 1."""
    dye: str | None = None
    """One of `DYES`, or None where the texture's colours stay."""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Mean linear RGB of the texture over what is opaque."""
    gloss: float = 1.0
    """Factor on the light's `specular`."""
    covered_head: np.ndarray | None = None
    """`[K]` int32 vertices of the head that it hides: they are drawn deeper, so that no skin pokes through."""
    covered_depth: np.ndarray | None = None
    """`[K]` float32 by how much, millimetres; infinite where they are not drawn at all."""
    covered_torso: np.ndarray | None = None
    """`[M]` int32 triangles of the torso that it hides."""
    licence: str = ""
    """SPDX expression, or what the source says."""
    source: str = ""
    """Where it comes from."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"`kind` must be one of {KINDS}. Received: {self.kind!r} for {self.name!r}")
        if self.dye is not None and self.dye not in DYES:
            raise ValueError(f"`dye` must be None or one of {DYES}. Received: {self.dye!r} for {self.name!r}")
        triangles = np.ascontiguousarray(self.triangles, np.int32)
        if triangles.ndim != 2 or triangles.shape[1] != 3:
            raise ValueError(f"`triangles` of {self.name!r} must be [T, 3]. Received: {list(triangles.shape)}")
        count = len(self.binding.corners)
        if triangles.size and not (triangles.min() >= 0 and triangles.max() < count):
            raise ValueError(
                f"`triangles` of {self.name!r} must be indices in [0, {count}). "
                f"Received: {triangles.min()} to {triangles.max()}"
            )
        object.__setattr__(self, "triangles", _fixed(triangles))
        if (self.uv is None) != (self.texture is None):
            raise ValueError(f"`uv` and `texture` of {self.name!r} must be given together.")
        if self.uv is not None and self.texture is not None:
            uv = np.ascontiguousarray(self.uv, np.float32)
            if uv.shape != (count, 2) or not np.isfinite(uv).all():
                raise ValueError(f"`uv` of {self.name!r} must be finite, [{count}, 2]. Received: {list(uv.shape)}")
            if self.texture.ndim != 3 or self.texture.shape[2] != 4 or self.texture.dtype != np.uint8:
                raise ValueError(
                    f"`texture` of {self.name!r} must be [H, W, 4] uint8. "
                    f"Received: {list(self.texture.shape)} {self.texture.dtype}"
                )
            object.__setattr__(self, "uv", _fixed(uv))
            object.__setattr__(self, "texture", _fixed(self.texture))
        if len(self.tint) != 3 or not all(0 < value <= 1 for value in self.tint):
            raise ValueError(f"`tint` of {self.name!r} must be three numbers in (0, 1]. Received: {self.tint}")

    def fit(self, vertices: np.ndarray, stretch: float = 1.0, carry: np.ndarray | None = None) -> np.ndarray:
        """Its vertices on a head.

        Args:
            vertices: `[V, 3]` of the head with any identity and expression, millimetres, model frame.
            stretch: Factor on anchored offsets: more makes hair fuller and longer.
            carry: What `Binding.carried` gives for this head; None finds it.

        Returns:
            `[N, 3]` float32, likewise.

        Raises:
            ValueError: If this is not the kind of head that the garment was bound to.
        """
        return self.binding.place(vertices, stretch, carry)

    def surface(
        self,
        vertices: np.ndarray,
        color: tuple[float, ...] | np.ndarray | None = None,
        carry: np.ndarray | None = None,
    ) -> Surface:
        """The garment on a head, to be drawn.

        Args:
            vertices: `[V, 3]` of the head.
            color: `[3]` or `[N, 3]` mean linear RGB that a dyed garment takes; None leaves the texture's colours.
            carry: What `Binding.carried` gives for this head; None finds it.
        """
        placed = self.fit(vertices, carry=carry)
        factor = np.ones(3) if color is None else np.asarray(color) / np.asarray(self.tint)
        colors = np.ascontiguousarray(np.broadcast_to(factor, placed.shape), np.float32)
        return Surface(self.kind, placed, self.triangles, colors, self.uv, self.texture, gloss=self.gloss)

    def mirrored(self, mirror_vertex: np.ndarray) -> "Garment":
        """Its mirror image: a parting on the left comes to the right. It hides the same of the torso, which is symmetric.

        Args:
            mirror_vertex: `[V]` the head model's mirror pairs.
        """
        return dataclasses.replace(
            self,
            name=f"{self.name}-mirrored",
            triangles=self.triangles[:, ::-1],
            covered_head=None if self.covered_head is None else mirror_vertex[self.covered_head],
            binding=self.binding.mirrored(mirror_vertex),
        )


def _fixed(array: np.ndarray) -> np.ndarray:
    """The same array, read-only: the renderer keeps what it finds out about such."""
    fixed = array.view()
    fixed.flags.writeable = False
    return fixed
