# SPDX-License-Identifier: Apache-2.0
"""Who rings at a door, and who waits at one for a volunteer's word.

The law of the module: pure. It shows while it is so and for no longer; whoever answers
at one tablet ends it on all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.panel.standing import Standing
    from edge.panel.words import Phrase, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody at a door (``id``) or access point, and what is said of him.

    ``rings``: how often he rang; another ring sounds again.
    """

    id: str
    said: Phrase
    rings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """Who rings, by door, and who waits, by access point."""

    calls: tuple[Caller, ...] = ()
    awaiting: tuple[Caller, ...] = ()


SILENT = Bell()


def bell(standing: Standing, words: Words) -> Bell:
    """Return who is at the doors now; nobody is known while the gateway is away."""
    report = standing.report
    if report is None or not standing.is_live:
        return SILENT
    names = {door.id: door.name for door in report.doors}
    return Bell(
        calls=tuple(
            Caller(id=door, said=words.say("bell.rings", door=names[door]), rings=rings)
            for door, rings in report.board.calls
            if door in names
        ),
        awaiting=tuple(
            Caller(
                id=point, said=words.say("bell.waits", door=report.place_name(point))
            )
            for point in report.board.awaiting
            if report.place_name(point)
        ),
    )
