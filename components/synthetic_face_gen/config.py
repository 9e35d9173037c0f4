"""What `synthetic_face_gen` renders: how many faces of whom, in which pose, light and surroundings, through which camera.

Every field is checked at construction, before any work. `SyntheticFaceConfig.from_values` reads the JSON that the component
takes: an optional `preset`, the rest overrides of its fields, nested ones included.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from trainer import configuration, contract

PROCEDURAL: Final = "procedural"
"""The background that needs no files."""

Range = tuple[float, float]


def _check_range(name: str, value: Range, least: float = -math.inf, most: float = math.inf) -> None:
    low, high = value
    if not (least <= low <= high <= most and math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"`{name}` must be two numbers, low ≤ high, within [{least:g}, {most:g}]. Received: {value}")


def _check_number(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"`{name}` must be in [{least:g}, {most:g}]. Received: {name}={value}")


def _check_fraction(name: str, value: float) -> None:
    _check_number(name, value, 0, 1)


@dataclasses.dataclass(frozen=True)
class PopulationConfig:
    """Who is rendered and what their faces do."""

    identity_scale: float = 1.0
    """Standard deviation of the identity coefficients, in the face model's own standard deviations."""
    albedo_scale: float = 1.0
    """The same for the albedo coefficients."""
    expression_strength: float = 1.0
    """Factor on natural expressions' weights; 0 renders neutral faces only."""
    strong_fraction: float = 0.1
    """Fraction of views with a grimace: several face units at random, up to their full range."""

    def __post_init__(self) -> None:
        for name in ("identity_scale", "albedo_scale", "expression_strength"):
            _check_number(f"population.{name}", getattr(self, name), 0, 3)
        _check_fraction("population.strong_fraction", self.strong_fraction)


@dataclasses.dataclass(frozen=True)
class PoseConfig:
    """Where heads turn, degrees, by the contract's signs. Yaw is drawn flat; pitch and roll are, too, in half of the views,
    and lie near their range's middle in the other half.
    """

    yaw: Range = (-90.0, 90.0)
    pitch: Range = (-40.0, 40.0)
    roll: Range = (-35.0, 35.0)

    def __post_init__(self) -> None:
        for name, most in (("yaw", 90), ("pitch", 85), ("roll", 180)):
            _check_range(f"pose.{name}", getattr(self, name), -most, most)


@dataclasses.dataclass(frozen=True)
class CameraConfig:
    """How the face comes into the picture."""

    kind: str = contract.SCALED_ORTHOGRAPHIC
    """`scaled_orthographic` or `perspective`."""
    distance: Range = (400.0, 4000.0)
    """From the camera to the face, millimetres, drawn log-uniformly; perspective only."""
    face_size: Range = (0.4, 0.75)
    """Longer side of the landmark box as a fraction of the image's side."""
    face_offset: float = 0.15
    """Farthest that the box's centre lies from the image's, as a fraction of the side, in x and in y."""

    def __post_init__(self) -> None:
        if self.kind not in (contract.SCALED_ORTHOGRAPHIC, contract.PERSPECTIVE):
            raise ValueError(
                f"`camera.kind` must be {contract.SCALED_ORTHOGRAPHIC} or {contract.PERSPECTIVE}. Received: {self.kind!r}"
            )
        _check_range("camera.distance", self.distance, 250, 100_000)
        _check_range("camera.face_size", self.face_size, 0.05, 2)
        _check_number("camera.face_offset", self.face_offset, 0, 1)


@dataclasses.dataclass(frozen=True)
class LightConfig:
    """Spherical-harmonic light from the measured prior, and one lamp."""

    exposure_spread: float = 0.3
    """Standard deviation of the natural logarithm of the exposure."""
    white_balance: float = 0.75
    """Share of the light's tint that the camera takes out."""
    lamp_fraction: float = 0.6
    """Fraction of views with a directional lamp beside the environment."""
    lamp_strength: Range = (0.15, 1.2)
    """Irradiance of the lamp relative to the environment's."""
    specular: Range = (0.005, 0.05)
    """Share of the lamp's light that the skin mirrors."""
    shininess: Range = (6.0, 30.0)
    """Phong exponent."""

    def __post_init__(self) -> None:
        _check_number("light.exposure_spread", self.exposure_spread, 0, 2)
        _check_fraction("light.white_balance", self.white_balance)
        _check_fraction("light.lamp_fraction", self.lamp_fraction)
        _check_range("light.lamp_strength", self.lamp_strength, 0, 10)
        _check_range("light.specular", self.specular, 0, 1)
        _check_range("light.shininess", self.shininess, 1, 1000)


@dataclasses.dataclass(frozen=True)
class ImageChainConfig:
    """What a camera does to the light, in its order: blur, noise, gain, tone, grey, JPEG."""

    blur_fraction: float = 0.5
    blur: Range = (0.3, 1.3)
    """Standard deviation of the blur, pixels."""
    noise_fraction: float = 0.6
    shot_noise: Range = (1e-4, 3e-3)
    """Variance per unit of linear light, drawn log-uniformly; the read noise follows from it (Brooks et al. 2019)."""
    gain_spread: float = 0.06
    """Standard deviation of the logarithm of each colour's gain: white balance that misses."""
    contrast: Range = (0.0, 0.6)
    """Share of the smoothstep tone curve."""
    grey_fraction: float = 0.06
    """Fraction of images without colour."""
    jpeg_fraction: float = 0.5
    """Fraction of images saved at a quality from `jpeg_range` instead of the config's `jpeg_quality`."""
    jpeg_range: tuple[int, int] = (35, 90)

    def __post_init__(self) -> None:
        for name in ("blur_fraction", "noise_fraction", "grey_fraction", "jpeg_fraction"):
            _check_fraction(f"image_chain.{name}", getattr(self, name))
        _check_range("image_chain.blur", self.blur, 0, 20)
        _check_range("image_chain.shot_noise", self.shot_noise, 1e-8, 1)
        _check_number("image_chain.gain_spread", self.gain_spread, 0, 1)
        _check_range("image_chain.contrast", self.contrast, 0, 1)
        _check_range("image_chain.jpeg_range", self.jpeg_range, 1, 100)


@dataclasses.dataclass(frozen=True)
class SyntheticFaceConfig:
    """A rendered data set. Together with a face model it determines every byte.

    Raises:
        ValueError: If a field breaks its rule; the message names it.
        FileNotFoundError: If the folder of backgrounds is not there.
    """

    count: int = 1000
    """Images over all splits."""
    image_size: int = 128
    """Side of the square images, pixels."""
    seed: int = 0
    views_per_identity: int = 4
    """Images of each person, differing in expression, pose, light, camera and background."""
    eval_fraction: float = 0.1
    """Fraction of identities in the split `eval`; the others are in `train`."""
    shard_size: int = 200
    """Images in a file, and the unit of work that a killed run repeats."""
    landmark_set: str = contract.LANDMARK_SETS[0]
    """`basel` or `outline`."""
    background: str = PROCEDURAL
    """`procedural`, or a folder with photographs, searched with its subfolders."""
    jpeg_quality: int = 92
    supersample: int = 2
    """Samples along a pixel's side."""
    population: PopulationConfig = PopulationConfig()
    pose: PoseConfig = PoseConfig()
    camera: CameraConfig = CameraConfig()
    light: LightConfig = LightConfig()
    image_chain: ImageChainConfig = ImageChainConfig()

    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {
        # What `make demo` renders: enough for a network to learn where a face is and which way it looks.
        "tiny": {"count": 1200, "image_size": 128, "views_per_identity": 4, "shard_size": 150},
        # 2DASL's training set, 300W-LP: 3,837 photographs profiled to 122,450 views, here 32 of each person.
        "tu2019": {
            "count": 3837 * 32,
            "image_size": 224,
            "views_per_identity": 32,
            "eval_fraction": 0.02,
            "shard_size": 1000,
        },
    }

    def __post_init__(self) -> None:
        for name, least in (("count", 1), ("views_per_identity", 1), ("shard_size", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"`{name}` must be at least {least}. Received: {name}={getattr(self, name)}")
        _check_number("image_size", self.image_size, 32, 2048)
        _check_number("seed", self.seed, 0, 2**63 - 1)
        _check_fraction("eval_fraction", self.eval_fraction)
        _check_number("jpeg_quality", self.jpeg_quality, 1, 100)
        _check_number("supersample", self.supersample, 1, 4)
        if self.landmark_set not in contract.LANDMARK_SETS:
            raise ValueError(
                f"`landmark_set` must be one of {', '.join(contract.LANDMARK_SETS)}. Received: {self.landmark_set!r}"
            )
        if self.background != PROCEDURAL and not Path(self.background).is_dir():
            raise FileNotFoundError(f"`background` must be {PROCEDURAL!r} or a folder. Received: {self.background!r}")

    @property
    def identity_count(self) -> int:
        """People in the data set."""
        return -(-self.count // self.views_per_identity)

    @classmethod
    def preset(cls, name: str, **overrides: Any) -> "SyntheticFaceConfig":
        """A named configuration, with some fields replaced; nested ones by mappings of their fields."""
        return cls.from_values({"preset": name, **overrides})

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "SyntheticFaceConfig":
        """Builds a configuration from parsed JSON: fields, and optionally the `preset` that the others are taken from.

        Raises:
            ValueError: If a key is unknown, a value has the wrong type or breaks its rule, or the preset is unknown.
        """
        if not isinstance(values, Mapping):
            raise ValueError(f"The configuration of rendered faces must be a mapping. Received: {values!r}")
        fields = dict(values)
        name = fields.pop("preset", None)
        if name is not None and not (isinstance(name, str) and name in cls.PRESETS):
            raise ValueError(f"`preset` must be one of {', '.join(cls.PRESETS)}. Received: {name!r}")
        return configuration.from_mapping(cls, {**(cls.PRESETS[name] if name else {}), **fields})

    @classmethod
    def from_json(cls, text: str) -> "SyntheticFaceConfig":
        """`from_values` of a JSON text, as it travels through TFX.

        Raises:
            ValueError: If the text is not JSON, or what `from_values` raises.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"The configuration of rendered faces must be JSON: {error}. Received: {text!r}"
            ) from error
        return cls.from_values(values)

    def to_json(self) -> str:
        """The whole configuration as JSON with sorted keys."""
        return json.dumps(configuration.to_mapping(self), sort_keys=True)
