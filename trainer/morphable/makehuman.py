"""Readers of MakeHuman's base mesh, morph targets, mirror table, landmark table and skin pictures (all CC0).

Vertices are in the base mesh's own frame: decimetres, y up, z forward, the person's left at x > 0.
"""

import dataclasses
import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from trainer.contract import LANDMARK_COUNT

BODY: Final = "body"
LEFT_EYE: Final = "helper-l-eye"
RIGHT_EYE: Final = "helper-r-eye"
UPPER_TEETH: Final = "helper-upper-teeth"
LOWER_TEETH: Final = "helper-lower-teeth"
TONGUE: Final = "helper-tongue"

MAX_LINES: Final = 2_000_000
"""Text files with more lines than this are refused."""


@dataclasses.dataclass(frozen=True)
class BaseMesh:
    """The quad mesh that every asset of MakeHuman refers to."""

    vertices: np.ndarray
    """`[N, 3]` float64, decimetres."""
    texture: np.ndarray
    """`[M, 2]` float64 texture coordinates in [0, 1], v upwards."""
    faces: Mapping[str, np.ndarray]
    """Group name to `[F, 4]` int vertex indices, counter-clockwise seen from outside."""
    face_texture: Mapping[str, np.ndarray]
    """Group name to `[F, 4]` int texture indices of the same corners."""


def read_base(path: Path) -> BaseMesh:
    """Reads `base.obj`.

    Raises:
        ValueError: If a line cannot be read, a face is not a quad, or an index is out of range.
    """
    vertices: list[list[float]] = []
    texture: list[list[float]] = []
    corners: dict[str, list[list[list[int]]]] = {}
    group = ""
    for number, line in _lines(path):
        kind, *words = line.split()
        try:
            if kind == "v":
                vertices.append([float(word) for word in words[:3]])
            elif kind == "vt":
                texture.append([float(word) for word in words[:2]])
            elif kind == "g":
                group = words[0]
            elif kind == "f":
                face = [[int(part) - 1 for part in word.split("/")[:2]] for word in words]
                if len(face) != 4 or any(len(corner) != 2 for corner in face):
                    raise ValueError("a face must be four pairs vertex/texture")
                corners.setdefault(group, []).append(face)
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    indices = {name: np.array(faces) for name, faces in corners.items()}
    for name, faces in indices.items():
        if faces.min() < 0 or faces[..., 0].max() >= len(vertices) or faces[..., 1].max() >= len(texture):
            raise ValueError(f"{path}: group {name} refers to a vertex or texture coordinate that is not there.")
    return BaseMesh(
        vertices=np.array(vertices, dtype=np.float64).reshape(-1, 3),
        texture=np.array(texture, dtype=np.float64).reshape(-1, 2),
        faces={name: faces[..., 0] for name, faces in indices.items()},
        face_texture={name: faces[..., 1] for name, faces in indices.items()},
    )


def read_target(path: Path, vertex_count: int) -> np.ndarray:
    """Reads a morph target, `*.target` or `*.target.gz`.

    Returns:
        `[vertex_count, 3]` float64 offsets at weight 1, decimetres; zero where the target does not reach.

    Raises:
        ValueError: If a line is not `vertex dx dy dz`, or a vertex is out of range.
    """
    offsets = np.zeros((vertex_count, 3))
    for number, line in _lines(path):
        words = line.split()
        try:
            vertex, offset = int(words[0]), [float(word) for word in words[1:]]
            if len(offset) != 3 or not np.isfinite(offset).all() or not 0 <= vertex < vertex_count:
                raise ValueError(f"must be `vertex dx dy dz` with vertex below {vertex_count}. Received: {line!r}")
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
        offsets[vertex] = offset
    return offsets


def read_mirror(path: Path, vertex_count: int) -> np.ndarray:
    """Reads `hm08.mirror`, lines `vertex mirrored side`.

    Returns:
        `[vertex_count]` int mirror vertex; vertices that the table does not name are their own mirror.

    Raises:
        ValueError: If a line cannot be read or the table is not an involution.
    """
    mirror = np.arange(vertex_count)
    for number, line in _lines(path):
        try:
            vertex, other = (int(word) for word in line.split()[:2])
            if not (0 <= vertex < vertex_count and 0 <= other < vertex_count):
                raise ValueError(f"vertices must be below {vertex_count}. Received: {line!r}")
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
        mirror[vertex] = other
    if not np.array_equal(mirror[mirror], np.arange(vertex_count)):
        raise ValueError(f"{path}: the table does not pair vertices with each other.")
    return mirror


def read_landmarks(path: Path) -> dict[str, np.ndarray]:
    """Reads a JSON table of landmark sets: name to 68 vertex indices.

    Raises:
        ValueError: If the file is not JSON of that kind.
    """
    try:
        table = json.loads(path.read_text())
        return {str(name): np.array(indices, dtype=np.int64).reshape(LANDMARK_COUNT) for name, indices in table.items()}
    except (ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} must be a JSON object of lists of 68 vertex indices: {error}") from error


def read_picture(path: Path) -> np.ndarray:
    """Reads a skin or a mask.

    Returns:
        `[H, W, 3]` float32 in [0, 1], as encoded (sRGB for skins).

    Raises:
        ValueError: If the file is not a picture.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"), dtype=np.float32) / 255
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is not a picture that can be read: {error}") from error


def sample_picture(picture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear samples of a picture.

    Args:
        picture: `[H, W, C]`.
        uv: `[N, 2]` in [0, 1], v upwards; clamped at the border.

    Returns:
        `[N, C]`.
    """
    height, width = picture.shape[:2]
    x = np.clip(uv[:, 0] * width - 0.5, 0, width - 1.001)
    y = np.clip((1 - uv[:, 1]) * height - 0.5, 0, height - 1.001)
    column, row = x.astype(int), y.astype(int)
    right, down = (x - column)[:, None], (y - row)[:, None]
    upper = picture[row, column] * (1 - right) + picture[row, column + 1] * right
    lower = picture[row + 1, column] * (1 - right) + picture[row + 1, column + 1] * right
    return upper * (1 - down) + lower * down


def _lines(path: Path) -> list[tuple[int, str]]:
    """Numbered lines of a text file, gzipped or not, without blanks and comments."""
    data = path.read_bytes()
    try:
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        lines = data.decode("utf-8").splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if len(lines) > MAX_LINES:
        raise ValueError(f"{path} has more than {MAX_LINES} lines.")
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
