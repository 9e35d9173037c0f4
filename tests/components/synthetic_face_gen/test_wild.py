"""The preset `wild`, whole: dressed heads as examples, each ingredient a switch."""

import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

from components.synthetic_face_gen import transforms
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.example import render_example, studio_of
from components.synthetic_face_gen.turntable import render_turntable
from trainer import contract, examples
from trainer.morphable.default import default_head
from trainer.wardrobe.occluders import OccluderConfig

NOTHING = dict.fromkeys((field.name for field in dataclasses.fields(OccluderConfig)), 0.0)
BARE = {
    **dict.fromkeys(("hair", "brows", "lashes", "clothes", "torso", "hat", "glasses", "beard"), 0.0),
    "occluders": NOTHING,
}


def wild(**changes):
    return SyntheticFaceConfig.preset("wild", count=40, **changes)


def test_records_keep_the_contract_and_do_not_depend_on_order():
    config, model = wild(), default_head()
    first = {index: render_example(config, model, index) for index in (3, 20)}
    assert {index: render_example(config, model, index) for index in (20, 3)} == first
    for record in map(examples.decode, first.values()):
        assert set(record) <= set(contract.FEATURES)
        assert record[contract.CAMERA_KIND] == contract.PERSPECTIVE
        image = np.asarray(Image.open(io.BytesIO(record[contract.IMAGE_ENCODED])))
        assert image.shape == (128, 128, 3)
        provenance = json.loads(record[contract.PROVENANCE])
        assert len(provenance["wardrobe_sha256"]) == 64
        assert isinstance(provenance["worn"], list)
        assert SyntheticFaceConfig.from_values(provenance["config"]) == config


@pytest.mark.parametrize(
    "always",
    [{"hat": 1.0}, {"glasses": 1.0}, {"occluders": {**NOTHING, "hand": 1.0}}],
    ids=["hat", "glasses", "hand"],
)
def test_what_is_always_worn_is_always_there(always):
    """Things hide what is behind them, and nothing is worn where every fraction is 0."""
    model = default_head()
    dressed, bare = (
        studio_of(wild(wardrobe=BARE | change, pose={"yaw": [-20, 20], "pitch": [0, 0]}), model)
        for change in (always, {})
    )
    hidden = 0
    for index in (0, 4, 8):
        picture, plain = dressed.photograph(index), bare.photograph(index)
        assert picture.worn
        assert len(picture.surfaces) > 1
        assert plain.worn == ()
        np.testing.assert_array_equal(picture.projected, plain.projected)
        assert (picture.visibility.visible <= plain.visibility.visible).all()
        assert not plain.visibility.occluded
        hidden += (plain.visibility.visible - picture.visibility.visible).sum()
    assert hidden > 0 or "occluders" not in always


def test_a_model_that_the_wardrobe_was_not_made_for_is_refused_by_name():
    model = default_head()
    other = dataclasses.replace(model, triangles=np.roll(model.triangles, 1, axis=1))
    with pytest.raises(ValueError, match="wardrobe"):
        studio_of(wild(), other)


def test_models_and_studios_are_made_once_a_worker(monkeypatch, tmp_path):
    """Thirty images, one load of the face model and one studio."""
    from components.morphable_model_gen import storage
    from components.synthetic_face_gen import example

    storage.save_model(default_head(), str(tmp_path))
    made = []
    load, studio = storage.load_model, example.Studio
    monkeypatch.setattr(storage, "load_model", lambda uri: made.append("model") or load(uri))
    monkeypatch.setattr(example, "Studio", lambda *arguments: made.append("studio") or studio(*arguments))
    config = SyntheticFaceConfig.from_values({"count": 30, "image_size": 32, "supersample": 1})
    worker = transforms.RenderWorker(config, str(tmp_path))
    with worker.setup():
        results = [result for index in range(30) for result in worker.results(index)]
    assert all(isinstance(result, bytes) for result in results)
    assert made == ["model", "studio"]


def test_turntable_shows_one_person_from_profile_to_profile():
    config = SyntheticFaceConfig.preset("tiny", image_size=64)
    tiles = list(render_turntable(config, default_head(), 3))
    assert [tile.shape for tile in tiles] == [(64, 64, 3)] * 3
    assert len({tile.tobytes() for tile in tiles}) == 3
    with pytest.raises(ValueError, match="`count` must be at least 1"):
        list(render_turntable(config, default_head(), 0))
