"""Artifact types of this project's own, and how the files inside them are called."""

from typing import Final

from tfx.types import artifact

MODEL_FILE_NAME: Final = "model.npz"
"""The one file of a `MorphableModelFile`, in the project's native format."""


class MorphableModelFile(artifact.Artifact):
    """A 3D morphable face model: `{uri}/model.npz`, as `trainer.morphable.io` reads and writes it."""

    TYPE_NAME = "MorphableModelFile"
    PROPERTIES = {  # noqa: RUF012  (TFX reads a plain class attribute)
        "name": artifact.Property(type=artifact.PropertyType.STRING),
        "sha256": artifact.Property(type=artifact.PropertyType.STRING),
        "licence": artifact.Property(type=artifact.PropertyType.STRING),
        "vertex_count": artifact.Property(type=artifact.PropertyType.INT),
        "triangle_count": artifact.Property(type=artifact.PropertyType.INT),
        "identity_count": artifact.Property(type=artifact.PropertyType.INT),
        "expression_count": artifact.Property(type=artifact.PropertyType.INT),
        "albedo_count": artifact.Property(type=artifact.PropertyType.INT),
    }


class DeadLetters(artifact.Artifact):
    """What a component could not process: `{uri}/dead_letters-*.jsonl`, one `components.dead_letters.DeadLetter` a line."""

    TYPE_NAME = "DeadLetters"
