"""Photographs to the landmarks of all faces on them: one description and one overlay a photo."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from serving.face_model import Face, ServingError
from serving.overlay import draw_faces
from serving.photo_paths import unique_names
from serving.reconstruct import describe, write_file
from trainer import contract
from trainer.imaging import codecs

Finder = Callable[[np.ndarray], Sequence[Face]]
"""An upright photo `[H, W, 3]` uint8 to the faces on it, in its pixels."""


@dataclasses.dataclass(frozen=True)
class PhotoLandmarks:
    """What was found on one photo, or why nothing was."""

    photo: Path
    faces: tuple[Face, ...] = ()
    description: dict | None = None
    """See `serving.reconstruct.describe`; None where the photo failed."""
    overlay: Path | None = None
    """The picture that was written."""
    reason: str = ""
    """Slug of the failure."""
    message: str = ""
    """The failure in words, naming the photo."""

    @property
    def failed(self) -> bool:
        """Whether the photo has no landmarks."""
        return self.description is None

    def to_json(self) -> dict:
        """The description, or the failure, with the photo's path under `image`."""
        if self.description is None:
            return {"image": str(self.photo), "reason": self.reason, "message": self.message}
        return {**self.description, "image": str(self.photo)}


def landmark_photos(
    photos: Sequence[Path],
    find: Finder,
    landmark_set: str = contract.LANDMARK_SETS[0],
    overlays: Path | None = None,
    min_confidence: float = 0.0,
) -> Iterator[PhotoLandmarks]:
    """Finds the faces of photos one after the other; one that fails is reported, and the rest goes on.

    Args:
        photos: Files. None of them is written to: an overlay that would take the place of one has a number in its name.
        find: Finds faces on a photo.
        landmark_set: Which of `contract.LANDMARK_SETS` it finds.
        overlays: Directory for a picture `NAME.png` of each photo with its faces; None draws none.
        min_confidence: Faces of which the finder is less sure are left out.

    Returns:
        One result a photo, in order, each found when it is asked for; a photo without a face has failed as `no_face`.

    Raises:
        OSError: If the overlays' directory cannot be made.
    """
    taken = []
    if overlays is not None:
        overlays.mkdir(parents=True, exist_ok=True)
        # A photo may be a link in that folder, or one to a file there.
        places = [place for photo in photos for place in (photo.parent.resolve() / photo.name, photo.resolve())]
        taken = [place.stem for place in places if place.parent == overlays.resolve()]
    names = unique_names(photos, taken)
    pictures = [None if overlays is None else overlays / f"{name}.png" for name in names]
    return (
        _landmarks_of(photo, find, landmark_set, picture, min_confidence)
        for photo, picture in zip(photos, pictures, strict=True)
    )


def _landmarks_of(
    photo: Path, find: Finder, landmark_set: str, overlay: Path | None, min_confidence: float
) -> PhotoLandmarks:
    try:
        if overlay is not None:
            overlay.unlink(missing_ok=True)  # of an earlier run: it would pass for this one's
    except OSError as error:
        return _not_written(photo, error)
    if photo.is_dir():
        return PhotoLandmarks(photo, reason="no_photos", message=f"{photo}: The directory holds no photos.")
    try:
        image = codecs.read_photo(photo)
        faces = [face for face in find(image) if face.confidence >= min_confidence]
    except (codecs.PhotoError, ServingError) as error:
        message = str(error) if str(photo) in str(error) else f"{photo}: {error}"
        return PhotoLandmarks(photo, reason=error.reason, message=message)
    if not faces:
        return PhotoLandmarks(photo, reason="no_face", message=f"{photo}: No face was found.")
    if not all(np.isfinite(value).all() for face in faces for value in (face.box, face.landmarks, face.pose)):
        return PhotoLandmarks(
            photo, reason="not_finite", message=f"{photo}: The answer has numbers that are not finite."
        )
    if overlay is not None:
        try:
            write_file(overlay, codecs.encode_png(draw_faces(image, faces)))
        except OSError as error:
            return _not_written(photo, error)
    return PhotoLandmarks(photo, tuple(faces), describe(photo.name, image, faces, landmark_set), overlay)


def _not_written(photo: Path, error: OSError) -> PhotoLandmarks:
    return PhotoLandmarks(photo, reason="not_written", message=f"{photo}: its overlay cannot be written: {error}")
