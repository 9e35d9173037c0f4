"""Chance dresses a head: which garments, of which colours."""

import dataclasses
from typing import NamedTuple

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe.wardrobe import Wardrobe


@dataclasses.dataclass(frozen=True)
class WardrobeConfig:
    """How often each kind of thing is worn: fractions in [0, 1], each of them a switch (0 is never).

    Raises:
        ValueError: If a fraction is not in [0, 1].
    """

    hair: float = 0.92
    """Heads with hair; the others are bald or shaven."""
    brows: float = 1.0
    lashes: float = 0.9
    clothes: float = 0.85
    hat: float = 0.08
    glasses: float = 0.18
    beard: float = 0.25
    occluder: float = 0.15
    """Hands, phones, masks and scarves before the face."""
    folder: str | None = None
    """A folder of further MakeHuman assets, see `Wardrobe.with_folder`."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name != "folder" and not 0 <= value <= 1:
                raise ValueError(f"`{field.name}` must be in [0, 1]. Received: {value}")


class Outfit(NamedTuple):
    """What one head wears."""

    surfaces: list[Surface]
    """To be drawn after the head; each is named by its kind (`trainer.wardrobe.garment.KINDS`)."""
    vertices: np.ndarray
    """`[V, 3]` float32 of the head as it is to be drawn: skin under clothes lies a little deeper. Labels need it not."""
    names: tuple[str, ...]
    """What is worn, garment by garment."""


def dress(
    wardrobe: Wardrobe,
    model: MorphableModel,
    vertices: np.ndarray,
    rng: np.random.Generator,
    config: WardrobeConfig,
    skin: object,
    hair_rgb: np.ndarray,
    head_colors: np.ndarray | None = None,
) -> Outfit:
    """What one head wears.

    Args:
        wardrobe: Garments bound to the model's topology.
        model: The head's model.
        vertices: `[V, 3]` of the head, millimetres, model frame.
        rng: Where chance comes from.
        config: How often what is worn.
        skin: The head's skin (`trainer.morphable.skin.Skin`).
        hair_rgb: `[3]` linear RGB of the hair.
        head_colors: `[V, 3]` linear RGB of the head, whose colours the bare chest continues; None leaves the chest out.

    Returns:
        Surfaces to draw after the head, and the head's vertices to draw.

    Raises:
        ValueError: If the wardrobe was made for another head.
    """
    wardrobe.check(model)
    worn: list[Surface] = []
    names: list[str] = []
    for kind in ("hair", "brows", "lashes", "clothes", "hat", "glasses", "beard", "occluder"):
        garments = wardrobe.of_kind(kind)
        chance, choice = rng.uniform(), rng.uniform()
        if garments and chance < getattr(config, kind):
            garment = garments[int(choice * len(garments))]
            worn.append(garment.surface(vertices, model.triangles, hair_rgb if garment.dye == "hair" else None))
            names.append(garment.name)
    return Outfit(worn, np.asarray(vertices, np.float32), tuple(names))
