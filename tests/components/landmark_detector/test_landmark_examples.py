import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import skimage.data
from photo_parts import annotated, photo
from PIL import Image
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from components import dead_letters, records
from components.artifacts import DeadLetters
from components.landmark_detector import transforms
from components.landmark_detector.component import LandmarkDetector
from components.landmark_detector.config import LandmarkDetectorConfig
from components.landmark_detector.executor import Executor
from components.landmark_detector.fitted_head import fit_head
from components.records import Shard
from trainer import configuration, contract, examples
from trainer.imaging import codecs
from trainer.morphable.default import default_head
from trainer.rendering import camera as cameras

ARGUMENTS = ["--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"]


def two_faces() -> np.ndarray:
    image = np.full((400, 900, 3), 120, np.uint8)
    for side, x in ((380, 10), (250, 600)):
        small = Image.fromarray(skimage.data.astronaut()).resize((side, side), Image.Resampling.LANCZOS)
        image[10 : 10 + side, x : x + side] = np.asarray(small)
    return image


@pytest.fixture(scope="module")
def worker() -> Any:
    worker = transforms.DetectionWorker(LandmarkDetectorConfig())
    with worker.setup():
        yield worker


def landmarked(serialized: bytes, **values: Any) -> list[Any]:
    """What a photo becomes under another configuration: decoded features, or letters."""
    worker = transforms.DetectionWorker(LandmarkDetectorConfig(**values))
    with worker.setup():
        results = list(worker.landmarked(serialized, "?"))
    return [examples.decode(result) if isinstance(result, bytes) else result for result in results]


def test_a_face_gets_everything_that_the_contract_asks_for(worker: Any) -> None:
    image = skimage.data.astronaut()
    (serialized,) = worker.landmarked(photo("eileen/1.jpg", image), "?")
    features = examples.decode(serialized)
    assert features[contract.LANDMARKS_SOURCE] == "detected"
    assert features[contract.LANDMARKS_SET] in contract.LANDMARK_SETS
    points = features[contract.LANDMARKS_XY].reshape(68, 2)
    np.testing.assert_allclose(features[contract.FACE_BOX], [*points.min(0), *points.max(0)])
    yaw, pitch, roll = features[contract.POSE_EULER]
    # By eye: nearly frontal, and the line of the eyes falls to the image's right by two pixels in forty.
    assert abs(yaw) < 8
    assert abs(pitch) < 12
    assert -6 < roll < -0.5
    assert features[contract.POSE_YAW_BIN] == "0-30"
    visible = features[contract.LANDMARKS_VISIBLE]
    assert set(visible.tolist()) <= {0.0, 1.0}
    assert visible[17:].mean() > 0.95
    assert json.loads(features[contract.PROVENANCE])["path"] == "eileen/1.jpg"
    assert 0.5 <= features[contract.LANDMARKS_CONFIDENCE] <= 1
    said = json.loads(features[contract.PROVENANCE])["detector"]["confidence"]
    assert said == pytest.approx(features[contract.LANDMARKS_CONFIDENCE], abs=1e-4)
    width, height = np.ptp(points, axis=0)
    assert features[contract.QUALITY_FACE_SIZE] == pytest.approx(np.sqrt(width * height), rel=1e-5)
    assert 0.5 < features[contract.QUALITY_EXPOSURE] < 0.8  # a light skin, well lit
    assert features[contract.IDENTITY] == "eileen"
    # The picture itself is passed on, byte by byte.
    assert features[contract.IMAGE_ENCODED] == codecs.encode_jpeg(image)


def test_no_face_and_small_faces_become_letters_that_say_so(worker: Any) -> None:
    (letter,) = worker.landmarked(photo("cup.jpg", skimage.data.coffee()), "?")
    assert (letter.id, letter.stage, letter.reason) == ("cup.jpg", "landmark_detector", "no_face")
    assert letter.message == "cup.jpg: No face was found with a score of 0.5 in 600 × 400 pixels."
    (letter,) = landmarked(photo("a.jpg", skimage.data.astronaut()), min_face_side=200)
    assert letter.reason == "small_face"


def test_policies_for_several_faces(worker: Any) -> None:
    serialized = photo("us/1.jpg", two_faces())
    (largest,) = map(examples.decode, worker.landmarked(serialized, "?"))
    assert largest[contract.FACE_BOX][2] < 400
    (letter,) = landmarked(serialized, policy="reject_many")
    assert (letter.reason, letter.message) == (
        "many_faces",
        "us/1.jpg: Must show one face. Found 2 in 900 × 400 pixels.",
    )
    first, second = landmarked(serialized, policy="all")
    assert (first[contract.IMAGE_ID], second[contract.IMAGE_ID]) == ("us/1.jpg", "us/1.jpg#1")
    assert (first[contract.IDENTITY], second[contract.IDENTITY]) == ("us", "us#1")
    assert first[contract.MOMENT] == second[contract.MOMENT] == "us/1.jpg"
    assert second[contract.FACE_BOX][0] > 600


def test_annotated_landmarks_are_kept_and_described(worker: Any) -> None:
    given = annotated()
    serialized = photo("drawn/1.jpg", np.full((400, 400, 3), 128, np.uint8), **given)
    (result,) = worker.landmarked(serialized, "?")
    features = examples.decode(result)
    np.testing.assert_array_equal(features[contract.LANDMARKS_XY], given[contract.LANDMARKS_XY].reshape(-1))
    assert features[contract.LANDMARKS_SOURCE] == "annotated"
    assert contract.LANDMARKS_Z not in features
    np.testing.assert_allclose(features[contract.POSE_EULER], [35, 5, -10], atol=0.1)
    assert features[contract.POSE_YAW_BIN] == "30-60"
    # Turned to the image's right, the head hides the jaw on that side.
    visible = features[contract.LANDMARKS_VISIBLE]
    assert visible[:6].mean() > 0.8
    assert visible[12:16].mean() < 0.3


def test_annotated_poses_boxes_and_visibility_are_kept_too(worker: Any) -> None:
    given = {
        **annotated(),
        contract.POSE_EULER: [61.0, 1.0, 2.0],
        contract.FACE_BOX: [1.0, 2.0, 3.0, 4.0],
        contract.LANDMARKS_VISIBLE: np.tile([0.0, 1.0], 34),
    }
    (result,) = worker.landmarked(photo("a", np.zeros((64, 64, 3), np.uint8), **given), "?")
    features = examples.decode(result)
    for key in (contract.POSE_EULER, contract.FACE_BOX, contract.LANDMARKS_VISIBLE):
        np.testing.assert_array_equal(features[key], given[key])
    assert features[contract.POSE_YAW_BIN] == "60-90"


def test_broken_records_become_letters(worker: Any) -> None:
    blank = np.zeros((64, 64, 3), np.uint8)
    cases = {
        "not_usable": b"no example at all",
        "no_image": examples.encode({contract.IMAGE_ID: "a"}),
        "not_an_image": photo("a", blank, **{contract.IMAGE_ENCODED: b"words instead of pixels"}),
        "empty": photo("a", blank, **{contract.IMAGE_ENCODED: b""}),
    }
    for reason, serialized in cases.items():
        (letter,) = worker.landmarked(serialized, "file#3")
        assert letter.reason == reason
        assert letter.id == ("file#3" if reason == "not_usable" else "a")
    in_one_place = {**annotated(), contract.LANDMARKS_XY: np.full((68, 2), 7.0)}
    (letter,) = worker.landmarked(photo("b", np.zeros((64, 64, 3), np.uint8), **in_one_place), "?")
    assert letter.reason == "pose_unknown"


def test_examples_from_elsewhere_that_lack_something_become_letters(worker: Any) -> None:
    image = skimage.data.astronaut()
    whole = examples.decode(photo("a", image))
    for key in (contract.IMAGE_ID, contract.IDENTITY, contract.IMAGE_HEIGHT, contract.IMAGE_WIDTH):
        without = examples.encode({name: value for name, value in whole.items() if name != key})
        (letter,) = worker.landmarked(without, "file#3")
        assert letter.reason == "missing_feature"
        assert f"`{key}`" in letter.message
    # Landmarks in a picture that readers see lying on its side would be of no use.
    (letter,) = worker.landmarked(photo("a", image, **{contract.IMAGE_HEIGHT: 300}), "?")
    assert "size that the example says" in letter.message
    (letter,) = worker.landmarked(photo("a", image, **{contract.PROVENANCE: "[1]"}), "?")
    assert "must be a JSON object" in letter.message


@pytest.mark.parametrize("euler", [(0, 0, 0), (70, 0, 0), (-45, 15, 20), (10, -30, -25)])
def test_the_fitted_head_finds_a_known_pose(euler: tuple[float, float, float]) -> None:
    head = default_head()
    matrix = cameras.scaled_orthographic_matrix(np.array(euler, float), np.array(0.7), np.array([300.0, 250.0, 0.0]))
    landmarks = head.landmark_points(head.vertices(), "basel").astype(np.float64)
    points = cameras.project(landmarks, matrix, contract.SCALED_ORTHOGRAPHIC)
    fitted = fit_head(points, head, "basel", 500, 600)
    np.testing.assert_allclose(fitted.euler, euler, atol=0.05)
    if abs(euler[0]) == 70:
        eyes = {side: fitted.visible[list(contract.LANDMARK_GROUPS[side])].mean() for side in ("right_eye", "left_eye")}
        assert eyes["right_eye"] > 0.8 > eyes["left_eye"]
    cut = fit_head(points, head, "basel", 500, 300)
    assert not cut.visible[points[:, 0] > 300].any()


def write(folder: Path) -> dict[str, str]:
    records.write_shard(
        str(folder),
        Shard("train", 0, 2),
        [photo("eileen/1.jpg", skimage.data.astronaut()), photo("cup.jpg", skimage.data.coffee())],
    )
    records.write_shard(str(folder), Shard("train", 1, 2), [photo("us/1.jpg", two_faces())])
    records.write_shard(str(folder), Shard("eval", 0, 1), [])
    return {split: str(folder / f"Split-{split}") for split in ("train", "eval")}


def detect(splits: dict[str, str], out: Path, run: int = 1) -> dict[str, bytes]:
    uris = [str(out / name / str(run)) for name in ("examples", "letters")]
    transforms.detect(beam.Pipeline(argv=ARGUMENTS), splits, LandmarkDetectorConfig(), *uris)
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_every_file_becomes_one_and_runs_agree(tmp_path: Path) -> None:
    splits = write(tmp_path / "photos")
    once = detect(splits, tmp_path / "a")
    assert sorted(once) == [
        "examples/1/Split-eval/data-00000-of-00001.gz",
        "examples/1/Split-train/data-00000-of-00002.gz",
        "examples/1/Split-train/data-00001-of-00002.gz",
        "letters/1/dead_letters-00000-of-00001.jsonl",
    ]
    assert [letter.id for letter in dead_letters.read(str(tmp_path / "a/letters/1"))] == ["cup.jpg"]
    assert detect(splits, tmp_path / "b") == once


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    splits = write(tmp_path / "photos")
    expected = detect(splits, tmp_path / "whole")
    work, seen = transforms.DetectionWorker.landmarked, []

    def stopping(self: Any, serialized: bytes, fallback_id: str) -> Any:
        name = examples.decode(serialized)[contract.IMAGE_ID]
        if name == "us/1.jpg" and "us/1.jpg" not in seen:
            seen.append(name)
            raise RuntimeError("the power failed")
        seen.append(name)
        return work(self, serialized, fallback_id)

    monkeypatch.setattr(transforms.DetectionWorker, "landmarked", stopping)
    with pytest.raises(RuntimeError, match="the power failed"):
        detect(splits, tmp_path / "stopped")
    before = set(seen) - {"us/1.jpg"}
    finished = list((tmp_path / "stopped").rglob("Split-train/*.gz"))
    seen[:] = ["us/1.jpg"]
    assert detect(splits, tmp_path / "stopped") == expected
    # What was finished was not made again.
    assert not (finished and before & set(seen))


def test_component_and_executor(tmp_path: Path) -> None:
    splits = write(tmp_path / "photos")
    photos = standard_artifacts.Examples()
    photos.uri, photos.split_names = str(tmp_path / "photos"), artifact_utils.encode_split_names(list(splits))
    component = LandmarkDetector(channel_utils.as_channel([photos]), json.dumps({"policy": "all"}))
    assert component.outputs["examples"].type is standard_artifacts.Examples
    assert component.outputs["dead_letters"].type is DeadLetters
    outputs = {"examples": [standard_artifacts.Examples()], "dead_letters": [DeadLetters()]}
    for name, (artifact,) in outputs.items():
        artifact.uri = str(tmp_path / name / "3")
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=ARGUMENTS, tmp_dir=str(tmp_path / "tmp"), unique_id="3"
    )
    Executor(context).Do({"photos": [photos]}, outputs, dict(component.exec_properties))
    assert artifact_utils.decode_split_names(outputs["examples"][0].split_names) == ["train", "eval"]
    found = [
        examples.decode(serialized)[contract.IMAGE_ID]
        for path in sorted((tmp_path / "examples/3/Split-train").iterdir())
        for serialized in records.read_shard(str(path))
    ]
    assert found == ["eileen/1.jpg", "us/1.jpg", "us/1.jpg#1"]


def test_a_folder_without_one_face_is_an_error_that_says_why(tmp_path: Path) -> None:
    records.write_shard(str(tmp_path), Shard("train", 0, 1), [photo("cup.jpg", skimage.data.coffee())])
    with pytest.raises(
        RuntimeError, match=r"No photo shows a face that can be used: 1 × no_face. The first: cup.jpg: "
    ):
        detect({"train": str(tmp_path / "Split-train")}, tmp_path / "out")


def test_a_split_without_files_is_an_error_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="The split 'train' has no files"):
        detect({"train": str(tmp_path / "nothing")}, tmp_path / "out")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"policy": "best"}, "`policy` must be one of largest, all, reject_many. Received: policy='best'"),
        ({"min_confidence": 0}, r"`min_confidence` must be in \(0, 1\)"),
        ({"min_face_side": 0}, r"`min_face_side` must be positive. Received: min_face_side=0"),
        ({"polcy": "all"}, r"Did you mean `policy`\?"),
    ],
)
def test_mistakes_in_the_configuration_are_named(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        configuration.from_mapping(LandmarkDetectorConfig, values)
