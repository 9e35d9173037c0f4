"""`monoface landmarks` and `monoface export landmarks`, with stand-ins for the released networks, and real files."""

import json

import numpy as np
import pytest
import servable_parts
from click.testing import CliRunner
from PIL import Image

from monoface.export_landmarks import command as export_command
from monoface.landmarks import command
from trainer import contract
from trainer.landmarks import locator, network, released
from trainer.landmarks.config import LandmarkNetworkConfig
from trainer.landmarks.locator_config import LocatorConfig

PATCH, GREEN = (60, 40, 160, 160), (200, 90, 260, 140)


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    monkeypatch.setattr(released, "released_networks", servable_parts.color_patch_networks)
    monkeypatch.setattr(released, "released_config", LandmarkNetworkConfig)


@pytest.fixture
def photos(tmp_path):
    """A photo with two faces, one that is on its side by EXIF, a broken one, and one without a face."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(servable_parts.photo(300, 220, PATCH, GREEN)).save(folder / "a.png")
    tag = Image.Exif()
    tag[0x0112] = 6  # to be shown turned clockwise by a quarter
    Image.fromarray(servable_parts.photo(300, 220, PATCH)).save(folder / "b.jpg", exif=tag, quality=95)
    (folder / "c.jpg").write_bytes(b"no photo")
    Image.fromarray(servable_parts.photo(80, 60, None)).save(folder / "d.png")
    return folder


def run(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


def test_every_face_of_every_photo_comes_as_json_and_what_failed_is_named(photos, tmp_path):
    ran = run(photos, "--json", "--overlay", tmp_path / "overlays")
    assert ran.exit_code == 1
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line["image"] for line in lines] == [str(photos / name) for name in ("a.png", "b.jpg", "c.jpg", "d.png")]
    two, turned, broken, empty = lines
    widths = sorted(round(face["box"][2] - face["box"][0]) for face in two["faces"])
    assert np.allclose(widths, [60, 100], atol=2)
    face = two["faces"][0]
    assert np.shape(face["landmarks"]) == (contract.LANDMARK_COUNT, 3)
    assert face["landmark_set"] == "basel"
    assert set(face["pose"]) == {"yaw", "pitch", "roll"}
    # The photo is 220 wide and 300 high upright; the patch's x is what was 220 - y.
    assert (turned["width"], turned["height"]) == (220, 300)
    np.testing.assert_allclose(turned["faces"][0]["box"], [60, 60, 180, 160], atol=3)
    assert broken["reason"]
    assert empty["reason"] == "no_face"
    for photo, reason in (("c.jpg", broken["reason"]), ("d.png", "no_face")):
        assert any(line.startswith(f"{reason}: ") and photo in line for line in ran.stderr.splitlines())
    assert "2 of 4 photos failed" in ran.stderr
    assert sorted(path.name for path in (tmp_path / "overlays").iterdir()) == ["a.png", "b.png"]
    with Image.open(tmp_path / "overlays" / "a.png") as overlay:
        assert overlay.width > 300


def test_a_table_by_default_and_status_0_where_all_went_well(photos):
    ran = run(photos / "a.png", "--flip")
    assert ran.exit_code == 0
    assert "confidence" in ran.stdout
    assert "a.png" in ran.stdout
    assert sum(line.startswith(("│", "|")) for line in ran.stdout.splitlines()) >= 2


def test_the_outline_is_another_set(photos):
    boxes = []
    for name in contract.LANDMARK_SETS:
        line = json.loads(run(photos / "b.jpg", "--json", "--set", name).stdout)
        assert line["faces"][0]["landmark_set"] == name
        boxes.append(line["faces"][0]["box"])
    # The stand-in's outline reaches a tenth further.
    assert boxes[1][2] - boxes[1][0] == pytest.approx(1.1 * (boxes[0][2] - boxes[0][0]), rel=0.01)


def test_missing_weights_are_an_error_in_words(photos, monkeypatch):
    def missing():
        raise ValueError("locator.npz: not a face locator")

    monkeypatch.setattr(released, "released_networks", missing)
    ran = run(photos / "a.png")
    assert ran.exit_code == 1
    assert "locator.npz" in ran.stderr


def test_export_writes_a_saved_model_of_given_weights(tmp_path):
    import tensorflow as tf

    networks = servable_parts.tiny_networks()
    network.save(networks.landmarks, LandmarkNetworkConfig.preset("tiny"), tmp_path / "landmarks.npz")
    locator.save(networks.locator, LocatorConfig.preset("tiny"), tmp_path / "locator.npz")
    given = ["--network", str(tmp_path / "landmarks.npz"), "--locator", str(tmp_path / "locator.npz")]
    ran = CliRunner().invoke(export_command, [str(tmp_path / "1"), *given], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    assert set(tf.saved_model.load(str(tmp_path / "1")).signatures) == {
        "serving_default",
        "with_box",
        "faces",
        "examples",
    }
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "note.txt").write_text("keep me")
    ran = CliRunner().invoke(export_command, [str(tmp_path / "theirs"), *given])
    assert ran.exit_code == 1
    assert "is not overwritten" in ran.output


def test_names_that_look_like_markup_are_shown_as_they_are(photos):
    folder = photos / "a["
    folder.mkdir()
    (photos / "a.png").rename(folder / "d].png")
    ran = run(folder / "d].png")
    assert ran.exit_code == 0
    assert "a[/d].png" in "".join(ran.stdout.split())


def test_overlays_among_the_photos_of_a_folder_are_refused(photos):
    before = sorted(photos.iterdir())
    ran = run(photos, "--overlay", photos)
    assert ran.exit_code == 1
    assert "another folder" in ran.stderr
    assert sorted(photos.iterdir()) == before
