"""Rendered heads without a background: the same faces as `example`, dressed alike, with their coverage as the picture's alpha.

For training that puts a face anywhere in a frame, at any size, in front of and behind other things: a square picture pasted
into a larger one would teach a network to find the square.
"""

import io
import json
import multiprocessing
import os
import pathlib
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

import numpy as np
import tensorflow as tf
from PIL import Image

from components.synthetic_face_gen import backgrounds
from components.synthetic_face_gen.config import PROCEDURAL, SyntheticFaceConfig
from components.synthetic_face_gen.example import studio_of
from components.synthetic_face_gen.image_chain import roll_off
from components.synthetic_face_gen.procedural_pictures import procedural
from components.synthetic_face_gen.streams import Stream, generator
from trainer import configuration, contract, examples
from trainer.imaging import codecs
from trainer.imaging.alignment import landmark_box
from trainer.morphable.model import MorphableModel
from trainer.rendering import camera as cameras
from trainer.rendering.color import linear_to_srgb
from trainer.rendering.forward import render_scene

GENERATOR_VERSION: Final = 4
"""Raised whenever the same configuration, model and index give other bytes than before."""

NEAR_FRONTAL: Final = (-50.0, 50.0)
ALL_SIDES: Final = (-90.0, 90.0)
"""Yaw of the two halves of a locator's training set, degrees: all sides, and near frontal again, as photos are."""

FACE_SIZE: Final = (0.3, 0.38)
"""Longer side of the face's box in a cut-out, fraction of its side: hair, hats and shoulders are inside."""

_SHARD_SIZE: Final = 500
_CONTENTS_FILE: Final = "contents.json"
_HELD_OUT_EVERY: Final = 5


def locator_training_sets(count: int, seed: int) -> list[SyntheticFaceConfig]:
    """Heads to train a face locator on: those of the preset `wild`, small enough in the picture to be whole.

    Args:
        count: Images over all sets, at least 2.
        seed: Of the first set; the second has the next.
    """
    return [
        SyntheticFaceConfig.preset(
            "wild",
            count=count // 2,
            image_size=192,
            seed=seed + number,
            views_per_identity=2,
            shard_size=_SHARD_SIZE,
            pose={"yaw": list(yaw), "roll": [-25, 25]},
            camera={"face_size": list(FACE_SIZE), "face_offset": 0.0},
        )
        for number, yaw in enumerate((NEAR_FRONTAL, ALL_SIDES))
    ]


def write_cutouts(
    configs: Sequence[SyntheticFaceConfig],
    model: MorphableModel,
    directory: str | os.PathLike[str],
    report: Callable[[int], None] = lambda count: None,
    workers: int = 1,
) -> list[str]:
    """Renders data sets into TFRecord shards; shards that are there already are kept, so that a killed run goes on.

    Args:
        configs: The data sets; shards alternate among them, so that the first few hold some of each.
        model: The face model.
        directory: Folder, made if absent.
        report: Called after every shard with its number of images.
        workers: Processes that render; 1 renders in this one.

    Returns:
        Paths of all shards.

    Raises:
        ValueError: If the folder holds other sets, or sets of another model.
    """
    folder = pathlib.Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    _check_contents(folder, configs, model)
    starts = [(start, config) for config in configs for start in range(0, config.count, config.shard_size)]
    starts.sort(key=lambda shard: shard[0])
    paths = [folder / f"cutouts-{config.seed}-{start:08d}.tfrecord" for start, config in starts]
    missing = [
        (config, model, start, path) for (start, config), path in zip(starts, paths, strict=True) if not path.exists()
    ]
    report(
        sum(config.count for config in configs) - sum(len(_indices(config, start)) for config, _, start, _ in missing)
    )
    if workers == 1 or len(missing) < 2:
        for shard in missing:
            report(_write_shard(*shard))
    else:
        # Not forked: TensorFlow and numba hold threads.
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            for done in pool.map(_write_shard, *zip(*missing, strict=True)):
                report(done)
    return [str(path) for path in paths]


def _indices(config: SyntheticFaceConfig, start: int) -> range:
    return range(start, min(start + config.shard_size, config.count))


def _write_shard(config: SyntheticFaceConfig, model: MorphableModel, start: int, path: pathlib.Path) -> int:
    """Renders one shard, whole or not at all, and returns its number of images."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        temporary = pathlib.Path(file.name)
    try:
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            for index in _indices(config, start):
                writer.write(render_cutout(config, model, index))
        temporary.chmod(0o644)  # temporary files are private
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return len(_indices(config, start))


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
    studio, size = studio_of(config, model), config.image_size
    face = studio.sample(index)
    camera = face.camera
    image = render_scene(
        studio.dressed(face)[0], camera, face.light, (size, size), config.supersample, None, face.shadow, config.shading
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
        source: `procedural`, or a folder with photographs.
        count: Procedural pictures; beside photographs, at most as many as these.
        size: Side, pixels.
        seed: Of procedural pictures.

    Returns:
        `[N, size, size, 3]` uint8, sRGB: the middle squares of all photographs but those of `held_out`, then procedural ones.

    Raises:
        FileNotFoundError: If the folder holds no photographs.
        PhotoError: If a photograph cannot be read; the error names it.
    """
    pictures = []
    if source != PROCEDURAL:
        paths = backgrounds.photographs(source)
        kept = set(paths) - set(held_out(paths))
        pictures = [_square(codecs.decode_photo(path).image, size) for path in paths if path in kept]
        count = min(count, len(pictures))
    for number in range(count):
        drawn = procedural(size, generator(seed, Stream.POOL, number))
        pictures.append(np.rint(linear_to_srgb(drawn) * 255).astype(np.uint8))
    return np.stack(pictures)


def held_out(paths: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """Photographs that no training sees, so that what is mistaken for a face is counted on unseen pictures too.

    Views of one place look alike and are held out together: every fifth place, in the order of names; a photograph's place is
    its name up to the last two parts between underscores.

    Args:
        paths: All photographs.
    """
    places = {path: path.stem.rsplit("_", 2)[0] for path in paths}
    held = set(sorted(set(places.values()))[_HELD_OUT_EVERY - 1 :: _HELD_OUT_EVERY])
    return sorted(path for path, place in places.items() if place in held)


def _square(image: np.ndarray, size: int) -> np.ndarray:
    """The middle square of a picture `[H, W, 3]` uint8, at a size."""
    side = min(image.shape[:2])
    y, x = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = Image.fromarray(image[y : y + side, x : x + side])
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC))


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
    color = np.where(mask[..., None] > 0, linear_to_srgb(roll_off(premultiplied / covered)), 0.0)
    pixels = np.rint(np.concatenate([color, mask[..., None]], axis=-1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
