# SPDX-License-Identifier: Apache-2.0
"""A simulated site as a whole: what one thing causes in another, and when."""

from __future__ import annotations

from typing import Any

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.hand import Hand
from firmware_sim.happening import What
from firmware_sim.id_card.persons import PERSON_A
from firmware_sim.id_card.sam_settings import SamFault
from firmware_sim.relays.modbus_rtu import framed
from firmware_sim.relays.relay_board import BoardFault
from firmware_sim.site import Site
from firmware_sim.world import World
from tests.firmware_sim.sim_vectors import frames

MODBUS = frames("modbus_requests")
SAM = frames("sam_requests")
DOOR = {"board": "one", "relay": 1, "contact": 1, "exit_button": 2}


def world_of(
    *, lock: str = "strike", board: dict[str, Any] | None = None, strict: bool = False
) -> tuple[World, Hand]:
    site = {
        "ports": {
            "bus": {
                "kind": "relay_bus",
                "boards": {"one": board or {}},
                "strict_baud": strict,
            },
            "id-1": {"kind": "sam_reader"},
            "qr-1": {"kind": "qr_scanner", "settings": {"same_code_delay_s": 3}},
        },
        "doors": {"front": {**DOOR, "lock": lock}},
    }
    world = World(Site.from_mapping(site))
    return world, Hand(world)


def story(world: World) -> list[tuple[float, What]]:
    return [(round(h.at, 6), h.what) for h in world.take_happenings()]


def inputs(world: World, now: float) -> int:
    world.receive("bus", MODBUS["read 8 inputs"], now)
    return world.take_outgoing("bus", now)[3]


def test_a_pulse_releases_the_strike_and_the_contact_follows_the_leaf() -> None:
    world, hand = world_of()
    assert inputs(world, 1.0) == 0b01
    world.receive("bus", MODBUS["relay 1 on for 0.7 s"], 2.0)
    assert hand.push("front", 2.5)
    assert inputs(world, 2.6) == 0b00
    world.tick(3.0)
    assert hand.pull_shut("front", 4.0)
    assert inputs(world, 4.1) == 0b01
    assert not hand.push("front", 5.0)
    assert story(world) == [
        (2.0, What.RELAY_ON),
        (2.0, What.STRIKE_RELEASED),
        (2.5, What.LEAF_OPENED),
        (2.7, What.RELAY_OFF),
        (2.7, What.STRIKE_RELOCKED),
        (4.0, What.LEAF_CLOSED),
    ]


def test_a_push_right_after_the_pulse_comes_too_late_without_any_tick() -> None:
    world, hand = world_of()
    world.receive("bus", MODBUS["relay 1 on for 0.7 s"], 2.0)
    assert not hand.push("front", 2.7)


def test_the_exit_button_is_an_input_for_as_long_as_it_is_held() -> None:
    world, hand = world_of()
    hand.press_exit("front", 1.0, hold_s=0.5)
    assert inputs(world, 1.4) == 0b11
    assert world.deadline() == 1.5
    assert inputs(world, 1.5) == 0b01
    hand.press_exit("front", 2.0, hold_s=None)
    assert inputs(world, 99.0) == 0b11
    hand.release_exit("front", 100.0)
    assert inputs(world, 100.0) == 0b01


def test_a_linked_button_opens_its_door_without_any_gateway() -> None:
    site = {
        "ports": {"bus": {"kind": "relay_bus", "boards": {"one": {"modes": [1]}}}},
        "doors": {"front": {"board": "one", "relay": 1, "exit_button": 1}},
    }
    hand = Hand(World(Site.from_mapping(site)))
    hand.press_exit("front", 1.0, hold_s=0.5)
    assert hand.push("front", 1.4)
    hand.pull_shut("front", 1.45)
    assert not hand.push("front", 1.5)


def test_a_button_on_another_channel_opens_nothing_by_itself() -> None:
    _, hand = world_of(board={"modes": [0, 1]})
    hand.press_exit("front", 1.0)
    assert not hand.push("front", 1.1)


def test_things_happen_in_the_order_of_their_times_however_late_the_tick() -> None:
    world, hand = world_of(board={"modes": [0, 1]})
    hand.press_exit("front", 1.0, hold_s=0.3)
    world.receive("bus", MODBUS["relay 1 on for 0.7 s"], 1.0)
    world.tick(60.0)
    told = story(world)
    assert told == sorted(told, key=lambda entry: entry[0])
    assert (1.3, What.RELAY_OFF) in told
    assert told[-1] == (1.7, What.STRIKE_RELOCKED)


@pytest.mark.parametrize(("lock", "gives_way"), [("strike", 0), ("maglock", 1)])
def test_a_fire_panel_that_cuts_the_locks_frees_magnets_alone(
    lock: str, gives_way: int
) -> None:
    world, hand = world_of(lock=lock, board={"closed_inputs": [8]})
    assert inputs(world, 1.0) == 0b1000_0001
    hand.set_input("one", 8, 2.0, is_closed=False)
    hand.set_lock_power("front", 2.0, is_on=False)
    assert inputs(world, 2.0) == 0b0000_0001
    assert hand.push("front", 2.1) is bool(gives_way)


def test_a_brown_out_relocks_the_strike_at_once() -> None:
    world, hand = world_of()
    world.receive("bus", MODBUS["relay 1 on for 5.0 s"], 1.0)
    hand.brown_out("one", 2.0, dark_s=1.0)
    assert not hand.push("front", 2.0)
    world.tick(9.0)
    assert (3.0, What.POWER_BACK) in story(world)


def test_a_stuck_contact_hides_a_forced_door() -> None:
    world, hand = world_of()
    hand.stick_contact("front", 1.0, is_closed=True)
    hand.force("front", 2.0)
    assert inputs(world, 2.1) == 0b01
    hand.stick_contact("front", 3.0, is_closed=None)
    assert inputs(world, 3.1) == 0b00


def test_a_welded_relay_leaves_the_strike_released() -> None:
    _, hand = world_of()
    hand.weld("one", 1, 1.0)
    assert hand.push("front", 99.0)


def test_cards_and_codes_reach_their_lines() -> None:
    world, hand = world_of()
    hand.put_card("id-1", PERSON_A, 1.0)
    for at, name in (
        (1.0, "find card"),
        (1.1, "select card"),
        (1.2, "read text+photo"),
    ):
        world.receive("id-1", SAM[name], at)
    assert len(world.take_outgoing("id-1", 1.3)) == 15 + 19 + 1_295
    hand.take_card("id-1", 2.0)
    hand.power_cycle("id-1", 3.0)
    assert hand.show_code("qr-1", "TICKET", 4.0)
    assert not hand.show_code("qr-1", "TICKET", 5.0)
    assert world.take_outgoing("qr-1", 5.0) == b"TICKET\r"
    seen = [what for _, what in story(world)]
    assert seen == [
        What.CARD_PUT,
        What.CARD_READ,
        What.CARD_TAKEN,
        What.POWER_LOST,
        What.CODE_SHOWN,
        What.CODE_READ,
        What.POWER_BACK,
        What.CODE_SHOWN,
    ]


def test_faults_are_given_by_name() -> None:
    world, hand = world_of()
    hand.spoil_reader("id-1", SamFault.ANSWER_66)
    world.receive("id-1", SAM["SAM status"], 1.0)
    assert world.take_outgoing("id-1", 2.0)[9] == 0x66
    hand.spoil_board("one", BoardFault.DROPPED)
    world.receive("bus", MODBUS["read 8 relays"], 1.0)
    assert world.take_outgoing("bus", 2.0) == b""


def test_a_strict_line_garbles_both_ways_at_a_wrong_rate() -> None:
    world, _ = world_of(strict=True)
    request = MODBUS["read 8 relays"]
    world.receive("bus", request, 1.0, line_baud=115_200)
    assert world.take_outgoing("bus", 1.0, line_baud=115_200) == b""
    world.receive("bus", request, 2.0, line_baud=9_600)
    garbage = world.take_outgoing("bus", 2.0, line_baud=19_200)
    assert garbage != frames("modbus_replies")["coils: all off"]
    assert garbage


def test_an_easy_line_does_not_ask_for_the_rate() -> None:
    world, _ = world_of()
    world.receive("bus", MODBUS["read 8 relays"], 1.0, line_baud=115_200)
    assert world.take_outgoing("bus", 1.0, line_baud=50) != b""


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    world, hand = world_of()
    with pytest.raises(SimulationError, match="no door 'side'; this world has: front"):
        hand.push("side", 1.0)
    with pytest.raises(SimulationError, match="no port 'x'; this world has: bus, id-1"):
        world.receive("x", b"", 1.0)
    with pytest.raises(SimulationError, match="input 1 of one belongs to a door"):
        hand.set_input("one", 1, 1.0, is_closed=True)
    with pytest.raises(SimulationError, match="hold_s -1 is no duration"):
        hand.press_exit("front", 1.0, hold_s=-1)


def test_the_snapshot_tells_everything_by_name() -> None:
    world, hand = world_of()
    hand.force("front", 1.0)
    seen = world.snapshot()
    assert seen.doors["front"].is_open
    assert seen.boards["one"].inputs[0] is False
    assert seen.readers["id-1"].cards_read == 0
    assert seen.scanners["qr-1"].codes_read == 0


def test_an_address_that_is_written_is_the_one_that_answers() -> None:
    world, _ = world_of()
    world.receive("bus", framed(1, 0x06, bytes.fromhex("40000009")), 1.0)
    assert world.take_outgoing("bus", 1.0)[:2] == bytes.fromhex("0106")
    world.receive("bus", framed(9, 0x01, bytes.fromhex("00000008")), 2.0)
    assert world.take_outgoing("bus", 2.0)[0] == 9
