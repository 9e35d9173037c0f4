"""The sets that the locator is measured on: boxes lie in their pictures and on faces' sizes."""

import numpy as np
import pytest

from benchmarks import locator


@pytest.mark.parametrize("name", ["fixtures", "pasted", "london"])
def test_boxes_lie_in_their_pictures(development_data, name):
    folder = {"fixtures": "aflw2000_fixtures", "pasted": "p1", "london": "london_faces"}[name]
    if not (development_data / folder).is_dir():
        pytest.skip(f"no {folder} in {development_data}")
    faces = locator.pasted(development_data, count=4) if name == "pasted" else getattr(locator, name)(development_data)
    assert len(faces.pictures) == len(faces.boxes) >= 4
    for picture, (x0, y0, x1, y1) in zip(faces.pictures, faces.boxes, strict=True):
        height, width = picture.shape[:2]
        assert -0.1 * width < x0 < x1 < 1.1 * width
        assert -0.1 * height < y0 < y1 < 1.1 * height
        assert 0.5 < (y1 - y0) / (x1 - x0) < 2


def test_what_is_held_out_is_a_part_of_the_backgrounds(development_data):
    paths, held = locator.backgrounds(development_data)
    if not paths:
        pytest.skip(f"no backgrounds in {development_data}")
    assert set(held) < set(paths)
    assert 0.05 < len(held) / len(paths) < 0.4
    assert np.unique([path.stem.split("_p")[0] for path in held]).size >= 2
