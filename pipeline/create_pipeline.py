"""The pipeline: rendered faces and photographs in, a model that passed its gate out. One builder per stage.

    MorphableModelGen → SyntheticFaceGen ──────────┬→ statistics, schema, validation
           │                                       ├→ (LandmarkTrainer →) FaceTrainer → Evaluator → Pusher
           └───────────────────────────────────────┤                          ↑
    PhotoExampleGen → LandmarkDetector ─────┬──────┘                  last blessed model
                          last PhotoReport ─┴→ PhotoReport: drift from the photographs before, skew from the renders

The LandmarkTrainer is there where the configuration has `landmarks`; else the released landmark network serves.

Components take only JSON, and check it while the pipeline is built, before any work starts.
"""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

import tensorflow_data_validation as tfdv
from tfx.components import Evaluator, ExampleValidator, Pusher, SchemaGen, StatisticsGen
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2
from tfx.types import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from components.artifacts import PhotoReportPage
from components.face_trainer.component import FaceTrainer
from components.landmark_detector.component import LandmarkDetector
from components.landmark_trainer.component import LandmarkTrainer
from components.morphable_model_gen.component import MorphableModelGen
from components.photo_example_gen.component import PhotoExampleGen
from components.photo_report.component import PhotoReport
from components.synthetic_face_gen.component import SyntheticFaceGen
from pipeline import beam
from pipeline.config import DEFAULT_FACE_MODEL, PipelineConfig, is_local
from pipeline.earlier_report import LatestIfAny
from pipeline.evaluation import eval_config
from trainer import contract
from trainer.configuration import to_json

WITHOUT_STATISTICS: Final = frozenset({contract.IMAGE_ENCODED, contract.PROVENANCE})
"""Features whose values say nothing in a histogram and are large."""


class Faces(NamedTuple):
    """A branch of the pipeline that ends in examples."""

    components: list[Any]
    """In the order of the work."""
    examples: Channel
    """Examples of the contract, splits `train` and `eval`."""


class CheckedFaces(NamedTuple):
    """Statistics, schema and anomalies of one domain."""

    components: list[Any]
    schema: Channel


def create_pipeline(config: PipelineConfig, metadata_connection_config: Any = None) -> Pipeline:
    """Puts the stages together. A re-run takes what is unchanged from the cache and goes on after the rest.

    Args:
        config: What to run on.
        metadata_connection_config: Where a local runner keeps the lineage; Kubeflow brings its own.

    Raises:
        ValueError: If a component refuses its part of the configuration.
    """
    face_model = create_face_model(config)
    synthetic = create_synthetic_faces(config, face_model.outputs["morphable_model"])
    photos = create_photos(config) if config.photos is not None else None
    checked = create_checks(synthetic.examples, contract.DOMAIN_SYNTHETIC)
    components = [face_model, *synthetic.components, *checked.components]
    if photos is not None:
        components += [*photos.components, *create_checks(photos.examples, contract.DOMAIN_PHOTO).components]
        has_lineage = metadata_connection_config is not None
        components += create_photo_report(config, photos.examples, synthetic.examples, has_lineage)
    landmarks = create_landmark_trainer(config, synthetic, photos)
    network = landmarks[0].outputs["landmark_network"] if landmarks else None
    trainer = create_trainer(config, face_model.outputs["morphable_model"], synthetic, photos, checked.schema, network)
    gate = create_gate(config, trainer.outputs["model"], synthetic.examples)
    pusher = create_pusher(config, trainer.outputs["model"], gate[-1].outputs["blessing"])
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=absolute(config.pipeline_root),
        components=[*components, *landmarks, trainer, *gate, pusher],
        enable_cache=True,
        metadata_connection_config=metadata_connection_config,
        beam_pipeline_args=beam.arguments(config.beam_args),
    )


def create_face_model(config: PipelineConfig) -> MorphableModelGen:
    """The 3D morphable face model as an artifact, so that everything made with it can be traced to it."""
    source = config.morphable_model
    return MorphableModelGen(
        source=source if source == DEFAULT_FACE_MODEL else absolute(source), sha256=config.morphable_model_sha256
    )


def create_synthetic_faces(config: PipelineConfig, morphable_model: Channel) -> Faces:
    """Faces rendered from the face model, with their true parameters."""
    generator = SyntheticFaceGen(morphable_model=morphable_model, config=json.dumps(dict(config.synthetic)))
    return Faces([generator], generator.outputs["examples"])


def create_photos(config: PipelineConfig) -> Faces:
    """Photographs with the landmarks that came with them, else detected ones."""
    own_model = config.morphable_model != DEFAULT_FACE_MODEL
    reader = PhotoExampleGen(
        source=absolute(str(config.photos)),
        config=to_json(config.photo_examples),
        morphable_model=absolute(config.morphable_model) if own_model else None,
        sha256=config.morphable_model_sha256 if own_model else None,
    )
    detector = LandmarkDetector(examples=reader.outputs["examples"], config=to_json(config.landmark_detector))
    return Faces([reader, detector], detector.outputs["examples"])


def create_checks(examples: Channel, domain: str) -> CheckedFaces:
    """Statistics, a schema inferred from them, and what in the splits is at odds with it."""
    statistics = StatisticsGen(
        examples=examples,
        stats_options=tfdv.StatsOptions(
            feature_allowlist=sorted(set(contract.FEATURES) - WITHOUT_STATISTICS), num_top_values=20
        ),
    ).with_id(f"StatisticsGen_{domain}")
    schema = SchemaGen(statistics=statistics.outputs["statistics"], infer_feature_shape=True).with_id(
        f"SchemaGen_{domain}"
    )
    validator = ExampleValidator(statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]).with_id(
        f"ExampleValidator_{domain}"
    )
    return CheckedFaces([statistics, schema, validator], schema.outputs["schema"])


def create_photo_report(config: PipelineConfig, photos: Channel, synthetic: Channel, drift: bool = True) -> list[Any]:
    """How photographs differ from the span before, which is what the last run read, and from rendered faces.

    Args:
        config: Thresholds.
        photos: Examples with landmarks.
        synthetic: Examples of rendered faces.
        drift: Whether the last report is looked for. Kubeflow Pipelines cannot ask for what may not be there.
    """
    if not drift:
        return [PhotoReport(photos=photos, renders=synthetic, config=to_json(config.photo_report))]
    earlier = Resolver(strategy_class=LatestIfAny, report=Channel(type=PhotoReportPage)).with_id("LastPhotoReport")
    report = PhotoReport(
        photos=photos,
        renders=synthetic,
        previous=earlier.outputs["report"],
        config=to_json(config.photo_report),
    )
    return [earlier, report]


def create_landmark_trainer(config: PipelineConfig, synthetic: Faces, photos: Faces | None) -> list[LandmarkTrainer]:
    """The landmark network, where the configuration trains one."""
    if config.landmarks is None:
        return []
    return [
        LandmarkTrainer(
            synthetic=synthetic.examples,
            photos=None if photos is None else photos.examples,
            config=to_json(config.landmarks),
        )
    ]


def create_trainer(
    config: PipelineConfig,
    morphable_model: Channel,
    synthetic: Faces,
    photos: Faces | None,
    schema: Channel,
    landmark_network: Channel | None = None,
) -> FaceTrainer:
    """The model that the configuration names; all it learns from is an input, so its lineage is complete."""
    return FaceTrainer(
        synthetic=synthetic.examples,
        morphable_model=morphable_model,
        photos=None if photos is None else photos.examples,
        schema=schema,
        landmark_network=landmark_network,
        config=to_json(config.trainer),
    )


def create_gate(config: PipelineConfig, model: Channel, examples: Channel) -> list[Any]:
    """The last model that passed, and the comparison with it and with the thresholds. The Evaluator is the last of them."""
    last_blessed = Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    ).with_id("LastBlessedModel")
    evaluator = Evaluator(
        examples=examples,
        model=model,
        baseline_model=last_blessed.outputs["model"],
        eval_config=eval_config(config.evaluation),
    )
    return [last_blessed, evaluator]


def create_pusher(config: PipelineConfig, model: Channel, blessing: Channel) -> Pusher:
    """Copies a blessed model to where it is served from, as a new version."""
    destination = pusher_pb2.PushDestination()  # type: ignore[attr-defined]  # made by protobuf when it is loaded
    destination.filesystem.base_directory = absolute(config.serving_dir)
    return Pusher(model=model, model_blessing=blessing, push_destination=destination)


def absolute(path: str) -> str:
    """A path that means the same from every folder; an address such as gs://bucket/folder stays as it is."""
    return str(Path(path).resolve()) if is_local(path) else path
