"""Where beards grow: one compiled loop over the texels."""

import math

import numba

BEARDS = ("full", "short", "circle", "goatee", "moustache", "horseshoe", "chin strap", "mutton chops", "soul patch")
"""What `sample_beard` draws. Stubble is paint (`trainer.morphable.skin`)."""
_FULL, _SHORT, _CIRCLE, _GOATEE, _MOUSTACHE, _HORSESHOE, _STRAP, _CHOPS, _PATCH = range(len(BEARDS))


@numba.vectorize(cache=True)
def smooth(value, width):  # type: ignore[no-untyped-def]
    """Smooth from 0 at `-width` to 1 at `width` millimetres."""
    t = min(max(value / (2 * width) + 0.5, 0.0), 1.0)
    return t * t * (3 - 2 * t)


@numba.njit(cache=True, nogil=True)
def cover(fields, kind, measures, mask):  # type: ignore[no-untyped-def]
    """How thick a beard grows.

    Args:
        fields: `[H, W]` float32 each: `aside`, `height`, `below_jaw`, `cheek_line`, `under_nose` and `skin` of `beard.Fields`.
        kind: Number of one of `BEARDS`.
        measures: `soft`, `cheek` and `neck` of `beard.Style`, and half the mouth's width.
        mask: `[H, W]` float32, receives it, in [0, 1].
    """
    all_aside, all_height, all_below_jaw, all_cheek_line, all_under_nose, skin = fields
    soft, cheek, neck, half = measures
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            if skin[row, column] == 0:
                mask[row, column] = 0
                continue
            aside, height, below_jaw = abs(all_aside[row, column]), all_height[row, column], all_below_jaw[row, column]
            cheek_line, under_nose = all_cheek_line[row, column], all_under_nose[row, column]
            cover = 0.0
            if kind in (_FULL, _SHORT, _STRAP, _CHOPS):
                cover = smooth(cheek - cheek_line, soft)
                if kind == _STRAP:
                    cover *= smooth(9 + soft - abs(below_jaw + 5), soft)
                else:
                    cover *= smooth(neck - below_jaw, soft) * smooth(-2.0 - under_nose, 3.0)
                if kind == _CHOPS:
                    cover *= smooth(aside - 0.8 * half, 6.0) * smooth(cheek_line + 45, 10.0)
            elif kind == _PATCH:
                cover = smooth(-5 - height, 2.0) * smooth(height + 26, 6.0) * smooth(6 - aside, 4.0)
            if kind in (_CIRCLE, _GOATEE):
                cover = smooth(-6.0 - height, 3.0) * smooth(1.2 * half - aside, 7.0) * smooth(neck - below_jaw, soft)
            if kind in (_FULL, _SHORT, _CIRCLE, _GOATEE) and cover > 0:
                cover *= 1 - 0.8 * math.exp(-(((aside - 0.62 * half) / 5) ** 2) - ((height + 11) / 3.5) ** 2)
            if kind in (_FULL, _SHORT, _CIRCLE, _MOUSTACHE, _HORSESHOE):
                lip = smooth(-2.0 - under_nose - 0.3 * max(aside - 0.5 * half, 0.0), 2.5) * smooth(height, 3.0)
                cover = max(cover, lip * smooth(1.12 * half + 3 - aside, 5.0))
            if kind in (_CIRCLE, _HORSESHOE):
                down = 40.0 if kind == _HORSESHOE else 24.0
                beside = smooth(height + down, 8.0) * smooth(1.35 * half + 3 - aside, 5.0)
                beside *= smooth(aside - 0.9 * half, 4.0) * smooth(-2.0 - under_nose, 4.0)
                cover = max(cover, beside)
            mask[row, column] = cover * skin[row, column]
