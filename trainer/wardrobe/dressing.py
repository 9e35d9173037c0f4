"""Chance dresses a head: which garments and which procedural things it wears, and in which colours."""

import dataclasses
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from trainer.morphable.model import MorphableModel
from trainer.morphable.skin import Skin
from trainer.rendering.scene import Surface
from trainer.wardrobe import clothing, hairdo
from trainer.wardrobe.beard import sample_beard
from trainer.wardrobe.glasses import sample_glasses
from trainer.wardrobe.occluders import OccluderConfig, sample_occluders
from trainer.wardrobe.wardrobe import Wardrobe
from trainer.wardrobe.wearer import Wearer

_STREAMS: Final = ("person", "hat", "hair", "brows", "lashes", "beard", "clothes", "glasses", "occluders")
"""What has chance of its own, so that one switch changes nothing else."""

_WORDS: Final = 3
"""Of 64 bits, that seed each of them."""

MALE_SHARE: Final = 0.5
"""Of those whose skin tells nothing: who wears men's hair and may wear a beard."""
MEN: Final = 0.62
"""Share of all skins that come out as men's so, by which the fraction of beards is divided."""


@dataclasses.dataclass(frozen=True)
class WardrobeConfig:
    """How often each kind of thing is worn: fractions in [0, 1], each of them a switch (0 is never).

    Raises:
        ValueError: If a fraction is not in [0, 1].
    """

    hair: float = 0.92
    """Heads with hair; the others are bald, balding or shaven."""
    brows: float = 1.0
    lashes: float = 0.9
    clothes: float = 0.85
    """Heads with clothes; the others have bare shoulders."""
    torso: float = 1.0
    """Heads with a chest and shoulders below the head's own cut."""
    hat: float = 0.08
    glasses: float = 0.18
    beard: float = 0.2
    occluders: OccluderConfig = dataclasses.field(default_factory=OccluderConfig)
    """Hands, phones, masks and scarves: how often each."""
    folder: str | None = None
    """A folder of further MakeHuman assets, see `Wardrobe.with_folder`."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, float) and not 0 <= value <= 1:
                raise ValueError(f"`{field.name}` must be in [0, 1]. Received: {value}")


class Outfit(NamedTuple):
    """What one head wears."""

    surfaces: list[Surface]
    """To be drawn after the head; garments are named by their kind (`trainer.wardrobe.garment.KINDS`)."""
    vertices: np.ndarray
    """`[V, 3]` float32 of the head as it is to be drawn: skin under clothes lies deeper. Labels need it not."""
    names: tuple[str, ...]
    """What is worn: garments by their names, procedural things by their surfaces'."""


class _Drawn(ISeedSequence):
    """Seed words that are random already: NumPy's seed sequence would take its time to mix them."""

    def __init__(self, words: np.ndarray):
        self._words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray:
        """The first words `[n_words]`."""
        return self._words.view(dtype)[:n_words]


def dress(
    wardrobe: Wardrobe,
    model: MorphableModel,
    vertices: np.ndarray,
    rng: np.random.Generator,
    config: WardrobeConfig,
    skin: Skin,
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
        skin: The head's skin: stubble goes with men's hair, lipstick with women's, and lashes and brows are as it says.
        hair_rgb: `[3]` linear RGB of the hair.
        head_colors: `[V, 3]` linear RGB of the head, whose colours the bare chest continues; None leaves the chest out.

    Returns:
        Surfaces to draw after the head, and the head's vertices to draw.

    Raises:
        ValueError: If the wardrobe was made for another head.
    """
    wardrobe.check(model)
    vertices = np.ascontiguousarray(vertices, np.float32)
    words = rng.integers(0, 2**64, (len(_STREAMS), _WORDS), np.uint64)
    streams = {
        name: np.random.Generator(np.random.SFC64(cast(Any, _Drawn(own))))
        for name, own in zip(_STREAMS, words, strict=True)
    }
    chance = {name: float(stream.random()) for name, stream in streams.items()}
    male = skin.stubble > 0 or (skin.lipstick == 0 and chance["person"] < MALE_SHARE)
    head = Wearer(wardrobe, model, vertices)
    hat = clothing.hat(head, streams["hat"]) if chance["hat"] < config.hat else []
    hair = streams["hair"]
    if chance["hair"] < config.hair:
        hairdo.hair(head, hair, hair_rgb, male, hat)
    elif config.hair > 0:
        hairdo.remains(head, hair, hair_rgb, male)
    if chance["brows"] < config.brows:
        hairdo.brows(head, streams["brows"], hair_rgb, male, skin.brow_density)
    if chance["lashes"] < config.lashes:
        hairdo.lashes(head, streams["lashes"], hair_rgb, male, skin.lashes)
    bearded = male and chance["beard"] * MEN < config.beard
    if bearded:
        head.wear(*sample_beard(model, vertices, streams["beard"], hair_rgb))
    clothed = clothing.clothes(head, streams["clothes"]) if chance["clothes"] < config.clothes else None
    if head_colors is not None and config.torso > 0 and streams["person"].random() < config.torso:
        clothing.torso(head, head_colors, clothed)
    head.wear(*hat)
    if chance["glasses"] < config.glasses:
        head.wear(*sample_glasses(model, vertices, streams["glasses"]))
    skin_rgb = np.asarray(head_colors if head_colors is not None else model.albedo_mean)[head.tables.cheeks].mean(
        axis=0
    )
    head.wear(*sample_occluders(model, vertices, streams["occluders"], skin_rgb, config.occluders, bearded))
    return Outfit(head.surfaces, head.drawn, tuple(head.names))
