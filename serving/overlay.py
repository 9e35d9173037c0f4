"""Faces drawn over their photo: the mesh, shaded and see-through, and the 68 points, coloured by group.

Pillow and NumPy only. The picture shows the whole photo on the left, and the face, or each face, enlarged on the right.
"""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from serving.face_model import Face
from trainer import contract

PHOTO_SIDE = 1280
"""Longer side above which the photo's panel is reduced, pixels."""

FACE_SIDE = (512, 768)
"""Least and largest side of the enlarged face's panel, which otherwise is as high as the photo's, pixels."""

FACE_MARGIN = 0.45
"""Margin of the enlarged face around its box, fraction of the box's longer side, on each side."""

MOST_ENLARGED = 12
"""Faces of one photo that are enlarged, at most: the first ones."""

TILE_SIDE = 160
"""Least side of an enlarged face where there are several, pixels."""

GROUP_COLORS: dict[str, tuple[int, int, int]] = {
    "jaw": (255, 255, 255),
    "right_brow": (255, 170, 0),
    "left_brow": (255, 225, 0),
    "nose_bridge": (70, 235, 70),
    "nose_base": (0, 200, 140),
    "right_eye": (0, 190, 255),
    "left_eye": (80, 110, 255),
    "outer_lips": (255, 60, 60),
    "inner_lips": (255, 110, 220),
}
"""sRGB; left and right differ, so that a swap shows."""

MESH_COLOR = np.array([0.62, 0.80, 0.95], np.float32)
MESH_OPACITY = 0.5
EDGE_SHADE = 0.62
"""Brightness of the triangles' edges, as a fraction of the triangle's."""
EDGE_LENGTH = 1.5
"""Median edge below which edges are not drawn, pixels."""

BOX_COLOR = (255, 210, 0)
BACKGROUND = (24, 24, 24)

_LIGHT = np.array([0.35, -0.5, -0.79], np.float32)
"""Towards the light, image frame: from the upper right, behind the camera."""

_SUPERSAMPLING = 2


def draw_overlay(image: np.ndarray, face: Face) -> np.ndarray:
    """The photo with its face, and the face enlarged beside it.

    Args:
        image: `[H, W, 3]` uint8 photo.
        face: What the model found, in its pixels.

    Returns:
        `[H', W', 3]` uint8. The photo's panel begins at the top-left corner, at `photo_scale(image)`.
    """
    height, width = image.shape[:2]
    scale = photo_scale(image)
    left = draw_panel(image, face, (0.0, 0.0, width, height), scale)
    return _beside(left, [_enlarged(image, face, int(np.clip(left.shape[0], *FACE_SIDE)))], 1)


def draw_faces(image: np.ndarray, faces: Sequence[Face]) -> np.ndarray:
    """The photo with all its faces, numbered where there are several, and the first of them enlarged beside it.

    Args:
        image: `[H, W, 3]` uint8 photo.
        faces: What was found, in its pixels; at least one.

    Returns:
        `[H', W', 3]` uint8. The photo's panel begins at the top-left corner, at `photo_scale(image)`.
    """
    scale = photo_scale(image)
    photo = np.asarray(
        Image.fromarray(image).resize(
            (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))), Image.Resampling.LANCZOS
        )
    )
    left = Image.fromarray(photo)
    several = len(faces) > 1
    for number, face in enumerate(faces, start=1):
        _draw_points(left, face.landmarks[:, :2] * scale, face.box.reshape(2, 2) * scale)
        if several:
            _draw_number(left, number, tuple(face.box[:2] * scale))
    shown = faces[:MOST_ENLARGED]
    rows = math.ceil(math.sqrt(len(shown) / 2)) if several else 1
    whole = int(np.clip(photo.shape[0], *FACE_SIDE))
    side = max(whole // rows, TILE_SIDE) if several else whole
    tiles = []
    for number, face in enumerate(shown, start=1):
        tile = Image.fromarray(_enlarged(image, face, side))
        if several:
            _draw_number(tile, number, (4.0, 20.0))
        tiles.append(np.asarray(tile))
    return _beside(np.asarray(left), tiles, rows)


def _enlarged(image: np.ndarray, face: Face, side: int) -> np.ndarray:
    """`[side, side, 3]` the face with its margin."""
    box_width, box_height = face.box[2] - face.box[0], face.box[3] - face.box[1]
    reach = max(float(max(box_width, box_height)), 1.0) * (0.5 + FACE_MARGIN)
    x, y = float(face.box[0] + face.box[2]) / 2, float(face.box[1] + face.box[3]) / 2
    return draw_panel(image, face, (x - reach, y - reach, x + reach, y + reach), side / (2 * reach))[:side, :side]


def _beside(left: np.ndarray, tiles: Sequence[np.ndarray], rows: int) -> np.ndarray:
    """Square tiles of one size in rows, right of a panel."""
    side, columns = tiles[0].shape[0], math.ceil(len(tiles) / rows)
    canvas = np.full((max(left.shape[0], rows * side), left.shape[1] + columns * side, 3), BACKGROUND, np.uint8)
    canvas[: left.shape[0], : left.shape[1]] = left
    for index, tile in enumerate(tiles):
        x, y = left.shape[1] + index % columns * side, index // columns * side
        canvas[y : y + side, x : x + side] = tile
    return canvas


def photo_scale(image: np.ndarray) -> float:
    """Overlay pixels per photo pixel in the photo's panel, at most 1."""
    return min(1.0, PHOTO_SIDE / max(image.shape[:2]))


def draw_panel(
    image: np.ndarray, face: Face, region: tuple[float, float, float, float], scale: float, points: bool = True
) -> np.ndarray:
    """A region of the photo with mesh, box and points.

    Args:
        image: `[H, W, 3]` uint8.
        face: The face.
        region: x0, y0, x1, y1 pixels; may reach outside the photo, where it is dark.
        scale: Panel pixels per photo pixel.
        points: Whether to draw the landmarks.
    """
    x0, y0, x1, y1 = region
    size = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    if scale == 1.0 and region == (0.0, 0.0, image.shape[1], image.shape[0]):
        panel = Image.fromarray(image)
    else:
        panel = Image.fromarray(image).transform(
            size, Image.Transform.EXTENT, region, Image.Resampling.BICUBIC, fillcolor=BACKGROUND
        )
    shift = np.array([x0, y0], np.float32)
    if face.vertices is not None and face.triangles is not None:
        placed = np.concatenate([(face.vertices[:, :2] - shift) * scale, face.vertices[:, 2:] * scale], axis=1)
        panel = _blend_mesh(panel, placed, face.triangles)
    if points:
        corners = (face.box.reshape(2, 2) - shift) * scale
        _draw_points(panel, (face.landmarks[:, :2] - shift) * scale, corners)
    return np.asarray(panel)


def _blend_mesh(panel: Image.Image, vertices: np.ndarray, triangles: np.ndarray) -> Image.Image:
    """The triangles that face the viewer, far to near, opaque on a layer of their own that is then blended in."""
    corners = vertices[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    low, high = corners[..., :2].min(axis=1), corners[..., :2].max(axis=1)
    seen = (normals[:, 2] < 0) & (high > 0).all(axis=1) & (low < np.array(panel.size)).all(axis=1)
    order = np.flatnonzero(seen)
    if not order.size:
        return panel
    order = order[np.argsort(-corners[order, :, 2].mean(axis=1), kind="stable")]
    brightness = 0.15 + 0.85 * np.clip(normals[order] @ _LIGHT / np.maximum(lengths[order], 1e-12), 0.0, 1.0)
    shades = np.rint(255 * brightness[:, None] * MESH_COLOR).astype(int)
    # Only the part of the panel that the mesh covers, enlarged so that edges come out smooth.
    start = np.maximum(np.floor(low[order].min(axis=0)).astype(int), 0)
    stop = np.minimum(np.ceil(high[order].max(axis=0)).astype(int), panel.size)
    size = max(int(stop[0] - start[0]), 1), max(int(stop[1] - start[1]), 1)
    layer = Image.new("RGBA", (size[0] * _SUPERSAMPLING, size[1] * _SUPERSAMPLING))
    draw = ImageDraw.Draw(layer)
    outlines = ((corners[order, :, :2] - start) * _SUPERSAMPLING).reshape(len(order), 6)
    # Edges, where triangles are large enough to tell them apart.
    edge_length = float(np.median(np.linalg.norm(corners[order, 1, :2] - corners[order, 0, :2], axis=1)))
    edge_shade = EDGE_SHADE if edge_length >= EDGE_LENGTH else 1.0
    edges = np.rint(shades * edge_shade).astype(int)
    for outline, fill, edge in zip(outlines.tolist(), shades.tolist(), edges.tolist(), strict=True):
        draw.polygon(outline, fill=(*fill, 255), outline=(*edge, 255))
    layer = layer.resize(size, Image.Resampling.BOX)
    layer.putalpha(layer.getchannel("A").point(lambda alpha: round(alpha * MESH_OPACITY)))
    blended = panel.convert("RGBA")
    blended.alpha_composite(layer, (int(start[0]), int(start[1])))
    return blended.convert("RGB")


def _draw_number(panel: Image.Image, number: int, corner: tuple[float, ...]) -> None:
    """A face's number above a corner, on a patch of the box's colour."""
    draw = ImageDraw.Draw(panel)
    x, y = max(float(corner[0]), 0.0), max(float(corner[1]) - 16, 0.0)
    draw.rectangle([x, y, x + 8 * len(str(number)) + 6, y + 14], fill=BOX_COLOR)
    draw.text((x + 4, y + 1), str(number), fill=(0, 0, 0))


def _draw_points(panel: Image.Image, points: np.ndarray, corners: np.ndarray) -> None:
    """Box, then the points with thin lines along each group; dots grow with the face."""
    draw = ImageDraw.Draw(panel)
    extent = float(np.ptp(corners, axis=0).max())
    draw.rectangle([*corners[0].tolist(), *corners[1].tolist()], outline=BOX_COLOR)
    radius = float(np.clip(extent / 110, 1.0, 5.0))
    for name, indices in contract.LANDMARK_GROUPS.items():
        path = [tuple(point) for point in points[list(indices)].tolist()]
        if name in contract.CLOSED_GROUPS:
            path.append(path[0])
        color = GROUP_COLORS[name]
        draw.line(path, fill=color, width=1)
        for x, y in path:
            draw.ellipse(
                [x - radius, y - radius, x + radius, y + radius], fill=color, outline=(0, 0, 0) if radius > 2 else color
            )
