"""Distance maps of a face's edges (Piao et al. 2019, section 3.3): how far every pixel lies from the landmarks' polylines.

The paper rasterises the edges and takes a distance transform. Here the distance to the segments themselves is computed: no edge
is rounded to pixels, and gradients reach the landmarks.
"""

import itertools
from typing import Any, Final, NamedTuple

import numpy as np

from trainer import contract
from trainer.imaging.arrays import namespace


class FacePart(NamedTuple):
    """One of the paper's parts."""

    name: str
    groups: tuple[str, ...]
    """Names of `contract.LANDMARK_GROUPS`; each is a polyline, closed where it is one of `contract.CLOSED_GROUPS`."""


FACE_PARTS: Final = (
    FacePart("cheek", ("jaw",)),
    FacePart("left_eye", ("left_eye",)),
    FacePart("right_eye", ("right_eye",)),
    FacePart("nose", ("nose_bridge", "nose_base")),
    FacePart("mouth", ("outer_lips", "inner_lips")),
)
"""The five parts, in the order of the maps; left and right are the person's, as in the contract."""

_SHORTEST = 1e-6


def part_segments(part: FacePart) -> np.ndarray:
    """`[E, 2]` indices of the landmarks that each edge of a part joins."""
    edges = []
    for name in part.groups:
        indices = contract.LANDMARK_GROUPS[name]
        edges += list(itertools.pairwise(indices))
        if name in contract.CLOSED_GROUPS:
            edges.append((indices[-1], indices[0]))
    return np.array(edges)


def distance_maps(points: Any, height: int, width: int, parts: tuple[FacePart, ...] = FACE_PARTS) -> Any:
    """Distance of every pixel's centre from the nearest edge of each part.

    Args:
        points: `[..., 68, 2]` landmarks, image frame, pixels; array or tensor of floats; at most one leading
            dimension of a tensor may be unknown.
        height: Of the image, pixels.
        width: Of the image, pixels.
        parts: Which maps.

    Returns:
        `[..., 5, height, width]` pixels, 0 on an edge; of the points' kind and type. Differentiable in the points, with gradient
        0 where a pixel's centre lies on an edge.

    Raises:
        ValueError: If the points are not `[..., 68, 2]`.
    """
    xp = namespace(points)
    if tuple(points.shape[-2:]) != (contract.LANDMARK_COUNT, 2):
        raise ValueError(f"`points` must be [..., {contract.LANDMARK_COUNT}, 2]. Received: {tuple(points.shape)}")
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    grid = np.stack([x, y], axis=-1).reshape(-1, 2)
    flat = edge_distances(points, grid.astype(points.dtype if xp is np else points.dtype.name), parts)
    leading = tuple(-1 if size is None else size for size in points.shape[:-2])
    return xp.reshape(flat, (*leading, len(parts), height, width))


def edge_distances(points: Any, places: Any, parts: tuple[FacePart, ...] = FACE_PARTS) -> Any:
    """Distance of places from the nearest edge of each part.

    Args:
        points: `[..., 68, 2]` landmarks, pixels.
        places: `[P, 2]`, or `[..., P, 2]` with the points' leading dimensions, pixels.
        parts: Which distances.

    Returns:
        `[..., 5, P]` pixels.
    """
    xp = namespace(points, places)
    distances = []
    for part in parts:
        nearest: Any = None
        # An edge at a time: all at once would hold 55 numbers a pixel.
        for first, second in part_segments(part).tolist():
            start = points[..., first, :][..., None, :]
            along = points[..., second, :][..., None, :] - start
            offset = places - start
            square_length = xp.maximum(xp.sum(along * along, axis=-1), _SHORTEST)
            share = xp.clip(xp.sum(offset * along, axis=-1) / square_length, 0.0, 1.0)
            beside = offset - share[..., None] * along
            square = xp.sum(beside * beside, axis=-1)
            nearest = square if nearest is None else xp.minimum(nearest, square)
        on_edge = nearest <= 0
        # Twice `where`: the root's infinite slope at 0 must not meet the gradient.
        root = xp.sqrt(xp.where(on_edge, xp.ones_like(nearest), nearest))
        distances.append(xp.where(on_edge, xp.zeros_like(nearest), root))
    return xp.stack(distances, axis=-2)
