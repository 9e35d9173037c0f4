"""Chance puts something before a face."""

import dataclasses

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe import handheld, hands, neckwear


@dataclasses.dataclass(frozen=True)
class OccluderConfig:
    """How often each kind of thing hides part of a face: fractions in [0, 1], each of them a switch (0 is never).

    At most one thing of a kind, and at most one of those before the face (hand, phone, microphone, cup, shape), is drawn.

    Raises:
        ValueError: If a fraction is not in [0, 1], or those of the things before the face add up to more than 1.
    """

    hand: float = 0.08
    phone: float = 0.025
    microphone: float = 0.02
    cup: float = 0.015
    shape: float = 0.05
    mask: float = 0.015
    scarf: float = 0.035
    turtleneck: float = 0.02

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not 0 <= getattr(self, field.name) <= 1:
                raise ValueError(f"`{field.name}` must be in [0, 1]. Received: {getattr(self, field.name)}")
        if sum(getattr(self, name) for name in BEFORE) > 1 + 1e-9:
            raise ValueError(f"{', '.join(f'`{name}`' for name in BEFORE)} must add up to at most 1. Received: {self}")


BEFORE = ("hand", "phone", "microphone", "cup", "shape")
"""Kinds of which at most one is drawn."""


def sample_occluders(
    model: MorphableModel,
    vertices: np.ndarray,
    rng: np.random.Generator,
    skin_rgb: np.ndarray,
    config: OccluderConfig | None = None,
) -> list[Surface]:
    """What hides part of a face; nothing for most faces.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres.
        rng: Draws it.
        skin_rgb: `[3]` linear RGB of the face, for its hands.
        config: How often what; None is the usual.

    Returns:
        Surfaces, none to a few.
    """
    config = config or OccluderConfig()
    chance = {name: rng.random() for name in ("before", "mask", "scarf", "turtleneck")}
    occluders: list[Surface] = []
    left = chance["before"]
    masked = chance["mask"] < config.mask
    for name in BEFORE:
        fraction = getattr(config, name)
        if 0 <= left < fraction:
            if name == "hand":
                occluders += hands.sample_hands(model, vertices, rng, skin_rgb)
            elif name == "shape":
                occluders += handheld.sample_shape(model, vertices, rng)
            else:
                maker = {
                    "phone": handheld.sample_phone,
                    "microphone": handheld.sample_microphone,
                    "cup": handheld.sample_cup,
                }[name]
                occluders += maker(model, vertices, rng, skin_rgb)
        left -= fraction
    if masked and not occluders:
        occluders += neckwear.sample_mask(model, vertices, rng)
    if chance["scarf"] < config.scarf:
        occluders += neckwear.sample_scarf(model, vertices, rng)
    elif chance["turtleneck"] < config.turtleneck:
        occluders += neckwear.sample_turtleneck(model, vertices, rng)
    return occluders
