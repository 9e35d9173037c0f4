"""Landmarks onto examples of photos with Beam."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import apache_beam as beam
import mediapipe
import numpy as np
from apache_beam.io.filesystems import FileSystems

from components import records, shard_writing
from components.dead_letters import DeadLetter
from components.landmark_detector.config import ALL, LARGEST, REJECT_MANY, LandmarkDetectorConfig
from components.landmark_detector.fitted_head import PoseError, fit_head
from components.landmark_detector.mediapipe_landmarks import DetectedFace, LandmarkDetector
from components.records import Shard
from components.shard_writing import ShardWork, ShardWorker
from trainer import configuration, contract, examples
from trainer.imaging import alignment, codecs
from trainer.imaging.quality import face_quality
from trainer.morphable.default import default_head

STAGE: Final = "landmark_detector"

NEEDED: Final = (
    contract.IMAGE_ENCODED,
    contract.IMAGE_HEIGHT,
    contract.IMAGE_WIDTH,
    contract.IMAGE_ID,
    contract.IDENTITY,
)
"""Features that the example of a photo must have."""

DETECTOR_VERSION: Final = 2
"""Goes up when the same photo and configuration would give other landmarks or features."""


class DetectionWorker(ShardWorker):
    """Adds landmarks to the examples of a shard."""

    stage = STAGE

    def __init__(self, config: LandmarkDetectorConfig):
        """Takes the configuration; networks and head are loaded in `setup`."""
        self._config = config

    @contextlib.contextmanager
    def setup(self) -> Iterator[None]:
        """Loads the networks and the head."""
        self._head = default_head()
        self._detector = LandmarkDetector(self._config.min_confidence, every_face=self._config.policy != LARGEST)
        try:
            yield
        finally:
            self._detector.close()

    def results(self, item: str) -> Iterator[bytes | DeadLetter]:
        """The examples of a shard's file, in order."""
        for position, serialized in enumerate(records.read_shard(item)):
            yield from self.landmarked(serialized, f"{item}#{position}")

    def landmarked(self, serialized: bytes, fallback_id: str) -> Iterator[bytes | DeadLetter]:
        """The examples, one a face, that an example of a photo becomes, or why there is none.

        Landmarks that are there are kept as they are, also where only some of the 68 are; box, pose, visibility and quality are
        added where they are missing. Where only a box is there, the face in it is taken.

        Args:
            serialized: `tf.Example` of a photo.
            fallback_id: What a dead letter calls an example without an id.
        """
        name = fallback_id
        try:
            features = examples.decode(serialized)
            name = features.get(contract.IMAGE_ID, fallback_id)
            missing = [f"`{key}`" for key in NEEDED if key not in features]
            if missing:
                reason = "no_image" if contract.IMAGE_ENCODED not in features else "missing_feature"
                yield DeadLetter(name, STAGE, reason, f"{name}: The example holds no {', '.join(missing)}.")
                return
            image = codecs.read_photo(features[contract.IMAGE_ENCODED], name)
            said = features[contract.IMAGE_HEIGHT], features[contract.IMAGE_WIDTH]
            if image.shape[:2] != said:
                raise ValueError(
                    f"The image must have the size that the example says, upright: {said[1]} × {said[0]} pixels. "
                    f"Received: {image.shape[1]} × {image.shape[0]}"
                )
            if contract.LANDMARKS_XY in features:
                yield examples.encode(self._described(features, image))
            else:
                yield from self._detected(name, features, image)
        except codecs.PhotoError as error:
            yield DeadLetter(name, STAGE, error.reason, str(error))
        except PoseError as error:
            yield DeadLetter(name, STAGE, "pose_unknown", f"{name}: {error}")
        except ValueError as error:
            yield DeadLetter(name, STAGE, "not_usable", f"{name}: {error}")

    def _detected(self, name: str, features: Mapping[str, Any], image: np.ndarray) -> Iterator[bytes | DeadLetter]:
        """Examples or dead letter of a photo without landmarks."""
        marked = features.get(contract.FACE_BOX)
        if marked is None:
            found = self._detector.detect(image)
        else:
            face = self._detector.detect_at(image, marked)
            found = [] if face is None else [face]
        least = self._config.min_face_side
        faces = [face for face in found if max(face.box[2:] - face.box[:2]) >= least]
        size = f"{image.shape[1]} × {image.shape[0]} pixels"
        if found and not faces:
            message = f"Faces must be {least} pixels wide or high. The largest of {len(found)} in {size} is smaller."
            yield DeadLetter(name, STAGE, "small_face", f"{name}: {message}")
        elif not faces:
            where = "" if marked is None else f" in the box {[round(float(value), 1) for value in marked]}"
            message = f"No face was found{where} with a score of {self._config.min_confidence} in {size}."
            yield DeadLetter(name, STAGE, "no_face", f"{name}: {message}")
        elif len(faces) > 1 and self._config.policy == REJECT_MANY:
            yield DeadLetter(name, STAGE, "many_faces", f"{name}: Must show one face. Found {len(faces)} in {size}.")
        else:
            for rank, face in enumerate(faces if self._config.policy == ALL else faces[:1]):
                yield examples.encode(self._described(_with_face(features, face, rank, len(faces)), image))

    def _described(self, features: Mapping[str, Any], image: np.ndarray) -> dict[str, Any]:
        """Features with landmarks, and with what follows from these where it is not there yet."""
        points = features[contract.LANDMARKS_XY].reshape(-1, 2)
        known = features.get(contract.LANDMARKS_KNOWN)
        landmark_set = features.get(contract.LANDMARKS_SET, contract.MEDIAPIPE_LANDMARK_SET)
        height, width = image.shape[:2]
        fitted = fit_head(points, self._head, landmark_set, height, width, known)
        euler = features.get(contract.POSE_EULER, fitted.euler)
        box = features.get(contract.FACE_BOX, alignment.landmark_box(fitted.points))
        return {
            **face_quality(image, box).features(),
            contract.FACE_BOX: box,
            # A landmark that has no place must not count as seen.
            contract.LANDMARKS_VISIBLE: fitted.visible if known is None else fitted.visible * known,
            contract.POSE_EULER: euler,
            contract.POSE_YAW_BIN: contract.yaw_bin(float(euler[0])),
            **features,
        }


def _with_face(features: Mapping[str, Any], face: DetectedFace, rank: int, count: int) -> dict[str, Any]:
    """Features of a photo with a detected face's landmarks. Further faces are other people at the same moment."""
    suffix = f"#{rank}" if rank else ""
    provenance = json.loads(features.get(contract.PROVENANCE, "{}"))
    if not isinstance(provenance, dict):
        raise ValueError(f"`{contract.PROVENANCE}` must be a JSON object. Received: {provenance!r}")
    provenance["detector"] = {
        "name": f"mediapipe {mediapipe.__version__} face mesh",
        "version": DETECTOR_VERSION,
        "confidence": round(face.confidence, 4),
        "faces": count,
    }
    return {
        **features,
        contract.IMAGE_ID: features[contract.IMAGE_ID] + suffix,
        contract.IDENTITY: features[contract.IDENTITY] + suffix,
        contract.LANDMARKS_XY: face.points[:, :2].reshape(-1),
        contract.LANDMARKS_Z: face.points[:, 2],
        contract.LANDMARKS_SOURCE: contract.SOURCE_DETECTED,
        contract.LANDMARKS_SET: contract.MEDIAPIPE_LANDMARK_SET,
        contract.LANDMARKS_CONFIDENCE: face.confidence,
        contract.PROVENANCE: json.dumps(provenance, sort_keys=True),
    }


def detect(
    pipeline: beam.Pipeline,
    split_uris: Mapping[str, str],
    config: LandmarkDetectorConfig,
    examples_uri: str,
    dead_letters_uri: str,
) -> None:
    """Runs the whole detection and fills both artifacts; every input file becomes one output file.

    Args:
        pipeline: A pipeline to build on and run.
        split_uris: Name of each split and its directory of TFRecord files.
        config: Which faces are taken.
        examples_uri: Directory of the `Examples` artifact.
        dead_letters_uri: Directory of the `DeadLetters` artifact.

    Raises:
        FileNotFoundError: If a split has no files.
        RuntimeError: If not one photo shows a face that can be used, or another run is at the same work.
    """
    works, inputs = [], []
    for split, uri in split_uris.items():
        files = FileSystems.match([FileSystems.join(uri, "*")])[0].metadata_list
        if not files:
            raise FileNotFoundError(f"The split {split!r} has no files in {uri}")
        for index, metadata in enumerate(sorted(files, key=lambda file: file.path)):
            works.append(ShardWork(Shard(split, index, len(files)), (metadata.path,)))
            inputs.append([metadata.path, metadata.size_in_bytes, metadata.last_updated_in_seconds])
    work = {
        "config": configuration.to_mapping(config),
        "inputs": inputs,
        "detector_version": DETECTOR_VERSION,
        "head": default_head().sha256,
    }
    shard_writing.fill(
        pipeline,
        DetectionWorker(config),
        works,
        work,
        examples_uri,
        dead_letters_uri,
        label="Finding landmarks",
        failure="No photo shows a face that can be used",
    )
