"""Compiled loops of the locator's training pictures: pasting, sampling, counting what is seen, a camera's faults, targets.

Pictures are sRGB throughout. One thread and one order of summation: the same input gives the same bits.
"""

import numba
import numpy as np

NOBODY = -1
"""Owner of a pixel that shows no head."""

MOST_SAMPLES = 4
"""Along each side of a pixel, where a cut-out is reduced."""


@numba.njit(cache=True, nogil=True)
def sample_square(picture, left, top, width, height, mirrored, out):  # type: ignore[no-untyped-def]
    """Fills a canvas with a part of a picture: interpolated where it is enlarged, averaged where it is reduced.

    Args:
        picture: `[H, W, 3]` uint8 or float32.
        left: Edge of the part, pixels of the picture; likewise `top`, `width`, `height`.
        top: See `left`.
        width: See `left`.
        height: See `left`.
        mirrored: Whether left and right change places.
        out: `[h, w, 3]` float32, overwritten.
    """
    rows, columns, _ = out.shape
    step_x, step_y = width / columns, height / rows
    count_x, count_y = max(1, int(np.ceil(step_x))), max(1, int(np.ceil(step_y)))
    last_x, last_y = picture.shape[1] - 1, picture.shape[0] - 1
    lefts, shares = np.empty((columns, count_x), np.int64), np.empty((columns, count_x), np.float32)
    for column in range(columns):
        for j in range(count_x):
            x = min(max(left + (column + (j + 0.5) / count_x) * step_x - 0.5, 0.0), float(last_x))
            lefts[column, j] = 3 * min(int(x), last_x - 1)
            shares[column, j] = x - min(int(x), last_x - 1)
    first, end = lefts[0, 0], lefts[columns - 1, count_x - 1] + 6
    line = np.empty(3 * (last_x + 1), np.float32)
    one, share = np.float32(1), np.float32(1.0 / (count_x * count_y))
    for row in range(rows):
        line[first:end] = np.float32(0)
        for i in range(count_y):
            y = min(max(top + (row + (i + 0.5) / count_y) * step_y - 0.5, 0.0), float(last_y))
            y0 = min(int(y), last_y - 1)
            v = np.float32(y - y0)
            upper, lower = picture[y0].reshape(-1), picture[y0 + 1].reshape(-1)
            for index in range(first, end):
                line[index] += (one - v) * np.float32(upper[index]) + v * np.float32(lower[index])
        for column in range(columns):
            red, green, blue = np.float32(0), np.float32(0), np.float32(0)
            for j in range(count_x):
                x0, u = lefts[column, j], shares[column, j]
                red += (one - u) * line[x0] + u * line[x0 + 3]
                green += (one - u) * line[x0 + 1] + u * line[x0 + 4]
                blue += (one - u) * line[x0 + 2] + u * line[x0 + 5]
            place = columns - 1 - column if mirrored else column
            out[row, place, 0], out[row, place, 1], out[row, place, 2] = red * share, green * share, blue * share


@numba.njit(cache=True, nogil=True)
def paste(canvas, owners, cutout, inverse, gains, owner, first_row, below):  # type: ignore[no-untyped-def]
    """Pastes a cut-out, averaged where it is reduced; beneath its lower edge the last row goes on, as a body does.

    Args:
        canvas: `[S, S, 3]` float32 in [0, 255], painted on.
        owners: `[S, S]` int16, set where the cut-out covers.
        cutout: `[P, P, 4]` uint8, straight sRGB and alpha.
        inverse: `[2, 3]` float64, from the canvas' pixels to the cut-out's.
        gains: `[3]` float32 factors on the colours.
        owner: Number of the head, or `NOBODY`.
        first_row: Rows above this of the cut-out are left out.
        below: Rows by which the last one is continued.
    """
    size, side = canvas.shape[0], cutout.shape[0]
    a, b, c, d = inverse[0, 0], inverse[0, 1], inverse[1, 0], inverse[1, 1]
    step = np.sqrt(abs(a * d - b * c))
    count = min(max(1, int(np.ceil(step))), MOST_SAMPLES)
    right, down = np.empty(count * count), np.empty(count * count)
    for k in range(count * count):
        across, along = (k % count + 0.5) / count - 0.5, (k // count + 0.5) / count - 0.5
        right[k], down[k] = a * across + b * along, c * across + d * along
    scale = np.float32(1.0 / (255.0 * count * count))
    one = np.float32(1)
    for row in range(size):
        for column in range(size):
            x = a * (column + 0.5) + b * (row + 0.5) + inverse[0, 2]
            y = c * (column + 0.5) + d * (row + 0.5) + inverse[1, 2]
            if x < -step or y < first_row - step or x > side + step or y > side + below + step:
                continue
            red, green, blue, alpha = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            if count == 1:
                if x < 0.5 or y < first_row + 0.5 or x >= side - 0.5 or y >= side + below:
                    continue
                y = min(y, side - 0.5001)
                x0, y0 = int(x - 0.5), int(y - 0.5)
                u, v = np.float32(x - 0.5 - x0), np.float32(y - 0.5 - y0)
                for k in range(4):
                    i, j = k >> 1, k & 1
                    pixel = cutout[min(y0 + i, side - 1), min(x0 + j, side - 1)]
                    weight = (v if i else one - v) * (u if j else one - u) * scale * np.float32(pixel[3])
                    red += weight * np.float32(pixel[0])
                    green += weight * np.float32(pixel[1])
                    blue += weight * np.float32(pixel[2])
                    alpha += weight
            else:
                for k in range(count * count):
                    x1, y1 = int(x + right[k] + 1024.0) - 1024, int(y + down[k] + 1024.0) - 1024
                    if x1 < 0 or y1 < first_row or x1 >= side or y1 >= side + below:
                        continue
                    pixel = cutout[min(y1, side - 1), x1]
                    if pixel[3] > 0:
                        weight = scale * np.float32(pixel[3])
                        red += weight * np.float32(pixel[0])
                        green += weight * np.float32(pixel[1])
                        blue += weight * np.float32(pixel[2])
                        alpha += weight
            if alpha > 0:
                canvas[row, column, 0] = canvas[row, column, 0] * (one - alpha) + gains[0] * red
                canvas[row, column, 1] = canvas[row, column, 1] * (one - alpha) + gains[1] * green
                canvas[row, column, 2] = canvas[row, column, 2] * (one - alpha) + gains[2] * blue
                if alpha > np.float32(0.5):
                    owners[row, column] = owner


@numba.njit(cache=True, nogil=True)
def cover(canvas, owners, texture, center, half, angle, is_round):  # type: ignore[no-untyped-def]
    """Puts a turned rectangle or ellipse of a texture in front of everything.

    Args:
        canvas: `[S, S, 3]` float32, painted on.
        owners: `[S, S]` int16, set to `NOBODY` where it is covered.
        texture: `[S, S, 3]` float32, of the canvas' size.
        center: `[2]` x, y, pixels.
        half: `[2]` half of its sides, pixels.
        angle: Radians.
        is_round: Whether it is an ellipse.
    """
    size = canvas.shape[0]
    cosine, sine = np.cos(angle), np.sin(angle)
    for row in range(size):
        for column in range(size):
            x, y = column + 0.5 - center[0], row + 0.5 - center[1]
            u, v = abs(cosine * x + sine * y) / half[0], abs(cosine * y - sine * x) / half[1]
            if (u * u + v * v if is_round else max(u, v)) < 1:
                canvas[row, column] = texture[row, column]
                owners[row, column] = NOBODY


@numba.njit(cache=True, nogil=True)
def count_owned(owners, owner, box):  # type: ignore[no-untyped-def]
    """Pixels of a box `[4]` that a head owns."""
    size, total = owners.shape[0], 0
    for row in range(max(0, int(box[1])), min(size, int(np.ceil(box[3])))):
        for column in range(max(0, int(box[0])), min(size, int(np.ceil(box[2])))):
            total += owners[row, column] == owner
    return total


@numba.njit(cache=True, nogil=True)
def blur(canvas, kernel):  # type: ignore[no-untyped-def]
    """`[S, S, 3]` convolved with `[2 R + 1]` float32 along both axes; beyond its edge the picture goes on as it ends."""
    size, reach = canvas.shape[0], kernel.size // 2
    half, out = np.zeros_like(canvas), np.zeros_like(canvas)
    for row in range(size):
        line = half[row].reshape(-1)
        for tap in range(kernel.size):
            source, weight = canvas[min(max(row + tap - reach, 0), size - 1)].reshape(-1), kernel[tap]
            for index in range(line.size):
                line[index] += weight * source[index]
    for row in range(size):
        for column in range(size):
            for tap in range(kernel.size):
                pixel, weight = half[row, min(max(column + tap - reach, 0), size - 1)], kernel[tap]
                for channel in range(3):
                    out[row, column, channel] += weight * pixel[channel]
    return out


@numba.njit(cache=True, nogil=True)
def develop(canvas, noise, gains, tone, content, out):  # type: ignore[no-untyped-def]
    """Gains, contrast, gamma, saturation, noise and rounding; black outside of the photo.

    Args:
        canvas: `[S, S, 3]` float32 in [0, 255].
        noise: `[S, S, 3]` float32 standard normal.
        gains: `[3]` float32 factors on the colours.
        tone: `[5]` float32: contrast around the middle, gamma, saturation, standard deviation of noise that is one for all
            colours, and of noise of each colour's own, both of 255.
        content: `[4]` int64 x0, y0, x1, y1, the part of the frame that the photo covers.
        out: `[S, S, 3]` uint8, overwritten.
    """
    table = np.empty(1025, np.float32)
    for step in range(1025):
        value = min(max((step / 1024.0 - 0.5) * tone[0] + 0.5, 0.0), 1.0)
        table[step] = 255.0 * value ** tone[1]
    size = canvas.shape[0]
    pixel = np.empty(3, np.float32)
    for row in range(size):
        for column in range(size):
            if row < content[1] or row >= content[3] or column < content[0] or column >= content[2]:
                out[row, column] = 0
                continue
            for channel in range(3):
                place = canvas[row, column, channel] * gains[channel] * np.float32(1024.0 / 255.0)
                pixel[channel] = table[int(min(max(place, np.float32(0)), np.float32(1024)))]
            grey = np.float32(0.299) * pixel[0] + np.float32(0.587) * pixel[1] + np.float32(0.114) * pixel[2]
            shared = tone[3] * noise[row, column, 0]
            for channel in range(3):
                value = grey + tone[2] * (pixel[channel] - grey) + shared + tone[4] * noise[column, row, channel]
                out[row, column, channel] = np.uint8(min(max(value + np.float32(0.5), np.float32(0)), np.float32(255)))


@numba.njit(cache=True, nogil=True)
def fill_targets(boxes, states, stride, spread, least_spread, out):  # type: ignore[no-untyped-def]
    """What every cell of the grid should say.

    Args:
        boxes: `[N, 4]` float32 x0, y0, x1, y1, pixels.
        states: `[N]` int8: 1 a face to be found, 0 one that may be found or not.
        stride: Pixels a cell.
        spread: Standard deviation of the bell around a face's centre, share of the box's sides.
        least_spread: The least of it, cells.
        out: `[h, w, 6]` float32, overwritten: likeness to a face's centre in [0, 1], 1 in one cell for each face; 1 where that
            counts, else 0; and the box of the face nearest by that measure.
    """
    rows, columns, _ = out.shape
    out[...] = 0
    out[..., 1] = 1
    for number in range(boxes.shape[0]):
        x0, y0, x1, y1 = boxes[number]
        x, y = (x0 + x1) / (2 * stride), (y0 + y1) / (2 * stride)
        spread_x = max(spread * (x1 - x0) / stride, least_spread)
        spread_y = max(spread * (y1 - y0) / stride, least_spread)
        if states[number] != 1:
            for row in range(rows):
                for column in range(columns):
                    across = x0 < (column + 1) * stride and column * stride < x1
                    down = y0 < (row + 1) * stride and row * stride < y1
                    if across and down and out[row, column, 0] < 0.5:
                        out[row, column, 1] = 0
            continue
        home_row, home_column = min(max(int(y), 0), rows - 1), min(max(int(x), 0), columns - 1)
        for row in range(rows):
            for column in range(columns):
                u, v = (column + 0.5 - x) / spread_x, (row + 0.5 - y) / spread_y
                likeness = np.exp(-0.5 * (u * u + v * v))
                if row == home_row and column == home_column:
                    likeness = 1.0
                if likeness > out[row, column, 0]:
                    out[row, column, 0] = likeness
                    for side in range(4):
                        out[row, column, 2 + side] = boxes[number, side]
        out[home_row, home_column, 1] = 1
