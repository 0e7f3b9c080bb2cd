# SPDX-License-Identifier: Apache-2.0
"""From plain mappings (JSON, TOML) to the documented dataclasses, checked.

The law of the module: what a dataclass does not name is refused, what it names must
have its type; an error tells the path of the value, what is wrong and what may stand
there. Bytes are written in hex, closed sets by their value, and a preset by its name.
"""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

from firmware_sim.errors import SimulationError

T = TypeVar("T")

#: For a dataclass, the values that may be named instead of spelled out.
Presets = Mapping[type, Mapping[str, object]]


def build(kind: type[T], value: object, where: str, presets: Presets) -> T:
    """Return ``value`` as a ``kind``; SimulationError says where it does not fit."""
    return typing.cast("T", _as(kind, value, where, presets))


def arguments(
    function: Callable[..., object], value: object, where: str, presets: Presets
) -> dict[str, Any]:
    """Return what ``function`` is to be called with, by name; ``now`` is left out.

    The fields are its parameters, with their types and defaults.
    """
    parameters = inspect.signature(function).parameters.values()
    optional = {
        one.name: one.default is not inspect.Parameter.empty for one in parameters
    }
    optional.pop("now", None)
    return _values(typing.get_type_hints(function), optional, value, where, presets)


def expect_mapping(value: object, where: str) -> Mapping[str, Any]:
    """Return ``value`` if it is a mapping of names."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return value
    raise SimulationError(f"{where}: {value!r} is no mapping; write {{name: value}}")


def _as(kind: Any, value: object, where: str, presets: Presets) -> object:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return _as_one_of(kind, value, where, presets)
    if typing.get_origin(kind) is tuple:
        return _as_tuple(kind, value, where, presets)
    if is_dataclass(kind):
        return _as_dataclass(typing.cast("type", kind), value, where, presets)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _as_member(kind, value, where)
    return _as_plain(kind, value, where)


def _as_one_of(kind: Any, value: object, where: str, presets: Presets) -> object:
    choices = typing.get_args(kind)
    if value is None and types.NoneType in choices:
        return None
    present = [choice for choice in choices if choice is not types.NoneType]
    return _as(present[0], value, where, presets)


def _as_tuple(kind: Any, value: object, where: str, presets: Presets) -> object:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise SimulationError(f"{where}: {value!r} is no list; write [ … ]")
    member = typing.get_args(kind)[0]
    return tuple(
        _as(member, entry, f"{where}[{index}]", presets)
        for index, entry in enumerate(value)
    )


def _as_member(kind: type[Enum], value: object, where: str) -> object:
    for member in kind:
        if member.value == value:
            return member
    allowed = ", ".join(repr(member.value) for member in kind)
    raise SimulationError(f"{where}: {value!r} is not known; write one of {allowed}")


def _as_plain(kind: type, value: object, where: str) -> object:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise SimulationError(f"{where}: {value!r} is no finite number")
    if kind is bytes and isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError:
            raise SimulationError(f"{where}: {value!r} is no hex") from None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise SimulationError(f"{where}: {value!r} is no {kind.__name__}")
    return value


def _as_dataclass(kind: type, value: object, where: str, presets: Presets) -> object:
    named = presets.get(kind, {})
    if isinstance(value, str):
        if value in named:
            return named[value]
        known = ", ".join(named) or "none"
        raise SimulationError(f"{where}: no preset {value!r}; known are: {known}")
    optional = {
        field.name: (field.default, field.default_factory) != (MISSING, MISSING)
        for field in fields(kind)
    }
    values = _values(typing.get_type_hints(kind), optional, value, where, presets)
    try:
        return kind(**values)
    except SimulationError as error:
        raise SimulationError(f"{where}: {error}") from None


def _values(
    hints: Mapping[str, Any],
    optional: Mapping[str, bool],
    value: object,
    where: str,
    presets: Presets,
) -> dict[str, object]:
    """Check a mapping against names and types; ``optional`` ones may be missing."""
    mapping = expect_mapping(value, where)
    for name in mapping:
        if name not in optional:
            names = ", ".join(optional) or "none"
            raise SimulationError(f"{where}: no field {name!r}; known are: {names}")
    for name, may_be_missing in optional.items():
        if name not in mapping and not may_be_missing:
            raise SimulationError(f"{where}: {name!r} is missing; write it")
    return {
        name: _as(hints[name], entry, f"{where}.{name}", presets)
        for name, entry in mapping.items()
    }
