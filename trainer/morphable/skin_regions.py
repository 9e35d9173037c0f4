"""Regions of a face that skin is painted by: the model's own, or laid around the 68 landmarks where it has none."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.landmark_fields import closed, near, ramp, smooth_outline, within
from trainer.morphable.skin_features import LASH_REACH, LOWER_LASHES, lid_edges

FRONT_DEPTH: Final = 45.0
"""A face's front reaches this far behind its outer eye corners, millimetres."""
NOSE_REACH: Final = (9.0, 17.0)
NOSTRIL: Final = (0.2, 0.45, 0.35)
"""A nostril's middle as a mean of the nose's tip and of the base's outer and next point."""
NOSTRIL_REACH: Final = (4.5, 7.0)
CHEEK_REACH: Final = (16.0, 34.0)
LID_REACH: Final = (5.0, 11.0)
SURROUND: Final = (3.0, 9.0)
"""Regions around landmarks are 1 up to the first distance and 0 from the second on, millimetres."""
LIP_DEPTH: Final = 14.0
"""Lips lie no deeper than this behind their landmarks."""
NECK_DROP: Final = (5.0, 30.0)
"""Distances below the chin between which the neck begins."""


def find(
    vertices: np.ndarray, regions: Mapping[str, np.ndarray], points: np.ndarray, visible: np.ndarray
) -> dict[str, np.ndarray]:
    """Every region that skin differs by.

    Args:
        vertices: `[V, 3]` mean face, millimetres, model frame.
        regions: The model's own, name to `[V]`.
        points: `[68, 3]` landmarks of the mean face.
        visible: `[V]` bool, seen from the front.

    Returns:
        Name to `[V]` weights in [0, 1]: `face`, `lips`, `nose`, `cheeks`, `ears`, `eyelids`, `beard`, `scalp`, `neck`,
        `teeth`, `tongue`, `mouth_interior`, `nostrils` (and what is around them), `eye_shadow` (upper lid), `under_eye`,
        `lashes` (the lids' edges), and `inside`, all that is not skin.
    """
    laid = _laid(vertices, points)
    found = {
        name: np.asarray(regions[name], np.float64) if name in regions else laid.get(name, np.zeros(len(vertices)))
        for name in (
            *("face", "lips", "nose", "cheeks", "ears", "eyelids", "beard", "scalp", "neck"),
            *("teeth", "tongue", "mouth_interior", "eyeballs"),
        )
    }
    inside = np.max([found[name] for name in ("teeth", "tongue", "mouth_interior", "eyeballs")], axis=0)
    skin = 1 - inside
    for name in ("face", "lips", "nose", "cheeks", "ears", "eyelids", "beard", "scalp", "neck"):
        found[name] = found[name] * skin
    for name in ("nostrils", "eye_shadow", "under_eye", "lashes"):
        found[name] = laid[name] * skin
    if found["eyeballs"].max() > 0.5:
        found["lashes"] = lid_edges(vertices, points, found["eyeballs"] > 0.5, visible) * skin
    found["beard"] *= 1 - found["lips"]
    found["inside"] = inside
    del found["eyeballs"]
    return found


def _laid(vertices: np.ndarray, points: np.ndarray) -> dict[str, np.ndarray]:
    """Regions by landmarks alone."""
    group = {name: points[list(indices)] for name, indices in LANDMARK_GROUPS.items()}
    depth = min(group["right_eye"][:, 2].min(), group["left_eye"][:, 2].min()) - FRONT_DEPTH
    front = ramp(vertices[:, 2], depth - 15, depth + 15)
    chin = group["jaw"][len(group["jaw"]) // 2]
    neck = ramp(chin[1] - vertices[:, 1], *NECK_DROP)
    brows_top = max(group["right_brow"][:, 1].max(), group["left_brow"][:, 1].max())
    face = front * (1 - neck) * (1 - ramp(vertices[:, 1], brows_top + 40, brows_top + 70))
    nose = near(vertices, np.concatenate([group["nose_bridge"], group["nose_base"]]), *NOSE_REACH)
    base, tip = group["nose_base"], group["nose_bridge"][-1]
    middles = [NOSTRIL @ np.array([tip, *side]) for side in (base[:2], base[:-3:-1])]
    nostrils = np.max([near(vertices, middle[None], *NOSTRIL_REACH) for middle in middles], axis=0)
    shallow = vertices[:, 2] > group["outer_lips"][:, 2].min() - LIP_DEPTH
    rim = near(vertices, closed(group["outer_lips"]), 0.0, 1.5)
    lips = np.where(within(vertices, group["outer_lips"]), 1.0, 0.6 * rim) * shallow
    lids = np.zeros(len(vertices))
    shadow, under, lashes = np.zeros(len(vertices)), np.zeros(len(vertices)), np.zeros(len(vertices))
    cheeks = np.zeros(len(vertices))
    jaw, mouth = group["jaw"], group["outer_lips"]
    for name, corner, ear in (("right_eye", 0, 1), ("left_eye", 6, -2)):
        eye = group[name]
        edge = smooth_outline(eye)
        lids = np.maximum(lids, near(vertices, edge, *LID_REACH))
        around = near(vertices, edge, *SURROUND)
        middle = eye.mean(axis=0)
        above = ramp(vertices[:, 1] - middle[1], -1.0, 3.0)
        shadow = np.maximum(shadow, around * above)
        below = near(vertices, eye[[0, 3, 4, 5]] - [0.0, 8.0, 0.0], 3.0, 10.0) * (1 - above)
        under = np.maximum(under, below)
        lashes = np.maximum(lashes, near(vertices, edge, *LASH_REACH) * (LOWER_LASHES + (1 - LOWER_LASHES) * above))
        outside = eye[0] if name == "right_eye" else eye[3]
        heart = 0.44 * (outside + mouth[corner]) + 0.12 * jaw[ear]
        cheeks = np.maximum(cheeks, near(vertices, heart[None], *CHEEK_REACH))
    return {
        "face": face,
        "lips": lips,
        "nose": nose * front,
        "nostrils": nostrils,
        "cheeks": cheeks * front,
        "eyelids": lids,
        "beard": _beard(vertices, group) * front,
        "neck": neck,
        "eye_shadow": shadow,
        "under_eye": under,
        "lashes": lashes,
    }


def _beard(vertices: np.ndarray, group: Mapping[str, np.ndarray]) -> np.ndarray:
    """Below the nose and the hollows of the cheeks, down to the underside of the jaw."""
    jaw, nose, mouth = group["jaw"], group["nose_base"], group["outer_lips"]
    top_x = [
        jaw[1, 0],
        (jaw[2, 0] + mouth[0, 0]) / 2,
        nose[0, 0],
        nose[-1, 0],
        (jaw[-3, 0] + mouth[6, 0]) / 2,
        jaw[-2, 0],
    ]
    base = nose[:, 1].min() - 3
    top_y = [jaw[1, 1], mouth[0, 1] + 4, base, base, mouth[6, 1] + 4, jaw[-2, 1]]
    below_top = ramp(np.interp(vertices[:, 0], top_x, top_y) - vertices[:, 1], -2.0, 8.0)
    chin = jaw[len(jaw) // 2]
    return below_top * (1 - ramp(chin[1] - vertices[:, 1], 5.0, 30.0))
