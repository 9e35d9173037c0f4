"""Frozen dataclasses from JSON and back, strictly: a misspelt key is an error before any work starts."""

import dataclasses
import difflib
import json
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def from_mapping(cls: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """Builds a configuration dataclass from a mapping, such as parsed JSON.

    Nested dataclasses are built from nested mappings, tuples from lists, and whole numbers are taken where a float is
    asked for.

    Args:
        cls: A dataclass.
        values: Field name to value. Missing fields keep their default.
        where: Name of the enclosing field, for messages.

    Raises:
        ValueError: If a key is unknown, a required one is missing, a value has the wrong type, or the dataclass refuses
            a value.
    """
    name = where or cls.__name__
    if not isinstance(values, Mapping):
        raise ValueError(f"`{name}` must be a mapping of field names to values. Received: {values!r}")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    arguments = {}
    for key, value in values.items():
        if key not in fields:
            close = difflib.get_close_matches(str(key), fields, n=1)
            hint = f" Did you mean `{close[0]}`?" if close else f" Known: {', '.join(fields)}."
            raise ValueError(f"`{name}` has no field `{key}`.{hint}")
        arguments[key] = _coerce(hints[key], value, f"{where}.{key}" if where else key)
    missing = [
        key
        for key, field in fields.items()
        if key not in arguments
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ValueError(f"`{name}` needs {', '.join(f'`{key}`' for key in missing)}.")
    return cls(**arguments)


def from_json(cls: type[T], text: str) -> T:
    """`from_mapping` of a JSON text, as configurations travel through TFX.

    Raises:
        ValueError: If the text is not JSON, or what `from_mapping` raises.
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"`{cls.__name__}` must be given as JSON: {error}. Received: {text!r}") from error
    return from_mapping(cls, values)


def to_json(config: Any) -> str:
    """All fields of a configuration as JSON with sorted keys."""
    return json.dumps(to_mapping(config), sort_keys=True)


def to_mapping(config: Any) -> dict[str, Any]:
    """The fields of a configuration as plain values that JSON holds."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def overlaid(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with what `overrides` says, mapping by mapping.

    Raises:
        ValueError: If the overrides are no mapping.
    """
    if not isinstance(overrides, Mapping):
        raise ValueError(f"`overrides` must be a mapping of field names to values. Received: {overrides!r}")
    merged = dict(values)
    for key, value in overrides.items():
        nested = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = overlaid(merged[key], value) if nested else value
    return merged


def _coerce(hint: Any, value: Any, where: str) -> Any:
    """`value` as the type `hint` asks for, or a ValueError that names the field."""
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        if isinstance(value, hint):  # type: ignore[arg-type]
            return value
        return from_mapping(hint, value, where)  # type: ignore[arg-type]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _coerce(next(option for option in arguments if option is not type(None)), value, where)
    if origin is tuple:
        return _coerce_tuple(arguments, value, where)
    if origin in (dict, Mapping) or hint is dict:
        if not isinstance(value, Mapping):
            raise ValueError(f"`{where}` must be a mapping. Received: {value!r}")
        return dict(value)
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"`{where}` must be finite. Received: {value}")
        return float(value)
    if isinstance(hint, type) and (not isinstance(value, hint) or (hint is not bool and isinstance(value, bool))):
        raise ValueError(f"`{where}` must be of type {hint.__name__}. Received: {value!r}")
    return value


def _coerce_tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    """A list or tuple as the tuple type with these arguments."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"`{where}` must be a list. Received: {value!r}")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        arguments = (arguments[0],) * len(value)
    if len(arguments) != len(value):
        raise ValueError(f"`{where}` must have {len(arguments)} values. Received: {value!r}")
    return tuple(
        _coerce(hint, item, f"{where}[{index}]")
        for index, (hint, item) in enumerate(zip(arguments, value, strict=True))
    )
