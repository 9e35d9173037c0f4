"""What `synthetic_face_gen` renders: how many faces of whom, in which pose, light and surroundings, through which camera.

Every field is checked at construction, before any work. `SyntheticFaceConfig.from_values` reads the JSON that the component
takes: an optional `preset` of `presets.PRESETS`, the rest overrides of its fields, nested ones included. Every ingredient of a
picture is a switch, and draws its chance from a stream of its own: turned off, all others stay what they were.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from components.synthetic_face_gen.config_parts import (
    CameraConfig,
    ExpressionConfig,
    LightConfig,
    PopulationConfig,
    PoseConfig,
    check_choice,
    check_number,
)
from components.synthetic_face_gen.config_pictures import ImageChainConfig, SurroundingsConfig
from components.synthetic_face_gen.presets import PRESETS
from trainer import configuration, contract
from trainer.wardrobe.dressing import WardrobeConfig

PROCEDURAL: Final = "procedural"
"""The background that needs no files."""


SHADINGS: Final = ("sample", "vertex")
"""Where light is computed, see `trainer.rendering.forward.render_scene`."""


@dataclasses.dataclass(frozen=True)
class PairedSetConfig:
    """Expression, pose, light and colour as normal distributions with the statistics of a set of photographs with known
    parameters, narrowed (gecer2018). See `paired_set` for the file.
    """

    statistics: str = ""
    """JSON file of means and covariances; what it lacks, or everything without a file, follows the other fields' own draws."""
    expression_divisor: float = 2.0
    """The expression's covariance is divided by this."""
    pose_divisor: float = 3.0
    light_divisor: float = 3.0
    color_divisor: float = 3.0

    def __post_init__(self) -> None:
        for name in ("expression", "pose", "light", "color"):
            check_number(f"paired_set.{name}_divisor", getattr(self, f"{name}_divisor"), 0.01, 1e6)
        if self.statistics and not Path(self.statistics).is_file():
            raise FileNotFoundError(f"`paired_set.statistics` must be a JSON file. Received: {self.statistics!r}")


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
    """Images of each person."""
    views_per_moment: int = 1
    """Images of one instant: several cameras see the same expression, clothes and light. Other images of a person differ in
    all but shape and skin."""
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
    shading: str = SHADINGS[0]
    """`sample`: each sample of a pixel by its own normal. `vertex`: light is computed at the vertices, in two thirds of the time;
    on a mesh about as fine as the samples the picture is the same."""
    population: PopulationConfig = dataclasses.field(default_factory=PopulationConfig)
    expression: ExpressionConfig = dataclasses.field(default_factory=ExpressionConfig)
    wardrobe: WardrobeConfig | None = None
    """What heads wear; None is the bare head."""
    pose: PoseConfig = dataclasses.field(default_factory=PoseConfig)
    camera: CameraConfig = dataclasses.field(default_factory=CameraConfig)
    light: LightConfig = dataclasses.field(default_factory=LightConfig)
    paired_set: PairedSetConfig | None = None
    """Draws expression, pose, light and colour like a given set; None draws them as the fields above say."""
    surroundings: SurroundingsConfig = dataclasses.field(default_factory=SurroundingsConfig)
    image_chain: ImageChainConfig = dataclasses.field(default_factory=ImageChainConfig)

    PRESETS: ClassVar[dict[str, dict[str, Any]]] = PRESETS

    def __post_init__(self) -> None:
        for name in ("count", "views_per_identity", "views_per_moment", "shard_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={getattr(self, name)}")
        if self.views_per_identity % self.views_per_moment:
            raise ValueError(
                "`views_per_identity` must be a multiple of `views_per_moment`. "
                f"Received: {self.views_per_identity} and {self.views_per_moment}"
            )
        check_number("image_size", self.image_size, 32, 2048)
        check_number("seed", self.seed, 0, 2**63 - 1)
        check_number("eval_fraction", self.eval_fraction, 0, 1)
        check_number("jpeg_quality", self.jpeg_quality, 1, 100)
        check_number("supersample", self.supersample, 1, 4)
        check_choice("shading", self.shading, SHADINGS)
        check_choice("landmark_set", self.landmark_set, contract.LANDMARK_SETS)
        if self.background != PROCEDURAL and not Path(self.background).is_dir():
            raise FileNotFoundError(f"`background` must be {PROCEDURAL!r} or a folder. Received: {self.background!r}")

    @property
    def identity_count(self) -> int:
        """People in the data set."""
        return -(-self.count // self.views_per_identity)

    def identity_of(self, index: int) -> tuple[int, int]:
        """Identity and view of an image.

        Args:
            index: Number of the image, in [0, count).
        """
        return divmod(index, self.views_per_identity)

    @classmethod
    def preset(cls, name: str, **overrides: Any) -> "SyntheticFaceConfig":
        """A named configuration, with some fields replaced; nested ones by mappings of their fields, over the preset's."""
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
        return configuration.from_mapping(cls, configuration.overlaid(cls.PRESETS[name], fields) if name else fields)

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
