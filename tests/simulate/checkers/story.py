# SPDX-License-Identifier: Apache-2.0
"""A run told by hand, an observation at a time, in seconds after 15:00.

The law of the module: it only writes down; seqs follow each other as a controller
would give them, and what a test says of the time is both true and known.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.simulate.checking import (
    Booted,
    CarriedOut,
    CutPlace,
    FeedWritten,
    Ground,
    Handled,
    Happened,
    PowerLost,
    Rest,
    RosterAdopted,
    Stored,
    Stormed,
    Violation,
)
from edge.core.event import NOBODY, Event, EventKind, Person
from edge.core.stimulus import ContactChanged, Scan
from firmware_sim.happening import Happening, Subject, What
from tests.core.scene import PEOPLE, SITE, VOLUNTEER, card, clock_ms, moment, token

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.cli.simulate.checking import Checker, Observation
    from edge.core.command import Command
    from edge.core.people.roster import Cursor, Roster
    from edge.core.plan import SitePlan
    from edge.core.stimulus import Stimulus

KIND = EventKind
THREE = clock_ms("15:00")
PLANTED = "990101194001010015"


def ground(plan: SitePlan = SITE) -> Ground:
    """Return what a checker may know of the scene."""
    holders = {token(name): f"holder-{name}" for name in (*PEOPLE, VOLUNTEER)}
    return Ground(plan=plan, planted=frozenset({PLANTED}), holders=holders)


class Story:
    """Tells a checker what happens, and remembers the numbers that were given."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self._next = 1
        self._stored = 0
        self._boot = "boot-1"
        self.booted(0.0)

    def see(self, seen: Observation) -> None:
        """Tell one observation."""
        self._checker.see(seen)

    def booted(self, at_s: float, boot: str = "boot-1") -> None:
        """The box starts behind what was stored."""
        self._boot, self._next = boot, self._stored + 1
        self.see(Booted(**_when(at_s), boot=boot, epoch="e", next_seq=self._next))

    def dark(self, at_s: float) -> None:
        """The power leaves."""
        self.see(PowerLost(**_when(at_s), place=CutPlace.ANYWHERE))

    def adopted(self, at_s: float, roster: Roster) -> None:
        """A roster comes into force."""
        self.see(
            RosterAdopted(
                **_when(at_s), roster=roster, moment=self._moment(at_s), events=()
            )
        )

    def written(self, at_s: float, at: Cursor, rows: Iterable[str]) -> None:
        """The platform writes the first revision of its feed."""
        told = [(json.loads(row), row) for row in rows]
        texts = {(row["kind"], row["id"]): text for row, text in told}
        self.see(
            FeedWritten(
                **_when(at_s), epoch=at.epoch, revision=at.revision, texts=texts
            )
        )

    def event(
        self, at_s: float, kind: EventKind, subject: str, who: str = "", **facts: Any
    ) -> Event:
        """Return an event with the next number; ``who`` is a holder or empty."""
        booking = facts.pop("booking", None)
        person = NOBODY
        if who or booking:
            person = Person(holder=who or None, booking=booking)
        event = Event(
            seq=self._next,
            kind=kind,
            moment=self._moment(at_s),
            subject=subject,
            facts=tuple(sorted(facts.items())),
            person=person,
        )
        self._next += 1
        return event

    def handled(
        self,
        at_s: float,
        stimulus: Stimulus | None,
        *told: Event | Command,
    ) -> None:
        """The controller takes something, and answers."""
        events = tuple(each for each in told if isinstance(each, Event))
        commands = tuple(each for each in told if not isinstance(each, Event))
        self.see(
            Handled(
                **_when(at_s),
                stimulus=stimulus,
                moment=self._moment(at_s),
                events=events,
                commands=commands,
            )
        )

    def stored(self, at_s: float) -> None:
        """All that was numbered is on the disk."""
        count, self._stored = self._next - 1 - self._stored, self._next - 1
        self.see(Stored(**_when(at_s), last_seq=self._stored, count=count))

    def wired(self, at_s: float, command: Command) -> None:
        """A command leaves for its wire."""
        self.see(CarriedOut(**_when(at_s), command=command))

    def stormed(self, at_s: float, kind: str, on: str, for_s: float = 0.0) -> None:
        """A fault of the weather begins."""
        self.see(Stormed(**_when(at_s), kind=kind, on=on, for_s=for_s))

    def world(self, at_s: float, what: What, name: str, detail: str = "") -> None:
        """Something moves in the street."""
        happening = Happening(
            at=at_s, what=what, subject=Subject.DOOR, name=name, detail=detail
        )
        self.see(Happened(**_when(at_s), happening=happening))

    def contact(
        self, at_s: float, door: str, *told: Event | Command, is_open: bool
    ) -> None:
        """The box is told how a leaf stands."""
        self.handled(at_s, ContactChanged(door=door, is_open=is_open), *told)

    def _moment(self, at_s: float) -> Any:
        return moment(_ms(at_s), s=at_s, boot=self._boot)


def scan(point: str, who: str, at_s: float, **more: Any) -> Scan:
    """Return somebody's card at a reader."""
    return Scan(access_point=point, credential=card(who), received_s=at_s, **more)


def caught(name: str) -> Any:
    """Expect that a checker finds something, under its name."""
    return pytest.raises(Violation, match=f"^{name}: ")


def rest(at_s: float, **more: Any) -> Rest:
    """Return the end of a run at which nothing is left."""
    told: dict[str, Any] = {
        "epoch": "e",
        "journal": (),
        "trimmed": 0,
        "acked": 0,
        "unstored": 0,
        "ledger": (),
        "effects": {},
        "alarms": 0,
        "world": None,
        "offline": frozenset(),
    }
    return Rest(**_when(at_s), **(told | more))


def _ms(at_s: float) -> int:
    return THREE + round(at_s * 1000)


def _when(at_s: float) -> Any:
    return {"at_s": at_s, "true_ms": _ms(at_s)}
