"""`monoface train locator`: the face locator."""

import pathlib

import click


@click.command("locator")
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
@click.option("--count", type=click.IntRange(min=4), default=12_000, show_default=True, help="Rendered heads.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that render.")
@click.option("--steps", type=click.IntRange(min=1), help="Optimiser steps.  [default: the preset's]")
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of heads, weights and pictures."
)
@click.option("--bfloat16", is_flag=True, help="Multiply in bfloat16, which processors with AMX do faster.")
@click.option(
    "--backgrounds",
    type=click.Path(exists=True, file_okay=False),
    help="Folder with photographs without people to put heads in front of.  [default: procedural pictures]",
)
def command(
    directory: pathlib.Path,
    cutouts: pathlib.Path | None,
    preset: str,
    count: int,
    workers: int,
    steps: int | None,
    seed: int,
    bfloat16: bool,
    backgrounds: str | None,
) -> None:
    """Render heads, paste them into pictures and train the locator on these.

    \b
    Example:
      monoface train locator --out out/locator --backgrounds FOLDER --workers 2

    The weights are OUT/locator.npz; `monoface export landmarks --locator` takes them.
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from components.synthetic_face_gen.config import PROCEDURAL
    from components.synthetic_face_gen.cutouts import background_pictures, locator_training_sets, write_cutouts
    from trainer.landmarks.locator_config import LocatorTrainingConfig
    from trainer.landmarks.locator_train import train_locator
    from trainer.landmarks.scenes import read_cutouts
    from trainer.morphable.default import default_head

    schedule = {} if steps is None else {"steps": steps}
    precision = {"mixed_precision": "mixed_bfloat16"} if bfloat16 else {}
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns) as progress:
        rendering = progress.add_task("rendering heads", total=count // 2 * 2)
        try:
            config = LocatorTrainingConfig.preset(preset, seed=seed, **schedule, **precision)
            training = progress.add_task("training", total=config.schedule.steps)
            # First: what is wrong with the folder is told before an hour of rendering.
            pictures = background_pictures(backgrounds or PROCEDURAL, 400, 2 * config.network.image_size, seed)
            shards = write_cutouts(
                locator_training_sets(count, seed),
                default_head(),
                cutouts or directory / "cutouts",
                lambda images: progress.advance(rendering, images),
                workers,
            )

            def report(step: int, loss: float) -> None:
                progress.update(training, completed=step, description=f"training, loss {loss:.2f}")

            path = train_locator(config, read_cutouts(shards), pictures, directory, report)
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error
    click.echo(path)
