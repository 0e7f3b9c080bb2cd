# SPDX-License-Identifier: Apache-2.0
"""States, knobs and faults of the simulated identity-card reader."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware_sim.happening import What
from firmware_sim.id_card.persons import PERSONS
from firmware_sim.id_card.sam_frames import reply
from firmware_sim.id_card.sam_reader import SamReader
from firmware_sim.id_card.sam_settings import SamFault, SamLatencies, SamReaderSettings
from firmware_sim.id_card.sam_states import CardState
from tests.firmware_sim.sim_vectors import frames

REQUESTS = frames("sam_requests")
FIND, SELECT = REQUESTS["find card"], REQUESTS["select card"]
READ, STATUS = REQUESTS["read text+photo"], REQUESTS["SAM status"]
IMMEDIATE = SamReaderSettings(latencies=SamLatencies.immediate())
NOW = 50.0


def ask(device: SamReader, request: bytes, now: float = NOW) -> int:
    """Return SW3 of the reply, or 0 for silence."""
    device.receive(request, now)
    answer = device.take_outgoing(now)
    return answer[9] if answer else 0


def with_card(settings: SamReaderSettings = IMMEDIATE, letter: str = "A") -> SamReader:
    device = SamReader(settings)
    device.put(PERSONS[letter], NOW)
    return device


# -- states ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "answers"),
    [
        ([], {FIND: 0x9F, SELECT: 0x81, READ: 0x41}),
        ([FIND], {FIND: 0x9F, SELECT: 0x90, READ: 0x41}),
        ([FIND, SELECT], {FIND: 0x9F, SELECT: 0x81, READ: 0x90}),
        ([FIND, SELECT, READ], {FIND: 0x80, SELECT: 0x81, READ: 0x90}),
    ],
)
def test_steps_answer_by_the_table(
    before: list[bytes], answers: dict[bytes, int]
) -> None:
    for request, status in answers.items():
        device = with_card()
        for step in before:
            ask(device, step)
        assert ask(device, request) == status


def test_a_refused_step_changes_nothing() -> None:
    device = with_card()
    ask(device, FIND)
    before = device.snapshot()
    assert ask(device, READ) == 0x41
    assert device.snapshot() == replace(before, commands=before.commands + 1)


def test_reset_asks_for_a_new_find() -> None:
    device = with_card()
    ask(device, FIND)
    assert ask(device, REQUESTS["reset SAM"]) == 0x90
    assert ask(device, SELECT) == 0x81


def test_a_card_read_once_is_found_again_only_where_the_knob_says_so() -> None:
    repeating = replace(IMMEDIATE, repeat_find=True)
    for settings, status in ((IMMEDIATE, 0x80), (repeating, 0x9F)):
        device = with_card(settings)
        for step in (FIND, SELECT, READ):
            ask(device, step)
        assert ask(device, FIND) == status


def test_a_card_taken_away_and_put_again_is_found_again() -> None:
    device = with_card()
    for step in (FIND, SELECT, READ):
        ask(device, step)
    device.take_away(NOW)
    assert ask(device, FIND) == 0x80
    assert device.snapshot().state is CardState.NO_CARD
    device.put(PERSONS["B"], NOW)
    assert ask(device, FIND) == 0x9F
    seen = [happening.what for happening in device.diary.entries()]
    assert seen == [What.CARD_PUT, What.CARD_READ, What.CARD_TAKEN, What.CARD_PUT]


def test_a_card_withdrawn_between_select_and_read_is_not_read() -> None:
    device = with_card()
    ask(device, FIND)
    ask(device, SELECT)
    device.take_away(NOW)
    assert ask(device, READ) == 0x41


def test_a_card_withdrawn_during_the_read_is_not_read_even_if_put_again() -> None:
    device = with_card(SamReaderSettings(latencies=SamLatencies.realistic()))
    for at, step in ((0.0, FIND), (0.2, SELECT), (0.4, READ)):
        device.receive(step, NOW + at)
        if step != READ:
            assert device.take_outgoing(NOW + at + 0.1)
    device.take_away(NOW + 1.0)
    device.put(PERSONS["A"], NOW + 1.5)
    assert device.take_outgoing(NOW + 2.3) == b""
    assert device.take_outgoing(NOW + 2.5) == reply(0x41)


def test_fingerprints_come_only_where_the_card_has_them() -> None:
    for has_fingerprint, size, length in ((False, 1297, 0x050A), (True, 2321, 0x090A)):
        device = SamReader(IMMEDIATE)
        device.put(replace(PERSONS["A"], has_fingerprint=has_fingerprint), NOW)
        ask(device, FIND)
        ask(device, SELECT)
        device.receive(REQUESTS["text+photo+fingerprint"], NOW)
        answer = device.take_outgoing(NOW)
        assert (len(answer), int.from_bytes(answer[5:7], "big")) == (size, length)
        fingerprint = 0x0400 if has_fingerprint else 0
        lengths = [int.from_bytes(answer[at : at + 2], "big") for at in (10, 12, 14)]
        assert lengths == [0x0100, 0x0400, fingerprint]


# -- latencies ---------------------------------------------------------------------


def test_a_reply_waits_for_its_latency_and_names_its_deadline() -> None:
    device = SamReader(SamReaderSettings(latencies=SamLatencies.realistic()))
    assert device.deadline() is None
    device.receive(FIND, NOW)
    assert device.deadline() == NOW + 0.1
    assert device.take_outgoing(NOW + 0.0999) == b""
    assert device.take_outgoing(NOW + 0.1) == reply(0x80)
    assert device.deadline() is None


@pytest.mark.parametrize(
    ("request_name", "latency_s"),
    [
        ("SAM status", 0.1),
        ("module number", 0.3),
        ("select card", 0.1),
        ("read text+photo", 2.0),
        ("text+photo+fingerprint", 3.0),
        ("newest address", 1.5),
    ],
)
def test_realistic_latencies_are_those_of_field_code(
    request_name: str, latency_s: float
) -> None:
    device = SamReader(SamReaderSettings(latencies=SamLatencies.realistic()))
    device.receive(REQUESTS[request_name], NOW)
    assert device.deadline() == NOW + latency_s


def test_commands_are_carried_out_one_behind_the_other() -> None:
    device = SamReader(SamReaderSettings(latencies=SamLatencies.realistic()))
    device.receive(FIND + SELECT, NOW)
    assert device.take_outgoing(NOW + 0.1) == reply(0x80)
    assert device.take_outgoing(NOW + 0.2) == reply(0x81)


def test_more_commands_than_a_reader_keeps_are_lost() -> None:
    device = SamReader()
    device.receive(STATUS * 40, NOW)
    assert device.take_outgoing(NOW + 9) == reply(0x90) * 16


# -- knobs -------------------------------------------------------------------------


def test_an_old_module_does_not_know_foreign_layouts() -> None:
    old = replace(IMMEDIATE, old_sam=True)
    for letter, status in (("A", 0x90), ("B", 0x90), ("I", 0x40), ("J", 0x40)):
        device = with_card(old, letter)
        ask(device, FIND)
        ask(device, SELECT)
        assert ask(device, READ) == status, letter
    assert ask(with_card(old, "Y"), READ) == 0x41  # not even selected


def test_some_readers_meet_a_bad_checksum_with_silence() -> None:
    bad = FIND[:-1] + b"\x00"
    assert ask(SamReader(IMMEDIATE), bad) == 0x10
    assert ask(SamReader(replace(IMMEDIATE, answers_bad_checksum=False)), bad) == 0


def test_the_first_module_number_after_power_up_may_be_garbage() -> None:
    settings = replace(IMMEDIATE, first_module_number_is_garbage=True, power_up_s=0)
    device = SamReader(settings)
    for _ in range(2):
        numbers = []
        for _ in range(3):
            device.receive(REQUESTS["module number"], NOW)
            numbers.append(device.take_outgoing(NOW)[10:-1])
        assert numbers[0] != numbers[1] == numbers[2] == settings.module_number
        device.power_cycle(NOW)


def test_the_newest_address_may_come_with_its_length() -> None:
    device = with_card(replace(IMMEDIATE, address_has_length=True))
    ask(device, FIND)
    ask(device, SELECT)
    device.receive(REQUESTS["newest address"], NOW)
    answer = device.take_outgoing(NOW)
    assert int.from_bytes(answer[5:7], "big") == 0x4C
    assert answer[10:12] == b"\x00\x46"


def test_a_reader_is_deaf_while_it_powers_up_and_forgets_everything() -> None:
    device = with_card()
    ask(device, FIND)
    device.power_cycle(NOW)
    assert device.snapshot().is_deaf
    assert ask(device, STATUS, NOW + 1.49) == 0
    assert ask(device, STATUS, NOW + 1.51) == 0x90
    assert ask(device, SELECT, NOW + 1.51) == 0x81
    back = [h.at for h in device.diary.entries() if h.what is What.POWER_BACK]
    assert back == [NOW + 1.5]


def test_a_new_rate_holds_behind_the_reply_that_confirms_it() -> None:
    device = SamReader()
    device.receive(REQUESTS["set 9600 baud"], NOW)
    device.tick(NOW + 1)
    assert device.baud == 115_200
    device.take_outgoing(NOW + 1)
    assert device.baud == 9_600


# -- faults ------------------------------------------------------------------------


def spoiled(fault: SamFault) -> bytes:
    device = SamReader(IMMEDIATE)
    device.spoil(fault)
    device.receive(STATUS, NOW)
    answer = device.take_outgoing(NOW)
    assert ask(device, STATUS) == 0x90, "a fault spoils one reply alone"
    return answer


def test_faults_spoil_one_reply_each() -> None:
    sound = reply(0x90)
    assert spoiled(SamFault.WRONG_CHECKSUM) == sound[:-1] + bytes((sound[-1] ^ 1,))
    assert spoiled(SamFault.CUT_FRAME) == sound[:5]
    assert spoiled(SamFault.DROPPED) == b""
    assert spoiled(SamFault.TIMEOUT_FRAME) == bytes.fromhex("AAAAAA96690005050505")
    assert spoiled(SamFault.ANSWER_10) == reply(0x10)
    assert spoiled(SamFault.ANSWER_21) == reply(0x21)
    assert spoiled(SamFault.ANSWER_66) == reply(0x66)


def test_noise_ends_with_aa_right_before_the_preamble() -> None:
    sound, noisy = reply(0x90), spoiled(SamFault.NOISE)
    assert noisy.endswith(b"\xaa\xaa" + sound)
    assert len(noisy) == len(sound) + 9
    assert spoiled(SamFault.NOISE) == noisy, "the noise is seeded"


def test_a_dropped_reply_is_lost_though_the_command_was_carried_out() -> None:
    device = with_card()
    device.spoil(SamFault.DROPPED)
    assert ask(device, FIND) == 0
    assert ask(device, SELECT) == 0x90


def test_a_forced_error_leaves_the_command_undone() -> None:
    device = with_card()
    device.spoil(SamFault.ANSWER_66, replies=2)
    assert ask(device, FIND) == 0x66
    assert ask(device, FIND) == 0x66
    assert ask(device, SELECT) == 0x81
