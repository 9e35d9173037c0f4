"""What the tests of the face model share."""

import pytest
from morphable_parts import build_tiny_model

from trainer.morphable.model import MorphableModel


@pytest.fixture
def tiny_model() -> MorphableModel:
    return build_tiny_model()
