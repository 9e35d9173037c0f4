"""Canvases of small stand-ins for rendered faces."""

import pytest
from landmark_examples import disc_example, write_shard

from trainer.landmarks import canvases as canvases_module
from trainer.landmarks.config import CanvasConfig


@pytest.fixture(scope="session")
def canvases(tmp_path_factory):
    """Twelve discs on canvases of the preset `tiny`."""
    folder = tmp_path_factory.mktemp("discs")
    shard = write_shard(folder / "discs.gz", [disc_example(seed) for seed in range(12)])
    return canvases_module.build([shard], CanvasConfig(size=64), folder / "canvases")
