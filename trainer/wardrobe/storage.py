"""Native file of a wardrobe: one compressed `.npz` without pickle.

Members are `body` and, for garment number i, `i/<field>`: the arrays of `Garment` and of its binding, float16 where every value
survives it, integers as small as they fit, the texture as a PNG's bytes; `metadata` is UTF-8 JSON as bytes.
"""

import json
import os
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from trainer.contract import MAX_IMAGE_PIXELS
from trainer.morphable.io import compact, read_arrays, write_arrays
from trainer.wardrobe.binding import Binding
from trainer.wardrobe.garment import Garment
from trainer.wardrobe.textures import to_png
from trainer.wardrobe.wardrobe import Wardrobe

FORMAT: Final = "monoface-wardrobe/1"
"""Value of `format` in a file's metadata."""

_TEXT: Final = ("name", "kind", "dye", "licence", "source")
_INTEGERS: Final = ("triangles", "covered_head", "covered_torso")
_BINDING: Final = {"corners": np.int32, "offsets": np.float32}


def save(wardrobe: Wardrobe, path: str | os.PathLike[str]) -> None:
    """Writes a wardrobe, atomically. The same wardrobe gives the same bytes.

    Args:
        wardrobe: What to write.
        path: Target, usually `*.npz`; its folder must exist.
    """
    garments: list[dict[str, Any]] = []
    members: dict[str, np.ndarray] = {}
    anchors: list[tuple[np.ndarray, np.ndarray]] = []
    for index, garment in enumerate(wardrobe.garments):
        texts = {key: getattr(garment, key) for key in _TEXT}
        garments.append({**texts, "tint": list(garment.tint), "gloss": garment.gloss})
        if garment.covered_depth is not None:
            members[f"{index}/covered_depth"] = compact(garment.covered_depth)
        for key in _INTEGERS:
            if getattr(garment, key) is not None:
                members[f"{index}/{key}"] = _small(getattr(garment, key))
        for key, dtype in _BINDING.items():
            array = getattr(garment.binding, key)
            if array is not None:
                members[f"{index}/binding/{key}"] = _small(array) if dtype == np.int32 else compact(array)
        if garment.binding.anchors is not None and garment.binding.anchor_places is not None:
            pair = (garment.binding.anchors, garment.binding.anchor_places)
            same = [at for at, known in enumerate(anchors) if all(map(np.array_equal, known, pair))]
            garments[-1]["anchors"] = same[0] if same else len(anchors)
            if not same:
                anchors.append(pair)
        members[f"{index}/binding/barycentrics"] = compact(np.ascontiguousarray(garment.binding.barycentrics[:, :2]))
        if garment.uv is not None and garment.texture is not None:
            members[f"{index}/uv"] = compact(garment.uv)
            members[f"{index}/texture"] = np.frombuffer(to_png(garment.texture), np.uint8)
    for index, (vertices, places) in enumerate(anchors):
        members[f"anchors/{index}/vertices"] = _small(vertices)
        members[f"anchors/{index}/places"] = compact(places)
    metadata = {
        "format": FORMAT,
        "topology": wardrobe.topology,
        "provenance": dict(wardrobe.provenance),
        "garments": garments,
    }
    members["metadata"] = np.frombuffer(json.dumps(metadata, sort_keys=True).encode(), np.uint8)
    if wardrobe.body is not None:
        members["body"] = compact(wardrobe.body)
    write_arrays(members, Path(path))


def load(path: str | os.PathLike[str]) -> Wardrobe:
    """Reads a wardrobe.

    Args:
        path: A file that `save` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not such a wardrobe: not a zip, truncated, damaged, a pickled object inside, a member missing
            or of a wrong shape. The message names the file and the reason.
    """
    path = Path(path)
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                arrays = read_arrays(archive)
            return _wardrobe(arrays)
        except Exception as error:  # zipfile, decompressors, NumPy and Pillow raise nearly anything on damaged files
            raise ValueError(f"{path} is not a wardrobe that can be read: {error}") from error


def _wardrobe(arrays: dict[str, np.ndarray]) -> Wardrobe:
    """The wardrobe that these members describe."""
    if "metadata" not in arrays:
        raise ValueError("it lacks metadata")
    metadata = json.loads(arrays["metadata"].tobytes().decode())
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ValueError(f"its metadata does not say the format {FORMAT!r}")
    anchors = _anchors(arrays)
    body = arrays.get("body")
    if body is not None and (body.ndim != 2 or body.shape[1] != 3):
        raise ValueError(f"its member body must be [B, 3], it is {list(body.shape)}")
    return Wardrobe(
        garments=tuple(_garment(index, text, arrays, anchors) for index, text in enumerate(metadata["garments"])),
        topology=str(metadata["topology"]),
        body=None if body is None else body.astype(np.float32),
        provenance=dict(metadata["provenance"]),
    )


def _anchors(arrays: dict[str, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Vertices and places of every set of anchors; garments share them."""
    found: list[tuple[np.ndarray, np.ndarray]] = []
    while f"anchors/{len(found)}/vertices" in arrays:
        start = f"anchors/{len(found)}"
        found.append((arrays[f"{start}/vertices"].astype(np.int32), arrays[f"{start}/places"].astype(np.float32)))
    return found


def _garment(
    index: int, text: dict[str, Any], arrays: dict[str, np.ndarray], anchors: list[tuple[np.ndarray, np.ndarray]]
) -> Garment:
    """Garment number `index`."""

    def member(key: str, dtype: type) -> np.ndarray | None:
        array = arrays.get(f"{index}/{key}")
        return None if array is None else array.astype(dtype)

    two = member("binding/barycentrics", np.float32)
    bound = {key: member(f"binding/{key}", dtype) for key, dtype in _BINDING.items()}
    triangles = member("triangles", np.int32)
    if two is None or two.ndim != 2 or two.shape[1] != 2:
        raise ValueError(f"member {index}/binding/barycentrics must be [N, 2]")
    missing = [key for key in ("corners", "offsets") if bound[key] is None]
    if missing or triangles is None:
        raise ValueError(f"garment {index} lacks {', '.join(missing or ['triangles'])}")
    vertices, places = (None, None) if text.get("anchors") is None else anchors[text["anchors"]]
    third = np.float32(1) - two[:, :1] - two[:, 1:]
    return Garment(
        **{key: text[key] for key in _TEXT},
        tint=tuple(text["tint"]),
        gloss=float(text["gloss"]),
        triangles=triangles,
        binding=Binding(
            barycentrics=np.concatenate([two, third], axis=1),
            anchors=vertices,
            anchor_places=places,
            **bound,  # type: ignore[arg-type]
        ),
        uv=member("uv", np.float32),
        texture=_texture(arrays.get(f"{index}/texture")),
        covered_head=member("covered_head", np.int32),
        covered_depth=member("covered_depth", np.float32),
        covered_torso=member("covered_torso", np.int32),
    )


def _texture(png: np.ndarray | None) -> np.ndarray | None:
    """`[H, W, 4]` uint8 of a PNG's bytes."""
    if png is None:
        return None
    with Image.open(BytesIO(png.tobytes()), formats=["PNG"]) as image:
        if image.width * image.height > MAX_IMAGE_PIXELS:
            raise ValueError(f"a texture has {image.size} pixels, more than {MAX_IMAGE_PIXELS} in all")
        return np.asarray(image.convert("RGBA"), np.uint8)


def _small(array: np.ndarray) -> np.ndarray:
    """Indices as uint16 where they fit."""
    return array.astype(np.uint16) if array.size == 0 or array.max() < 1 << 16 else array.astype(np.uint32)
