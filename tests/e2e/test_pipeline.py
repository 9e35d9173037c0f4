"""The whole local pipeline, small: rendered faces and two photographs in, a model out, through the gate or not."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import PIL.Image
import pytest
import skimage.data
import yaml
from click.testing import CliRunner, Result
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import sqlite_metadata_connection_config

from components.records import read_shard
from monoface.run import command
from trainer import contract, examples
from trainer.morphable import io

pytestmark = pytest.mark.e2e

OUTPUT = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
SMALL = {
    "preset": "tiny",
    "synthetic": {"preset": "tiny", "count": 48, "shard_size": 24, "eval_fraction": 0.25},
    "trainer": {"overrides": {"steps": 4, "batch_size": 8, "checkpoint_steps": 4, "warmup_steps": 1}},
}
GENERATORS = ("MorphableModelGen", "SyntheticFaceGen", "PhotoExampleGen", "LandmarkDetector", "FaceTrainer")


def run(folder: Path, upper_bound: float) -> Result:
    """`monoface run` with a threshold; everything it makes lies in the folder."""
    config = folder / f"config-{upper_bound}.yaml"
    config.write_text(yaml.safe_dump({**SMALL, "evaluation": {"upper_bound": upper_bound, "max_increase": None}}))
    arguments = ["--config", str(config), "--photos", str(folder / "photos"), "--out", str(folder / "out")]
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def versions(folder: Path) -> list[Path]:
    """Pushed models, oldest first."""
    return sorted((folder / "out" / "serving" / "monoface").glob("*"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The first run, with a threshold that any model passes."""
    folder = tmp_path_factory.mktemp("pipeline")
    photos = folder / "photos"
    photos.mkdir()
    PIL.Image.fromarray(skimage.data.astronaut()).save(photos / "astronaut.jpg", quality=95)
    (photos / "broken.jpg").write_bytes((photos / "astronaut.jpg").read_bytes()[:3000])
    result = run(folder, upper_bound=1000.0)
    store = MetadataStore(sqlite_metadata_connection_config(str(folder / "out" / "metadata.sqlite")))
    return SimpleNamespace(folder=folder, result=result, store=store, pushed=versions(folder))


def artifacts(store: MetadataStore, kind: str) -> list[Any]:
    return sorted(store.get_artifacts_by_type(kind), key=lambda artifact: artifact.id)


def ancestors(store: MetadataStore, artifact: Any) -> dict[int, Any]:
    """Every artifact that the given one was made from, directly or not."""
    found: dict[int, Any] = {}
    waiting = [artifact.id]
    while waiting:
        made = [event.execution_id for event in store.get_events_by_artifact_ids(waiting) if event.type in OUTPUT]
        used = [event.artifact_id for event in store.get_events_by_execution_ids(made) if event.type not in OUTPUT]
        waiting = [identifier for identifier in set(used) if identifier not in found]
        found |= {parent.id: parent for parent in store.get_artifacts_by_id(waiting)}
    return found


def records(folder: Path) -> list[dict[str, Any]]:
    """Examples of an artifact, all splits."""
    return [examples.decode(record) for path in sorted(folder.glob("Split-*/*.gz")) for record in read_shard(str(path))]


def test_a_model_that_passes_is_pushed(first: SimpleNamespace) -> None:
    assert first.result.exit_code == 0, first.result.output
    assert len(first.pushed) == 1
    assert (first.pushed[0] / "saved_model.pb").is_file()


def test_output_tells_steps_errors_and_places(first: SimpleNamespace) -> None:
    output = first.result.output
    for step in (*GENERATORS, "PhotoReport", "Evaluator", "Pusher"):
        assert f"✓ {step}" in output
    assert "overall" in output
    assert str(first.pushed[0]) in output
    assert "broken" in output, "the dead letter is told"
    page = next((first.folder / "out").rglob("report.html"))
    assert str(page.parent) in output.replace("\n", "")


def test_pushed_model_serves_the_contract_s_signatures(first: SimpleNamespace) -> None:
    import tensorflow as tf

    model = tf.saved_model.load(str(first.pushed[0]))
    photo = (first.folder / "photos" / "astronaut.jpg").read_bytes()
    answer = model.signatures[contract.SIGNATURE_DEFAULT](tf.constant([photo]))
    assert answer[contract.OUTPUT_LANDMARKS].shape == (1, contract.LANDMARK_COUNT, 3)
    assert contract.SIGNATURE_EXAMPLES in model.signatures


def test_rendered_faces_carry_the_hash_of_their_face_model(first: SimpleNamespace) -> None:
    (made,) = artifacts(first.store, face_model_type(first.store))
    digest = io.load(Path(made.uri) / "model.npz").sha256
    synthetic = next(a for a in artifacts(first.store, "Examples") if "SyntheticFaceGen" in a.uri)
    rendered = records(Path(synthetic.uri))
    assert len(rendered) == SMALL["synthetic"]["count"]
    assert {json.loads(record[contract.PROVENANCE])["morphable_model_sha256"] for record in rendered} == {digest}


def test_the_pushed_model_s_lineage_reaches_everything_it_was_made_from(first: SimpleNamespace) -> None:
    (pushed,) = artifacts(first.store, "PushedModel")
    parents = ancestors(first.store, pushed).values()
    places = {Path(parent.uri).parts[-3] for parent in parents}
    assert {"MorphableModelGen", "SyntheticFaceGen", "PhotoExampleGen", "LandmarkDetector", "FaceTrainer"} <= places


def test_broken_photo_is_a_dead_letter_and_the_good_one_an_example(first: SimpleNamespace) -> None:
    lines = [
        line for path in (first.folder / "out").rglob("dead_letters-*.jsonl") for line in path.read_text().splitlines()
    ]
    letters = [json.loads(line) for line in lines]
    assert [letter["reason"] for letter in letters if "broken" in letter["id"]] == ["truncated"]
    detected = next(a for a in artifacts(first.store, "Examples") if "LandmarkDetector" in a.uri)
    (photo,) = records(Path(detected.uri))
    assert "astronaut" in photo[contract.IMAGE_ID]
    assert photo[contract.LANDMARKS_SOURCE] == contract.SOURCE_DETECTED


def test_run_again_with_an_impossible_threshold_resumes_and_is_refused(first: SimpleNamespace) -> None:
    again = run(first.folder, upper_bound=1e-9)
    lines = {line.split()[1]: line for line in again.output.splitlines() if line.startswith("✓")}
    for step in (*GENERATORS, "StatisticsGen_synthetic", "SchemaGen_photo"):
        assert "unchanged" in lines[step], again.output
    assert len(artifacts(first.store, "Model")) == 1
    assert again.exit_code == 1
    assert "The gate refused the model; nothing was pushed." in again.output
    assert "nme_sqrt_box_balanced (overall) is" in again.output
    assert versions(first.folder) == first.pushed


def face_model_type(store: MetadataStore) -> str:
    """Name of the face model's artifact type."""
    from components.artifacts import MorphableModelFile

    return MorphableModelFile.TYPE_NAME
