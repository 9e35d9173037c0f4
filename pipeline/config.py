"""What a pipeline runs on: paths, data, model and thresholds, from a YAML or JSON file or a preset by name.

Everything is checked when it is read, the components' own configurations too: before any work starts.
"""

import dataclasses
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from components.face_trainer.config import FaceTrainerConfig
from components.landmark_detector.config import LandmarkDetectorConfig
from components.landmark_trainer.config import LandmarkTrainerConfig
from components.photo_example_gen.config import PhotoConfig
from components.photo_report.config import PhotoReportConfig
from components.synthetic_face_gen.config import SyntheticFaceConfig
from trainer import contract
from trainer.configuration import from_mapping

METRICS: Final[dict[str, tuple[str, str]]] = {
    "nme_sqrt_box_balanced": ("sqrt_box", "balanced"),
    "nme_sqrt_box": ("sqrt_box", "image"),
    "nme_box_width": ("box_width", "image"),
    "nme_interocular": ("interocular", "image"),
}
"""Every metric's name → its normaliser and its average, see `pipeline/nme_metric.py`."""

DEFAULT_FACE_MODEL: Final = "default"


@dataclasses.dataclass(frozen=True)
class EvaluationConfig:
    """What the release gate asks of a model."""

    metric: str = "nme_sqrt_box_balanced"
    """Which of `METRICS` decides. All are computed and reported."""
    upper_bound: float = 0.05
    """Largest value that is pushed, a fraction: 0.05 is 5 %."""
    max_increase: float | None = 0.0
    """Largest growth over the last blessed model on the same images, a fraction; None does not compare."""
    upper_bound_per_bin: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """|yaw| bin (`0-30`, `30-60`, `60-90`) → largest value there, a fraction. A bin named here must hold images."""

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise ValueError(f"`metric` must be one of {', '.join(METRICS)}. Received: {self.metric!r}.")
        if not self.upper_bound > 0:
            raise ValueError(f"`upper_bound` must be positive. Received: {self.upper_bound}.")
        if self.max_increase is not None and not self.max_increase >= 0:
            raise ValueError(f"`max_increase` must be 0 or more. Received: {self.max_increase}.")
        for name, bound in self.upper_bound_per_bin.items():
            if name not in contract.YAW_BINS:
                raise ValueError(
                    f"`upper_bound_per_bin` must name bins of {', '.join(contract.YAW_BINS)}. Received: {name!r}."
                )
            if isinstance(bound, bool) or not isinstance(bound, int | float) or not bound > 0:
                raise ValueError(f"`upper_bound_per_bin` must hold positive numbers. Received: {name}={bound!r}.")


@dataclasses.dataclass(frozen=True)
class PipelineConfig:
    """One pipeline. Relative paths are relative to the folder in which it is started."""

    name: str = "monoface"
    """Under which metadata and caches are kept: a run resumes the work of earlier runs of the same name."""
    pipeline_root: str = "out/pipeline"
    """Folder, or gs:// address, of everything that the pipeline makes on its way."""
    metadata_path: str = "out/metadata.sqlite"
    """SQLite file with the lineage; used by the local runner."""
    serving_dir: str = "out/serving/monoface"
    """Folder, or address, to which a model that passes is pushed, as `<serving_dir>/<version>`: what TensorFlow Serving takes
    as a model's base path."""
    morphable_model: str = DEFAULT_FACE_MODEL
    """`default`, or a 3D morphable face model: a native `.npz`, Basel's `.mat` or `.h5`, or an ICT-FaceKit folder."""
    morphable_model_sha256: str | None = None
    """Hash that the face model must have, its own or that of its files; `monoface model info` prints both. None takes any."""
    synthetic: Mapping[str, Any] = dataclasses.field(default_factory=lambda: {"preset": "tu2019"})
    """Rendered faces: `preset` and fields of SyntheticFaceConfig."""
    photos: str | None = None
    """Folder of photographs, with labels or without, or a manifest (`docs/photos.md`); None leaves the photo branch out."""
    photo_examples: PhotoConfig = dataclasses.field(default_factory=PhotoConfig)
    """How photographs are read."""
    landmark_detector: LandmarkDetectorConfig = dataclasses.field(default_factory=LandmarkDetectorConfig)
    """How faces are found in them."""
    photo_report: PhotoReportConfig = dataclasses.field(default_factory=PhotoReportConfig)
    """What counts as drift between spans of photographs, and as skew between them and rendered faces."""
    landmarks: LandmarkTrainerConfig | None = None
    """How the landmark network is trained that finds the face's points for the model: `preset`, `overrides`, `photo_share`. None
    takes the released one."""
    trainer: FaceTrainerConfig = dataclasses.field(default_factory=lambda: FaceTrainerConfig(preset="paper"))
    """Which model is trained and how: `model`, `preset` and `overrides` of its configuration."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """The release gate."""
    beam_args: tuple[str, ...] = ()
    """Options of Apache Beam, passed through untouched, such as `--runner=FlinkRunner`. Without a `--runner`, Beam runs in
    the process of the pipeline."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}", self.name):
            raise ValueError(
                f"`name` must be letters, digits, - and _, a letter first, 63 at most. Received: {self.name!r}."
            )
        for field in ("pipeline_root", "metadata_path", "serving_dir"):
            if not getattr(self, field).strip():
                raise ValueError(f"`{field}` must name a path. Received: {getattr(self, field)!r}.")
        for argument in self.beam_args:
            if not argument.startswith("-"):
                raise ValueError(f"`beam_args` must be options such as --runner=NAME. Received: {argument!r}.")
        named = self.morphable_model != DEFAULT_FACE_MODEL and is_local(self.morphable_model)
        if named and not Path(self.morphable_model).exists():
            raise ValueError(
                f"`morphable_model` must be `default`, a file or a folder. There is no {self.morphable_model}."
            )
        if self.morphable_model_sha256 and not re.fullmatch(r"[0-9a-f]{64}", self.morphable_model_sha256):
            raise ValueError(
                f"`morphable_model_sha256` must be 64 hexadecimal digits. Received: {self.morphable_model_sha256!r}."
            )
        try:
            SyntheticFaceConfig.from_values(self.synthetic)
        except (ValueError, FileNotFoundError) as error:
            raise ValueError(f"`synthetic`: {error}") from error
        if self.photos is not None and is_local(self.photos) and not Path(self.photos).exists():
            raise ValueError(f"`photos` must be a folder or a manifest. There is no {self.photos}.")

    @classmethod
    def preset(cls, name: str) -> "PipelineConfig":
        """A configuration by name, one of `PRESETS`.

        Raises:
            ValueError: If there is no such preset.
        """
        if name not in PRESETS:
            raise ValueError(f"`preset` must be one of {', '.join(PRESETS)}. Received: {name!r}.")
        return from_mapping(cls, PRESETS[name])

    @classmethod
    def load(cls, path: str | os.PathLike[str], preset: str | None = None) -> "PipelineConfig":
        """A configuration from a YAML or JSON file. Its key `preset` names the preset that its other keys override.

        Args:
            path: The file; `.json` is read as JSON, everything else as YAML.
            preset: Preset to start from where the file names none.

        Raises:
            ValueError: If the file is missing, not YAML or JSON, not a mapping, or a key or value is wrong; the message
                names the file.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
            values = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        except OSError as error:
            raise ValueError(f"{path}: cannot be read: {error.strerror}.") from error
        except (ValueError, yaml.YAMLError) as error:
            raise ValueError(f"{path}: not valid {'JSON' if path.suffix == '.json' else 'YAML'}: {error}") from error
        if values is None:
            values = {}
        if not isinstance(values, Mapping):
            raise ValueError(f"{path}: must hold a mapping of field names to values. Received: {values!r}")
        values = dict(values)
        try:
            base = PRESETS[_preset_name(values.pop("preset", preset))]
            return from_mapping(cls, merged(base, values))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def replace(self, **changes: Any) -> "PipelineConfig":
        """A copy with some fields changed, checked like a new one."""
        return dataclasses.replace(self, **changes)

    def below(self, folder: str) -> "PipelineConfig":
        """A copy that keeps everything it makes in one folder, laid out like the default `out`."""
        return self.replace(
            pipeline_root=f"{folder}/pipeline",
            metadata_path=f"{folder}/metadata.sqlite",
            serving_dir=f"{folder}/serving/monoface",
        )


PRESETS: Final[dict[str, dict[str, Any]]] = {
    # The paper predicts 10 expressions, the first principal modes of its face model. The default head's are single face units in
    # no order of size: all of them count.
    "default": {"trainer": {"model": "tu2019", "preset": "paper", "overrides": {"expression_count": 52}}},
    "tiny": {
        "name": "monoface-tiny",
        "synthetic": {"preset": "tiny"},
        "trainer": {"model": "tu2019", "preset": "tiny"},
        "evaluation": {"upper_bound": 0.06, "max_increase": 0.01},
    },
}
"""Preset → fields that differ from the defaults. `tiny` runs on a laptop in minutes and shows that everything works;
`default` is the paper's schedule."""


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it; the mappings of `evaluation` and `trainer` are merged, all else is replaced."""
    result = dict(base)
    for key, value in changes.items():
        before = result.get(key)
        if key in {"evaluation", "trainer", "synthetic"} and isinstance(before, Mapping) and isinstance(value, Mapping):
            value = {**before, **value}
        result[key] = value
    return result


def is_local(path: str) -> bool:
    """Whether a path is a file's, not an address such as gs://bucket/folder."""
    return "://" not in path


def _preset_name(name: Any) -> str:
    if name is None:
        return "default"
    if not isinstance(name, str) or name not in PRESETS:
        raise ValueError(f"`preset` must be one of {', '.join(PRESETS)}. Received: {name!r}.")
    return name
