"""Artifact types of this project's own, and what it says of TFX's. What files are called is said by the code that writes them,
free of TFX. Their type names are import paths, see `components/__init__.py`.
"""

from collections.abc import Sequence

from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact, artifact_utils


class MorphableModelFile(artifact.Artifact):
    """A 3D morphable face model: `{uri}/model.npz`, written and read by `components.morphable_model_gen.storage`.

    Custom properties say what it is: `model_name`, `sha256`, `licence`; `vertex_count`, `triangle_count`, `identity_count`,
    `expression_count` and `albedo_count`. Not declared ones: Kubeflow's compiler knows none of a type that is not TFX's own.
    """

    TYPE_NAME = "components.MorphableModelFile"


class LandmarkNetworkFile(artifact.Artifact):
    """A trained landmark network: `{uri}/landmarks.npz` for `trainer.landmarks.network.load`, `{uri}/log.jsonl` and
    `{uri}/report.json` with what it was trained on and its errors on held-back faces, written by `trainer.landmarks.job`.

    Custom properties: `renders_count` and, where there were any, `photos_count`: how many faces it learned from.
    """

    TYPE_NAME = "components.LandmarkNetworkFile"


class DeadLetters(artifact.Artifact):
    """What a component could not process: `{uri}/dead_letters-*.jsonl`, one `components.dead_letters.DeadLetter` a line."""

    TYPE_NAME = "components.DeadLetters"


class PhotoReportPage(artifact.Artifact):
    """How photos differ from earlier ones and from renders: `{uri}/report.html` for people and `{uri}/shifts.json` for
    programs, written by `components.photo_report.report`.
    """

    TYPE_NAME = "components.PhotoReportPage"


def describe_examples(examples: artifact.Artifact, splits: Sequence[str]) -> None:
    """Says of an `Examples` artifact that a component has filled which splits it has, and that its records are `tf.Example`s."""
    examples.split_names = artifact_utils.encode_split_names(list(splits))
    examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)  # type: ignore[attr-defined]
