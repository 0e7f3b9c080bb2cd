# SPDX-License-Identifier: Apache-2.0
"""Readers on a line: found, heard, lost, found again, in the promised time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from drivers.device import (
    AddressConflict,
    Garbled,
    InputChanged,
    Reachable,
    Signal,
    TagRead,
    TamperChanged,
    Technology,
    Unreachable,
)
from tests.drivers.osdp_wire import UID, OsdpWire, codes, serving, wire

CARD = "0000380004A1B2C3D4E5F6"
TAG = TagRead(
    unit=5,
    technology=Technology.WIEGAND,
    bits=56,
    number=bytes.fromhex("04A1B2C3D4E5F6"),
)
#: From its return to a card that is told.
USABLE_WITHIN_S = 1.5


def reaches(script: OsdpWire, unit: int) -> list[tuple[float, bool]]:
    """When a reader was found and lost."""
    return [
        (at, isinstance(signal, Reachable))
        for at, signal in script.signals
        if isinstance(signal, Reachable | Unreachable) and signal.unit == unit
    ]


def tags(script: OsdpWire) -> list[TagRead]:
    return [signal for _, signal in script.signals if isinstance(signal, TagRead)]


def test_four_readers_are_secure_within_two_seconds_and_tell_their_levels() -> None:
    script = wire(1, 2, 3, 4)
    script.open()
    signals = script.run(2.0)
    for unit in (1, 2, 3, 4):
        mine = [signal for signal in signals if signal.unit == unit]
        assert mine == [
            Reachable(
                unit=unit,
                detail="OSDP vendor BEBAFE model 1.1 serial DEADBEAF "
                f"firmware 173.222.173, cuid {UID}",
            ),
            InputChanged(unit=unit, channel=1, is_active=False),
            InputChanged(unit=unit, channel=2, is_active=False),
        ]


def test_the_first_packets_and_their_rhythm() -> None:
    script = serving(5)
    first = [frame for _, frame in script.sent[:5]]
    assert first[0] == "FF53050900046100C125"
    assert first[1] == "FF53050900056200A247"
    assert first[2].startswith("FF530513000E03110176")
    assert first[3].startswith("FF53051B000F03130177")
    at = script.now
    script.run(1.0)
    # A status question stands for a poll now and then.
    assert 19 <= len(script.sent_since(at)) <= 22
    numbers = [int(frame[10:12], 16) & 3 for frame in script.sent_since(at)]
    for before, after in pairwise(numbers):
        assert after == before % 3 + 1


def test_readers_share_one_beat_and_answer_in_turn() -> None:
    script = serving(1, 2, 3, 4)
    at = script.now
    script.run(0.99)
    moments = sorted({t for t, _ in script.sent if t > at})
    assert 75 <= len(script.sent_since(at)) <= 90
    units = [frame[4:6] for frame in script.sent_since(at)]
    assert all(units.count(unit) >= 18 for unit in ("01", "02", "03", "04"))
    # Four answers of 2 ms each, then silence until the next beat.
    assert min(b - a for a, b in pairwise(moments)) > 0.0019
    assert sum(b - a > 0.03 for a, b in pairwise(moments)) >= 18


def test_a_turnaround_is_kept() -> None:
    script = serving(1, 2, turnaround_ms=20)
    script.run(1.0)
    gaps = [b - a for (a, _), (b, _) in pairwise(script.sent)]
    assert min(gaps) > 0.0219


def test_a_silent_reader_is_lost_soon_and_costs_one_time_out_a_second() -> None:
    script = serving(1, 2)
    script.readers[1].is_silent = True
    at = script.now
    script.run(10.0)
    ((lost_at, is_there),) = reaches(script, 1)[1:]
    assert not is_there
    assert lost_at - at < 2.0
    assert reaches(script, 2)[1:] == []
    probes = [t for t, f in script.sent if f.startswith("FF5301") and t > lost_at]
    gaps = [b - a for a, b in pairwise(probes)]
    assert 0.99 < min(gaps) <= max(gaps) < 1.3
    polls = [t for t, f in script.sent if f.startswith("FF5302") and t > lost_at]
    gaps = [b - a for a, b in pairwise(polls)]
    assert max(gaps) < 0.27
    assert sum(gap > 0.1 for gap in gaps) <= 9


def test_a_reader_that_never_was_there_is_told_too() -> None:
    script = wire(5)
    script.readers[5].is_silent = True
    script.open()
    assert [type(s) for s in script.run(60.0)] == [Unreachable]
    assert reaches(script, 5)[0][0] < 2.0


@pytest.mark.parametrize("silence_s", [3.0, 3.4, 3.8, 9.0, 60.0])
def test_a_reader_that_returns_reads_cards_again(silence_s: float) -> None:
    script = serving(5)
    reader = script.readers[5]
    reader.is_silent = True
    script.run(silence_s)
    reader.forget()
    reader.is_silent = False
    back_at = script.now
    while not reaches(script, 5)[-1][1]:
        script.run(0.01)
    reader.report(0x50, CARD)
    while script.now < back_at + USABLE_WITHIN_S and not tags(script):
        script.run(0.01)
    assert tags(script) == [TAG]
    script.run(0.1)
    assert script.signals[-1][1] == InputChanged(unit=5, channel=2, is_active=False)


def test_a_reader_that_was_reset_is_never_lost() -> None:
    script = serving(5)
    script.readers[5].forget()
    assert script.run(0.2) == []
    script.readers[5].report(0x50, CARD)
    assert script.run(0.06) == [TAG]


def test_one_lost_reply_is_repeated_at_once_and_carried_out_once() -> None:
    script = serving(5)
    reader = script.readers[5]
    losses = [0]

    def lose_one(reply: bytes) -> bytes | None:
        losses[0] += 1
        return None if losses[0] == 1 else reply

    reader.report(0x50, CARD)
    reader.mangle = lose_one
    before = len(reader.done)
    script.run_until_sent()
    first = script.sent[-1]
    script.run_until_sent()
    assert script.sent[-1][1] == first[1]
    assert script.sent[-1][0] - first[0] < 0.25
    assert script.run(0.05) == [TAG]
    assert len(reader.done) - before <= 3


@pytest.mark.parametrize("every", [2, 3, 7])
def test_every_card_arrives_once_though_replies_are_lost(every: int) -> None:
    script = serving(5)
    reader = script.readers[5]
    count = [0]

    def lossy(reply: bytes) -> bytes | None:
        count[0] += 1
        return None if count[0] % every == 0 else reply

    reader.mangle = lossy
    for number in range(20):
        reader.report(0x50, f"0000200012345{number:03X}")
    signals = script.run(30.0)
    assert len(signals) == 20
    numbers = [tag.number.hex() for tag in tags(script)]
    assert numbers == [f"12345{number:03x}" for number in range(20)]


def test_a_late_reply_is_dropped() -> None:
    script = serving(5, reply_timeout_ms=200)
    reader = script.readers[5]
    late = []

    def delay(reply: bytes) -> None:
        late.append(reply)

    reader.mangle = delay
    script.run_until_sent()
    script.run(0.2)
    reader.mangle = lambda reply: reply
    script.run(0.05)
    assert late
    script.run(0.01)
    assert script.feed(late[0].hex()) == []
    reader.report(0x50, CARD)
    assert script.run(0.2) == [TAG]


@pytest.mark.parametrize("delay_s", [0.05, 0.15, 0.25])
def test_a_slow_reader_is_no_silent_one(
    delay_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the time-out each answer comes to the repeat, and once more, dropped."""
    monkeypatch.setattr("tests.drivers.scripted.ANSWER_S", delay_s)
    script = wire(5)
    script.open()
    assert any(isinstance(s, Reachable) for s in script.run(8.0))
    for number in range(5):
        script.readers[5].report(0x50, f"0000200012345{number:03X}")
    script.run(8.0)
    numbers = [tag.number.hex() for tag in tags(script)]
    assert numbers == [f"12345{number:03x}" for number in range(5)]
    assert len(reaches(script, 5)) == 1


def test_replies_in_pieces() -> None:
    script = serving(5)
    reader = script.readers[5]
    replies: list[bytes] = []
    reader.mangle = replies.append
    reader.report(0x50, CARD)
    script.run_until_sent()
    while replies[-1][7] != 0x50:
        script.feed(replies[-1].hex())
        script.run_until_sent()
    signals: list[Signal] = []
    for byte in replies[-1]:
        script.now += 0.0125
        signals += script.run(0.0)
        signals += script.feed(f"{byte:02X}")
    assert signals == [TAG]


def test_a_torn_reply_is_garbled_and_asked_for_again() -> None:
    script = serving(5)
    torn = [1]

    def tear(reply: bytes) -> bytes:
        torn[0] -= 1
        return reply[:-3] if torn[0] == 0 else reply

    script.readers[5].mangle = tear
    script.readers[5].report(0x50, CARD)
    garbled, tag = script.run(0.4)
    assert isinstance(garbled, Garbled)
    assert garbled.why == "truncated"
    assert tag == TAG


def test_noise_is_reported_at_most_once_a_second() -> None:
    script = serving(5)
    script.readers[5].mangle = lambda reply: reply[:-1] + bytes([reply[-1] ^ 1])
    signals = script.run(20.0)
    assert 1 <= sum(isinstance(s, Garbled) for s in signals) <= 21
    assert sum(isinstance(s, Unreachable) for s in signals) == 1


def test_two_readers_of_one_address_that_talk_at_once() -> None:
    script = serving(5)
    script.readers[5].mangle = lambda reply: bytes(b & 0xF5 for b in reply)
    signals = script.run(10.0)
    conflicts = [s for s in signals if isinstance(s, AddressConflict)]
    assert [conflict.unit for conflict in conflicts] == [5]


def test_noise_between_good_answers_is_no_second_reader() -> None:
    script = serving(5)
    count = [0]

    def noisy(reply: bytes) -> bytes:
        count[0] += 1
        return reply if count[0] % 2 else bytes(b & 0xF5 for b in reply)

    script.readers[5].mangle = noisy
    signals = script.run(20.0)
    assert count[0] > 20
    assert {type(signal) for signal in signals} == {Garbled}


def test_two_readers_of_one_address_that_talk_in_turn() -> None:
    script = wire(5)
    other = wire(5).readers[5]
    other.identity = other.identity[:-1] + b"\x00"
    reader = script.readers[5]
    plain = reader.answer

    def both(frame: bytes) -> bytes | None:
        first, second = plain(frame), other.answer(frame)
        return (first or b"") + (second or b"") or None

    reader.answer = both  # type: ignore[method-assign]
    script.open()
    signals = script.run(1.0)
    assert [type(s) for s in signals].count(AddressConflict) == 1


def test_a_single_reader_is_never_two() -> None:
    script = serving(5)
    reader = script.readers[5]
    reader.mangle = lambda reply: reply + reply
    reader.report(0x50, CARD)
    assert script.run(5.0) == [TAG]


def test_an_adapter_that_echoes_changes_nothing() -> None:
    script = serving(5)
    reader = script.readers[5]
    plain = reader.answer
    reader.answer = lambda frame: b"\xff" + frame + (plain(frame) or b"")  # type: ignore[method-assign]
    reader.report(0x50, CARD)
    assert script.run(3.0) == [TAG]
    reader.is_silent = True
    assert [type(s) for s in script.run(10.0)] == [Unreachable]


def test_the_link_is_lost_and_comes_back() -> None:
    script = serving(1, 2)
    lost = script.device.closed(script.now)
    assert lost == [Unreachable(unit=unit, why="the link was lost") for unit in (1, 2)]
    assert script.device.deadline() is None
    assert script.device.receive(b"\x53", script.now) == []
    assert script.device.closed(script.now) == []
    script.open()
    signals = script.run(1.0)
    assert sum(isinstance(s, Reachable) for s in signals) == 2
    assert sum(isinstance(s, InputChanged) for s in signals) == 4


def test_after_a_standstill_levels_are_told_anew_and_no_channel_is_lost() -> None:
    script = serving(5)
    script.run_until_sent()
    script.now += 30.0
    script._coming.clear()
    script.device.resumed(script.now)
    assert script.run(0.3) == [
        InputChanged(unit=5, channel=1, is_active=False),
        InputChanged(unit=5, channel=2, is_active=False),
    ]
    assert codes(script, 5)[0x77] == 0


def test_what_is_not_pinned_is_remembered_and_told() -> None:
    script = wire(5, uid="")
    script.open()
    (found, *_) = script.run(1.0)
    assert isinstance(found, Reachable)
    assert found.detail.endswith(f"{UID} (not pinned: set it as the option cuid)")
    script.device.closed(script.now)
    script.readers[5].uid = bytes(8)
    script.open()
    tampered, refused = script.run(2.0)
    assert isinstance(tampered, TamperChanged)
    assert tampered.is_tampered
    assert isinstance(refused, Unreachable)
    script.readers[5].uid = bytes.fromhex(UID)
    cleared, back, *_ = script.run(1.5)
    assert isinstance(cleared, TamperChanged)
    assert not cleared.is_tampered
    assert isinstance(back, Reachable)
