"""Where the Basel models' landmarks lie: small tables of facts, and a reader for tables of the user's."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from trainer.contract import LANDMARK_COUNT, LANDMARK_GROUPS, LANDMARK_SETS

TRIMMED_VERTICES: Final = 53_215
"""Vertices of the Basel model of 2009 as 300W-LP and AFLW2000-3D cut it."""

PUBLIC_VERTICES: Final = 53_490
"""Vertices of `01_MorphableModel.mat`."""

# fmt: off
TRIMMED_BASEL: Final[tuple[int, ...]] = (
    21873, 22149, 21653, 21036, 43236, 44918, 46166, 47135, 47914, 48695, 49667, 50924, 52613, 33678, 33005, 32469,
    32709, 38695, 39392, 39782, 39987, 40154, 40893, 41059, 41267, 41661, 42367, 8161, 8177, 8187, 8192, 6515, 7243,
    8204, 9163, 9883, 2215, 3886, 4920, 5828, 4801, 3640, 10455, 11353, 12383, 14066, 12653, 11492, 5522, 6025,
    7495, 8215, 8935, 10395, 10795, 9555, 8836, 8236, 7636, 6915, 5909, 7384, 8223, 9064, 10537, 8829, 8229, 7629,
)
# fmt: on
"""Vertex of each landmark of the `basel` set among `TRIMMED_VERTICES`, 0-based: the variable `keypoints` of 3DDFA's model files
(github.com/cleardusk/3DDFA, MIT), less one."""

PUBLIC_POINTS: Final[Mapping[tuple[str, int], int]] = {
    ("right_eye", 0): 2088,
    ("right_eye", 3): 5959,
    ("left_eye", 0): 10603,
    ("left_eye", 3): 14472,
    ("nose_bridge", 3): 8319,
    ("nose_base", 2): 8334,
    ("outer_lips", 0): 5006,
    ("outer_lips", 3): 8344,
    ("outer_lips", 6): 11714,
    ("outer_lips", 9): 8374,
    ("inner_lips", 2): 8354,
    ("inner_lips", 6): 8366,
}
"""Group and place in it to a vertex among `PUBLIC_VERTICES`, 0-based: those of github.com/patrikhuber/eos (Apache-2.0),
share/ibug_to_bfm2009.txt, that mean the same in every scheme, and the middles of the inner lips."""

NAMED_POINTS: Final[Mapping[str, tuple[str, int]]] = {
    "right.eye.corner_outer": ("right_eye", 0),
    "right.eye.corner_inner": ("right_eye", 3),
    "left.eye.corner_inner": ("left_eye", 0),
    "left.eye.corner_outer": ("left_eye", 3),
    "center.nose.tip": ("nose_bridge", 3),
    "center.nose.attachement_to_philtrum": ("nose_base", 2),
    "right.lips.corner": ("outer_lips", 0),
    "center.lips.upper.outer": ("outer_lips", 3),
    "left.lips.corner": ("outer_lips", 6),
    "center.lips.lower.outer": ("outer_lips", 9),
    "center.lips.upper.inner": ("inner_lips", 2),
    "center.lips.lower.inner": ("inner_lips", 6),
}
"""Names in `metadata/landmarks/json` of the Basel models of 2017 and 2019 to group and place in it."""

MAX_TABLE_BYTES: Final = 1 << 20


def public_points() -> dict[int, int]:
    """Landmark to vertex for `01_MorphableModel.mat`."""
    return {LANDMARK_GROUPS[group][place]: vertex for (group, place), vertex in PUBLIC_POINTS.items()}


def named_points(entries: Any) -> dict[int, np.ndarray]:
    """Landmarks that a Basel `.h5` names.

    Args:
        entries: What its JSON holds: a list of objects with `id` and `coordinates`.

    Returns:
        Landmark to `[3]` point, in the file's unit.

    Raises:
        ValueError: If it is something else.
    """
    if not isinstance(entries, list):
        raise ValueError("its landmarks must be a JSON list")
    points = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise ValueError("each of its landmarks must be a JSON object with an `id`")
        if entry["id"] not in NAMED_POINTS:
            continue
        group, place = NAMED_POINTS[entry["id"]]
        points[LANDMARK_GROUPS[group][place]] = _point(entry)
    return points


def _point(entry: dict[str, Any]) -> np.ndarray:
    values = entry.get("coordinates")
    if not isinstance(values, list) or len(values) != 3 or not all(type(value) in (int, float) for value in values):
        raise ValueError(f"landmark {entry['id']!r} must have three numbers as `coordinates`")
    point = np.array(values, np.float64)
    if not np.isfinite(point).all():
        raise ValueError(f"landmark {entry['id']!r} has coordinates that are not finite")
    return point


def read_table(path: str | os.PathLike[str]) -> dict[str, dict[int, int]]:
    """Reads a table of landmarks, which may be partial.

    Args:
        path: Either text, one `n = vertex` a line with the 1-based number of the iBUG scheme, a 0-based vertex and comments
            after `#` (eos' format; its sections other than `[landmark_mappings]` are passed over): the `basel` set. Or JSON:
            an object from landmark set to a list of 68 vertices, `null` where unknown.

    Returns:
        Landmark set to landmark to vertex, all 0-based.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is neither, too long, or a number is out of range; the message names the file.
    """
    path = Path(path)
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise ValueError(f"{path} is longer than {MAX_TABLE_BYTES} bytes: no table of landmarks")
    try:
        content = path.read_text("utf-8")
        return _from_json(json.loads(content)) if content.lstrip().startswith("{") else {"basel": _from_text(content)}
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a table of landmarks: {error}") from error


def _from_json(table: Any) -> dict[str, dict[int, int]]:
    if not set(table) <= set(LANDMARK_SETS):
        raise ValueError(f"its keys must be of {LANDMARK_SETS}")
    sets = {}
    for name, vertices in table.items():
        if not isinstance(vertices, list) or len(vertices) != LANDMARK_COUNT:
            raise ValueError(f"{name!r} must be a list of {LANDMARK_COUNT}")
        if not all(vertex is None or (type(vertex) is int and vertex >= 0) for vertex in vertices):
            raise ValueError(f"{name!r} must hold vertices, 0 or more, or null")
        sets[name] = {index: vertex for index, vertex in enumerate(vertices) if vertex is not None}
    return sets


def _from_text(content: str) -> dict[int, int]:
    points = {}
    section = "landmark_mappings"
    for number, line in enumerate(content.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading[1]
        elif line and section == "landmark_mappings":
            matched = re.fullmatch(r"(\d{1,3})\s*=\s*(\d{1,9})", line)
            if matched is None or not 1 <= int(matched[1]) <= LANDMARK_COUNT:
                raise ValueError(f"line {number} must be `n = vertex` with n in [1, {LANDMARK_COUNT}]")
            points[int(matched[1]) - 1] = int(matched[2])
    if not points:
        raise ValueError("it names no landmark")
    return points
