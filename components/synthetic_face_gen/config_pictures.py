"""Parts of `SyntheticFaceConfig`: what is behind and around the face, and what the camera does to it."""

import dataclasses

from components.synthetic_face_gen.config_parts import Range, check_number, check_range


@dataclasses.dataclass(frozen=True)
class SurroundingsConfig:
    """What is behind the face. What is left of the shares below goes to the config's `background`."""

    black: float = 0.0
    """Fraction of views with nothing behind the face."""
    procedural: float = 0.0
    """Fraction of views with a procedural picture even where a folder of photographs is given."""
    renders: float = 0.0
    """Fraction of views with a part of another render, enlarged, behind the face."""
    pool: int = 96
    """Procedural pictures of a data set; images show parts of them, mirrored and tinted."""
    render_pool: int = 32
    """Renders of a data set that stand behind others, likewise."""
    border_fraction: float = 0.0
    """Fraction of views whose picture ends before the image does, as crops that leave a photo; the rest of the image is black,
    grey, the edge repeated, or the picture blurred."""
    border_extent: Range = (0.05, 0.33)
    """Width of such a strip as a fraction of the image's side."""

    def __post_init__(self) -> None:
        for name in ("black", "procedural", "renders", "border_fraction"):
            check_number(f"surroundings.{name}", getattr(self, name), 0, 1)
        if self.black + self.procedural + self.renders > 1 + 1e-9:
            raise ValueError("`surroundings`: the shares black, procedural and renders must sum to at most 1.")
        check_number("surroundings.pool", self.pool, 1, 10_000)
        check_number("surroundings.render_pool", self.render_pool, 1, 10_000)
        check_range("surroundings.border_extent", self.border_extent, 0, 0.5)


@dataclasses.dataclass(frozen=True)
class ImageChainConfig:
    """What a camera does to the light, in its order: blur, noise, gain, tone, grey, resampling, JPEG."""

    blur_fraction: float = 0.5
    blur: Range = (0.3, 1.3)
    """Standard deviation of the blur, pixels."""
    motion_fraction: float = 0.0
    motion: Range = (2.0, 7.0)
    """Length of the path along which the camera shakes, pixels."""
    defocus_fraction: float = 0.0
    defocus: Range = (0.8, 2.2)
    """Radius of the disc that a point out of focus becomes, pixels."""
    noise_fraction: float = 0.6
    shot_noise: Range = (1e-4, 3e-3)
    """Variance per unit of linear light, drawn log-uniformly; the read noise follows from it (Brooks et al. 2019)."""
    gain_spread: float = 0.06
    """Standard deviation of the logarithm of each colour's gain: white balance that misses."""
    contrast: Range = (0.0, 0.6)
    """Share of the smoothstep tone curve."""
    lift: Range = (0.0, 0.0)
    """Veiling light of lens and print: the level of black in the finished picture, in [0, 1]."""
    saturation: Range = (1.0, 1.0)
    """Factor on the distance of colours from grey."""
    grey_fraction: float = 0.06
    """Fraction of images without colour."""
    resample_fraction: float = 0.0
    """Fraction of images made small and enlarged again."""
    resample: Range = (0.4, 0.9)
    """Side of the small image relative to the image's."""
    jpeg_fraction: float = 0.5
    """Fraction of images saved at a quality from `jpeg_range` instead of the config's `jpeg_quality`."""
    jpeg_range: tuple[int, int] = (35, 90)
    half_chroma_fraction: float = 0.7
    """Fraction of images saved with colour at half the resolution, as cameras and web sites do."""

    def __post_init__(self) -> None:
        names = ("blur", "motion", "defocus", "noise", "grey", "resample", "jpeg", "half_chroma")
        for name in names:
            check_number(f"image_chain.{name}_fraction", getattr(self, f"{name}_fraction"), 0, 1)
        check_range("image_chain.blur", self.blur, 0, 20)
        check_range("image_chain.motion", self.motion, 0, 40)
        check_range("image_chain.defocus", self.defocus, 0, 20)
        check_range("image_chain.shot_noise", self.shot_noise, 1e-8, 1)
        check_number("image_chain.gain_spread", self.gain_spread, 0, 1)
        check_range("image_chain.contrast", self.contrast, 0, 1)
        check_range("image_chain.lift", self.lift, 0, 0.5)
        check_range("image_chain.saturation", self.saturation, 0, 3)
        check_range("image_chain.resample", self.resample, 0.1, 1)
        check_range("image_chain.jpeg_range", self.jpeg_range, 1, 100)
