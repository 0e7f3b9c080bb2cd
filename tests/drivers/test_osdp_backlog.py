# SPDX-License-Identifier: Apache-2.0
"""What was shown while nobody asked opens nothing afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.device import Garbled, PinEntered, Reachable, Signal, TagRead
from drivers.osdp.backlog import MOST_AGE_S, MOST_WAITING, Backlog
from drivers.osdp.messages import ACK, ASK_INPUTS, POLL, CardData, InputLevels
from tests.drivers.osdp_wire import OsdpWire, serving

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = "0000380004A1B2C3D4E5F6"
NEW = "00003800040102030405F6"
CARD = CardData(has_parity=False, bits=56, number=bytes.fromhex(NEW[8:]))


def shown(signals: list[Signal]) -> list[str]:
    """What could open a door, in hex."""
    found = []
    for signal in signals:
        match signal:
            case TagRead(number=number):
                found.append(number.hex())
            case PinEntered(secret=secret):
                found.append(bytes(secret.take()).hex())
    return found


def cable_out(script: OsdpWire) -> None:
    script.device.closed(script.now)
    script._coming.clear()
    script.now += 60.0


def cable_in(script: OsdpWire) -> None:
    script.open()


def stand_still(script: OsdpWire) -> None:
    script.now += 6.0
    script._coming.clear()


def go_on(script: OsdpWire) -> None:
    script.device.resumed(script.now)
    script._write()


def silence(script: OsdpWire) -> None:
    script.readers[5].is_silent = True
    script.run(10.0)


def end_silence(script: OsdpWire) -> None:
    script.readers[5].is_silent = False


def reset(script: OsdpWire) -> None:
    script.readers[5].forget()


def nothing(_: OsdpWire) -> None:
    """What was begun ends by itself."""


def long_busy(script: OsdpWire) -> None:
    script.readers[5].busy = 60
    script.run(1.0)


GAPS = pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (cable_out, cable_in),
        (stand_still, go_on),
        (silence, end_silence),
        (reset, nothing),
        (long_busy, nothing),
    ],
)


@GAPS
@pytest.mark.parametrize("cards", [1, 5])
def test_a_card_of_a_gap_opens_nothing_and_the_next_one_does(
    begins: Callable[[OsdpWire], None], ends: Callable[[OsdpWire], None], cards: int
) -> None:
    script = serving(5)
    begins(script)
    for _ in range(cards):
        script.readers[5].report(0x50, OLD)
    ends(script)
    signals = script.run(4.0)
    assert shown(signals) == []
    whys = [signal.why for signal in signals if isinstance(signal, Garbled)]
    # Once a second at most, and not a word of whose card it was.
    assert whys == ["shown while nobody asked"]
    assert not [s.raw for s in signals if isinstance(s, Garbled) and s.raw]
    assert not script.readers[5].reports
    script.readers[5].report(0x50, NEW)
    assert shown(script.run(0.1)) == [NEW[8:].lower()]


@GAPS
def test_a_card_behind_a_level_is_as_old(
    begins: Callable[[OsdpWire], None], ends: Callable[[OsdpWire], None]
) -> None:
    script = serving(5)
    begins(script)
    for code, digits in ((0x49, "0100"), (0x48, "0000"), (0x50, OLD)):
        script.readers[5].report(code, digits)
    ends(script)
    assert shown(script.run(4.0)) == []


@GAPS
@pytest.mark.parametrize(
    ("before", "during", "after"),
    [("", "1234#", ""), ("12", "", "34#"), ("12", "3", "4#"), ("", "12", "34#")],
)
def test_a_number_of_which_a_part_is_old_is_none(
    begins: Callable[[OsdpWire], None],
    ends: Callable[[OsdpWire], None],
    before: str,
    during: str,
    after: str,
) -> None:
    script = serving(5)
    _type(script, before)
    script.run(0.1)
    begins(script)
    _type(script, during)
    ends(script)
    script.run(1.4)
    _type(script, after)
    script.run(4.0)
    _type(script, "77#")
    script.run(0.1)
    told = shown([signal for _, signal in script.signals])
    # Who goes on after a minute begins a number, and it is a wrong one.
    is_forgotten = begins in (cable_out, stand_still, silence) and before and not during
    rest = [after[:-1].encode().hex()] if is_forgotten else []
    assert told == [*rest, b"77".hex()]


def _type(script: OsdpWire, keys: str) -> None:
    if keys:
        script.readers[5].report(0x53, f"00{len(keys):02X}{keys.encode().hex()}")


def test_the_answer_to_a_poll_of_before_a_standstill_is_old() -> None:
    """It was lost; the repeat brings it again, however late."""
    script = serving(5)
    script.readers[5].report(0x50, OLD)
    lost: list[bytes] = []
    script.readers[5].mangle = lost.append
    while not lost:
        script.run_until_sent()
    script.readers[5].mangle = lambda reply: reply
    stand_still(script)
    go_on(script)
    at = script.now
    assert shown(script.run(1.0)) == []
    assert lost[0][7] == 0x50
    assert script.sent_since(at)[0] == script.sent[-len(script.sent_since(at)) - 1][1]


def test_a_reader_that_is_told_reachable_is_polled_empty_already() -> None:
    script = serving(5)
    silence(script)
    script.readers[5].forget()
    end_silence(script)
    while not isinstance(script.signals[-1][1], Reachable):
        script._step()
        at = script._next_at()
        assert at is not None
        script.now = at
    script.readers[5].report(0x50, NEW)
    assert shown(script.run(0.1)) == [NEW[8:].lower()]


def test_what_is_old_is_fetched_without_a_pause() -> None:
    script = serving(5)
    cable_out(script)
    for _ in range(20):
        script.readers[5].report(0x50, OLD)
    cable_in(script)
    script.run(0.2)
    assert not script.readers[5].reports
    script.readers[5].report(0x50, NEW)
    assert shown(script.run(0.06)) == [NEW[8:].lower()]


def test_a_reader_that_never_ends_is_asked_at_its_usual_beat() -> None:
    script = serving(5)
    cable_out(script)
    for _ in range(200):
        script.readers[5].report(0x50, OLD)
    cable_in(script)
    assert shown(script.run(1.0)) == []
    at = script.now
    assert shown(script.run(1.0)) == []
    assert 0 < len(script.readers[5].reports) < 200 - MOST_WAITING
    assert len(script.sent_since(at)) <= 40


def polled(*moments: float) -> Backlog:
    """A backlog behind polls that brought nothing."""
    backlog = Backlog()
    for moment in moments:
        backlog.asked(POLL)
        backlog.answered(ACK, moment)
    return backlog


def test_only_a_poll_that_was_first_asked_later_empties_it() -> None:
    backlog = Backlog()
    assert backlog.is_possible
    backlog.asked(ASK_INPUTS)
    backlog.answered(ACK, 10.0)
    assert backlog.is_possible
    for reply in (CARD, InputLevels((True,))):
        backlog.asked(POLL)
        backlog.answered(reply, 10.0)
        assert backlog.is_possible
    backlog.asked(POLL)
    backlog.begin()
    backlog.answered(ACK, 10.0)
    assert backlog.is_possible
    backlog.asked(POLL)
    backlog.answered(ACK, 10.0)
    assert not backlog.is_possible


@pytest.mark.parametrize(
    ("later_s", "is_possible"), [(0.05, False), (MOST_AGE_S, False), (2.01, True)]
)
def test_a_card_may_wait_no_longer_than_a_scan_counts(
    later_s: float, *, is_possible: bool
) -> None:
    backlog = polled(8.0)
    backlog.asked(POLL)
    backlog.answered(CARD, 8.0 + later_s)
    assert backlog.is_possible is is_possible
