# SPDX-License-Identifier: Apache-2.0
"""A seeded walk over everything that can happen to a place.

The law of the module: one seed, one walk; it chooses and judges nothing.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.core.access.ticket import Rotation, SpoiltTicket, Ticket, TicketFlaw
from edge.core.access.ticket_rules import STEP_MS
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.moment import UNBOUNDED_MS
from edge.core.order import ElderMarked, EmergencyEndOrdered, ParcelOrdered
from edge.core.stimulus import (
    BellPressed,
    CompartmentFailed,
    DeviceChanged,
    OpenRefused,
    OutputChanged,
    Unreadable,
)
from tests.core.house.orders import drawn, named
from tests.core.house.plan import NAMES, PLACE, TICKET
from tests.core.scene import clock_ms

if TYPE_CHECKING:
    from tests.core.house.place import Place

DOORS = tuple(PLACE.doors)
POINTS = tuple(PLACE.access_points)
ENTRIES = tuple(n for n, p in PLACE.access_points.items() if p.door_id)
TOLD = (
    "b1 wang kitchen 14:00-16:00 x3",
    "b2 li kitchen 15:00-18:00",
    "b3 li studio 14:30-15:30 x2",
    "b4 zhao hall 15:10-17:00 x2",
    "b5 hu kitchen 14:00-23:00 x4 all due900",
    "b6 qian store 10:00-23:00 x2",
    "b7 wang lobby 10:00-23:00 x9",
    "b8 guo studio 14:00-23:00",
    "c1 wang hall 14:00-15:30 S",
    "c2 li hall 14:00-23:00 S",
    "c3 zhao hall 14:30-18:00 L",
    "c4 hu hall 15:00-23:00 M",
)
#: By booking, the size of its party.
PARTIES = {
    told.split()[0]: next((int(w[1:]) for w in told.split() if w[0] == "x"), 1)
    for told in TOLD
}
WHO = (*NAMES, "wang", "li", "chen", "wang:qr", "li:pin", "guess:pin", "passer-by")
#: Who come to the desk to have their identity card bound, and use it then.
BINDING = ("wang", "zhao", "he")
STEP = clock_ms("15:00") // STEP_MS
_TURNING = replace(TICKET, ticket_id="dd" * 16, uses=0, rotation=Rotation.PROVEN)
TICKETS: tuple[Ticket | SpoiltTicket, ...] = (
    TICKET,
    replace(TICKET, ticket_id="aa" * 16, uses=2, party=2),
    replace(_TURNING, rotation_step=STEP),
    replace(_TURNING, rotation_step=STEP + 1),
    replace(_TURNING, rotation=Rotation.WRONG),
    replace(TICKET, ticket_id="bb" * 16, uses=0, is_emergency=True),
    replace(TICKET, ticket_id="cc" * 16, doors=("studio",), audience="elsewhere"),
    SpoiltTicket(flaw=TicketFlaw.SIGNATURE),
)
#: How unsure the clock is: mostly not at all, now and then by a day or without end.
SPREADS_MS = (0, 0, 0, 0, 0, 0, 0, 900, 86_400_000, UNBOUNDED_MS)
#: By ticket, how many scans may enter with it, where that is limited.
USES = {
    each.ticket_id: each.most_entries
    for each in TICKETS
    if isinstance(each, Ticket) and each.uses
}
_LEFT = tuple(mode for mode in DoorMode if mode is not DoorMode.LOCKED)
POOLS: dict[str, tuple[Any, ...]] = {
    "access_point": (*ENTRIES, "desk", "desk", "desk"),
    "actor": ("chen", "luo", "sun"),
    "booking": ("", "b5", "b5", "b1"),
    "cash_fen": (0, 900),
    "count": (1, 2),
    "door": DOORS,
    "fen": (900, 1),
    "holder": tuple(f"holder-{name}" for name in ("wang", "chen", "luo", "he", "zhao")),
    "is_lifted": (True, True, False),
    "is_on": (True, False),
    "is_start": (True, False),
    "mark": ("fetched", "arrived"),
    "mode": (*[DoorMode.LOCKED] * 6, *_LEFT),
    "number": (1, 2, 3, 4, 5),
    "persons": (0, 1, 3),
    "second": ("luo", "sun", "chen", ""),
    "seq": tuple(range(1, 40)),
    "state": tuple(EmergencyState),
    "stage": ("alarm", "responded", "doors_open"),
    "until_ms": (0, clock_ms("15:40"), clock_ms("20:00")),
    "with_doors": (True, False),
}

#: What can happen, and how often.
STEPS = {
    "scan": 16,
    "visit": 12,
    "swing": 4,
    "rent": 6,
    "parcel": 2,
    "order": 9,
    "danger": 2,
    "calm": 6,
    "other": 6,
    "power": 2,
}


class Walk:
    """Chance that moves what is in a place."""

    def __init__(self, place: Place, seed: int) -> None:
        self.place = place
        self.chance = random.Random(seed)
        self._bases = [place.base()]

    def step(self) -> str:
        """Let some time pass and then something happen; return what."""
        if self.chance.random() < 0.1:
            self._bases.append(self.place.base())
        self._pass_time()
        (name,) = self.chance.choices(tuple(STEPS), tuple(STEPS.values()))
        getattr(self, f"_{name}")()
        return name

    def _pass_time(self) -> None:
        chance, place = self.chance, self.place
        seconds = chance.choice((0.0, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 31.0))
        if chance.random() < 0.04:
            seconds = chance.choice((600.0, 1800.0, 3600.0))
        place.spread_ms = chance.choice(SPREADS_MS)
        if chance.random() < 0.3:
            place.pass_time(seconds)  # a busy machine: the tick comes too late
        else:
            place.wait(seconds)

    def _scan(self) -> None:
        chance, place = self.chance, self.place
        who, at = chance.choice(WHO), chance.choice(POINTS)
        ticket = None
        if chance.random() < 0.2:
            who, ticket = "code:qr", chance.choice(TICKETS)
        for _ in range(chance.choice((1, 1, 1, 2, 6))):
            place.scan(who, at, ticket=ticket, is_secure=chance.random() < 0.97)
            place.pass_time(chance.choice((0.1, 1.0, 2.0)))

    def _visit(self) -> None:
        """Scan at a door and, if it opens, go through; a few leave it open."""
        chance, place = self.chance, self.place
        at = chance.choice(ENTRIES)
        told = place.scan(chance.choice(WHO), at)
        if place.reason() == "AWAITING_CONFIRMATION" and chance.random() < 0.7:
            told = (
                place.confirm(at) if chance.random() < 0.5 else place.scan("chen", at)
            )
        if place.reason() == "SECOND_PERSON_NEEDED":
            told = place.scan("luo", at)
        if "ACCESS_GRANTED" in told and chance.random() < 0.9:
            door = PLACE.access_points[at].door_id
            place.swing(door, is_open=True)
            place.pass_time(1)
            if chance.random() < 0.9:
                place.swing(door, is_open=False)

    def _swing(self) -> None:
        chance, place = self.chance, self.place
        door = chance.choice(DOORS)
        match chance.randrange(4):
            case 0:
                place.press(door)
            case 1:
                place.press(door)
                place.walk(door)
            case 2:
                place.swing(door, is_open=True)
            case _:
                for each in DOORS:
                    place.swing(each, is_open=False)

    def _rent(self) -> None:
        chance, place = self.chance, self.place
        if chance.random() < 0.3:
            place.leaf(chance.randint(1, 5), is_open=chance.random() < 0.3)
            return
        place.scan(chance.choice(WHO), chance.choice(("bank-in", "bank-in", "aid")))
        self._open_lockers()

    def _parcel(self) -> None:
        """A volunteer puts something in, and its receiver comes for it."""
        who = self.chance.choice(("wang", "li", "zhao"))
        self.place.do(named(ParcelOrdered, holder=f"holder-{who}"))
        self._open_lockers()
        self.place.wait(5)
        self.place.scan(who, "bank-in")
        self._open_lockers()

    def _open_lockers(self) -> None:
        chance, place = self.chance, self.place
        for wish in place.openings():
            match chance.randrange(7):
                case 0:
                    failed = CompartmentFailed(bank="bank", number=wish.number, why="x")
                    place.do(failed)
                case 1 if not wish.is_first_aid:
                    number, cause = wish.number, wish.cause
                    place.do(OpenRefused(bank="bank", number=number, cause=cause))
                case 2:
                    pass  # no feedback at all
                case _:
                    place.leaf(wish.number, is_open=True)
                    place.pass_time(2)
                    place.leaf(wish.number, is_open=False)

    def _order(self) -> None:
        """Any order at all."""
        self.place.do(drawn(self.chance, POOLS))

    def _danger(self) -> None:
        """Something happens to which people come, and others fetch the elders."""
        place = self.place
        place.begin(self.chance.choice(("CHECKPOINT", "CHECKPOINT", "SHELTER", "FIRE")))
        for _ in range(3):
            self._visit()
        mark = self.chance.choice(("fetched", "arrived"))
        place.do(named(ElderMarked, holder="holder-zhao", mark=mark))

    def _calm(self) -> None:
        """Most trouble ends, or nobody would ever get in."""
        place = self.place
        place.fire_input(is_active=False)
        for state in place.controller.emergency.standing:
            if self.chance.random() < 0.7:
                order = EmergencyEndOrdered(state=state, actor="chen", reason="over")
                place.do(order)
        for door in DOORS:
            if place.mode(door) != "LOCKED" and self.chance.random() < 0.5:
                place.order(door, "LOCKED")

    def _other(self) -> None:
        chance, place = self.chance, self.place
        door = chance.choice(DOORS)
        match chance.randrange(9):
            case 7 | 8:
                who = chance.choice(BINDING)
                place.vouch("he", chance.choice(("VOLUNTEER", "RESIDENT")))
                place.bind(who)
                place.scan(f"{who}:id", chance.choice(ENTRIES))
            case 0:
                place.do(BellPressed(door=door))
            case 1:
                place.do(OutputChanged(door=door, is_on=chance.random() < 0.5))
            case 2:
                place.fire_input(is_active=chance.random() < 0.4)
            case 3:
                place.do(Unreadable(access_point=chance.choice(POINTS), cause="x"))
            case 4 | 5:
                gone = [told for told in TOLD if chance.random() < 0.1]
                place.adopt(*(t + " cancelled" * (t in gone) for t in TOLD))
            case _:
                place.do(
                    DeviceChanged(
                        device="relay",
                        is_online=chance.random() < 0.6,
                        detail="",
                        doors=(door,),
                        appliances=("stove",),
                        senses_fire=chance.random() < 0.3,
                    )
                )

    def _power(self) -> None:
        """The power fails; some snapshot and what came after it are left."""
        chance, place = self.chance, self.place
        newest = place.kept or self._bases[0]
        bases = [base for base in self._bases if base[1] >= newest[1]]
        bases += [newest, place.base()]
        place.restart(*chance.choice(bases), off_s=chance.choice((1.0, 60.0, 3600.0)))
