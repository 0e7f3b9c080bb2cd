# SPDX-License-Identifier: Apache-2.0
"""The oracle's own picture of the site: who is known, what stands, what was seen.

The law of the module: it learns from observations alone, each taken as it came; it
asks no part of the product. What a power cut takes from the journal it forgets, what
only lived in memory it forgets at every boot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Booted, Handled, RosterAdopted
from edge.cli.simulate.oracle.book import Book, read_roster
from edge.cli.simulate.oracle.chronicle import Chronicle
from edge.cli.simulate.oracle.entitlement import Register
from edge.cli.simulate.oracle.entries import Entries
from edge.cli.simulate.oracle.leaves import Leaves
from edge.cli.simulate.oracle.local import Local
from edge.cli.simulate.oracle.lockers import Lockers
from edge.cli.simulate.oracle.standing import Standing
from edge.core.credential import CredentialKind
from edge.core.event import EventKind
from edge.core.stimulus import DeviceChanged, Scan

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation
    from edge.core.people.entries import Cardholder
    from edge.core.people.roster import Roster


#: Ruling 29: after so many in a row, unknown codes wait so long.
WRONG_TRIES = 5
PAUSE_S = 60.0
#: What may be guessed: a right one ends a row of wrong ones, a card does not.
GUESSED = frozenset({CredentialKind.PIN, CredentialKind.QR})
#: Added to a count that is not sure any more, so that it proves nothing.
UNSURE_TRIES = 100


@dataclass(slots=True)
class Row:
    """Wrong tries in a row at one reader: surely so many, and when the last was."""

    surely: int = 0
    last_s: float = 0.0

    def again(self, at_s: float) -> None:
        """Count another wrong try."""
        if self.surely >= WRONG_TRIES and at_s - self.last_s > PAUSE_S:
            self.disturb()  # whether the row goes on behind its pause nobody says
        self.surely += 1
        self.last_s = at_s

    def end(self, at_s: float) -> None:
        """End the row, not the pause that it brought about."""
        if self.surely < WRONG_TRIES or at_s - self.last_s > PAUSE_S:
            self.surely = 0

    def disturb(self) -> None:
        """Lose count: what was between may have ended the row, or not."""
        if self.surely:
            self.surely += UNSURE_TRIES


@dataclass(slots=True)
class Memory:
    """What lives in the box's memory alone, and is gone after every boot."""

    rows: dict[str, Row] = field(default_factory=dict)
    #: By access point: who was asked to bring a second person, and when.
    alone: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    #: By access point: when somebody was last asked to wait for a confirmation.
    asked_s: dict[str, float] = field(default_factory=dict)
    #: By door: whether its board answers; nothing before it was heard of.
    boards: dict[str, bool] = field(default_factory=dict)


class Picture:
    """Everything that a second opinion needs."""

    heeds: Kinds = (
        frozenset({Booted, Handled, RosterAdopted}) | Leaves.heeds | Chronicle.heeds
    )

    def __init__(self, ground: Ground) -> None:
        self.plan = ground.plan
        self._holders, self._first = ground.holders, ground.first
        self.book = Book()
        self._roster: Roster | None = None
        #: UTC ms at which the roster was surely still called current.
        self.confirmed_ms = 0
        self.is_roster_of_boot = True
        self.standing = Standing(ground.plan)
        self.entries = Entries(ground.plan, self.standing)
        self.local = Local()
        self.leaves = Leaves(ground.plan, self.standing)
        self.lockers = Lockers()
        self.chronicle = Chronicle(
            self.standing, self.entries, self.local, self.lockers
        )
        self.memory = Memory()

    def whose(self, token: bytes) -> Cardholder | None:
        """Return the holder of a token, one that nobody told of beforehand, too."""
        found = self.book.whose(token)
        if found is None and self._roster is not None:
            return self._roster.find(token)
        return found

    @property
    def register(self) -> Register:
        """Return everybody's rights as they are known now."""
        return Register(plan=self.plan, book=self.book, entries=self.entries)

    def see(self, seen: Observation) -> None:
        """Learn from the next observation, once it has been judged."""
        match seen:
            case Booted():
                self.memory = Memory()
                self.is_roster_of_boot = True
            case RosterAdopted():
                self._adopt(seen)
            case Handled(stimulus=DeviceChanged() as device):
                is_online = device.is_online
                self.memory.boards |= dict.fromkeys(device.doors, is_online)
            case Handled(stimulus=Scan() as scan):
                self._learn_binding(seen, scan)
            case _:
                pass
        if isinstance(seen, Handled):
            for event in seen.events:
                if event.kind is EventKind.ACCESS_GRANTED:
                    # Also by a volunteer's word: nobody waits there for a second one.
                    self.memory.alone.pop(event.subject, None)
        self.leaves.see(seen)
        self.chronicle.see(seen)

    def answered(self, scan: Scan, answer: str, *, at_s: float) -> None:
        """Learn what somebody was told at a reader."""
        memory, point = self.memory, scan.access_point
        row = memory.rows.setdefault(point, Row())
        match answer:
            case "CREDENTIAL_NOT_FOUND" | "INVALID_SIGNATURE":
                row.again(at_s)
            case "READER_PAUSED":
                pass
            case "OPEN":
                if scan.credential.kind in GUESSED:
                    row.end(at_s)
                memory.alone.pop(point, None)
            case _:
                row.disturb()
        if answer == "SECOND_PERSON_NEEDED":
            memory.alone[point] = (scan.credential.tokens[-1], at_s)
        elif answer == "AWAITING_CONFIRMATION":
            memory.asked_s[point] = at_s

    def _adopt(self, seen: RosterAdopted) -> None:
        is_another = seen.roster.cursor.revision != self.book.revision
        if is_another or not self.is_roster_of_boot:
            self.confirmed_ms = seen.moment.earliest_ms
        self.is_roster_of_boot = False
        self._roster = seen.roster
        offset_ms = self.plan.utc_offset_ms
        self.book = read_roster(seen.roster, self._holders, offset_ms, self._first)

    def _learn_binding(self, seen: Handled, scan: Scan) -> None:
        for event in seen.events:
            if event.kind is EventKind.CREDENTIAL_BOUND and event.person.holder:
                self.local.bind(scan.credential.tokens[-1], event.person.holder)
