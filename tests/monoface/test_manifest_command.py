"""`monoface manifest`: labels in NumPy form become a manifest, told in one line; mistakes are named."""

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from components.photo_example_gen import manifest_writer
from monoface.manifest import command

NAMES = ["x_01.jpg", "y_01.jpg"]


def archive(folder: Path) -> Path:
    folder.mkdir()
    points = np.arange(2 * 68 * 2, dtype=np.float32).reshape(2, 68, 2)
    np.savez(folder / "labels.npz", names=np.array(NAMES), pts68_crop=points, identity=np.array(["x", "y"]))
    return folder


def test_it_writes_where_it_is_told(tmp_path: Path) -> None:
    folder, out = archive(tmp_path / "data"), tmp_path / "deep" / "er" / "p1.jsonl"
    ran = CliRunner().invoke(command, ["p1", str(folder), "--out", str(out), "--landmark-set", "outline"])
    assert ran.exit_code == 0, ran.output
    assert ran.output == f"2 photographs: {out}\n"
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["path"] for row in rows] == [f"../../data/img/{name}" for name in NAMES]
    assert {row["landmark_set"] for row in rows} == {"outline"}


def test_mistakes_are_named(tmp_path: Path) -> None:
    ran = CliRunner().invoke(command, ["aflw", str(archive(tmp_path / "data")), "--out", str(tmp_path / "out.jsonl")])
    assert ran.exit_code == 1
    assert "labels.npz must hold `pts21_crop`" in ran.output
    assert CliRunner().invoke(command, ["300w", str(tmp_path), "--out", "x.csv"]).exit_code == 2
    assert not (tmp_path / "out.jsonl").exists()


def test_every_kind_is_offered() -> None:
    kinds = next(parameter for parameter in command.params if parameter.name == "kind").type
    assert list(kinds.choices) == list(manifest_writer.KINDS)
