"""`monoface landmarks`: the landmark network that finds faces."""

import pathlib

import click


@click.group()
def command() -> None:
    """Train the landmark network that finds faces in photographs.

    The servable uses it to find the face and its 68 points; released weights are part of the package. Training needs no
    photograph of anyone: it renders its own heads.
    """


@command.command()
@click.option(
    "--out",
    "directory",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    required=True,
    help="Folder for checkpoints, log and weights. A run that was stopped goes on from what it holds.",
)
@click.option(
    "--cutouts",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    help="Folder with the rendered heads; what is missing there is rendered first.  [default: OUT/cutouts]",
)
@click.option("--preset", type=click.Choice(["small", "tiny"]), default="small", show_default=True)
@click.option("--count", type=click.IntRange(min=4), default=15_000, show_default=True, help="Rendered heads.")
@click.option("--steps", type=click.IntRange(min=1), help="Optimiser steps.  [default: the preset's]")
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of heads, weights and pictures."
)
@click.option(
    "--backgrounds",
    type=click.Path(exists=True, file_okay=False),
    help="Folder with photographs without people to put heads in front of.  [default: procedural pictures]",
)
def train(
    directory: pathlib.Path,
    cutouts: pathlib.Path | None,
    preset: str,
    count: int,
    steps: int | None,
    seed: int,
    backgrounds: str | None,
) -> None:
    """Render heads and train the network on them.

    \b
    Example, how the released weights were made:
      monoface landmarks train --out out/landmarks --backgrounds FOLDER

    The weights are OUT/landmarks.npz; copied to trainer/landmarks/assets/ they are the released ones.
    """  # noqa: D301 (\b is how click is told to keep the lines)
    import dataclasses

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from components.synthetic_face_gen.config import PROCEDURAL
    from components.synthetic_face_gen.cutouts import background_pictures, landmark_training_sets, write_cutouts
    from trainer.landmarks.config import LandmarkTrainingConfig
    from trainer.landmarks.train import Trainer
    from trainer.morphable.default import default_head

    config = dataclasses.replace(LandmarkTrainingConfig.preset(preset), seed=seed)
    if steps is not None:
        config = dataclasses.replace(config, steps=steps)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns) as progress:
        rendering = progress.add_task("rendering heads", total=count // 4 * 4)
        training = progress.add_task("training", total=config.steps)
        try:
            trainer = Trainer(config, directory)
            sets = landmark_training_sets(count, seed)
            shards = write_cutouts(
                sets,
                default_head(),
                cutouts or directory / "cutouts",
                lambda images: progress.advance(rendering, images),
            )
            pictures = background_pictures(backgrounds or PROCEDURAL, 400, 160, seed)
        except (ValueError, FileNotFoundError) as error:
            raise click.ClickException(str(error)) from error

        def report(step: int, loss: float) -> None:
            progress.update(training, completed=step, description=f"training, loss {loss:.2f}")

        path = trainer.train(shards, pictures, report)
    click.echo(path)
