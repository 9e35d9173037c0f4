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
        ValueError: If a key is not in the contract, a value has the wrong type or length, or a float is not finite.
    """
    example = tf.train.Example()
    for key in sorted(features):
        if key not in contract.FEATURES:
            raise ValueError(f"`{key}` is not a feature of the contract.")
        kind, length = contract.FEATURES[key]
        feature = example.features.feature[key]
        value = features[key]
        if kind == "bytes":
            if not isinstance(value, str | bytes):
                raise ValueError(f"`{key}` must be text or bytes. Received: {value!r}")
            feature.bytes_list.value.append(value.encode() if isinstance(value, str) else value)
            continue
        flat = np.asarray(value, np.float32 if kind == "float" else np.int64).reshape(-1)
        if length is not None and flat.size != length:
            raise ValueError(f"`{key}` must have {length} values. Received: {flat.size}")
        if kind == "float":
            if not np.isfinite(flat).all():
                raise ValueError(f"`{key}` must be finite.")
            feature.float_list.value.extend(flat.tolist())
        else:
            if not np.array_equal(flat, np.asarray(value).reshape(-1)):
                raise ValueError(f"`{key}` must be whole numbers. Received: {value!r}")
            feature.int64_list.value.extend(flat.tolist())
    return example.SerializeToString(deterministic=True)


def decode(serialized: bytes) -> dict[str, Any]:
    """Reads a serialised `tf.Example`.

    Returns:
        Contract key to value: `bytes` for images, `str` for other bytes features, a Python number where the contract has
        one value, else a flat `float32` or `int64` array. Keys that the contract does not know are left out.

    Raises:
        ValueError: If the bytes are not a `tf.Example`, or a feature has the wrong type or length.
    """
    try:
        example = tf.train.Example.FromString(serialized)
    except Exception as error:  # protobuf's DecodeError lives in a private module of whichever implementation is loaded
        raise ValueError(f"Not a serialised tf.Example: {error}") from error
    return {key: _value(key, feature) for key, feature in example.features.feature.items() if key in contract.FEATURES}


def _value(key: str, feature: Any) -> Any:
    """One feature's value, checked against the contract."""
    kind, length = contract.FEATURES[key]
    if feature.WhichOneof("kind") != f"{kind}_list":
        raise ValueError(f"`{key}` must hold {kind}. Received: {feature.WhichOneof('kind')}")
    values = getattr(feature, f"{kind}_list").value
    if length is not None and len(values) != length:
        raise ValueError(f"`{key}` must have {length} values. Received: {len(values)}")
    if kind == "bytes":
        if key == contract.IMAGE_ENCODED:
            return values[0]
        try:
            return values[0].decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"`{key}` must be UTF-8. Received: {values[0]!r}") from error
    if length == 1:
        return values[0]
    return np.array(values, np.float32 if kind == "float" else np.int64)
