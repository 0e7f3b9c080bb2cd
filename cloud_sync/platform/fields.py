# SPDX-License-Identifier: Apache-2.0
"""Fields of a gateway's message, taken one at a time.

The law of the module: a field is what the contract says or :class:`UnfitError` names
it; the error never leaves ``uplink.py``.
Source: docs/sync-contract.md, section 3.
"""

from __future__ import annotations

import re
from typing import Any

#: Of an INTEGER and a BIGINT.
LARGEST = 2**63 - 1
EPOCH = re.compile(r"\d{4}-[0-9a-f]{8}", re.ASCII)
NONCE = re.compile(r"[0-9a-f]{32}")
HASH = re.compile(r"[0-9a-f]{64}")


class UnfitError(Exception):
    """A field is not what the contract says."""


def object_of(value: object, name: str) -> dict[str, Any]:
    """Return an object."""
    if not isinstance(value, dict):
        raise UnfitError(f"{name} is no object")
    return value


def number(
    data: dict[str, Any], name: str, *, least: int = 0, most: int = LARGEST
) -> int:
    """Return an integer within its bounds."""
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnfitError(f"{name!r} is no integer")
    if not least <= value <= most:
        raise UnfitError(f"{name!r} is out of bounds")
    return value


def text(data: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    """Return a text of that pattern."""
    value = data.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise UnfitError(f"{name!r} is missing or not what the contract says")
    return value
