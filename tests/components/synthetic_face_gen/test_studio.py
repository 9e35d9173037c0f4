"""What a studio knows about its model."""

import dataclasses

import pytest

from components.synthetic_face_gen.studio import closed
from trainer.morphable.default import default_head


@pytest.fixture(scope="module")
def head():
    return default_head()


def test_the_default_head_is_closed(head):
    assert closed(head)


def test_a_head_open_at_the_neck_or_behind_is_not(head):
    corners = head.mean[head.triangles]
    for cut in (corners[..., 1].min(axis=1) > head.mean[:, 1].min() + 30, corners[..., 2].min(axis=1) > -40):
        assert cut.any()
        assert not cut.all()
        assert not closed(dataclasses.replace(head, triangles=head.triangles[cut], landmarks={}))


def test_a_head_turned_inside_out_is_not(head):
    assert not closed(dataclasses.replace(head, triangles=head.triangles[:, ::-1], landmarks={}))
