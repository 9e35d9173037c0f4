"""The `monoface` command. Verbs live in files of their own and are imported when they are called, so that help is instant."""

import importlib
import logging
import os
import warnings

import click

VERBS = {
    "preview": "Contact sheet of rendered faces.",
    "run": "Run the local pipeline: render, train, evaluate, gate, push.",
    "reconstruct": "Photographs to landmarks, pose and mesh with a pushed or served model.",
    "serve": "Serve a pushed model over gRPC and REST, as TensorFlow Serving would.",
    "model": "Build and inspect 3D morphable face models.",
    "landmarks": "Train the landmark network that finds faces.",
}


class Verbs(click.Group):
    """A group whose commands are modules of this package, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which a newcomer wants them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The verb's command, or None for an unknown verb."""
        if name not in VERBS:
            return None
        return importlib.import_module(f"monoface.{name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="monoface")
def command() -> None:
    """Monocular 3D face reconstruction: one photograph in; landmarks, pose and mesh out.

    \b
    Start with:
      monoface preview                            what the rendered training faces look like
      monoface run --preset tiny                  train a small model with the local pipeline
      monoface reconstruct PHOTO.jpg --out DIR    use the model that the pipeline pushed

    Every command explains itself with --help.
    """  # noqa: D301 (\b is how click is told to keep the lines)


def main() -> None:
    """Entry point: quiet libraries, then the command."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GLOG_minloglevel", "2")
    # Google's clients announce at import that they no longer support Python 3.10, at which TFX holds us.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")
    logging.getLogger("absl").setLevel(logging.ERROR)
    command()
