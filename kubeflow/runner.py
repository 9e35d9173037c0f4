"""Compiles the pipeline for Kubeflow Pipelines: the same stages as on a laptop, other engine.

    python kubeflow/runner.py --image REGISTRY/monoface:0.1.0 --root gs://BUCKET/monoface --preset default

writes the pipeline's intermediate representation (JSON), which Kubeflow Pipelines 2 and Vertex AI run. This folder is no
package: the Kubeflow SDK owns its name.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

import click

TRAINERS: Final = ("FaceTrainer", "LandmarkTrainer")
STEP_MEMORY: Final = 8.0
"""Gigabytes for every step: TensorFlow and Beam in one process, and room for a shard of images."""


@dataclasses.dataclass(frozen=True)
class TrainingNode:
    """The machine that the trainers ask for."""

    cpus: float = 8.0
    """Processor cores."""
    memory: float = 32.0
    """Gigabytes."""
    gpus: int = 0
    """Graphics processors; 0 trains on the cores."""
    gpu_type: str = "NVIDIA_L4"
    """Name that the cluster gives them."""

    def __post_init__(self) -> None:
        for name in ("cpus", "memory"):
            if not getattr(self, name) > 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={getattr(self, name)}.")
        if self.gpus < 0:
            raise ValueError(f"`gpus` must be 0 or more. Received: gpus={self.gpus}.")


def compile_pipeline(config: Any, image: str, node: TrainingNode | None = None) -> dict[str, Any]:
    """The pipeline's intermediate representation.

    Args:
        config: A `pipeline.config.PipelineConfig` whose places are addresses that every node of the cluster reaches.
        image: Container image with this project, see the Dockerfile.
        node: What the FaceTrainer runs on, and the LandmarkTrainer where there is one.

    Returns:
        A `PipelineJob` as JSON holds it.

    Raises:
        ValueError: If a place is a local path.
    """
    from kfp.pipeline_spec import pipeline_spec_pb2
    from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import KubeflowV2DagRunner, KubeflowV2DagRunnerConfig

    from pipeline.create_pipeline import create_pipeline

    require_addresses(config)
    node = node or TrainingNode()
    pipeline = create_pipeline(config)
    container = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec
    for component in pipeline.components:
        training = component.id in TRAINERS
        resources = container.ResourceSpec(
            cpu_limit=node.cpus if training else 2.0, memory_limit=node.memory if training else STEP_MEMORY
        )
        if training and node.gpus:
            resources.accelerator.count, resources.accelerator.type = node.gpus, node.gpu_type
        if not component.id.startswith("LastBlessed"):  # Kubeflow resolves it itself, without a container
            component.with_platform_config(resources)
    runner = KubeflowV2DagRunner(config=KubeflowV2DagRunnerConfig(default_image=image))
    return runner.run(pipeline, write_out=False)


def require_addresses(config: Any) -> None:
    """Refuses paths that only this machine knows.

    Raises:
        ValueError: With the field and the path.
    """
    from components.synthetic_face_gen.config import PROCEDURAL
    from pipeline.config import DEFAULT_FACE_MODEL, is_local

    places = {"pipeline_root": config.pipeline_root, "serving_dir": config.serving_dir}
    if config.morphable_model != DEFAULT_FACE_MODEL:
        places["morphable_model"] = config.morphable_model
    if config.photos is not None:
        places["photos"] = config.photos
    if (background := config.synthetic.get("background", PROCEDURAL)) != PROCEDURAL:
        places["synthetic.background"] = background
    for field, path in places.items():
        if is_local(path):
            raise ValueError(
                f"`{field}` must be an address such as gs://bucket/folder on a cluster. Received: {path!r}."
            )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--image", required=True, help="Container image with this project, see kubeflow/Dockerfile.")
@click.option("--root", required=True, help="Address below which everything is kept, such as gs://bucket/monoface.")
@click.option("--serving-dir", help="Address to which models are pushed.  [default: ROOT/serving/monoface]")
@click.option("--photos", help="Address of a folder of photographs; left out, the model learns from renders alone.")
@click.option("--preset", default="default", show_default=True, help="Preset of pipeline/config.py.")
@click.option(
    "--config", "config_path", type=click.Path(exists=True, dir_okay=False), help="A YAML or JSON file over it."
)
@click.option("--cpus", default=TrainingNode.cpus, show_default=True, help="Cores of the trainings' node.")
@click.option("--memory", default=TrainingNode.memory, show_default=True, help="Gigabytes of the trainings' node.")
@click.option("--gpus", default=0, show_default=True, help="GPUs of the trainings' node.")
@click.option("--gpu-type", default=TrainingNode.gpu_type, show_default=True, help="What the cluster calls them.")
@click.option(
    "--out",
    default="out/kubeflow/pipeline.json",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.",
)
def command(
    image: str,
    root: str,
    serving_dir: str | None,
    photos: str | None,
    preset: str,
    config_path: str | None,
    cpus: float,
    memory: float,
    gpus: int,
    gpu_type: str,
    out: Path,
) -> None:
    """Compile the pipeline for Kubeflow Pipelines 2 or Vertex AI."""
    from pipeline import progress

    progress.quieten()
    from pipeline.config import PipelineConfig

    try:
        config = PipelineConfig.load(config_path, preset) if config_path else PipelineConfig.preset(preset)
        config = config.below(root.rstrip("/"))
        config = config.replace(photos=photos, serving_dir=serving_dir or config.serving_dir)
        job = compile_pipeline(config, image, TrainingNode(cpus, memory, gpus, gpu_type))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(job, indent=2, sort_keys=True) + "\n")
    click.echo(f"{len(job['pipelineSpec']['root']['dag']['tasks'])} steps: {out}")


if __name__ == "__main__":
    command()
