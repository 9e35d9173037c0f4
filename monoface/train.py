"""`monoface train`: the networks whose weights are released."""

import click

from monoface.verbs import LazyGroup

VERBS = {
    "landmarks": ("monoface.train_landmarks", "The landmark network, on examples of rendered faces, or of photos."),
    "locator": ("monoface.train_locator", "The face locator, on heads that it renders itself."),
}


@click.command(cls=LazyGroup, verbs=VERBS, name="train")
def command() -> None:
    """Train the networks that find faces and their landmarks.

    Models of the papers are trained by the pipeline: `monoface run`. A training that was stopped goes on from its folder, and
    is refused there if its configuration has changed.

    \b
    monoface render --count 100000 --workers 2 --out faces
    monoface train landmarks --examples 'faces/examples/Split-train/*.gz' --out out/landmarks
    monoface train locator --out out/locator --backgrounds FOLDER
    """  # noqa: D301 (\b is how click is told to keep the lines)
