"""Parts of `SyntheticFaceConfig`: people, what their faces do, pose, camera and light. Each checks itself at construction."""

import dataclasses
import math
from typing import Final

from trainer import contract

Range = tuple[float, float]

MODES: Final = "modes"
PHYSICAL: Final = "physical"
"""Where skin colours come from: the model's own albedo modes, or melanin and blood (`trainer.morphable.skin`)."""

NO_LIGHT: Final = "none"
AMBIENT: Final = "ambient"
MEASURED: Final = "measured"
ENVIRONMENTS: Final = (NO_LIGHT, AMBIENT, MEASURED)
"""What surrounds the face: nothing, the same white from everywhere, or a draw from the prior of measured light probes."""

OVERHEAD: Final = "overhead"
HALF_SPHERE: Final = "half_sphere"
DIRECTIONS: Final = (OVERHEAD, HALF_SPHERE)
"""Where the parallel light comes from: mostly from above, as lamps and the sun do, or flat over the frontal half sphere."""


def check_range(name: str, value: Range, least: float = -math.inf, most: float = math.inf) -> None:
    """Refuses a range that is not two finite numbers, low ≤ high, within bounds."""
    low, high = value
    if not (least <= low <= high <= most and math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"`{name}` must be two numbers, low ≤ high, within [{least:g}, {most:g}]. Received: {value}")


def check_number(name: str, value: float, least: float, most: float) -> None:
    """Refuses a number outside [least, most], NaN included."""
    if not least <= value <= most:
        raise ValueError(f"`{name}` must be in [{least:g}, {most:g}]. Received: {name}={value}")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuses a name that is none of the choices."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(choices)}. Received: {value!r}")


@dataclasses.dataclass(frozen=True)
class PopulationConfig:
    """Who is rendered."""

    identity_scale: float = 1.0
    """Standard deviation of the identity coefficients, in the face model's own standard deviations."""
    albedo_scale: float = 1.0
    """The same for the albedo coefficients."""
    skin: str = MODES
    """`modes`: the face model's albedo modes alone. `physical`: melanin, blood and details over the whole human range, with the
    modes as the person's own pattern."""
    freeform_sd: float = 0.0
    """Standard deviation of the free-form deformation of nose and chin, lengths of its lattice (piao2019: 0.001); 0 is none."""

    def __post_init__(self) -> None:
        for name in ("identity_scale", "albedo_scale"):
            check_number(f"population.{name}", getattr(self, name), 0, 3)
        check_choice("population.skin", self.skin, (MODES, PHYSICAL))
        check_number("population.freeform_sd", self.freeform_sd, 0, 0.1)


@dataclasses.dataclass(frozen=True)
class ExpressionConfig:
    """What faces do. Natural expressions are mostly mild; see `expressions`."""

    strength: float = 1.0
    """Factor on the weights of natural expressions; 0 renders neutral faces only."""
    strong_fraction: float = 0.1
    """Fraction of views with a grimace: several face units at random, up to their full range."""
    closed_fraction: float = 0.12
    """Fraction of views with eyes at least half closed."""
    gaze_fraction: float = 0.6
    """Fraction of views whose eyes look elsewhere than straight ahead of the head."""

    def __post_init__(self) -> None:
        check_number("expression.strength", self.strength, 0, 3)
        for name in ("strong_fraction", "closed_fraction", "gaze_fraction"):
            check_number(f"expression.{name}", getattr(self, name), 0, 1)


@dataclasses.dataclass(frozen=True)
class PoseConfig:
    """Where heads turn, degrees, by the contract's signs. Yaw is drawn flat."""

    yaw: Range = (-90.0, 90.0)
    pitch: Range = (-40.0, 40.0)
    roll: Range = (-35.0, 35.0)
    step: float = 0.0
    """Angles are whole multiples of so many degrees; 0 is any angle."""
    flat_fraction: float = 0.5
    """Fraction of views whose pitch and roll are drawn flat, too; in the others they lie near their range's middle."""
    shoulder_turn: Range = (0.0, 0.0)
    """Share of the head's turn that the shoulders do not follow; 0 is a bust in one piece."""

    def __post_init__(self) -> None:
        for name, most in (("yaw", 90), ("pitch", 85), ("roll", 180)):
            check_range(f"pose.{name}", getattr(self, name), -most, most)
        check_number("pose.step", self.step, 0, 45)
        check_number("pose.flat_fraction", self.flat_fraction, 0, 1)
        check_range("pose.shoulder_turn", self.shoulder_turn, 0, 1)
        for name in ("yaw", "pitch", "roll"):
            low, high = getattr(self, name)
            if self.step and math.ceil(low / self.step) * self.step > high:
                raise ValueError(
                    f"`pose.{name}` must hold a multiple of `pose.step`. Received: {(low, high)}, {self.step}"
                )


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
    field_of_view: float | None = None
    """Vertical, degrees: a perspective camera of fixed focal length, in which distance sets the size and `face_size` does not
    apply. None: the focal length follows from size and distance."""

    def __post_init__(self) -> None:
        kinds = (contract.SCALED_ORTHOGRAPHIC, contract.PERSPECTIVE)
        if self.kind not in kinds:
            raise ValueError(f"`camera.kind` must be {kinds[0]} or {kinds[1]}. Received: {self.kind!r}")
        check_range("camera.distance", self.distance, 250, 100_000)
        check_range("camera.face_size", self.face_size, 0.05, 2)
        check_number("camera.face_offset", self.face_offset, 0, 1)
        if self.field_of_view is not None:
            check_number("camera.field_of_view", self.field_of_view, 1, 120)
            if self.kind != contract.PERSPECTIVE:
                raise ValueError(f"`camera.field_of_view` must be left out for {self.kind!r}: it is for perspective.")


@dataclasses.dataclass(frozen=True)
class LightConfig:
    """An environment, one parallel light, lamps nearby, and how the camera meters them."""

    environment: str = MEASURED
    """`none`, `ambient` or `measured`."""
    ambient: Range = (1.0, 1.0)
    """Radiance of the environment `ambient`; `measured` has mean luminance 1."""
    parallel_fraction: float = 0.6
    """Fraction of views with a parallel light."""
    parallel_strength: Range = (0.15, 1.2)
    """Irradiance of the parallel light / π, relative to the environment's."""
    parallel_direction: str = OVERHEAD
    """`overhead` or `half_sphere`."""
    warmth: float = 0.12
    """Standard deviation of the parallel light's tint from warm (red) to cold (blue), natural logarithm."""
    white_spread: float = 0.0
    """Standard deviation of each channel of the ambient, diffuse and specular colours around white (piao2019: 0.01)."""
    lamps: tuple[int, int] = (0, 0)
    """Number of point lights, drawn flat; at most 8."""
    lamp_distance: Range = (1000.0, 4000.0)
    """From the face, millimetres, drawn log-uniformly."""
    lamp_strength: Range = (0.2, 0.8)
    """What a white surface that faces the lamp sends back, relative to the environment's light."""
    kelvin_spread: float = 0.05
    """Relative standard deviation of lamps' colour temperatures around those of common light sources."""
    follows_head: bool = False
    """Whether the light stands still beside the person while cameras go round; else it stays with the camera."""
    skin_exposure: float = 0.0
    """Share of the darkness of skin that the exposure makes good, in the logarithm: 0 exposes for the light alone."""
    exposure_spread: float = 0.3
    """Standard deviation of the natural logarithm of the exposure."""
    white_balance: float = 0.75
    """Share of the light's tint that the camera takes out."""
    metered: bool = True
    """Whether the camera exposes for the light that falls on the face; else light has the strength given above."""
    shadow_fraction: float = 0.0
    """Fraction of views in which the parallel light casts a soft shadow."""
    specular: Range = (0.005, 0.05)
    """Share of the light that the skin mirrors."""
    specular_complement: bool = False
    """Whether the mirrored share is c - c K_d, c drawn from `specular` and K_d the diffuse colour (genova2018)."""
    shininess: Range = (6.0, 30.0)
    """Phong exponent."""

    def __post_init__(self) -> None:
        check_choice("light.environment", self.environment, ENVIRONMENTS)
        check_choice("light.parallel_direction", self.parallel_direction, DIRECTIONS)
        for name in ("ambient", "parallel_strength", "lamp_strength"):
            check_range(f"light.{name}", getattr(self, name), 0, 10)
        for name in ("parallel_fraction", "white_balance", "shadow_fraction", "skin_exposure"):
            check_number(f"light.{name}", getattr(self, name), 0, 1)
        check_number("light.warmth", self.warmth, 0, 2)
        check_number("light.white_spread", self.white_spread, 0, 0.5)
        check_range("light.lamps", self.lamps, 0, 8)
        check_range("light.lamp_distance", self.lamp_distance, 300, 100_000)
        check_number("light.kelvin_spread", self.kelvin_spread, 0, 0.5)
        check_number("light.exposure_spread", self.exposure_spread, 0, 2)
        check_range("light.specular", self.specular, 0, 1)
        check_range("light.shininess", self.shininess, 1, 1000)
        parallel = self.parallel_fraction == 1 and self.parallel_strength[0] > 0
        if self.environment == NO_LIGHT and not parallel and not self.lamps[0]:
            raise ValueError("`light` must have an environment, a parallel light in every view, or a lamp: it is dark.")
