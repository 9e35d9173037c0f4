import dataclasses
from typing import Any

import pytest

from trainer import configuration


@dataclasses.dataclass(frozen=True)
class Camera:
    field_of_view: float = 30.0
    size: tuple[int, int] = (224, 224)

    def __post_init__(self) -> None:
        if self.field_of_view <= 0:
            raise ValueError(f"`field_of_view` must be positive. Received: field_of_view={self.field_of_view}")


@dataclasses.dataclass(frozen=True)
class Job:
    steps: int
    name: str = "job"
    rate: float = 0.1
    flip: bool = False
    camera: Camera = Camera()
    layers: tuple[int, ...] = (1, 2)
    limit: int | None = None
    ratio: float | None = None
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)
    cameras: tuple[Camera, ...] = ()


def build(**values: Any) -> Job:
    return configuration.from_mapping(Job, {"steps": 1, **values})


def test_defaults_nested_values_and_lists() -> None:
    job = build(camera={"size": [10, 20]}, layers=[4, 5, 6], rate=2, limit=7, cameras=[{"field_of_view": 1}, {}])
    assert job == Job(
        1, rate=2.0, camera=Camera(size=(10, 20)), layers=(4, 5, 6), limit=7, cameras=(Camera(1.0), Camera())
    )
    assert isinstance(job.rate, float)
    assert build(limit=None).limit is None
    assert isinstance(build(ratio=2).ratio, float)


def test_there_and_back() -> None:
    job = build(camera={"size": [10, 20]}, layers=[], extra={"a": [1]}, cameras=[{}])
    assert configuration.from_mapping(Job, configuration.to_mapping(job)) == job
    assert configuration.from_json(Job, configuration.to_json(job)) == job


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stepz": 1}, r"`Job` has no field `stepz`. Did you mean `steps`\?"),
        ({"zzz": 1}, r"`Job` has no field `zzz`. Known: steps, name"),
        ({"camera": {"siz": 1}}, r"`camera` has no field `siz`. Did you mean `size`\?"),
        ({"camera": 3}, "`camera` must be a mapping"),
        ({"camera": {"field_of_view": -1}}, "`field_of_view` must be positive. Received: field_of_view=-1"),
        ({"camera": {"size": [1]}}, r"`camera.size` must have 2 values. Received: \[1\]"),
        ({"camera": {"size": [1, 2.5]}}, r"`camera.size\[1\]` must be of type int. Received: 2.5"),
        ({"layers": 3}, "`layers` must be a list. Received: 3"),
        ({"layers": "12"}, "`layers` must be a list. Received: '12'"),
        ({"layers": ["1"]}, r"`layers\[0\]` must be of type int"),
        ({"rate": "fast"}, "`rate` must be of type float. Received: 'fast'"),
        ({"rate": None}, "`rate` must be of type float. Received: None"),
        ({"rate": True}, "`rate` must be of type float. Received: True"),
        ({"rate": float("nan")}, "`rate` must be finite. Received: nan"),
        ({"rate": float("inf")}, "`rate` must be finite. Received: inf"),
        ({"ratio": "half"}, "`ratio` must be of type float"),
        ({"steps": 1.5}, "`steps` must be of type int. Received: 1.5"),
        ({"steps": True}, "`steps` must be of type int. Received: True"),
        ({"flip": 1}, "`flip` must be of type bool. Received: 1"),
        ({"limit": "x"}, "`limit` must be of type int"),
        ({"extra": [1]}, "`extra` must be a mapping"),
        ({"name": 5}, "`name` must be of type str"),
    ],
)
def test_mistakes_name_the_field_and_what_came(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**values)


def test_missing_fields_and_wrong_texts() -> None:
    with pytest.raises(ValueError, match="`Job` needs `steps`"):
        configuration.from_mapping(Job, {})
    with pytest.raises(ValueError, match="must be a mapping"):
        configuration.from_mapping(Job, [1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`Job` must be given as JSON"):
        configuration.from_json(Job, "{steps: 1}")
