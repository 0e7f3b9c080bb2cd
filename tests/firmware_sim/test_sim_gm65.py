# SPDX-License-Identifier: Apache-2.0
"""The dialogue of the simulated GM65 module, and what a visitor does to it."""

from __future__ import annotations

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.happening import What
from firmware_sim.scanners.gm65_frames import Gm65Command, reply, request
from firmware_sim.scanners.gm65_zones import FACTORY_DUMP, Zone, ZoneValue
from firmware_sim.scanners.qr_scanner import (
    Framing,
    Gm65Settings,
    QrScanner,
    QrScannerSettings,
    ScannerFault,
    SetupCode,
)
from firmware_sim.site import Site
from firmware_sim.world import World
from tests.firmware_sim.sim_vectors import frames

FRAMES = frames("gm65")
OK = FRAMES["ok"]
NOW = 10.0
SERIAL = ZoneValue(address=Zone.OUTPUT, value=0xA4)


def scanner(
    *zones: ZoneValue, reply_delay_s: float = 0.0, piece_bytes: int = 0
) -> QrScanner:
    """A module on a line, in UTF-8, with more zones set."""
    dialogue = Gm65Settings(commissioned=(SERIAL, *zones), reply_delay_s=reply_delay_s)
    return QrScanner(QrScannerSettings(dialogue=dialogue, piece_bytes=piece_bytes))


def ask(module: QrScanner, frame: bytes, now: float = NOW) -> bytes:
    module.receive(frame, now)
    return module.take_outgoing(now)


def zone(address: int, value: int) -> bytes:
    return request(Gm65Command.WRITE, address, bytes((value,)))


def read(address: int, count: int = 1) -> bytes:
    return request(Gm65Command.READ, address, bytes((count,)))


def test_a_fresh_module_tells_the_factorys_zones_and_prints_on_no_line() -> None:
    module = QrScanner(QrScannerSettings(dialogue=Gm65Settings(reply_delay_s=0)))
    assert ask(module, read(0, 0x62)) == FRAMES["factory zones 0000 to 0061"]
    assert ask(module, FRAMES["read baud zone"]) == FRAMES["baud zone 9600"]
    assert ask(module, FRAMES["read software version"]) == reply(b"\x69")
    assert module.show("ONE", NOW)
    assert module.take_outgoing(NOW) == b""


def test_the_first_write_brings_the_codes_to_the_line() -> None:
    module = QrScanner(QrScannerSettings(dialogue=Gm65Settings(reply_delay_s=0)))
    assert ask(module, FRAMES["serial GBK"]) == OK
    module.show("门", NOW)
    assert module.take_outgoing(NOW) == "门".encode("gbk") + b"\r"


def test_a_reply_comes_after_its_delay_and_another_behind_it() -> None:
    module = scanner(reply_delay_s=0.4)
    module.receive(FRAMES["heartbeat"] * 2, NOW)
    assert module.deadline() == NOW + 0.4
    assert module.take_outgoing(NOW + 0.39) == b""
    assert module.take_outgoing(NOW + 0.4) == FRAMES["heartbeat reply"]
    assert module.take_outgoing(NOW + 0.8) == FRAMES["heartbeat reply"]


def test_what_is_no_sound_request_meets_silence_and_is_counted() -> None:
    module = scanner()
    assert ask(module, bytes.fromhex("7E00080100020102DB")) == b""
    assert module.snapshot().ignored_bytes == 9
    assert ask(module, FRAMES["trigger unchecked"]) == OK
    assert ask(module, read(0, 0)) == b""


def test_half_a_request_is_forgotten_when_its_rest_does_not_come() -> None:
    module = scanner()
    half, rest = FRAMES["trigger"][:5], FRAMES["trigger"][5:]
    assert ask(module, half) == b""
    assert ask(module, rest, NOW + 0.4) == OK
    assert ask(module, half, NOW + 2) == b""
    assert ask(module, FRAMES["heartbeat"], NOW + 3) == FRAMES["heartbeat reply"]


def test_commands_that_nobody_waits_for_are_dropped() -> None:
    module = scanner(reply_delay_s=0.1)
    module.receive(FRAMES["heartbeat"] * 40, NOW)
    assert module.take_outgoing(NOW + 9) == FRAMES["heartbeat reply"] * 16


# -- settings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "line"),
    [
        ("tail CR", b"0321563840\r"),
        ("tail CRLF", b"0321563840\r\n"),
        ("no tail", b"0321563840"),
        ("length-prefixed", b"\x03\x00\x0a0321563840"),
    ],
)
def test_the_line_is_printed_as_the_zones_say(note: str, line: bytes) -> None:
    module = scanner()
    assert ask(module, FRAMES[note]) == OK
    assert module.show("0321563840", NOW)
    assert module.take_outgoing(NOW) == line


def test_the_aim_prefix_has_a_zone_and_pieces_have_a_knob() -> None:
    module = scanner(ZoneValue(address=Zone.AIM_PREFIX, value=0x80), piece_bytes=64)
    module.show("A" * 100, NOW)
    assert module.take_outgoing(NOW) == b"]Q1" + b"A" * 100 + b"\r"


def test_the_same_code_waits_for_the_time_of_its_zone() -> None:
    module = scanner(ZoneValue(address=Zone.READ_GAP, value=0))
    ask(module, FRAMES["same code delay 5"])
    assert module.show("ONE", NOW)
    assert not module.show("ONE", NOW + 0.49)
    assert module.show("TWO", NOW + 0.49)
    assert module.show("ONE", NOW + 0.5)


def test_codes_are_read_one_gap_apart() -> None:
    module = scanner()
    assert module.show("ONE", NOW)
    assert module.show("TWO", NOW + 0.3)
    assert module.take_outgoing(NOW + 0.9) == b"ONE\r"
    assert module.deadline() == NOW + 1.0
    assert module.take_outgoing(NOW + 1.0) == b"TWO\r"


def test_in_command_mode_a_trigger_is_good_for_one_code() -> None:
    module = scanner()
    ask(module, FRAMES["command mode"])
    assert not module.show("ONE", NOW)
    assert ask(module, FRAMES["trigger"]) == OK
    assert module.show("ONE", NOW)
    assert module.take_outgoing(NOW) == b"ONE\r"
    assert not module.show("TWO", NOW + 3)
    ask(module, FRAMES["trigger"], NOW + 3)
    ask(module, FRAMES["stop"], NOW + 3)
    assert not module.show("TWO", NOW + 3)


def test_a_trigger_ends_by_itself_after_the_time_of_its_zone() -> None:
    module = scanner()
    ask(module, FRAMES["command mode"])
    ask(module, FRAMES["trigger"])
    assert module.deadline() == NOW + 5.0
    assert not module.show("ONE", NOW + 5.0)
    ask(module, zone(Zone.READ_TIMEOUT, 0), NOW + 6)
    ask(module, FRAMES["trigger"], NOW + 6)
    assert module.show("ONE", NOW + 600)


def test_asleep_it_sees_nothing_and_still_obeys() -> None:
    module = scanner()
    assert ask(module, FRAMES["deep sleep"]) == OK
    assert not module.show("ONE", NOW)
    assert ask(module, FRAMES["wake"]) == OK
    assert module.show("ONE", NOW)


def test_own_defaults_are_saved_and_restored() -> None:
    module = scanner()
    ask(module, FRAMES["tail CRLF"])
    assert ask(module, FRAMES["save as own defaults"]) == OK
    ask(module, FRAMES["no tail"])
    assert ask(module, FRAMES["restore own defaults"]) == OK
    assert ask(module, read(Zone.TAIL)) == reply(b"\x21")


# -- rate and reset --------------------------------------------------------------------


def test_a_new_rate_holds_behind_its_reply() -> None:
    module = scanner()
    module.receive(FRAMES["set 115200"], NOW)
    assert module.baud == 9_600
    assert module.take_outgoing(NOW) == OK
    assert module.baud == 115_200


def test_what_was_not_saved_is_gone_after_a_power_cut() -> None:
    module = scanner()
    ask(module, FRAMES["tail CRLF"])
    assert ask(module, FRAMES["save"]) == OK
    ask(module, FRAMES["no tail"])
    module.power_cycle(NOW)
    assert ask(module, FRAMES["heartbeat"], NOW + 1.4) == b""
    assert not module.show("ONE", NOW + 1.4)
    assert module.snapshot().is_deaf
    assert ask(module, read(Zone.TAIL), NOW + 1.5) == reply(b"\x21")
    told = [h.what for h in module.diary.entries()]
    assert told == [What.POWER_LOST, What.CODE_SHOWN, What.POWER_BACK]


@pytest.mark.parametrize("note", ["factory reset", "zones to defaults"])
def test_a_reset_is_9600_at_once_and_deaf_for_a_while(note: str) -> None:
    module = scanner()
    ask(module, FRAMES["set 115200"])
    ask(module, FRAMES["save"])
    module.receive(FRAMES[note], NOW)
    assert module.baud == 9_600
    assert module.take_outgoing(NOW) == OK
    assert ask(module, FRAMES["tail CRLF"], NOW + 1.0) == b""
    dump = ask(module, read(0, 0x62), NOW + 1.5)
    assert dump == reply(FACTORY_DUMP)
    assert module.snapshot().reboots == 1


def test_a_reset_swallows_what_was_on_its_way() -> None:
    module = scanner(piece_bytes=1)
    module.settings = QrScannerSettings(
        dialogue=module.settings.dialogue, piece_bytes=2, piece_gap_s=0.1
    )
    module.show("ABCD", NOW)
    assert module.take_outgoing(NOW) == b"AB"
    assert ask(module, FRAMES["factory reset"]) == OK
    assert module.take_outgoing(NOW + 9) == b""


# -- mishaps ---------------------------------------------------------------------------


def test_a_lost_reply_does_not_undo_its_command() -> None:
    module = scanner()
    module.spoil(ScannerFault.LOST_REPLY)
    assert ask(module, FRAMES["tail CRLF"]) == b""
    assert ask(module, read(Zone.TAIL)) == reply(b"\x21")


def test_replies_are_spoiled_as_told_and_then_no_more() -> None:
    module = scanner()
    module.spoil(ScannerFault.WRONG_CRC)
    module.spoil(ScannerFault.CUT_REPLY, 2)
    assert ask(module, FRAMES["heartbeat"]) == bytes.fromhex("03000001003330")
    assert ask(module, FRAMES["heartbeat"]) == bytes.fromhex("030000")
    assert ask(module, FRAMES["save"]) == bytes.fromhex("020000")
    assert ask(module, FRAMES["save"]) == OK


def test_a_code_may_stand_in_the_middle_of_a_reply() -> None:
    module = scanner()
    module.spoil(ScannerFault.HALVED_REPLY)
    module.receive(FRAMES["save"] + FRAMES["heartbeat"], NOW)
    module.show("INSIDE", NOW + 0.01)
    expected = OK[:3] + b"INSIDE\r" + OK[3:] + FRAMES["heartbeat reply"]
    assert module.take_outgoing(NOW + 0.05) == expected


def test_a_chopped_payload_ends_without_its_tail() -> None:
    dialogue = Gm65Settings(commissioned=(SERIAL,))
    module = QrScanner(QrScannerSettings(dialogue=dialogue, chopped_after_bytes=4))
    module.show("0321563840", NOW)
    assert module.take_outgoing(NOW) == b"0321"


def test_a_hostile_visitor_resets_a_module_that_takes_setup_codes() -> None:
    module = scanner()
    assert module.show_setup_code(SetupCode.FACTORY_RESET, NOW)
    assert module.take_outgoing(NOW) == b""
    assert not module.show("ONE", NOW + 1)
    assert module.show("ONE", NOW + 2)
    assert module.take_outgoing(NOW + 2) == b""  # it is a keyboard again
    assert not module.snapshot().prints_on_line


def test_a_module_that_was_closed_takes_no_setup_code() -> None:
    module = scanner()
    assert module.show_setup_code(SetupCode.SETUP_OFF, NOW)
    assert not module.show_setup_code(SetupCode.USB_KEYBOARD, NOW)
    assert module.snapshot().prints_on_line


def test_setup_codes_turn_a_module_into_a_keyboard_and_back_for_good() -> None:
    module = scanner()
    assert module.show_setup_code(SetupCode.USB_KEYBOARD, NOW)
    module.power_cycle(NOW)
    module.tick(NOW + 2)
    assert not module.snapshot().prints_on_line
    assert module.show_setup_code(SetupCode.SERIAL_OUTPUT, NOW + 2)
    assert module.snapshot().prints_on_line


def test_a_scanner_without_a_dialogue_says_what_it_lacks() -> None:
    with pytest.raises(SimulationError, match="give its settings a dialogue"):
        QrScanner().power_cycle(NOW)
    with pytest.raises(SimulationError, match="dialogue"):
        QrScanner().spoil(ScannerFault.CUT_REPLY)


# -- settings from outside -------------------------------------------------------------


def test_what_the_zones_rule_is_refused_beside_a_dialogue() -> None:
    with pytest.raises(SimulationError, match="framing: with a dialogue"):
        QrScannerSettings(framing=Framing.CRLF, dialogue=Gm65Settings())


@pytest.mark.parametrize(
    "knobs",
    [{"reply_delay_s": 0.41}, {"halt_s": -1.0}, {"software_version": 256}],
)
def test_knobs_have_ranges(knobs: dict[str, float]) -> None:
    with pytest.raises(SimulationError):
        Gm65Settings(**knobs)  # type: ignore[arg-type]
    with pytest.raises(SimulationError):
        ZoneValue(address=0x0140, value=0)


def test_a_site_file_brings_a_module_whose_line_garbles_at_a_wrong_rate() -> None:
    zones = [{"address": 13, "value": 160}]
    dialogue = {"commissioned": zones, "reply_delay_s": 0}
    port = {"kind": "qr_scanner", "settings": {"dialogue": dialogue}}
    site = Site.from_mapping({"ports": {"qr": {**port, "strict_baud": True}}})
    world = World(site)
    world.receive("qr", FRAMES["heartbeat"], NOW, line_baud=115_200)
    assert world.take_outgoing("qr", NOW, line_baud=115_200) == b""
    # What was garbled may look like the beginning of a request until it times out.
    later = NOW + 1
    world.receive("qr", FRAMES["set 115200"], later, line_baud=9_600)
    assert world.take_outgoing("qr", later, line_baud=9_600) == OK
    world.receive("qr", FRAMES["heartbeat"], later, line_baud=115_200)
    beat = world.take_outgoing("qr", later, line_baud=115_200)
    assert beat == FRAMES["heartbeat reply"]
