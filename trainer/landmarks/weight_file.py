"""A network in one file: its weights in float16, and the configuration that it is built from."""

import io
import json
import os
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any, TypeVar

import keras
import numpy as np

from trainer.configuration import from_mapping, to_mapping

Config = TypeVar("Config")

_CONFIG_ENTRY = "config"


def write(network: keras.Model, config: Any, path: str | os.PathLike[str]) -> None:
    """Writes a network, atomically.

    Args:
        network: The network.
        config: What it was built from, a frozen dataclass.
        path: The `.npz` to write.
    """
    path = pathlib.Path(path)
    arrays: dict[str, Any] = {
        f"weight_{index:03d}": np.asarray(weight, np.float16) for index, weight in enumerate(network.get_weights())
    }
    arrays[_CONFIG_ENTRY] = np.array(json.dumps(to_mapping(config), sort_keys=True))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        file.write(buffer.getvalue())
    temporary = pathlib.Path(file.name)
    temporary.chmod(0o644)  # temporary files are private
    temporary.replace(path)


def read(
    path: str | os.PathLike[str], what: str, kind: type[Config], build: Callable[[Config], keras.Model]
) -> tuple[keras.Model, Config]:
    """Reads what `write` wrote.

    Args:
        path: The `.npz`.
        what: What the file should hold, for the error.
        kind: Class of the configuration.
        build: Builds the network of a configuration.

    Returns:
        The network, weights in float32, and its configuration.

    Raises:
        ValueError: If the file is missing, is not such a file, or its weights do not fit its configuration.
    """
    try:
        # From memory: on a damaged file NumPy leaves its own handle open.
        with np.load(io.BytesIO(pathlib.Path(path).read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        config = from_mapping(kind, json.loads(str(arrays.pop(_CONFIG_ENTRY))))
        if not all(np.isfinite(value).all() for value in arrays.values()):
            raise ValueError("it has weights that are not finite")
        network = build(config)
        network.set_weights([arrays[name].astype(np.float32) for name in sorted(arrays)])
    except Exception as error:  # zip, zlib, header, key and shape errors alike: the file is no such network
        raise ValueError(f"{os.fspath(path)}: not a {what}: {error}") from error
    return network, config
