"""The table from MediaPipe's face mesh to the 68 landmarks as a picture.

It is drawn on scikit-image's photograph of Eileen Collins (NASA, public domain):

    python -m components.landmark_detector.table_picture docs/images/mediapipe_to_ibug68.png
"""

import io
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from PIL import Image

from components.landmark_detector.mediapipe_landmarks import quiet_logs, run_graph
from trainer import contract

SQUARE: Final = (120, 40, 330, 250)
"""The face in the photograph, pixels."""
SIDE: Final = 840
"""To which it is enlarged."""
PALENESS: Final = 0.55
COLORS: Final = 96
"""Of the PNG: a photograph's thousands would make it ten times as large."""

_PANELS: Final = {
    "jaw, brows, nose": ("jaw", "right_brow", "left_brow", "nose_bridge", "nose_base"),
    "eyes": ("right_eye", "left_eye"),
    "lips": ("outer_lips", "inner_lips"),
}


def mesh_points(image: np.ndarray) -> np.ndarray:
    """`[478, 2]` points of the refined face mesh, pixels.

    Args:
        image: `[H, W, 3]` uint8, sRGB, a face that fills much of it.

    Raises:
        ValueError: If the mesh finds no face.
    """
    with quiet_logs():
        from mediapipe.python.solutions import face_mesh

        mesh = face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)
        found = run_graph(mesh, image).multi_face_landmarks
        mesh.close()
    if not found:
        raise ValueError("`image` must show a face. The mesh found none.")
    height, width = image.shape[:2]
    return np.array([(point.x * width, point.y * height) for point in found[0].landmark])


def table_picture() -> bytes:
    """A PNG: the mesh, and beside each chosen point its number among the 68 and, smaller, its number in the mesh."""
    import skimage.data
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    photo = Image.fromarray(skimage.data.astronaut()).crop(SQUARE).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    image = np.asarray(photo)
    points = mesh_points(image)
    edges = points[np.array(sorted(FACEMESH_TESSELATION))]
    figure = Figure(figsize=(15, 9), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1))
    for place, (title, groups) in zip((grid[:, 0], grid[0, 1], grid[1, 1]), _PANELS.items(), strict=True):
        axes = figure.add_subplot(place)
        axes.imshow(PALENESS + (1 - PALENESS) * image / 255, extent=(0, SIDE, SIDE, 0))
        axes.add_collection(LineCollection(edges, colors="#7f8fa6", linewidths=0.5, alpha=0.7))
        _draw_groups(axes, points, groups)
        axes.set_title(f"{title}: number among the 68, and in MediaPipe's mesh (italic)", fontsize=10)
        axes.set_axis_off()
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    stream = io.BytesIO()
    pixels.quantize(COLORS, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _draw_groups(axes: Any, points: np.ndarray, groups: tuple[str, ...]) -> None:
    """Points, outlines and numbers of some groups, and the picture cut to them."""
    chosen = points[list(contract.MEDIAPIPE_TO_IBUG68)]
    every = np.concatenate([chosen[list(contract.LANDMARK_GROUPS[group])] for group in groups])
    for group in groups:
        indices = list(contract.LANDMARK_GROUPS[group])
        line = indices + indices[:1] if group in contract.CLOSED_GROUPS else indices
        axes.plot(*chosen[line].T, color="#c0392b", linewidth=1)
        axes.plot(*chosen[indices].T, "o", color="#c0392b", markersize=4)
        middle = chosen[indices].mean(axis=0) if group in contract.CLOSED_GROUPS else chosen.mean(axis=0)
        for index in indices:
            outward = chosen[index] - middle
            outward = outward / max(float(np.linalg.norm(outward)), 1.0) * (-1 if group == "inner_lips" else 1)
            if group == "nose_bridge":
                outward = np.array([1.0, 0.0])
            _number(axes, index, chosen[index], outward)
    low, high = every.min(axis=0), every.max(axis=0)
    border = 0.09 * (high - low).max()
    axes.set_xlim(low[0] - border, high[0] + border)
    axes.set_ylim(high[1] + border, low[1] - border)


def _number(axes: Any, index: int, point: np.ndarray, outward: np.ndarray) -> None:
    """Both numbers of a landmark beside its point."""
    style = {"xy": point, "textcoords": "offset points", "ha": "center", "va": "center"}
    x, y = 17 * outward[0], -14 * outward[1]
    axes.annotate(f"{index}", xytext=(x, y + 4), fontsize=9, fontweight="bold", color="#1b2631", **style)
    mesh = contract.MEDIAPIPE_TO_IBUG68[index]
    axes.annotate(f"{mesh}", xytext=(x, y - 5), fontsize=7, style="italic", color="#1f4e9e", **style)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m components.landmark_detector.table_picture OUT.png")
    Path(sys.argv[1]).write_bytes(table_picture())
