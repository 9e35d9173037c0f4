"""`monoface export landmarks`: the released networks as a SavedModel."""

from pathlib import Path

import click


@click.command("landmarks")
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--set",
    "landmark_set",
    type=click.Choice(["basel", "outline"]),
    default="basel",
    show_default=True,
    help="Which points it gives: see `monoface landmarks --help`.",
)
@click.option("--flip", is_flag=True, help="Average with the mirrored face: a little better, takes twice as long.")
@click.option(
    "--network",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Weights of another landmark network, as `monoface train landmarks` writes them.  [default: the released ones]",
)
@click.option(
    "--locator",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Weights of another locator, as `monoface train locator` writes them.  [default: the released ones]",
)
def command(directory: Path, landmark_set: str, flip: bool, network: Path | None, locator: Path | None) -> None:
    """Write the landmark network and the locator as a SavedModel to DIR; one that is there is replaced.

    \b
    Signatures, all from `image_bytes`, JPEG or PNG:
      serving_default   the most prominent face of each photo: box, landmarks [68, 3], pose, confidence
      with_box          the face in a given box of each photo
      faces             all faces: the same, and image_index, which photo each is on
      examples          serialised tf.Examples with image and box, for TFMA

    For a server, DIR is a number in a directory of versions: out/serving/landmarks/1.
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from trainer.export_landmarks import export_landmarks
    from trainer.landmarks import locator as locators
    from trainer.landmarks import network as networks
    from trainer.landmarks import released
    from trainer.landmarks.finder import FaceNetworks
    from trainer.morphable.default import default_head

    try:
        model, config = networks.load(network or released.PATH)
        finds = FaceNetworks(model, locators.load(locator or released.LOCATOR_PATH)[0])
        written = export_landmarks(finds, default_head(), directory, config.margin, landmark_set, flip)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(written)
