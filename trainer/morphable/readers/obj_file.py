"""Wavefront `.obj` meshes: vertices, polygons, texture coordinates and materials, as face models are distributed."""

import dataclasses
import os
import re
from pathlib import Path
from typing import Final

import numpy as np

MAX_FILE_BYTES: Final = 32 << 20
"""Longer files are refused before they are read."""

_MATERIAL = re.compile(rb"[\w.-]{1,100}")


@dataclasses.dataclass(frozen=True)
class ObjMesh:
    """A mesh as its file lists it."""

    vertices: np.ndarray
    """`[V, 3]` float32, the file's unit and axes."""
    triangles: np.ndarray
    """`[T, 3]` int64, polygons as fans."""
    triangle_texture: np.ndarray
    """`[T, 3]` int64, rows of `texture`; -1 where a corner has none."""
    texture: np.ndarray
    """`[M, 2]` float32, v upwards; may lie outside [0, 1]."""
    materials: tuple[str, ...]
    """Names of the materials; the first is "" and means none."""
    triangle_material: np.ndarray
    """`[T]` int64, rows of `materials`."""


def read_mesh(path: str | os.PathLike[str]) -> ObjMesh:
    """Reads a mesh.

    Args:
        path: An `.obj` file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line cannot be read, an index is out of range or a number not finite; the message names file and line.
    """
    path = Path(path)
    lines = _lines(path)
    vertices = _numbers(path, lines, b"v ", 3)
    texture = _numbers(path, lines, b"vt ", 2)
    materials, at, rows = {b"": 0}, 0, []
    for number, line in enumerate(lines, 1):
        if line.startswith(b"usemtl "):
            name = line[7:].strip()
            if not _MATERIAL.fullmatch(name):
                raise ValueError(
                    f"{path}: line {number} names a material by other than letters, digits, `.`, `_` and `-`"
                )
            at = materials.setdefault(name, len(materials))
        elif line.startswith(b"f "):
            corners = [_corner(path, number, text, len(vertices), len(texture)) for text in line[2:].split()]
            if len(corners) < 3:
                raise ValueError(f"{path}: line {number} is a polygon of {len(corners)} corners")
            rows += [(corners[0], corners[k], corners[k + 1], at) for k in range(1, len(corners) - 1)]
    corners_of = np.array([row[:3] for row in rows], np.int64).reshape(-1, 3, 2)
    return ObjMesh(
        vertices=vertices,
        triangles=corners_of[:, :, 0],
        triangle_texture=corners_of[:, :, 1],
        texture=texture,
        materials=tuple(name.decode("ascii", "replace") for name in materials),
        triangle_material=np.array([row[3] for row in rows], np.int64),
    )


def read_vertices(path: str | os.PathLike[str], count: int) -> np.ndarray:
    """Reads the vertices alone: a morph target in the order of another mesh.

    Args:
        path: An `.obj` file.
        count: Vertices that it must have.

    Returns:
        `[count, 3]` float32.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it has another number of vertices, or one cannot be read; the message names the file.
    """
    path = Path(path)
    vertices = _numbers(path, _lines(path), b"v ", 3)
    if len(vertices) != count:
        raise ValueError(f"{path} must have {count} vertices, as the neutral mesh. Received: {len(vertices)}")
    return vertices


def _lines(path: Path) -> list[bytes]:
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ValueError(f"{path} is {size} bytes long, more than {MAX_FILE_BYTES}")
    return path.read_bytes().splitlines()


def _numbers(path: Path, lines: list[bytes], keyword: bytes, count: int) -> np.ndarray:
    """`[N, count]` of the first numbers after a keyword."""
    found = [line[len(keyword) :].split()[:count] for line in lines if line.startswith(keyword)]
    try:
        if any(len(words) != count for words in found):
            raise ValueError("too few numbers")
        numbers = np.array(found, dtype="S32").astype(np.float32).reshape(-1, count)
    except ValueError as error:
        raise ValueError(f"{path}: a line `{keyword.decode()}…` does not hold {count} numbers") from error
    if not np.isfinite(numbers).all():
        raise ValueError(f"{path}: a line `{keyword.decode()}…` holds NaN, infinity or more than a float can")
    return numbers


def _corner(path: Path, number: int, text: bytes, vertex_count: int, texture_count: int) -> tuple[int, int]:
    """Vertex and texture row of `v`, `v/vt`, `v//vn` or `v/vt/vn`; negative numbers count from the end."""
    words = text.split(b"/")
    try:
        vertex = int(words[0])
        texture = int(words[1]) if len(words) > 1 and words[1] else 0
    except ValueError as error:
        raise ValueError(f"{path}: line {number} has a corner that cannot be read") from error
    vertex = vertex - 1 if vertex > 0 else vertex_count + vertex
    row = texture - 1 if texture >= 0 else texture_count + texture
    if not 0 <= vertex < vertex_count or not -1 <= row < texture_count:
        raise ValueError(f"{path}: line {number} has a corner out of range: {text[:40].decode('ascii', 'replace')}")
    return vertex, row
