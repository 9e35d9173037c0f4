"""Photos with labels in the formats of others, made by tests: dots on grey, so that labels can be looked up in the picture."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from PIL import Image

from trainer.morphable.default import default_head

WIDTH, HEIGHT = 160, 120
GREY = 128


def face_points(seed: int = 0, center: tuple[float, float] = (80.0, 60.0), side: float = 70.0) -> np.ndarray:
    """`[68, 2]` points laid out like a face, contract's pixels."""
    head = default_head()
    flat = head.landmark_points(head.mean)[:, :2] * [1, -1]
    flat = (flat - flat.mean(axis=0)) / np.ptp(flat, axis=0).max() * side
    return flat + center + np.random.default_rng(seed).uniform(-1, 1, 2)


def dotted(points: dict[int, tuple[int, int]], width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Grey picture with a square of its own colour around each point (x, y): red grows with the index, green is 255 - red."""
    image = np.full((height, width, 3), GREY, np.uint8)
    for index, (x, y) in points.items():
        image[y - 4 : y + 4, x - 4 : x + 4] = dot_color(index)
    return image


def dot_color(index: int) -> tuple[int, int, int]:
    return 3 * index, 255 - 3 * index, 0


def jpeg(image: np.ndarray, orientation: int | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif.tobytes()
    Image.fromarray(image).save(buffer, "JPEG", **{"quality": 95, "subsampling": 0, **options})
    return buffer.getvalue()


def noise(seed: int, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    small = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return jpeg(np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)))


def pts(points: np.ndarray, count: int | None = None) -> bytes:
    """As iBUG writes them: MATLAB's pixels, the centre of the first one is (1, 1)."""
    lines = [f"{x:.6f} {y:.6f}" for x, y in np.asarray(points) + 0.5]
    return "\n".join(
        ["version: 1", f"n_points:  {len(lines) if count is None else count}", "{", *lines, "}", ""]
    ).encode()


def rotation_300w_lp(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """`RotationMatrix.m`, written out."""
    cp, cy, cr = np.cos([pitch, yaw, roll])
    sp, sy, sr = np.sin([pitch, yaw, roll])
    return np.array(
        [
            [cy * cr, cy * sr, -sy],
            [sp * sy * cr - cp * sr, sp * sy * sr + cp * cr, sp * cy],
            [cp * sy * cr + sp * sr, cp * sy * sr - sp * cr, cp * cy],
        ]
    )


def aflw2000(
    vertices: np.ndarray,
    angles: tuple[float, float, float],
    scale: float,
    shift: tuple[float, float, float],
    height: int,
) -> dict[str, np.ndarray]:
    """Variables of a `.mat`, by the formulas of 300W-LP's MATLAB code.

    Args:
        vertices: `[68, 3]` micrometres, Basel's axes.
        angles: Pitch, yaw, roll, radians.
        scale: Pixels per micrometre.
        shift: Of the projection, pixels, y up.
        height: Of the photo.
    """
    projected = scale * rotation_300w_lp(*angles) @ vertices.T + np.array(shift)[:, None]
    projected[1] = height + 1 - projected[1]
    return {
        "pt3d_68": projected.astype(np.float32),
        "Pose_Para": np.array([[*angles, *shift, scale]], np.float32),
        "pt2d": np.full((2, 21), -1.0),
        "roi": np.array([[1, 1, 450, 450]], np.int16),
    }


def save_mat(path: Path, variables: dict[str, Any], **options: Any) -> None:
    scipy.io.savemat(path, variables, **options)
