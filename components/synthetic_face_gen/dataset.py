"""A rendered data set as a folder, without a pipeline around it: `monoface render`.

Layout: `morphable_model/model.npz`, `examples/Split-train/data-00000-of-00008.gz` (GZIP TFRecord of `tf.Example`), likewise
`Split-eval`, `dead_letters/dead_letters-*.jsonl`, and `dataset.json` with everything that the examples depend on, which is
written last: a folder that has it is whole.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from components import records
from components.morphable_model_gen import storage
from components.synthetic_face_gen import sharding, transforms
from components.synthetic_face_gen.config import SyntheticFaceConfig
from trainer.morphable.model import MorphableModel

EXAMPLES: Final = "examples"
DEAD_LETTERS: Final = "dead_letters"
MODEL: Final = "morphable_model"
DESCRIPTION: Final = "dataset.json"
"""Names in the folder of a data set."""


def write_dataset(
    config: SyntheticFaceConfig,
    model: MorphableModel,
    directory: str | os.PathLike[str],
    beam_arguments: Sequence[str] = (),
) -> bool:
    """Renders a data set into a folder. A run that was killed goes on where it was when it is started again.

    Args:
        config: The data set.
        model: The face model.
        directory: Where it goes; made if absent.
        beam_arguments: Options for Beam, passed through as they are; without a `--runner` it runs in this process.

    Returns:
        Whether anything had to be rendered: False where the folder already holds this very data set.

    Raises:
        ValueError: If the folder holds another data set, or one that was begun with another configuration or model.
        FileNotFoundError: If the folder of backgrounds holds no photographs.
        RuntimeError: If not one image could be rendered, or another run is at the same work.
    """
    folder = Path(directory).absolute()
    work = transforms.work_of(config, model)
    description = json.dumps(work, indent=1, sort_keys=True)
    finished, begun = folder / DESCRIPTION, folder / f"{records.UNFINISHED}-{DESCRIPTION}"
    for path in (finished, begun):
        if path.exists() and path.read_text() != description:
            raise ValueError(
                f"`directory` must be empty or hold the same data set; {path} tells of another one. Received: {folder}"
            )
    examples = str(folder / EXAMPLES)
    whole = (finished.exists() or begun.exists()) and all(
        records.is_finished(examples, shard) for shard in sharding.shards(config)
    )
    if finished.exists() and whole:
        return False
    if whole:
        begun.replace(finished)  # killed between the last shard and the last line below
        return True
    folder.mkdir(parents=True, exist_ok=True)
    records.write_file(str(folder), str(begun), description.encode())
    model_uri = str(folder / MODEL)
    storage.save_model(model, model_uri)
    pipeline = transforms.local_pipeline(beam_arguments)
    transforms.generate(pipeline, config, model_uri, examples, str(folder / DEAD_LETTERS))
    begun.replace(finished)
    return True
