"""The landmark network's node: there only where it is configured, and the model's trainer takes what it made."""

from pathlib import Path
from typing import Any

import pytest

from components.landmark_trainer.config import LandmarkTrainerConfig
from pipeline.config import PipelineConfig
from pipeline.create_pipeline import create_pipeline
from trainer.configuration import from_json


def steps(config: PipelineConfig) -> dict[str, Any]:
    return {component.id: component for component in create_pipeline(config).components}


@pytest.fixture
def config(tmp_path: Path) -> PipelineConfig:
    path = tmp_path / "pipeline.yaml"
    path.write_text("preset: tiny\nlandmarks: {preset: tiny, overrides: {schedule: {steps: 7}}, photo_share: 0.25}\n")
    return PipelineConfig.load(path)


def test_without_a_configuration_the_released_network_serves() -> None:
    found = steps(PipelineConfig.preset("tiny"))
    assert "LandmarkTrainer" not in found
    assert "landmark_network" not in found["FaceTrainer"].inputs


def test_with_one_the_trainer_takes_the_network_that_was_trained(config: PipelineConfig) -> None:
    found = steps(config)
    landmarks, trainer = found["LandmarkTrainer"], found["FaceTrainer"]
    assert trainer.inputs["landmark_network"] is landmarks.outputs["landmark_network"]
    assert landmarks in trainer.upstream_nodes
    assert landmarks.inputs["synthetic"] is found["SyntheticFaceGen"].outputs["examples"]
    assert "photos" not in landmarks.inputs
    asked = from_json(LandmarkTrainerConfig, landmarks.exec_properties["config"])
    assert (asked.training().schedule.steps, asked.photo_share) == (7, 0.25)
    assert list(found).index("LandmarkTrainer") < list(found).index("FaceTrainer")


def test_photographs_are_learned_from_with_the_landmarks_found_on_them(config: PipelineConfig, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"photo")
    found = steps(config.replace(photos=str(tmp_path)))
    assert found["LandmarkTrainer"].inputs["photos"] is found["LandmarkDetector"].outputs["examples"]


@pytest.mark.parametrize(
    ("landmarks", "message"),
    [
        ("{preset: huge}", "`preset` must be one of"),
        ("{overrides: {schedule: {steps: 0}}}", "`steps` must be positive"),
        ("{share: 0.5}", "`landmarks` has no field `share`"),
    ],
)
def test_mistakes_are_found_when_the_configuration_is_read(tmp_path: Path, landmarks: str, message: str) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(f"landmarks: {landmarks}")
    with pytest.raises(ValueError, match=message):
        PipelineConfig.load(path)
