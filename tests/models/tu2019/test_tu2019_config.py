import pytest

from trainer import configuration
from trainer.models import registry
from trainer.models.tu2019.config import PRESETS, Tu2019Config


def test_paper_preset_has_the_papers_numbers():
    paper = Tu2019Config.preset("paper")
    assert (paper.image_size, paper.batch_size, paper.optimizer, paper.learning_rate) == (120, 32, "sgd", 5e-5)
    assert (paper.backbone, paper.shape_count, paper.expression_count) == ("resnet50", 40, 10)
    assert (paper.coefficient_weight, paper.consistency_weight, paper.landmark_weight) == (1.0, 0.005, 0.0)
    assert paper.schedule == "exponential"


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_survive_json(name):
    config = Tu2019Config.preset(name)
    assert configuration.from_mapping(Tu2019Config, configuration.to_mapping(config)) == config


def test_overrides_reach_nested_fields_and_leave_their_neighbours():
    tiny = Tu2019Config.preset("tiny")
    config = registry.configure("tu2019", "tiny", {"steps": 7, "augmentation": {"rotation": 3.0}})
    assert config.steps == 7
    assert config.augmentation.rotation == 3.0
    assert config.augmentation.occlusion == tiny.augmentation.occlusion
    assert config.learning_rate == tiny.learning_rate


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("huge", {}, "paper, tiny"),
        ("tiny", {"stpes": 7}, "steps"),
        ("tiny", {"augmentation": {"rotate": 7}}, "rotation"),
        ("tiny", {"steps": -1}, "`steps`"),
        ("tiny", {"steps": "many"}, "steps"),
        ("tiny", {"backbone": "vgg"}, "mobilenet"),
        ("tiny", {"mixed_precision": "float64"}, "mixed_bfloat16"),
        ("tiny", {"strategy": "everything"}, "mirrored"),
        ("tiny", {"shape_count": -3}, "shape_count"),
        ("tiny", {"photo_fraction": 1.0}, "photo_fraction"),
        ("tiny", {"coefficient_weight": 0.0, "consistency_weight": 0.0, "landmark_weight": 0.0}, "positive"),
        ("tiny", ["steps"], "mapping"),
    ],
)
def test_mistakes_are_named(preset, overrides, message):
    with pytest.raises(ValueError, match=message):
        registry.configure("tu2019", preset, overrides)


def test_an_unknown_model_is_told_what_there_is():
    assert "tu2019" in registry.names()
    with pytest.raises(ValueError, match="tu2019"):
        registry.configure("tu2091", "tiny")
