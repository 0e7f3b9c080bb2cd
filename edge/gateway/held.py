# SPDX-License-Identifier: Apache-2.0
"""Wishes that wait for their event's commit, and those that were carried out late.

The law of the module: what waits, how long, and what may be carried out late, is said
here and nowhere else (law 2: a door and first aid, never a locker, never a stove). A
newer wish for the same door or stove overtakes an older one that still waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from edge.core.command import (
    HoldOpen,
    OpenCompartment,
    Release,
    Relock,
    SwitchAppliance,
)
from edge.core.event import EventKind
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.command import Command

#: How long a booked person may be kept outside by a slow disk (law 2).
COMMIT_PATIENCE_S = 0.25
#: A stove waits as long as anything may that nobody stands in front of.
APPLIANCE_PATIENCE_S = 2.0
#: Seqs that one STORAGE_SLOW event names; the rest is only counted.
NAMED_LATE = 8

Wish = Release | HoldOpen | OpenCompartment | SwitchAppliance


@dataclass(frozen=True, slots=True)
class Held:
    """A wish that waits for its commit, and since when.

    ``was_shut``: its door's mode already let nobody in but a few when it was decided.
    """

    wish: Wish
    since_s: float
    was_shut: bool = False

    @property
    def may_be_late(self) -> bool:
        """Whether it is done without its commit rather than keep somebody outside."""
        match self.wish:
            case Release() | HoldOpen():
                return True
            case OpenCompartment(is_first_aid=is_first_aid):
                return is_first_aid
            case SwitchAppliance():
                return False

    @property
    def due_s(self) -> float:
        """When its patience is over."""
        is_stove = isinstance(self.wish, SwitchAppliance)
        return self.since_s + (APPLIANCE_PATIENCE_S if is_stove else COMMIT_PATIENCE_S)


class Waiting:
    """What waits for a commit, in order; and the grants that were let go late."""

    def __init__(self) -> None:
        self._held: deque[Held] = deque()
        #: Seqs of grants released late, each once: a reopened door repeats its cause.
        self._late: dict[int, None] = {}

    def keep(
        self, command: Command, stored_seq: int, now_s: float, *, is_shut: bool = False
    ) -> bool:
        """Keep a wish whose event is not stored yet; False: it need not wait."""
        match command:
            case Release(is_egress=False) | HoldOpen() | OpenCompartment():
                pass
            case SwitchAppliance(is_on=True):
                pass
            case _:
                return False
        if command.cause <= stored_seq:
            return False
        self._held.append(Held(command, now_s, is_shut))
        return True

    def overtake(self, command: Command) -> None:
        """Forget what a newer wish has overtaken.

        After a relock a release would open a door that has just been locked, after a
        hold its pulse would end the hold; a stove put off stays off.
        """
        match command:
            case Relock(door=door) | HoldOpen(door=door):
                self._take(
                    lambda wish: (
                        isinstance(wish, Release | HoldOpen) and wish.door == door
                    )
                )
            case SwitchAppliance(appliance=name):
                self._take(
                    lambda wish: (
                        isinstance(wish, SwitchAppliance) and wish.appliance == name
                    )
                )
            case _:
                pass

    def overdue(self, now_s: float) -> list[Held]:
        """Take out whose patience is over."""
        return self._part(lambda held: now_s >= held.due_s)

    def stored(self, seq: int) -> list[Held]:
        """Take out whose event is stored."""
        return self._part(lambda held: held.wish.cause <= seq)

    def first_due_s(self) -> float | None:
        """Return when the next one's patience is over."""
        return min((held.due_s for held in self._held), default=None)

    def went_late(self, held: Held) -> None:
        """Remember a grant that was let go without its commit."""
        self._late[held.wish.cause] = None

    def slow(self) -> Noted | None:
        """Return the note that names those let go late, once; None if none was."""
        if not self._late:
            return None
        named = ",".join(map(str, islice(self._late, NAMED_LATE)))
        facts = (("count", len(self._late)), ("seqs", named))
        self._late.clear()
        return Noted(kind=EventKind.STORAGE_SLOW, subject="journal", facts=facts)

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._held = deque(
            replace(held, wish=replace(held.wish, cause=held.wish.cause + shift))
            for held in self._held
        )
        self._late = {seq + shift: None for seq in self._late}

    def _take(self, is_meant: Callable[[Wish], bool]) -> None:
        self._part(lambda held: is_meant(held.wish))

    def _part(self, is_meant: Callable[[Held], bool]) -> list[Held]:
        taken = [held for held in self._held if is_meant(held)]
        if taken:
            self._held = deque(held for held in self._held if not is_meant(held))
        return taken
