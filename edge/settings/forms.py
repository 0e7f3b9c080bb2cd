# SPDX-License-Identifier: Apache-2.0
"""The forms that texts and numbers of a site file have.

The law of the module: pure, and each form is a predicate with a name, so that
:mod:`edge.settings.words` can say what would fit.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le, Predicate

from edge.core.schedule import read_hours, read_windows
from edge.settings.broker_names import is_broker

if TYPE_CHECKING:
    from collections.abc import Callable

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{1,30}")
_SHARD = re.compile(r"0\d|1[0-5]")
_OPERATOR = re.compile(r"[a-z0-9][a-z0-9-]{1,30}:[0-9a-f]{64}")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


def is_identifier(text: str) -> bool:
    """Say whether a text may name a part of the site, in events and topics too."""
    return _IDENTIFIER.fullmatch(text) is not None


def is_shard(text: str) -> bool:
    """Say whether a text is one of the platform's sixteen shards."""
    return _SHARD.fullmatch(text) is not None


def is_operator(text: str) -> bool:
    """Say whether a text names an operator and his public key (Ed25519, hex)."""
    return _OPERATOR.fullmatch(text) is not None


def is_hours(text: str) -> bool:
    """Say whether a text tells hours of the week."""
    return _is_read(read_hours, text)


def is_windows(text: str) -> bool:
    """Say whether a text tells hours of one day."""
    return _is_read(read_windows, text)


def is_time(text: str) -> bool:
    """Say whether a text is a time of day, midnight at its end included."""
    return _TIME.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """Say whether a text is a date."""
    return _is_read(date.fromisoformat, text)


def _is_read(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


Identifier = Annotated[str, Predicate(is_identifier)]
BrokerName = Annotated[str, Predicate(is_broker)]
Operator = Annotated[str, Predicate(is_operator)]
Hours = Annotated[str, Predicate(is_hours)]
Channel = Annotated[int, Ge(1), Le(64)]
