# SPDX-License-Identifier: Apache-2.0
"""Cards on the reader, reply by reply."""

from __future__ import annotations

import pytest

from drivers.device import (
    CardFound,
    CardRead,
    CardUnreadable,
    Reachable,
    Signal,
    UnreadableCause,
)
from tests.drivers.sam_wire import (
    FIND,
    FOUND,
    NO_CARD,
    PRINTED_NUMBER,
    READ,
    REPLIES,
    SELECT,
    failure,
    put,
    serving,
    take_away,
)

UNREADABLE = CardUnreadable(unit=0, why=UnreadableCause.TRY_AGAIN)
UNKNOWN_TYPE = CardUnreadable(unit=0, why=UnreadableCause.CARD_TYPE_UNKNOWN)
FOUND_CARD = CardFound(unit=0)
REACHABLE = Reachable(unit=0, detail=PRINTED_NUMBER)


def numbers(signals: list[Signal]) -> list[bytes]:
    reads = [signal for signal in signals if isinstance(signal, CardRead)]
    return [bytes(read.secret.take()) for read in reads]


def test_it_looks_for_a_card_four_times_a_second() -> None:
    script = serving()
    assert script.run(10.0) == []
    sent = script.sent_since(0.1)
    assert set(sent) == {FIND}
    assert 39 <= len(sent) <= 41


@pytest.mark.parametrize("name", "ABJIY")
def test_a_card_of_every_layout_is_found_and_read(name: str) -> None:
    script = serving()
    put(script, REPLIES[name])
    signals = script.run(1.0)
    assert signals[0] == FOUND_CARD
    expected = {
        "A": b"990105198002290017",
        "B": b"990105194901010025",
        "J": b"810000209901010010",
        "I": b"ZZZ990105010100",
        "Y": b"911156209901010012",
    }
    assert numbers(signals) == [expected[name]]
    assert len(signals) == 2


def test_the_question_after_an_answer_goes_out_with_it() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.run(1.0)
    at = {frame: moment for moment, frame in reversed(script.sent)}
    assert at[SELECT] - at[READ] == pytest.approx(-0.002)
    finds = [moment for moment, frame in script.sent if frame == FIND]
    assert any(at[SELECT] - moment == pytest.approx(0.002) for moment in finds)


@pytest.mark.parametrize("cut", [1, 5, 6, 7, 9, 10, 13, 14, 136, 270, 1293, 1294])
def test_a_reply_torn_anywhere_is_read(cut: int) -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.replies[READ] = None
    script.run(0.3)
    assert script.feed(REPLIES["A"][: 2 * cut]) == []
    script.now += 0.2  # a pause inside a frame means nothing
    assert numbers(script.feed(REPLIES["A"][2 * cut :])) == [b"990105198002290017"]


def test_a_reply_byte_by_byte_is_read() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.replies[READ] = None
    script.run(0.3)
    data = bytes.fromhex(REPLIES["A"])
    signals: list[Signal] = []
    for byte in data:
        signals += script.feed(f"{byte:02X}")
    assert numbers(signals) == [b"990105198002290017"]


def test_a_card_that_stays_is_read_once() -> None:
    script = serving()
    put(script, REPLIES["A"])
    assert len(script.run(60.0)) == 2
    # It is looked at again each 3 s, silently.
    assert 15 <= script.sent_since(0.1).count(READ) <= 21


def test_another_card_without_a_gap_is_another_person() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.run(1.0)
    put(script, REPLIES["B"])
    signals = script.run(4.0)
    assert signals[0] == FOUND_CARD
    assert numbers(signals) == [b"990105194901010025"]


def test_whoever_taps_again_is_read_again_within_a_second() -> None:
    script = serving()
    for _ in range(3):
        put(script, REPLIES["A"])
        assert numbers(script.run(0.5)) == [b"990105198002290017"]
        take_away(script)
        assert script.run(0.5) == []


def test_a_reader_that_answers_find_once_reads_a_tap_each_time() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.replies[FIND] = [FOUND, *[NO_CARD] * 8, FOUND, NO_CARD]
    assert len(numbers(script.run(5.0))) == 2


def test_a_card_that_never_seemed_to_leave_is_read_again_after_a_failed_look() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.run(1.0)
    script.replies[READ] = failure(0x41)  # gone, but the reader still answers 9F
    assert script.run(4.0) == []
    script.replies[READ] = REPLIES["A"]
    assert numbers(script.run(4.0)) == [b"990105198002290017"]


@pytest.mark.parametrize("status", [0x41, 0x31, 0x32, 0x33, 0x24, 0x47, 0x91, 0x07])
def test_a_failed_read_is_tried_three_times_then_told(status: int) -> None:
    script = serving()
    put(script, failure(status))
    signals = script.run(3.0)
    assert signals == [FOUND_CARD, UNREADABLE]
    assert script.sent_since(0.1).count(READ) == 3


@pytest.mark.parametrize("status", [0x81, 0x80, 0x41, 0xFE])
def test_a_failed_select_is_tried_three_times_then_told(status: int) -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.replies[SELECT] = failure(status)
    assert script.run(3.0) == [FOUND_CARD, UNREADABLE]
    assert script.sent_since(0.1).count(SELECT) == 3


def test_a_second_round_that_succeeds_is_a_read() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.replies[READ] = [failure(0x41), REPLIES["A"]]
    signals = script.run(2.0)
    assert signals[0] == FOUND_CARD
    assert numbers(signals) == [b"990105198002290017"]
    assert len(signals) == 2


def test_a_card_withdrawn_while_it_was_read_is_told_soon() -> None:
    script = serving()
    put(script, failure(0x41))
    script.replies[FIND] = [FOUND, NO_CARD]
    assert script.run(1.0) == [FOUND_CARD, UNREADABLE]
    put(script, REPLIES["A"])
    assert len(numbers(script.run(1.0))) == 1


def test_an_unknown_card_kind_is_told_at_once() -> None:
    script = serving()
    put(script, failure(0x40))
    assert script.run(0.3) == [FOUND_CARD, UNKNOWN_TYPE]
    assert script.run(60.0) == []


def test_an_unknown_layout_is_an_unknown_kind() -> None:
    script = serving()
    data = bytearray.fromhex(REPLIES["A"])
    data[14 + 248] ^= ord(" ") ^ ord("Q")
    data[-1] ^= ord(" ") ^ ord("Q")
    put(script, data.hex())
    assert script.run(1.0) == [FOUND_CARD, UNKNOWN_TYPE]


def test_a_number_with_a_wrong_check_is_unreadable() -> None:
    script = serving()
    data = bytearray.fromhex(REPLIES["A"])
    data[14 + 122 + 34] ^= 1
    data[-1] ^= 1
    put(script, data.hex())
    assert script.run(3.0) == [FOUND_CARD, UNREADABLE]


def test_no_round_begins_three_seconds_after_the_card_was_found() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.replies[READ] = None  # two seconds of waiting each
    signals = script.run(8.0)
    assert signals[:2] == [FOUND_CARD, UNREADABLE]
    verdict_at = next(at for at, signal in script.signals if signal == UNREADABLE)
    rounds = [at for at, frame in script.sent if frame == READ and at < verdict_at]
    assert len(rounds) == 2
