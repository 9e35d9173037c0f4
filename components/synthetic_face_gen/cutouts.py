"""Rendered heads without a background: the same faces as `example`, with the mesh's coverage as the picture's alpha.

For training that puts a face anywhere in a frame, at any size, in front of and behind other things: a square picture pasted
into a larger one would teach a network to find the square.
"""

import io
import json
import os
import pathlib
import tempfile
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import tensorflow as tf
from PIL import Image

from components.synthetic_face_gen import backgrounds
from components.synthetic_face_gen.config import PROCEDURAL, SyntheticFaceConfig
from components.synthetic_face_gen.config_parts import CameraConfig, PoseConfig
from components.synthetic_face_gen.example import studio_of
from components.synthetic_face_gen.procedural_pictures import procedural
from components.synthetic_face_gen.streams import Stream, generator
from trainer import configuration, contract, examples
from trainer.imaging.alignment import landmark_box
from trainer.morphable.model import MorphableModel
from trainer.rendering import camera as cameras
from trainer.rendering.color import linear_to_srgb
from trainer.rendering.forward import render_image

GENERATOR_VERSION: Final = 3
"""Raised whenever the same configuration, model and index give other bytes than before."""

NEAR_FRONTAL: Final = (-50.0, 50.0)
ALL_SIDES: Final = (-90.0, 90.0)
"""Yaw of the two halves of a landmark network's training set, degrees: all sides, and near frontal again, as photos are."""

_SHARD_SIZE: Final = 500
_CONTENTS_FILE: Final = "contents.json"


def landmark_training_sets(count: int, seed: int) -> list[SyntheticFaceConfig]:
    """Faces to train a landmark network on: both yaw ranges through both kinds of camera, everyone seen once.

    Args:
        count: Images over all sets, at least 4.
        seed: Of the first set; the others count on.
    """
    kinds = (contract.PERSPECTIVE, contract.SCALED_ORTHOGRAPHIC)
    return [
        SyntheticFaceConfig(
            count=count // 4,
            image_size=176,
            seed=seed + number,
            views_per_identity=1,
            shard_size=_SHARD_SIZE,
            pose=PoseConfig(yaw=yaw),
            camera=CameraConfig(kind=kind, face_size=(0.44, 0.44), face_offset=0.0),
        )
        for number, (yaw, kind) in enumerate((yaw, kind) for yaw in (NEAR_FRONTAL, ALL_SIDES) for kind in kinds)
    ]


def write_cutouts(
    configs: Sequence[SyntheticFaceConfig],
    model: MorphableModel,
    directory: str | os.PathLike[str],
    report: Callable[[int], None] = lambda count: None,
) -> list[str]:
    """Renders data sets into TFRecord shards; shards that are there already are kept, so that a killed run goes on.

    Args:
        configs: The data sets; shards alternate among them, so that the first few hold some of each.
        model: The face model.
        directory: Folder, made if absent.
        report: Called after every shard with its number of images.

    Returns:
        Paths of all shards.

    Raises:
        ValueError: If the folder holds other sets, or sets of another model.
    """
    folder = pathlib.Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    _check_contents(folder, configs, model)
    starts = [(start, config) for config in configs for start in range(0, config.count, config.shard_size)]
    shards = []
    for start, config in sorted(starts, key=lambda shard: shard[0]):
        path = folder / f"cutouts-{config.seed}-{start:08d}.tfrecord"
        stop = min(start + config.shard_size, config.count)
        if not path.exists():
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as file:
                temporary = pathlib.Path(file.name)
            try:
                with tf.io.TFRecordWriter(str(temporary)) as writer:
                    for index in range(start, stop):
                        writer.write(render_cutout(config, model, index))
                temporary.chmod(0o644)  # temporary files are private
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        report(stop - start)
        shards.append(str(path))
    return shards


def render_cutout(config: SyntheticFaceConfig, model: MorphableModel, index: int) -> bytes:
    """Renders one head.

    Args:
        config: The data set; its background and image chain do not apply.
        model: The face model.
        index: Number of the image, in [0, count).

    Returns:
        A serialised `tf.Example` by `trainer.contract` with image, landmarks, box, pose and provenance. The image is a PNG with
        alpha, sRGB, straight (not premultiplied); the same bytes for the same arguments.

    Raises:
        ValueError: If the index is out of range.
    """
    face, size = studio_of(config, model).sample(index), config.image_size
    camera = face.camera
    image = render_image(
        face.vertices, face.colors, model.triangles, camera, face.light, (size, size), config.supersample, None
    )
    projected = cameras.project(face.landmarks, camera.matrix, camera.kind, camera.field_of_view, size, size)
    return examples.encode(
        {
            contract.IMAGE_ENCODED: _encode(image.color, image.mask),
            contract.IMAGE_HEIGHT: size,
            contract.IMAGE_WIDTH: size,
            contract.IMAGE_ID: f"cutout-{config.seed}-{index:08d}",
            contract.DOMAIN: contract.DOMAIN_SYNTHETIC,
            contract.IDENTITY: f"{config.seed}-{face.identity:07d}",
            contract.LANDMARKS_XY: projected[:, :2],
            contract.LANDMARKS_Z: projected[:, 2],
            contract.LANDMARKS_SOURCE: contract.SOURCE_TRUTH,
            contract.LANDMARKS_SET: config.landmark_set,
            contract.FACE_BOX: landmark_box(projected),
            contract.POSE_EULER: face.euler,
            contract.PROVENANCE: json.dumps(
                {
                    "generator": "synthetic_face_gen.cutouts",
                    "generator_version": GENERATOR_VERSION,
                    "index": index,
                    "morphable_model_sha256": model.sha256,
                    "config": configuration.to_mapping(config),
                },
                sort_keys=True,
            ),
        }
    )


def background_pictures(source: str, count: int, size: int, seed: int) -> np.ndarray:
    """Pictures to put cut-outs in front of.

    Args:
        source: `procedural` or a folder with photographs.
        count: Pictures drawn; squares of photographs may show the same photograph.
        size: Side, pixels.
        seed: Of the draw.

    Returns:
        `[count, size, size, 3]` uint8, sRGB.

    Raises:
        FileNotFoundError: If the folder holds no photographs.
    """
    config = SyntheticFaceConfig(image_size=size, seed=seed, background=source)
    if source == PROCEDURAL:
        drawn = [procedural(size, generator(seed, Stream.POOL, number)) for number in range(count)]
    else:
        drawn = [
            backgrounds.sample_photograph(config, generator(seed, Stream.BACKGROUND, number)) for number in range(count)
        ]
    return np.stack([np.rint(linear_to_srgb(picture) * 255).astype(np.uint8) for picture in drawn])


def _check_contents(folder: pathlib.Path, configs: Sequence[SyntheticFaceConfig], model: MorphableModel) -> None:
    """Refuses a folder that was begun with other faces; marks a fresh one."""
    path = folder / _CONTENTS_FILE
    contents = json.dumps(
        {
            "generator_version": GENERATOR_VERSION,
            "morphable_model_sha256": model.sha256,
            "sets": [configuration.to_mapping(config) for config in configs],
        },
        sort_keys=True,
        indent=1,
    )
    if path.exists() and path.read_text() != contents:
        raise ValueError(f"`directory` must be empty or begun with the same faces, see {path}. Received: {folder}")
    path.write_text(contents)


def _encode(premultiplied: np.ndarray, mask: np.ndarray) -> bytes:
    """A PNG with alpha of `[h, w, 3]` premultiplied linear light and `[h, w]` coverage."""
    covered = np.maximum(mask, 1e-3)[..., None]
    color = np.where(mask[..., None] > 0, linear_to_srgb(premultiplied / covered), 0.0)
    pixels = np.rint(np.concatenate([color, mask[..., None]], axis=-1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
