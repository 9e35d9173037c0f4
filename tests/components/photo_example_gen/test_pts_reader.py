import json
import os
import threading
from pathlib import Path

import numpy as np
import photo_files
import pytest

from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.labels import LabelError
from components.photo_example_gen.readers.ibug_pts import PtsReader, parse_pts
from components.photo_example_gen.readers.open_reader import kind_of, open_reader
from components.photo_example_gen.transforms import PhotoWorker
from trainer import contract, examples

POINTS = photo_files.face_points()


def reason_of(content: bytes) -> str:
    with pytest.raises(LabelError) as caught:
        parse_pts(content)
    return caught.value.problem.reason


def test_matlabs_pixels_become_the_contracts() -> None:
    labels = parse_pts(b"version: 1\nn_points:  68\n{\n" + b"1 1\n" * 67 + b"10.5 20.25\n}\n")
    np.testing.assert_array_equal(labels.points[0], [0.5, 0.5])
    np.testing.assert_array_equal(labels.points[67], [10, 19.75])
    assert labels.landmark_set == "outline"


def test_files_of_fewer_points_are_parts_of_the_scheme() -> None:
    inner = parse_pts(photo_files.pts(POINTS[17:]))
    np.testing.assert_array_equal(np.flatnonzero(~inner.known), range(17))
    np.testing.assert_allclose(inner.points[17:], POINTS[17:], atol=1e-5)
    without_corners = np.delete(POINTS, [*range(17), 60, 64], axis=0)
    fewest = parse_pts(photo_files.pts(without_corners))
    np.testing.assert_array_equal(np.flatnonzero(~fewest.known), [*range(17), 60, 64])
    np.testing.assert_allclose(fewest.points[61], POINTS[61], atol=1e-5)


def test_line_ends_and_spaces_are_as_they_come() -> None:
    plain = photo_files.pts(POINTS)
    for content in (plain.replace(b"\n", b"\r\n"), plain.replace(b"\n{", b"\n\n  {"), b"  " + plain + b"\n\n"):
        np.testing.assert_allclose(parse_pts(content).points, POINTS, atol=1e-5)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "bad_pts"),
        (bytes(range(256)) * 40, "bad_pts"),
        (b"{" * 100_000, "bad_pts"),
        (b"version: 1\nn_points: 68\n", "bad_pts"),
        (photo_files.pts(POINTS)[:700], "bad_pts"),
        (photo_files.pts(POINTS).replace(b"n_points", b"points"), "bad_pts"),
        (photo_files.pts(POINTS).replace(b".", b",", 1), "bad_pts"),
        (photo_files.pts(POINTS).replace(b"\n}", b" 1 2\n}"), "bad_pts"),
        (photo_files.pts(POINTS, count=69), "landmark_count"),
        (photo_files.pts(POINTS, count=999_999_999), "landmark_count"),
        (photo_files.pts(POINTS, count=0), "landmark_count"),
        (photo_files.pts(POINTS[:40]), "landmark_count"),
        (photo_files.pts(np.where(np.arange(68)[:, None] == 5, np.nan, POINTS)), "not_finite"),
        (photo_files.pts(np.where(np.arange(68)[:, None] == 5, np.inf, POINTS)), "not_finite"),
        (photo_files.pts(POINTS * 1e9), "out_of_range"),
    ],
)
def test_what_is_no_such_file_has_a_reason(content: bytes, reason: str) -> None:
    assert reason_of(content) == reason


@pytest.fixture
def album(tmp_path: Path) -> Path:
    root = tmp_path / "300w"
    (root / "indoor").mkdir(parents=True)
    for name in ("indoor/a", "indoor/b", "c"):
        (root / f"{name}.png").write_bytes(photo_files.noise(1))
        (root / f"{name}.pts").write_bytes(photo_files.pts(POINTS))
    (root / "c.pts").rename(root / "c.PTS")
    (root / "unlabelled.jpg").write_bytes(photo_files.noise(2))
    (root / "lonely.pts").write_bytes(photo_files.pts(POINTS))
    (root / "README.txt").write_text("not a photo")
    return root


def test_photos_and_files_beside_them(album: Path) -> None:
    assert kind_of(str(album)) == "pts"
    reader = open_reader(str(album), PhotoConfig())
    worker = PhotoWorker(reader, PhotoConfig(max_side=80))
    results = [result for photo in reader.find() for result in worker.results(photo)]
    found = {example[contract.IMAGE_ID]: example for example in map(examples.decode, filter(_is_example, results))}
    assert set(found) == {"indoor/a.png", "indoor/b.png", "c.png"}
    for name, example in found.items():
        np.testing.assert_allclose(example[contract.LANDMARKS_XY].reshape(-1, 2), POINTS / 2, atol=1e-3)
        assert example[contract.LANDMARKS_SET] == "outline"
        assert example[contract.IDENTITY] == name, "nothing says who is on them"
    assert json.loads(found["c.png"][contract.PROVENANCE])["labels"] == "c.PTS"
    letters = {letter.id: letter.reason for letter in results if not _is_example(letter)}
    assert letters == {"unlabelled.jpg": "missing_labels", "lonely.pts": "missing"}


def test_changed_labels_are_another_state(album: Path) -> None:
    reader = PtsReader(str(album))
    before = reader.state(reader.find())
    (album / "indoor/a.pts").write_bytes(photo_files.pts(POINTS[17:]))
    assert reader.state(reader.find()) != before


def test_pipes_folders_and_giants_in_place_of_labels_do_not_hang_the_run(tmp_path: Path) -> None:
    for name in ("pipe", "folder", "giant"):
        (tmp_path / f"{name}.jpg").write_bytes(photo_files.noise(1))
    os.mkfifo(tmp_path / "pipe.pts")
    (tmp_path / "folder.pts").mkdir()
    with (tmp_path / "giant.pts").open("wb") as file:
        file.truncate(1 << 36)
    reader, letters = PtsReader(str(tmp_path)), []
    worker = PhotoWorker(reader, PhotoConfig())
    photos = reader.find()

    def work() -> None:
        letters.extend(letter for photo in photos for letter in worker.results(photo))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert {letter.id: letter.reason for letter in letters} == {
        "pipe.jpg": "bad_labels",
        "folder.jpg": "bad_labels",
        "giant.jpg": "bad_labels",
    }


def _is_example(result: object) -> bool:
    return isinstance(result, bytes)
