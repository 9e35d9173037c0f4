"""Reader of MakeHuman's clothes files: `.mhclo` with its `.obj`, its `.mhmat` and the picture that this names.

A `.mhclo` says for each vertex of the `.obj` where it is on MakeHuman's base mesh `hm08`: on one base vertex, or at a weighted
mean of three plus an offset. `x_scale a b d` says that an offset in x is a number of x-distances of the base vertices a and b,
divided by d; the same for y and z. So a garment follows whatever the base mesh is morphed to.
"""

import dataclasses
import math
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from trainer.contract import MAX_IMAGE_PIXELS

AXES: Final = ("x", "y", "z")
CC0: Final = "CC0-1.0"
MAX_BYTES: Final = 64 << 20
"""Text files longer than this are refused."""
MAX_VERTICES: Final = 200_000
"""Meshes with more vertices or faces are refused."""
MAX_REACH: Final = 1e4
"""Greatest magnitude of a number in a file, units of the base mesh."""


@dataclasses.dataclass(frozen=True)
class ClothesMesh:
    """The mesh of an `.obj` file: M vertices, N corners that differ in vertex or texture coordinate."""

    triangles: np.ndarray
    """`[T, 3]` int corners, counter-clockwise seen from outside."""
    vertex_of_corner: np.ndarray
    """`[N]` int."""
    uv: np.ndarray | None
    """`[N, 2]` float64, v upwards; None if the file has no texture coordinates."""
    vertex_count: int
    """M."""


@dataclasses.dataclass(frozen=True)
class Clothes:
    """One asset."""

    name: str
    tags: tuple[str, ...]
    licence: str
    """`CC0-1.0` if the header says CC0; else what it says after "license", else `unknown`."""
    mesh: ClothesMesh
    references: np.ndarray
    """`[M, 3]` int base vertices."""
    weights: np.ndarray
    """`[M, 3]` float64."""
    offsets: np.ndarray
    """`[M, 3]` float64, units of the base mesh before scaling."""
    scales: tuple[tuple[int, int, float], ...]
    """For x, y and z: two base vertices and the distance between them that the offsets were measured with."""
    hidden: np.ndarray
    """Base vertices that the garment covers and that are not to be drawn (`delete_verts`)."""
    picture: np.ndarray | None
    """`[H, W, 4]` uint8 sRGB and straight alpha."""

    def pose(self, body: np.ndarray) -> np.ndarray:
        """Where its vertices are on a morphed base mesh.

        Args:
            body: `[B, 3]` base mesh, any unit.

        Returns:
            `[N, 3]` float64 places of the mesh's corners, in that unit.

        Raises:
            ValueError: If the asset refers to a vertex that the body lacks.
        """
        needed = max([int(self.references.max(initial=0)), *(max(a, b) for a, b, _ in self.scales)])
        if needed >= len(body):
            raise ValueError(f"{self.name!r} refers to base vertex {needed}; the base mesh has {len(body)}.")
        body = np.asarray(body, np.float64)
        places = np.einsum("nc,ncd->nd", self.weights, body[self.references]) + self.offsets * self._factors(body)
        return places[self.mesh.vertex_of_corner]

    def moved(
        self, body: np.ndarray, scale: tuple[float, float, float], shift: tuple[float, float, float]
    ) -> "Clothes":
        """The asset scaled about its middle and shifted on a body.

        Args:
            body: `[B, 3]` base mesh, any unit.
            scale: Factors for x, y and z.
            shift: In the body's unit.
        """
        body = np.asarray(body, np.float64)
        factors = self._factors(body)
        places = np.einsum("nc,ncd->nd", self.weights, body[self.references]) + self.offsets * factors
        middle = (places.min(axis=0) + places.max(axis=0)) / 2
        change = (places - middle) * (np.asarray(scale) - 1) + shift
        return dataclasses.replace(self, offsets=self.offsets + change / factors)

    def _factors(self, body: np.ndarray) -> np.ndarray:
        """`[3]` by which offsets are scaled on a body."""
        return np.array([abs(body[a, axis] - body[b, axis]) / d for axis, (a, b, d) in enumerate(self.scales)])


def read_clothes(path: str | Path) -> Clothes:
    """Reads a `.mhclo` file and the files that it names, which must lie beside it or in folders below.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is not what it should be; the message names it and says why.
    """
    path = Path(path)
    text = _text(path)
    keys, tags, rows, hidden = _parse(path, text)
    for key in ("name", "obj_file", *(f"{axis}_scale" for axis in AXES)):
        if key not in keys:
            raise ValueError(f"{path} lacks `{key}`.")
    scales = tuple(_scale(path, keys[f"{axis}_scale"]) for axis in AXES)
    mesh = read_mesh(_beside(path, path.parent, keys["obj_file"]))
    if len(rows) != mesh.vertex_count:
        raise ValueError(f"{path} places {len(rows)} vertices; {keys['obj_file']} has {mesh.vertex_count}.")
    values = np.array(rows, np.float64).reshape(-1, 9)
    material = _beside(path, path.parent, keys["material"]) if "material" in keys else None
    return Clothes(
        name=keys["name"],
        tags=tuple(tags),
        licence=_licence(text),
        mesh=mesh,
        references=values[:, :3].astype(np.int64),
        weights=values[:, 3:6],
        offsets=values[:, 6:],
        scales=scales,
        hidden=np.array(sorted(hidden), np.int64),
        picture=None if material is None else read_material(material, path.parent),
    )


def read_mesh(path: Path) -> ClothesMesh:
    """Reads an `.obj` of triangles and quads, one object.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line cannot be read or an index is out of range.
    """
    vertex_count = 0
    texture: list[list[float]] = []
    faces: list[list[tuple[int, int]]] = []
    for number, line in _lines(_text(path)):
        kind, *words = line.split()
        try:
            if kind == "v":
                _numbers(words[:3], 3)
                vertex_count += 1
            elif kind == "vt":
                texture.append(_numbers(words[:2], 2))
            elif kind == "f":
                if not 3 <= len(words) <= 4:
                    raise ValueError(f"a face must have three or four corners, not {len(words)}")
                parts = [(word + "//").split("/") for word in words]
                faces.append([(int(part[0]) - 1, int(part[1] or 0) - 1) for part in parts])
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    if not faces or max(vertex_count, len(faces)) > MAX_VERTICES:
        raise ValueError(f"{path} must have 1 to {MAX_VERTICES} faces. Received: {len(faces)}, {vertex_count} vertices")
    corners = np.array([face[at] for face in faces for at in _fan(len(face))], np.int64)
    lowest, highest = corners.min(axis=0), corners.max(axis=0)
    if lowest[0] < 0 or highest[0] >= vertex_count or highest[1] >= len(texture):
        raise ValueError(f"{path}: a face refers to a vertex or texture coordinate that is not there.")
    textured = bool(lowest[1] >= 0)
    distinct, triangles = np.unique(corners, axis=0, return_inverse=True)
    return ClothesMesh(
        triangles=triangles.reshape(-1, 3),
        vertex_of_corner=distinct[:, 0],
        uv=np.array(texture)[distinct[:, 1]] if textured else None,
        vertex_count=vertex_count,
    )


def read_material(path: Path, root: Path) -> np.ndarray | None:
    """The colour picture that a `.mhmat` names.

    Args:
        path: The material.
        root: Folder that the picture must be in or below.

    Returns:
        `[H, W, 4]` uint8 sRGB and straight alpha, or None if the material names none.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the picture cannot be read or is too big.
    """
    for _, line in _lines(_text(path)):
        key, *words = line.split(maxsplit=1)
        if key == "diffuseTexture" and words:
            return read_texture(_beside(path, root, words[0]))
    return None


def read_texture(path: Path) -> np.ndarray:
    """`[H, W, 4]` uint8 of a picture.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a picture or has more than `contract.MAX_IMAGE_PIXELS` pixels.
    """
    try:
        with Image.open(path) as image:
            if math.prod(image.size) > MAX_IMAGE_PIXELS:
                raise ValueError(f"it has {image.size} pixels, more than {MAX_IMAGE_PIXELS} in all")
            return np.asarray(image.convert("RGBA"), np.uint8)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is not a picture that can be read: {error}") from error


def _parse(path: Path, text: str) -> tuple[dict[str, str], list[str], list[list[float]], set[int]]:
    """Keys with their values, tags, rows of nine numbers a vertex, hidden base vertices."""
    keys: dict[str, str] = {}
    tags: list[str] = []
    rows: list[list[float]] = []
    hidden: set[int] = set()
    section = ""
    for number, line in _lines(text):
        words = line.split()
        try:
            if words[0][0].isdigit() and section == "verts":
                rows.append(_row(words))
            elif words[0][0].isdigit() and section == "delete_verts":
                hidden |= _ranges(words)
            elif words[0] in ("verts", "delete_verts", "weights"):
                section = words[0]
            elif words[0] == "tag":
                tags.append(" ".join(words[1:]))
            elif len(words) > 1:
                keys.setdefault(words[0], " ".join(words[1:]))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
        if len(rows) > MAX_VERTICES:
            raise ValueError(f"{path} places more than {MAX_VERTICES} vertices.")
    return keys, tags, rows, hidden


def _row(words: list[str]) -> list[float]:
    """A vertex line as three base vertices, three weights, three offsets."""
    if len(words) == 1:
        return [_index(words[0]), 0, 0, 1, 0, 0, 0, 0, 0]
    if len(words) not in (6, 9):
        raise ValueError(f"a vertex must be one base vertex or `v0 v1 v2 w0 w1 w2 dx dy dz`. Received: {words}")
    return [
        *(float(_index(word)) for word in words[:3]),
        *_numbers(words[3:], len(words) - 3),
        *([0.0] * (9 - len(words))),
    ]


def _ranges(words: list[str]) -> set[int]:
    """Indices of a line like `3 7 - 9 12`."""
    found: set[int] = set()
    previous = None
    to_come = False
    for word in words:
        if word == "-":
            to_come = True
            continue
        index = _index(word)
        if to_come and previous is not None:
            if not previous <= index <= previous + MAX_VERTICES:
                raise ValueError(f"range {previous} - {index} must rise, by at most {MAX_VERTICES}")
            found.update(range(previous, index + 1))
        found.add(index)
        previous, to_come = index, False
    return found


def _scale(path: Path, value: str) -> tuple[int, int, float]:
    """`a b d` of an axis."""
    words = value.split()
    try:
        if len(words) != 3:
            raise ValueError("it must be two base vertices and a distance")
        distance = _numbers(words[2:], 1)[0]
        if distance <= 0:
            raise ValueError("the distance must be positive")
        return _index(words[0]), _index(words[1]), distance
    except ValueError as error:
        raise ValueError(f"{path}, scale {value!r}: {error}") from error


def _index(word: str) -> int:
    index = int(word)
    if not 0 <= index < MAX_VERTICES:
        raise ValueError(f"a base vertex must be in [0, {MAX_VERTICES}). Received: {word}")
    return index


def _numbers(words: list[str], count: int) -> list[float]:
    values = [float(word) for word in words]
    if len(values) != count or not all(abs(value) <= MAX_REACH for value in values):
        raise ValueError(f"{count} numbers up to {MAX_REACH:g} are wanted. Received: {words}")
    return values


def _fan(corner_count: int) -> tuple[int, ...]:
    """Corners of the triangles of a polygon."""
    return (0, 1, 2) if corner_count == 3 else (0, 1, 2, 0, 2, 3)


def _licence(text: str) -> str:
    header = [line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#")]
    if any("CC0" in line.upper() for line in header):
        return CC0
    said = [line for line in header if line.lower().startswith(("license", "licence"))]
    return said[0][:200] if said else "unknown"


def _beside(path: Path, root: Path, name: str) -> Path:
    """A file that another one names, which must not lead out of `root`."""
    target = path.parent / name
    if not target.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"{path} names a file outside of its folder: {name!r}")
    return target


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a file.")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path} is longer than {MAX_BYTES} bytes.")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file: {error}") from error


def _lines(text: str) -> list[tuple[int, str]]:
    """Numbered lines without blanks and comments."""
    return [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith(("#", "//"))
    ]
