"""Artifact types of this project's own. What their files are called is said by the code that writes them, free of TFX."""

from tfx.types import artifact


class MorphableModelFile(artifact.Artifact):
    """A 3D morphable face model: `{uri}/model.npz`, written and read by `components.morphable_model_gen.storage`."""

    TYPE_NAME = "MorphableModelFile"
    PROPERTIES = {  # noqa: RUF012  (TFX reads a plain class attribute)
        "model_name": artifact.Property(type=artifact.PropertyType.STRING),
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
