# SPDX-License-Identifier: Apache-2.0
"""Texts that people in charge gave with an order, as facts.

The law of the module: a text from outside is cut before it is stored, and one that
was not given leaves no fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.event import Facts

#: An event's row stays small, whatever was typed.
MAX_TEXT = 64


def told(**texts: str) -> Facts:
    """Return the texts that were given, cut."""
    return tuple((name, text[:MAX_TEXT]) for name, text in texts.items() if text)


def unknown(what: str, name: str, there_are: Iterable[str]) -> str:
    """Return in plain words that there is no such name, and which there are."""
    return f"there is no {what} {name[:MAX_TEXT]!a}, known: {', '.join(there_are)}"
