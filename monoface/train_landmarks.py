"""`monoface train landmarks`: the landmark network."""

import pathlib

import click


@click.command("landmarks")
@click.option(
    "--out",
    "directory",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    required=True,
    help="Folder for checkpoints, log and weights. A run that was stopped goes on from what it holds.",
)
@click.option(
    "--examples",
    "patterns",
    multiple=True,
    required=True,
    help="Pattern of GZIP TFRecord files with examples, as `monoface render` writes them; may be given several times.",
)
@click.option("--preset", type=click.Choice(["small", "paper-size", "tiny"]), default="small", show_default=True)
@click.option("--steps", type=click.IntRange(min=1), help="Optimiser steps.  [default: the preset's]")
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of weights, order and augmentation."
)
@click.option("--bfloat16", is_flag=True, help="Multiply in bfloat16, which processors with AMX do faster.")
def command(
    directory: pathlib.Path, patterns: tuple[str, ...], preset: str, steps: int | None, seed: int, bfloat16: bool
) -> None:
    """Train the landmark network on examples with 68 landmarks.

    \b
    Example:
      monoface render --count 100000 --workers 2 --out faces
      monoface train landmarks --examples 'faces/examples/Split-train/*.gz' --out out/landmarks

    The weights are OUT/landmarks.npz; `monoface export landmarks --network` takes them.
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from trainer.data import find_files
    from trainer.landmarks import canvases
    from trainer.landmarks.config import LandmarkTrainingConfig
    from trainer.landmarks.train import train_landmarks

    schedule = {} if steps is None else {"steps": steps}
    precision = {"mixed_precision": "mixed_bfloat16"} if bfloat16 else {}
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns) as progress:
        cutting = progress.add_task("cutting faces out", total=None)
        try:
            config = LandmarkTrainingConfig.preset(preset, seed=seed, **schedule, **precision)
            files = list(dict.fromkeys(file for pattern in patterns for file in find_files(pattern)))
            faces = canvases.build(
                files,
                config.canvas,
                directory / "canvases",
                lambda count: progress.update(cutting, completed=count),
            )
            progress.update(cutting, total=len(faces), completed=len(faces))
            training = progress.add_task("training", total=config.schedule.steps)

            def report(step: int, loss: float) -> None:
                progress.update(training, completed=step, description=f"training, loss {loss:.2f}")

            path = train_landmarks(config, faces, directory, report)
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error
    click.echo(path)
