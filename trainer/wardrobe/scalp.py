"""Short hair as a shell just above the scalp, with a painted cut-out: alone it is a crop, below longer hair it hides the skin.

Its texture is a map of the skull seen from the crown: direction from the crown is direction in the picture, distance from the
middle is the angle at the skull's centre. Hairs run outwards from the crown, so that strands are noise over direction.
"""

from typing import Final

import numpy as np
import scipy.interpolate
import scipy.ndimage

from trainer.morphable.model import MorphableModel
from trainer.wardrobe.binding import Binding
from trainer.wardrobe.cutting import vertex_normals
from trainer.wardrobe.garment import Garment
from trainer.wardrobe.tailor import anchors_of
from trainer.wardrobe.textures import GREY_MEAN, encoded, mean_color

CENTER: Final = (0.0, 20.0, -85.0)
"""Middle of the skull, millimetres, model frame."""
CROWN: Final = (0.0, 0.92, -0.39)
"""Direction from there to the crown."""
WIDEST: Final = 140.0
"""Angle from the crown at the picture's border, degrees."""
SIZE: Final = 256
"""Texels a side."""
SEED: Final = 20240611

STYLES: Final = {
    "roots": {"lift": 0.4, "density": 1.35},
    "cropped": {"lift": 1.6, "density": 1.0},
    "shaven": {"lift": 0.7, "density": 0.55},
    "receding": {"lift": 1.5, "density": 0.95, "temples": 1.0},
    "horseshoe": {"lift": 1.5, "density": 0.9, "temples": 0.7, "top": 1.0},
}
"""Style to the shell's height above the skin in millimetres, how much of the skin it hides (more than 1 leaves no gaps), and how
far hair is lost at the temples and on the top, 0 to 1."""


def build_scalps(model: MorphableModel, licence: str, source: str) -> list[Garment]:
    """Short hair in every style.

    Args:
        model: The default head, with a region `scalp`.
        licence: Of the head.
        source: What made them.
    """
    used = model.triangles[(model.regions["scalp"][model.triangles] > 0.02).any(axis=1)]
    vertices, triangles = np.unique(used, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    uv = crown_map(model.mean[vertices])
    weight, height = _pictures(uv, np.stack([model.regions["scalp"][vertices], model.mean[vertices, 2]], axis=1))
    anchors = anchors_of("scalp", model)
    normals = vertex_normals(model.mean, model.triangles)[vertices]
    corners = np.repeat(vertices[:, None], 3, axis=1)
    garments = []
    for name, style in STYLES.items():
        texture = _texture(weight, height, style.get("temples", 0.0), style.get("top", 0.0), style["density"])
        offsets = (style["lift"] * normals).astype(np.float16)
        binding = Binding(
            corners, np.tile(np.eye(3, dtype=np.float32)[0], (len(vertices), 1)), offsets, anchors, model.mean[anchors]
        )
        garments.append(
            Garment(
                name=name,
                kind="scalp",
                triangles=triangles,
                binding=binding,
                uv=uv.astype(np.float16),
                texture=texture,
                dye="hair",
                tint=mean_color(texture),
                gloss=0.6,
                licence=licence,
                source=source,
            )
        )
    return garments


def crown_map(places: np.ndarray) -> np.ndarray:
    """`[N, 2]` texture coordinates of places `[N, 3]` around the skull: its map seen from the crown."""
    up = np.asarray(CROWN) / np.linalg.norm(CROWN)
    side = np.array([1.0, 0.0, 0.0])
    front = np.cross(side, up)
    away = (places - CENTER) / np.linalg.norm(places - CENTER, axis=1, keepdims=True)
    radius = np.degrees(np.arccos(np.clip(away @ up, -1, 1))) / WIDEST / 2
    across, ahead = away @ side, away @ front
    length = np.maximum(np.hypot(across, ahead), 1e-9)
    return np.stack([0.5 + radius * across / length, 0.5 - radius * ahead / length], axis=1)


def _pictures(uv: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`[C, SIZE, SIZE]` pictures of values `[N, C]` known at texture coordinates."""
    centers = (np.arange(SIZE) + 0.5) / SIZE
    u, v = np.meshgrid(centers, 1 - centers)
    pictures = scipy.interpolate.LinearNDInterpolator(uv, values)(u, v)
    nearest = scipy.interpolate.NearestNDInterpolator(uv, values)(u, v)
    return np.moveaxis(np.where(np.isfinite(pictures), pictures, nearest), -1, 0)


def _texture(weight: np.ndarray, depth: np.ndarray, temples: float, top: float, density: float) -> np.ndarray:
    """`[SIZE, SIZE, 4]` of hair where the scalp has weight, less at the temples and on the top."""
    rng = np.random.default_rng(SEED)
    centers = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    across, down = np.meshgrid(centers, centers)
    angle, radius = np.arctan2(across, down), np.hypot(across, down) * 2 * WIDEST
    strands, clumps = _noise(rng, angle, radius, 420, 9), _noise(rng, angle, radius, 90, 5)
    lost = temples * np.exp(-np.square((np.abs(np.degrees(angle)) - 32) / 17) - np.square((radius - 76) / 26)) * 1.4
    lost = np.maximum(lost, top * _step((62 - np.hypot(radius * np.sin(angle), radius * np.cos(angle) - 22)) / 26))
    alpha = _step((weight * (1 - np.clip(lost, 0, 1)) - 0.42 + 0.30 * strands) / 0.5 + 0.1)
    alpha = np.clip(density * alpha * (0.86 + 0.3 * strands), 0, 1)
    detail = GREY_MEAN * np.clip(1 + 0.45 * strands + 0.25 * clumps, 0.2, 2.4)
    return encoded(np.repeat(detail[..., None], 3, axis=-1), alpha)


def _noise(rng: np.random.Generator, angle: np.ndarray, radius: np.ndarray, around: int, along: int) -> np.ndarray:
    """Smooth noise in about [−1, 1]: `around` cells about the crown, `along` from it to the border."""
    table = rng.uniform(-1, 1, (along + 1, around))
    columns = (angle / (2 * np.pi) % 1) * around
    rows = radius / (2**0.5 * WIDEST) * along
    wrapped = np.concatenate([table, table[:, :1]], axis=1)
    return scipy.ndimage.map_coordinates(wrapped, [rows, columns], order=1, mode="nearest")


def _step(value: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, smooth between."""
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)
