# SPDX-License-Identifier: Apache-2.0
"""A UHPPOTE controller: its beginning, levels, silence and foreign packets."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from drivers.device import (
    Garbled,
    InputChanged,
    OutputChanged,
    Reachable,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.uhppote.controller import UhppoteController
from drivers.uhppote.options import UhppoteOptions
from tests.drivers.uhppote_wire import (
    COUNT,
    FIND,
    FOUND,
    LISTENER,
    MAGIC,
    PC_CONTROL,
    RECORD,
    SERIAL,
    SET_TIME,
    STATUS,
    event,
    get_door,
    get_event,
    packet,
    passcodes,
    serving,
    set_door,
    status,
    wire,
)

if TYPE_CHECKING:
    from drivers.device import Device

OTHER = 303986753
READY = "version 8.92"


def reached(signals: list[Signal]) -> list[tuple[int, str]]:
    found = [signal for signal in signals if isinstance(signal, Reachable)]
    return [(signal.unit, signal.detail) for signal in found]


def levels(signals: list[Signal]) -> list[tuple[int, bool]]:
    found = [signal for signal in signals if isinstance(signal, InputChanged)]
    return [(signal.channel, signal.is_active) for signal in found]


# -- the beginning -----------------------------------------------------------------


def test_the_controller_is_brought_in_line_before_it_is_reachable() -> None:
    script = wire(listen_address="192.168.1.10")
    script.open()
    signals = script.run(0.1)
    assert [frame for _, frame in script.sent] == [
        packet(FIND),
        SET_TIME,
        PC_CONTROL,
        RECORD,
        LISTENER,
        *[passcodes(door) for door in (1, 2, 3, 4)],
        COUNT,
        *[get_door(door) for door in (1, 2, 3, 4)],
        STATUS,
    ]
    assert signals[0] == Reachable(unit=0, detail=READY)
    assert levels(signals) == [
        *[(channel, True) for channel in (1, 2, 3, 4)],
        *[(channel, False) for channel in (5, 6, 7, 8)],
    ]
    assert len(signals) == 9


def test_readers_are_reachable_with_their_controller() -> None:
    script = wire(2, 6)
    script.open()
    assert reached(script.run(0.1)) == [(0, READY), (2, READY), (6, READY)]
    lost = script.device.closed(script.now)
    assert [one.unit for one in lost if isinstance(one, Unreachable)] == [0, 2, 6]


def test_what_is_not_wanted_is_not_sent() -> None:
    device = UhppoteController(options=UhppoteOptions(serial=SERIAL, doors=1))
    script = wire(pc_control=False, doors=1)
    script.device = device
    script.replies[packet("a0", MAGIC + "00")] = packet("a0", "01")
    script.open()
    script.run(0.1)
    sent = [frame for _, frame in script.sent]
    assert SET_TIME not in sent
    assert LISTENER not in sent
    assert passcodes(2) not in sent
    assert PC_CONTROL in sent


def test_pc_control_is_switched_off_where_the_controller_is_to_decide() -> None:
    script = serving(pc_control=False)
    assert packet("a0", MAGIC + "00") in [frame for _, frame in script.sent]
    assert PC_CONTROL not in [frame for _, frame in script.sent]


def test_a_serial_of_none_takes_who_answers_and_stays_with_it() -> None:
    script = wire(serial=0)
    script.open()
    script.run(0.1)
    assert script.sent[0][1] == packet(FIND, serial=0)
    assert {frame for _, frame in script.sent[1:]} <= set(script.replies)
    assert script.feed(status(are_open="01000000", serial=OTHER)) == []


def test_what_the_controller_refuses_or_does_not_know_is_told() -> None:
    script = wire()
    script.replies[passcodes(3)] = packet("8c")
    script.replies[RECORD] = None
    script.replies[COUNT] = None
    script.open()
    signals = script.run(5.0)
    detail = f"{READY}; door events can't be set; supervisor passcodes can't be set"
    assert reached(signals) == [(0, detail)]
    assert [frame for _, frame in script.sent].count(RECORD) == 3


def test_a_lost_reply_is_asked_for_again() -> None:
    script = wire()
    script.replies[PC_CONTROL] = [None, None, packet("a0", "01")]
    script.open()
    assert reached(script.run(2.0)) == [(0, READY)]


# -- serving -----------------------------------------------------------------------


def test_a_status_every_two_seconds_keeps_the_controller_ours() -> None:
    script = serving()
    start = script.now
    script.run(60.0)
    asked = [at for at, frame in script.sent if at > start and frame == STATUS]
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert max(gaps) < 2.1
    assert len(asked) in (29, 30)


def test_the_clock_is_set_every_hour() -> None:
    script = serving()
    script.run(2 * 3600.0 + 10)
    assert [frame for _, frame in script.sent].count(SET_TIME) == 3


def test_contacts_are_loops_and_buttons_are_active_while_pressed() -> None:
    script = serving()
    script.replies[STATUS] = status(are_open="00010000", are_pressed="01000000")
    assert script.run(2.1) == [
        InputChanged(unit=0, channel=2, is_active=False),
        InputChanged(unit=0, channel=5, is_active=True),
    ]
    script.replies[STATUS] = status(relays=0b0100)
    assert script.run(2.1) == [
        InputChanged(unit=0, channel=2, is_active=True),
        InputChanged(unit=0, channel=5, is_active=False),
        OutputChanged(unit=0, channel=3, is_on=True),
    ]


def test_a_report_tells_levels_at_once() -> None:
    script = serving()
    opened = status(event(1, kind=2, door=1, reason=0x17), are_open="01000000")
    assert script.feed(opened) == [InputChanged(unit=0, channel=1, is_active=False)]
    assert script.feed("19" + opened[2:]) == []


def test_a_report_that_was_overtaken_says_nothing() -> None:
    script = serving()
    script.feed(status(event(7, kind=2, reason=0x17), are_open="01000000"))
    for _ in range(3):
        assert script.feed(status(event(6, kind=2, reason=0x18))) == []
    assert script.feed(status(are_open="00000000")) == [], "a report without an event"


def test_a_controller_that_forgot_its_record_is_believed_the_second_time() -> None:
    script = serving()
    script.replies[get_event(1)] = packet("b0", event()[:8] + "ff")
    script.feed(status(event(2, kind=2, reason=0x17)))
    script.run(0.1)
    script.replies[STATUS] = status(event(1, kind=2, reason=0x1C), are_open="01000000")
    assert script.run(2.1) == [InputChanged(unit=0, channel=1, is_active=False)]


def test_after_a_standstill_all_levels_are_told_anew() -> None:
    script = serving()
    before = len(script.sent)
    script.device.resumed(script.now)
    assert len(levels(script.run(0.1))) == 8
    assert [frame for _, frame in script.sent[before:]] == [STATUS]


# -- silence and strangers ---------------------------------------------------------


def test_three_unanswered_statuses_make_it_unreachable_until_it_is_found() -> None:
    script = serving(1)
    script.replies = {}
    lost = script.run(5.0)
    assert lost == [
        Unreachable(unit=0, why="no answer"),
        Unreachable(unit=1, why="no answer"),
    ]
    start = script.now
    assert script.run(10.0) == []
    assert set(script.sent_since(start)) == {packet(FIND)}
    script.replies = wire().replies
    signals = script.run(2.0)
    assert reached(signals) == [(0, READY), (1, READY)]
    assert len(levels(signals)) == 8
    assert PC_CONTROL in script.sent_since(start)


def test_one_that_was_never_there_is_unreachable_too() -> None:
    script = wire()
    script.replies = {}
    script.open()
    assert script.run(3.0) == [Unreachable(unit=0, why="no answer")]


def test_another_controllers_packets_are_passed_over() -> None:
    script = serving()
    opened = event(1, kind=2, door=1, reason=0x17)
    assert script.feed(status(opened, are_open="01010101", serial=OTHER)) == []
    script.replies[STATUS] = [status(serial=OTHER), status()]
    assert not [one for one in script.run(2.5) if isinstance(one, Unreachable)]
    assert [frame for _, frame in script.sent[-2:]] == [STATUS, STATUS]


def test_what_is_no_packet_is_told_once_a_second() -> None:
    script = serving()
    assert script.feed("17200000") == [
        Garbled(unit=0, raw=bytes.fromhex("17200000"), why="not 64 bytes")
    ]
    assert script.feed("18" + "00" * 63) == []
    script.now += 1.0
    (told,) = script.feed("18" + "00" * 63)
    assert isinstance(told, Garbled)
    assert told.why == "no packet of the controller's"


def test_replies_to_nothing_are_passed_over() -> None:
    script = serving()
    for stray in (FOUND, packet("40", "01"), set_door(1, 1, 5), packet("77")):
        assert script.feed(stray) == []
    assert script.run(1.0) == []


def test_a_closed_link_plans_and_hears_nothing() -> None:
    script = serving()
    device: Device = script.device
    assert device.closed(script.now) == [Unreachable(unit=0, why="the link was lost")]
    assert device.deadline() is None
    assert script.feed(status(are_open="01000000")) == []
    assert device.closed(script.now) == []


# -- options -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"serial": -1},
        {"doors": 5},
        {"listen_address": "gateway"},
        {"listen_port": 0},
        {"poll_s": 11.0},
        {"reply_timeout_s": 0.0},
    ],
    ids=str,
)
def test_impossible_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(LocalError):
        UhppoteOptions(**wrong)  # type: ignore[arg-type]


def test_readers_that_no_controller_has_are_refused() -> None:
    with pytest.raises(LocalError, match="units 1 to 8"):
        UhppoteController(options=UhppoteOptions(), readers=(9,))
