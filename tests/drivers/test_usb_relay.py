# SPDX-License-Identifier: Apache-2.0
"""LCUS relays: off before everything, pulses ended by the driver, gaps kept."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from drivers.device import (
    Cue,
    OpenLock,
    Order,
    OrderFailed,
    Pulse,
    Reachable,
    SetOutput,
    Show,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.usb_relay import MAX_ORDERS, UsbRelay, UsbRelayOptions, frame
from tests.drivers.scripted import ScriptedWire
from tests.drivers.vectors import frames

ON = {1: "A00101A2", 2: "A00201A3"}
OFF = {1: "A00100A1", 2: "A00200A2"}
GAP_S = 0.05
#: The rounding of sums of gaps.
NEARLY_S = 1e-9


def split(data: bytes) -> list[bytes]:
    return [data[at : at + 4] for at in range(0, len(data), 4)]


def wire(channels: int = 2) -> ScriptedWire:
    """A board, opened, switched off and reachable."""
    device = UsbRelay(options=UsbRelayOptions(channels=channels))
    script = ScriptedWire(device, splits=split)
    script.open()
    script.run(1.0)
    script.sent.clear()
    script.signals.clear()
    return script


def pulse(channel: int = 1, duration_s: float = 1.0) -> Pulse:
    return Pulse(unit=0, channel=channel, duration_s=duration_s)


def switch(channel: int, *, is_on: bool) -> SetOutput:
    return SetOutput(unit=0, channel=channel, is_on=is_on)


def refusals(signals: list[Signal]) -> list[tuple[Order, str]]:
    return [(s.order, s.why) for s in signals if isinstance(s, OrderFailed)]


def test_frames_are_the_printed_ones() -> None:
    good = {
        frame(channel, is_on=is_on) for channel in (1, 2, 8) for is_on in (True, False)
    }
    assert good == {vector.frame for vector in frames("lcus") if vector.is_good}
    assert not good & {vector.frame for vector in frames("lcus") if not vector.is_good}


def test_all_is_switched_off_before_the_board_is_called_reachable() -> None:
    script = ScriptedWire(UsbRelay(options=UsbRelayOptions(channels=2)), splits=split)
    script.open()
    assert script.sent == [(0.0, OFF[1])]
    [told] = script.run(0.3)
    assert isinstance(told, Reachable)
    assert [frame for _, frame in script.sent] == [OFF[1], OFF[2], OFF[1], OFF[2]]
    assert script.signals[0][0] == pytest.approx(GAP_S)


def test_an_order_before_all_is_off_waits_for_it() -> None:
    script = ScriptedWire(UsbRelay(options=UsbRelayOptions(channels=2)), splits=split)
    script.open()
    script.order(pulse())
    script.run(0.12)
    assert [frame for _, frame in script.sent] == [OFF[1], OFF[2], ON[1]]


def test_a_pulse_leaves_at_once_and_the_driver_ends_it_in_time() -> None:
    script = wire()
    start = script.now
    script.order(pulse(duration_s=1.0))
    assert script.sent == [(start, ON[1])]
    script.run(3.0)
    offs = [at for at, sent in script.sent if sent == OFF[1]]
    assert offs[0] == pytest.approx(start + 1.0)
    assert offs[1] == pytest.approx(start + 1.0 + GAP_S)
    assert script.signals == []


def test_a_second_pulse_lengthens_and_never_shortens() -> None:
    script = wire()
    start = script.now
    script.order(pulse(duration_s=2.0))
    script.run(0.5)
    script.order(pulse(duration_s=0.3))
    script.run(5.0)
    first_off = next(at for at, sent in script.sent if sent == OFF[1])
    assert first_off == pytest.approx(start + 2.0)


def test_a_steady_output_stays_and_is_said_again() -> None:
    script = wire()
    script.order(pulse(duration_s=1.0))
    script.run(0.2)
    script.order(switch(1, is_on=True))
    script.run(35.0)
    said = [sent for _, sent in script.sent if sent in (ON[1], OFF[1])]
    assert OFF[1] not in said
    assert 6 <= said.count(ON[1]) <= 8
    script.order(switch(1, is_on=False))
    assert script.sent[-1][1] == OFF[1]


def test_an_off_that_is_due_goes_before_the_orders_that_wait() -> None:
    script = wire()
    script.order(pulse(1, 0.11))
    script.run(0.1)
    for _ in range(4):
        script.order(switch(2, is_on=True))
    script.run(0.3)
    sent = [sent for _, sent in script.sent]
    assert sent.index(OFF[1]) < len(sent) - 1 - sent[::-1].index(ON[2])
    off_at = next(at for at, one in script.sent if one == OFF[1])
    assert off_at - script.sent[0][0] <= 0.11 + GAP_S + NEARLY_S


def test_commands_are_a_gap_apart_and_idle_levels_are_said_again() -> None:
    script = wire(8)
    for channel in range(1, 9):
        script.order(pulse(channel, 0.2))
    script.run(30.0)
    gaps = [late - early for (early, _), (late, _) in pairwise(script.sent)]
    assert min(gaps) >= GAP_S - NEARLY_S
    last = [sent for at, sent in script.sent if at > script.now - 10.5]
    assert set(last) == {frame(n, is_on=False).hex().upper() for n in range(1, 9)}


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (pulse(3), "the board has channels 1 to 2"),
        (Pulse(unit=7, channel=1, duration_s=1.0), "no board has this address"),
        (pulse(duration_s=61.0), "lasts up to 60.0 s"),
        (pulse(duration_s=0.0), "lasts up to 60.0 s"),
        (pulse(duration_s=float("nan")), "lasts up to 60.0 s"),
        (OpenLock(unit=0, channel=1), "outputs, not locks"),
    ],
)
def test_what_the_board_cannot_do_is_refused(order: Order, why: str) -> None:
    script = wire()
    script.order(order)
    [(failed, told)] = refusals(script.run(0.01))
    assert failed == order
    assert why in told
    assert script.sent == []


def test_a_cue_is_dropped_in_silence() -> None:
    script = wire()
    script.order(Show(unit=0, cue=Cue.GRANTED))
    assert script.run(0.1) == []


def test_orders_are_bounded_and_old_ones_are_dropped() -> None:
    script = wire()
    script.order(switch(2, is_on=True))  # the line is busy for a gap
    for _ in range(MAX_ORDERS + 1):
        script.order(pulse())
    [(_, why)] = refusals(script.device.tick(script.now))
    assert why == "too many orders wait"
    before = len(script.sent)
    stale = script.device.tick(script.now + 2.0)
    assert {why for _, why in refusals(stale)} == {"the order grew too old"}
    assert len(refusals(stale)) == MAX_ORDERS
    assert len(script.sent) == before


def test_closing_tells_what_is_on_to_go_off_and_fails_what_waits() -> None:
    script = wire()
    script.order(pulse(1, 5.0))
    script.order(pulse(2, 5.0))
    signals = script.device.closed(script.now)
    assert script.device.take_outgoing().hex().upper() == OFF[1]
    assert refusals(signals) == [(pulse(2, 5.0), "the link was lost")]
    assert signals[-1] == Unreachable(unit=0, why="the link was lost")
    assert script.device.deadline() is None
    assert script.device.closed(script.now) == []
    assert script.device.take_outgoing() == b""
    script.order(pulse())
    assert refusals(script.device.tick(script.now)) == [
        (pulse(), "the board is unreachable")
    ]


def test_opening_again_switches_off_and_forgets_the_pulse() -> None:
    script = wire()
    script.order(pulse(1, 5.0))
    script.device.closed(script.now)
    script.now += 1.0
    script.sent.clear()
    script.open()
    script.run(9.0)
    assert {sent for _, sent in script.sent} == {OFF[1], OFF[2]}


def test_after_a_stall_an_overrun_pulse_ends_and_waiting_orders_fail() -> None:
    script = wire()
    script.order(pulse(1, 1.0))
    script.order(pulse(2, 1.0))
    script.now += 60.0
    script.device.resumed(script.now)
    script.sent.clear()
    assert refusals(script.run(0.01)) == [(pulse(2, 1.0), "the process stood still")]
    assert [sent for _, sent in script.sent] == [OFF[1]]
    script.run(0.2)
    assert ON[2] not in [sent for _, sent in script.sent]


def fuzz(seed: int, frames_heard: int) -> None:
    """Feed all that boards are said to answer, and noise; orders go out as ever."""
    chance = random.Random(seed)
    script = wire()
    for _ in range(frames_heard):
        status = chance.choice((b"\x00\x01", b"CH1: ON\r\n", b"\xff", b"\xa0\x01"))
        data = status + chance.randbytes(chance.randrange(6))
        assert script.device.receive(data, script.now) == []
    script.order(pulse())
    assert script.sent[-1][1] == ON[1]


@pytest.mark.parametrize("seed", [11, 12])
def test_whatever_comes_back_is_tolerated(seed: int) -> None:
    fuzz(seed, 50_000)


@pytest.mark.parametrize(
    ("options", "why"),
    [({"channels": 3}, "1, 2, 4 or 8"), ({"command_gap_s": 0.01}, "0.05 to 0.5")],
)
def test_options_have_ranges(options: dict[str, float], why: str) -> None:
    with pytest.raises(LocalError, match=why):
        UsbRelayOptions(**options)  # type: ignore[arg-type]
