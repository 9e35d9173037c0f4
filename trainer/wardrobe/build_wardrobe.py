"""Builds the default head's wardrobe from MakeHuman's CC0 assets: one deterministic command, `monoface model build-wardrobe`."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.wardrobe import textures
from trainer.wardrobe.body import body_around
from trainer.wardrobe.mhclo import CC0, read_clothes
from trainer.wardrobe.scalp import build_scalps
from trainer.wardrobe.tailor import tailored
from trainer.wardrobe.torso import build_torso
from trainer.wardrobe.wardrobe import Wardrobe, topology_of

GENERATOR_VERSION: Final = "1"
SOURCE: Final = "MakeHuman"
FOLDERS: Final = {"hair": "hair", "brows": "eyebrows", "lashes": "eyelashes", "clothes": "clothes", "hat": "clothes"}
"""Kind to MakeHuman's folder."""
HATS: Final = ("fedora01",)
"""Folders of `clothes` that hold hats."""
LEFT_OUT: Final = ("male_worksuit01",)
"""Folders that are not used: its bib cuts through its shirt."""
PRINTS: Final = {
    "female_casualsuit01": ((0.70, 0.13, 0.88, 0.34, -0.18, 0.0),),
    "female_casualsuit02": ((0.70, 0.13, 0.88, 0.34, -0.18, 0.0),),
    "male_casualsuit02": ((0.49, 0.10, 0.64, 0.24, 0.0, 0.14),),
    "male_casualsuit04": ((0.49, 0.10, 0.64, 0.24, 0.0, 0.14),),
    "male_casualsuit06": ((0.18, 0.11, 0.31, 0.17, 0.0, 0.07), (0.43, 0.11, 0.64, 0.22, 0.0, 0.12)),
}
"""Where the pictures of shirts have a maker's sign, see `trainer.wardrobe.textures.plain`."""
HAT_SCALE: Final = (1.06, 1.0, 1.05)
HAT_SHIFT: Final = (0.0, -10.0, 2.0)
"""Hats are widened and set lower, millimetres, so that there is room for hair."""


def build_wardrobe(makehuman_dir: str | Path, model: MorphableModel) -> Wardrobe:
    """The default head's wardrobe.

    Args:
        makehuman_dir: Folder with `3dobjs`, `mesh_metadata`, `hair`, `eyebrows`, `eyelashes` and `clothes`.
        model: The head that `trainer.morphable.build_head` builds from the same folder.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file cannot be read, is not CC0, or the model is another head.
    """
    folder = Path(makehuman_dir)
    body = body_around(model, folder).astype(np.float16).astype(np.float32)
    torso = build_torso(model, body, folder, CC0, f"{SOURCE} 3dobjs/base.obj")
    garments = [torso, *build_scalps(model, CC0, "trainer.wardrobe.scalp")]
    digest = hashlib.sha256()
    for kind, below in FOLDERS.items():
        for path in sorted((folder / below).glob("*/*.mhclo")):
            asset = path.parent.name
            if asset in LEFT_OUT or (below == "clothes" and (asset in HATS) != (kind == "hat")):
                continue
            clothes = read_clothes(path)
            if clothes.licence != CC0:
                raise ValueError(f"{path} must be CC0. Received: {clothes.licence}")
            place = path.relative_to(folder).as_posix()
            if kind == "hat":
                clothes = clothes.moved(body, HAT_SCALE, HAT_SHIFT)
            if clothes.picture is not None:
                clothes = dataclasses.replace(clothes, picture=textures.plain(clothes.picture, PRINTS.get(asset, ())))
            garments.append(tailored(clothes, kind, body, model, torso, f"{SOURCE} {place}"))
            digest.update(place.encode() + b"\0" + path.read_bytes())
    return Wardrobe(tuple(garments), topology_of(model.triangles), body, _provenance(digest.hexdigest()))


def _provenance(digest: str) -> dict[str, Any]:
    return {
        "source": "MakeHuman hair, eyebrows, eyelashes, clothes and base mesh (makehumancommunity.org)",
        "source_licence": CC0,
        "source_sha256": digest,
        "command": "monoface model build-wardrobe --makehuman DIR --out PATH",
        "generator": "trainer.wardrobe.build_wardrobe",
        "generator_version": GENERATOR_VERSION,
    }
