"""Manifests: what they say comes out in the contract's terms, and a broken row costs nothing but itself."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import photo_files
import pytest

from components.dead_letters import DeadLetter
from components.photo_example_gen import splits
from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.readers.manifest import MAX_ROW_BYTES, ManifestReader
from components.photo_example_gen.readers.open_reader import kind_of, open_reader
from components.photo_example_gen.transforms import PhotoWorker
from trainer import contract, examples

FACE = photo_files.face_points()
FEW = {"landmarks": [[50, 20], None, [110.5, 24]], "landmark_map": [36, 27, 45], "visible": [1, 0, 0]}


def album(folder: Path, *names: str) -> Path:
    for name in names or ("a.jpg", "b.jpg", "c.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photo_files.noise(len(name)))
    return folder


def manifest(folder: Path, lines: list[Any], name: str = "photos.jsonl") -> Path:
    """Lines are bytes, text, or what JSON is made of."""
    data = [
        line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
        for line in lines
    ]
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"\n".join(data) + b"\n")
    return folder / name


def read(path: Path, **config: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Examples and reasons by id."""
    checked = PhotoConfig(**config)
    reader = open_reader(str(path), checked)
    worker, found, letters = PhotoWorker(reader, checked), {}, {}
    for work in splits.shard_works(reader.find(), checked):
        for photo in work.items:
            for result in worker.results(photo):
                if isinstance(result, DeadLetter):
                    assert result.id not in letters
                    letters[result.id] = result.reason
                else:
                    example = examples.decode(result)
                    assert example[contract.IMAGE_ID] not in found
                    found[example[contract.IMAGE_ID]] = example | {"split": work.shard.split}
    return found, letters


def reason(folder: Path, row: Any) -> str:
    """Why a row, between two good ones, gives no example."""
    path = manifest(album(folder), [{"path": "b.jpg", "identity": "bo"}, row, {"path": "c.jpg", "identity": "cy"}])
    found, letters = read(path)
    assert set(found) == {"b.jpg", "c.jpg"}
    (only,) = letters.values()
    return only


def test_every_field_of_a_row(tmp_path: Path) -> None:
    row = {
        "path": "a.jpg",
        "identity": 7,
        "moment": "noon",
        "split": "eval",
        "box": [10, 5, 150, 110],
        "landmarks": FACE.tolist(),
        "visible": [index % 2 == 0 for index in range(68)],
        "landmark_set": "basel",
        "pose": [-70, 5, 3],
        "_note": {"anything": [1]},
    }
    found, letters = read(manifest(album(tmp_path), [row, {"path": "b.jpg"}]), max_side=80)
    assert not letters
    example = found["a.jpg"]
    assert (example[contract.IDENTITY], example[contract.MOMENT], example["split"]) == ("7", "noon", "eval")
    np.testing.assert_allclose(example[contract.LANDMARKS_XY].reshape(68, 2), FACE / 2, atol=1e-4)
    np.testing.assert_array_equal(example[contract.LANDMARKS_VISIBLE], np.arange(68) % 2 == 0)
    np.testing.assert_allclose(example[contract.FACE_BOX], [5, 2.5, 75, 55])
    np.testing.assert_allclose(example[contract.POSE_EULER], [-70, 5, 3])
    assert (example[contract.LANDMARKS_SET], example[contract.POSE_YAW_BIN]) == ("basel", "60-90")
    assert contract.LANDMARKS_KNOWN not in example
    plain = found["b.jpg"]
    assert not {contract.LANDMARKS_XY, contract.FACE_BOX, contract.LANDMARKS_SOURCE} & set(plain)
    assert plain[contract.IDENTITY] == plain[contract.MOMENT] == "b.jpg"
    provenance = json.loads(example[contract.PROVENANCE])
    assert (provenance["reader"], provenance["labels"]) == ("manifest", "photos.jsonl:1")


def test_points_of_another_scheme_are_mapped_and_the_rest_is_not_known(tmp_path: Path) -> None:
    rows = [{"path": "a.jpg", **FEW}, {"path": "b.jpg", **FEW, "landmark_map": {"0": 36, "2": 45}}]
    found, letters = read(manifest(album(tmp_path), rows))
    assert not letters
    for example in found.values():
        np.testing.assert_array_equal(np.flatnonzero(example[contract.LANDMARKS_KNOWN]), [36, 45])
        points = example[contract.LANDMARKS_XY].reshape(68, 2)
        np.testing.assert_allclose(points[[36, 45, 0]], [[50, 20], [110.5, 24], [0, 0]])
        np.testing.assert_array_equal(np.flatnonzero(example[contract.LANDMARKS_VISIBLE]), [36])
        assert example[contract.LANDMARKS_SOURCE] == "annotated"
        assert contract.FACE_BOX not in example


def test_csv_says_the_same_as_json_lines(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"path": "a.jpg", "identity": "anna, 2", "box": [1, 2, 30, 40], "landmarks": FACE.tolist(), "split": "train"},
        {"path": "b.jpg", **FEW, "pose": [20, None, None]},
        {"path": "c.jpg", "identity": 'the "third"'},
    ]
    columns = ["path", "identity", "split", "box", "landmarks", "landmark_map", "visible", "pose", "_note"]
    album(tmp_path)
    for style in (json.dumps, lambda value: " ".join("-" if v is None else str(v) for v in _flat(value))):
        with (tmp_path / "photos.csv").open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.writer(file)  # ends lines as Excel does
            writer.writerow(columns)
            for row in rows:
                cells = [row.get(name, "") for name in columns]
                writer.writerow([style(cell) if isinstance(cell, list) else cell for cell in cells])
        from_csv, letters = read(tmp_path / "photos.csv")
        from_json, _ = read(manifest(tmp_path, rows))
        assert not letters
        for name, example in from_json.items():
            for key in set(example) - {contract.PROVENANCE}:
                np.testing.assert_array_equal(from_csv[name][key], example[key], err_msg=f"{name} {key}")
            assert set(from_csv[name]) == set(example)


def _flat(value: list[Any]) -> list[Any]:
    nested = any(isinstance(item, list) for item in value)
    return [number for item in value for number in (item or [None, None])] if nested else value


def test_paths_are_the_users_own(tmp_path: Path) -> None:
    album(tmp_path, "photos/a.jpg", "lists/b.jpg", "photos/c.jpg")
    rows = [{"path": "../photos/a.jpg"}, {"path": "./b.jpg"}, {"path": str(tmp_path / "photos" / "c.jpg")}]
    found, letters = read(manifest(tmp_path / "lists", rows))
    assert not letters
    assert set(found) == {"../photos/a.jpg", "b.jpg", str(tmp_path / "photos" / "c.jpg")}


@pytest.mark.parametrize(("center", "expected"), [(0.0, 10.5), (0.5, 10.0), (1.0, 9.5)])
def test_other_pixel_conventions(tmp_path: Path, center: float, expected: float) -> None:
    row = {"path": "a.jpg", "landmarks": [[10, 10]], "landmark_map": [8], "box": [10, 10, 20, 20]}
    found, _ = read(manifest(album(tmp_path), [row]), first_pixel_center=center)
    np.testing.assert_allclose(found["a.jpg"][contract.LANDMARKS_XY].reshape(68, 2)[8], expected)
    np.testing.assert_allclose(found["a.jpg"][contract.FACE_BOX], np.array([0, 0, 10, 10]) + expected)


@pytest.mark.parametrize(("labels_of", "place"), [("stored", (60, 100)), ("upright", (20, 60))])
def test_labels_are_of_the_stored_or_of_the_upright_pixels(
    tmp_path: Path, labels_of: str, place: tuple[int, int]
) -> None:
    picture = photo_files.dotted({8: (20, 60)}, 120, 160)
    # Lying on its side: to be turned clockwise when it is shown.
    (tmp_path / "a.jpg").write_bytes(photo_files.jpeg(np.ascontiguousarray(np.rot90(picture)), 6))
    row = {"path": "a.jpg", "landmarks": [place], "landmark_map": [8]}
    found, _ = read(manifest(tmp_path, [row]), labels_of=labels_of)
    np.testing.assert_allclose(found["a.jpg"][contract.LANDMARKS_XY].reshape(68, 2)[8], (20, 60))


def test_several_faces_of_one_photo(tmp_path: Path) -> None:
    boxes = [[10, 10, 50, 50], [60, 10, 100, 50], [110, 10, 150, 50]]
    rows = [{"path": "a.jpg", "box": box} for box in boxes]
    rows[2]["identity"] = "anna"
    rows.append({**rows[1]})
    found, letters = read(manifest(album(tmp_path), rows))
    assert {name: example[contract.IDENTITY] for name, example in found.items()} == {
        "a.jpg": "a.jpg",
        "a.jpg#1": "a.jpg#1",
        "a.jpg#2": "anna",
    }
    assert {example[contract.MOMENT] for example in found.values()} == {"a.jpg"}
    for name, box in zip(("a.jpg", "a.jpg#1", "a.jpg#2"), boxes, strict=True):
        np.testing.assert_array_equal(found[name][contract.FACE_BOX], box)
    assert letters == {"photos.jsonl:4": "duplicate"}


def test_the_manifests_own_splits_stand(tmp_path: Path) -> None:
    album(tmp_path, *(f"{index}.jpg" for index in range(12)))
    rows = [{"path": f"{index}.jpg", "identity": f"p{index // 2}"} for index in range(12)]
    rows[0]["split"], rows[5]["split"] = "eval", "train"
    for seed in range(5):
        found, _ = read(manifest(tmp_path, rows), eval_fraction=0.5, seed=seed)
        by_identity: dict[str, set[str]] = {}
        for example in found.values():
            by_identity.setdefault(example[contract.IDENTITY], set()).add(example["split"])
        assert by_identity["p0"] == {"eval"}
        assert by_identity["p2"] == {"train"}
        assert all(len(names) == 1 for names in by_identity.values())


def test_an_identity_in_two_splits_is_an_error_that_names_it(tmp_path: Path) -> None:
    rows = [
        {"path": "a.jpg", "identity": "anna", "split": "train"},
        {"path": "b.jpg", "identity": "anna", "split": "eval"},
    ]
    with pytest.raises(
        ValueError, match=r"An identity must lie in one split\. 'anna' is in both: b.jpg asks for 'eval'"
    ):
        read(manifest(album(tmp_path), rows))


BAD_ROWS: dict[str, tuple[Any, str]] = {
    "not utf-8": (b'{"path": "\xff\xfe.jpg"}', "not_text"),
    "binary": (bytes(range(11, 256)), "not_text"),
    "no json": ("{path: a.jpg}", "bad_row"),
    "cut": ('{"path": "a.jpg", "landmarks": [[1, 2], [3', "bad_row"),
    "a list": (["a.jpg"], "bad_row"),
    "deep": ("[" * 200_000, "bad_row"),
    "long": ('{"path": "a.jpg", "_x": "' + "x" * MAX_ROW_BYTES + '"}', "row_too_long"),
    "endless number": ('{"path": "a.jpg", "box": [' + "9" * 5000 + ", 1, 2, 3]}", "bad_row"),
    "misspelt": ({"path": "a.jpg", "landmark": [[1, 2]]}, "unknown_field"),
    "no path": ({"identity": "anna"}, "no_path"),
    "null path": ({"path": None}, "no_path"),
    "path of a list": ({"path": ["a.jpg"]}, "wrong_type"),
    "zero in the path": ({"path": "a.jpg\0b"}, "bad_path"),
    "half a character": ('{"path": "\\ud800.jpg"}', "bad_path"),
    "path too long": ({"path": "a/" * 4000}, "bad_path"),
    "name too long": ({"path": "x" * 3000}, "unreadable"),
    "missing": ({"path": "nowhere.jpg"}, "missing"),
    "a folder": ({"path": ".."}, "not_a_file"),
    "a device": ({"path": "/dev/zero"}, "not_a_file"),
    "identity of a list": ({"path": "a.jpg", "identity": ["anna"]}, "wrong_type"),
    "identity true": ({"path": "a.jpg", "identity": True}, "wrong_type"),
    "identity too long": ({"path": "a.jpg", "identity": "x" * 5000}, "wrong_type"),
    "third split": ({"path": "a.jpg", "split": "test"}, "unknown_split"),
    "box of three": ({"path": "a.jpg", "box": [1, 2, 3]}, "bad_box"),
    "box of text": ({"path": "a.jpg", "box": "one two three four"}, "bad_box"),
    "box of nulls": ({"path": "a.jpg", "box": [1, 2, None, 4]}, "bad_box"),
    "box turned": ({"path": "a.jpg", "box": [50, 10, 10, 50]}, "bad_box"),
    "box of a mapping": ({"path": "a.jpg", "box": {"x": 1}}, "bad_box"),
    "box outside": ({"path": "a.jpg", "box": [500, 500, 600, 600]}, "outside_photo"),
    "nan": ('{"path": "a.jpg", "landmarks": [[NaN, 2]], "landmark_map": [8]}', "not_finite"),
    "infinite": ('{"path": "a.jpg", "landmarks": [[1e999, 2]], "landmark_map": [8]}', "not_finite"),
    "huge number": ({"path": "a.jpg", "landmarks": [[10**400, 2]], "landmark_map": [8]}, "not_finite"),
    "huge index": ({"path": "a.jpg", "landmarks": [[1, 2]], "landmark_map": {"0": 10**400}}, "bad_landmark_map"),
    "far": ({"path": "a.jpg", "landmarks": [[1e9, 2]], "landmark_map": [8]}, "out_of_range"),
    "one point less": ({"path": "a.jpg", "landmarks": FACE[:67].tolist()}, "landmark_count"),
    "odd": ({"path": "a.jpg", "landmarks": [1, 2, 3], "landmark_map": [0]}, "landmark_count"),
    "triples": ({"path": "a.jpg", "landmarks": [[1, 2, 3]], "landmark_map": [0]}, "bad_landmarks"),
    "text in it": ({"path": "a.jpg", "landmarks": [["1", "2"]], "landmark_map": [0]}, "bad_landmarks"),
    "truth in it": ({"path": "a.jpg", "landmarks": [[True, False]], "landmark_map": [0]}, "bad_landmarks"),
    "nested": ({"path": "a.jpg", "landmarks": [[[1], [2]]], "landmark_map": [0]}, "bad_landmarks"),
    "half a point": ({"path": "a.jpg", "landmarks": [[1, None]], "landmark_map": [0]}, "bad_landmarks"),
    "a million": ({"path": "a.jpg", "landmarks": [0] * 100_000}, "bad_landmarks"),
    "map of another count": ({"path": "a.jpg", **FEW, "landmark_map": [36, 45]}, "landmark_count"),
    "map out of range": ({"path": "a.jpg", **FEW, "landmark_map": [36, 27, 68]}, "bad_landmark_map"),
    "map of halves": ({"path": "a.jpg", **FEW, "landmark_map": [36, 27.5, 45]}, "bad_landmark_map"),
    "map onto one": ({"path": "a.jpg", **FEW, "landmark_map": [36, 27, 36]}, "bad_landmark_map"),
    "map of words": ({"path": "a.jpg", **FEW, "landmark_map": {"nose": 30}}, "bad_landmark_map"),
    "map from nowhere": ({"path": "a.jpg", **FEW, "landmark_map": {"9": 30}}, "bad_landmark_map"),
    "map to a list": ({"path": "a.jpg", **FEW, "landmark_map": {"0": [30]}}, "bad_landmark_map"),
    "visible of another count": ({"path": "a.jpg", **FEW, "visible": [1]}, "landmark_count"),
    "visible 2": ({"path": "a.jpg", **FEW, "visible": [2, 0, 0]}, "bad_visible"),
    "visible null": ({"path": "a.jpg", **FEW, "visible": [None, 0, 0]}, "bad_visible"),
    "visible alone": ({"path": "a.jpg", "visible": [1]}, "bad_visible"),
    "set of others": ({"path": "a.jpg", **FEW, "landmark_set": "dlib"}, "unknown_landmark_set"),
    "pose of two": ({"path": "a.jpg", "pose": [1, 2]}, "bad_pose"),
    "pose without yaw": ({"path": "a.jpg", "pose": [None, 2, 3]}, "bad_pose"),
    "one place": ({"path": "a.jpg", "landmarks": [[5, 5]] * 68}, "degenerate_landmarks"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_broken_row_has_a_reason_and_costs_nothing_else(case: str, tmp_path: Path) -> None:
    row, expected = BAD_ROWS[case]
    assert reason(tmp_path, row) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('"a.jpg,anna', "bad_row"),
        ("a.jpg", "bad_row"),
        ("a.jpg,anna,,extra", "bad_row"),
        ('"a.jpg"x,anna,', "bad_row"),
        ("a.jpg," + "x" * 200_000 + ",", "bad_row"),
        ("a\0.jpg,anna,", "bad_row"),
        (",anna,", "no_path"),
        ("a.jpg,anna,1 2 three 4", "bad_box"),
        ("a.jpg,anna,[1 2 3 4", "bad_box"),
        ("a.jpg,anna,1 2 nan 4", "not_finite"),
        ("a.jpg,anna,1 2 - 4", "bad_box"),
    ],
)
def test_a_broken_line_of_a_csv(tmp_path: Path, line: str, expected: str) -> None:
    path = manifest(album(tmp_path), ["path,identity,box", "b.jpg,bo,", line, "c.jpg,cy,10 10 50 50"], "photos.csv")
    found, letters = read(path)
    assert set(found) == {"b.jpg", "c.jpg"}, "an open quote must not swallow the lines after it"
    assert list(letters.values()) == [expected]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.csv", "it is empty"),
        (b"\n\n", "a.csv", "it is empty"),
        (bytes(range(128, 256)), "a.csv", "must be UTF-8 text"),
        ("path,identity\n".encode("utf-16"), "a.csv", "must be UTF-8 text"),
        (b"path\0,identity\n", "a.csv", "zero bytes"),
        (b"p" * (MAX_ROW_BYTES + 10), "a.csv", "more than 1048576 bytes"),
        (b"identity,box\n", "a.csv", "its header must name `path`"),
        (b"path,landmark\n", "a.csv", "no field `landmark`. Did you mean `landmarks`"),
        (b"path;identity\n", "a.csv", "no field `path;identity`"),
        (b"path,path\n", "a.csv", "names path more than once"),
        (b'"path\n', "a.csv", "its header is no CSV"),
        (b"path\n", "a.csv", "it has no row"),
        (b'["a.jpg"]\n', "a.jsonl", "one JSON object a line"),
        (b"{\n", "a.json", "one JSON object a line: line 1"),
        (b'{"image": "a.jpg"}\n', "a.jsonl", "no field `image`"),
        (b"[" * 100_000, "a.jsonl", "one JSON object a line"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_an_error_before_any_work(
    tmp_path: Path, content: bytes, name: str, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        ManifestReader(str(tmp_path / name)).find()
    assert name in str(caught.value)


def test_missing_manifests_and_folders_in_their_place(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is none at"):
        open_reader(str(tmp_path / "nowhere.csv"), PhotoConfig(reader="manifest"))
    with pytest.raises(ValueError, match="must be a file"):
        open_reader(str(tmp_path), PhotoConfig(reader="manifest"))


def test_the_state_is_that_of_manifest_and_photos(tmp_path: Path) -> None:
    path = manifest(album(tmp_path), [{"path": "a.jpg"}, {"path": "gone.jpg"}, {"path": "x\0"}])
    assert kind_of(str(path)) == "manifest"

    def state() -> str:
        reader = ManifestReader(str(path))
        return reader.state(reader.find())

    states = [state(), state()]
    assert states[0] == states[1]
    (tmp_path / "a.jpg").write_bytes(photo_files.noise(99))
    states.append(state())
    (tmp_path / "gone.jpg").write_bytes(photo_files.noise(98))
    states.append(state())
    manifest(tmp_path, [{"path": "a.jpg", "identity": "anna"}, {"path": "gone.jpg"}])
    states.append(state())
    assert len(set(states)) == 4


def test_a_manifest_that_changes_while_it_is_read_gives_no_wrong_labels(tmp_path: Path) -> None:
    path = manifest(
        album(tmp_path), [{"path": "a.jpg", "box": [1, 1, 20, 20]}, {"path": "b.jpg", "box": [1, 1, 20, 20]}]
    )
    reader = ManifestReader(str(path))
    photos = reader.find()
    manifest(tmp_path, [{"path": "b.jpg", "box": [1, 1, 20, 20]}, {"path": "a.jpg", "box": [1, 1, 20, 20]}])
    results = [result for photo in photos for result in PhotoWorker(reader, PhotoConfig()).results(photo)]
    assert [letter.reason for letter in results] == ["manifest_changed"] * 2
