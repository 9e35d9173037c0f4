"""From samples to pixels: what each pixel sees, and which samples see which surface. Compiled, one thread, one order."""

import numba
import numpy as np

from trainer.rendering.visibility_numba import z_of

_INFINITE = np.int64(0x7F800000)
"""Upper half of the key of z = inf."""


@numba.njit(cache=True, nogil=True, inline="always")
def _image_depth(key, perspective, distance, scale):  # type: ignore[no-untyped-def]
    """The image frame's z of a key of the buffer; inf stays inf."""
    z = z_of(key)
    if perspective and z < np.float32(np.inf):
        z = (-np.float32(1.0) / z - distance) * scale
    return z


@numba.njit(cache=True, nogil=True, error_model="numpy")
def nearest_depth(buffer, samples, perspective, distance, scale, depth):  # type: ignore[no-untyped-def]
    """Z of each pixel's nearest sample.

    Args:
        buffer: `[h samples, padded]` int64, see `visibility_numba.buffer_shape`.
        samples: Samples per pixel along one axis.
        perspective: Whether the buffer's z is -1 / distance from the camera instead of the distance.
        distance: float32 of the model frame's origin from a perspective camera.
        scale: float32 pixels per unit of distance there.
        depth: `[h, w]` float32, receives z of the image frame, inf where there is nothing.
    """
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            least = buffer[row * samples, column * samples]
            for down in range(samples):
                for across in range(samples):
                    least = min(least, buffer[row * samples + down, column * samples + across])
            depth[row, column] = _image_depth(least, perspective, distance, scale)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def resolve(  # type: ignore[no-untyped-def]
    buffer, starts, numbers, samples, perspective, distance, scale, mask, depth, nearest, surfaces, order, counts
):
    """Coverage, what each pixel's nearest sample sees, and the samples sorted by the surface that they see.

    Args:
        buffer: `[h samples, padded]` int64, see `visibility_numba.buffer_shape`.
        starts: `[S + 1]` int32 number of each surface's first triangle; the last entry is their count.
        numbers: `[T]` int32 each triangle's number within its surface.
        samples: Samples per pixel along one axis.
        perspective: See `nearest_depth`, as `distance`, `scale` and `depth`.
        distance: Same.
        scale: Same.
        mask: `[h, w]` float32, receives the share of samples that see anything.
        depth: `[h, w]` float32.
        nearest: `[h, w]` int32, receives the triangle's number within its surface, -1 for nothing.
        surfaces: `[h, w]` int32, receives the surface's number, -1 for nothing.
        order: `[S, h w samples²]` int32, receives for each surface the samples that see it: row in the upper half, column in
            the lower; pixel by pixel.
        counts: `[S]` int64, receives how many they are.
    """
    share = np.float32(1.0) / np.float32(samples * samples)
    counts[:] = 0
    surface = 0
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            covered, least = 0, buffer[row * samples, column * samples]
            for down in range(samples):
                for across in range(samples):
                    key = buffer[row * samples + down, column * samples + across]
                    least = min(least, key)
                    if (key >> 32) < _INFINITE:
                        covered += 1
                        triangle = np.int32(key)
                        while triangle >= starts[surface + 1]:
                            surface += 1
                        while triangle < starts[surface]:
                            surface -= 1
                        order[surface, counts[surface]] = ((row * samples + down) << 16) | (column * samples + across)
                        counts[surface] += 1
            mask[row, column] = np.float32(covered) * share
            depth[row, column] = _image_depth(least, perspective, distance, scale)
            nearest[row, column] = -1
            surfaces[row, column] = -1
            if covered > 0:
                triangle = np.int32(least)
                while triangle >= starts[surface + 1]:
                    surface += 1
                while triangle < starts[surface]:
                    surface -= 1
                nearest[row, column] = numbers[triangle]
                surfaces[row, column] = surface


@numba.njit(cache=True, nogil=True, error_model="numpy")
def put_behind(color, mask, background):  # type: ignore[no-untyped-def]
    """Adds what is seen of a `[h, w, 3]` float32 background to `[h, w, 3]` float32 colours of `[h, w]` float32 coverage."""
    for row in range(color.shape[0]):
        for column in range(color.shape[1]):
            rest = np.float32(1.0) - mask[row, column]
            for channel in range(3):
                color[row, column, channel] += rest * background[row, column, channel]
