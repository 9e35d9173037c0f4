"""A contact sheet of a face model: its mean with the landmarks, its modes, expressions and random people."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from trainer import contract
from trainer.morphable.model import MorphableModel
from trainer.morphable.skin import Skin, sample_skin, skin_colors
from trainer.rendering import lighting
from trainer.rendering.camera import perspective_matrix, project, rotation_from_euler
from trainer.rendering.color import linear_to_srgb
from trainer.rendering.forward import ForwardImage, render_image
from trainer.rendering.landmark_visibility import landmark_visibility
from trainer.rendering.scene import Camera, Light

COLUMNS: Final = 8
"""Pictures in a row."""

MODES: Final = 8
"""Identity modes shown, two pictures each."""

EXPRESSIONS: Final = 16
"""Expressions shown at most."""

BACKGROUND: Final = (0.20, 0.22, 0.25)
"""Linear RGB."""

DISTANCE: Final = 1200.0
"""Of the camera, millimetres."""

NECK: Final = -115.0
"""Height below which the mean does not count for the frame of a picture, millimetres: the chest may be cut."""

MARGIN: Final = 1.18
"""A picture is so many times as high as the mean head and neck: people differ."""

PEOPLE_SPREAD: Final = 0.8
"""Random people are drawn with this standard deviation and at most `LARGEST` of them."""

LARGEST: Final = 2.0
TOLERANCE: Final = 4.0
"""Depth within which a landmark counts as visible, millimetres."""

_GROUP_COLORS: Final = {
    "jaw": (255, 220, 60),
    "right_brow": (255, 140, 60),
    "left_brow": (255, 140, 60),
    "nose_bridge": (90, 230, 255),
    "nose_base": (90, 230, 255),
    "right_eye": (110, 255, 110),
    "left_eye": (110, 255, 110),
    "outer_lips": (255, 110, 200),
    "inner_lips": (200, 140, 255),
}
_HIDDEN: Final = (130, 130, 130)


@dataclasses.dataclass(frozen=True)
class Portrait:
    """One picture of the sheet."""

    caption: str
    vertices: np.ndarray
    """`[V, 3]` millimetres, model frame."""
    colors: np.ndarray
    """`[V, 3]` linear RGB."""
    yaw: float = 0.0
    """Degrees."""
    landmark_set: str | None = None
    """Set that is drawn."""


def model_sheet(model: MorphableModel, people: int = 16, seed: int = 0, size: int = 224) -> np.ndarray:
    """Draws the sheet.

    Args:
        model: Any face model. One without albedo modes, or with eyes of its own, is painted (`trainer.morphable.skin`).
        people: Random people, 0 or more.
        seed: Of the random people.
        size: Side of a picture, pixels.

    Returns:
        `[H, W, 3]` uint8 sRGB.

    Raises:
        ValueError: If `people` is negative or `size` below 32.
    """
    if people < 0 or size < 32:
        raise ValueError(f"`people` must be 0 or more and `size` 32 or more. Received: {people} and {size}")
    rows = [
        list(_means(model)),
        *_rows(list(_modes(model))),
        *_rows(list(_expressions(model))),
        *_rows(list(_people(model, people, seed))),
    ]
    blank = np.zeros((size, size, 3), np.uint8)
    pictures = [[portrait_picture(model, portrait, size) for portrait in row] for row in rows]
    return np.concatenate([np.concatenate(row + [blank] * (COLUMNS - len(row)), axis=1) for row in pictures])


def portrait_picture(model: MorphableModel, portrait: Portrait, size: int) -> np.ndarray:
    """Renders one portrait, `[size, size, 3]` uint8 sRGB, with its landmarks and caption."""
    center, height = _frame(model)
    camera = _camera(portrait.yaw, center, height)
    backdrop = np.broadcast_to(np.array(BACKGROUND, np.float32), (size, size, 3))
    image = render_image(
        portrait.vertices, portrait.colors, model.triangles, camera, _light(), (size, size), 3, backdrop
    )
    picture = Image.fromarray((linear_to_srgb(image.color) * 255 + 0.5).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    if portrait.landmark_set is not None:
        points = model.landmark_points(portrait.vertices, portrait.landmark_set)
        _draw_landmarks(draw, points, camera, image, size, height)
    draw.text((4, size - 16), portrait.caption, fill=(255, 255, 255), font=ImageFont.load_default(11))
    return np.asarray(picture)


def _rows(portraits: list[Portrait]) -> Iterator[list[Portrait]]:
    for start in range(0, len(portraits), COLUMNS):
        yield portraits[start : start + COLUMNS]


def _means(model: MorphableModel) -> Iterator[Portrait]:
    colors = _portrait(model, "", model.mean).colors
    for name, yaw in (("mean", 0.0), ("three quarters", -40.0), ("profile", -85.0)):
        yield Portrait(name, model.mean, colors, yaw)
    for name in model.landmarks:
        for yaw in (0.0, -40.0) if len(model.landmarks) > 1 else (0.0, -40.0, -85.0):
            yield Portrait(f"{name} landmarks", model.mean, colors, yaw, name)
    if "basel" in model.landmarks and len(model.landmarks) > 1:
        yield Portrait("basel landmarks", model.mean, colors, -85.0, "basel")


def _modes(model: MorphableModel) -> Iterator[Portrait]:
    """The first row at −2 standard deviations, the second at +2."""
    for amount in (-2.0, 2.0):
        for mode in range(min(MODES, len(model.identity))):
            coefficients = np.zeros(mode + 1)
            coefficients[mode] = amount
            yield _portrait(model, f"identity {mode} {amount:+.0f} sd", model.vertices(coefficients))


def _expressions(model: MorphableModel) -> Iterator[Portrait]:
    """Evenly over the list, at the upper end of their range."""
    count = len(model.expression)
    for mode in np.unique(np.linspace(0, count - 1, min(EXPRESSIONS, count)).round().astype(int)):
        weights = np.zeros(count)
        weights[mode] = model.expression_range[mode, 1]
        caption = f"{model.expression_names[mode]} {weights[mode]:g}"
        yield _portrait(model, caption, model.vertices(expression=weights))


def _people(model: MorphableModel, count: int, seed: int) -> Iterator[Portrait]:
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        shape = np.clip(PEOPLE_SPREAD * rng.standard_normal(len(model.identity)), -LARGEST, LARGEST)
        low, high = model.expression_range.T
        weights = np.clip(0.5 * model.expression_sd * rng.standard_normal(len(low)), np.minimum(low, 0), high)
        vertices = model.vertices(shape, weights)
        if not _painted(model):
            albedo = np.clip(rng.standard_normal(len(model.albedo)), -LARGEST, LARGEST)
            colors = model.albedo_colors(albedo)
        else:
            colors = skin_colors(model, sample_skin(rng), vertices=vertices, brows=True)
        yield Portrait(f"person {number}", vertices, colors, float(rng.uniform(-35, 35)))


def _portrait(model: MorphableModel, caption: str, vertices: np.ndarray) -> Portrait:
    """A face from the front in the model's mean colours, or painted: then eyes and mouth are shaded as they are open."""
    if not _painted(model):
        return Portrait(caption, vertices, model.albedo_colors())
    return Portrait(caption, vertices, skin_colors(model, Skin(), vertices=vertices, brows=True))


def _painted(model: MorphableModel) -> bool:
    """Whether a skin is painted: where a model has no colours, and where it has eyes and teeth, which open and shut."""
    return not len(model.albedo) or bool(np.any(model.regions.get("eyeballs", 0.0)))


def _frame(model: MorphableModel) -> tuple[np.ndarray, float]:
    """`[3]` middle of the mean head and the height that a picture shows there, millimetres."""
    head = model.mean[model.mean[:, 1] > NECK] if (model.mean[:, 1] > NECK).any() else model.mean
    low, high = head.min(axis=0), head.max(axis=0)
    return (low + high) / 2 * np.array([0.0, 1.0, 1.0]), MARGIN * float((high - low).max())


def _camera(yaw: float, center: np.ndarray, height: float) -> Camera:
    euler = np.array([yaw, 0.0, 0.0])
    turned = rotation_from_euler(euler) @ center
    matrix = perspective_matrix(euler, np.array([-turned[0], turned[1], DISTANCE + turned[2]]))
    return Camera(contract.PERSPECTIVE, matrix, math.degrees(2 * math.atan(height / 2 / DISTANCE)))


def _light() -> Light:
    direction = np.array([0.45, 0.45, 0.77])
    return Light(
        harmonics=lighting.ambient(np.array([0.42, 0.42, 0.44])),
        direction=direction / np.linalg.norm(direction),
        color=np.array([0.72, 0.70, 0.66]),
        specular=np.full(3, 0.05),
        shininess=np.array(14.0),
    )


def _draw_landmarks(
    draw: ImageDraw.ImageDraw, points: np.ndarray, camera: Camera, image: ForwardImage, size: int, height: float
) -> None:
    """Lines and dots in the groups' colours, grey dots where the head hides them."""
    assert camera.field_of_view is not None
    placed = project(points, camera.matrix, camera.kind, camera.field_of_view, size, size)
    visible = landmark_visibility(placed, image.depth, TOLERANCE * size / height)
    for group, indices in contract.LANDMARK_GROUPS.items():
        line = [(float(placed[index, 0]), float(placed[index, 1])) for index in indices]
        draw.line(line + line[:1] if group in contract.CLOSED_GROUPS else line, fill=_GROUP_COLORS[group])
        for index, (x, y) in zip(indices, line, strict=True):
            color = _GROUP_COLORS[group] if visible[index] else _HIDDEN
            draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=color)
