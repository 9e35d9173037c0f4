"""Photographs to overlay, mesh and landmarks, with a model in process or behind a URL."""

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from serving.face_model import DEFAULT_NAME, Face, FaceModel, ServingError, UnknownSignatureError
from serving.mesh_file import to_obj
from serving.overlay import draw_overlay
from serving.photo_paths import DEAD_LETTERS_FILE, output_directories
from trainer import contract
from trainer.imaging import codecs

DEFAULT_MODEL = Path("out/serving/monoface")
"""Where the local pipeline pushes."""

OVERLAY_FILE, MESH_FILE, LANDMARKS_FILE = "overlay.png", "mesh.obj", "landmarks.json"
STAGE = "reconstruct"

_CROP_MARGIN = 0.5


class ReconstructionError(RuntimeError):
    """A photo that was read but not reconstructed; `reason` is a slug."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one photo."""

    photo: Path
    directory: Path | None = None
    """Where its files are; None where it failed."""
    reason: str = ""
    """Slug of the failure."""
    message: str = ""
    """The failure in words, naming the photo."""

    @property
    def failed(self) -> bool:
        """Whether nothing was written for the photo."""
        return self.directory is None


def open_model(
    model: Path | None = None, url: str | None = None, name: str = DEFAULT_NAME, timeout: float | None = None
) -> FaceModel:
    """The model to ask.

    Args:
        model: A SavedModel or a directory of numbered ones, loaded into this process. Defaults to `DEFAULT_MODEL`.
        url: A server instead; see `serving.client.connect`.
        name: The model's name on the server.
        timeout: Seconds a request to the server may take; None for the client's default.

    Raises:
        ValueError: If both are given, or the URL is none.
        ServingError: If there is no such model or server.
    """
    if model is not None and url is not None:
        raise ValueError("Only one of `model` and `url` may be given.")
    if url is None:
        from serving.saved_model import load_latest

        return load_latest(model or DEFAULT_MODEL)
    from serving import client

    remote = client.connect(url, name, timeout=client.DEFAULT_TIMEOUT if timeout is None else timeout)
    try:
        remote.signatures()
    except ServingError:
        remote.close()
        raise
    return remote


def reconstruct_photos(
    photos: Sequence[Path],
    model: FaceModel,
    out: Path,
    box: Sequence[float] | None = None,
    min_confidence: float = 0.0,
    on_done: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Reconstructs photos one after the other; one that fails is reported, and the rest goes on.

    Args:
        photos: Files.
        model: The model to ask.
        out: Directory for the results; see `output_directories`. Failures are listed in its `dead_letters.jsonl`, which is
            absent when there are none.
        box: Where the face is, x0, y0, x1, y1 pixels of the upright photo; only with one photo.
        min_confidence: Photos on which the model is less sure than this fail as `no_face`.
        on_done: Called after each photo.

    Returns:
        One outcome per photo, in order.

    Raises:
        ValueError: If `box` comes with several photos, or is none.
    """
    if box is not None:
        if len(photos) != 1:
            raise ValueError(f"`box` is for one photo. Received: {len(photos)} photos")
        if len(box) != 4 or not np.isfinite(box).all() or box[2] <= box[0] or box[3] <= box[1]:
            raise ValueError(f"`box` must be x0, y0, x1, y1 with x0 < x1 and y0 < y1. Received: {list(box)}")
    out.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for photo, directory in zip(photos, output_directories(photos, out), strict=True):
        try:
            reconstruct_photo(photo, model, directory, box, min_confidence)
            outcome = Outcome(photo, directory)
        except (codecs.PhotoError, ReconstructionError, ServingError) as error:
            message = str(error) if str(photo) in str(error) else f"{photo}: {error}"
            outcome = Outcome(photo, reason=error.reason, message=message)
        except OSError as error:
            outcome = Outcome(photo, reason="not_written", message=f"{photo}: its results cannot be written: {error}")
        if outcome.failed:
            _remove_results(directory)
        outcomes.append(outcome)
        if on_done is not None:
            on_done(outcome)
    _write_dead_letters(out / DEAD_LETTERS_FILE, [outcome for outcome in outcomes if outcome.failed])
    return outcomes


def reconstruct_photo(
    photo: Path, model: FaceModel, directory: Path, box: Sequence[float] | None = None, min_confidence: float = 0.0
) -> Face:
    """Reconstructs one photo and writes `overlay.png`, `mesh.obj` and `landmarks.json`, each whole or not at all.

    Raises:
        PhotoError: If the photo cannot be read.
        ReconstructionError: If the model finds no face, or answers with what is no face.
        ServingError: If the model gives no answer.
    """
    if photo.is_dir():
        raise ReconstructionError("no_photos", "The directory holds no photos.")
    image = codecs.read_photo(photo)
    face, vertices, triangles = _checked(ask(model, image, box))
    if face.confidence < min_confidence:
        raise ReconstructionError(
            "no_face", f"The model is {face.confidence:.2f} sure of a face; at least {min_confidence:.2f} is asked for."
        )
    directory.mkdir(parents=True, exist_ok=True)
    write_file(directory / OVERLAY_FILE, codecs.encode_png(draw_overlay(image, face)))
    write_file(directory / MESH_FILE, to_obj(vertices, triangles, photo.stem).encode())
    write_file(directory / LANDMARKS_FILE, json.dumps(describe(photo.name, image, [face]), indent=1).encode())
    return face


def ask(model: FaceModel, image: np.ndarray, box: Sequence[float] | None = None) -> Face:
    """The face on a photo, with its mesh.

    A model without a signature for a mesh in a given box is shown what lies around the box instead.

    Args:
        model: The model.
        image: `[H, W, 3]` uint8, upright.
        box: Where the face is; None to let the model find it.
    """
    if box is None:
        return model.reconstruct(codecs.encode_jpeg(image), mesh=True)
    height, width = image.shape[:2]
    if box[0] >= width or box[1] >= height or box[2] <= 0 or box[3] <= 0:
        raise ReconstructionError(
            "box_outside", f"The box {list(box)} lies outside the photo of {width} × {height} pixels."
        )
    try:
        model.signature_for(box=True, mesh=True)
    except UnknownSignatureError:
        margin = _CROP_MARGIN * max(box[2] - box[0], box[3] - box[1])
        x0, y0 = max(0, int(box[0] - margin)), max(0, int(box[1] - margin))
        x1, y1 = min(width, int(box[2] + margin) + 1), min(height, int(box[3] + margin) + 1)
        if min(x1 - x0, y1 - y0) < codecs.MIN_IMAGE_SIDE:
            raise ReconstructionError("box_too_small", f"The box {list(box)} is too small to hold a face.") from None
        face = model.reconstruct(codecs.encode_jpeg(np.ascontiguousarray(image[y0:y1, x0:x1])), mesh=True)
        return _shifted(face, x0, y0)
    return model.reconstruct(codecs.encode_jpeg(image), box=box, mesh=True)


def describe(
    name: str, image: np.ndarray, faces: Sequence[Face], landmark_set: str = contract.LANDMARK_SETS[0]
) -> dict:
    """What `landmarks.json` holds.

    Args:
        name: The photo's file name.
        image: `[H, W, 3]`, upright.
        faces: The faces on it, in its pixels.
        landmark_set: Which of `contract.LANDMARK_SETS` the landmarks are.
    """
    return {
        "image": name,
        "width": image.shape[1],
        "height": image.shape[0],
        "faces": [
            {
                "box": _rounded(face.box),
                "landmarks": _rounded(face.landmarks),
                "landmark_set": landmark_set,
                "pose": dict(zip(("yaw", "pitch", "roll"), _rounded(face.pose), strict=True)),
                "confidence": round(face.confidence, 4),
            }
            for face in faces
        ],
    }


def _rounded(values: np.ndarray) -> list:
    return np.round(values.astype(np.float64), 3).tolist()


def _shifted(face: Face, x: float, y: float) -> Face:
    """The face of a crop that begins at (x, y), in the photo's pixels."""
    shift = np.array([x, y, 0], np.float32)
    return dataclasses.replace(
        face,
        box=face.box + np.array([x, y, x, y], np.float32),
        landmarks=face.landmarks + shift,
        vertices=None if face.vertices is None else face.vertices + shift,
    )


def _checked(face: Face) -> tuple[Face, np.ndarray, np.ndarray]:
    """The face with its vertices and triangles, if it is one."""
    expected = {"box": (4,), "landmarks": (contract.LANDMARK_COUNT, 3), "pose": (3,)}
    for name, shape in expected.items():
        given = getattr(face, name).shape
        if given != shape:
            raise ReconstructionError("wrong_answer", f"The model's `{name}` must be {shape}. Received: {given}")
    vertices, triangles = face.vertices, face.triangles
    if vertices is None or triangles is None:
        raise ReconstructionError("wrong_answer", "The model must give a mesh. Received: none")
    if any(array.ndim != 2 or array.shape[1] != 3 for array in (vertices, triangles)):
        raise ReconstructionError(
            "wrong_answer", f"The mesh must be [V, 3] and [T, 3]. Received: {vertices.shape} and {triangles.shape}"
        )
    if not all(np.isfinite(value).all() for value in (face.box, face.landmarks, face.pose, vertices, face.confidence)):
        raise ReconstructionError("not_finite", "The model's answer has numbers that are not finite.")
    if triangles.size and not 0 <= triangles.min() <= triangles.max() < len(vertices):
        raise ReconstructionError("wrong_answer", "The model's triangles name vertices that are not there.")
    return face, vertices, triangles


def _remove_results(directory: Path) -> None:
    """Removes what an earlier run left: it would look like the result of the photo that failed."""
    if directory.is_dir():
        for name in (OVERLAY_FILE, MESH_FILE, LANDMARKS_FILE):
            with contextlib.suppress(OSError):
                (directory / name).unlink(missing_ok=True)


def _write_dead_letters(path: Path, failures: Sequence[Outcome]) -> None:
    if not failures:
        path.unlink(missing_ok=True)
        return
    lines = [
        json.dumps({"id": str(f.photo), "stage": STAGE, "reason": f.reason, "message": f.message}, sort_keys=True)
        + "\n"
        for f in failures
    ]
    write_file(path, "".join(lines).encode())


def write_file(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(content)
            file.flush()
            # A temporary file is for its owner alone; this one is for whoever may read what the user writes.
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
