import gzip
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from trainer.morphable.makehuman import (
    read_base,
    read_landmarks,
    read_mirror,
    read_picture,
    read_target,
    sample_picture,
)

BASE = """# a comment
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 2 0 0
v 2 1 0
vt 0 0
vt 0.5 0
vt 0.5 1
vt 0 1
vt 1 0
vt 1 1
g body
f 1/1 2/2 3/3 4/4
g helper-tongue
f 2/2 5/5 6/6 3/3
"""


def test_base_mesh(tmp_path):
    path = tmp_path / "base.obj"
    path.write_text(BASE)
    base = read_base(path)
    assert_allclose(base.vertices[5], [2, 1, 0])
    assert_allclose(base.texture[2], [0.5, 1])
    assert base.faces["body"].tolist() == [[0, 1, 2, 3]]
    assert base.face_texture["helper-tongue"].tolist() == [[1, 4, 5, 2]]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("v 1 0 0", "v 1 zero 0", "line 3"),
        ("f 1/1 2/2 3/3 4/4", "f 1/1 2/2 3/3", "line 15.*four pairs"),
        ("f 1/1 2/2 3/3 4/4", "f 1 2 3 4", "four pairs"),
        ("f 1/1 2/2 3/3 4/4", "f 1/1 2/2 3/3 99/4", "body refers to a vertex"),
        ("f 1/1 2/2 3/3 4/4", "f 0/1 2/2 3/3 4/4", "body refers to a vertex"),
        ("g body", "g", "line 14"),
    ],
)
def test_wrong_base_meshes_are_refused(tmp_path, old, new, words):
    path = tmp_path / "base.obj"
    path.write_text(BASE.replace(old, new, 1))
    with pytest.raises(ValueError, match=words) as caught:
        read_base(path)
    assert "base.obj" in str(caught.value)


def test_target_is_zero_where_it_does_not_reach(tmp_path):
    path = tmp_path / "nose.target.gz"
    path.write_bytes(gzip.compress(b"# comment\n1 .5 -.25 0\n\n3 0 0 1e-3\n"))
    offsets = read_target(path, 5)
    assert_allclose(offsets[1], [0.5, -0.25, 0])
    assert_allclose(offsets[[0, 2, 4]], 0)
    (tmp_path / "plain.target").write_text("1 .5 -.25 0\n")
    assert_allclose(read_target(tmp_path / "plain.target", 5)[1], [0.5, -0.25, 0])


@pytest.mark.parametrize("line", ["7 0 0 0", "-1 0 0 0", "1 0 0", "1 a 0 0", "1 nan 0 0", "1 inf 0 0", "1.5 0 0 0"])
def test_wrong_target_lines_are_refused(tmp_path, line):
    path = tmp_path / "bad.target"
    path.write_text(f"0 0 0 0\n{line}\n")
    with pytest.raises(ValueError, match=r"bad\.target, line 2"):
        read_target(path, 5)


def test_truncated_and_foreign_gzip_are_refused(tmp_path):
    data = gzip.compress(b"0 0 0 0\n" * 1000)
    for content in (data[: len(data) // 2], b"not gzip", gzip.compress(b"\xff\xfe\x00")):
        path = tmp_path / "x.target.gz"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"x\.target\.gz cannot be read"):
            read_target(path, 5)


def test_mirror(tmp_path):
    path = tmp_path / "hm08.mirror"
    path.write_text("0 1 r\n1 0 l\n2 2 m\n")
    assert read_mirror(path, 4).tolist() == [1, 0, 2, 3]
    for content, words in (("0 1 r\n", "pair"), ("0 9 r\n", "line 1"), ("0\n", "line 1"), ("a b r\n", "line 1")):
        path.write_text(content)
        with pytest.raises(ValueError, match=words):
            read_mirror(path, 4)


def test_landmark_table(tmp_path):
    path = tmp_path / "landmarks68.json"
    path.write_text(json.dumps({"basel": list(range(68))}))
    assert read_landmarks(path)["basel"].tolist() == list(range(68))
    for content in ('{"basel": [1, 2]}', "[]", "{", '{"basel": "x"}', '{"basel": null}'):
        path.write_text(content)
        with pytest.raises(ValueError, match=r"landmarks68\.json"):
            read_landmarks(path)


def test_pictures_are_sampled_with_v_upwards(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[0, 3] = (255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "skin.png")
    picture = read_picture(tmp_path / "skin.png")
    uv = np.array([[3.5 / 4, 3.5 / 4], [3.5 / 4, 0.5 / 4], [3.0 / 4, 3.5 / 4], [2, 2]])
    assert_allclose(sample_picture(picture, uv)[:, 0], [1, 0, 0.5, 1], atol=2e-3)
    (tmp_path / "skin.png").write_bytes(b"not a picture")
    with pytest.raises(ValueError, match=r"skin\.png"):
        read_picture(tmp_path / "skin.png")
