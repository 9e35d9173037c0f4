"""`monoface evaluate`: the released networks on faces with known landmarks."""

import click

from monoface.verbs import LazyGroup

VERBS = {
    "landmarks": ("monoface.evaluate_landmarks", "The landmark network, the boxes given."),
}


@click.command(cls=LazyGroup, verbs=VERBS, name="evaluate")
def command() -> None:
    """Measure the networks that find faces and their landmarks, with pictures of what they get wrong.

    Models of the papers are evaluated by the pipeline: `monoface run`.
    """
