# SPDX-License-Identifier: Apache-2.0
"""A reader that says BUSY has heard the question; it is waited for, not for ever."""

from __future__ import annotations

import pytest

from drivers.device import TagRead, Technology, Unreachable
from tests.drivers.osdp_wire import serving

CARD = "0000380004A1B2C3D4E5F6"
TAG = TagRead(
    unit=5,
    technology=Technology.WIEGAND,
    bits=56,
    number=bytes.fromhex("04A1B2C3D4E5F6"),
)


@pytest.mark.parametrize("losses", [1, 2])
def test_a_reader_that_was_busy_may_lose_one_answer(losses: int) -> None:
    """BUSY says that the question was heard; it is no silence."""
    script = serving(5)
    reader = script.readers[5]
    channel = reader.channel
    left = [losses]

    def lose(reply: bytes) -> bytes | None:
        left[0] -= 1
        return None if left[0] >= 0 else reply

    reader.busy = 1
    script.run(0.06)
    assert reader.busy == 0
    reader.mangle = lose
    reader.report(0x50, CARD)
    tags = [s for s in script.run(3.0) if isinstance(s, TagRead)]
    assert (reader.channel is channel) is (losses == 1)
    assert tags == ([TAG] if losses == 1 else [])


def test_busy_is_waited_for_and_then_answered() -> None:
    script = serving(5)
    script.readers[5].busy = 20
    script.readers[5].report(0x50, CARD)
    assert script.run(1.3) == [TAG]
    frames = {frame for at, frame in script.sent if at > script.now - 1.3}
    assert len(frames) < 10


def test_a_reader_that_is_busy_for_ever_is_lost_within_eight_seconds() -> None:
    script = serving(5)
    at = script.now
    script.readers[5].busy = 10_000
    signals = script.run(30.0)
    assert [type(signal) for signal in signals] == [Unreachable]
    assert script.signals[-1][0] - at < 8.0
