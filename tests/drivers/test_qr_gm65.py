# SPDX-License-Identifier: Apache-2.0
"""The GM65 scanner's settings: read, written, watched; and how a dead one looks."""

from __future__ import annotations

import pytest

from drivers.device import (
    CodeRead,
    Cue,
    Garbled,
    OrderFailed,
    Reachable,
    SetOutput,
    Show,
    TamperChanged,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.options import OptionValue, read_options
from drivers.scanners.qr_gm65_settings import Gm65Options
from tests.drivers.gm65_wire import (
    HEARTBEAT,
    HEARTBEAT_REPLY,
    OK,
    READS,
    SAVE,
    TRIGGER,
    Gm65Wire,
    answer,
    opened,
    write,
)

REACHABLE = Reachable(unit=0, detail="9600 baud")
WRITES = [write(0x0003, "02"), write(0x000D, "A0"), write(0x0013, "82")]
MENDED = TamperChanged(unit=0, is_tampered=False, why="settings are as they were")


def changed(what: str) -> TamperChanged:
    return TamperChanged(unit=0, is_tampered=True, why=f"settings changed: {what}")


def test_a_factory_fresh_scanner_is_set_and_read_back() -> None:
    script = Gm65Wire()
    script.open()
    assert script.run(1.0) == [REACHABLE]
    assert script.sent_since(0.0) == [*READS, *WRITES, *READS]


def test_a_scanner_that_is_set_already_is_only_read() -> None:
    script = opened()
    script.device.closed(script.now)
    script.open()
    assert script.run(1.0) == [REACHABLE]
    assert script.sent_since(0.0) == READS


def test_bits_that_nobody_knows_stay_as_they_are() -> None:
    script = Gm65Wire(mode="presence", light="never", sound=False)
    script.zones[0x0000], script.zones[0x000D] = 0xFF, 0xFF
    script.open()
    script.run(1.0)
    assert (script.zones[0x0000], script.zones[0x000D]) == (0b1011_0011, 0xFC)


@pytest.mark.parametrize(
    ("options", "zone", "value"),
    [
        ({"mode": "trigger"}, 0x0000, 0xD5),
        ({"light": "always"}, 0x0000, 0xDA),
        ({"tail": "crlf"}, 0x0060, 0x21),
        ({"tail": "none"}, 0x0060, 0x00),
        ({"tail": "length"}, 0x0060, 0x81),
        ({"output": "as_found"}, 0x000D, 0xA1),
        ({"setup_codes": True}, 0x0003, 0x00),
        ({"setup_codes_off": 0x01}, 0x0003, 0x01),
    ],
)
def test_every_option_has_its_zone(
    options: dict[str, OptionValue], zone: int, value: int
) -> None:
    script = Gm65Wire(**options)
    script.open()
    script.run(1.0)
    assert script.zones[zone] == value


def test_a_setting_that_is_refused_is_told_and_the_scanner_serves() -> None:
    script = Gm65Wire()
    script.stubborn = {0x0003}
    script.open()
    detail = "9600 baud; settings refused: 0003 is 00"
    assert script.run(1.0) == [Reachable(unit=0, detail=detail)]
    assert script.sent_since(0.0).count(WRITES[0]) == 2
    assert script.feed_text(b"MS1ABCDEF0\r") == [
        CodeRead(unit=0, payload=b"MS1ABCDEF0")
    ]


def test_settings_are_kept_in_flash_only_when_asked_and_only_when_new() -> None:
    script = Gm65Wire(save=True)
    script.open()
    script.run(1.0)
    assert script.sent[-1][1] == SAVE
    script.device.closed(script.now)
    script.open()
    script.run(1.0)
    assert [frame for _, frame in script.sent].count(SAVE) == 1


def test_a_lost_answer_is_asked_for_again() -> None:
    script = Gm65Wire()
    script.replies = {READS[1]: [None, None, OK], WRITES[0]: [None, OK]}
    script.stubborn = {0x0003}
    script.open()
    assert script.run(1.2) == []
    assert script.sent_since(0.0)[:5] == [READS[0], *[READS[1]] * 3, READS[2]]
    [reachable] = script.run(5.0)
    assert isinstance(reachable, Reachable)
    assert script.sent_since(0.0).count(WRITES[0]) == 3


def test_a_question_that_stays_unanswered_begins_the_dialogue_anew() -> None:
    script = Gm65Wire()
    script.replies = {READS[1]: None}
    script.open()
    assert script.run(1.7) == []
    assert script.sent_since(0.0) == [READS[0], *[READS[1]] * 3]
    script.replies = {}
    assert script.run(3.0) == [REACHABLE]


def test_after_its_opening_it_is_asked_for_nothing_but_its_heartbeat() -> None:
    script = opened(check_every_s=3_600)
    assert script.run(3_500.0) == []
    assert {frame for _, frame in script.sent} == {HEARTBEAT}
    assert 345 <= len(script.sent) <= 350


def test_the_heartbeat_may_be_left_out() -> None:
    script = opened(heartbeat_s=0, check_every_s=0)
    assert script.device.deadline() is None
    assert script.run(10_000.0) == []
    assert script.sent == []


def test_three_missed_heartbeats_then_back_with_the_first_answer() -> None:
    script = opened()
    script.run(60.0)
    script.is_dead = True
    script.run_until_sent()
    died_at = script.now
    [lost] = script.run(20.0)
    assert isinstance(lost, Unreachable)
    assert "9600" in lost.why
    assert "no answer" in lost.why
    assert script.signals[-1][0] - died_at < 4.5
    assert script.run(60.0) == []
    script.is_dead = False
    assert script.run(3.0) == [REACHABLE]


def test_answers_that_came_before_the_question_do_not_answer_it() -> None:
    script = Gm65Wire()
    script.is_dead = True
    script.open()
    script.run(0.0)
    script.feed(answer(b"\xd6") + OK * 20)
    assert script.device.take_outgoing().hex().upper() == READS[1]
    script.feed(OK + OK)
    assert script.device.take_outgoing().hex().upper() == READS[2]


def test_a_missed_heartbeat_alone_is_nothing_but_has_the_settings_looked_at() -> None:
    script = opened({HEARTBEAT: [None, None, HEARTBEAT_REPLY]})
    assert script.run(60.0) == []
    assert script.sent_since(0.0)[:9] == [*[HEARTBEAT] * 3, *READS]
    script = opened({HEARTBEAT: [None, HEARTBEAT_REPLY]}, check_every_s=0)
    assert script.run(60.0) == []
    assert {frame for _, frame in script.sent} == {HEARTBEAT}


def test_a_reset_that_a_visitor_held_up_is_found_as_soon_as_it_is_felt() -> None:
    script = opened({HEARTBEAT: [None, HEARTBEAT_REPLY]})
    script.run(5.0)
    script.zones[0x000D] = 0xA1  # codes go to a keyboard that nobody has plugged in
    assert script.run(10.0) == [changed("000D is A1"), MENDED]
    assert script.zones[0x000D] == 0xA0


def test_a_scanner_that_never_answers_is_told_once_after_its_power_up() -> None:
    script = Gm65Wire()
    script.is_dead = True
    script.open()
    assert script.run(2.0) == []
    [lost] = script.run(100.0)
    assert isinstance(lost, Unreachable)


def test_a_scanner_at_another_speed_is_told_from_a_dead_one() -> None:
    script = Gm65Wire()
    script.replies = dict.fromkeys(READS, "00F8E0FF80FE")
    script.open()
    signals = script.run(20.0)
    lost = [signal for signal in signals if isinstance(signal, Unreachable)]
    assert len(lost) == 1
    assert "speed" in lost[0].why
    assert {type(signal) for signal in signals} == {Unreachable, Garbled}


def test_a_setup_code_that_was_held_up_is_found_within_the_hour() -> None:
    script = opened(check_every_s=3_600)
    script.run(100.0)
    script.zones[0x0000], script.zones[0x0060] = 0xD5, 0x03
    assert script.run(3_400.0) == []
    script.sent.clear()
    what = "0000 is D5, 0060 is 03"
    assert script.run(120.0) == [changed(what), MENDED]
    assert (script.zones[0x0000], script.zones[0x0060]) == (0xD6, 0x01)
    assert script.run(7_200.0) == []


def test_the_check_waits_for_a_quiet_moment() -> None:
    script = opened(check_every_s=3_600)
    script.run(3_590.0)
    script.sent.clear()
    for step in range(20):
        script.feed_text(f"MS1ABCDE{step:02d}\r".encode())
        script.run(1.0)
    assert READS[0] not in [frame for _, frame in script.sent]
    script.run(6.0)
    assert [frame for _, frame in script.sent if frame == READS[0]] == [READS[0]]


def test_the_check_may_be_left_out_or_be_more_often() -> None:
    script = opened(check_every_s=0)
    script.run(10_000.0)
    assert {frame for _, frame in script.sent} == {HEARTBEAT}
    script = opened(check_every_s=60)
    script.run(601.0)
    assert [frame for _, frame in script.sent].count(READS[0]) in (9, 10)


def test_a_change_that_cannot_be_mended_stays_a_tampering_and_is_told_once() -> None:
    script = opened()
    script.zones[0x0003] = 0x00
    script.stubborn = {0x0003}
    assert script.run(20_000.0) == [changed("0003 is 00")]
    script.stubborn = set()
    assert script.run(3_700.0) == [MENDED]


def test_its_speed_is_never_chosen_but_put_back() -> None:
    script = opened()
    script.zones[0x002A:0x002C] = b"\x1a\x00"
    signals = script.run(3_700.0)
    assert signals == [changed("002A is 1A"), MENDED]
    assert script.zones[0x002A:0x002C] == b"\x39\x01"
    script = Gm65Wire()
    script.zones[0x002A:0x002C] = b"\x1a\x00"
    script.open()
    assert script.run(1.0) == [Reachable(unit=0, detail="115200 baud")]


@pytest.mark.parametrize("save", [False, True])
def test_settings_lost_with_the_power_are_no_tampering_unless_flash_held_them(
    *, save: bool
) -> None:
    script = opened(save=save)
    script.device.closed(script.now)
    script.zones[0x0003] = 0x00
    script.open()
    told = [changed("0003 is 00"), REACHABLE, MENDED] if save else [REACHABLE]
    assert script.run(1.0) == told
    script.is_dead = True
    script.run(30.0)
    script.is_dead = False
    script.zones[0x0003] = 0x00
    assert script.run(5.0) == told


def test_trigger_mode_looks_for_a_code_all_the_time() -> None:
    script = opened(mode="trigger")
    script.run(10.0)
    assert {frame for _, frame in script.sent} == {TRIGGER}
    assert len(script.sent) == 5
    script.sent.clear()
    script.now += 0.5
    script.feed_text(b"MS1ABCDEF0\r")
    script.run(0.0)
    assert script.sent_since(script.now) == [TRIGGER]
    script.is_dead = True
    [lost] = script.run(10.0)
    assert isinstance(lost, Unreachable)


def test_trigger_mode_of_somebody_elses_has_a_heartbeat() -> None:
    script = opened(mode="trigger", trigger="never", check_every_s=3_600)
    script.run(100.0)
    assert {frame for _, frame in script.sent} == {HEARTBEAT}


def test_closing_and_opening_begin_anew() -> None:
    script = opened()
    script.feed_text(b"MS1ABC")
    gone = Unreachable(unit=0, why="the link was lost")
    assert script.device.closed(script.now) == [gone]
    assert script.device.closed(script.now) == []
    assert script.device.deadline() is None
    script.open()
    script.feed_text(b"MS1ABCDEF0\r")
    assert REACHABLE in script.run(1.0)


def test_after_a_stall_what_was_half_read_is_gone_and_it_goes_on() -> None:
    script = opened()
    script.feed_text(b"MS1ABC")
    script.device.resumed(script.now)
    assert script.feed_text(b"MS1ABCDEF0\r") == [
        CodeRead(unit=0, payload=b"MS1ABCDEF0")
    ]
    assert script.run(30.0) == []
    script = Gm65Wire()
    script.open()
    script.device.resumed(script.now)
    assert script.run(1.0) == [REACHABLE]
    script.device.closed(script.now)
    script.device.resumed(script.now)
    assert script.device.deadline() is None


def test_it_moves_nothing_and_drops_cues() -> None:
    script = opened()
    script.order(Show(unit=0, cue=Cue.GRANTED))
    order = SetOutput(unit=0, channel=1, is_on=True)
    script.order(order)
    [failed] = script.run(0.1)
    assert isinstance(failed, OrderFailed)
    assert failed.order == order
    assert script.sent == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"mode": "manual"}, "mode must be one of trigger, continuous, presence"),
        ({"trigger": "once"}, "trigger must be one of always, never"),
        ({"light": "bright"}, "light must be one of never, reading, always"),
        ({"tail": "tab"}, "tail must be one of cr, crlf, none, length"),
        ({"output": "keyboard"}, "output must be one of serial, as_found"),
        ({"setup_codes_off": 256}, "setup_codes_off must be 0 to 255"),
        ({"heartbeat_s": -1}, "heartbeat_s must be 0.0 to 600.0"),
        ({"min_length": 0}, "min_length must be 1 to 512"),
    ],
)
def test_wrong_options_are_refused(values: dict[str, OptionValue], words: str) -> None:
    with pytest.raises(LocalError, match=words):
        read_options(Gm65Options, values)


def test_reads_are_of_the_zones_that_a_setup_code_would_change() -> None:
    assert [frame[8:12] for frame in READS] == [
        "0000",
        "0003",
        "000D",
        "0060",
        "002A",
        "0013",
    ]
    assert READS[4] == "7E000701002A02D80F"
