# SPDX-License-Identifier: Apache-2.0
"""An event as the journal kept it, under a number that runs through all epochs.

The law of the module: whoever looks back over several epochs counts places, so that a
cause leads to its event wherever that stands. Which kinds are decisions is said here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.core.event import Event

#: Facts that hold a seq, and a list of them.
_SEQ, _SEQS = "cause", "seqs"
DECISIONS = frozenset({EventKind.ACCESS_GRANTED, EventKind.ACCESS_DENIED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One event: ``event.seq`` is its place, ``epoch`` and ``seq`` its own number.

    ``is_erased``: whom it was about has been forgotten.
    """

    event: Event
    epoch: str
    seq: int
    is_erased: bool = False


def placed(event: Event, base: int) -> Event:
    """Number an event of the epoch that begins after the place ``base`` by places."""
    facts = tuple((name, _moved(name, told, base)) for name, told in event.facts)
    return replace(event, seq=event.seq + base, facts=facts)


def _moved(name: str, told: int | str, base: int) -> int | str:
    if name == _SEQ and isinstance(told, int):
        return told + base
    if name == _SEQS and isinstance(told, str):
        return ",".join(str(int(seq) + base) for seq in told.split(",") if _is_seq(seq))
    return told


def _is_seq(text: str) -> bool:
    return text.lstrip("-").isdecimal()


def is_decision(event: Event) -> bool:
    """Say whether a rule decided this; counts of refusals and acts by hand are none."""
    return event.kind in DECISIONS and event.fact("rule") is not None


def released_late(event: Event) -> tuple[int, ...]:
    """Return whose doors opened before their commit was known, as a slow disk tells."""
    if event.kind is not EventKind.STORAGE_SLOW:
        return ()
    named = str(event.fact(_SEQS) or "").split(",")
    return tuple(int(seq) for seq in named if _is_seq(seq))
