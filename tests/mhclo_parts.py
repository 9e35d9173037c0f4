"""A small asset in MakeHuman's real formats."""

from pathlib import Path

import numpy as np
from PIL import Image

MHCLO = """# This is a clothes file for MakeHuman
#
# This asset was explicitly released as CC0 in september 2020.

uuid a153cb9b-2a28-45fa-a526-04e45146268e
basemesh hm08
tag Hats
tag Test thing

name thing
obj_file thing.obj
x_scale 0 1 2.0
y_scale 2 3 2.0
z_scale 0 2 4.0
z_depth 50
verts 0
material thing.mhmat

 0     1     2    0.50000 0.25000 0.25000 1.0 2.0 3.0
3
    1     2     3    0.00000 1.00000 0.00000 -1.0 0.0 0.5
    1     2     3    0.00000 0.00000 1.00000 0.0 0.0 0.0

delete_verts
4 7 - 9 11 13 - 14
20
"""

OBJ = """# mesh
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0.1 0.1
vt 0.9 0.1
vt 0.9 0.9
vt 0.1 0.9
vt 0.5 0.5
f 1/1 2/2 3/3 4/4
f 1/5 2/2 3/3
"""

MHMAT = """# material
name thing
diffuseColor 1 1 1
diffuseTexture thing.png
"""

BODY = np.array([[0, 0, 0], [4, 0, 0], [0, 0, 8], [0, 6, 0], [9, 9, 9]], float)
"""Base vertices; distances 4, 10 … of the scales are worked out in the tests."""


def write_asset(folder: Path, **changes: str) -> Path:
    """Writes the asset below a folder; `mhclo`, `obj` and `mhmat` replace files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "thing.obj").write_text(changes.get("obj", OBJ))
    (folder / "thing.mhmat").write_text(changes.get("mhmat", MHMAT))
    picture = np.zeros((16, 16, 4), np.uint8)
    picture[...] = [180, 90, 40, 255]
    Image.fromarray(picture).save(folder / "thing.png")
    path = folder / "thing.mhclo"
    path.write_text(changes.get("mhclo", MHCLO))
    return path
