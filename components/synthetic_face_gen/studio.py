"""Where pictures of one data set are taken: everything that does not depend on the image, prepared once a worker."""

import dataclasses
import functools
import hashlib
import json
from typing import Any, Final, NamedTuple

import numpy as np

from components.synthetic_face_gen import image_chain
from components.synthetic_face_gen.backgrounds import Backgrounds
from components.synthetic_face_gen.borders import sample_border
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.config_pictures import ImageChainConfig
from components.synthetic_face_gen.sampling import FaceSample, Sampler
from components.synthetic_face_gen.streams import Stream, generator
from components.synthetic_face_gen.visible import Visibility, landmark_visibility_in
from trainer import configuration
from trainer.morphable.model import MorphableModel
from trainer.rendering import camera as cameras
from trainer.rendering.forward import ForwardImage, render_scene
from trainer.rendering.scene import Surface
from trainer.rendering.visible_outline import VisibleOutline
from trainer.wardrobe.dressing import dress
from trainer.wardrobe.wardrobe import DEFAULT_WARDROBE_PATH, default_wardrobe

GENERATOR_VERSION: Final = 5
"""Raised whenever the same configuration, model and index give other bytes than before."""

HEAD: Final = "head"
"""Name of the first surface."""

CLOSED: Final = 0.01
"""A mesh is closed if its triangles' area vectors add up to less than this share of its area; those of a face cut out at the
ears or of a head open at the neck add up to what would close it."""


class Picture(NamedTuple):
    """A photograph that was never taken."""

    face: FaceSample
    surfaces: tuple[Surface, ...]
    """What was rendered, the head first."""
    image: ForwardImage
    projected: np.ndarray
    """`[68, 3]` landmarks in the image frame."""
    outline: np.ndarray | None
    """`[68, 2]` the `outline` landmarks as an annotator sees them, image frame; None where the model has none."""
    visibility: Visibility
    jpeg: bytes
    worn: tuple[str, ...]
    """Names of what the head wears."""


class Studio:
    """Takes the pictures of a data set with one model."""

    def __init__(self, config: SyntheticFaceConfig, model: MorphableModel):
        """Prepares.

        Args:
            config: The data set.
            model: The face model.

        Raises:
            ValueError: If the model lacks the landmark set, or a wardrobe is wanted that was made for another model.
        """
        self.config, self.model = config, model
        self._sampler = Sampler(config, model)
        self._outline = VisibleOutline(model) if "outline" in model.landmarks else None
        self._two_sided = not closed(model)
        self._backgrounds = Backgrounds(config, self._pool_picture)
        self._wardrobe = None
        if config.wardrobe is not None:
            wardrobe, folder = default_wardrobe(), config.wardrobe.folder
            wardrobe.check(model)
            self._wardrobe = wardrobe.with_folder(folder, model) if folder else wardrobe

    @functools.cached_property
    def provenance(self) -> dict[str, Any]:
        """What all images have in common."""
        return {
            "generator": "synthetic_face_gen",
            "generator_version": GENERATOR_VERSION,
            "seed": self.config.seed,
            "morphable_model": self.model.name,
            "morphable_model_sha256": self.model.sha256,
            "wardrobe_sha256": wardrobe_sha256() if self._wardrobe else None,
            "config": configuration.to_mapping(self.config),
        }

    def sample(self, index: int) -> FaceSample:
        """An image's face and scene, see `Sampler.sample`."""
        return self._sampler.sample(index)

    def describe(self, picture: Picture) -> str:
        """Where a picture comes from, as JSON: `provenance`, its number, and what is worn."""
        own = {"index": picture.face.index, "worn": list(picture.worn)}
        return f"{self._provenance_text[:-1]}, {json.dumps(own)[1:]}"

    @functools.cached_property
    def _provenance_text(self) -> str:
        return json.dumps(self.provenance, sort_keys=True)

    def photograph(self, index: int) -> Picture:
        """Takes a picture.

        Args:
            index: Number of the image, in [0, count).

        Raises:
            ValueError: If the index is out of range, or a rendered value is not finite.
            PhotoError: If a background cannot be read.
        """
        config, size = self.config, self.config.image_size
        face = self._sampler.sample(index)
        background = self._backgrounds.sample(generator(config.seed, Stream.BACKGROUND, index))
        surfaces, worn = self.dressed(face)
        image = render_scene(
            surfaces,
            face.camera,
            face.light,
            (size, size),
            config.supersample,
            background,
            face.shadow,
            config.shading,
        )
        if not np.isfinite(image.color).all():
            raise ValueError(f"Image {index} has values that are not finite; is the face model sound?")
        border = sample_border(config.surroundings, size, generator(config.seed, Stream.BORDER, index))
        camera = face.camera
        projected = cameras.project(face.landmarks, camera.matrix, camera.kind, camera.field_of_view, size, size)
        jpeg = image_chain.develop(
            image.color,
            config,
            generator(config.seed, Stream.IMAGE_CHAIN, index),
            border.drawn if border else None,
        )
        seen = landmark_visibility_in(projected, image, surfaces, camera, border)
        outline = self._outline.project(face.vertices, camera, size, size) if self._outline else None
        return Picture(face, tuple(surfaces), image, projected, outline, seen, jpeg, worn)

    def dressed(self, face: FaceSample) -> tuple[list[Surface], tuple[str, ...]]:
        """The head and what it wears, and the names of that."""
        head = Surface(HEAD, face.vertices, self.model.triangles, face.colors, two_sided=self._two_sided)
        if self._wardrobe is None or self.config.wardrobe is None:
            return [head], ()
        person, moment = face.person, face.index // self.config.views_per_moment
        outfit = dress(
            self._wardrobe,
            self.model,
            face.vertices,
            generator(self.config.seed, Stream.WARDROBE, moment),
            self.config.wardrobe,
            person.skin,
            person.hair_color,
            face.colors,
        )
        return [dataclasses.replace(head, vertices=outfit.vertices), *outfit.surfaces], outfit.names

    def _pool_picture(self, number: int) -> np.ndarray:
        """A render that stands behind others: the same data set, one image of it, taken without noise."""
        index = int(generator(self.config.seed, Stream.POOL, number).integers(self.config.count))
        surroundings = dataclasses.replace(self.config.surroundings, renders=0.0)
        face = self._sampler.sample(index)
        size = self.config.image_size
        rng = generator(self.config.seed, Stream.BACKGROUND, index)
        behind = Backgrounds(dataclasses.replace(self.config, surroundings=surroundings), self._pool_picture).sample(
            rng
        )
        image = render_scene(
            self.dressed(face)[0], face.camera, face.light, (size, size), 1, behind, False, self.config.shading
        )
        chain = ImageChainConfig(blur_fraction=0, noise_fraction=0, grey_fraction=0, jpeg_fraction=0)
        return image_chain.exposed(image.color, chain, rng)


def closed(model: MorphableModel) -> bool:
    """Whether a model's mesh encloses its inside, its triangles turned outwards: then no camera sees the back of one."""
    a, b, c = (model.mean[model.triangles[:, corner]].astype(np.float64) for corner in range(3))
    areas = np.cross(b - a, c - a) / 2
    whole = np.linalg.norm(areas, axis=1).sum()
    return bool(np.linalg.norm(areas.sum(axis=0)) < CLOSED * whole and np.einsum("td,td->", areas, a) > 0)


@functools.lru_cache(maxsize=1)
def wardrobe_sha256() -> str:
    """Hexadecimal hash of the committed wardrobe's file.

    Raises:
        FileNotFoundError: If it is not there.
    """
    return hashlib.sha256(DEFAULT_WARDROBE_PATH.read_bytes()).hexdigest()
