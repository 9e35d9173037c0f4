"""`tf.Example` records by the contract: encode and decode, with every key, type and length checked.

`tf.train.Example` is declared to protobuf here (tensorflow/core/example/{example,feature}.proto; the bytes are the same): to
import TensorFlow takes seconds and hundreds of megabytes, which a process that only renders and writes need not spend.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

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
    example = Example()
    entries = example.features.feature
    for key in sorted(features):
        if key not in contract.FEATURES:
            raise ValueError(f"`{key}` is not a feature of the contract.")
        kind, length = contract.FEATURES[key]
        feature, value = entries[key], features[key]
        if kind == "bytes":
            if not isinstance(value, str | bytes):
                raise ValueError(f"`{key}` must be text or bytes. Received: {value!r}")
            feature.bytes_list.value.append(value.encode() if isinstance(value, str) else value)
            continue
        if kind == "int64" and length == 1 and type(value) is int:
            feature.int64_list.value.append(value)
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
        example = Example.FromString(serialized)
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


_FIELD = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "monoface.example"


def _lists(file: descriptor_pb2.FileDescriptorProto) -> None:
    """BytesList, FloatList and Int64List: `repeated … value = 1`, numbers packed."""
    for name, kind in (
        ("BytesList", _FIELD.TYPE_BYTES),
        ("FloatList", _FIELD.TYPE_FLOAT),
        ("Int64List", _FIELD.TYPE_INT64),
    ):
        field = file.message_type.add(name=name).field.add(
            name="value", number=1, type=kind, label=_FIELD.LABEL_REPEATED
        )
        field.options.packed = kind != _FIELD.TYPE_BYTES


def _feature(file: descriptor_pb2.FileDescriptorProto) -> None:
    """Feature: one of the lists."""
    message = file.message_type.add(name="Feature")
    message.oneof_decl.add(name="kind")
    for number, (name, kind) in enumerate(
        (("bytes_list", "BytesList"), ("float_list", "FloatList"), ("int64_list", "Int64List")), start=1
    ):
        message.field.add(
            name=name,
            number=number,
            type=_FIELD.TYPE_MESSAGE,
            label=_FIELD.LABEL_OPTIONAL,
            type_name=f".{_PACKAGE}.{kind}",
            oneof_index=0,
        )


def _example(file: descriptor_pb2.FileDescriptorProto) -> None:
    """Features: `map<string, Feature> feature = 1`; Example: `Features features = 1`."""
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    single = {"type": _FIELD.TYPE_MESSAGE, "label": _FIELD.LABEL_OPTIONAL}
    entry.field.add(name="value", number=2, type_name=f".{_PACKAGE}.Feature", **single)
    features.field.add(
        name="feature",
        number=1,
        type=_FIELD.TYPE_MESSAGE,
        label=_FIELD.LABEL_REPEATED,
        type_name=f".{_PACKAGE}.Features.FeatureEntry",
    )
    example = file.message_type.add(name="Example")
    example.field.add(name="features", number=1, type_name=f".{_PACKAGE}.Features", **single)


def _declare() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="monoface/example.proto", package=_PACKAGE, syntax="proto3")
    _lists(file)
    _feature(file)
    _example(file)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(f"{_PACKAGE}.Example"))


Example = _declare()
"""The message class: `Example.FromString(bytes)`, `example.features.feature[key].float_list.value`, `SerializeToString()`."""
