# SPDX-License-Identifier: Apache-2.0
"""The identity-card reader itself: there or not, noisy, closed, silent about people."""

from __future__ import annotations

from itertools import pairwise

import pytest

from drivers.device import (
    CardFound,
    CardRead,
    CardUnreadable,
    Garbled,
    OrderFailed,
    Pulse,
    Reachable,
    Signal,
    Unreachable,
    UnreadableCause,
)
from drivers.id_card.sam import IdCardReader
from drivers.id_card.sam_wire import Command
from tests.drivers.sam_wire import (
    FIND,
    FOUND,
    MODULE,
    MODULE_NUMBER,
    NO_CARD,
    OK,
    OTHER_NUMBER,
    PRINTED_NUMBER,
    READ,
    REPLIES,
    SELECT,
    SELECTED,
    STATUS,
    failure,
    put,
    serving,
    wire,
)

UNREADABLE = CardUnreadable(unit=0, why=UnreadableCause.TRY_AGAIN)
FOUND_CARD = CardFound(unit=0)
REACHABLE = Reachable(unit=0, detail=PRINTED_NUMBER)


def numbers(signals: list[Signal]) -> list[bytes]:
    reads = [signal for signal in signals if isinstance(signal, CardRead)]
    return [bytes(read.secret.take()) for read in reads]


def test_it_is_reachable_with_a_module_number_read_twice() -> None:
    script = wire()
    script.open()
    assert script.run(0.1) == [REACHABLE]
    assert script.sent_since(0.0) == [STATUS, MODULE, MODULE, FIND]


@pytest.mark.parametrize(
    ("reads", "detail"),
    [
        ([OTHER_NUMBER, MODULE_NUMBER, MODULE_NUMBER], PRINTED_NUMBER),
        ([MODULE_NUMBER, None, MODULE_NUMBER], PRINTED_NUMBER),
        ([OTHER_NUMBER, MODULE_NUMBER, failure(0x24)], ""),
        ([None, None, None], ""),
    ],
)
def test_a_doubtful_module_number_is_read_three_times(
    reads: list[str | None], detail: str
) -> None:
    script = wire()
    script.replies[MODULE] = reads
    script.open()
    assert script.run(1.2) == [Reachable(unit=0, detail=detail)]
    assert script.sent_since(0.0).count(MODULE) == 3


def test_three_unanswered_commands_then_back_with_the_first_answer() -> None:
    script = serving()
    working = dict(script.replies)
    script.replies = {}
    signals = script.run(1.5 + 1.0)
    assert signals == [Unreachable(unit=0, why="no answer")]
    assert script.run(10.0) == []
    script.replies = working
    assert script.run(1.0) == [REACHABLE]


def test_a_reader_that_never_answers_is_told_once_after_its_power_up() -> None:
    script = wire()
    script.replies = {}
    script.open()
    assert script.run(1.5) == []
    assert script.run(10.0) == [Unreachable(unit=0, why="no answer")]


@pytest.mark.parametrize("status", [0x10, 0x21, 0x60, 0x66])
def test_a_reader_with_a_fault_of_its_own_is_unreachable(status: int) -> None:
    script = serving()
    script.run(2.0)
    script.replies = dict.fromkeys((STATUS, FIND), failure(status))
    [signal] = script.run(5.0)
    assert isinstance(signal, Unreachable)
    assert signal.why.startswith(f"status {status:02X} (")


def test_a_card_that_was_being_read_gets_its_verdict_when_the_reader_dies() -> None:
    script = serving()
    script.run(2.0)
    put(script, failure(0x41))
    script.run(0.3)
    script.replies = {}
    lost = Unreachable(unit=0, why="no answer")
    assert script.run(5.0) == [UNREADABLE, lost]


def test_the_health_check_runs_each_thirty_seconds() -> None:
    script = serving()
    script.run(100.0)
    checks = [at for at, frame in script.sent if frame == STATUS and at > 1.0]
    assert len(checks) == 3
    pauses = [late - early for early, late in pairwise(checks)]
    assert min(pauses) >= 30.0


def test_a_late_reply_of_another_command_is_no_answer() -> None:
    script = serving()
    script.replies[FIND] = None
    script.run(0.3)
    for late in (OK, SELECTED, MODULE_NUMBER, REPLIES["A"]):
        signals = script.feed(late)
        assert not numbers(signals)
        assert FOUND_CARD not in signals


def test_a_frame_that_came_before_the_command_does_not_answer_it() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.replies[FIND] = FOUND + SELECTED + REPLIES["A"]
    script.replies[SELECT] = None
    signals = script.run(0.29)
    assert signals[0] == FOUND_CARD
    assert not numbers(signals)


@pytest.mark.parametrize("noise", ["AA", "AAAAAA", "00FF", "AAAAAA9669000500"])
def test_noise_before_a_reply_does_not_hide_it(noise: str) -> None:
    script = serving()
    put(script, noise + REPLIES["A"])
    script.replies[FIND] = noise + FOUND if len(noise) < 10 else FOUND
    assert numbers(script.run(3.0)) == [b"990105198002290017"]


def test_an_echo_of_the_command_is_passed_over() -> None:
    script = serving()
    put(script, READ + REPLIES["A"])
    script.replies |= {FIND: FIND + FOUND, SELECT: SELECT + SELECTED}
    assert numbers(script.run(1.0)) == [b"990105198002290017"]


def test_a_wrong_checksum_is_told_and_the_card_tried_again() -> None:
    script = serving()
    broken = REPLIES["A"][:-2] + "00"
    put(script, broken)
    script.replies[READ] = [broken, REPLIES["A"]]
    signals = script.run(4.0)
    raw = bytes.fromhex(broken)[:10]
    assert Garbled(unit=0, raw=raw, why="wrong checksum") in signals
    assert numbers(signals) == [b"990105198002290017"]


def test_what_is_garbled_never_shows_what_a_card_says() -> None:
    script = serving()
    put(script, "")
    data = bytearray.fromhex(REPLIES["A"])
    data[5] = 0xFF  # the length is broken: the whole text block becomes noise
    for at in range(0, 1200, 100):
        script.now += 1.0
        signals = script.feed(data[at : at + 100].hex())
        for signal in signals:
            assert isinstance(signal, Garbled)
            assert len(signal.raw) <= 10
            assert b"9\x009\x00" not in signal.raw


def test_endless_garbage_is_told_once_a_second_and_takes_no_memory() -> None:
    script = serving()
    reader = script.device
    assert isinstance(reader, IdCardReader)
    told = 0
    for _ in range(1000):
        script.now += 0.01
        told += len(script.feed("AAAAAA9669FFFF" * 20 + "AAAAAA96690950"))
        assert reader.buffered_bytes < 2400
    assert 9 <= told <= 11


def test_an_endless_length_does_not_starve_the_next_answer() -> None:
    script = serving()
    script.replies[FIND] = ["AAAAAA96690950000090", NO_CARD]
    assert script.run(5.0) == []
    sent = script.sent_since(0.1)
    assert sent.count(FIND) >= 18


def test_closing_and_opening_begin_anew() -> None:
    script = serving()
    put(script, failure(0x41))
    script.run(0.3)
    gone = Unreachable(unit=0, why="the link was lost")
    assert script.device.closed(script.now) == [UNREADABLE, gone]
    assert script.device.deadline() is None
    assert script.device.closed(script.now) == []
    put(script, REPLIES["A"])
    script.open()
    signals = script.run(1.0)
    assert signals[:2] == [REACHABLE, FOUND_CARD]
    assert len(numbers(signals)) == 1


def test_after_a_stall_a_card_that_lies_there_is_found_anew() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.run(1.0)
    script.device.resumed(script.now)
    signals = script.run(1.0)
    assert signals[0] == FOUND_CARD
    assert len(numbers(signals)) == 1


def test_it_takes_no_orders() -> None:
    script = serving()
    order = Pulse(unit=0, channel=1, duration_s=1.0)
    script.order(order)
    [failed] = script.run(0.0)
    assert isinstance(failed, OrderFailed)
    assert failed.order == order


def test_a_reply_is_zeroed_once_it_was_read() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.replies[READ] = None
    script.run(0.3)
    reader = script.device
    assert isinstance(reader, IdCardReader)
    content = bytearray.fromhex(REPLIES["A"])
    signals: list[Signal] = []
    reader._take_frame(content, Command.READ, script.now, signals)
    assert content == bytes(1295)
    assert numbers(signals) == [b"990105198002290017"]
