"""Native file of a wardrobe."""

import json
import zipfile

import numpy as np
import pytest

from trainer.wardrobe.binding import Binding
from trainer.wardrobe.garment import Garment
from trainer.wardrobe.storage import load, save
from trainer.wardrobe.wardrobe import Wardrobe

HEAD = np.array([[-2, 0, 0], [2, 0, 0], [0, 3, 0], [0, 1, 4]], np.float32)
CORNERS = np.array([[0, 1, 2], [1, 2, 3], [0, 3, 2]])
WEIGHTS = np.array([[0.5, 0.25, 0.25], [0.125, 0.5, 0.375], [1, 0, 0]], np.float32)
OFFSETS = np.float32([[0, 0, 1.5], [0.25, 0, 0], [0, -300, 0]])


def build_wardrobe(**changes: object) -> Wardrobe:
    texture = np.random.default_rng(0).integers(0, 256, (6, 5, 4)).astype(np.uint8)
    hair = Garment(
        name="hair",
        kind="hair",
        triangles=np.array([[0, 1, 2]]),
        binding=Binding(CORNERS, WEIGHTS, OFFSETS, np.array([0, 1, 2]), HEAD[:3]),
        uv=np.float32([[0, 0], [1, 0], [0.5, 1]]),
        texture=texture,
        dye="hair",
        tint=(0.3, 0.3, 0.3),
        licence="CC0-1.0",
    )
    brows = Garment("brows", "brows", np.array([[0, 2, 1]]), Binding(CORNERS, WEIGHTS, OFFSETS), gloss=0.25)
    vest = Garment(
        name="vest",
        kind="clothes",
        triangles=np.array([[0, 1, 2]]),
        binding=Binding(CORNERS, WEIGHTS, OFFSETS, np.array([0, 1, 2]), HEAD[:3]),
        covered_head=np.array([1, 3], np.int32),
        covered_depth=np.float32([2, np.inf]),
        covered_torso=np.array([0], np.int32),
    )
    fields = {"garments": (hair, brows, vest), "topology": "abc", "body": HEAD, "provenance": {"source": "by hand"}}
    return Wardrobe(**(fields | changes))


def test_a_round_trip_loses_nothing_and_is_the_same_bytes(tmp_path):
    wardrobe = build_wardrobe()
    save(wardrobe, tmp_path / "a.npz")
    again = load(tmp_path / "a.npz")
    assert again.names() == wardrobe.names()
    assert (again.topology, again.provenance) == (wardrobe.topology, wardrobe.provenance)
    np.testing.assert_array_equal(again.body, HEAD)
    for one, other in zip(wardrobe.garments, again.garments, strict=True):
        assert (one.kind, one.dye, one.tint, one.gloss, one.licence) == (
            other.kind,
            other.dye,
            other.tint,
            other.gloss,
            other.licence,
        )
        np.testing.assert_array_equal(one.fit(HEAD), other.fit(HEAD))
        for field in ("triangles", "uv", "texture", "covered_head", "covered_depth", "covered_torso"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)
    save(again, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_garments_share_anchors(tmp_path):
    save(build_wardrobe(), tmp_path / "a.npz")
    again = load(tmp_path / "a.npz")
    assert again["hair"].binding.anchors is again["vest"].binding.anchors
    assert again["brows"].binding.anchors is None


def test_every_truncation_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    save(build_wardrobe(), path)
    data = path.read_bytes()
    for length in range(0, len(data), max(1, len(data) // 30)):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"a\.npz is not a wardrobe"):
            load(path)


def rewritten(path, **changes):
    """The file with members replaced (an array) or left out (None)."""
    with np.load(path) as file:
        members = {key: file[key] for key in file.files}
    members |= {key.replace("__", "/"): value for key, value in changes.items()}
    np.savez(path, **{key: value for key, value in members.items() if value is not None})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metadata": None}, "lacks metadata"),
        ({"metadata": np.frombuffer(json.dumps({"format": "x"}).encode(), np.uint8)}, "format"),
        ({"0__binding__corners": None}, "lacks corners"),
        ({"0__binding__barycentrics": None}, "barycentrics"),
        ({"0__triangles": np.array([[0, 1, 3]], np.uint16)}, "indices in"),
        ({"0__texture": np.zeros(40, np.uint8)}, "cannot identify"),
        ({"0__uv": np.zeros((2, 2), np.float32)}, "uv"),
        ({"body": np.zeros((4, 2), np.float32)}, "body"),
        ({"0__triangles": np.array([None])}, "pickled"),
        ({"anchors__0__vertices": None}, "list index"),
    ],
)
def test_hostile_files_are_refused(tmp_path, changes, message):
    path = tmp_path / "a.npz"
    save(build_wardrobe(), path)
    rewritten(path, **changes)
    with pytest.raises(ValueError, match=message):
        load(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.npz"
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (9999999999,), }"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.npy", header.ljust(127) + b"\n")
    with pytest.raises(ValueError, match="claims"):
        load(path)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz")


def test_names_must_differ():
    garment = build_wardrobe().garments[0]
    with pytest.raises(ValueError, match="twice: hair"):
        build_wardrobe(garments=(garment, garment))


def test_garments_are_found_by_kind_and_name():
    wardrobe = build_wardrobe()
    assert [garment.name for garment in wardrobe.of_kind("clothes")] == ["vest"]
    assert wardrobe["brows"].kind == "brows"
    with pytest.raises(KeyError):
        wardrobe["cape"]
    with pytest.raises(ValueError, match="kind"):
        wardrobe.of_kind("cape")
