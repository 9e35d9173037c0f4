"""`tf.Example` records by the contract: encode and decode, with every key, type and length checked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer import contract


def encode(features: Mapping[str, Any]) -> bytes:
    """Serialises features into a `tf.Example`, the same bytes for the same features.

    Args:
        features: Contract key to value: `str` or `bytes`, a number, or an array that is flattened in C order.

    Returns:
        The serialised example.

    Raises:
        ValueError: If a key is not in the contract, a value has the wrong length, or a float is not finite.
    """
    example = tf.train.Example()
    for key in sorted(features):
        if key not in contract.FEATURES:
            raise ValueError(f"`{key}` is not a feature of the contract.")
        kind, length = contract.FEATURES[key]
        feature = example.features.feature[key]
        value = features[key]
        if kind == "bytes":
            feature.bytes_list.value.append(value.encode() if isinstance(value, str) else bytes(value))
            continue
        flat = np.asarray(value, np.float32 if kind == "float" else np.int64).reshape(-1)
        if length is not None and flat.size != length:
            raise ValueError(f"`{key}` must have {length} values. Received: {flat.size}")
        if kind == "float":
            if not np.isfinite(flat).all():
                raise ValueError(f"`{key}` must be finite.")
            feature.float_list.value.extend(flat.tolist())
        else:
            feature.int64_list.value.extend(flat.tolist())
    return example.SerializeToString(deterministic=True)


def decode(serialized: bytes) -> dict[str, Any]:
    """Reads a serialised `tf.Example`.

    Returns:
        Contract key to value: `bytes` for images, `str` for other bytes features, a Python number where the contract has
        one value, else a flat `float32` or `int64` array.

    Raises:
        ValueError: If the bytes are not a `tf.Example`.
    """
    try:
        example = tf.train.Example.FromString(serialized)
    except Exception as error:  # protobuf's DecodeError lives in a private module of whichever implementation is loaded
        raise ValueError(f"Not a serialised tf.Example: {error}") from error
    features: dict[str, Any] = {}
    for key, feature in example.features.feature.items():
        kind, length = contract.FEATURES.get(key, contract.Feature("", None))
        if kind == "bytes":
            value = feature.bytes_list.value[0]
            features[key] = value if key == contract.IMAGE_ENCODED else value.decode()
        elif kind == "float":
            values = np.array(feature.float_list.value, np.float32)
            features[key] = float(values[0]) if length == 1 else values
        elif kind == "int64":
            integers = np.array(feature.int64_list.value, np.int64)
            features[key] = int(integers[0]) if length == 1 else integers
    return features
