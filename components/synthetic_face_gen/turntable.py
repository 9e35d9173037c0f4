"""One person of a data set who turns from one profile to the other: does everything turn as one, and do the labels stick?"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.example import features
from components.synthetic_face_gen.generate import tile
from trainer.morphable.model import MorphableModel

WIDEST_YAW = 90.0
"""Degrees."""


def render_turntable(
    config: SyntheticFaceConfig, model: MorphableModel, count: int, landmarks: bool = False
) -> Iterator[np.ndarray]:
    """Renders views of the first person at one moment.

    Args:
        config: The data set; its poses, sizes, turns of the shoulders, borders and grey do not apply.
        model: The face model.
        count: Number of views, from a yaw of -90° to 90°; one is frontal.
        landmarks: Whether to draw landmarks, boxes and poses; doubles the size.

    Yields:
        `[H, W, 3]` uint8 sRGB.

    Raises:
        ValueError: If the count is not positive.
    """
    if count < 1:
        raise ValueError(f"`count` must be at least 1. Received: {count}")
    middle = sum(config.camera.face_size) / 2
    for yaw in np.linspace(-WIDEST_YAW, WIDEST_YAW, count) if count > 1 else [0.0]:
        yield tile(features(_view(config, float(yaw), middle), model, 0), landmarks)


def _view(config: SyntheticFaceConfig, yaw: float, face_size: float) -> SyntheticFaceConfig:
    """The data set with one pose. Everything else is drawn as before: each ingredient has its own chance."""
    pose = dataclasses.replace(config.pose, yaw=(yaw, yaw), pitch=(0, 0), roll=(0, 0), step=0.0, shoulder_turn=(0, 0))
    camera = dataclasses.replace(config.camera, face_size=(face_size, face_size), face_offset=0.0)
    surroundings = dataclasses.replace(config.surroundings, border_fraction=0.0)
    chain = dataclasses.replace(config.image_chain, grey_fraction=0.0)
    return dataclasses.replace(
        config, pose=pose, camera=camera, surroundings=surroundings, image_chain=chain, paired_set=None
    )
