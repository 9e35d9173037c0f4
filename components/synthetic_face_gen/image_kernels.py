"""Compiled loops over an image: blur, the sensor and its tone, and a part of a picture as linear light.

One thread and one order of summation: the same input gives the same bits.
"""

import numba
import numpy as np

TONE_STEPS = 4096
TONE_END = 4.0
"""The tone curve is tabulated over the square root of linear light up to this, in so many steps; beyond it ends."""


@numba.njit(cache=True, nogil=True)
def separable_blur(light, kernel):  # type: ignore[no-untyped-def]
    """Convolves rows, then columns; beyond its edge the image goes on as it ends.

    Args:
        light: `[H, W, 3]` float32.
        kernel: `[2 R + 1]` float32.

    Returns:
        `[H, W, 3]` float32.
    """
    height, width, _ = light.shape
    radius = kernel.size // 2
    rows, out = np.zeros_like(light), np.zeros_like(light)
    for y in range(height):
        for tap in range(kernel.size):
            weight, shift = kernel[tap], tap - radius
            for x in range(width):
                source = min(max(x + shift, 0), width - 1)
                for channel in range(3):
                    rows[y, x, channel] += weight * light[y, source, channel]
    for y in range(height):
        for tap in range(kernel.size):
            weight, source = kernel[tap], min(max(y + tap - radius, 0), height - 1)
            for x in range(width):
                for channel in range(3):
                    out[y, x, channel] += weight * rows[source, x, channel]
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
    height, width, _ = light.shape
    out = np.zeros_like(light)
    for tap in range(weights.size):
        weight = weights[tap]
        for y in range(height):
            row = min(max(y + steps[tap, 0], 0), height - 1)
            for x in range(width):
                column = min(max(x + steps[tap, 1], 0), width - 1)
                for channel in range(3):
                    out[y, x, channel] += weight * light[row, column, channel]
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
    noisy = noise.size > 0
    scale = np.float32(TONE_STEPS / np.sqrt(TONE_END))
    one, last = np.float32(1), np.float32(TONE_STEPS)
    signal = np.empty(3, np.float32)
    for y in range(height):
        for x in range(width):
            for channel in range(3):
                value = light[y, x, channel]
                if noisy:
                    value += noise[y, x, channel] * np.sqrt(shot * min(max(value, np.float32(0)), one) + read)
                place = min(np.sqrt(max(value * gains[channel], np.float32(0))) * scale, last - np.float32(0.001))
                step = int(place)
                share = place - np.float32(step)
                bent = curve[step] + share * (curve[step + 1] - curve[step])
                bent += contrast * (bent * bent * (np.float32(3) - np.float32(2) * bent) - bent)
                signal[channel] = lift + (one - lift) * bent
            grey = luminance[0] * signal[0] + luminance[1] * signal[1] + luminance[2] * signal[2]
            for channel in range(3):
                value = grey + saturation * (signal[channel] - grey)
                out[y, x, channel] = np.uint8(min(max(value, np.float32(0)), one) * np.float32(255) + np.float32(0.5))
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
    one = np.float32(1)
    for row in range(size):
        y = min(max(y0 + (np.float32(row) + np.float32(0.5)) * step - np.float32(0.5), 0), np.float32(height - 1))
        top = min(int(y), height - 2)
        v = y - np.float32(top)
        for column in range(size):
            x = min(max(x0 + (np.float32(column) + np.float32(0.5)) * step - np.float32(0.5), 0), np.float32(width - 1))
            left = min(int(x), width - 2)
            u = x - np.float32(left)
            place = size - 1 - column if mirrored else column
            for channel in range(3):
                upper = (one - u) * decoded[picture[top, left, channel]] + u * decoded[picture[top, left + 1, channel]]
                lower = (one - u) * decoded[picture[top + 1, left, channel]] + u * decoded[
                    picture[top + 1, left + 1, channel]
                ]
                out[row, place, channel] = gains[channel] * ((one - v) * upper + v * lower)
    return out
