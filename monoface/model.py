"""`monoface model`: 3D morphable face models: read them, look at them, build the default head."""

import click

from monoface.verbs import LazyGroup

VERBS = {
    "info": ("monoface.model_info", "What a face model holds: counts, units, landmark sets, licence, hashes."),
    "preview": ("monoface.model_preview", "Picture of a face model: mean, modes, expressions, random people."),
    "convert": ("monoface.model_convert", "Any model that can be read to the native .npz format."),
    "landmarks": ("monoface.model_landmarks", "Draw and check the landmark sets of a face model."),
    "population": ("monoface.model_population", "Compare sampled heads with published human measurements."),
    "build-head": ("monoface.model_build_head", "Build the default head from MakeHuman's CC0 assets."),
    "build-wardrobe": (
        "monoface.model_build_wardrobe",
        "Build what the default head wears from MakeHuman's CC0 assets.",
    ),
}


@click.command(cls=LazyGroup, verbs=VERBS, name="model")
def command() -> None:
    """Read, inspect and build 3D morphable face models.

    \b
    A model is one of
      the default head        whole head with eyes and teeth, CC0; used where no PATH is given
      *.npz                   native file, what `convert` writes
      01_MorphableModel.mat   Basel Face Model 2009; also Model_Shape.mat (300W-LP, AFLW2000-3D)
      model2017*.h5           Basel Face Model 2017 or 2019 (also model2019*.h5)
      a folder                ICT-FaceKit, its face region, or the 2009 files together

    \b
    monoface model info
    monoface model preview ICT-FaceKit --out ict.png
    monoface model convert 01_MorphableModel.mat bfm2009.npz
    """  # noqa: D301 (\b is how click is told to keep the lines)
