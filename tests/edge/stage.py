# SPDX-License-Identifier: Apache-2.0
"""A gateway on a stage: a clock moved by hand, a journal that obeys a script.

The law of the module: the event loop is a real one, only its clock stands still until
a test moves it, so that no test depends on how fast the machine is.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.command import HoldOpen, OpenCompartment, Release, Relock
from edge.core.controller import Controller
from edge.core.credential import Credential, CredentialKind
from edge.core.moment import Moment
from edge.core.people.roster import Cursor, Roster, RosterBuilder
from edge.core.people.roster_row import BookingRow, HolderRow
from edge.core.plan import (
    AccessPointPlan,
    AppliancePlan,
    BankPlan,
    CompartmentPlan,
    DoorPlan,
    SitePlan,
    SpacePlan,
)
from edge.core.stimulus import Scan
from edge.gateway.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.command import Command
    from edge.core.event import Event, EventKind

#: 2026-11-22 07:00 UTC; the booking of everybody begins an hour before.
NOW_MS = 1_795_330_800_000
HOUR_MS = 3_600_000
#: Has a compartment booked, too.
LOCKER_HOLDER = 7
PEOPLE = 100
POINTS = ("front", "yard", "cellar", "attic", "gate")


class HandClock:
    """The loop's clock: seconds that pass when :meth:`go` says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def read(self) -> float:
        """Stand in for ``loop.time``."""
        return self.now_s

    def moment(self) -> Moment:
        """Return this instant, its UTC exactly known."""
        utc_ms = NOW_MS + round((self.now_s - 1_000) * 1000)
        return Moment(
            monotonic_s=self.now_s, earliest_ms=utc_ms, latest_ms=utc_ms, boot="boot-1"
        )

    async def go(self, seconds: float, step_s: float = 0.01) -> None:
        """Let time pass in small steps, with everything due on the way."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s = min(self.now_s + step_s, until_s)
            await settle()

    async def stall(self, seconds: float) -> None:
        """Let time pass at once: the process stood still and goes on."""
        self.now_s += seconds
        await settle()


async def settle() -> None:
    """Let the loop do all that needs no time."""
    for _ in range(12):
        await asyncio.sleep(0)


class ScriptedJournal:
    """Takes one commit at a time and ends it when told; ``trace`` tells in what order.

    It refuses what a real journal would: a gap in the numbers, two commits at once.
    """

    def __init__(self, trace: list[str], *, is_prompt: bool = False) -> None:
        self.is_prompt = is_prompt
        self.trace = trace
        self.next_seq = 1
        self.stored: list[Event] = []
        self.states: list[tuple[int, str]] = []
        self.tried: list[list[Event]] = []
        self.epochs = 0
        self._running: asyncio.Future[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Say whether a commit is in flight."""
        return self._running is not None

    def begin_append(
        self, events: Sequence[Event], state: str | None = None
    ) -> asyncio.Future[None]:
        """Store the events once the script says so."""
        return asyncio.get_running_loop().create_task(self._append(events, state))

    async def _append(self, events: Sequence[Event], state: str | None) -> None:
        assert self._running is None, "two commits at once"
        self.tried.append(list(events))
        self.trace.append(f"begin {span(events)}")
        await self._wait()
        for event in events:
            assert event.seq == self.next_seq, f"{event.seq} where {self.next_seq} was"
            self.next_seq += 1
        self.stored += events
        if state is not None:
            self.states.append((self.next_seq - 1, state))
        self.trace.append(f"stored {span(events)}")

    async def new_epoch(self) -> str:
        """Number anew from 1, as if all but the last three were acknowledged."""
        await self._wait()
        self.epochs += 1
        self.next_seq = min(3, self.next_seq - 1) + 1
        return f"{self.epochs:04d}-00000000"

    async def _wait(self) -> None:
        if self.is_prompt:
            return
        self._running = asyncio.get_running_loop().create_future()
        try:
            await self._running
        finally:
            self._running = None

    async def complete(self) -> None:
        """End the commit in flight well."""
        assert self._running is not None
        self._running.set_result(None)
        await settle()

    async def complete_all(self) -> None:
        """End the commit in flight well, and those that follow it."""
        while self._running is not None:
            await self.complete()

    async def fail(self, error: Exception | None = None) -> None:
        """End the commit in flight badly, having stored nothing."""
        assert self._running is not None
        self._running.set_exception(error or OSError("the disk is gone"))
        await settle()


def span(events: Sequence[Event]) -> str:
    """Return ``first-last``."""
    return f"{events[0].seq}-{events[-1].seq}" if events else "nothing"


class Stage:
    """A gateway with its site, its roster, its journal and what it carried out."""

    def __init__(
        self,
        clock: HandClock,
        *,
        is_prompt: bool = False,
        known: dict[int, bytes] | None = None,
    ) -> None:
        self.clock = clock
        self.trace: list[str] = []
        self.carried: list[Command] = []
        self.stored_calls = 0
        self.journal = ScriptedJournal(self.trace, is_prompt=is_prompt)
        self.controller = Controller(site(), next_seq=1)
        self.controller.adopt(roster(known or {}), clock.moment())
        # The roster's event is not this stage's matter.
        self.controller.renumber(-1)
        self.gateway = Gateway(
            self.controller,
            self.journal,
            carry_out=self.carry_out,
            now=clock.moment,
            on_stored=self._on_stored,
        )

    def scan(self, person: int, point: str = "front") -> bool:
        """Let somebody show a card; numbers beyond PEOPLE are strangers."""
        scan = Scan(
            access_point=point,
            credential=card(person),
            received_s=self.clock.now_s,
        )
        return self.gateway.offer(point, scan)

    def doors(self) -> list[Release | Relock | HoldOpen]:
        """Return what was carried out, without indications."""
        return [c for c in self.carried if isinstance(c, Release | Relock | HoldOpen)]

    def opened(self) -> list[int]:
        """Return the numbers of the compartments that were opened, in order."""
        return [c.number for c in self.carried if isinstance(c, OpenCompartment)]

    def released(self) -> list[int]:
        """Return the causes of the releases that left, in order."""
        return [c.cause for c in self.carried if isinstance(c, Release)]

    def kinds(self) -> list[EventKind]:
        """Return the kinds of all stored events."""
        return [event.kind for event in self.journal.stored]

    def carry_out(self, command: Command) -> None:
        """Note what would go to the wires."""
        self.carried.append(command)
        self.trace.append(type(command).__name__)

    def _on_stored(self, batch: Sequence[Event]) -> None:
        self.stored_calls += 1


def card(person: int) -> Credential:
    """Return a person's card."""
    return Credential(kind=CredentialKind.CARD, token=token(person))


def token(person: int) -> bytes:
    """Return that card's token."""
    return person.to_bytes(16, "big")


def site() -> SitePlan:
    """Two doors: the hall's is an escape and has readers everywhere."""
    return SitePlan(
        site_id="stage-1",
        spaces={"hall": SpacePlan(space_id="hall", lead_ms=0, grace_ms=0)},
        doors={
            name: DoorPlan(
                door_id=name,
                space_id="hall",
                release_s=3.0,
                extended_release_s=8.0,
                held_open_s=20.0,
                has_contact=True,
                is_escape=name == "hall-door",
            )
            for name in ("hall-door", "shed-door")
        },
        access_points={
            name: AccessPointPlan(
                access_point_id=name,
                door_id="shed-door" if name == "yard" else "hall-door",
            )
            for name in POINTS
        }
        | {
            "bank-front": AccessPointPlan(
                access_point_id="bank-front", bank_id="lockers"
            ),
            "aid": AccessPointPlan(
                access_point_id="aid", bank_id="lockers", is_medicine_box=True
            ),
        },
        banks={
            "lockers": BankPlan(
                bank_id="lockers",
                space_id="hall",
                compartments={
                    1: CompartmentPlan(number=1, size="S"),
                    2: CompartmentPlan(number=2, size="M", is_medicine_box=True),
                },
            )
        },
        appliances={"stove": AppliancePlan(appliance_id="stove", space_id="hall")},
        settings_revision="abcd0123",
    )


def roster_rows(known: dict[int, bytes]) -> list[HolderRow | BookingRow]:
    """A hundred people, each with a card and a booking that runs.

    ``known`` gives some of them another token.
    """
    rows: list[HolderRow | BookingRow] = []
    for person in range(PEOPLE):
        holder = HolderRow(
            holder_id=f"h{person}",
            roles=("resident",),
            language="zh-CN",
            is_enabled=True,
            needs_extended_time=False,
            credentials=((CredentialKind.CARD, known.get(person, token(person))),),
        )
        booking = BookingRow(
            booking_id=f"b{person}",
            holder_id=holder.holder_id,
            space_id="hall",
            from_ms=NOW_MS - HOUR_MS,
            to_ms=NOW_MS + 10 * HOUR_MS,
            party=500,
            is_confirmed=True,
        )
        rows += [holder, booking]
        if person == LOCKER_HOLDER:
            rows.append(replace(booking, booking_id="b-locker", size="S", party=1))
    return rows


def roster(known: dict[int, bytes]) -> Roster:
    """Build it."""
    builder = RosterBuilder()
    builder.add(roster_rows(known))
    return builder.build(Cursor("0001-00000000", 1))
