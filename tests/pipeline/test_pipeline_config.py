import json
from pathlib import Path

import pytest

from pipeline.beam import IN_PROCESS, arguments
from pipeline.config import PRESETS, EvaluationConfig, PipelineConfig


def write(folder: Path, text: str, name: str = "pipeline.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid(name: str) -> None:
    assert isinstance(PipelineConfig.preset(name), PipelineConfig)


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    values = {
        "preset": "tiny",
        "name": "mine",
        "evaluation": {"upper_bound": 0.2},
        "beam_args": ["--runner=FlinkRunner"],
    }
    from_json = PipelineConfig.load(write(tmp_path, json.dumps(values), "pipeline.json"))
    from_yaml = PipelineConfig.load(
        write(
            tmp_path, "preset: tiny\nname: mine\nevaluation: {upper_bound: 0.2}\nbeam_args: ['--runner=FlinkRunner']\n"
        )
    )
    assert from_json == from_yaml
    assert from_json.beam_args == ("--runner=FlinkRunner",)


def test_file_overrides_its_preset_and_keeps_the_rest(tmp_path: Path) -> None:
    config = PipelineConfig.load(
        write(tmp_path, "preset: tiny\nevaluation: {upper_bound: 0.2}\ntrainer: {preset: paper}\n")
    )
    tiny = PipelineConfig.preset("tiny")
    assert config.evaluation == EvaluationConfig(upper_bound=0.2, max_increase=tiny.evaluation.max_increase)
    assert config.trainer.preset == "paper"
    assert config.trainer.model == tiny.trainer.model
    assert config.synthetic == tiny.synthetic


def test_preset_given_by_the_caller_counts_where_the_file_names_none(tmp_path: Path) -> None:
    assert PipelineConfig.load(write(tmp_path, ""), preset="tiny") == PipelineConfig.preset("tiny")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pipeline_rot: out", "Did you mean `pipeline_root`"),
        ("preset: small", "`preset` must be one of"),
        ("evaluation: {upper_bond: 1}", "Did you mean `upper_bound`"),
        ("evaluation: {upper_bound: -0.1}", "`upper_bound` must be positive"),
        ("evaluation: {upper_bound: .nan}", "upper_bound` must be finite"),
        ("evaluation: {max_increase: -1.0}", "`max_increase` must be 0 or more"),
        ("evaluation: {metric: nme}", "`metric` must be one of"),
        ("evaluation: {upper_bound_per_bin: {0-45: 0.1}}", "must name bins of 0-30"),
        ("evaluation: {upper_bound_per_bin: {0-30: true}}", "must hold positive numbers"),
        ("synthetic: tiny", "`synthetic` must be a mapping"),
        ("synthetic: {count: -3}", "`synthetic`: `count` must be at least 1"),
        ("synthetic: {cuont: 3}", "Did you mean `count`"),
        ("synthetic: {background: /nowhere/rooms}", "`background` must be 'procedural' or a folder"),
        ("trainer: {preset: huge}", "`preset` must be one of"),
        ("trainer: {model: tu2020}", "`model` must be one of"),
        ("trainer: {overrides: {steps: -1}}", "steps"),
        ("trainer: {overrides: {stpes: 1}}", "Did you mean `steps`"),
        ("photo_examples: {max_side: 0}", "`max_side` must be at least"),
        ("landmark_detector: {policy: first}", "`policy` must be one of"),
        ("photos: /nowhere/photos", "must be a folder or a manifest. There is no /nowhere/photos"),
        ("photo_examples: {reader: csv}", "`reader` must be one of auto, folder, manifest"),
        ("morphable_model: /nowhere/model.npz", "no /nowhere/model.npz"),
        ("name: my faces", "`name` must be letters"),
        ("serving_dir: ''", "`serving_dir` must name a path"),
        ("beam_args: [FlinkRunner]", "must be options"),
        ("beam_args: --runner=FlinkRunner", "must be a list"),
        ("[1, 2]", "must hold a mapping"),
        ("name: [", "not valid YAML"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_mistakes_are_refused_with_the_file_and_the_reason(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=message) as error:
        PipelineConfig.load(path)
    assert str(path) in str(error.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.yaml: cannot be read"):
        PipelineConfig.load(tmp_path / "absent.yaml")


def test_beam_arguments_pass_through_untouched() -> None:
    flink = ["--runner=FlinkRunner", "--flink_master=localhost:8081"]
    assert arguments(flink) == flink
    assert arguments(["--runner", "DataflowRunner"]) == ["--runner", "DataflowRunner"]
    assert arguments([]) == list(IN_PROCESS)
    assert arguments(["--direct_num_workers=4"])[-1] == "--direct_num_workers=4"
