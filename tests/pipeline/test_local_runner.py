"""The local runner and what it reports, on a pipeline whose model is given: its error is 8.33 % by the deciding metric."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from rich.console import Console
from tfx.components import ImportExampleGen
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import example_gen_pb2
from tfx.types.standard_artifacts import Model

from pipeline import beam, create_pipeline, local_runner
from pipeline.config import EvaluationConfig, PipelineConfig
from pipeline.outcome import read_outcome
from trainer import contract, examples

BALANCED_ERROR = "8.33"
STEPS = {
    "ImportExampleGen",
    "GivenModel",
    "StatisticsGen_toy",
    "SchemaGen_toy",
    "ExampleValidator_toy",
    "LastBlessedModel",
}


def example(yaw: float, side: float) -> bytes:
    """A face with a square box; the fake model is 5 pixels off everywhere."""
    points = tf.random.stateless_uniform([contract.LANDMARK_COUNT, 2], [3, 4], 0, side).numpy()
    points[0], points[1] = 0, side
    return examples.encode(
        {
            contract.LANDMARKS_XY: points,
            contract.LANDMARKS_Z: [0.0] * contract.LANDMARK_COUNT,
            contract.FACE_BOX: [0.0, 0.0, side, side],
            contract.POSE_EULER: [yaw, 0.0, 0.0],
            contract.POSE_YAW_BIN: contract.yaw_bin(yaw),
        }
    )


class Toy:
    """`create_pipeline` with the real gate behind given examples and a given model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = folder / "model"
        for split in ("train", "eval"):
            (folder / "records" / split).mkdir(parents=True)
            with tf.io.TFRecordWriter(str(folder / "records" / split / "data.gz"), "GZIP") as writer:
                for yaw, side in ((0.0, 100.0), (45.0, 50.0), (80.0, 50.0)):
                    writer.write(example(yaw, side))

    def __call__(self, config: PipelineConfig, metadata_connection_config: Any) -> Pipeline:
        splits = [example_gen_pb2.Input.Split(name=name, pattern=f"{name}/*") for name in ("train", "eval")]
        reader = ImportExampleGen(
            input_base=str(self.folder / "records"), input_config=example_gen_pb2.Input(splits=splits)
        )
        given = Importer(source_uri=str(self.model), artifact_type=Model).with_id("GivenModel")
        checks = create_pipeline.create_checks(reader.outputs["examples"], "toy")
        gate = create_pipeline.create_gate(config, given.outputs["result"], reader.outputs["examples"])
        pusher = create_pipeline.create_pusher(config, given.outputs["result"], gate[-1].outputs["blessing"])
        return Pipeline(
            pipeline_name=config.name,
            pipeline_root=config.pipeline_root,
            components=[reader, given, *checks.components, *gate, pusher],
            enable_cache=True,
            metadata_connection_config=metadata_connection_config,
            beam_pipeline_args=beam.arguments(config.beam_args),
        )


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    toy = Toy(tmp_path)
    monkeypatch.setattr(create_pipeline, "create_pipeline", toy)
    return toy


def run(toy: Toy, **thresholds: Any) -> tuple[bool, str, PipelineConfig]:
    """Runs it in the toy's folder: whether a model was pushed, the output, and the configuration."""
    config = PipelineConfig(name="toy", evaluation=EvaluationConfig(**thresholds)).below(str(toy.folder / "out"))
    console = Console(width=200, record=True, file=(toy.folder / "console.txt").open("w"))
    with console.file:
        pushed = local_runner.run(config, console)
    return pushed, console.export_text(), config


def test_pushes_resumes_refuses_and_says_why(toy: Toy, save_shifted_truth: Callable[[Path, float], Path]) -> None:
    save_shifted_truth(toy.model / "Format-Serving", 5.0)
    pushed, output, config = run(toy, upper_bound=0.1, max_increase=0.0)
    assert pushed
    assert {line.split()[1] for line in output.splitlines() if line.startswith("✓")} == STEPS | {"Evaluator", "Pusher"}
    assert "unchanged" not in output
    assert BALANCED_ERROR in output
    outcome = read_outcome(config.metadata_path, config.name)
    assert outcome.blessed
    assert Path(str(outcome.pushed_to), "saved_model.pb").is_file()

    pushed, output, _ = run(toy, upper_bound=0.05, max_increase=None)
    assert not pushed
    assert "nme_sqrt_box_balanced (overall) is 8.33%; at most 5.00% is allowed" in output
    assert sum("unchanged" in line for line in output.splitlines()) >= 4
    refused = read_outcome(config.metadata_path, config.name)
    assert (refused.blessed, refused.pushed_to) == (False, None)

    toy.model = toy.folder / "worse"
    save_shifted_truth(toy.model / "Format-Serving", 6.0)
    pushed, output, _ = run(toy, upper_bound=0.2, max_increase=0.01)
    assert not pushed
    assert "is +1.67% from the last blessed model's; +1.00% is allowed" in output
    assert len(list(Path(config.serving_dir).iterdir())) == 1


def test_failing_step_is_named_with_the_cause(toy: Toy) -> None:
    (toy.model / "Format-Serving").mkdir(parents=True)
    with pytest.raises(local_runner.StepError, match=r"Evaluator failed: .*SavedModel"):
        run(toy, upper_bound=0.1)


def test_tfx_command_line_registers_without_running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`tfx pipeline create` executes the file with the runner's `run` replaced."""
    seen = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(LocalDagRunner, "run", lambda self, pipeline, *_: seen.append(pipeline.pipeline_info))
    monkeypatch.delenv(local_runner.CONFIG_VARIABLE, raising=False)
    assert local_runner.main() == 0
    assert [info.pipeline_name for info in seen] == ["monoface-tiny"]


def test_configuration_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text("synthetic: {count: -1}")
    monkeypatch.setenv(local_runner.CONFIG_VARIABLE, str(path))
    assert local_runner.main() == 1
    assert "`count` must be at least 1" in capsys.readouterr().out
