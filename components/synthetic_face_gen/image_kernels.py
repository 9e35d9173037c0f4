"""Compiled loops over an image: blur, the sensor and its tone, and a part of a picture as linear light.

One thread and one order of summation: the same input gives the same bits.
"""

import numba
import numpy as np

TONE_STEPS = 4096
TONE_END = 4.0
"""The tone curve is tabulated over the square root of linear light up to this, in so many steps, each a small part of a level of
eight bits; beyond it ends."""


@numba.njit(cache=True, nogil=True)
def _padded(light, reach):  # type: ignore[no-untyped-def]
    """`[H + 2 reach, (W + 2 reach) 3]`: beyond its edge the image goes on as it ends."""
    height, width, _ = light.shape
    out = np.empty((height + 2 * reach, (width + 2 * reach) * 3), np.float32)
    for y in range(out.shape[0]):
        row, line = light[min(max(y - reach, 0), height - 1)], out[y]
        for x in range(reach):
            for channel in range(3):
                line[3 * x + channel] = row[0, channel]
                line[3 * (reach + width + x) + channel] = row[width - 1, channel]
        line[3 * reach : 3 * (reach + width)] = row.reshape(-1)
    return out


@numba.njit(cache=True, nogil=True)
def separable_blur(light, kernel):  # type: ignore[no-untyped-def]
    """Convolves columns, then rows; beyond its edge the image goes on as it ends.

    Args:
        light: `[H, W, 3]` float32.
        kernel: `[2 R + 1]` float32.

    Returns:
        `[H, W, 3]` float32.
    """
    height, width, _ = light.shape
    padded, out = _padded(light, kernel.size // 2), np.zeros_like(light)
    line = np.empty(padded.shape[1], np.float32)
    for y in range(height):
        line[:] = np.float32(0)
        for tap in range(kernel.size):
            weight, source = kernel[tap], padded[y + tap]
            for index in range(line.size):
                line[index] += weight * source[index]
        row = out[y].reshape(-1)
        for tap in range(kernel.size):
            weight, source = kernel[tap], line[3 * tap : 3 * (tap + width)]
            for index in range(row.size):
                row[index] += weight * source[index]
    return out


@numba.njit(cache=True, nogil=True)
def sparse_blur(light, steps, weights):  # type: ignore[no-untyped-def]
    """Convolves with a few points; beyond its edge the image goes on as it ends.

    Args:
        light: `[H, W, 3]` float32.
        steps: `[N, 2]` int32 rows and columns to where light comes from.
        weights: `[N]` float32.

    Returns:
        `[H, W, 3]` float32.
    """
    height = light.shape[0]
    reach = np.max(np.abs(steps)) if steps.size else 0
    padded, out = _padded(light, reach), np.zeros_like(light)
    for y in range(height):
        row = out[y].reshape(-1)
        for tap in range(weights.size):
            weight, first = weights[tap], 3 * (reach + steps[tap, 1])
            source = padded[y + reach + steps[tap, 0], first : first + row.size]
            for index in range(row.size):
                row[index] += weight * source[index]
    return out


@numba.njit(cache=True, nogil=True)
def develop_pixels(light, noise, gains, tone, curve, luminance):  # type: ignore[no-untyped-def]
    """Sensor noise, gains, tone curve, contrast, colour and rounding of every pixel.

    Args:
        light: `[H, W, 3]` float32 linear.
        noise: `[H, W, 3]` float32 standard normal, or `[0, 0, 3]` for none.
        gains: `[3]` float32.
        tone: `[5]` float32: share of the smoothstep curve on top, level of black, factor on the distance from grey (0 is a grey
            image), variance of the noise per unit of light, and in the dark.
        curve: `[TONE_STEPS + 1]` float32 sRGB signal over the square root of light.
        luminance: `[3]` float32 share of each colour in grey.

    Returns:
        `[H, W, 3]` uint8 sRGB.
    """
    height, width, _ = light.shape
    out = np.empty((height, width, 3), np.uint8)
    contrast, lift, saturation, shot, read = tone[0], tone[1], tone[2], tone[3], tone[4]
    zero, one, half, full = np.float32(0), np.float32(1), np.float32(0.5), np.float32(255)
    bent = np.empty_like(curve)
    for step in range(curve.size):
        value = curve[step]
        value += contrast * (value * value * (np.float32(3) - np.float32(2) * value) - value)
        bent[step] = full * (lift + (one - lift) * value)
    noisy = noise.size > 0
    scale, last = np.float32(TONE_STEPS / np.sqrt(TONE_END)), np.float32(TONE_STEPS)
    gain = np.empty(3 * width, np.float32)
    for index in range(gain.size):
        gain[index] = scale * scale * gains[index % 3]
    place = np.empty(3 * width, np.float32)
    grey_share = one - saturation
    for y in range(height):
        row = light[y].reshape(-1)
        if noisy:
            grain = noise[y].reshape(-1)
            for index in range(place.size):
                value = row[index] + grain[index] * np.sqrt(shot * min(max(row[index], zero), one) + read)
                place[index] = min(np.sqrt(max(value * gain[index], zero)) + half, last)
        else:
            for index in range(place.size):
                place[index] = min(np.sqrt(max(row[index] * gain[index], zero)) + half, last)
        for x in range(width):
            red, green, blue = bent[int(place[3 * x])], bent[int(place[3 * x + 1])], bent[int(place[3 * x + 2])]
            grey = grey_share * (luminance[0] * red + luminance[1] * green + luminance[2] * blue) + half
            out[y, x, 0] = np.uint8(min(max(grey + saturation * red, zero), full))
            out[y, x, 1] = np.uint8(min(max(grey + saturation * green, zero), full))
            out[y, x, 2] = np.uint8(min(max(grey + saturation * blue, zero), full))
    return out


@numba.njit(cache=True, nogil=True)
def part_of_picture(picture, square, mirrored, size, decoded, gains):  # type: ignore[no-untyped-def]
    """A square of a picture at another size, as linear light, interpolated between pixels.

    Args:
        picture: `[H, W, 3]` uint8 sRGB.
        square: `[3]` float32 its left and upper edges and its side, pixels.
        mirrored: Whether left and right change places.
        size: Side of the result.
        decoded: `[256]` float32 linear light of each sRGB value.
        gains: `[3]` float32 factor on each colour.

    Returns:
        `[size, size, 3]` float32 linear light.
    """
    height, width, _ = picture.shape
    out = np.empty((size, size, 3), np.float32)
    x0, y0, step = square[0], square[1], square[2] / np.float32(size)
    zero, half, one = np.float32(0), np.float32(0.5), np.float32(1)
    lefts, shares = np.empty(size, np.int64), np.empty(size, np.float32)
    for column in range(size):
        x = min(max(x0 + (np.float32(column) + half) * step - half, zero), np.float32(width - 1))
        place = size - 1 - column if mirrored else column
        lefts[place] = min(int(x), width - 2)
        shares[place] = x - np.float32(lefts[place])
    line = np.empty(3 * width, np.float32)
    for row in range(size):
        y = min(max(y0 + (np.float32(row) + half) * step - half, zero), np.float32(height - 1))
        top = min(int(y), height - 2)
        v = y - np.float32(top)
        upper, lower = picture[top].reshape(-1), picture[top + 1].reshape(-1)
        for index in range(line.size):
            line[index] = (one - v) * decoded[upper[index]] + v * decoded[lower[index]]
        for column in range(size):
            left, u = 3 * lefts[column], shares[column]
            for channel in range(3):
                value = (one - u) * line[left + channel] + u * line[left + 3 + channel]
                out[row, column, channel] = gains[channel] * value
    return out
