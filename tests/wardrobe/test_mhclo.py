"""Reader of MakeHuman's clothes files."""

import numpy as np
import pytest
from mhclo_parts import BODY, MHCLO, MHMAT, OBJ, write_asset

from trainer.wardrobe.mhclo import read_clothes


def test_a_real_file_is_read(tmp_path):
    clothes = read_clothes(write_asset(tmp_path))
    assert clothes.name == "thing"
    assert clothes.licence == "CC0-1.0"
    assert clothes.tags == ("Hats", "Test thing")
    assert clothes.mesh.triangles.shape == (3, 3)
    assert clothes.mesh.vertex_count == 4
    assert len(clothes.mesh.uv) == 5, "vertex 1 has two texture coordinates"
    np.testing.assert_array_equal(clothes.hidden, [4, 7, 8, 9, 11, 13, 14, 20])
    np.testing.assert_array_equal(clothes.picture[0, 0], [180, 90, 40, 255])


def test_places_are_weighted_means_and_scaled_offsets(tmp_path):
    clothes = read_clothes(write_asset(tmp_path))
    # Scales: |x0 - x1| / 2 = 2, |y2 - y3| / 2 = 3, |z0 - z2| / 4 = 2.
    by_vertex = {
        0: [0.25 * 4 + 1 * 2, 2 * 3, 0.25 * 8 + 3 * 2],
        1: [0, 6, 0],
        2: [-2, 0, 8 + 1],
        3: [0, 6, 0],
    }
    expected = [by_vertex[vertex] for vertex in clothes.mesh.vertex_of_corner]
    np.testing.assert_allclose(clothes.pose(BODY), expected)


def test_moving_scales_about_the_middle_and_shifts(tmp_path):
    clothes = read_clothes(write_asset(tmp_path))
    places = clothes.pose(BODY)
    moved = clothes.moved(BODY, (2.0, 1.0, 1.0), (0.0, -5.0, 0.0)).pose(BODY)
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    np.testing.assert_allclose(moved, middle + (places - middle) * [2, 1, 1] + [0, -5, 0])


def test_a_body_that_is_too_small_is_refused(tmp_path):
    with pytest.raises(ValueError, match="base vertex 3; the base mesh has 3"):
        read_clothes(write_asset(tmp_path)).pose(BODY[:3])


def test_without_a_picture_or_texture_there_is_none(tmp_path):
    plain = OBJ.replace("/1 ", " ").replace("/2 ", " ").replace("/3 ", " ").replace("/4", "").replace("/5 ", " ")
    plain = plain.replace("/3", "")
    clothes = read_clothes(write_asset(tmp_path, obj=plain, mhmat="name thing\n"))
    assert clothes.mesh.uv is None
    assert clothes.picture is None


@pytest.mark.parametrize(
    ("part", "old", "new", "message"),
    [
        ("mhclo", "name thing\n", "", "lacks `name`"),
        ("mhclo", "x_scale 0 1 2.0\n", "", "lacks `x_scale`"),
        ("mhclo", "x_scale 0 1 2.0", "x_scale 0 1 0", "must be positive"),
        ("mhclo", "x_scale 0 1 2.0", "x_scale 0 1", "two base vertices and a distance"),
        ("mhclo", "1.0 2.0 3.0\n3\n", "1.0 2.0 3.0\n", "places 3 vertices; thing.obj has 4"),
        ("mhclo", "1.0 2.0 3.0\n3\n", "1.0 2.0\n3\n", "must be one base vertex or"),
        ("mhclo", "1.0 2.0 3.0\n3\n", "1.0 nan 3.0\n3\n", "numbers up to"),
        ("mhclo", "1.0 2.0 3.0\n3\n", "1.0 2.0 3.0\n999999999\n", "base vertex must be in"),
        ("mhclo", "1.0 2.0 3.0\n3\n", "1.0 2.0 3e99\n3\n", "numbers up to"),
        ("mhclo", "7 - 9", "9 - 7", "must rise"),
        ("mhclo", "7 - 9", "7 - 199999999999", "base vertex must be in"),
        ("mhclo", "thing.obj", "../../thing.obj", "outside of its folder"),
        ("mhclo", "thing.mhmat", "/etc/hostname", "outside of its folder"),
        ("mhclo", "obj_file thing.obj", "obj_file .", "not a file"),
        ("mhmat", "thing.png", "../thing.png", "outside of its folder"),
        ("mhmat", "thing.png", "thing.obj", "not a picture"),
        ("obj", "f 1/5 2/2 3/3", "f 1/5 2/2 9/3", "not there"),
        ("obj", "f 1/5 2/2 3/3", "f 1/5 2/2 3/9", "not there"),
        ("obj", "f 1/5 2/2 3/3", "f 0/5 2/2 3/3", "not there"),
        ("obj", "f 1/5 2/2 3/3", "f 1/5 2/2", "three or four corners"),
        ("obj", "f 1/5 2/2 3/3", "f a/5 2/2 3/3", "invalid literal"),
        ("obj", "v 1 1 0", "v 1 inf 0", "numbers up to"),
        ("obj", "v 1 1 0", "v 1 1", "3 numbers"),
    ],
)
def test_hostile_files_are_refused_with_the_reason(tmp_path, part, old, new, message):
    text = {"mhclo": MHCLO, "obj": OBJ, "mhmat": MHMAT}[part]
    assert old in text
    path = write_asset(tmp_path / "asset", **{part: text.replace(old, new)})
    with pytest.raises(ValueError, match=message) as error:
        read_clothes(path)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("name", ["thing.mhclo", "thing.obj", "thing.mhmat", "thing.png"])
def test_every_truncation_is_an_error_or_reads_less(tmp_path, name):
    path = write_asset(tmp_path)
    data = (tmp_path / name).read_bytes()
    for length in range(0, len(data), max(1, len(data) // 40)):
        (tmp_path / name).write_bytes(data[:length])
        try:
            clothes = read_clothes(path)
        except (ValueError, FileNotFoundError):
            continue
        assert np.isfinite(clothes.pose(np.pad(BODY, ((0, 99), (0, 0)), mode="edge"))).all()


def test_binary_rubbish_is_not_text(tmp_path):
    path = write_asset(tmp_path)
    path.write_bytes(b"\xff\xfe\x00\x80" * 50)
    with pytest.raises(ValueError, match="not a text file"):
        read_clothes(path)


def test_missing_files_are_named(tmp_path):
    path = write_asset(tmp_path)
    (tmp_path / "thing.obj").unlink()
    with pytest.raises(FileNotFoundError, match=r"thing\.obj"):
        read_clothes(path)


@pytest.mark.parametrize(
    ("header", "licence"),
    [("# license AGPL3 (see also)", "license AGPL3 (see also)"), ("# by someone", "unknown"), ("# CC0", "CC0-1.0")],
)
def test_the_licence_is_what_the_header_says(tmp_path, header, licence):
    text = "\n".join([header, *(line for line in MHCLO.splitlines() if not line.startswith("#"))])
    assert read_clothes(write_asset(tmp_path, mhclo=text)).licence == licence
