# SPDX-License-Identifier: Apache-2.0
"""What those in charge do: orders at the panel, a fire panel, the platform's desk.

The law of the module: an order goes through the gateway as the control socket would
bring it, and is lost if the box is dark; the office at the platform edits rows and
never speaks to the box. Each is a scene of :mod:`edge.cli.simulate.scenes`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from edge.cli.simulate.bylaws import adapted
from edge.cli.simulate.checking import Ordered, Stormed
from edge.cli.simulate.scenes import LOCKER_SCANNER, PATIENCE_S, use_leaf, use_opened
from edge.cli.simulate.village import DAY_MS, HOUR_MS, booking, bookings_of_day
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.order import (
    BagReturned,
    CleaningDone,
    CompartmentOpenOrdered,
    DutyOrdered,
    EmergencyEndOrdered,
    EmergencyOrdered,
    EntryCorrected,
    MendOrdered,
    ModeOrdered,
    OutOfOrderOrdered,
    PanelOpenOrdered,
    ParcelOrdered,
    RentalEndOrdered,
    ShelterOrdered,
)
from edge.core.plan import SIZES

if TYPE_CHECKING:
    from edge.cli.simulate.scenes import Crowd, Scene
    from edge.core.stimulus import Stimulus
    from firmware_sim.platform.feed import Key, Row

ACTOR, REASON = "chen", "in a simulation"
FIRE_INPUT = 8
#: How long a door is left in another mode than LOCKED: renewing a pulse each five
#: seconds for hours would be most of what a run does.
MODE_LONGEST_S = 300.0
#: How long a sealed bag waits for its owner; longer than many a power cut.
BAG_WAITS_S = 3 * 3600.0


def give(crowd: Crowd, order: Stimulus) -> None:
    """Give an order to the box, if it is there to take it."""
    crowd.site.witness.tell(Ordered, order=order)
    machine = crowd.site.machine
    if machine is not None and not machine.is_stopping and not machine.boot.is_still:
        machine.give_order(order)


def open_by_hand(crowd: Crowd) -> Scene:
    """A volunteer opens a door at the panel for somebody, who then walks in."""
    door = crowd.chance.choice(crowd.doors)
    give(crowd, PanelOpenOrdered(door=door, actor=ACTOR, reason=REASON))
    yield 1.5
    correct(crowd, before=True)
    if crowd.is_released(door):
        crowd.act(partial(crowd.site.street.hand.push, door))
        yield 2.0
        crowd.act(partial(crowd.site.street.hand.pull_shut, door))
        correct(crowd)


def correct(crowd: Crowd, *, before: bool = False) -> None:
    """Correct each third entry that the panel still offers, half ``before`` it is one.

    Which ones follows from their numbers, so that no draw of chance moves.
    """
    machine = crowd.site.machine
    if machine is None or machine.is_stopping or machine.boot.is_still:
        return
    known = machine.controller.house.spaces.by_hand.open(machine.clock.now())
    for seq in known:
        if seq % 3 == 0 and (seq % 2 == 0) is before:
            persons = seq // 6 % 4
            fixed = EntryCorrected(seq=seq, persons=persons, actor=ACTOR, reason=REASON)
            give(crowd, fixed)


def set_mode(crowd: Crowd) -> Scene:
    """A door gets another mode for a while, and its own again."""
    door = crowd.chance.choice(crowd.doors)
    modes = (DoorMode.UNLOCKED, DoorMode.BLOCKED, DoorMode.LOCKED_DOWN)
    mode = crowd.chance.choice(modes)
    lasts_s = crowd.chance.uniform(20.0, MODE_LONGEST_S)
    begun_ms, order = crowd.site.true_time.ms(), mode_of(door, mode)
    if mode is DoorMode.UNLOCKED and begun_ms % 2:  # with an end, before a hand's
        order = replace(order, until_ms=begun_ms + int(500 * lasts_s))
    give(crowd, order)
    yield lasts_s
    give(crowd, mode_of(door, DoorMode.LOCKED))


def mode_of(door: str, mode: DoorMode) -> ModeOrdered:
    """Return the order that brings a door into a mode."""
    return ModeOrdered(door=door, mode=mode, actor=ACTOR, reason=REASON)


def see_to_lockers(crowd: Crowd) -> Scene:
    """A volunteer ends a rental or says that a compartment is mended."""
    number = crowd.chance.randrange(1, 13)
    what = crowd.chance.choice((RentalEndOrdered, MendOrdered))
    order = what(bank="lockers", number=number, actor=ACTOR, reason=REASON)
    if not isinstance(order, RentalEndOrdered):
        give(crowd, order)
        return
    bag = f"B{number}"
    give(crowd, replace(order, bag=bag))
    yield BAG_WAITS_S
    give(crowd, BagReturned(bag=bag, actor=ACTOR))


def look_after_lockers(crowd: Crowd) -> Scene:
    """A volunteer takes a compartment out of use, opens one, or has cleaned it."""
    number = crowd.chance.randrange(1, 13)
    what = crowd.chance.choice((OutOfOrderOrdered, CompartmentOpenOrdered))
    crowd.opened.clear()
    give(crowd, what(bank="lockers", number=number, actor=ACTOR, reason=REASON))
    yield PATIENCE_S
    yield from use_opened(crowd)
    yield crowd.chance.uniform(60.0, 3_600.0)
    mend = MendOrdered(bank="lockers", number=number, actor=ACTOR, reason=REASON)
    give(crowd, mend)
    give(crowd, CleaningDone(bank="lockers", number=number, actor=ACTOR))


def fire(crowd: Crowd) -> Scene:
    """The fire panel raises its contact; later it rests, and somebody ends the fire."""
    site, hand = crowd.site, crowd.site.street.hand
    lasts_s = crowd.chance.uniform(30.0, 900.0)
    site.witness.tell(Stormed, kind="fire", on="board", for_s=lasts_s)
    crowd.act(partial(hand.set_input, "board", FIRE_INPUT, is_closed=False))
    for _ in range(3):
        yield lasts_s / 6
        give(crowd, end_of(EmergencyState.FIRE))  # too early: the input is active
    yield lasts_s / 2
    crowd.act(partial(hand.set_input, "board", FIRE_INPUT, is_closed=True))
    yield crowd.chance.uniform(1.0, 600.0)
    give(crowd, end_of(EmergencyState.FIRE))


def end_of(state: EmergencyState) -> EmergencyEndOrdered:
    """Return the order that ends an emergency by hand."""
    return EmergencyEndOrdered(state=state, actor=ACTOR, reason=REASON)


def emergency(crowd: Crowd) -> Scene:
    """Somebody in charge declares an emergency other than fire, and ends it."""
    states = [state for state in EmergencyState if state is not EmergencyState.FIRE]
    state = crowd.chance.choice(states)
    if state is EmergencyState.SHELTER and crowd.site.true_time.ms() % 2:
        give(crowd, ShelterOrdered(actor="op-1+op-2", reason=REASON))  # from afar
    else:
        give(crowd, EmergencyOrdered(state=state, actor=ACTOR, reason=REASON))
    yield crowd.chance.uniform(30.0, 1_800.0)
    give(crowd, end_of(state))


def bring_parcel(crowd: Crowd) -> Scene:
    """A volunteer puts something into the leaf that opens, for a holder to fetch."""
    who = crowd.chance.choice(crowd.site.village.with_code[:40])
    until_ms = crowd.site.true_time.ms() + 8 * HOUR_MS
    size = crowd.chance.choice(SIZES)
    crowd.opened.clear()
    give(
        crowd,
        ParcelOrdered(
            bank="lockers", size=size, holder=who.holder, until_ms=until_ms, actor=ACTOR
        ),
    )
    yield PATIENCE_S
    yield from use_opened(crowd)
    yield crowd.chance.uniform(60.0, 7_200.0)
    yield from use_leaf(crowd, LOCKER_SCANNER, who)


def see_to_duty(crowd: Crowd) -> Scene:
    """A shift begins at the panel, and ends there."""
    who = crowd.chance.choice(crowd.site.village.volunteers).holder
    give(crowd, DutyOrdered(holder=who, is_start=True, actor=ACTOR))
    yield crowd.chance.uniform(600.0, 14_400.0)
    give(crowd, DutyOrdered(holder=who, is_start=False, actor=ACTOR))


def edit_roster(crowd: Crowd) -> Scene:
    """The office books, moves, cancels, revokes or bars, and the feed goes down."""
    put, remove = _edited(crowd)
    site = crowd.site
    site.network.send(site.platform.session.change(put, remove))
    yield 0.0


def book_a_day(crowd: Crowd, day: int) -> None:
    """Book one day, and forget the day before yesterday's bookings."""
    site = crowd.site
    midnight_ms = site.platform_midnight_ms(day)
    chance = site.chance(f"bookings {day}")
    put = bookings_of_day(chance, site.village, day, midnight_ms)
    put = adapted(put, site.plan)
    old = f"b-{day - 2:03}-"
    remove: list[Key] = [key for key in site.booked if key[1].startswith(old)]
    site.booked = {key: row for key, row in site.booked.items() if key not in remove}
    site.booked |= {row.key: row for row in put}
    site.network.send(site.platform.session.change(put, remove))


def _edited(crowd: Crowd) -> tuple[list[Row], list[Key]]:
    site, chance = crowd.site, crowd.chance
    people = site.written()
    what = chance.randrange(6)
    if what == 0:
        lost = people.revocation(chance.choice(people.with_code[:10]))
        return ([], [lost.key]) if chance.random() < 0.6 else ([lost], [])
    if what == 1:
        barred = chance.choice(people.with_card[:CARD_HOLDERS])
        return [people.row(barred, is_enabled=chance.random() < 0.6)], []
    if what == 2:
        now_ms = site.true_time.ms()
        who = chance.choice(people.with_code[:40])
        start_ms = now_ms - now_ms % HOUR_MS + chance.randrange(-1, 4) * HOUR_MS
        name = f"b-{(now_ms - site.began_ms) // DAY_MS:03}-x{chance.randrange(10**6)}"
        times_ms = (start_ms, start_ms + HOUR_MS)
        row = booking(name, who, "living-room", times_ms, party=2)
        site.booked[row.key] = row
        return [row], []
    key = chance.choice(sorted(site.booked))
    row = site.booked[key]
    if what == 3:
        del site.booked[key]
        return [], [key]
    state = "CANCELLED" if row.body["state"] == "CONFIRMED" else "CONFIRMED"
    changed = type(row)(kind=row.kind, id=row.id, body={**row.body, "state": state})
    site.booked[key] = changed
    return [changed], []


#: Those of the card holders that the office may bar for a while.
CARD_HOLDERS = 12
