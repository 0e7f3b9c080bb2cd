# SPDX-License-Identifier: Apache-2.0
"""The cards for the time without us: read first, only what differs is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.device import OrderFailed, Pulse, Reachable
from drivers.errors import LocalError
from drivers.options import read_options
from drivers.registry import Unit, build
from drivers.uhppote.options import MAX_OFFLINE_CARDS, UhppoteOptions
from firmware_sim.uhppote.controller import UhppoteController as SimulatedController
from firmware_sim.uhppote.network import UhppoteNetwork
from tests.drivers.fault_matrix.ends import UdpEnd
from tests.drivers.fault_matrix.joined import Joined
from tests.drivers.uhppote_wire import (
    COUNT,
    STATUS,
    UhppoteWire,
    cards,
    done,
    get_door,
    held,
    long,
    open_door,
    packet,
    set_door,
    wire,
)

if TYPE_CHECKING:
    from drivers.device import Signal

FIRST, SECOND = 10058400, 10058401
BOTH = f"{FIRST}, {SECOND}"
READY = "version 8.92"
OPEN = Pulse(unit=0, channel=1, duration_s=5.0)
#: The latest beginning of the list: three of what it asks are awaited in vain.
AT_MOST_S = 5.0


def line(number: int, doors: str = "01010101", dates: str = "2020010120991231") -> str:
    """A card as it stands on the wire, behind the serial number."""
    return long(number) + dates + doors


def get(number: int) -> str:
    return packet("5a", long(number))


def put(number: int) -> str:
    return packet("50", line(number))


def there(number: int) -> str:
    """The reply of a controller that has the card as it is to be."""
    return packet("5a", line(number))


def absent() -> str:
    return packet("5a")


def begin(script: UhppoteWire, seconds: float = AT_MOST_S) -> None:
    script.open()
    script.run(seconds)


def told(script: UhppoteWire) -> list[str]:
    signals: list[Signal] = [signal for _, signal in script.signals]
    return [one.detail for one in signals if isinstance(one, Reachable)]


def of_cards(script: UhppoteWire) -> list[str]:
    """What was sent about cards: get, put, count, and whatever deletes."""
    sent = [frame for _, frame in script.sent]
    return [one for one in sent if one[2:4] in ("50", "52", "54", "58", "5A", "5C")]


# -- the beginning -----------------------------------------------------------------


def test_what_is_missing_or_differs_is_written_once_and_read_back() -> None:
    script = wire(offline_cards=BOTH)
    other_doors = packet("5a", line(SECOND, doors="01000000"))
    script.replies |= {
        get(FIRST): [absent(), there(FIRST)],
        get(SECOND): [other_doors, there(SECOND)],
        put(FIRST): done("50"),
        put(SECOND): done("50"),
        COUNT: cards(2),
    }
    begin(script)
    first = [get(FIRST), put(FIRST), get(FIRST)]
    assert of_cards(script) == [
        *first,
        *[get(SECOND), put(SECOND), get(SECOND)],
        COUNT,
    ]
    assert told(script) == [READY]


@pytest.mark.parametrize(
    "found",
    [
        line(FIRST, dates="2020010120261231"),
        line(FIRST, dates="00" * 8),
        line(FIRST, doors="01010100"),
        line(FIRST, doors="02010101"),
        line(FIRST) + "6b1d00",
    ],
    ids=["ends", "no dates", "a door less", "by a profile", "with a PIN"],
)
def test_a_card_that_differs_is_written_anew(found: str) -> None:
    script = wire(offline_cards=str(FIRST))
    script.replies |= {
        get(FIRST): [packet("5a", found), there(FIRST)],
        put(FIRST): done("50"),
    }
    begin(script)
    assert put(FIRST) in of_cards(script)
    assert told(script) == [READY]


def test_nothing_is_written_when_all_is_there() -> None:
    script = wire(offline_cards=BOTH)
    script.replies |= {get(FIRST): there(FIRST), get(SECOND): there(SECOND)}
    script.replies[COUNT] = cards(2)
    begin(script, 60.0)
    assert of_cards(script) == [get(FIRST), get(SECOND), COUNT]
    assert told(script) == [READY]


def test_cards_may_open_only_the_doors_that_the_controller_has() -> None:
    script = wire(offline_cards=str(FIRST), doors=2)
    script.replies[get(FIRST)] = absent()
    begin(script)
    assert packet("50", line(FIRST, doors="01010000")) in of_cards(script)


def test_without_a_list_in_the_site_file_the_controllers_is_left_alone() -> None:
    script = wire(offline_cards=" ")
    begin(script, 30.0)
    assert of_cards(script) == [COUNT]


def test_cards_that_are_not_listed_stay_and_are_told() -> None:
    script = wire(2, offline_cards=BOTH)
    script.replies |= {
        get(FIRST): [absent(), there(FIRST)],
        get(SECOND): there(SECOND),
        put(FIRST): done("50"),
        COUNT: cards(7),
    }
    begin(script)
    again = f"{READY}; 5 cards of its own"
    assert told(script) == [READY, READY, again, again]


def test_at_each_beginning_the_list_is_read_anew() -> None:
    script = wire(offline_cards=str(FIRST))
    script.replies |= {get(FIRST): there(FIRST), COUNT: cards(1)}
    begin(script)
    replies, script.replies = script.replies, {}
    script.run(10.0)
    script.replies = replies | {
        get(FIRST): [absent(), absent(), there(FIRST)],
        put(FIRST): done("50"),
    }
    start = script.now
    script.run(AT_MOST_S)
    assert put(FIRST) in script.sent_since(start)
    assert told(script) == [READY, READY]


# -- what goes wrong ---------------------------------------------------------------


@pytest.mark.parametrize("answer", ["00", "01"], ids=["says no", "says yes"])
def test_a_card_that_is_not_kept_is_written_three_times_and_told(answer: str) -> None:
    script = wire(offline_cards=BOTH)
    script.replies |= {
        get(FIRST): absent(),
        put(FIRST): packet("50", answer),
        get(SECOND): there(SECOND),
        COUNT: cards(1),
    }
    begin(script, 60.0)
    sent = of_cards(script)
    assert sent.count(put(FIRST)) == 3
    assert sent[-2:] == [get(SECOND), COUNT]
    assert told(script) == [READY, f"{READY}; 1 of 2 offline cards can't be set"]
    assert str(FIRST) not in "".join(told(script))


def test_a_writing_whose_answer_is_lost_is_read_back_and_not_repeated() -> None:
    script = wire(offline_cards=str(FIRST))
    script.replies |= {get(FIRST): [absent(), there(FIRST)], put(FIRST): None}
    begin(script)
    assert of_cards(script) == [get(FIRST), put(FIRST), get(FIRST), COUNT]
    assert told(script) == [READY]


@pytest.mark.parametrize("knows_reading", [False, True])
def test_a_firmware_that_does_not_know_lists_is_soon_left_in_peace(
    *, knows_reading: bool
) -> None:
    numbers = range(1, MAX_OFFLINE_CARDS + 1)
    script = wire(offline_cards=",".join(map(str, numbers)))
    script.replies |= {get(one): absent() for one in numbers if knows_reading}
    script.replies[COUNT] = None
    begin(script, 60.0)
    sent = of_cards(script)
    asked = [get(1), put(1)] * 3 if knows_reading else [get(1)] * 3
    assert sent == [*asked, *[COUNT] * 3]
    assert told(script) == [READY, f"{READY}; 64 of 64 offline cards can't be set"]


def test_one_that_falls_silent_meanwhile_is_lost_and_begins_anew() -> None:
    script = wire(offline_cards=BOTH)
    script.replies[get(FIRST)] = there(FIRST)
    script.replies[STATUS] = [script.replies[STATUS], None]  # type: ignore[list-item]
    begin(script, 30.0)
    assert of_cards(script).count(get(FIRST)) == 1
    assert of_cards(script).count(get(SECOND)) == 3


# -- orders first ------------------------------------------------------------------


def test_the_controller_is_reachable_before_its_list_is_read() -> None:
    script = wire(offline_cards=BOTH)
    script.replies |= {get(FIRST): there(FIRST), get(SECOND): there(SECOND)}
    begin(script)
    [reached] = [at for at, one in script.signals if isinstance(one, Reachable)]
    asked = [at for at, frame in script.sent if frame == get(FIRST)]
    assert asked[0] >= reached


@pytest.mark.parametrize("answers", [True, False])
def test_an_order_goes_before_all_that_is_left_of_the_list(*, answers: bool) -> None:
    numbers = range(1, MAX_OFFLINE_CARDS + 1)
    script = wire(offline_cards=",".join(map(str, numbers)))
    if answers:
        script.replies |= {get(one): there(one) for one in numbers}
    script.open()
    while get(1) not in [frame for _, frame in script.sent]:
        script.run_until_sent()
    before = len(script.sent)
    script.order(OPEN)
    script.run_until_sent()
    assert [frame for _, frame in script.sent[before:]] == [open_door(1)]
    signals = script.run(60.0)
    assert not [one for one in signals if isinstance(one, OrderFailed)]
    assert (get(64) in of_cards(script)) is answers


def test_a_door_that_stands_open_by_itself_is_shut_meanwhile_and_status_goes_on() -> (
    None
):
    numbers = range(1, MAX_OFFLINE_CARDS + 1)
    script = wire(offline_cards=",".join(map(str, numbers)))
    slow: list[str | None] = [None]
    for one in numbers:
        script.replies[get(one)] = [*slow, there(one)]
    script.replies[get_door(2)] = held(2, 1, 5)
    setting = set_door(2, 3, 5)
    script.replies[setting] = setting
    begin(script, 10.0)
    assert get(64) not in of_cards(script)
    assert setting in [frame for _, frame in script.sent]
    assert [frame for _, frame in script.sent].count(STATUS) >= 4


# -- with a simulated controller ---------------------------------------------------


def test_a_simulated_controller_keeps_the_cards_and_its_own() -> None:
    there_before = packet("50", line(7))
    simulated = SimulatedController()
    simulated.receive(bytes.fromhex(there_before), ("127.0.0.1", 40_000), 0.0)
    simulated.take_outgoing(0.0)
    end = UdpEnd(UhppoteNetwork({"controller": simulated}))
    device = build("uhppote", [Unit(address=0, options={"offline_cards": BOTH})])
    joined = Joined(device, end, baud=None)
    joined.plug()
    joined.run(AT_MOST_S)
    assert len(simulated.board.cards) == 3
    for number in (FIRST, SECOND):
        card = simulated.board.cards.get(number)
        assert card is not None
        assert card.doors == (1, 1, 1, 1)
    details = [one.detail for _, one in joined.told if isinstance(one, Reachable)]
    assert details[-1].endswith("; 1 cards of its own")


# -- the option --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "4294967295",
        "10058400;10058401",
        "10058400,",
        "-10058400",
        "0x10058400",
        "1005 8400",
        "١٠٠٥٨٤٠٠",
        "10058400, 10058400",
        ",".join(str(10058400 + one) for one in range(MAX_OFFLINE_CARDS + 1)),
        "9" * 5000,
    ],
    ids=range(11),
)
def test_a_wrong_list_is_refused_without_the_numbers(text: str) -> None:
    with pytest.raises(LocalError, match="offline_cards") as refused:
        UhppoteOptions(offline_cards=text)
    assert "10058400" not in str(refused.value)
    assert text not in str(refused.value).replace("4294967294", "").replace("64", "")


def test_a_number_without_quotes_is_refused_without_the_number() -> None:
    with pytest.raises(LocalError, match="offline_cards must be str") as refused:
        read_options(UhppoteOptions, {"offline_cards": FIRST})
    assert str(FIRST) not in str(refused.value)


def test_a_list_of_the_greatest_size_is_taken_and_never_printed() -> None:
    numbers = [*range(FIRST, FIRST + MAX_OFFLINE_CARDS - 2), 1, 4294967294]
    options = UhppoteOptions(offline_cards=" , ".join(map(str, numbers)))
    assert options.cards() == tuple(numbers)
    assert str(FIRST) not in repr(options)
