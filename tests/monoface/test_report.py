"""`monoface report`: two folders of examples compared."""

from pathlib import Path

import numpy as np
from click.testing import CliRunner

from components import records
from components.records import Shard
from monoface.report import command
from trainer import contract, examples


def write(folder: Path, yaw: float) -> str:
    values = np.random.default_rng(0).normal(yaw, 5, 60)
    serialized = [examples.encode({contract.POSE_EULER: [value, 0, 0]}) for value in values]
    records.write_shard(str(folder), Shard("train", 0, 1), serialized)
    return str(folder)


def test_drift_and_skew_are_told_and_the_page_written(tmp_path: Path) -> None:
    photos, before, renders = (write(tmp_path / name, yaw) for name, yaw in (("a", 0), ("b", 30), ("c", 0)))
    out = tmp_path / "out"
    result = CliRunner().invoke(command, [photos, "--before", before, "--renders", renders, "--out", str(out)])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("drift of yaw: 1.0")
    assert lines[1:] == [str(out / "report.html")]
    assert (out / "report.html").read_text().startswith("<!doctype html>")


def test_a_folder_without_examples_and_a_broken_file_are_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path)])
    assert result.exit_code == 1
    assert "must hold examples: Split-*/*.gz" in result.output
    (tmp_path / "Split-train").mkdir()
    (tmp_path / "Split-train" / "data.gz").write_bytes(b"words")
    result = CliRunner().invoke(command, [str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "data.gz` is not a" in result.output
    assert not (tmp_path / "out" / "report.html").exists()
