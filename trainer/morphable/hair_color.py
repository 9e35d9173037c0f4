"""Colour of hair, stubble and brows from the pigments in it."""

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from trainer.morphable.skin import Skin

EUMELANIN_ABSORPTION: Final = (0.419, 0.697, 1.37)
PHEOMELANIN_ABSORPTION: Final = (0.187, 0.4, 1.05)
"""Absorption of linear RGB per unit of concentration (d'Eon et al. 2011, as renderers use it; RENDERED_FACES.md C1)."""

DEPTH: Final = 2.9
"""Hair's albedo is exp(-DEPTH · √absorption): the form of Chiang et al. 2016. Their factor, 5.9, is that of a single fibre;
light that meets many on its way leaves a head of hair about half as dark."""
SURFACE: Final = 0.010
"""Share of light that hair of any colour sends back uncoloured."""
GREY: Final = (0.46, 0.45, 0.43)
"""Linear RGB of hair without pigment."""

DYED_SHARE: Final = 0.03
"""Part of people whose hair has a colour that does not grow."""
GREY_SHARE: Final = 0.16
"""Part of people with some grey hair."""


def hair_color(eumelanin: float, pheomelanin: float, grey: float = 0.0) -> np.ndarray:
    """Albedo of a head of hair.

    Args:
        eumelanin: Concentration, 0 or more: about 0.15 light blond, 0.5 dark blond, 1.3 brown, 8 black.
        pheomelanin: Concentration, 0 or more: up to 0.3 in most hair, about 1.2 in red hair.
        grey: Share of hairs without pigment, in [0, 1].

    Returns:
        `[3]` float32 linear RGB.

    Raises:
        ValueError: If a value is out of its range.
    """
    for name, value, most in (
        ("eumelanin", eumelanin, np.inf),
        ("pheomelanin", pheomelanin, np.inf),
        ("grey", grey, 1),
    ):
        if not 0 <= value <= most:
            raise ValueError(f"`{name}` must be in [0, {most}]. Received: {value}")
    absorption = eumelanin * np.array(EUMELANIN_ABSORPTION) + pheomelanin * np.array(PHEOMELANIN_ABSORPTION)
    pigmented = SURFACE + (1 - SURFACE) * np.exp(-DEPTH * np.sqrt(absorption))
    return ((1 - grey) * pigmented + grey * np.array(GREY)).astype(np.float32)


def sample_hair_color(rng: np.random.Generator, skin: "Skin") -> np.ndarray:
    """A hair colour for a person.

    The lighter the skin, the likelier blond and red hair; dark skin goes with black hair. Some hair is grey, a little dyed.

    Args:
        rng: Source of randomness; the same number of draws whatever comes out.
        skin: The person's skin.

    Returns:
        `[3]` float32 linear RGB.
    """
    kind, amount, red, age, dye = rng.random(5)
    hue = rng.random(3)
    lightness = float(np.clip((0.11 - skin.melanin) / 0.09, 0, 1))
    eumelanin = float(np.exp(np.interp(amount, [0, 0.5, 1], np.log([2.2, 5.0, 9.0]))))
    pheomelanin = 0.25 * red
    if kind < 0.05 * lightness:
        eumelanin, pheomelanin = 0.1 + 0.5 * amount, 0.7 + 0.9 * red
    elif kind < 0.75 * lightness:
        eumelanin = float(np.exp(np.interp(amount, [0, 0.4, 1], np.log([0.12, 0.7, 2.2]))))
    grey = min(1.0, 1.3 * (1 - age / GREY_SHARE)) if age < GREY_SHARE else 0.0
    natural = hair_color(eumelanin, pheomelanin, grey)
    if dye < DYED_SHARE:
        return (0.02 + 0.45 * hue**2).astype(np.float32)
    return natural
