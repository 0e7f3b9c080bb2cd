# SPDX-License-Identifier: Apache-2.0
"""What a simulated UHPPOTE controller answers, keeps, and is silent about."""

from __future__ import annotations

import random

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.uhppote.events import Reason
from firmware_sim.uhppote.packets import Function
from firmware_sim.uhppote.settings import UhppoteSettings
from tests.firmware_sim.uhppote_host import (
    CARD,
    HOST,
    LISTENER,
    MAGIC,
    NOW,
    PACKETS,
    ask,
    controller,
    hear,
    is_ok,
    listening,
    packet,
    put_card,
    told,
)

FUZZ_PACKETS = 20_000


@pytest.mark.parametrize("name", ["asked: who is there", "asked: who are you"])
def test_it_introduces_itself_as_published(name: str) -> None:
    assert hear(controller(), PACKETS[name]) == [PACKETS["told: I am"]]


@pytest.mark.parametrize(
    "data",
    [
        packet(0x94, serial=1),
        packet(0x20, serial=0),
        packet(0x40, "01", serial=0),
        packet(0x94)[:-1],
        packet(0x94) + b"\0",
        b"\x18" + packet(0x94)[1:],
        packet(0x99),
        b"",
    ],
)
def test_what_is_not_for_it_is_met_with_silence(data: bytes) -> None:
    one = controller()
    assert hear(one, data) == []
    assert one.snapshot(NOW).relays == (False,) * 4


def test_a_reply_goes_where_the_request_came_from() -> None:
    one = controller(reply_delay_s=0.2)
    one.receive(packet(0x94), HOST, NOW)
    assert one.take_outgoing(NOW + 0.19) == []
    assert one.deadline() == NOW + 0.2
    [datagram] = one.take_outgoing(NOW + 0.2)
    assert datagram.to == HOST


def test_a_door_is_released_for_its_time() -> None:
    one = controller()
    assert is_ok(one, PACKETS["asked: open door 1"])
    assert one.snapshot(NOW).relays == (True, False, False, False)
    assert ask(one, packet(0x20), NOW + 1)[49] == 1
    assert one.deadline() == NOW + 5
    one.tick(NOW + 5)
    assert one.snapshot(NOW + 5).relays == (False,) * 4


@pytest.mark.parametrize("door", ["00", "05", "FF"])
def test_a_door_that_is_not_there_is_not_opened(door: str) -> None:
    assert not is_ok(controller(), packet(0x40, door))
    assert hear(controller(), packet(0x82, door)) == []


def test_a_small_controller_has_fewer_doors() -> None:
    one = controller(doors=2)
    assert is_ok(one, packet(0x40, "02"))
    assert not is_ok(one, packet(0x40, "03"))


def test_modes_of_a_door() -> None:
    one = controller()
    assert ask(one, packet(0x80, "010205"))[8:11].hex() == "010205"
    assert not is_ok(one, packet(0x40, "01"))
    assert ask(one, packet(0x80, "010107"))[8:11].hex() == "010107"
    assert one.snapshot(NOW).relays[0]
    assert ask(one, packet(0x82, "01"), NOW + 99)[8:11].hex() == "010107"
    assert one.snapshot(NOW + 99).relays[0]
    # What cannot be changes nothing and shows what stands.
    assert ask(one, packet(0x80, "010905"))[8:11].hex() == "010107"
    assert ask(one, packet(0x80, "010302"), NOW + 100)[8:11].hex() == "010302"
    assert not one.snapshot(NOW + 100).relays[0]


def test_cards_are_kept_and_read_back() -> None:
    one = controller()
    assert is_ok(one, PACKETS["asked: put card with profile and PIN"])
    assert ask(one, packet(0x58))[8] == 1
    expected = bytearray(PACKETS["asked: put card with profile and PIN"])
    expected[1] = 0x5A
    assert ask(one, PACKETS["asked: get card"]) == bytes(expected)
    expected[1] = 0x5C
    assert ask(one, packet(0x5C, "01000000")) == bytes(expected)
    assert is_ok(one, PACKETS["asked: delete card"])
    assert not is_ok(one, PACKETS["asked: delete card"])
    assert ask(one, PACKETS["asked: get card"])[8:12] == bytes(4)
    assert ask(one, packet(0x5C, "01000000"))[8:12] == b"\xff" * 4
    assert ask(one, packet(0x5C, "02000000"))[8:12] == bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        put_card(CARD, begins="00000000"),
        put_card(CARD, ends="00000000"),
        put_card(CARD, ends="20260230"),
        put_card(0),
        put_card(0xFFFFFFFF),
        put_card(CARD, doors="FF000000"),
        put_card(CARD, pin="40420F"),
    ],
)
def test_a_card_that_cannot_be_is_refused(data: bytes) -> None:
    one = controller()
    assert not is_ok(one, data)
    assert ask(one, packet(0x58))[8] == 0


def test_a_full_list_refuses_and_gives_deleted_slots_away() -> None:
    one = controller(list_cards=2)
    assert is_ok(one, put_card(1))
    assert is_ok(one, put_card(2))
    assert not is_ok(one, put_card(3))
    assert is_ok(one, put_card(2, doors="00000000"))
    assert is_ok(one, packet(0x52, "01000000"))
    assert is_ok(one, put_card(3))
    assert ask(one, packet(0x5C, "01000000"))[8] == 3


@pytest.mark.parametrize("function", [0x54, 0x8A, 0xC8])
def test_what_destroys_needs_the_magic_word(function: int) -> None:
    one = listening()
    assert is_ok(one, PACKETS["asked: profile 2"])
    assert not is_ok(one, packet(function, "55AAAA56"))
    assert len(one.board.cards) == len(one.board.profiles) == 1
    assert is_ok(one, packet(function, MAGIC))
    assert min(len(one.board.cards), len(one.board.profiles)) == 0


def test_the_clock_drifts_and_is_put_right() -> None:
    one = controller(drift_ppm=100.0)
    assert ask(one, packet(0x32))[8:15].hex() == "20260105080000"
    day = 86_400.0
    assert ask(one, packet(0x32), NOW + day)[8:15].hex() == "20260106080008"
    set_time = PACKETS["asked: set time"]
    assert ask(one, set_time, NOW + day)[8:15].hex() == "20260301081530"
    later = ask(one, packet(0x32), NOW + day + 60)
    assert later[8:15].hex() == "20260301081630"
    assert hear(one, packet(0x30, "20260230081530"), NOW + day + 60) == []


def test_the_listener_is_kept_and_shown() -> None:
    one = listening()
    assert ask(one, packet(0x92))[8:15].hex() == "7f00000161ea00"
    assert one.snapshot(NOW).listener == "127.0.0.1:60001"


def test_a_listener_is_sent_the_state_at_its_interval() -> None:
    one = controller()
    assert is_ok(one, packet(0x90, "7F00000161EA0A"))
    assert one.deadline() == NOW + 10
    assert told(one, NOW + 9) == []
    assert told(one, NOW + 10) == [(0, 0, 0, 0, 0)]
    assert one.deadline() == NOW + 20
    assert is_ok(one, packet(0x90, "000000000000"), NOW + 11)
    assert one.deadline() is None


def test_a_new_address_is_taken_without_a_word() -> None:
    one = controller()
    fields = "C0A80002FFFFFF00C0A80001"
    assert hear(one, packet(0x96, fields + "00000000")) == []
    assert ask(one, packet(0x94))[8:12].hex() == "7f000001"
    assert hear(one, packet(0x96, fields + MAGIC)) == []
    assert ask(one, packet(0x94))[8:20].hex().upper() == fields


def test_profiles_are_kept_and_read_back() -> None:
    one = controller()
    assert is_ok(one, PACKETS["asked: profile 2"])
    expected = bytearray(PACKETS["asked: profile 2"])
    expected[1] = 0x98
    assert ask(one, packet(0x98, "02")) == bytes(expected)
    assert ask(one, packet(0x98, "03"))[8] == 0
    assert not is_ok(one, packet(0x88, "01" + expected[9:].hex()[:56]))


def test_anti_passback_is_kept_and_shown() -> None:
    one = controller()
    assert ask(one, packet(0x86))[8] == 0
    assert is_ok(one, packet(0x84, "02"))
    assert not is_ok(one, packet(0x84, "05"))
    assert ask(one, packet(0x86))[8] == 2


@pytest.mark.parametrize("function", [0xA2, 0xA6, 0xA8, 0xAA, 0xAC])
def test_what_has_no_effect_here_is_taken(function: int) -> None:
    assert is_ok(controller(), packet(function, "01"))


def test_flash_outlives_a_power_cut_and_relays_do_not() -> None:
    one = listening()
    assert is_ok(one, PACKETS["asked: PC control on"])
    assert is_ok(one, PACKETS["asked: open door 1"])
    one.take_outgoing(NOW)
    one.cut_power(NOW + 1, dark_s=2.0)
    assert hear(one, packet(0x20), NOW + 2) == []
    assert one.board.swipe(1, CARD, NOW + 2) is None
    snapshot = one.snapshot(NOW + 2)
    assert (snapshot.is_dark, snapshot.relays[0]) == (True, False)
    assert told(one, NOW + 3) == [(2, 2, 1, 1, Reason.POWER_ON)]
    snapshot = one.snapshot(NOW + 4)
    assert (snapshot.cards, snapshot.is_hosted, snapshot.is_dark) == (1, False, False)
    assert one.board.swipe(1, CARD, NOW + 4) is Reason.GRANTED


def test_pc_control_may_outlive_a_power_cut() -> None:
    one = listening(keeps_pc_control=True)
    assert is_ok(one, PACKETS["asked: PC control on"])
    one.cut_power(NOW + 1, dark_s=1.0)
    assert one.board.swipe(1, CARD, NOW + 3) is Reason.GRANTED
    ask(one, packet(0x20), NOW + 4)
    assert one.board.swipe(1, CARD, NOW + 5) is Reason.PC_CONTROL


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"serial": 0}, "serial 0"),
        ({"doors": 5}, "5 is not 1 to 4 doors"),
        ({"address": "here"}, "here"),
        ({"clock": "noon"}, "noon"),
        ({"ring_events": 0}, "at least one"),
        ({"release_s": 256}, "release_s 256"),
        ({"reply_delay_s": -1.0}, "negative"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    settings: dict[str, object], words: str
) -> None:
    with pytest.raises(SimulationError, match=words):
        UhppoteSettings(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [20240801, 20240802])
def test_hostile_packets_raise_nothing(seed: int) -> None:
    chance = random.Random(seed)
    one = listening(ring_events=100, list_cards=50)
    now = NOW
    known = [int(function) for function in Function]
    for _ in range(FUZZ_PACKETS):
        function = chance.choice([*known, chance.randrange(256)])
        size = chance.choice((0, 4, 12, 24, 56))
        data = packet(function, chance.randbytes(size).hex())
        if chance.random() < 0.1:
            data = data[: chance.randrange(64)]
        one.receive(data, HOST, now)
        for datagram in one.take_outgoing(now):
            assert len(datagram.data) == 64
        if chance.random() < 0.05:
            one.board.swipe(chance.randint(1, 4), chance.randrange(9), now)
        now += chance.choice((0.0, 0.01, 40.0))
    assert is_ok(one, packet(0x90, "7F00000161EA00"), now)
    assert one.snapshot(now).listener == f"{LISTENER[0]}:{LISTENER[1]}"
