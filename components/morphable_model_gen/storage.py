"""Face models as artifacts: `{uri}/model.npz`, also where the address is not of this machine's disk."""

import tempfile
from pathlib import Path
from typing import Final

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components import records
from trainer.morphable import io
from trainer.morphable.model import MorphableModel

MODEL_FILE_NAME: Final = "model.npz"
"""The one file of a `MorphableModelFile` artifact, in the project's native format."""


def load_model(uri: str) -> MorphableModel:
    """Reads an artifact's model.

    Args:
        uri: Directory of a `MorphableModelFile`, on any of Beam's file systems.

    Raises:
        FileNotFoundError: If there is no model.
        ValueError: If the file is damaged or no face model.
    """
    path = FileSystems.join(uri, MODEL_FILE_NAME)
    if Path(path).is_file():
        return io.load(path)
    if not FileSystems.exists(path):
        raise FileNotFoundError(f"There is no face model at {path}")
    with (
        FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream,
        tempfile.TemporaryDirectory() as folder,
    ):
        local = Path(folder) / MODEL_FILE_NAME
        local.write_bytes(stream.read())
        return io.load(local)


def save_model(model: MorphableModel, uri: str) -> None:
    """Writes an artifact's model, whole or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / MODEL_FILE_NAME
        io.save(model, local)
        records.write_file(uri, FileSystems.join(uri, MODEL_FILE_NAME), local.read_bytes())
