"""iBUG's `.pts` beside photos, as 300W, LFPW, HELEN, AFW and IBUG come.

    version: 1
    n_points: 68
    {
    446.000000 91.000000
    …
    }

Coordinates are MATLAB's: the centre of the first pixel is (1, 1). Files of 68 points are the whole scheme, of 51 the one without
the jaw, of 49 also without the inner corners of the mouth. They mark what an annotator sees: the set `outline`.
"""

import re
from typing import Final

import numpy as np

from components.photo_example_gen.config import PTS
from components.photo_example_gen.labels import LabelError, Labels
from components.photo_example_gen.photo_file import PhotoFile
from components.photo_example_gen.readers.beside import BesideReader
from components.photo_example_gen.readers.reader import read_small
from trainer import contract

MATLAB_CENTER: Final = 1.0
"""What MATLAB calls the centre of the first pixel; the contract calls it 0.5."""

SCHEMES: Final[dict[int, tuple[int, ...]]] = {
    68: tuple(range(68)),
    51: tuple(range(17, 68)),
    49: tuple(index for index in range(17, 68) if index not in (60, 64)),
}
"""Number of points to the iBUG landmark of each."""

_FORM: Final = re.compile(r"\s*version:\s*\S+\s+n_points:\s*(\d{1,9})\s*\{([^{}]*)\}\s*", re.ASCII)


class PtsReader(BesideReader):
    """Photos with `.pts` files."""

    kind = PTS
    suffix = ".pts"

    def labels(self, photo: PhotoFile, height: int) -> Labels:
        """The points of the file beside the photo."""
        return parse_pts(read_small(self.label_file(photo)))


def parse_pts(content: bytes) -> Labels:
    """Points of a `.pts` file, in the contract's pixels.

    Raises:
        LabelError: If it is no such file, holds another number of points than it says, a number that is none of the known
            schemes, or values that are not finite.
    """
    try:
        form = _FORM.fullmatch(content.decode("ascii"))
    except UnicodeDecodeError:
        form = None
    if form is None:
        raise LabelError("bad_pts", "A .pts file must be `version: 1`, `n_points: N`, and points in braces.")
    rows = [line.split() for line in form[2].splitlines() if line.strip()]
    if any(len(row) != 2 for row in rows):
        raise LabelError("bad_pts", "A .pts file must hold two numbers a line.")
    try:
        values = np.array([[float(x), float(y)] for x, y in rows], np.float64).reshape(-1, 2)
    except ValueError as error:
        raise LabelError("bad_pts", f"A .pts file must hold numbers: {str(error)[:80]}") from error
    if len(values) != int(form[1]):
        raise LabelError("landmark_count", f"The .pts file says {form[1]} points and holds {len(values)}.")
    if len(values) not in SCHEMES:
        known = ", ".join(map(str, SCHEMES))
        raise LabelError("landmark_count", f"A .pts file must hold {known} points. Received: {len(values)}")
    if not np.isfinite(values).all():
        raise LabelError("not_finite", "The points of a .pts file must be finite.")
    points = np.full((contract.LANDMARK_COUNT, 2), np.nan)
    points[list(SCHEMES[len(values)])] = values - (MATLAB_CENTER - 0.5)
    return Labels(points=points, landmark_set="outline")
