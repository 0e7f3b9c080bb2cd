# SPDX-License-Identifier: Apache-2.0
"""How people play a scene: they act, wait some seconds, look, and act again.

The law of the module: a scene is a generator that yields seconds to wait; it touches
the street through the hand alone and never asks the gateway anything, since people
see doors and lamps, not journals. A new scene is one function and one row of
:data:`edge.cli.simulate.workload.SCENES`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge.cli.simulate.village import is_at
from firmware_sim.happening import Subject, What

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from edge.cli.simulate.site import SimulatedSite
    from edge.cli.simulate.village import Neighbour
    from firmware_sim.happening import Happening

Scene = Iterator[float]
#: A scene that says in the end whether somebody came in.
Arrival = Generator[float, None, bool]

CARD_LIES_S = 0.9
STEP_IN_S = 1.5
PATIENCE_S = 2.5
#: So many of those who come have booked this hour; the others try their luck.
INVITED_SHARE = 0.75
KITCHEN_DOOR, ROOM_DOOR = "kitchen-door", "living-room-door"
KITCHEN_READER, DESK_READER = "kitchen-reader", "desk-reader"
ROOM_SCANNER = "living-room-scanner"
LOCKER_SCANNER, MEDICINE_SCANNER = "locker-scanner", "medicine-scanner"
LOCKS = "locks"


@dataclass(slots=True)
class Crowd:
    """The people on the street: what they need to play, and what they hear."""

    site: SimulatedSite
    chance: Random
    #: Compartments that sprang open and that nobody has taken up yet.
    opened: list[int]
    #: Readers with somebody before them: others wait their turn.
    taken: set[str]
    #: Those who left something in a locker that they had not booked.
    lodgers: list[Neighbour]
    is_over: bool

    def __init__(self, site: SimulatedSite, chance: Random) -> None:
        self.site = site
        self.chance = chance
        self.opened = []
        self.taken = set()
        self.lodgers = []
        self.is_over = False
        site.street.heard = self._hear

    def play(self, scene: Scene) -> None:
        """Play a scene from now on, until it ends or everybody went home."""
        if self.is_over:
            return
        wait_s = next(scene, None)
        if wait_s is not None:
            self.site.clockwork.later(wait_s, partial(self.play, scene))

    def act(self, verb: Callable[[float], object]) -> None:
        """Do something with the hand."""
        self.site.street.act(verb)

    @property
    def doors(self) -> tuple[str, ...]:
        """All doors of the site."""
        return tuple(self.site.plan.doors)

    def is_released(self, door: str) -> bool:
        """See whether the lock gives way."""
        return self.site.street.world.doors[door].snapshot().is_released

    def is_open(self, door: str) -> bool:
        """See whether the leaf stands open."""
        return self.site.street.world.doors[door].snapshot().is_open

    def guest(
        self, space: str, among: tuple[Neighbour, ...], *, wants_locker: bool = False
    ) -> Neighbour:
        """Return somebody who comes: most often with a booking for this hour."""
        now_ms = self.site.true_time.ms()
        if self.chance.random() < INVITED_SHARE:
            invited = {
                row.body["holder"]
                for row in self.site.booked.values()
                if row.body["space"] == space
                and ("size" in row.body) is wants_locker
                and is_at(row, now_ms)
            }
            expected = [one for one in among if one.holder in invited]
            if expected:
                return self.chance.choice(expected)
        return self.chance.choice(among)

    def _hear(self, happening: Happening) -> None:
        is_leaf = happening.what is What.COMPARTMENT_OPENED
        if is_leaf and happening.subject is Subject.BOARD and happening.channel:
            self.opened.append(happening.channel)


def hold_out(crowd: Crowd, reader: str, who: Neighbour) -> Scene:
    """Hold a card or a code out, when it is one's turn, and take it back."""
    for _ in range(20):
        if reader not in crowd.taken:
            break
        yield 1.0
    crowd.taken.add(reader)
    hand, card = crowd.site.street.hand, who.card
    if "scanner" in reader:
        crowd.act(partial(hand.show_code, reader, who.code))
        yield 0.3
    elif card is not None:
        crowd.act(partial(hand.put_card, reader, card))
        is_forgotten = crowd.chance.random() < crowd.site.weather.careless_share / 3
        yield 20.0 if is_forgotten else CARD_LIES_S
        crowd.act(partial(hand.take_card, reader))
    crowd.taken.discard(reader)


def enter(crowd: Crowd, door: str, reader: str, who: Neighbour) -> Arrival:
    """Come to a door, get in or not, and shut it behind oneself or not."""
    weather, chance = crowd.site.weather, crowd.chance
    yield from hold_out(crowd, reader, who)
    if chance.random() < weather.twice_share:
        yield chance.uniform(0.6, 4.0)
        yield from hold_out(crowd, reader, who)
    yield chance.uniform(0.3, 1.2)
    if not crowd.is_released(door):
        yield PATIENCE_S
    if not crowd.is_released(door):
        return False
    if chance.random() < weather.careless_share:
        return False  # came only to look whether it works
    yield from walk_in(crowd, door)
    if chance.random() < weather.tailgate_share:
        yield chance.uniform(0.2, 2.0)
        yield from walk_in(crowd, door)
    return True


def walk_in(crowd: Crowd, door: str) -> Scene:
    """Push the leaf, go in, and let it fall shut."""
    hand, chance = crowd.site.street.hand, crowd.chance
    crowd.act(partial(hand.push, door))
    is_left = chance.random() < crowd.site.weather.careless_share
    yield chance.uniform(25.0, 90.0) if is_left else chance.uniform(1.2, 4.0)
    crowd.act(partial(hand.pull_shut, door))


def kitchen(crowd: Crowd) -> Scene:
    """Somebody with a card comes to cook."""
    who = crowd.guest("kitchen", crowd.site.village.with_card)
    return enter(crowd, KITCHEN_DOOR, KITCHEN_READER, who)


def living_room(crowd: Crowd) -> Scene:
    """Somebody with a code comes to sit."""
    who = crowd.guest("living-room", crowd.site.village.with_code)
    return enter(crowd, ROOM_DOOR, ROOM_SCANNER, who)


def leave(crowd: Crowd) -> Scene:
    """Somebody presses the exit button and goes."""
    return go_out(crowd, crowd.chance.choice((KITCHEN_DOOR, ROOM_DOOR)))


def go_out(crowd: Crowd, door: str) -> Scene:
    """Press the exit button and go, or stay where the door gives no way."""
    hand = crowd.site.street.hand
    crowd.act(partial(hand.press_exit, door))
    yield crowd.chance.uniform(0.8, 1.5)
    if crowd.is_released(door):
        yield from walk_in(crowd, door)


def slip_out(crowd: Crowd) -> Scene:
    """Somebody leaves by the handle, which asks nobody."""
    return slip_through(crowd, crowd.chance.choice((KITCHEN_DOOR, ROOM_DOOR)))


def slip_through(crowd: Crowd, door: str) -> Scene:
    """Open a door by its handle, and let it fall shut."""
    hand = crowd.site.street.hand
    crowd.act(partial(hand.force, door))
    yield crowd.chance.uniform(1.0, 3.0)
    crowd.act(partial(hand.pull_shut, door))


def lockers(crowd: Crowd) -> Scene:
    """Somebody comes to the lockers; the leaf that opens is his."""
    people = crowd.site.village.with_code
    who = crowd.guest("living-room", people, wants_locker=True)
    yield from use_leaf(crowd, LOCKER_SCANNER, who)


def medicine(crowd: Crowd) -> Scene:
    """Somebody needs a plaster."""
    people = crowd.site.village.with_code
    yield from use_leaf(crowd, MEDICINE_SCANNER, crowd.chance.choice(people))


def use_leaf(crowd: Crowd, scanner: str, who: Neighbour) -> Scene:
    """Scan at a bank, put something in or take it out, and shut the leaf."""
    crowd.opened.clear()
    yield from hold_out(crowd, scanner, who)
    yield PATIENCE_S
    yield from use_opened(crowd)


def use_opened(crowd: Crowd) -> Scene:
    """Put something into each leaf that stands open, or take it out, and shut it."""
    hand, chance = crowd.site.street.hand, crowd.chance
    opened, crowd.opened = crowd.opened, []
    for channel in opened:
        yield STEP_IN_S
        bank = crowd.site.street.world.lockers[LOCKS].bank.at(channel)
        if bank.holds_something:
            crowd.act(partial(hand.take_out, LOCKS, channel))
        else:
            crowd.act(partial(hand.put_in, LOCKS, channel, "bag"))
        is_left = chance.random() < crowd.site.weather.careless_share
        yield chance.uniform(65.0, 180.0) if is_left else STEP_IN_S
        crowd.act(partial(hand.shut, LOCKS, channel))


def shift(crowd: Crowd) -> Scene:
    """A volunteer's card at the desk begins or ends a shift; others try it, too."""
    people = crowd.site.village.volunteers
    if crowd.chance.random() < 0.2:
        people = crowd.site.village.with_card
    with_card = [one for one in people if one.card is not None]
    yield from hold_out(crowd, DESK_READER, crowd.chance.choice(with_card))


def break_in(crowd: Crowd) -> Scene:
    """Somebody forces a door."""
    door = crowd.chance.choice(crowd.doors)
    hand = crowd.site.street.hand
    crowd.act(partial(hand.force, door))
    yield crowd.chance.uniform(2.0, 60.0)
    crowd.act(partial(hand.pull_shut, door))


def jam(crowd: Crowd) -> Scene:
    """A latch sticks, or something leans against a leaf, until somebody sees to it."""
    hand, channel = crowd.site.street.hand, crowd.chance.randrange(1, 13)
    is_jam = crowd.chance.random() < 0.5
    if is_jam:
        crowd.act(partial(hand.jam, LOCKS, channel))
    else:
        crowd.act(partial(hand.hold_shut, LOCKS, channel))
    yield crowd.chance.uniform(60.0, 7_200.0)
    if is_jam:
        crowd.act(partial(hand.jam, LOCKS, channel, is_jammed=False))
        return
    crowd.act(partial(hand.hold_shut, LOCKS, channel, is_held=False))
    yield 5.0
    crowd.act(partial(hand.shut, LOCKS, channel))
