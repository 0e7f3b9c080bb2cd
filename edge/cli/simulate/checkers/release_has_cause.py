# SPDX-License-Identifier: Apache-2.0
"""Nothing opens without a cause, and but for a slow disk none that is not stored.

The law of the module: a release names the event that it follows from; the event is
durable before the order leaves, or the wait was over, or the disk had failed, and
then a later STORAGE_SLOW names it. A compartment and an appliance never go first.
Source: ARCHITECTURE.md, law "Recorded before released".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import (
    EVERYTHING,
    Booted,
    CarriedOut,
    Handled,
    PowerLost,
    Renumbered,
    Stored,
    Violation,
)
from edge.cli.simulate.oracle.chronicle import Chronicle
from edge.core.command import HoldOpen, OpenCompartment, Release, SwitchAppliance
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation, Rest
    from edge.cli.simulate.oracle.chronicle import Told
    from edge.core.event import Event

#: A door waits so long for its commit; the run counts in floats.
PATIENCE_S = 0.25 - 1e-6
_OPENING = (Release, HoldOpen, OpenCompartment, SwitchAppliance)
#: What may open something.
CAUSES = frozenset(
    {
        EventKind.ACCESS_GRANTED,
        EventKind.MANUAL_ENTRY,
        EventKind.DOOR_MODE_CHANGED,
        EventKind.DOOR_UNLOCKED_BY_SCHEDULE,
        EventKind.EMERGENCY_STARTED,
        EventKind.EMERGENCY_ENDED,
        EventKind.DRILL_ENDED,
        EventKind.MEDICINE_BOX_OPENED,
        EventKind.PARCEL_DEPOSITED,
        EventKind.RENTAL_STARTED,
        EventKind.ACCESS_TAKEN,
        EventKind.APPLIANCE_ON,
        EventKind.COMPARTMENT_OPENED,
    }
)


class ReleaseHasCause:
    """Watches every order that opens something."""

    name = "no release without a committed cause"
    heeds: Kinds = EVERYTHING

    def __init__(self) -> None:
        self._chronicle = Chronicle()
        #: By cause: when the rules first wished it.
        self._wished_s: dict[int, float] = {}
        self._late: set[int] = set()
        #: What left in the breath in which its commit was confirmed, or was not: by
        #: cause, what it was, when, and after how long a wait.
        self._unsure: dict[int, tuple[str, float, float]] = {}
        self._is_disk_dead = False

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        self._chronicle.see(seen)
        if isinstance(seen, Booted):
            self._confirm(self._chronicle.stored_seq)
        if not isinstance(seen, PowerLost):
            self._settle(seen.at_s)
        if isinstance(seen, Stored):
            self._confirm(self._chronicle.stored_seq)
        match seen:
            case Booted():
                self._wished_s.clear()
                self._late.clear()  # what was in memory is gone
                self._is_disk_dead = False
            case Handled(commands=commands, events=events, at_s=at_s):
                for event in events:
                    if event.kind is EventKind.STORAGE_SLOW:
                        self._named(event)
                    self._is_disk_dead |= event.kind is EventKind.STORAGE_FAULT
                for command in commands:
                    if isinstance(command, _OPENING):
                        self._wished_s.setdefault(command.cause, at_s)
            case CarriedOut(command=command):
                self._carried_out(command, seen.at_s)
            case Stored():
                self._is_disk_dead = False
            case Renumbered(shift=shift):
                self._late = {seq + shift for seq in self._late}
                held = {seq + shift: what for seq, what in self._unsure.items()}
                self._unsure = held
                moved = {seq + shift: at for seq, at in self._wished_s.items()}
                self._wished_s = moved
            case _:
                pass

    def end(self, rest: Rest) -> None:
        """See that every late release was named."""
        self._settle(rest.at_s)
        if self._late:
            what = f"no STORAGE_SLOW names the late releases of {sorted(self._late)}"
            raise Violation(self.name, what)

    def _named(self, event: Event) -> None:
        """Forget what an event names, and as many more as it only counts."""
        named = _numbers(event.fact("seqs"))
        count = event.fact("count")
        counted = count - len(named) if isinstance(count, int) else 0
        rest = sorted(self._late - named)
        self._late = set(rest[max(0, counted) :])

    def _carried_out(self, command: object, at_s: float) -> None:
        match command:
            case Release(door=door, cause=cause, is_egress=False):
                self._judge(door, cause, at_s, may_be_late=True)
            case HoldOpen(door=door, cause=cause) if cause:
                self._judge(door, cause, at_s, may_be_late=True)
            case OpenCompartment(number=number, cause=cause, is_first_aid=is_first_aid):
                where = f"compartment {number}"
                self._judge(where, cause, at_s, may_be_late=is_first_aid)
            case SwitchAppliance(appliance=appliance, is_on=True, cause=cause):
                self._judge(appliance, cause, at_s, may_be_late=False)
            case _:
                pass

    def _judge(self, what: str, cause: int, at_s: float, *, may_be_late: bool) -> None:
        told = self._chronicle.of(cause)
        if told is None and cause > 0:
            raise Violation(self.name, f"{what} opened for {cause}, which is nothing")
        if told is not None and not _is_cause(told):
            kind = told.event.kind
            raise Violation(self.name, f"{what} opened for {cause}, a {kind}")
        if cause <= self._chronicle.stored_seq:
            return
        waited_s = at_s - self._wished_s.get(cause, at_s)
        if may_be_late and (waited_s >= PATIENCE_S or self._is_disk_dead):
            self._late.add(cause)
        else:
            self._unsure[cause] = (what, at_s, waited_s)

    def _confirm(self, stored_seq: int) -> None:
        for cause in [cause for cause in self._unsure if cause <= stored_seq]:
            del self._unsure[cause]

    def _settle(self, at_s: float) -> None:
        """Blame what left earlier than this instant and was not confirmed with it."""
        for cause, (what, left_s, waited_s) in self._unsure.items():
            if at_s > left_s:
                waited = f"{waited_s:.3f} s after it was wished"
                told = f"{what} opened before {cause} stood, {waited}"
                raise Violation(self.name, told)


def _is_cause(told: Told) -> bool:
    return told.event.kind in CAUSES


def _numbers(seqs: int | str | None) -> set[int]:
    """Read ``1348``, ``"3 5"`` or ``"3-5"``, however it is written."""
    found: set[int] = set()
    for first, last in re.findall(r"(-?\d+)(?:-(\d+))?", str(seqs)):
        found |= set(range(int(first), int(last or first) + 1))
    return found
