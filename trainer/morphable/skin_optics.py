"""Colour of skin from what absorbs light in it: melanin above, blood below.

The form and the orders of magnitude are those of a two-layer diffusion fit, ln RGB = base − m·melanin − √b·blood
(RENDERED_FACES.md C1), with a share of light that the surface sends back uncoloured. The fit's blue falls far too fast
with melanin, because a broad band does not follow one exponential; base and slopes are therefore fitted again to faces as
spectrophotometers see them: L*a*b* from (73, 8, 12.5) to (26, 7.5, 7.5), a* about 12 whatever the tone, the highest chroma
in the middle of the range, and through the light and dark skin of the ColorChecker (linear 0.54 0.30 0.22, 0.17 0.08 0.06).
"""

from typing import Final

import numpy as np

from trainer.morphable.skin_kernels import densities

MELANIN_RANGE: Final = (0.013, 0.43)
"""Share of the epidermis' volume that melanosomes take, from the lightest to the darkest skin."""
BLOOD_RANGE: Final = (0.002, 0.07)
"""Share of the dermis' volume that blood takes: resting face 0.3 to 2 %, cheeks, nose, ears and lips up to 7 %."""

BASE: Final = np.array([-0.23, -0.31, -0.54], np.float32)
"""Natural logarithm of linear RGB without melanin and blood."""
MELANIN_DENSITY: Final = np.array([5.4, 7.0, 8.4], np.float32)
"""Density per share of melanin."""
BLOOD_DENSITY: Final = np.array([1.9, 5.0, 5.3], np.float32)
"""Density per root of the share of blood."""
CAROTENE_DENSITY: Final = np.array([0.0, 0.02, 0.12], np.float32)
"""Density that the yellow pigment of most people lacks of that of the yellowest; people differ in b* far more than in a*."""
SURFACE: Final = 0.020
"""Share of light that leaves any skin uncoloured: without it dark skin loses its blue and green."""

SLOPES: Final = -np.stack([MELANIN_DENSITY, BLOOD_DENSITY])
"""`[2, 3]` change of the logarithm per melanin, and per root of blood."""


def skin_tone(melanin: np.ndarray | float, blood: np.ndarray | float) -> np.ndarray:
    """Albedo of skin.

    Args:
        melanin: `[...]` share of melanosomes in the epidermis, 0 or more; skin has `MELANIN_RANGE`.
        blood: `[...]` share of blood in the dermis, 0 or more; skin has `BLOOD_RANGE`.

    Returns:
        `[..., 3]` float32 linear RGB under D65, in (0, 1).
    """
    shares = np.broadcast_arrays(np.float32(melanin), np.float32(blood))
    flat = [np.ascontiguousarray(share).reshape(-1) for share in shares]
    color = np.empty((len(flat[0]), 3), np.float32)
    densities(flat[0], flat[1], BASE, SLOPES, color)
    np.exp(color, out=color)
    color *= np.float32(1 - SURFACE)
    color += np.float32(SURFACE)
    return color.reshape(*shares[0].shape, 3)


def tone_of(color: np.ndarray) -> tuple[float, float]:
    """The melanin and blood whose skin comes nearest to a colour; the inverse of `skin_tone`.

    Args:
        color: `[3]` linear RGB.

    Returns:
        Shares of melanin and blood, clipped to `MELANIN_RANGE` and `BLOOD_RANGE`.
    """
    density = np.log(np.maximum((np.asarray(color, np.float64) - SURFACE) / (1 - SURFACE), 1e-3)) - BASE
    (melanin, root), *_ = np.linalg.lstsq(SLOPES.T.astype(np.float64), density, rcond=None)
    return (
        float(np.clip(melanin, *MELANIN_RANGE)),
        float(np.clip(max(root, 0.0) ** 2, *BLOOD_RANGE)),
    )
