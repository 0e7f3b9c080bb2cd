# SPDX-License-Identifier: Apache-2.0
"""GPIO lines: bounces, lost edges, pulses ended in time, and hostile records."""

from __future__ import annotations

import random

import pytest

from drivers.device import (
    Cue,
    Garbled,
    InputChanged,
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
from drivers.gpio.lines import GpioLines
from drivers.gpio.options import Bias, GpioLine, GpioOptions
from drivers.gpio.wire import Wish, edge, level_read, wishes

CONTACT, BUTTON, STRIKE, LAMP = 17, 27, 22, 23
OPTIONS = GpioOptions(inputs="17 contact, 27 button", outputs="22, 23")
REACHABLE = Reachable(unit=0, detail="")
#: The rounding of sums of milliseconds.
NEARLY_S = 1e-9


def told(channel: int, *, is_active: bool) -> InputChanged:
    return InputChanged(unit=0, channel=channel, is_active=is_active)


class Chip:
    """A chip that is asked and answers at once, on a clock of its own."""

    def __init__(self, options: GpioOptions = OPTIONS) -> None:
        self.device = GpioLines(options=options)
        self.now = 0.0
        self.levels = {CONTACT: False, BUTTON: False, STRIKE: False, LAMP: False}
        self.set: list[tuple[float, int, bool]] = []
        self.read: list[int] = []
        self.sequence = {CONTACT: 0, BUTTON: 0}

    def open(self) -> list[Signal]:
        self.device.opened(self.now)
        return self.settle()

    def move(self, offset: int, *, is_active: bool, lost: int = 0) -> list[Signal]:
        """Let a line move, with edges before it that nobody heard of."""
        self.levels[offset] = is_active
        self.sequence[offset] += 1 + lost
        record = edge(offset, self.sequence[offset], is_active=is_active)
        signals = self.device.receive(record, self.now)
        return signals + self.settle()

    def run(self, seconds: float) -> list[Signal]:
        end = self.now + seconds
        signals: list[Signal] = []
        for _ in range(1_000):
            at = self.device.deadline()
            if at is None or at > end:
                break
            self.now = max(self.now, at)
            signals += self.device.tick(self.now) + self.settle()
        else:
            raise AssertionError("the driver never stops asking for ticks")
        self.now = end
        return signals

    def order(self, order: Order) -> None:
        self.device.order(order, self.now)
        self.settle()

    def settle(self) -> list[Signal]:
        """Do what the driver wants; answer what it asks."""
        signals: list[Signal] = []
        while outgoing := self.device.take_outgoing():
            for kind, offset in wishes(outgoing):
                if kind is Wish.READ:
                    self.read.append(offset)
                    record = level_read(offset, is_active=self.levels[offset])
                    signals += self.device.receive(record, self.now)
                else:
                    self.levels[offset] = kind is Wish.SET_ACTIVE
                    self.set.append((self.now, offset, kind is Wish.SET_ACTIVE))
        return signals


def opened(options: GpioOptions = OPTIONS) -> Chip:
    chip = Chip(options)
    chip.open()
    chip.set.clear()
    chip.read.clear()
    return chip


def refusals(signals: list[Signal]) -> list[str]:
    return [signal.why for signal in signals if isinstance(signal, OrderFailed)]


# -- opening ---------------------------------------------------------------------------


def test_outputs_rest_and_every_level_is_told_at_opening() -> None:
    chip = Chip()
    chip.levels |= {CONTACT: True, STRIKE: True}
    assert chip.open() == [
        told(1, is_active=True),
        told(2, is_active=False),
        REACHABLE,
    ]
    assert chip.set == [(0.0, STRIKE, False), (0.0, LAMP, False)]
    assert chip.run(60.0) == []


def test_a_chip_of_outputs_alone_is_reachable_at_once() -> None:
    chip = Chip(GpioOptions(outputs="22"))
    chip.open()
    assert chip.run(0.0) == [REACHABLE]


def test_closing_puts_outputs_to_rest_and_opening_reads_anew() -> None:
    chip = opened()
    chip.order(SetOutput(unit=0, channel=1, is_on=True))
    gone = [Unreachable(unit=0, why="the link was lost")]
    assert chip.device.closed(chip.now) == gone
    assert list(wishes(chip.device.take_outgoing())) == [
        (Wish.SET_INACTIVE, STRIKE),
        (Wish.SET_INACTIVE, LAMP),
    ]
    assert chip.device.deadline() is None
    assert chip.device.closed(chip.now) == []
    chip.sequence = {CONTACT: 0, BUTTON: 0}
    chip.levels[BUTTON] = True
    assert told(2, is_active=True) in chip.open()
    assert chip.run(9.0) == []


def test_after_a_stall_all_levels_are_told_anew_and_outputs_stay() -> None:
    chip = opened()
    chip.order(SetOutput(unit=0, channel=1, is_on=True))
    chip.set.clear()
    chip.device.resumed(chip.now)
    assert chip.settle() == [told(1, is_active=False), told(2, is_active=False)]
    assert chip.set == []


# -- bounce ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "channel", "wait_s"), [(17, 1, 0.03), (27, 2, 0.05)]
)
def test_a_level_is_told_when_it_stood_still(
    offset: int, channel: int, wait_s: float
) -> None:
    chip = opened()
    assert chip.move(offset, is_active=True) == []
    assert chip.run(wait_s - 0.001) == []
    assert chip.run(0.002) == [told(channel, is_active=True)]


def test_a_train_of_bounces_is_told_once() -> None:
    chip = opened()
    for step in range(9):
        assert chip.move(CONTACT, is_active=step % 2 == 0) == []
        assert chip.run(0.005) == []
    assert chip.run(1.0) == [told(1, is_active=True)]


def test_a_spike_is_told_never() -> None:
    chip = opened()
    chip.move(BUTTON, is_active=True)
    chip.run(0.02)
    chip.move(BUTTON, is_active=False)
    assert chip.run(9.0) == []
    assert chip.read == []


def test_a_contact_that_chatters_for_ever_is_heard_at_a_bounded_rate() -> None:
    chip = opened()
    signals: list[Signal] = []
    for step in range(2_000):
        signals += chip.move(CONTACT, is_active=step % 3 == 0)
        signals += chip.run(0.001)
    assert 5 <= len(signals) <= 2.0 / 0.12 + 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_train_the_level_told_is_the_true_one(seed: int) -> None:
    chance = random.Random(seed)
    chip = opened()
    last = False
    for _ in range(300):
        for _ in range(chance.randrange(1, 12)):
            level = chance.random() < 0.5
            lost = chance.choice((0, 0, 0, 2))
            for signal in [
                *chip.move(CONTACT, is_active=level, lost=lost),
                *chip.run(chance.uniform(0, 0.04)),
            ]:
                assert isinstance(signal, InputChanged)
                assert signal.is_active is not last
                last = signal.is_active
        for signal in chip.run(0.2):
            assert isinstance(signal, InputChanged)
            last = signal.is_active
        assert last is chip.levels[CONTACT]


def test_a_stuck_contact_says_nothing_and_harms_nobody() -> None:
    chip = opened()
    assert chip.run(86_400.0) == []
    chip.move(BUTTON, is_active=True)
    assert chip.run(0.1) == [told(2, is_active=True)]


# -- lost edges ------------------------------------------------------------------------


def test_after_lost_edges_the_level_is_read_anew() -> None:
    chip = opened()
    chip.levels[CONTACT] = False
    chip.sequence[CONTACT] += 3
    # The kernel's fourth edge says active; by now the line is inactive again.
    record = edge(CONTACT, chip.sequence[CONTACT], is_active=True)
    assert chip.device.receive(record, chip.now) == []
    assert chip.settle() == []
    assert chip.read == [CONTACT]
    assert chip.run(9.0) == []
    chip.move(CONTACT, is_active=True)
    assert chip.run(0.1) == [told(1, is_active=True)]
    assert chip.read == [CONTACT]


def test_many_gaps_in_one_batch_ask_once() -> None:
    chip = opened()
    batch = b"".join(edge(CONTACT, number, is_active=True) for number in (5, 9, 14))
    chip.device.receive(batch, chip.now)
    chip.settle()
    assert chip.read == [CONTACT]


def test_sequence_numbers_wrap_without_a_gap() -> None:
    chip = opened()
    chip.device.receive(edge(CONTACT, 0xFFFF_FFFF, is_active=True), chip.now)
    chip.settle()
    chip.read.clear()
    chip.device.receive(edge(CONTACT, 0, is_active=True), chip.now)
    chip.settle()
    assert chip.read == []


# -- orders ----------------------------------------------------------------------------


def test_a_pulse_is_on_at_once_and_off_in_time() -> None:
    chip = opened()
    chip.order(Pulse(unit=0, channel=2, duration_s=1.5))
    assert chip.run(9.0) == []
    assert [(offset, is_on) for _, offset, is_on in chip.set] == [
        (LAMP, True),
        (LAMP, False),
    ]
    assert [at for at, _, _ in chip.set] == pytest.approx([0.0, 1.5])


def test_a_short_pulse_does_not_cut_a_long_one_and_steady_is_steady() -> None:
    chip = opened()
    chip.order(Pulse(unit=0, channel=1, duration_s=2.0))
    chip.order(Pulse(unit=0, channel=1, duration_s=0.2))
    chip.run(1.9)
    assert chip.levels[STRIKE]
    chip.order(SetOutput(unit=0, channel=1, is_on=True))
    chip.run(60.0)
    assert chip.levels[STRIKE]
    chip.order(SetOutput(unit=0, channel=1, is_on=False))
    assert not chip.levels[STRIKE]


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (Pulse(unit=0, channel=3, duration_s=1.0), "the chip has outputs 1 to 2"),
        (Pulse(unit=4, channel=1, duration_s=1.0), "no chip has this address"),
        (Pulse(unit=0, channel=1, duration_s=60.5), "lasts up to 60.0 s"),
        (Pulse(unit=0, channel=1, duration_s=-1.0), "lasts up to 60.0 s"),
        (OpenLock(unit=0, channel=1), "lines are outputs, not locks"),
    ],
)
def test_what_lines_cannot_do_is_refused(order: Order, why: str) -> None:
    chip = opened()
    chip.order(order)
    [told_why] = refusals(chip.run(0.0))
    assert why in told_why
    assert chip.set == []


def test_closed_lines_take_no_order_and_a_cue_is_dropped_in_silence() -> None:
    chip = opened()
    chip.order(Show(unit=0, cue=Cue.DENIED))
    assert chip.run(0.1) == []
    chip.device.closed(chip.now)
    chip.device.take_outgoing()
    chip.order(SetOutput(unit=0, channel=1, is_on=True))
    assert refusals(chip.run(0.0)) == ["the chip is unreachable"]


# -- records and options ---------------------------------------------------------------


def fuzz(seed: int, records: int) -> None:
    """Feed hostile records; afterwards the levels told are the true ones."""
    chance = random.Random(seed)
    chip = opened()
    good = [edge(n, s, is_active=bool(s & 1)) for n in (17, 27, 5) for s in range(4)]
    good += [level_read(n, is_active=True) for n in (17, 27, 99)]
    for _ in range(records):
        record = bytearray(chance.choice(good))
        if chance.random() < 0.5:
            record[chance.randrange(len(record))] ^= 1 << chance.randrange(8)
        cut = chance.choice((len(record), chance.randrange(len(record) + 1)))
        chip.device.receive(bytes(record[:cut]), chip.now)
        assert chip.device.buffered_bytes < len(record)
        chip.now += chance.choice((0.0, 0.0, 0.01, 0.2))
        if chance.random() < 0.1:
            chip.device.tick(chip.now)
            chip.device.take_outgoing()
    chip.device.resumed(chip.now)
    assert [s for s in chip.settle() if isinstance(s, InputChanged)] == [
        told(1, is_active=False),
        told(2, is_active=False),
    ]
    assert not [s for s in chip.run(9.0) if isinstance(s, InputChanged)]


@pytest.mark.parametrize("seed", [21, 22])
def test_a_hundred_thousand_hostile_records(seed: int) -> None:
    fuzz(seed, 50_000)


def test_records_of_foreign_lines_are_garbled_once_a_second() -> None:
    chip = opened()
    foreign = edge(5, 1, is_active=True)
    [garbled] = chip.device.receive(foreign * 50 + b"\x09" * 8, 0.0)
    assert garbled == Garbled(unit=0, raw=foreign, why="no record of a line of ours")
    assert len(chip.device.receive(foreign, 1.1)) == 1


def test_lines_are_what_the_options_say() -> None:
    contact, button, strike, _ = GpioLines(options=OPTIONS).lines
    assert contact == GpioLine(
        offset=17,
        is_output=False,
        is_active_low=True,
        bias=Bias.PULL_UP,
        debounce_s=0.03,
    )
    assert (button.offset, button.debounce_s) == (27, 0.05)
    assert strike == GpioLine(offset=22, is_output=True, is_active_low=False)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"inputs": "17"}, "'17' is no line; write 17 contact"),
        ({"inputs": "17 door"}, "is no line"),
        ({"outputs": "x"}, "'x' is no line; write 22, 23"),
        ({"outputs": "70000"}, "must be 0 to 65535"),
        ({"inputs": "17 contact", "outputs": "17"}, "stands twice"),
        ({"outputs": ",".join(map(str, range(65)))}, "not 65"),
        ({"outputs": "1", "bias": "up"}, "pull_up, pull_down, none"),
        ({"outputs": "1", "button_debounce_s": 1.0}, "0.0 to 0.5"),
    ],
)
def test_options_say_what_fits(options: dict[str, str], why: str) -> None:
    with pytest.raises(LocalError, match=why):
        GpioOptions(**options)  # type: ignore[arg-type]
