# SPDX-License-Identifier: Apache-2.0
"""What a simulated serial line does to bytes."""

from __future__ import annotations

import pytest

from firmware_sim.wire import WireTime, garbled


def test_bytes_arrive_when_their_last_bit_has() -> None:
    line = WireTime()
    line.put(bytes(20), 5.0, 9_600)
    first, last = 5.0 + 160 / 9_600, 5.0 + 200 / 9_600
    assert line.deadline() == pytest.approx(first)
    assert line.take(first - 1e-6) == b""
    assert len(line.take(first + 1e-9)) == 16
    assert len(line.take(last + 1e-9)) == 4
    assert line.deadline() is None


def test_a_full_identity_card_takes_112_ms_at_115200_baud() -> None:
    line = WireTime()
    line.put(bytes(1_295), 0.0, 115_200)
    assert len(line.take(0.1124)) == 1_295 - 15
    assert len(line.take(0.1125)) == 15


def test_what_is_sent_later_queues_behind() -> None:
    line = WireTime()
    line.put(b"A" * 16, 0.0, 9_600)
    line.put(b"B", 0.0, 9_600)
    assert line.take(169 / 9_600) == b"A" * 16
    assert line.take(171 / 9_600) == b"B"


def test_a_pulled_cable_loses_what_is_on_its_way() -> None:
    line = WireTime()
    line.put(b"A", 0.0, 9_600)
    line.clear()
    assert line.take(9.0) == b""


@pytest.mark.parametrize("heard_at", [4_800, 19_200, 57_600, 115_200])
def test_at_a_wrong_rate_bytes_turn_into_others(heard_at: int) -> None:
    frame = bytes.fromhex("01050000FF008C3A")
    heard = garbled(frame, sent_at=9_600, heard_at=heard_at)
    assert heard
    assert frame not in heard
    assert heard == garbled(frame, sent_at=9_600, heard_at=heard_at)


def test_at_the_right_rate_bytes_stay_what_they_are() -> None:
    assert garbled(b"door", sent_at=9_600, heard_at=9_600) == b"door"


@pytest.mark.parametrize(("sent_at", "heard_at"), [(0, 9_600), (9_600, 0)])
def test_a_line_that_was_hung_up_carries_nothing(sent_at: int, heard_at: int) -> None:
    assert garbled(b"door", sent_at=sent_at, heard_at=heard_at) == b""


def test_garbling_ends_however_far_apart_the_rates_are() -> None:
    assert len(garbled(b"door", sent_at=300, heard_at=4_000_000)) <= 40
    assert len(garbled(b"door", sent_at=4_000_000, heard_at=300)) == 1
