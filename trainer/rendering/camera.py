"""Cameras: from the model frame, millimetres, to the image frame, pixels. Conventions are those of `trainer.contract`.

Every function but `fit_scaled_orthographic` takes NumPy arrays or tensors and returns the same, with its dtype; leading
dimensions `...` are batches and broadcast.
"""

import math
from typing import Any

import numpy as np

from trainer import contract
from trainer.imaging.arrays import namespace

_GIMBAL_COSINE = 1e-5
"""Below this cosine of the yaw, roll and pitch turn about one axis, and roll is taken as 0."""


def rotation_from_euler(euler: Any) -> Any:
    """Rotation matrices `R_z(roll) R_y(yaw) R_x(pitch)`.

    Args:
        euler: `[..., 3]` yaw, pitch, roll, degrees.

    Returns:
        `[..., 3, 3]`, on column vectors of the model frame.
    """
    xp = namespace(euler)
    if xp is np and euler.shape == (3,) and euler.dtype.kind == "f":
        return _rotation_of(*euler.tolist()).astype(euler.dtype)
    radians = euler * (math.pi / 180)
    cosine, sine = xp.cos(radians), xp.sin(radians)
    cy, cp, cr = cosine[..., 0], cosine[..., 1], cosine[..., 2]
    sy, sp, sr = sine[..., 0], sine[..., 1], sine[..., 2]
    rows = (
        xp.stack([cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp], axis=-1),
        xp.stack([sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp], axis=-1),
        xp.stack([-sy, cy * sp, cy * cp], axis=-1),
    )
    return xp.stack(rows, axis=-2)


def _rotation_of(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """`[3, 3]` float64 one rotation, without the cost of arrays for single numbers."""
    cy, cp, cr = (math.cos(math.radians(angle)) for angle in (yaw, pitch, roll))
    sy, sp, sr = (math.sin(math.radians(angle)) for angle in (yaw, pitch, roll))
    return np.array(
        [
            [cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp],
            [sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp],
            [-sy, cy * sp, cy * cp],
        ]
    )


def euler_from_rotation(rotation: Any) -> Any:
    """Angles of rotation matrices, the inverse of `rotation_from_euler` for yaws within ±90°.

    Args:
        rotation: `[..., 3, 3]`.

    Returns:
        `[..., 3]` yaw in [-90, 90], pitch and roll in [-180, 180], degrees. At a yaw of ±90° roll is 0.
    """
    xp = namespace(rotation)
    cosine_yaw = xp.sqrt(xp.square(rotation[..., 0, 0]) + xp.square(rotation[..., 1, 0]))
    locked = cosine_yaw < _GIMBAL_COSINE
    yaw = xp.arctan2(-rotation[..., 2, 0], cosine_yaw)
    pitch = xp.where(
        locked,
        xp.arctan2(-rotation[..., 1, 2], rotation[..., 1, 1]),
        xp.arctan2(rotation[..., 2, 1], rotation[..., 2, 2]),
    )
    roll = xp.arctan2(rotation[..., 1, 0], rotation[..., 0, 0])
    roll = xp.where(locked, xp.zeros_like(roll), roll)
    return xp.stack([yaw, pitch, roll], axis=-1) * (180 / math.pi)


def scaled_orthographic_matrix(euler: Any, scale: Any, translation: Any) -> Any:
    """Camera `[f R | t]`.

    Args:
        euler: `[..., 3]` yaw, pitch, roll, degrees.
        scale: `[...]` f, pixels per millimetre.
        translation: `[..., 3]` the model frame's origin in the image frame, pixels.

    Returns:
        `[..., 3, 4]`.
    """
    xp = namespace(euler, scale, translation)
    scale = scale[..., None, None] if hasattr(scale, "shape") else scale
    return xp.concatenate([rotation_from_euler(euler) * scale, translation[..., None]], axis=-1)


def perspective_matrix(euler: Any, translation_mm: Any) -> Any:
    """Camera `[R | t]`.

    Args:
        euler: `[..., 3]` yaw, pitch, roll, degrees.
        translation_mm: `[..., 3]` the model frame's origin in the camera's frame (x right, y down, z away), millimetres.

    Returns:
        `[..., 3, 4]`.
    """
    xp = namespace(euler, translation_mm)
    return xp.concatenate([rotation_from_euler(euler), translation_mm[..., None]], axis=-1)


def camera_points(points: Any, matrix: Any) -> Any:
    """Points in the camera-aligned model frame: x to the image's right, y up, z towards the viewer.

    Args:
        points: `[..., N, 3]` model frame, millimetres.
        matrix: `[..., 3, 4]` camera of either kind.

    Returns:
        `[..., N, 3]`: millimetres from the camera's centre (perspective), or pixels (scaled orthographic).
    """
    xp = namespace(points, matrix)
    rotated = xp.matmul(points, xp.swapaxes(matrix[..., :3], -1, -2))
    shift = matrix[..., 3]
    return rotated + xp.stack([shift[..., 0], -shift[..., 1], -shift[..., 2]], axis=-1)[..., None, :]


def focal_length(field_of_view: Any, height: int) -> Any:
    """Focal length of a perspective camera, pixels.

    Args:
        field_of_view: `[...]` vertical, degrees, in (0, 180).
        height: Of the image, pixels.
    """
    xp = namespace(field_of_view)
    return (height / 2) / xp.tan(field_of_view * (math.pi / 360))


def project(
    points: Any,
    matrix: Any,
    kind: str,
    field_of_view: Any = None,
    height: int | None = None,
    width: int | None = None,
) -> Any:
    """Points of the model in the image frame.

    Args:
        points: `[..., N, 3]` model frame, millimetres.
        matrix: `[..., 3, 4]` camera.
        kind: `contract.SCALED_ORTHOGRAPHIC` or `contract.PERSPECTIVE`.
        field_of_view: `[...]` vertical, degrees; perspective only.
        height: Of the image, pixels; perspective only.
        width: Of the image, pixels; perspective only.

    Returns:
        `[..., N, 3]` x and y, pixels, and z in the same scale, 0 at the model frame's origin, growing away from the camera. All
        three are NaN for a point at or behind a perspective camera.

    Raises:
        ValueError: If the kind is unknown, or a perspective camera comes without field of view, height or width.
    """
    xp = namespace(points, matrix)
    aligned = camera_points(points, matrix)
    x, y, z = aligned[..., 0], -aligned[..., 1], -aligned[..., 2]
    if kind == contract.SCALED_ORTHOGRAPHIC:
        return xp.stack([x, y, z], axis=-1)
    if kind != contract.PERSPECTIVE:
        raise ValueError(
            f"`kind` must be {contract.SCALED_ORTHOGRAPHIC!r} or {contract.PERSPECTIVE!r}. Received: {kind!r}"
        )
    if field_of_view is None or height is None or width is None:
        raise ValueError(
            "A perspective camera needs `field_of_view`, `height` and `width`. "
            f"Received: field_of_view={field_of_view}, height={height}, width={width}"
        )
    focal = focal_length(field_of_view, height)
    focal = focal[..., None] if getattr(focal, "shape", ()) else focal
    distance = matrix[..., 2, 3][..., None]
    nowhere = xp.full_like(z, math.nan)
    z = xp.where(z > 0, z, nowhere)
    depth = (z - distance) * focal / distance
    return xp.stack([width / 2 + focal * x / z, height / 2 + focal * y / z, depth], axis=-1)


def decompose(matrix: Any) -> tuple[Any, Any, Any]:
    """Scale, angles and translation of the scaled rotation nearest, in least squares, to an affine camera.

    Not meant for gradients: the singular values of a true camera are equal, where those of the decomposition are undefined.

    Args:
        matrix: `[..., 3, 4]` scaled orthographic camera, `[f R | t]` up to error.

    Returns:
        `[...]` scale, `[..., 3]` yaw, pitch, roll in degrees, `[..., 3]` translation.
    """
    xp = namespace(matrix)
    svd = np.linalg.svd if xp is np else xp.svd
    u, singular, vt = svd(matrix[..., :3], full_matrices=True)
    sign = xp.sign(xp.linalg.det(u) * xp.linalg.det(vt)) if xp is np else xp.sign(xp.det(u) * xp.det(vt))
    signs = xp.stack([xp.ones_like(sign), xp.ones_like(sign), sign], axis=-1)
    rotation = xp.matmul(u * signs[..., None, :], vt)
    return xp.mean(singular * signs, axis=-1), euler_from_rotation(rotation), matrix[..., 3]


def crop_matrix(matrix: Any, transform: Any) -> Any:
    """The camera that sees a crop of what a scaled orthographic camera sees.

    Args:
        matrix: `[..., 3, 4]` scaled orthographic camera of the image.
        transform: `[..., 3]` scale, shift x, shift y of the crop, or `[..., 4]` with an angle (see `trainer.imaging.alignment`).

    Returns:
        `[..., 3, 4]` camera in the crop's pixels.
    """
    xp = namespace(matrix, transform)
    shift = xp.concatenate([transform[..., 1:3], xp.zeros_like(transform[..., :1])], axis=-1)[..., None]
    scaled = matrix * transform[..., 0][..., None, None]
    if transform.shape[-1] == 4:
        cosine, sine = xp.cos(transform[..., 3])[..., None], xp.sin(transform[..., 3])[..., None]
        x, y, z = scaled[..., 0, :], scaled[..., 1, :], scaled[..., 2, :]
        # The rotation's rows are the model's axes, y up; the shift is the image's, y down.
        sines = xp.concatenate([sine, sine, sine, -sine], axis=-1)
        scaled = xp.stack([cosine * x - sines * y, cosine * y + sines * x, z], axis=-2)
    return xp.concatenate([scaled[..., :3], scaled[..., 3:] + shift], axis=-1)


def fit_scaled_orthographic(points3d: np.ndarray, points2d: np.ndarray) -> np.ndarray:
    """The scaled orthographic camera that brings model points nearest, in least squares, to image points.

    An affine fit, made a scaled rotation, starts Gauss-Newton steps on scale, rotation and shift.

    Args:
        points3d: `[N, 3]` model frame, millimetres; at least 4, not all in one plane unless depths are given.
        points2d: `[N, 2]` image frame, pixels, or `[N, 3]` with depths in the same scale.

    Returns:
        `[3, 4]` float64. Without depths, t_z is 0.

    Raises:
        ValueError: If shapes do not agree, fewer than 4 points come, or they do not determine a camera.
    """
    model, image = np.asarray(points3d, np.float64), np.asarray(points2d, np.float64)
    if model.ndim != 2 or model.shape[1] != 3 or image.shape not in ((len(model), 2), (len(model), 3)):
        raise ValueError(
            f"`points3d` must be [N, 3] and `points2d` [N, 2 or 3]. Received: {model.shape} and {image.shape}"
        )
    if len(model) < 4 or not (np.isfinite(model).all() and np.isfinite(image).all()):
        raise ValueError(f"`points3d` and `points2d` must be at least 4 finite points. Received: {len(model)} points")
    axes = image.shape[1]
    flip = np.array([1.0, -1.0, -1.0])
    center3, center2 = model.mean(0), image.mean(0)
    centered, target = model - center3, (image - center2) * flip[:axes]
    linear, _, rank, _ = np.linalg.lstsq(centered, target, rcond=1e-9)
    if rank < (3 if axes == 2 else 2):
        raise ValueError(f"`points3d` must not lie in one {'plane' if axes == 2 else 'line'}. Received: rank {rank}")
    affine = linear.T if axes == 3 else np.vstack([linear.T, np.cross(*linear.T) / max(np.linalg.norm(linear), 1e-12)])
    u, singular, vt = np.linalg.svd(affine)
    rotation = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    scale = float(singular[:2].mean())
    for _ in range(50):
        turned = centered @ rotation.T
        # A small turn w moves a point by w × point; columns: scale, then w.
        columns = [turned, *(scale * np.cross(axis, turned) for axis in np.eye(3))]
        jacobian = np.stack([column[:, :axes].reshape(-1) for column in columns], axis=-1)
        step = np.linalg.lstsq(jacobian, (target - scale * turned[:, :axes]).reshape(-1), rcond=None)[0]
        scale += float(step[0])
        rotation = _rotation_from_vector(step[1:]) @ rotation
        if np.abs(step).max() < 1e-12:
            break
    shift = np.zeros(3)
    shift[:axes] = center2 - flip[:axes] * (scale * rotation @ center3)[:axes]
    return np.concatenate([scale * rotation, shift[:, None]], axis=1)


def _rotation_from_vector(vector: np.ndarray) -> np.ndarray:
    """Rodrigues: the turn by `|vector|` radians about `[3]` vector."""
    angle = float(np.linalg.norm(vector))
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * (cross @ cross)
