"""Regions of a face that skin is painted by: the model's own, or laid around the 68 landmarks where it has none."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import scipy.sparse
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.eyeball import IRIS_RADIUS

FRONT_DEPTH: Final = 45.0
"""A face's front reaches this far behind its outer eye corners, millimetres."""
NOSE_REACH: Final = (9.0, 17.0)
CHEEK_REACH: Final = (16.0, 34.0)
LID_REACH: Final = (5.0, 11.0)
SURROUND: Final = (3.0, 9.0)
"""Regions around landmarks are 1 up to the first distance and 0 from the second on, millimetres."""
LIP_DEPTH: Final = 14.0
"""Lips lie no deeper than this behind their landmarks."""
LASH_REACH: Final = (0.9, 2.6)
"""Of the dark line along the lids' edges."""
LOWER_LASHES: Final = 0.4
"""Strength of that of the lower lid."""
LID_COLUMNS: Final = 25
LID_COLUMN: Final = 0.9
"""Columns, and half their width in millimetres, in which the lids' edges are looked for."""
NECK_DROP: Final = (5.0, 30.0)
"""Distances below the chin between which the neck begins."""
BROW_REACH: Final = 11.0
"""How far above and below its landmarks a brow may lie, millimetres."""


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
        `teeth`, `tongue`, `mouth_interior`, `eye_shadow` (upper lid), `under_eye`, `lashes` (the lids' edges), and `inside`,
        all that is not skin.
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
    for name in ("eye_shadow", "under_eye", "lashes"):
        found[name] = laid[name] * skin
    if found["eyeballs"].max() > 0.5:
        found["lashes"] = _lid_edges(vertices, points, found["eyeballs"] > 0.5, visible) * skin
    found["beard"] *= 1 - found["lips"]
    found["inside"] = inside
    del found["eyeballs"]
    return found


def brow_band(vertices: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where brows may lie.

    Args:
        vertices: `[V, 3]` mean face, millimetres, model frame.
        points: `[68, 3]` landmarks.

    Returns:
        `[V]` 1 within reach of a brow's landmarks; `[V]` position along the brow, 0 at the inner end and 1 at the outer, a
        little beyond at either side; `[V]` distance above its line, millimetres.
    """
    inside, along, above = np.zeros(len(vertices)), np.zeros(len(vertices)), np.zeros(len(vertices))
    for name in ("right_brow", "left_brow"):
        line = points[list(LANDMARK_GROUPS[name])]
        line = line[np.argsort(np.abs(line[:, 0]))]
        width = np.abs(line[:, 0])
        place = np.abs(vertices[:, 0])
        ratio = (place - width[0]) / (width[-1] - width[0])
        height = np.interp(place, width, line[:, 1])
        depth = np.interp(place, width, line[:, 2])
        beyond = np.maximum(ratio - 1, 0) * (width[-1] - width[0])
        offset = vertices[:, 1] - height + 0.5 * beyond
        here = (np.sign(vertices[:, 0]) == np.sign(line[-1, 0])) & (ratio > -0.25) & (ratio < 1.2)
        here &= (np.abs(offset) < BROW_REACH) & (np.abs(vertices[:, 2] - depth) < 2 * BROW_REACH)
        inside[here], along[here], above[here] = 1, ratio[here], offset[here]
    return inside, along.astype(np.float32), above.astype(np.float32)


def eyes(
    vertices: np.ndarray, regions: Mapping[str, np.ndarray], points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices that show an eyeball: the model's own, else those of the face between the lids.

    Args:
        vertices: `[V, 3]` mean face, millimetres, model frame.
        regions: The model's own, name to `[V]`.
        points: `[68, 3]` landmarks.

    Returns:
        `[V]` 1 on eyes; `[V]` distance from the gaze axis, millimetres, infinite elsewhere and behind; `[V]` radians around it.
    """
    weight = np.asarray(regions["eyeballs"], np.float64) if "eyeballs" in regions else np.zeros(len(vertices))
    distance, angle = np.full(len(vertices), np.inf), np.zeros(len(vertices))
    for name in ("right_eye", "left_eye"):
        lids = points[list(LANDMARK_GROUPS[name])]
        if weight.max() > 0.5:
            own = (weight > 0.5) & (np.sign(vertices[:, 0]) == np.sign(lids[0, 0]))
        else:
            near = np.abs(vertices[:, 2] - lids[:, 2].mean()) < 2 * IRIS_RADIUS
            own = near & _within(vertices, lids)
        if not own.any():
            continue
        whole = vertices[own] if weight.max() > 0.5 else lids
        center = (whole.min(axis=0) + whole.max(axis=0)) / 2
        offset = vertices[own] - center
        front = offset[:, 2] > 0 if weight.max() > 0.5 else np.ones(len(offset), bool)
        distance[own] = np.where(front, np.hypot(offset[:, 0], offset[:, 1]), np.inf)
        angle[own] = np.arctan2(offset[:, 1], offset[:, 0])
        if weight.max() <= 0.5:
            weight = weight + 0.5 * own
    return np.where(weight > 0, 1.0, 0.0), distance.astype(np.float32), angle.astype(np.float32)


def adjacency(count: int, triangles: np.ndarray) -> scipy.sparse.csr_matrix:
    """`[V, V]` rows that average a vertex' neighbours."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    degree = np.maximum(np.bincount(pairs[:, 0], minlength=count), 1)
    weights = (1 / degree)[pairs[:, 0]]
    return scipy.sparse.csr_matrix((weights, (pairs[:, 0], pairs[:, 1])), shape=(count, count))


def _laid(vertices: np.ndarray, points: np.ndarray) -> dict[str, np.ndarray]:
    """Regions by landmarks alone."""
    group = {name: points[list(indices)] for name, indices in LANDMARK_GROUPS.items()}
    depth = min(group["right_eye"][:, 2].min(), group["left_eye"][:, 2].min()) - FRONT_DEPTH
    front = _ramp(vertices[:, 2], depth - 15, depth + 15)
    chin = group["jaw"][len(group["jaw"]) // 2]
    neck = _ramp(chin[1] - vertices[:, 1], *NECK_DROP)
    brows_top = max(group["right_brow"][:, 1].max(), group["left_brow"][:, 1].max())
    face = front * (1 - neck) * (1 - _ramp(vertices[:, 1], brows_top + 40, brows_top + 70))
    nose = _near(vertices, np.concatenate([group["nose_bridge"], group["nose_base"]]), *NOSE_REACH)
    shallow = vertices[:, 2] > group["outer_lips"][:, 2].min() - LIP_DEPTH
    rim = _near(vertices, _closed(group["outer_lips"]), 0.0, 1.5)
    lips = np.where(_within(vertices, group["outer_lips"]), 1.0, 0.6 * rim) * shallow
    lids = np.zeros(len(vertices))
    shadow, under, lashes = np.zeros(len(vertices)), np.zeros(len(vertices)), np.zeros(len(vertices))
    cheeks = np.zeros(len(vertices))
    jaw, mouth = group["jaw"], group["outer_lips"]
    for name, corner, ear in (("right_eye", 0, 1), ("left_eye", 6, -2)):
        eye = group[name]
        edge = _smooth_outline(eye)
        lids = np.maximum(lids, _near(vertices, edge, *LID_REACH))
        around = _near(vertices, edge, *SURROUND)
        middle = eye.mean(axis=0)
        above = _ramp(vertices[:, 1] - middle[1], -1.0, 3.0)
        shadow = np.maximum(shadow, around * above)
        below = _near(vertices, eye[[0, 3, 4, 5]] - [0.0, 8.0, 0.0], 3.0, 10.0) * (1 - above)
        under = np.maximum(under, below)
        lashes = np.maximum(lashes, _near(vertices, edge, *LASH_REACH) * (LOWER_LASHES + (1 - LOWER_LASHES) * above))
        outside = eye[0] if name == "right_eye" else eye[3]
        heart = 0.44 * (outside + mouth[corner]) + 0.12 * jaw[ear]
        cheeks = np.maximum(cheeks, _near(vertices, heart[None], *CHEEK_REACH))
    return {
        "face": face,
        "lips": lips,
        "nose": nose * front,
        "cheeks": cheeks * front,
        "eyelids": lids,
        "beard": _beard(vertices, group) * front,
        "neck": neck,
        "eye_shadow": shadow,
        "under_eye": under,
        "lashes": lashes,
    }


def _lid_edges(vertices: np.ndarray, points: np.ndarray, eyeballs: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """`[V]` 1 on the lids' edges as the front sees them: the skin before an eyeball nearest to the line between its corners."""
    edges = np.zeros(len(vertices))
    for name in ("right_eye", "left_eye"):
        corners = points[[LANDMARK_GROUPS[name][0], LANDMARK_GROUPS[name][3]]]
        own = vertices[eyeballs & (np.sign(vertices[:, 0]) == np.sign(corners[0, 0]))]
        if not len(own):
            continue
        center = (own.min(axis=0) + own.max(axis=0)) / 2
        radius = np.linalg.norm(own - center, axis=1).max()
        away = np.linalg.norm(vertices - center, axis=1)
        before = visible & ~eyeballs & (vertices[:, 2] > center[2]) & (away > radius) & (away < 1.6 * radius)
        before &= (vertices[:, 0] > corners[0, 0] - 1) & (vertices[:, 0] < corners[1, 0] + 1)
        height = vertices[:, 1] - np.interp(vertices[:, 0], corners[:, 0], corners[:, 1])
        columns = np.linspace(corners[0, 0], corners[1, 0], LID_COLUMNS)
        for lid, strength in ((1, 1.0), (-1, LOWER_LASHES)):
            here = np.flatnonzero(before & (lid * height > 0))
            near = np.abs(vertices[here, 0] - columns[:, None]) < LID_COLUMN
            lowest = np.where(near, lid * height[here], np.inf).min(axis=1, initial=np.inf)
            found = np.isfinite(lowest)
            if found.any():
                rim = np.interp(vertices[here, 0], columns[found], lowest[found])
                weight = strength * (1 - _ramp(lid * height[here] - rim, *LASH_REACH))
                edges[here] = np.maximum(edges[here], weight)
    return edges


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
    below_top = _ramp(np.interp(vertices[:, 0], top_x, top_y) - vertices[:, 1], -2.0, 8.0)
    chin = jaw[len(jaw) // 2]
    return below_top * (1 - _ramp(chin[1] - vertices[:, 1], 5.0, 30.0))


def _near(vertices: np.ndarray, line: np.ndarray, full: float, none: float) -> np.ndarray:
    """`[V]` 1 within `full` of a polyline `[n, 3]`, smoothly 0 from `none` on."""
    steps = np.linspace(0, len(line) - 1, max(12 * len(line), 2))
    dense = np.stack([np.interp(steps, np.arange(len(line)), line[:, axis]) for axis in range(3)], axis=1)
    distance, _ = cKDTree(dense).query(vertices)
    return 1 - _ramp(distance, full, none)


def _within(vertices: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """`[V]` bool: inside a polygon `[n, 3]` seen from the front (crossing numbers)."""
    x, y = vertices[:, 0], vertices[:, 1]
    crossings = np.zeros(len(vertices), int)
    for (x0, y0, _), (x1, y1, _) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        spans = (y0 > y) != (y1 > y)
        at = x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, np.inf, y1 - y0)
        crossings += spans & (x < at)
    return crossings % 2 == 1


def _smooth_outline(points: np.ndarray) -> np.ndarray:
    """`[49, 3]` closed curve through an eye's landmarks `[6, 3]`."""
    steps = np.linspace(0, len(points), 8 * len(points) + 1)
    return CubicSpline(np.arange(len(points) + 1), _closed(points), bc_type="periodic")(steps)


def _closed(line: np.ndarray) -> np.ndarray:
    return np.concatenate([line, line[:1]])


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Smooth step from 0 at `low` to 1 at `high`."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)
