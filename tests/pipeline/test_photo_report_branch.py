"""The report on photos in a pipeline: which earlier report a run finds, and what is told at its end."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ml_metadata.metadata_store import MetadataStore
from rich.console import Console
from tfx.components import ImportExampleGen
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import example_gen_pb2

from components.artifacts import PhotoReportPage
from pipeline import beam, report
from pipeline.config import PipelineConfig
from pipeline.create_pipeline import create_photo_report, create_pipeline
from pipeline.outcome import read_outcome
from trainer import contract, examples


def write(path: Path, yaw: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for value in np.random.default_rng(0).normal(yaw, 5, 60):
            writer.write(examples.encode({contract.POSE_EULER: [value, 0.0, 0.0], contract.IMAGE_ID: "a"}))


def run(config: PipelineConfig, folder: Path) -> None:
    splits = [example_gen_pb2.Input.Split(name="train", pattern="*")]
    photos, renders = (
        ImportExampleGen(input_base=str(folder / name), input_config=example_gen_pb2.Input(splits=splits)).with_id(name)
        for name in ("photos", "renders")
    )
    connection = sqlite_metadata_connection_config(config.metadata_path)
    components = [
        photos,
        renders,
        *create_photo_report(config, photos.outputs["examples"], renders.outputs["examples"]),
    ]
    LocalDagRunner().run(
        Pipeline(
            pipeline_name=config.name,
            pipeline_root=config.pipeline_root,
            components=components,
            enable_cache=True,
            metadata_connection_config=connection,
            beam_pipeline_args=beam.arguments(()),
        )
    )


def told(config: PipelineConfig) -> str:
    console = Console(record=True, width=200)
    report._tell_photo_report(read_outcome(config.metadata_path, config.name), console)
    return console.export_text()


def test_drift_is_told_from_the_second_span_on_and_again_by_a_repeated_run(tmp_path: Path) -> None:
    config = PipelineConfig(name="spans").below(str(tmp_path / "out"))
    Path(config.metadata_path).parent.mkdir(parents=True)
    write(tmp_path / "renders" / "data.gz", 0.0)
    outputs = []
    for yaw in (0.0, 40.0, None):
        if yaw is not None:
            write(tmp_path / "photos" / "data.gz", yaw)
        run(config, tmp_path)
        outputs.append(told(config))
    assert "drift of" not in outputs[0]
    assert "report.html" in outputs[0]
    for output in outputs[1:]:
        assert "drift of yaw: 1.000 from the photos before, more than the 0.1 allowed" in output
        assert "skew of yaw: 1.000 from the renders, more than the 0.3 allowed" in output
    store = MetadataStore(sqlite_metadata_connection_config(config.metadata_path))
    assert len(store.get_artifacts_by_type(PhotoReportPage.TYPE_NAME)) == 3


def test_the_pipeline_looks_for_earlier_reports_only_where_it_keeps_a_lineage(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"photo")
    config = PipelineConfig.preset("tiny").below(str(tmp_path / "out")).replace(photos=str(tmp_path))

    def steps(connection: Any) -> set[str]:
        return {component.id for component in create_pipeline(config, connection).components}

    assert {"PhotoReport", "LastPhotoReport"} <= steps(sqlite_metadata_connection_config(str(tmp_path / "m.sqlite")))
    assert "PhotoReport" in steps(None)
    assert "LastPhotoReport" not in steps(None)
    without = create_pipeline(config.replace(photos=None), None)
    assert "PhotoReport" not in {component.id for component in without.components}
