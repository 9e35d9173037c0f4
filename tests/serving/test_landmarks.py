"""Photos to landmarks with a finder that answers by hand: names, overlays, and what becomes of photos that fail."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.face_model import Face, InvalidRequestError
from serving.landmarks import landmark_photos
from serving.overlay import BOX_COLOR, GROUP_COLORS, MOST_ENLARGED, TILE_SIDE, draw_faces
from trainer import contract

SIZE = (240, 320)


def face_at(x: float, y: float, radius: float = 30.0, confidence: float = 0.9) -> Face:
    turns = np.linspace(0, 2 * np.pi, contract.LANDMARK_COUNT, endpoint=False)
    points = np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns), 0 * turns], axis=1).astype(np.float32)
    box = np.array([x - radius, y - radius, x + radius, y + radius], np.float32)
    return Face(box, points, np.array([1.0, 2.0, 3.0], np.float32), confidence)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "one.png", tmp_path / "one.jpg", tmp_path / "broken.png", tmp_path / "empty.png"]
    for path, level in zip(paths, (100, 150, 0, 0), strict=True):
        Image.new("RGB", SIZE[::-1], (level,) * 3).save(path)
    paths[2].write_bytes(paths[2].read_bytes()[:60])
    return paths


def find(image: np.ndarray) -> list[Face]:
    """Two faces where it is not black, the second doubtful."""
    return [face_at(100, 90), face_at(220, 130, 20, 0.2)] if image.max() else []


def test_every_photo_has_a_result_in_order_and_names_do_not_collide(photos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "overlays"
    results = list(landmark_photos(photos, find, "outline", out))
    assert [result.photo for result in results] == photos
    assert [result.reason for result in results[:2]] == ["", ""]
    assert results[2].reason
    assert results[3].reason == "no_face"
    assert [path.name for path in sorted(out.iterdir())] == ["one-2.png", "one.png"]
    assert results[1].overlay == out / "one-2.png"
    described = results[0].to_json()
    assert described["image"] == str(photos[0])
    assert (described["width"], described["height"]) == SIZE[::-1]
    assert [face["landmark_set"] for face in described["faces"]] == ["outline", "outline"]
    assert described["faces"][0]["pose"] == {"yaw": 1.0, "pitch": 2.0, "roll": 3.0}
    failure = results[2].to_json()
    assert set(failure) == {"image", "reason", "message"}
    assert str(photos[2]) in failure["message"]


def test_doubtful_faces_are_left_out_and_old_overlays_do_not_stay(photos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "overlays"
    assert len(next(landmark_photos(photos[:1], find, overlays=out, min_confidence=0.5)).faces) == 1
    assert (out / "one.png").is_file()
    (failed,) = landmark_photos(photos[:1], find, overlays=out, min_confidence=0.95)
    assert failed.reason == "no_face"
    assert not list(out.iterdir())


def test_refusals_and_senseless_answers_are_failures_of_one_photo(photos: list[Path], tmp_path: Path) -> None:
    def refuses(image: np.ndarray) -> list[Face]:
        raise InvalidRequestError("too strange")

    def senseless(image: np.ndarray) -> list[Face]:
        return [dataclasses.replace(face_at(50, 50), pose=np.full(3, np.nan, np.float32))]

    (refused,) = landmark_photos(photos[:1], refuses)
    assert (refused.reason, refused.message) == ("refused_by_model", f"{photos[0]}: too strange")
    (odd,) = landmark_photos(photos[:1], senseless)
    assert odd.reason == "not_finite"
    (folder,) = landmark_photos([tmp_path], find)
    assert folder.reason == "no_photos"


def test_all_faces_are_drawn_and_the_first_are_enlarged() -> None:
    image = np.full((*SIZE, 3), 128, np.uint8)
    faces = [face_at(60, 70), face_at(160, 90), face_at(250, 160)]
    overlay = draw_faces(image, faces)
    colors = {*GROUP_COLORS.values(), BOX_COLOR}
    for face in faces:
        for x, y in face.landmarks[:: contract.LANDMARK_COUNT // 4, :2]:
            assert tuple(overlay[int(y), int(x)]) in colors
    assert (overlay[225, 10] == 128).all()
    # Three faces in two rows of tiles, each as high as half of the photo's panel or more.
    tile = max(512 // 2, TILE_SIDE)
    assert overlay.shape == (2 * tile, SIZE[1] + 2 * tile, 3)
    many = draw_faces(image, [face_at(160, 120)] * (MOST_ENLARGED + 5))
    assert many.shape[1] <= SIZE[1] + MOST_ENLARGED * tile


def test_a_single_face_has_no_number() -> None:
    """A number's patch is of the box's colour and filled: above the box of one face there must be none."""
    image = np.full((*SIZE, 3), 128, np.uint8)
    face = face_at(160, 120)
    numbered = draw_faces(image, [face, face_at(40, 60, 10)])[: SIZE[0], : SIZE[1]]
    alone = draw_faces(image, [face])[: SIZE[0], : SIZE[1]]
    above = slice(int(face.box[1]) - 14, int(face.box[1]) - 3), slice(int(face.box[0]) + 1, int(face.box[0]) + 10)
    assert (numbered[above] == BOX_COLOR).all(axis=-1).mean() > 0.4
    assert not (alone[above] == BOX_COLOR).all(axis=-1).any()


def test_no_photo_is_overwritten_by_the_overlay_of_another_or_its_own(photos: list[Path]) -> None:
    before = {path.name: path.read_bytes() for path in photos}
    results = list(landmark_photos(photos, find, overlays=photos[0].parent))
    assert {name: (photos[0].parent / name).read_bytes() for name in before} == before
    assert [result.overlay and result.overlay.name for result in results] == ["one-2.png", "one-3.png", None, None]


def test_a_photo_that_is_a_link_among_the_overlays_stays(photos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "overlays"
    out.mkdir()
    (out / "seen.png").symlink_to(photos[0])
    (result,) = landmark_photos([out / "seen.png"], find, overlays=out)
    assert result.overlay == out / "seen-2.png"
    assert (out / "seen.png").is_symlink()


def test_an_overlay_that_cannot_be_written_fails_one_photo(photos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "overlays"
    (out / "one.png").mkdir(parents=True)
    results = list(landmark_photos(photos[:2], find, overlays=out))
    assert [result.reason for result in results] == ["not_written", ""]
