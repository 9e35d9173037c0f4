"""Photos to examples with Beam."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apache_beam as beam

from components import shard_writing
from components.dead_letters import DeadLetter
from components.photo_example_gen import folder
from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.folder import PhotoFile
from components.shard_writing import ShardWorker
from trainer import configuration, contract, examples
from trainer.imaging import codecs

STAGE: Final = "photo_example_gen"

GENERATOR_VERSION: Final = 1
"""Goes up when the same photo and configuration would give another example."""


def photo_example(input_dir: str, photo: PhotoFile, config: PhotoConfig) -> bytes:
    """The example of one photo.

    The picture is always encoded anew, as a JPEG of the upright sRGB pixels: one format for all readers, nothing left that a
    reader could apply twice (orientation, colour profile), and no place or time of the shot in the records.

    Args:
        input_dir: The folder.
        photo: Which file of it.
        config: Limits and quality.

    Returns:
        Serialised `tf.Example`.

    Raises:
        PhotoError: If the file cannot be used.
    """
    path = Path(input_dir, photo.path)
    decoded = codecs.decode_photo(path, readable(photo.path), config.max_pixels, config.max_side)
    height, width = decoded.image.shape[:2]
    name = readable(photo.path)
    provenance = {
        "generator": STAGE,
        "generator_version": GENERATOR_VERSION,
        "path": name,
        "sha256": _sha256(path),
        "original_height": decoded.original_height,
        "original_width": decoded.original_width,
    }
    return examples.encode(
        {
            contract.IMAGE_ENCODED: codecs.encode_jpeg(decoded.image, config.jpeg_quality),
            contract.IMAGE_HEIGHT: height,
            contract.IMAGE_WIDTH: width,
            contract.IMAGE_ID: name,
            contract.DOMAIN: contract.DOMAIN_PHOTO,
            contract.IDENTITY: readable(photo.identity),
            contract.MOMENT: name,
            contract.PROVENANCE: json.dumps(provenance, sort_keys=True),
        }
    )


class PhotoWorker(ShardWorker):
    """Makes the examples of a folder's photos."""

    stage = STAGE

    def __init__(self, input_dir: str, config: PhotoConfig):
        """Arguments as of `photo_example`."""
        self._input_dir, self._config = input_dir, config

    def results(self, item: PhotoFile) -> Iterator[bytes | DeadLetter]:
        """One example, or why there is none."""
        try:
            yield photo_example(self._input_dir, item, self._config)
        except codecs.PhotoError as error:
            yield DeadLetter(readable(item.path), STAGE, error.reason, str(error))
        except OSError as error:  # the file went away, or its disk failed, between two looks at it
            yield DeadLetter(readable(item.path), STAGE, "unreadable", f"{readable(item.path)}: {error}")


def generate(
    pipeline: beam.Pipeline, input_dir: str, config: PhotoConfig, examples_uri: str, dead_letters_uri: str
) -> None:
    """Runs the whole ingestion and fills both artifacts.

    Args:
        pipeline: A pipeline to build on and run.
        input_dir: Folder of photos.
        config: How they become examples.
        examples_uri: Directory of the `Examples` artifact.
        dead_letters_uri: Directory of the `DeadLetters` artifact.

    Raises:
        OSError: If the folder is missing, empty or cannot be read.
        RuntimeError: If not one photo could be read, or another run is at the same work.
    """
    photos = folder.find_photos(input_dir)
    work = {
        "config": configuration.to_mapping(config),
        "input_dir": input_dir,
        "fingerprint": folder.state(input_dir),
        "generator_version": GENERATOR_VERSION,
    }
    works = folder.shard_works(photos, config)
    shard_writing.fill(
        pipeline,
        PhotoWorker(input_dir, config),
        works,
        work,
        examples_uri,
        dead_letters_uri,
        label="Reading photos",
        failure=f"None of the {len(photos)} files in {input_dir!r} is a photo that can be used",
    )


def readable(path: str) -> str:
    """A path as text that UTF-8 holds: bytes that are none of it are shown as question marks."""
    return path.encode("utf-8", "replace").decode()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
