# SPDX-License-Identifier: Apache-2.0
"""The PC/SC reader: one verdict a presentation, and cues where there are lamps."""

from __future__ import annotations

import pytest

from drivers.device import (
    CardFound,
    CardUnreadable,
    Cue,
    Garbled,
    OrderFailed,
    Pulse,
    Reachable,
    Show,
    Signal,
    TagRead,
    Technology,
    Unreachable,
    UnreadableCause,
)
from drivers.errors import LocalError
from drivers.pcsc.apdu import BUZZER_OFF_ON_DETECT, CUES, GET_NUMBER
from drivers.pcsc.reader import PcscOptions, PcscReader
from tests.drivers.pcsc_site import CLASSIC, OK, SEVEN

TYPE_B = bytes.fromhex("3B8880010000000000418100C9")
CONTACT = bytes.fromhex("3BF81300008131FE454A434F50763431B7")
ACR122 = "ACS ACR122U PICC Interface 00 00"
PLAIN = "Virtual PCD 00 00"
FOUR = bytes.fromhex("1234ABCD")
FOUND = CardFound(unit=0)
AGAIN = CardUnreadable(unit=0, why=UnreadableCause.TRY_AGAIN)
UNKNOWN = CardUnreadable(unit=0, why=UnreadableCause.CARD_TYPE_UNKNOWN)


def tag(number: bytes, technology: Technology = Technology.ISO14443A) -> TagRead:
    bits = 8 * len(number)
    return TagRead(unit=0, technology=technology, bits=bits, number=number)


def opened(name: str = PLAIN, options: PcscOptions | None = None) -> PcscReader:
    device = PcscReader(options=options or PcscOptions())
    device.named(name)
    device.opened(0.0)
    assert device.deadline() == 0.0
    assert device.tick(0.0) == [Reachable(unit=0, detail=name)]
    assert device.removed(0.0) == []
    return device


def tap(
    device: PcscReader, now: float, answer: bytes = SEVEN + OK, atr: bytes = CLASSIC
) -> list[Signal]:
    """Lay a card on the reader and take it away."""
    signals = device.arrived(atr, now)
    signals += answered(device, now, answer)
    return signals + device.removed(now)


def answered(device: PcscReader, now: float, answer: bytes) -> list[Signal]:
    signals: list[Signal] = []
    while device.take_outgoing() == GET_NUMBER:
        signals += device.receive(answer, now)
    return signals


def test_a_card_is_found_asked_and_read() -> None:
    device = opened()
    assert device.take_outgoing() == b""
    assert device.arrived(CLASSIC, 5.0) == [FOUND]
    assert device.take_outgoing() == GET_NUMBER
    assert device.take_outgoing() == b""
    assert device.receive(SEVEN + OK, 5.1) == [tag(SEVEN)]
    assert device.take_outgoing() == b""
    assert device.deadline() is None
    assert device.removed(9.0) == []


def test_type_b_is_another_key() -> None:
    device = opened()
    read = tag(FOUR, Technology.ISO14443B)
    assert tap(device, 5.0, FOUR + OK, TYPE_B) == [FOUND, read]
    assert read.bits == 32


def test_the_number_is_not_printed() -> None:
    assert SEVEN.hex() not in repr(tag(SEVEN))
    assert repr(SEVEN) not in repr(tag(SEVEN))


def test_the_chinese_identity_card_is_refused_by_name() -> None:
    device = opened()
    assert tap(device, 5.0, bytes(4) + OK, TYPE_B) == [FOUND, UNKNOWN]
    assert tap(device, 8.0, bytes(4) + OK) == [FOUND, UNKNOWN]


def test_a_card_that_is_none_of_ours_is_not_even_asked() -> None:
    device = opened()
    assert device.arrived(CONTACT, 5.0) == [FOUND, UNKNOWN]
    assert device.take_outgoing() == b""


def test_a_card_that_does_not_speak_is_to_be_tried_again() -> None:
    device = opened()
    assert device.arrived(b"", 5.0) == [FOUND, AGAIN]
    assert device.take_outgoing() == b""


def test_random_numbers_are_an_option() -> None:
    answer = bytes.fromhex("08123456") + OK
    assert tap(opened(), 5.0, answer) == [FOUND, UNKNOWN]
    allowing = opened(options=PcscOptions(allow_random_uid=True))
    assert tap(allowing, 5.0, answer) == [FOUND, tag(answer[:4])]


def test_a_card_at_the_edge_gets_three_rounds() -> None:
    device = opened()
    device.arrived(CLASSIC, 5.0)
    for now in (5.0, 5.1):
        assert device.take_outgoing() == GET_NUMBER
        assert device.receive(b"\x63\x00", now) == []
        assert device.take_outgoing() == b""
        assert device.deadline() == pytest.approx(now + 0.1)
        assert device.tick(now + 0.05) == []
        assert device.take_outgoing() == b""
        assert device.tick(now + 0.1) == []
    assert device.take_outgoing() == GET_NUMBER
    assert device.failed(5.2) == [AGAIN]
    assert device.take_outgoing() == b""


def test_a_card_that_lies_there_unread_is_looked_at_each_second() -> None:
    device = opened()
    device.arrived(CLASSIC, 5.0)
    signals: list[Signal] = []
    for _ in range(6):
        assert device.take_outgoing() == GET_NUMBER
        now = device.deadline() or 5.0
        signals += device.failed(now)
        assert device.take_outgoing() == b""
        due = device.deadline()
        assert due is not None
        device.tick(due)
    assert signals == [AGAIN]
    assert device.take_outgoing() == GET_NUMBER
    assert device.receive(SEVEN + OK, 20.0) == [FOUND, tag(SEVEN)]
    assert device.deadline() is None


def test_a_second_round_may_succeed() -> None:
    device = opened()
    device.arrived(CLASSIC, 5.0)
    assert device.take_outgoing() == GET_NUMBER
    assert device.failed(5.0) == []
    device.tick(5.1)
    assert device.take_outgoing() == GET_NUMBER
    assert device.receive(SEVEN + OK, 5.1) == [tag(SEVEN)]


def test_a_card_gone_before_its_answer_is_to_be_tried_again() -> None:
    device = opened()
    device.arrived(CLASSIC, 5.0)
    assert device.take_outgoing() == GET_NUMBER
    assert device.removed(5.1) == [AGAIN]
    assert device.receive(SEVEN + OK, 5.2) == []
    assert tap(device, 5.4) == [FOUND, tag(SEVEN)]


def test_the_answer_of_one_card_is_not_taken_for_the_next() -> None:
    device = opened()
    device.arrived(CLASSIC, 5.0)
    assert device.take_outgoing() == GET_NUMBER
    device.removed(5.1)
    device.arrived(CLASSIC, 5.2)
    assert device.take_outgoing() == b""
    assert device.receive(SEVEN + OK, 5.2) == []
    assert device.take_outgoing() == GET_NUMBER
    assert device.receive(FOUR + OK, 5.2) == [FOUND, tag(FOUR)]


def test_a_card_that_trembles_is_one_card() -> None:
    device = opened()
    signals: list[Signal] = []
    for step in range(50):
        now = 5.0 + 0.2 * step
        signals += device.arrived(CLASSIC, now)
        signals += answered(device, now, SEVEN + OK)
        signals += device.removed(now + 0.1)
    assert signals == [FOUND, tag(SEVEN)]
    assert tap(device, 16.0) == [FOUND, tag(SEVEN)]


@pytest.mark.parametrize(
    ("atr", "answer", "verdict"),
    [
        (CONTACT, b"", UNKNOWN),
        (CLASSIC, bytes(4) + OK, UNKNOWN),
        (b"", b"", AGAIN),
    ],
)
def test_an_unreadable_card_that_trembles_is_told_once(
    atr: bytes, answer: bytes, verdict: CardUnreadable
) -> None:
    device = opened()
    signals: list[Signal] = []
    for step in range(50):
        signals += tap(device, 5.0 + 0.2 * step, answer, atr)
    assert signals == [FOUND, verdict]


def test_a_card_that_is_read_and_leaves_badly_says_nothing_more() -> None:
    device = opened()
    assert tap(device, 5.0) == [FOUND, tag(SEVEN)]
    assert device.arrived(CLASSIC, 5.2) == []
    assert device.removed(5.3) == []


def test_another_card_within_the_second_is_another_card() -> None:
    device = opened()
    assert tap(device, 5.0) == [FOUND, tag(SEVEN)]
    assert tap(device, 5.3, FOUR + OK) == [FOUND, tag(FOUR)]


def test_the_time_of_a_presentation_is_an_option() -> None:
    device = opened(options=PcscOptions(same_card_s=0.0))
    signals = tap(device, 5.0) + tap(device, 5.1)
    assert signals == 2 * [FOUND, tag(SEVEN)]
    with pytest.raises(LocalError, match="same_card_s"):
        PcscOptions(same_card_s=-1.0)


def test_more_than_five_cards_a_second_are_told_once_a_burst() -> None:
    device = opened()
    signals: list[Signal] = []
    for step in range(40):
        number = bytes([0x12, 1 + step, 0xAB, 0xCD])
        signals += tap(device, 5.0 + 0.02 * step, number + OK)
    assert sum(isinstance(signal, TagRead) for signal in signals) == 5
    faults = [signal for signal in signals if isinstance(signal, Garbled)]
    assert faults == [Garbled(unit=0, raw=b"", why="rate limit")]
    assert tap(device, 8.0) == [FOUND, tag(SEVEN)]


def test_a_card_that_lay_there_at_the_loss_is_not_news_afterwards() -> None:
    device = opened()
    device.arrived(CLASSIC, 5.0)
    answered(device, 5.0, SEVEN + OK)
    lost = Unreachable(unit=0, why="the link was lost")
    assert device.closed(6.0) == [lost]
    assert device.closed(6.0) == []
    device.opened(60.0)
    device.tick(60.0)
    assert device.arrived(CLASSIC, 60.0) == []
    assert answered(device, 60.0, SEVEN + OK) == []
    device.removed(61.0)
    assert tap(device, 63.0) == [FOUND, tag(SEVEN)]


def test_an_empty_field_after_the_loss_makes_it_news() -> None:
    device = opened()
    device.arrived(CLASSIC, 5.0)
    answered(device, 5.0, SEVEN + OK)
    device.closed(6.0)
    device.opened(60.0)
    device.tick(60.0)
    device.removed(60.0)
    assert tap(device, 60.1) == [FOUND, tag(SEVEN)]


def test_a_card_that_was_being_read_at_the_loss_is_given_up() -> None:
    device = opened()
    device.arrived(CLASSIC, 5.0)
    device.take_outgoing()
    lost = Unreachable(unit=0, why="the link was lost")
    assert device.closed(5.1) == [AGAIN, lost]
    assert device.take_outgoing() == b""
    assert device.deadline() is None


def test_after_a_stall_a_card_without_verdict_is_asked_anew() -> None:
    device = opened()
    device.arrived(CLASSIC, 5.0)
    assert device.take_outgoing() == GET_NUMBER
    device.resumed(8.0)
    assert device.take_outgoing() == GET_NUMBER
    assert device.receive(SEVEN + OK, 8.0) == [tag(SEVEN)]
    device.resumed(12.0)
    assert device.take_outgoing() == b""


def test_an_acr122_is_quiet_and_shows_cues() -> None:
    device = opened(ACR122)
    assert device.take_outgoing() == BUZZER_OFF_ON_DETECT
    assert device.receive(OK, 0.1) == []
    device.order(Show(unit=0, cue=Cue.GRANTED, text="please"), 1.0)
    assert device.take_outgoing() == CUES[Cue.GRANTED]
    assert device.receive(b"\x90\x02", 1.0) == []
    assert tap(device, 5.0) == [FOUND, tag(SEVEN)]
    assert device.take_outgoing() == b""


def test_a_card_goes_before_a_cue_and_the_newest_cue_alone_is_shown() -> None:
    device = opened(ACR122)
    device.take_outgoing()
    device.receive(OK, 0.1)
    device.arrived(CLASSIC, 5.0)
    device.order(Show(unit=0, cue=Cue.DENIED), 5.0)
    device.order(Show(unit=0, cue=Cue.GRANTED), 5.0)
    assert device.take_outgoing() == GET_NUMBER
    device.receive(SEVEN + OK, 5.0)
    assert device.take_outgoing() == CUES[Cue.GRANTED]
    assert device.failed(5.1) == []
    assert device.take_outgoing() == b""


def test_a_reader_that_cannot_be_quiet_is_asked_once_more_with_its_first_card() -> None:
    device = opened(ACR122)
    assert device.take_outgoing() == BUZZER_OFF_ON_DETECT
    assert device.failed(0.1) == []
    assert device.take_outgoing() == b""
    device.arrived(CLASSIC, 5.0)
    answer = device.take_outgoing()
    assert answer == GET_NUMBER
    device.receive(SEVEN + OK, 5.0)
    assert device.take_outgoing() == BUZZER_OFF_ON_DETECT
    device.receive(b"\x63\x00", 5.1)
    device.removed(6.0)
    device.arrived(CLASSIC, 9.0)
    assert device.take_outgoing() == GET_NUMBER
    device.receive(SEVEN + OK, 9.0)
    assert device.take_outgoing() == b""


def test_cues_are_dropped_without_lamps_and_while_closed() -> None:
    device = opened(PLAIN)
    device.order(Show(unit=0, cue=Cue.GRANTED), 1.0)
    assert device.take_outgoing() == b""
    assert device.tick(1.0) == []
    device = opened(ACR122)
    device.take_outgoing()
    device.order(Show(unit=0, cue=Cue.GRANTED), 1.0)
    device.closed(2.0)
    device.order(Show(unit=0, cue=Cue.GRANTED), 3.0)
    device.opened(4.0)
    assert device.take_outgoing() == BUZZER_OFF_ON_DETECT
    device.receive(OK, 4.0)
    assert device.take_outgoing() == b""


def test_other_orders_fail() -> None:
    device = opened()
    order = Pulse(unit=3, channel=1, duration_s=1.0)
    device.order(order, 1.0)
    [failed] = device.tick(1.0)
    assert failed == OrderFailed(
        unit=3, order=order, why="a card reader has no outputs"
    )


def test_an_answer_that_nobody_asked_for_is_garbled_in_limits() -> None:
    device = opened()
    signals: list[Signal] = []
    for _ in range(20):
        signals += device.receive(b"\x01" * 300, 1.0)
    assert len(signals) == 5
    garbled = signals[0]
    assert isinstance(garbled, Garbled)
    assert len(garbled.raw) == 64
