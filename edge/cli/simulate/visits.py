# SPDX-License-Identifier: Apache-2.0
"""What people come for where more is asked than a booking: each a scene.

The law of the module: as of :mod:`edge.cli.simulate.scenes`; whoever is in charge may
answer in a scene of theirs, as he would at the door.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edge.cli.simulate.scenes import (
    DESK_READER,
    INVITED_SHARE,
    KITCHEN_DOOR,
    KITCHEN_READER,
    LOCKER_SCANNER,
    ROOM_DOOR,
    ROOM_SCANNER,
    enter,
    go_out,
    hold_out,
    slip_through,
    use_leaf,
    walk_in,
)
from edge.cli.simulate.staff import ACTOR, REASON, give
from edge.cli.simulate.village import HOUR_MS, Neighbour, is_at
from edge.core.order import CallAnswered, PanelOpenOrdered

if TYPE_CHECKING:
    from edge.cli.simulate.scenes import Crowd, Scene

STORE_DOOR, STORE_READER = "store-door", "store-reader"
KITCHEN_EXIT, ROOM_READER = "kitchen-exit-scanner", "living-room-reader"
LOCKER_READER = "locker-reader"
BELL_INPUT = 7
#: As many who keep something in a locker without a booking are remembered.
MAX_LODGERS = 8
MINUTE_S = 60.0


def cook(crowd: Crowd) -> Scene:
    """Somebody cooks for a while, and leaves by the reader, the button or the way."""
    chance = crowd.chance
    who = crowd.guest("kitchen", crowd.site.village.with_card)
    is_in = yield from enter(crowd, KITCHEN_DOOR, KITCHEN_READER, who)
    if not is_in:
        return
    yield chance.uniform(5 * MINUTE_S, 100 * MINUTE_S)
    if chance.random() < 0.25:
        yield from go_out(crowd, KITCHEN_DOOR)
        return
    yield from hold_out(crowd, KITCHEN_EXIT, who)
    yield chance.uniform(0.6, 1.5)
    if crowd.is_released(KITCHEN_DOOR):
        yield from walk_in(crowd, KITCHEN_DOOR)


def sit(crowd: Crowd) -> Scene:
    """Somebody with a code comes to sit in the living room for a while."""
    who = crowd.guest("living-room", crowd.site.village.with_code)
    is_in = yield from enter(crowd, ROOM_DOOR, ROOM_SCANNER, who)
    if is_in:
        yield crowd.chance.uniform(3 * MINUTE_S, 40 * MINUTE_S)
        yield from go_out(crowd, ROOM_DOOR)


def drop_in(crowd: Crowd) -> Scene:
    """Somebody comes to the living room with a card that need not be known."""
    village = crowd.site.village
    among = village.strangers if crowd.chance.random() < 0.5 else village.with_card
    who = crowd.chance.choice(among)
    is_in = yield from enter(crowd, ROOM_DOOR, ROOM_READER, who)
    if is_in:
        yield crowd.chance.uniform(3 * MINUTE_S, 20 * MINUTE_S)
        yield from go_out(crowd, ROOM_DOOR)


def come_to_work(crowd: Crowd) -> Scene:
    """A volunteer comes in, begins a shift at the desk, and ends it hours later."""
    chance = crowd.chance
    who = chance.choice(crowd.site.village.having("VOLUNTEER"))
    is_in = yield from enter(crowd, ROOM_DOOR, ROOM_READER, who)
    if not is_in:
        return
    yield chance.uniform(20.0, 90.0)
    yield from hold_out(crowd, DESK_READER, who)
    yield chance.uniform(HOUR_MS / 1_000, 5 * HOUR_MS / 1_000)
    yield from hold_out(crowd, DESK_READER, who)
    yield from go_out(crowd, ROOM_DOOR)


def fetch_from_store(crowd: Crowd) -> Scene:
    """Two fetch something from the store; one may be the wrong person, or too late."""
    village, chance = crowd.site.village, crowd.chance
    staff = [*village.having("VOLUNTEER"), *village.having("MANAGER")]
    first, second = chance.sample(staff, 2)
    if chance.random() < 0.15:
        second = chance.choice(village.with_card)
    yield from hold_out(crowd, STORE_READER, first)
    yield chance.choice((2.0, 4.0, 8.0, 40.0))
    if chance.random() < 0.2:  # the other side of the interlock stands open
        crowd.play(slip_through(crowd, KITCHEN_DOOR))
    is_in = yield from enter(crowd, STORE_DOOR, STORE_READER, second)
    if is_in:
        yield chance.uniform(20.0, 10 * MINUTE_S)
        yield from go_out(crowd, STORE_DOOR)


def show_ticket(crowd: Crowd) -> Scene:
    """Somebody comes with a ticket, good or not; another has a copy of it."""
    chance = crowd.chance
    bearer = Neighbour(holder="", card=None, code=_ticket(crowd), is_known=False)
    yield from enter(crowd, ROOM_DOOR, ROOM_SCANNER, bearer)
    if chance.random() < 0.3:
        yield chance.uniform(4.0, 20 * MINUTE_S)
        yield from enter(crowd, ROOM_DOOR, ROOM_SCANNER, bearer)


def _ticket(crowd: Crowd) -> str:
    site, chance = crowd.site, crowd.chance
    office, now_ms = site.ticket_office, site.true_time.ms()
    sold = [
        row
        for row in site.booked.values()
        if "ticket" in row.body and row.body["space"] == "living-room"
    ]
    now = [row for row in sold if is_at(row, now_ms)]
    number = site.plan.spaces["living-room"].number
    if sold and chance.random() < INVITED_SHARE:
        return office.of_booking(chance.choice(now or sold), number)
    kind = chance.random()
    hour_ms = now_ms - now_ms % HOUR_MS
    times_ms = (hour_ms, hour_ms + 2 * HOUR_MS)
    if kind < 0.15:
        number = site.plan.spaces["store"].number
    elif kind < 0.3:
        times_ms = (hour_ms - 3 * HOUR_MS, hour_ms - HOUR_MS)
    uses = chance.choice((0, 1, 1, 2))
    text = office.text(chance.randbytes(8), number, times_ms, uses=uses)
    return text if kind < 0.85 else _spoilt(text)


def _spoilt(text: str) -> str:
    """Return a ticket whose last character was read as another."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def ring(crowd: Crowd) -> Scene:
    """Somebody rings at the kitchen; who hears it may answer, and may open."""
    hand, chance = crowd.site.street.hand, crowd.chance
    for _ in range(chance.choice((1, 1, 3))):
        crowd.act(partial(hand.set_input, "board", BELL_INPUT, is_closed=True))
        yield 0.5
        crowd.act(partial(hand.set_input, "board", BELL_INPUT, is_closed=False))
        yield chance.uniform(0.5, 12.0)
    yield chance.uniform(3.0, 90.0)
    if chance.random() < 0.4:
        return
    give(crowd, CallAnswered(door=KITCHEN_DOOR, actor=ACTOR))
    yield 2.0
    count = chance.choice((1, 1, 3))
    opening = PanelOpenOrdered(
        door=KITCHEN_DOOR, actor=ACTOR, reason=REASON, count=count
    )
    give(crowd, opening)
    yield 1.5
    if crowd.is_released(KITCHEN_DOOR):
        yield from walk_in(crowd, KITCHEN_DOOR)


def keep_things(crowd: Crowd) -> Scene:
    """Somebody without a booking takes a locker with a card, or comes back to it."""
    lodgers, chance = crowd.lodgers, crowd.chance
    if lodgers and chance.random() < 0.6:
        who = lodgers.pop(chance.randrange(len(lodgers)))
    else:
        who = chance.choice(crowd.site.village.with_card)
        if len(lodgers) < MAX_LODGERS:
            lodgers.append(who)
    yield from use_leaf(crowd, LOCKER_READER, who)


def try_codes(crowd: Crowd) -> Scene:
    """Somebody tries codes that are nobody's, one after the other."""
    chance = crowd.chance
    scanner = chance.choice((ROOM_SCANNER, ROOM_SCANNER, LOCKER_SCANNER))
    for _ in range(chance.randrange(3, 9)):
        code = f"GUESS-{chance.randrange(10**9)}"
        if chance.random() < 0.5:
            code = _spoilt(_ticket(crowd))
        guess = Neighbour(holder="", card=None, code=code, is_known=False)
        yield from hold_out(crowd, scanner, guess)
        yield chance.uniform(2.0, 6.0)
