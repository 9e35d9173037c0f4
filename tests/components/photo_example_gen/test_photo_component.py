import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import DeadLetters
from components.photo_example_gen.component import PhotoExampleGen
from components.photo_example_gen.executor import Executor

ARGUMENTS = ["--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"]


def fill(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    for index in range(count):
        Image.fromarray(np.full((32, 32, 3), 40 * index, np.uint8)).save(folder / f"{index}.png")
    return folder


def test_the_contract(tmp_path: Path) -> None:
    component = PhotoExampleGen(str(fill(tmp_path / "album")), json.dumps({"eval_fraction": 0.5}))
    assert component.outputs["examples"].type is standard_artifacts.Examples
    assert component.outputs["dead_letters"].type is DeadLetters
    # Spelt out, so that a changed default is not taken for a cached result.
    assert json.loads(component.exec_properties["config"])["max_side"] > 0


def test_a_changed_folder_is_not_a_cached_one(tmp_path: Path) -> None:
    album = fill(tmp_path / "album")
    first = PhotoExampleGen(str(album)).exec_properties["fingerprint"]
    assert PhotoExampleGen(str(album)).exec_properties["fingerprint"] == first != ""
    (album / "0.png").unlink()
    assert PhotoExampleGen(str(album)).exec_properties["fingerprint"] != first
    # What is not on this machine's disks cannot be looked at.
    assert PhotoExampleGen("gs://bucket/photos").exec_properties["fingerprint"] == ""


def test_mistakes_appear_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no field `evl_fraction`"):
        PhotoExampleGen(str(fill(tmp_path / "album")), json.dumps({"evl_fraction": 0.5}))
    with pytest.raises(ValueError, match="`eval_fraction` must be"):
        PhotoExampleGen(str(tmp_path / "album"), json.dumps({"eval_fraction": 2}))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="`source` must hold photos"):
        PhotoExampleGen(str(tmp_path / "empty"))
    with pytest.raises(FileNotFoundError, match=r"There is none at '.*nowhere'"):
        PhotoExampleGen(str(tmp_path / "nowhere"))


def test_the_executor_fills_both_artifacts(tmp_path: Path) -> None:
    album = fill(tmp_path / "album")
    (album / "notes.txt").write_text("words")
    outputs = {"examples": [standard_artifacts.Examples()], "dead_letters": [DeadLetters()]}
    for name, (artifact,) in outputs.items():
        artifact.uri = str(tmp_path / name / "7")
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=ARGUMENTS, tmp_dir=str(tmp_path / "tmp"), unique_id="7"
    )
    component = PhotoExampleGen(str(album))
    Executor(context).Do({}, outputs, {**component.exec_properties})
    examples = outputs["examples"][0]
    assert artifact_utils.decode_split_names(examples.split_names) == ["train", "eval"]
    assert sorted(path.name for path in (tmp_path / "examples/7").iterdir()) == ["Split-eval", "Split-train"]
    assert "notes.txt" in next((tmp_path / "dead_letters/7").glob("*.jsonl")).read_text()


def test_the_executor_refuses_a_missing_folder_before_any_work(tmp_path: Path) -> None:
    outputs = {"examples": [standard_artifacts.Examples()], "dead_letters": [DeadLetters()]}
    for name, (artifact,) in outputs.items():
        artifact.uri = str(tmp_path / name / "7")
    with pytest.raises(FileNotFoundError, match="There is none at '/not/here'"):
        Executor().Do({}, outputs, {"source": "/not/here", "config": "{}"})
    assert not list(tmp_path.iterdir())
