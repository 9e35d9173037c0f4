"""A folder of examples from annotated photographs: whole, found again, and gone on with where a run was killed."""

from pathlib import Path
from typing import Any

import numpy as np
import photo_files
import pytest
import tensorflow as tf
from apache_beam.io.filesystems import FileSystems

from components.landmark_detector.config import LandmarkDetectorConfig
from components.landmark_detector.dataset import DESCRIPTION, write_photos
from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.manifest_writer import write_manifest

COUNT = 6
ARGUMENTS = ["--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"]
CONFIG = PhotoConfig(eval_fraction=0.5, shard_size=2)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "img").mkdir(parents=True)
    names = [f"{index}.jpg" for index in range(COUNT)]
    for index, name in enumerate(names):
        (folder / "img" / name).write_bytes(photo_files.noise(index))
    points = np.stack([photo_files.face_points(seed) for seed in range(COUNT)]).astype(np.float32)
    np.savez(folder / "labels.npz", names=np.array(names), pts68_crop=points, identity=np.array(names))
    write_manifest("p1", folder, tmp_path / "p1.jsonl")
    return tmp_path / "p1.jsonl"


def written(manifest: Path, out: Path) -> bool:
    return write_photos(str(manifest), CONFIG, LandmarkDetectorConfig(), out, ARGUMENTS)


def count(out: Path) -> int:
    files = [str(file) for file in (out / "examples").glob("Split-*/*.gz")]
    return sum(1 for _ in tf.data.TFRecordDataset(files, compression_type="GZIP"))


def test_a_data_set_is_whole_and_found_again(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert written(manifest, out)
    assert count(out) == COUNT
    assert sorted(path.name for path in out.iterdir()) == sorted([DESCRIPTION, "dead_letters", "examples"])
    assert not written(manifest, out)
    with pytest.raises(ValueError, match="another one"):
        write_photos(str(manifest), PhotoConfig(), LandmarkDetectorConfig(), out, ARGUMENTS)


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_run_that_was_killed_between_two_files_loses_none(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamed: int
) -> None:
    """What was read is published file by file: a kill may leave some of them moved and others not."""
    rename, out = FileSystems.rename, tmp_path / "out"

    def killed(sources: list[str], targets: list[str]) -> None:
        if len(sources) > 1:
            rename(sources[:renamed], targets[:renamed])
            raise KeyboardInterrupt
        rename(sources, targets)

    monkeypatch.setattr(FileSystems, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        written(manifest, out)
    monkeypatch.undo()
    assert written(manifest, out)
    assert count(out) == COUNT
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_a_folder_among_its_own_photographs_is_refused(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"photos": CONFIG, "detector": LandmarkDetectorConfig(), "directory": tmp_path / "out"}
    with pytest.raises(ValueError, match="must not lie in the folder"):
        write_photos(str(tmp_path), **arguments)
    assert not (tmp_path / "out").exists()
