import getpass
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from components.landmark_trainer.config import LandmarkTrainerConfig
from pipeline.config import PipelineConfig

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "registry.example/monoface:test"
BUCKET = "gs://bucket/monoface"


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    """kubeflow/runner.py, by its path: the folder is no package."""
    spec = importlib.util.spec_from_file_location("kubeflow_runner", ROOT / "kubeflow" / "runner.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses looks its module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def job(runner: ModuleType) -> dict[str, Any]:
    """With photographs, so that every step is there."""
    config = PipelineConfig.preset("tiny").below(BUCKET).replace(photos="gs://bucket/photos")
    return runner.compile_pipeline(config, IMAGE, runner.TrainingNode(gpus=2, gpu_type="NVIDIA_L4"))


def texts(value: Any) -> list[str]:
    """Every string in the representation, keys included."""
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (str(key), *texts(item))]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_every_step_is_there(job: dict[str, Any]) -> None:
    tasks = set(job["pipelineSpec"]["root"]["dag"]["tasks"])
    expected = {
        "MorphableModelGen",
        "SyntheticFaceGen",
        "PhotoExampleGen",
        "LandmarkDetector",
        "FaceTrainer",
        "Evaluator",
    }
    assert expected | {"Pusher", "SchemaGen_synthetic", "SchemaGen_photo"} <= tasks
    assert any("LastBlessedModel" in task for task in tasks)


def test_nothing_of_this_machine_is_in_it(job: dict[str, Any]) -> None:
    text = json.dumps(job)
    local = {
        str(ROOT),
        str(Path.home()),
        str(Path.cwd()),
        sys.prefix,
        sys.executable,
        "/tmp/",
        "file:",
        "metadata.sqlite",
    }
    assert not [path for path in local if path != "/" and path in text]
    assert not [item for item in texts(job) if item.startswith(("/", "~", "./", "../", "out/"))]
    assert getpass.getuser() == "root" or getpass.getuser() not in text


def test_places_are_the_bucket_s(job: dict[str, Any]) -> None:
    assert job["runtimeConfig"]["gcsOutputDirectory"] == f"{BUCKET}/pipeline"
    assert f"{BUCKET}/serving/monoface" in json.dumps(job)
    assert "gs://bucket/photos" in texts(job)


def test_steps_run_in_the_image_with_beam_in_their_process(job: dict[str, Any]) -> None:
    executors = job["pipelineSpec"]["deploymentSpec"]["executors"].values()
    containers = [executor["container"] for executor in executors if "container" in executor]
    assert containers
    assert {container["image"] for container in containers} == {IMAGE}
    assert any("FnApiRunner" in argument for container in containers for argument in container.get("args", []))


def test_the_trainer_alone_gets_the_accelerator(job: dict[str, Any]) -> None:
    executors = job["pipelineSpec"]["deploymentSpec"]["executors"]
    accelerated = {name for name, executor in executors.items() if "accelerator" in json.dumps(executor)}
    assert len(accelerated) == 1
    name = accelerated.pop()
    assert name.startswith("FaceTrainer")
    assert executors[name]["container"]["resources"]["accelerator"] == {"count": "2", "type": "NVIDIA_L4"}


def test_a_landmark_network_is_trained_on_the_trainer_s_kind_of_machine(runner: ModuleType) -> None:
    config = PipelineConfig.preset("tiny").below(BUCKET)
    config = config.replace(photos="gs://bucket/photos", landmarks=LandmarkTrainerConfig())
    spec = runner.compile_pipeline(config, IMAGE, runner.TrainingNode(gpus=2))["pipelineSpec"]
    task = spec["root"]["dag"]["tasks"]["FaceTrainer"]
    assert task["inputs"]["artifacts"]["landmark_network"]["taskOutputArtifact"]["producerTask"] == "LandmarkTrainer"
    executors = spec["deploymentSpec"]["executors"]
    accelerated = {name for name, executor in executors.items() if "accelerator" in json.dumps(executor)}
    assert {name.split("_")[0] for name in accelerated} == {"FaceTrainer", "LandmarkTrainer"}


@pytest.mark.parametrize(
    "changes", [{"pipeline_root": "out/pipeline"}, {"serving_dir": "/srv/models"}, {"photos": "."}]
)
def test_local_places_are_refused_by_name(runner: ModuleType, changes: dict[str, str]) -> None:
    config = PipelineConfig.preset("tiny").below(BUCKET).replace(**changes)
    with pytest.raises(ValueError, match=f"`{next(iter(changes))}` must be an address"):
        runner.compile_pipeline(config, IMAGE)


def test_command_writes_the_file(runner: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "new" / "pipeline.json"
    arguments = ["--image", IMAGE, "--root", f"{BUCKET}/", "--preset", "tiny", "--out", str(out)]
    result = CliRunner().invoke(runner.command, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(out.read_text())["runtimeConfig"]["gcsOutputDirectory"] == f"{BUCKET}/pipeline"


def test_command_says_what_is_wrong(runner: ModuleType, tmp_path: Path) -> None:
    result = CliRunner().invoke(runner.command, ["--image", IMAGE, "--root", str(tmp_path), "--preset", "tiny"])
    assert result.exit_code == 1
    assert "`pipeline_root` must be an address" in result.output
