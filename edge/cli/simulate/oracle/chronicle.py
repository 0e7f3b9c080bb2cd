# SPDX-License-Identifier: Apache-2.0
"""All events that count: of what was not stored, a power cut leaves nothing.

The law of the module: it keeps the events of a run in order, with the number that
each has now, and forgets at a boot what the journal does not begin behind. Whoever
folds them is told to begin anew where something was forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge.cli.simulate.checking import Booted, Handled, Renumbered, Stored

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation
    from edge.core.event import Event


@dataclass(slots=True, kw_only=True)
class Told:
    """An event as it was told: when by the run, and when by the true time.

    Nobody changes it; it is not frozen, since ten chronicles make one of each event.

    ``seq`` is the number that it has now, 0 or less if an epoch before this one
    stored it; ``cause`` is its fact of that name, likewise.
    """

    event: Event
    at_s: float
    true_ms: int
    seq: int
    cause: int | None


class Fold(Protocol):
    """A picture that is made of events alone."""

    def take(self, told: Told) -> None:
        """Take the next event into account."""

    def clear(self) -> None:
        """Begin anew; all that still counts comes again."""


class Chronicle:
    """Tells its folds of every event, and tells them anew after a power cut."""

    heeds: Kinds = frozenset({Booted, Handled, Renumbered, Stored})

    def __init__(self, *folds: Fold) -> None:
        self._folds = folds
        self._kept: list[Told] = []
        self.stored_seq = 0

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case Handled(events=events):
                for event in events:
                    self._take(_told(event, seen.at_s, seen.true_ms))
            case Booted(next_seq=next_seq):
                self._forget_from(next_seq)
            case Stored(last_seq=last_seq):
                self.stored_seq = last_seq
            case Renumbered(shift=shift):
                self._renumber(shift)
            case _:
                pass

    def of(self, seq: int) -> Told | None:
        """Return the event that has a number now."""
        return next((told for told in reversed(self._kept) if told.seq == seq), None)

    def _take(self, told: Told) -> None:
        self._kept.append(told)
        for fold in self._folds:
            fold.take(told)

    def _forget_from(self, next_seq: int) -> None:
        kept = [told for told in self._kept if told.seq < next_seq]
        self.stored_seq = next_seq - 1
        if len(kept) < len(self._kept):
            self._tell_anew(kept)

    def _renumber(self, shift: int) -> None:
        self.stored_seq += shift
        self._tell_anew([_moved(told, shift) for told in self._kept])

    def _tell_anew(self, kept: list[Told]) -> None:
        self._kept = []
        for fold in self._folds:
            fold.clear()
        for told in kept:
            self._take(told)


def _told(event: Event, at_s: float, true_ms: int) -> Told:
    cause = event.fact("cause")
    return Told(
        event=event,
        at_s=at_s,
        true_ms=true_ms,
        seq=event.seq,
        cause=cause if isinstance(cause, int) else None,
    )


def _moved(told: Told, shift: int) -> Told:
    return Told(
        event=told.event,
        at_s=told.at_s,
        true_ms=told.true_ms,
        seq=told.seq + shift,
        cause=None if told.cause is None else told.cause + shift,
    )
