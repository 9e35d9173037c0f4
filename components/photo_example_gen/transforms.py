"""Photos and their labels to examples with Beam."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import apache_beam as beam

from components import shard_writing
from components.dead_letters import DeadLetter
from components.photo_example_gen import labels as labelling
from components.photo_example_gen import splits
from components.photo_example_gen.config import STORED, PhotoConfig
from components.photo_example_gen.labels import LabelError
from components.photo_example_gen.photo_file import PhotoFile, readable
from components.photo_example_gen.readers.open_reader import open_reader
from components.photo_example_gen.readers.reader import PhotoReader
from components.shard_writing import ShardWorker
from trainer import configuration, contract, examples
from trainer.imaging import codecs
from trainer.imaging.codecs import Photo

STAGE: Final = "photo_example_gen"

GENERATOR_VERSION: Final = 2
"""Goes up when the same photo and configuration would give another example."""


def photo_example(reader: PhotoReader, photo: PhotoFile, config: PhotoConfig) -> bytes:
    """The example of one photo.

    The picture is always encoded anew, as a JPEG of the upright sRGB pixels: one format for all readers, nothing left that a
    reader could apply twice (orientation, colour profile), and no place or time of the shot in the records. Labels are turned
    and scaled as the picture is.

    Args:
        reader: Which found the photo, and reads its labels.
        photo: Which one.
        config: Limits and quality.

    Returns:
        Serialised `tf.Example`.

    Raises:
        PhotoError: If the file cannot be used.
        LabelError: If its labels cannot be used.
        OSError: If either cannot be read.
    """
    path = Path(reader.folder, photo.path)
    name = readable(photo.path)
    decoded = codecs.decode_photo(path, name, config.max_pixels, config.max_side)
    height, width = decoded.image.shape[:2]
    provenance = {
        "generator": STAGE,
        "generator_version": GENERATOR_VERSION,
        "reader": reader.kind,
        "path": name,
        "sha256": _sha256(path),
        "original_height": decoded.original_height,
        "original_width": decoded.original_width,
    }
    found = _label_features(reader, photo, decoded, config)
    if found and (source := reader.label_path(photo)) is not None:
        provenance["labels"] = readable(source) + (f":{photo.row.number}" if photo.row else "")
    return examples.encode(
        {
            **found,
            contract.IMAGE_ENCODED: codecs.encode_jpeg(decoded.image, config.jpeg_quality),
            contract.IMAGE_HEIGHT: height,
            contract.IMAGE_WIDTH: width,
            contract.IMAGE_ID: photo.id,
            contract.DOMAIN: contract.DOMAIN_PHOTO,
            contract.IDENTITY: readable(photo.identity),
            contract.MOMENT: readable(photo.moment) or name,
            contract.PROVENANCE: json.dumps(provenance, sort_keys=True),
        }
    )


def _label_features(reader: PhotoReader, photo: PhotoFile, decoded: Photo, config: PhotoConfig) -> dict[str, Any]:
    """Features of the photo's labels, in pixels of the decoded picture."""
    orientation = decoded.orientation if config.labels_of == STORED else 1
    made_on = decoded.original_width if orientation >= 5 else decoded.original_height
    labels = reader.labels(photo, made_on)
    if labels is None:
        return {}
    height, width = decoded.image.shape[:2]
    labels = labelling.upright(labels, orientation, decoded.original_height, decoded.original_width)
    labels = labelling.scaled(labels, width / decoded.original_width, height / decoded.original_height)
    return labelling.features(labels, height, width)


class PhotoWorker(ShardWorker):
    """Makes the examples of a reader's photos."""

    stage = STAGE

    def __init__(self, reader: PhotoReader, config: PhotoConfig):
        """Arguments as of `photo_example`."""
        self._reader, self._config = reader, config

    def results(self, item: PhotoFile) -> Iterator[bytes | DeadLetter]:
        """One example, or why there is none."""
        try:
            if item.problem is not None:
                raise LabelError(*item.problem)
            yield photo_example(self._reader, item, self._config)
        except codecs.PhotoError as error:
            yield DeadLetter(item.id, STAGE, error.reason, f"{item.id}: {error.message}")
        except LabelError as error:
            yield DeadLetter(item.id, STAGE, error.problem.reason, f"{item.id}: {readable(error.problem.message)}")
        except (ValueError, ArithmeticError) as error:  # what no rule above has foreseen
            yield DeadLetter(item.id, STAGE, "not_usable", f"{item.id}: {readable(str(error))}")
        except OSError as error:  # the file went away, or its disk failed, between two looks at it
            yield DeadLetter(item.id, STAGE, "unreadable", f"{item.id}: {error.strerror or type(error).__name__}")


def generate(
    pipeline: beam.Pipeline,
    source: str,
    config: PhotoConfig,
    examples_uri: str,
    dead_letters_uri: str,
    morphable_model: str | None = None,
    sha256: str | None = None,
) -> None:
    """Runs the whole ingestion and fills both artifacts.

    Args:
        pipeline: A pipeline to build on and run.
        source: Folder of photos, or a manifest.
        config: How they become examples.
        examples_uri: Directory of the `Examples` artifact.
        dead_letters_uri: Directory of the `DeadLetters` artifact.
        morphable_model: Face model whose coefficients examples are to carry, as of `open_reader`.
        sha256: Hash that it must have.

    Raises:
        OSError: If the source is missing, empty or cannot be read.
        ValueError: If a manifest's header cannot be used, or an identity is wanted in two splits.
        RuntimeError: If not one photo could be read, or another run is at the same work.
    """
    reader = open_reader(source, config, morphable_model, sha256)
    photos = reader.find()
    works = splits.shard_works(photos, config)
    work = {
        "config": configuration.to_mapping(config),
        "reader": reader.kind,
        "source": source,
        "state": reader.state(photos),
        "face_model": reader.face_model,
        "generator_version": GENERATOR_VERSION,
    }
    shard_writing.fill(
        pipeline,
        PhotoWorker(reader, config),
        works,
        work,
        examples_uri,
        dead_letters_uri,
        label="Reading photos",
        failure=f"None of the {len(photos)} photos of {source!r} can be used",
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
