# SPDX-License-Identifier: Apache-2.0
"""A wall of lockers of its own: every part of the room, its journal, a clock.

The law of the module: it plays the shell and the house, and judges nothing. Each
outcome is kept with a snapshot, so that any restart can be played.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.core.command import Indicate, OpenCompartment
from edge.core.credential import Credential, CredentialKind
from edge.core.lockers.bags import Bags
from edge.core.lockers.locker_orders import LockerOrders
from edge.core.lockers.lockers import Lockers
from edge.core.lockers.medicine import Medicine
from edge.core.lockers.overdue import Overdue
from edge.core.lockers.parcels import Parcels
from edge.core.lockers.rentals import Rentals
from edge.core.moment import UNBOUNDED_MS
from edge.core.order import (
    BagReturned,
    CleaningDone,
    CompartmentOpenOrdered,
    MendOrdered,
    OutOfOrderOrdered,
    ParcelOrdered,
    RentalEndOrdered,
)
from edge.core.outcome import Outcome, OutcomeBuilder
from edge.core.people.local import LocalRoster
from edge.core.people.rolls import Rolls
from edge.core.plan import FareKind, FarePlan
from edge.core.reception import Reception
from edge.core.stimulus import CompartmentChanged, CompartmentFailed, OpenRefused, Scan
from tests.core.scene import SITE, card, clock_ms, moment, neighbours
from tests.core.stage import as_stored, short

if TYPE_CHECKING:
    from edge.core.event import Event, EventKind, Facts
    from edge.core.lockers.compartment import Compartment
    from edge.core.moment import Moment
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan, Size

Told = list[str]
HOUR_FEN = 300


def site(**changes: Any) -> SitePlan:
    """Return the scene with another hall: ``allows_walk_in``, ``cleans``, …."""
    fare = FarePlan(kind=FareKind.PER_HOUR, fen=HOUR_FEN)
    hall = replace(SITE.banks["hall"], fare=fare, **changes)
    return replace(SITE, banks={**SITE.banks, "hall": hall})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One set of the room's parts."""

    lockers: Lockers
    rentals: Rentals
    parcels: Parcels
    orders: LockerOrders
    bags: Bags
    overdue: Overdue
    medicine: Medicine

    def dump(self) -> dict[str, Any]:
        """Return everything that must survive a restart."""
        return self.lockers.dump() | self.medicine.dump() | self.bags.dump()

    def replay(self, event: Event) -> None:
        """Hear of an event as after a restart."""
        for part in (self.lockers, self.overdue, self.medicine, self.bags):
            part.follow(event)


class Wall:
    """One site's lockers in one boot; 15:00 of a Monday at its rise."""

    def __init__(self, roster: Roster | None = None, plan: SitePlan = SITE) -> None:
        self.plan = plan
        self.local = LocalRoster()
        known = roster or neighbours("c1 wang lounge 14:00-16:00 S")
        self.rolls = Rolls(plan, self.local, known)
        self.now_s = 1000.0
        self.utc_ms = clock_ms("15:00")
        self.spread_ms = 0
        self.closes_lockers = False
        self.journal: list[Event] = []
        self.last = Outcome()
        #: What stood after which event, and the first of them that a restart may use.
        self.kept: list[tuple[int, str]] = []
        self.out = OutcomeBuilder(1, self._follow)
        self.parts = self.fresh()
        self.take()

    def fresh(self) -> Parts:
        """Return parts that know nothing yet."""
        reception = Reception(self.out, self.plan.settings_revision)
        lockers = Lockers(self.plan, self.out, reception)
        rentals = Rentals(self.plan, self.out, reception, lockers)
        bags = Bags(self.out)
        return Parts(
            lockers=lockers,
            rentals=rentals,
            parcels=Parcels(self.plan, self.out, lockers, self.rolls),
            orders=LockerOrders(self.plan, lockers, bags),
            bags=bags,
            overdue=Overdue(self.plan, lockers, self.rolls),
            medicine=Medicine(self.plan, self.out, rentals.first_aid),
        )

    def _follow(self, event: Event) -> None:
        self.local.follow(event)
        self.parts.overdue.follow(event)
        self.parts.medicine.follow(event)
        self.parts.bags.follow(event)

    def now(self) -> Moment:
        """Return this instant; a negative spread has no upper bound."""
        latest_ms = self.utc_ms + self.spread_ms
        return moment(
            self.utc_ms,
            latest_ms if self.spread_ms >= 0 else UNBOUNDED_MS,
            s=self.now_s,
        )

    def take(self) -> Told:
        """Write down what came of it; return what happened, shortly."""
        self.last = self.out.take()
        self.journal += self.last.events
        if self.last.is_kept:
            self.kept.clear()
        if self.last.events or not self.kept:
            self.kept.append((self.out.next_seq - 1, json.dumps(self.parts.dump())))
        told = [event.kind.value for event in self.last.events]
        return told + [word for c in self.last.commands if (word := short(c))]

    def openings(self) -> list[OpenCompartment]:
        """Return the compartments' orders of the last outcome."""
        return [c for c in self.last.commands if isinstance(c, OpenCompartment)]

    def said(self) -> list[tuple[str, str]]:
        """Return what the last outcome said: indication and reason."""
        spoken = [c for c in self.last.commands if isinstance(c, Indicate)]
        return [(each.indication.value, each.reason) for each in spoken]

    def shown(self) -> Facts:
        """Return the parameters of what the last outcome said."""
        (spoken,) = (c for c in self.last.commands if isinstance(c, Indicate))
        return spoken.facts

    def tell(self, kind: EventKind) -> list[Event]:
        """Return the events of a kind so far."""
        return [event for event in self.journal if event.kind is kind]

    def tick(self) -> Told:
        """Let timers that ran out take effect."""
        now = self.now()
        self.parts.lockers.expire(now)
        self.parts.overdue.expire(now)
        self.parts.medicine.expire(now)
        return self.take()

    def wait(self, seconds: float) -> Told:
        """Let time pass, with a tick at each deadline; return what was told."""
        end_s, told = self.now_s + seconds, self.tick()
        while (due_s := self.deadline()) is not None and due_s <= end_s:
            self._pass(max(0.0, due_s - self.now_s))
            told += self.tick()
        self._pass(end_s - self.now_s)
        return told + self.tick()

    def deadline(self) -> float | None:
        """Return when :meth:`tick` has something to do."""
        parts = (self.parts.lockers, self.parts.overdue, self.parts.medicine)
        times = [part.deadline() for part in parts]
        return min((t for t in times if t is not None), default=None)

    def _pass(self, seconds: float) -> None:
        self.now_s += seconds
        self.utc_ms += round(seconds * 1000)

    def until(self, local: str, *, days: int = 0) -> Told:
        """Let time pass until ``HH:MM[:SS[.mmm]]``."""
        return self.wait((clock_ms(local, days=days) - self.utc_ms) / 1000)

    def scan(self, who: str, at: str = "hall-in", **more: Any) -> Told:
        """Present a card, or with ``kind`` a code."""
        credential = card(who)
        if "kind" in more:
            kind = CredentialKind(more.pop("kind"))
            credential = Credential(kind=kind, token=credential.token)
        scan = Scan(
            access_point=at, credential=credential, received_s=self.now_s, **more
        )
        holder = self.rolls.find(credential.token)
        self.parts.rentals.scan(
            scan, holder, self.rolls, self.now(), closes_lockers=self.closes_lockers
        )
        return self.take()

    def leaf(self, number: int, *, is_open: bool) -> Told:
        """Let a compartment's feedback tell its level."""
        changed = CompartmentChanged(bank="hall", number=number, is_open=is_open)
        self.parts.lockers.changed(changed, self.now())
        return self.take()

    def use(self, number: int) -> Told:
        """Let a compartment open, and shut it again."""
        return self.leaf(number, is_open=True) + self.leaf(number, is_open=False)

    def jam(self, number: int) -> Told:
        """Let the board report that an order failed."""
        failed = CompartmentFailed(bank="hall", number=number, why="timed out")
        self.parts.lockers.failed(failed, self.now())
        return self.take()

    def refuse(self, wish: OpenCompartment) -> Told:
        """Let the shell's commit fail, or come too late."""
        refused = OpenRefused(bank=wish.bank, number=wish.number, cause=wish.cause)
        self.parts.lockers.refused(refused, self.now())
        return self.take()

    def deposit(
        self, who: str, size: Size = "S", *, until: str = "18:00", days: int = 0
    ) -> str:
        """Order a compartment for a parcel; return why not."""
        order = ParcelOrdered(
            bank="hall",
            size=size,
            holder=f"holder-{who}",
            until_ms=clock_ms(until, days=days),
            actor="chen",
        )
        why = self.parts.parcels.deposit(order, self.now())
        self.take()
        return why

    def open_by_hand(self, number: int) -> str:
        """Open a compartment at the panel; return why not."""
        order = CompartmentOpenOrdered(
            bank="hall", number=number, actor="chen", reason="check"
        )
        return self._ordered(self.parts.orders.open(order, self.now()))

    def end_rental(self, number: int, bag: str = "") -> str:
        """End a rental at the panel, its things in a bag; return why not."""
        order = RentalEndOrdered(
            bank="hall", number=number, actor="chen", reason="moved", bag=bag
        )
        return self._ordered(self.parts.orders.end_rental(order, self.now()))

    def give_back(self, bag: str) -> str:
        """Give a bag back at the panel; return why not."""
        order = BagReturned(bag=bag, actor="lin")
        return self._ordered(self.parts.bags.give_back(order, self.now()))

    def take_out(self, number: int) -> str:
        """Take a compartment out of use; return why not."""
        order = OutOfOrderOrdered(
            bank="hall", number=number, actor="chen", reason="bent"
        )
        return self._ordered(self.parts.orders.take_out_of_order(order, self.now()))

    def mend(self, number: int) -> str:
        """Tell that a compartment has been mended; return why not."""
        order = MendOrdered(bank="hall", number=number, actor="chen", reason="oiled")
        return self._ordered(self.parts.orders.mend(order, self.now()))

    def cleaned(self, number: int) -> str:
        """Tell that a compartment has been looked after; return why not."""
        order = CleaningDone(bank="hall", number=number, actor="chen")
        return self._ordered(self.parts.orders.cleaned(order, self.now()))

    def _ordered(self, why: str) -> str:
        self.take()
        return why

    def stored(self, who: str = "wang") -> int:
        """Let somebody take a compartment, put things in and go away; its number."""
        self.scan(who)
        (wish,) = self.openings()
        self.use(wish.number)
        self.wait(61)
        return wish.number

    def at(self, number: int) -> Compartment:
        """Return a compartment's standing."""
        return self.parts.lockers.standing()["hall", number]

    def locker(self, number: int) -> str:
        """Return a compartment's phase and whose it is."""
        rental = self.at(number).rental
        return (
            f"{self.at(number).phase.value} {rental.holder or '?' if rental else '-'}"
        )

    def replayed(self, back: int = 0) -> Parts:
        """Return parts from the snapshot ``back`` outcomes ago and the events since."""
        seq, state = self.kept[max(0, len(self.kept) - 1 - back)]
        parts = self.fresh()
        parts.lockers.load(json.loads(state))
        parts.medicine.load(json.loads(state))
        parts.bags.load(json.loads(state))
        for event in self.journal:
            if event.seq > seq:
                parts.replay(as_stored(event))
        return parts

    def restart(self, back: int = 0) -> Told:
        """Lose everything that is not written down, and start again."""
        self.parts = self.replayed(back)
        self.now_s = 5.0
        self.parts.lockers.start(self.now())
        return self.tick()
