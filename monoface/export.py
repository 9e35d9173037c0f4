"""`monoface export`: networks as SavedModels."""

import click

from monoface.verbs import LazyGroup

VERBS = {
    "landmarks": (
        "monoface.export_landmarks",
        "The landmark network and the locator, which find every face and its points.",
    ),
}


@click.command(cls=LazyGroup, verbs=VERBS, name="export")
def command() -> None:
    """Write released networks as SavedModels, for TensorFlow Serving, KServe, `monoface serve` or TensorFlow itself.

    A model that the pipeline trains is exported by the pipeline: `monoface run`.

    \b
    monoface export landmarks out/serving/landmarks/1
    monoface serve --model out/serving/landmarks --name landmarks
    """  # noqa: D301 (\b is how click is told to keep the lines)
