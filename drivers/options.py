# SPDX-License-Identifier: Apache-2.0
"""Options of a driver: from a site file's names and values to a checked dataclass.

The law of the module: an option's name, type and default stand once, as a field of
the driver's frozen dataclass; its range stands in that class's ``__post_init__``.
What does not fit is a LocalError that says what would.
"""

from __future__ import annotations

from dataclasses import Field, fields
from typing import TYPE_CHECKING, TypeVar

from drivers.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance

OptionValue = int | float | str | bool
Options = TypeVar("Options", bound="DataclassInstance")


def defaults(kind: type[DataclassInstance]) -> dict[str, OptionValue]:
    """Return each option's name and default."""
    return {field.name: _default_of(field) for field in fields(kind)}


def _default_of(field: Field[OptionValue]) -> OptionValue:
    if isinstance(field.default, int | float | str):
        return field.default
    raise LocalError(f"the option {field.name} has no default")


def read_options(kind: type[Options], values: Mapping[str, OptionValue]) -> Options:
    """Build ``kind`` of ``values``; LocalError for unknown names and wrong types.

    The type is the default's; an int may stand for a float, a bool for neither. A
    field that is not for printing (``repr=False``) is not told either.
    """
    known = defaults(kind)
    secret = {field.name for field in fields(kind) if not field.repr}
    for name, value in values.items():
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise LocalError(f"unknown option {name!r}; the options are: {names}")
        wanted = type(known[name])
        is_number = wanted is float and type(value) is int
        if type(value) is not wanted and not is_number:
            given = type(value).__name__
            shown = "" if name in secret else f" {value!r}"
            raise LocalError(f"{name} must be {wanted.__name__}, not {given}{shown}")
    return kind(**values)


def between(name: str, value: float, least: float, most: float) -> None:
    """Raise LocalError unless ``least <= value <= most`` (not a number never is)."""
    if not least <= value <= most:
        raise LocalError(f"{name} must be {least} to {most}, not {value}")


def one_of(name: str, value: str, choices: Mapping[str, object]) -> None:
    """Raise LocalError unless ``value`` is a key of ``choices``."""
    if value not in choices:
        raise LocalError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
