import dataclasses

import numpy as np
import pytest

from trainer.contract import LANDMARK_SETS
from trainer.morphable.default import default_head
from trainer.morphable.landmark_depth import landmark_depths
from trainer.morphable.model import LandmarkSet


@pytest.mark.parametrize("name", LANDMARK_SETS)
def test_no_landmark_of_the_default_head_lies_beneath_its_skin(name):
    assert landmark_depths(default_head(), name).max() < 1.0


def test_a_point_inside_the_head_is_found_out():
    head = default_head()
    inside = int((head.regions["tongue"][head.triangles].min(axis=1) > 0.5).argmax())
    hidden = LandmarkSet(np.full(68, inside, np.int32), np.tile([1.0, 0, 0], (68, 1)))
    depths = landmark_depths(dataclasses.replace(head, landmarks={"basel": hidden}))
    assert np.ptp(depths) == 0
    assert depths.min() > 5
