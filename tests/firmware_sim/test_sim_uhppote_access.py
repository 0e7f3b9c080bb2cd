# SPDX-License-Identifier: Apache-2.0
"""Who passes at a simulated UHPPOTE controller, and what its events tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from firmware_sim.door import Door, LockKind
from firmware_sim.errors import SimulationError
from firmware_sim.happening import What
from firmware_sim.uhppote.events import Reason
from tests.firmware_sim.uhppote_host import (
    CARD,
    NOW,
    PACKETS,
    ask,
    controller,
    is_ok,
    listening,
    packet,
    put_card,
    told,
)

if TYPE_CHECKING:
    from firmware_sim.uhppote.controller import UhppoteController

STRANGER = 6_154_410


def test_a_known_card_opens_and_a_stranger_does_not() -> None:
    one = listening()
    assert one.board.swipe(1, CARD, NOW) is Reason.GRANTED
    assert one.board.swipe(2, STRANGER, NOW + 1) is Reason.UNKNOWN_CARD
    assert told(one, NOW + 1) == [(1, 2, 1, 1, 0x01), (2, 1, 0, 2, 0x12)]
    assert one.snapshot(NOW + 1).relays == (True, False, False, False)


def test_an_event_carries_card_time_and_the_state_of_the_doors() -> None:
    one = listening()
    one.board.swipe(3, CARD, NOW + 60, direction=2)
    [datagram] = one.take_outgoing(NOW + 60)
    data = datagram.data
    assert data[:8] == PACKETS["asked: open door 1"][:1] + b"\x20" + data[2:8]
    assert (data[14], data[15]) == (3, 2)
    assert int.from_bytes(data[16:20], "little") == CARD
    assert data[20:27].hex() == "20260105080100"
    assert data[28:36] == bytes(8)
    assert data[37:40].hex() == "080100"
    assert (data[49], data[51:54].hex()) == (0b100, "260105")


@pytest.mark.parametrize(("old_events", "begin"), [(False, 0x17), (True, 0x19)])
def test_events_of_old_firmware_begin_with_another_byte(
    *, old_events: bool, begin: int
) -> None:
    one = listening(old_events=old_events)
    one.board.swipe(1, CARD, NOW)
    assert one.take_outgoing(NOW)[0].data[0] == begin
    assert ask(one, packet(0x20), NOW)[0] == 0x17


@pytest.mark.parametrize(
    ("doors", "begins", "ends", "reason"),
    [
        ("01000000", "20260101", "20261231", Reason.GRANTED),
        ("00010101", "20260101", "20261231", Reason.NO_PRIVILEGE),
        ("01000000", "20260106", "20261231", Reason.NO_PRIVILEGE),
        ("01000000", "20250101", "20260104", Reason.NO_PRIVILEGE),
        ("02000000", "20260101", "20261231", Reason.NOT_NOW),
        ("03000000", "20260101", "20261231", Reason.NOT_NOW),
    ],
)
def test_the_list_decides_by_door_dates_and_profile(
    doors: str, begins: str, ends: str, reason: Reason
) -> None:
    one = controller()  # Monday 5 January 2026, 8:00
    assert is_ok(one, PACKETS["asked: profile 2"])  # from 8:30
    assert is_ok(one, put_card(CARD, doors=doors, begins=begins, ends=ends))
    assert one.board.swipe(1, CARD, NOW) is reason


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("20260105082959", Reason.NOT_NOW),
        ("20260105083000", Reason.GRANTED),
        ("20260105115959", Reason.GRANTED),
        ("20260105120000", Reason.NOT_NOW),
        ("20260105175959", Reason.GRANTED),
        ("20260110090000", Reason.NOT_NOW),
    ],
)
def test_a_profile_counts_by_weekday_and_minute(moment: str, reason: Reason) -> None:
    one = controller()
    ask(one, packet(0x30, moment))
    assert is_ok(one, PACKETS["asked: profile 2"])
    assert is_ok(one, put_card(CARD, doors="02020202"))
    assert one.board.swipe(1, CARD, NOW) is reason


def test_linked_profiles_may_run_in_a_ring() -> None:
    one = controller()
    first = PACKETS["asked: profile 2"][8:36].hex()
    assert is_ok(one, packet(0x88, first + "03"))
    assert is_ok(one, packet(0x88, "03" + first[2:] + "02"))
    assert is_ok(one, put_card(CARD, doors="02020202"))
    assert one.board.swipe(1, CARD, NOW) is Reason.NOT_NOW
    always = "03" + first[2:18] + "01" * 7 + "00002359" + "00" * 8
    assert is_ok(one, packet(0x88, always))
    assert one.board.swipe(1, CARD, NOW) is Reason.GRANTED


def test_a_pin_counts_where_there_is_a_keypad() -> None:
    one = controller()
    assert is_ok(one, put_card(CARD, pin="6B1D00"))
    assert one.board.swipe(1, CARD, NOW) is Reason.GRANTED
    assert is_ok(one, packet(0xA4, "01000000"))
    assert one.board.swipe(1, CARD, NOW) is Reason.WRONG_PIN
    assert one.board.swipe(1, CARD, NOW, pin=7531) is Reason.GRANTED
    assert one.board.swipe(2, CARD, NOW) is Reason.GRANTED


# -- PC control --------------------------------------------------------------------


def test_under_pc_control_the_host_decides_as_long_as_it_is_heard() -> None:
    one = listening()
    assert is_ok(one, PACKETS["asked: PC control on"])
    assert one.board.swipe(1, CARD, NOW + 30) is Reason.PC_CONTROL
    assert one.board.swipe(1, STRANGER, NOW + 30) is Reason.UNKNOWN_CARD
    assert not any(one.snapshot(NOW + 30).relays)
    assert told(one, NOW + 30) == [(1, 1, 0, 1, 0x05), (2, 1, 0, 1, 0x12)]
    # The host opens, and is heard by that.
    assert is_ok(one, PACKETS["asked: open door 1"], NOW + 30)
    assert one.snapshot(NOW + 30).relays[0]
    assert one.board.swipe(1, CARD, NOW + 60) is Reason.PC_CONTROL


def test_a_host_that_is_silent_for_thirty_seconds_leaves_it_to_the_list() -> None:
    one = listening()
    assert is_ok(one, PACKETS["asked: PC control on"])
    assert one.board.swipe(1, CARD, NOW + 30.1) is Reason.GRANTED
    ask(one, packet(0x20), NOW + 40)
    assert one.board.swipe(1, CARD, NOW + 41) is Reason.PC_CONTROL


def test_requests_for_others_do_not_count_as_heard() -> None:
    one = listening()
    assert is_ok(one, PACKETS["asked: PC control on"])
    one.receive(packet(0x20, serial=1), ("127.0.0.1", 1), NOW + 29)
    assert one.board.swipe(1, CARD, NOW + 31) is Reason.GRANTED


def test_pc_control_needs_the_magic_word_and_can_be_switched_off() -> None:
    one = listening()
    assert not is_ok(one, packet(0xA0, "0000000001"))
    assert one.board.swipe(1, CARD, NOW) is Reason.GRANTED
    assert is_ok(one, PACKETS["asked: PC control on"])
    assert is_ok(one, packet(0xA0, "55AAAA5500"))
    assert one.board.swipe(1, CARD, NOW) is Reason.GRANTED


def test_a_supervisors_passcode_opens_whatever_the_rules_say() -> None:
    one = listening()
    assert one.board.type_code(1, 12345, NOW) is Reason.WRONG_PIN
    assert is_ok(one, PACKETS["asked: door 1 passcode 12345"])
    assert is_ok(one, PACKETS["asked: PC control on"])
    assert one.board.type_code(1, 12345, NOW) is Reason.PASSCODE
    assert one.snapshot(NOW).relays[0]
    assert one.board.type_code(2, 12345, NOW) is Reason.WRONG_PIN
    assert is_ok(one, packet(0x8C, "01"))
    assert one.board.type_code(1, 12345, NOW) is Reason.WRONG_PIN
    assert one.board.type_code(1, 0, NOW) is Reason.WRONG_PIN


# -- leaf, contact, button ---------------------------------------------------------


def test_a_visit_with_and_without_special_events() -> None:
    for records, expected in (
        (False, [(1, 2, 1, 1, 0x01)]),
        (True, [(1, 2, 1, 1, 0x01), (2, 2, 1, 1, 0x17), (3, 2, 1, 1, 0x18)]),
    ):
        one = listening()
        if records:
            assert is_ok(one, PACKETS["asked: record special events"])
        one.board.swipe(1, CARD, NOW)
        one.board.act(1, lambda door: door.push(NOW + 1), NOW + 1)
        assert one.snapshot(NOW + 1).leaves_open[0]
        assert ask(one, packet(0x20), NOW + 1)[28:32].hex() == "01000000"
        one.board.act(1, lambda door: door.pull_shut(NOW + 3), NOW + 3)
        events = one.board.ring
        reasons = [events.at(n).reason for n in range(1, events.next_index)]
        assert reasons == [reason for *_, reason in expected]


def test_a_leaf_that_is_forced_is_an_alarm() -> None:
    one = listening()
    one.board.act(2, lambda door: door.push(NOW), NOW)
    assert told(one, NOW) == []
    one.board.act(2, lambda door: door.force(NOW), NOW)
    assert told(one, NOW) == [(1, 3, 0, 2, 0x26)]


def test_a_leaf_that_is_held_open_is_an_alarm_once() -> None:
    one = listening(held_open_s=10.0)
    one.board.swipe(1, CARD, NOW)
    one.board.act(1, lambda door: door.push(NOW + 1), NOW + 1)
    told(one, NOW + 1)
    one.tick(NOW + 5)
    assert one.deadline() == NOW + 11
    assert told(one, NOW + 60) == [(2, 3, 0, 1, 0x25)]
    assert told(one, NOW + 99) == []


def newest(one: UhppoteController) -> Reason:
    return one.board.ring.newest.reason


def test_an_exit_button_opens_without_the_host() -> None:
    one = listening()
    assert is_ok(one, PACKETS["asked: record special events"])
    one.board.act(1, lambda door: door.press_exit(NOW, 0.5), NOW)
    assert one.snapshot(NOW).relays[0]
    assert ask(one, packet(0x20), NOW)[32:36].hex() == "01000000"
    assert newest(one) is Reason.BUTTON
    assert one.deadline() == NOW + 0.5
    one.tick(NOW + 9)
    assert ask(one, packet(0x20), NOW + 9)[32:36] == bytes(4)
    ask(one, packet(0x80, "010205"), NOW + 9)
    one.board.act(1, lambda door: door.press_exit(NOW + 10), NOW + 10)
    assert not one.snapshot(NOW + 10).relays[0]
    assert newest(one) is Reason.BUTTON_LOCKED


def test_the_lock_follows_the_relay_to_the_second_however_late_one_looks() -> None:
    one = listening()
    one.board.swipe(1, CARD, NOW)
    one.tick(NOW + 60)
    door = one.board.posts[1].door
    assert isinstance(door, Door)
    moves = [(entry.at - NOW, entry.what) for entry in door.diary.entries()]
    assert moves == [(0, What.STRIKE_RELEASED), (5, What.STRIKE_RELOCKED)]


def test_a_door_that_is_not_there_has_no_reader() -> None:
    one = controller(doors=1)
    with pytest.raises(SimulationError, match="no door 2"):
        one.board.swipe(2, CARD, NOW)


# -- the ring ----------------------------------------------------------------------


def index_of(index: int) -> bytes:
    return packet(0xB0, index.to_bytes(4, "little").hex())


def test_the_ring_keeps_what_a_listener_missed() -> None:
    one = controller()
    assert ask(one, index_of(1))[8:13] == bytes(5)
    for second in range(3):
        one.board.swipe(1, STRANGER, NOW + second)
    assert ask(one, packet(0xB4), NOW + 9)[8:12] == bytes(4)
    for index in (1, 2, 3):
        event = ask(one, index_of(index), NOW + 9)
        assert (event[8], event[26], event[27]) == (index, index - 1, 0x12)
    assert ask(one, index_of(4), NOW + 9)[8:13] == bytes(5)
    assert ask(one, index_of(0), NOW + 9)[8] == 1
    assert ask(one, index_of(0xFFFFFFFF), NOW + 9)[8] == 3
    assert is_ok(one, PACKETS["asked: keep event index 5"], NOW + 9)
    assert ask(one, packet(0xB4), NOW + 9)[8] == 5
    assert not is_ok(one, packet(0xB2, "0600000000000000"), NOW + 9)


def test_what_the_ring_overwrote_is_marked() -> None:
    one = controller(ring_events=3)
    for _ in range(5):
        one.board.swipe(1, STRANGER, NOW)
    for index in (1, 2):
        assert ask(one, index_of(index))[8:13].hex() == "00000000ff"
    assert ask(one, index_of(3))[8] == 3
    assert ask(one, index_of(0))[8] == 3
    assert ask(one, packet(0x20))[8] == 5


def test_a_magnet_lets_go_while_its_relay_is_on() -> None:
    one = listening(lock=LockKind.MAGLOCK)
    door = one.board.posts[1].door
    assert not door.push(NOW)
    one.board.swipe(1, CARD, NOW)
    assert door.push(NOW)


def test_what_a_bystander_notices_is_told_once_and_in_order() -> None:
    one = listening()
    one.board.swipe(2, CARD, NOW)
    one.board.swipe(1, CARD, NOW + 1)
    one.tick(NOW + 60)
    told_now = [(each.at - NOW, each.name) for each in one.board.take_happenings()]
    expected = [(0, 2), (1, 1), (5, 2), (6, 1)]
    assert told_now == [(at, f"controller-{door}") for at, door in expected]
    assert one.board.take_happenings() == []
