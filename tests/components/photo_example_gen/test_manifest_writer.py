"""Label files in NumPy form become manifests that read back as the same labels."""

from pathlib import Path
from typing import Any

import numpy as np
import photo_files
import pytest

from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.manifest_writer import AFLW_TO_IBUG68, write_manifest
from components.photo_example_gen.readers.manifest import ManifestReader
from components.photo_example_gen.transforms import PhotoWorker
from trainer import contract, examples

NAMES = np.array(["x_01.jpg", "x_02.jpg", "y_01.jpg"])
POINTS = np.stack([photo_files.face_points(seed) for seed in range(3)]).astype(np.float32)


def archive(folder: Path, **changes: Any) -> Path:
    """As `p1` comes; `changes` replace arrays, None leaves one out."""
    (folder / "img").mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        (folder / "img" / name).write_bytes(photo_files.noise(seed))
    arrays = {"names": NAMES, "pts68_crop": POINTS, "identity": np.array(["x", "x", "y"]), **changes}
    np.savez(folder / "labels.npz", **{name: value for name, value in arrays.items() if value is not None})
    return folder


def aflw(folder: Path) -> Path:
    points, visible = np.full((3, 21, 2), -30.0, np.float32), np.zeros((3, 21), bool)
    for index, target in enumerate(AFLW_TO_IBUG68):
        if target >= 0:
            points[:, index], visible[:, index] = POINTS[:, target], True
    visible[1, 0] = False
    yaw = np.array([70.0, -40.0, 3.0], np.float32)
    return archive(folder, pts68_crop=None, identity=None, pts21_crop=points, visible=visible, yaw_deg=yaw)


def read(path: Path) -> list[dict[str, Any]]:
    reader = ManifestReader(str(path))
    worker = PhotoWorker(reader, PhotoConfig())
    return [examples.decode(result) for photo in reader.find() for result in worker.results(photo)]


@pytest.mark.parametrize("name", ["p1.jsonl", "p1.csv"])
def test_68_points_and_identities(tmp_path: Path, name: str) -> None:
    assert write_manifest("p1", archive(tmp_path / "data"), tmp_path / "out" / name) == (3, [])
    found = read(tmp_path / "out" / name)
    assert [example[contract.IDENTITY] for example in found] == ["x", "x", "y"]
    assert [example[contract.IMAGE_ID] for example in found] == [f"../data/img/{photo}" for photo in NAMES]
    for example, points in zip(found, POINTS, strict=True):
        np.testing.assert_allclose(example[contract.LANDMARKS_XY].reshape(68, 2), points, atol=1e-3)
        assert example[contract.LANDMARKS_SET] == "basel"


@pytest.mark.parametrize("name", ["aflw.jsonl", "aflw.csv"])
def test_21_points_of_which_some_are_hidden(tmp_path: Path, name: str) -> None:
    write_manifest("aflw", aflw(tmp_path / "data"), tmp_path / name)
    found = read(tmp_path / name)
    mapped = sorted(target for target in AFLW_TO_IBUG68 if target >= 0)
    assert mapped == [8, 17, 19, 21, 22, 24, 26, 30, 36, 39, 42, 45, 48, 54]
    known = [np.flatnonzero(example[contract.LANDMARKS_KNOWN]).tolist() for example in found]
    assert known == [mapped, [index for index in mapped if index != 17], mapped]
    for example, points, indices in zip(found, POINTS, known, strict=True):
        np.testing.assert_allclose(example[contract.LANDMARKS_XY].reshape(68, 2)[indices], points[indices], atol=1e-3)
        np.testing.assert_array_equal(np.flatnonzero(example[contract.LANDMARKS_VISIBLE]), indices)
        assert contract.POSE_EULER not in example
    assert [example[contract.POSE_YAW_BIN] for example in found] == ["60-90", "30-60", "0-30"]


def test_the_map_keeps_left_and_right() -> None:
    """Mirroring AFLW's scheme is mirroring iBUG's."""
    mirrored = [5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 16, 15, 14, 13, 12, 19, 18, 17, 20]
    for index, target in enumerate(AFLW_TO_IBUG68):
        other = AFLW_TO_IBUG68[mirrored[index]]
        assert other == (contract.LANDMARK_FLIP[target] if target >= 0 else -1)


def test_mat_files(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.jpg").write_bytes(photo_files.noise(1))
    vertices = np.column_stack([POINTS[0] * [1, -1], np.arange(68)]) * 1000
    made = photo_files.aflw2000(vertices, (0.1, -0.6, 0.2), 1e-3, (10.0, 190.0, 0.0), photo_files.HEIGHT)
    photo_files.save_mat(folder / "a.mat", made)
    (folder / "b.mat").write_bytes(b"garbage")
    count, problems = write_manifest("aflw2000", folder, tmp_path / "out.jsonl")
    assert count == 1
    assert [name for name, _ in problems] == ["b.jpg"]
    (example,) = read(tmp_path / "out.jsonl")
    np.testing.assert_allclose(example[contract.LANDMARKS_XY].reshape(68, 2), made["pt3d_68"][:2].T - 0.5, atol=1e-3)
    assert example[contract.POSE_EULER][0] == pytest.approx(np.degrees(0.6), abs=4)
    assert example[contract.LANDMARKS_SET] == "basel"


def test_another_landmark_set(tmp_path: Path) -> None:
    write_manifest("p1", archive(tmp_path / "data"), tmp_path / "p1.jsonl", "outline")
    assert {example[contract.LANDMARKS_SET] for example in read(tmp_path / "p1.jsonl")} == {"outline"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": None}, "must hold `names`"),
        (
            {"pts68_crop": POINTS[:2]},
            r"must hold `pts68_crop` of kind 'f', \[3, \[68, 2\]\]. Received: float32 \[2, 68, 2\]",
        ),
        ({"pts68_crop": np.full((3, 68, 2), np.nan)}, "`pts68_crop` must be finite"),
        ({"identity": np.array([{}, {}, {}])}, "cannot be read: Object arrays cannot be loaded"),
        ({"identity": np.arange(3)}, "must hold `identity` of kind 'U'"),
    ],
)
def test_archives_of_another_form_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    folder = archive(tmp_path / "data", **changes)
    with pytest.raises(ValueError, match=message):
        write_manifest("p1", folder, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_what_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"There is no .*labels\.npz"):
        write_manifest("p1", tmp_path, tmp_path / "out.jsonl")
    (tmp_path / "labels.npz").write_bytes(b"PK\3\4 garbage")
    with pytest.raises(ValueError, match=r"labels\.npz cannot be read"):
        write_manifest("p1", tmp_path, tmp_path / "out.jsonl")
    with pytest.raises(FileNotFoundError, match="must hold photos"):
        write_manifest("aflw2000", tmp_path, tmp_path / "out.jsonl")


def test_the_real_sets(development_data: Path, tmp_path: Path) -> None:
    for kind, name, count in (("p1", "p1", 3188), ("aflw", "aflw", 4000), ("aflw2000", "aflw2000_fixtures", 28)):
        if not (development_data / name).is_dir():
            pytest.skip(f"no {development_data / name}")
        out = tmp_path / f"{name}.jsonl"
        assert write_manifest(kind, development_data / name, out) == (count, [])
        reader = ManifestReader(str(out))
        worker = PhotoWorker(reader, PhotoConfig())
        for photo in reader.find()[:: count // 8]:
            (result,) = worker.results(photo)
            assert contract.LANDMARKS_XY in examples.decode(result)


def test_paths_hold_where_the_manifests_folder_is_a_link(tmp_path: Path) -> None:
    place = tmp_path / "far" / "deep"
    place.mkdir(parents=True)
    (tmp_path / "link").symlink_to(place)
    write_manifest("p1", archive(tmp_path / "data"), tmp_path / "link" / "p1.jsonl")
    assert len(read(tmp_path / "link" / "p1.jsonl")) == 3


def test_names_that_csv_cannot_hold_are_left_out(tmp_path: Path) -> None:
    names = np.array(["x\u00a001.jpg", "x\n02.jpg", "y_01.jpg"])
    folder = archive(tmp_path / "data", names=names)
    (folder / "img" / names[0]).write_bytes(photo_files.noise(0))
    assert write_manifest("p1", folder, tmp_path / "p1.jsonl") == (3, [])
    count, problems = write_manifest("p1", folder, tmp_path / "p1.csv")
    assert count == 2
    assert [reason for _, reason in problems] == ["a CSV file cannot hold such a name; JSON lines can"]
    assert len(read(tmp_path / "p1.csv")) == 2
