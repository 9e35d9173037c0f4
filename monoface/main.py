"""The `monoface` command. Verbs live in files of their own and are imported when they are called, so that help is instant."""

import logging
import os
import warnings

import click

from monoface.verbs import LazyGroup

VERBS = {
    "preview": ("monoface.preview", "Contact sheet of rendered faces."),
    "render": ("monoface.render", "A data set of rendered faces in a folder; other machines through Beam."),
    "photos": ("monoface.photos", "Photographs with landmarks as a data set in a folder."),
    "run": ("monoface.run", "Run the local pipeline: render, train, evaluate, gate, push."),
    "landmarks": ("monoface.landmarks", "The 68 points of every face on photographs, with the released networks."),
    "reconstruct": ("monoface.reconstruct", "Photographs to landmarks, pose and mesh with a pushed or served model."),
    "serve": ("monoface.serve", "Serve a pushed model over gRPC and REST, as TensorFlow Serving would."),
    "export": ("monoface.export", "Write the released networks as SavedModels."),
    "train": ("monoface.train", "Train the networks that find faces and their landmarks."),
    "evaluate": ("monoface.evaluate", "Measure these networks, with pictures of what they get wrong."),
    "model": ("monoface.model", "Read, inspect and build 3D morphable face models."),
    "report": ("monoface.report", "How photographs differ from earlier ones and from rendered faces."),
    "manifest": ("monoface.manifest", "A manifest of photographs and labels that come in other forms."),
}


@click.command(cls=LazyGroup, verbs=VERBS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="monoface")
def command() -> None:
    """Monocular 3D face reconstruction: one photograph in; landmarks, pose and mesh out.

    \b
    Start with:
      monoface landmarks PHOTO.jpg                the points of the faces on a photo, without any training
      monoface preview                            what the rendered training faces look like
      monoface run --preset tiny                  train a small model with the local pipeline
      monoface reconstruct PHOTO.jpg --out DIR    use the model that the pipeline pushed

    Every command explains itself with --help.
    """  # noqa: D301 (\b is how click is told to keep the lines)


def main() -> None:
    """Entry point: quiet libraries, then the command."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GLOG_minloglevel", "2")
    # Google's clients announce at import that they no longer support Python 3.10, at which TFX holds us; in workers, too.
    os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning:google.api_core._python_version_support")
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")
    logging.getLogger("absl").setLevel(logging.ERROR)
    command()
