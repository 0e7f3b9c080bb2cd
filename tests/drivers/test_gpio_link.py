# SPDX-License-Identifier: Apache-2.0
"""The GPIO link over a recorded libgpiod: what is requested, heard, set and lost."""

from __future__ import annotations

import asyncio
import errno
import time
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.device import (
    InputChanged,
    Pulse,
    Reachable,
    SetOutput,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.gpio.chips import EDGES_KEPT, GpiodChips
from drivers.gpio.lines import GpioLines
from drivers.gpio.link import GpioLink
from drivers.gpio.options import GpioOptions
from drivers.usb_relay import UsbRelay, UsbRelayOptions
from tests.drivers.fake_gpiod import Bias as FakeBias
from tests.drivers.fake_gpiod import Direction, Edge, FakeGpiod, LineSettings, Value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from drivers.device import Device

OPTIONS = GpioOptions(inputs="17 contact, 27 button", outputs="22")
CHIPS = {"/dev/gpiochip0": "brcmvirt-gpio", "/dev/gpiochip4": "pinctrl-rp1"}
#: Longer than anything here takes on a busy machine.
PATIENCE_S = 5.0


class Stage:
    """A link over a fake box, and all that it told."""

    def __init__(self, gpiod: FakeGpiod, port: str = "gpio://pinctrl-rp1") -> None:
        self.gpiod = gpiod
        self.signals: list[Signal] = []
        self.states: list[tuple[bool, str]] = []
        chips = GpiodChips(
            load=lambda: gpiod, device_files=lambda: map(Path, gpiod.chips)
        )
        self.link = GpioLink(
            port,
            GpioLines(options=OPTIONS),
            self.signals.extend,
            now=time.monotonic,
            on_state=lambda is_open, why: self.states.append((is_open, why)),
            request=chips,
        )

    async def until(self, claim: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not claim():  # noqa: ASYNC110  a claim has no event
                await asyncio.sleep(0.002)


@asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[Stage]:
    task = asyncio.create_task(stage.link.run())
    try:
        await stage.until(lambda: bool(stage.states))
        yield stage
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_lines_are_requested_at_the_labelled_chip_with_outputs_at_rest() -> None:
    gpiod = FakeGpiod(CHIPS)
    async with running(Stage(gpiod)):
        [asked] = gpiod.asked
    assert asked["path"] == "/dev/gpiochip4"
    assert asked["consumer"] == "menshen"
    assert asked["event_buffer_size"] == EDGES_KEPT
    assert asked["config"][17] == LineSettings(
        direction=Direction.INPUT,
        edge_detection=Edge.BOTH,
        bias=FakeBias.PULL_UP,
        active_low=True,
        debounce_period=timedelta(milliseconds=30),
    )
    assert asked["config"][27].debounce_period == timedelta(milliseconds=50)
    assert asked["config"][22] == LineSettings(
        direction=Direction.OUTPUT, output_value=Value.INACTIVE
    )


async def test_levels_are_told_at_opening_and_edges_after_their_bounce() -> None:
    gpiod = FakeGpiod(CHIPS)
    gpiod.levels[17] = Value.ACTIVE
    async with running(Stage(gpiod)) as stage:
        assert stage.signals == [
            InputChanged(unit=0, channel=1, is_active=True),
            InputChanged(unit=0, channel=2, is_active=False),
            Reachable(unit=0, detail=""),
        ]
        stage.signals.clear()
        for level in (True, False, True):
            gpiod.requests[0].move(27, is_active=level)
        await stage.until(lambda: bool(stage.signals))
        assert stage.signals == [InputChanged(unit=0, channel=2, is_active=True)]


async def test_a_lost_edge_is_made_good_by_reading_the_line() -> None:
    gpiod = FakeGpiod(CHIPS)
    async with running(Stage(gpiod)) as stage:
        stage.signals.clear()
        line = gpiod.requests[0]
        line.move(17, is_active=True, is_lost=True)
        line.move(17, is_active=False, is_lost=True)
        line.move(17, is_active=True)
        await stage.until(lambda: bool(stage.signals))
        assert stage.signals == [InputChanged(unit=0, channel=1, is_active=True)]


async def test_a_pulse_is_set_at_once_and_ended_by_the_driver() -> None:
    gpiod = FakeGpiod(CHIPS)
    async with running(Stage(gpiod)) as stage:
        [request] = gpiod.requests
        request.set.clear()
        stage.link.order(Pulse(unit=0, channel=1, duration_s=0.05))
        assert request.set == [(22, Value.ACTIVE)]
        await stage.until(lambda: len(request.set) == 2)
        assert request.set[1] == (22, Value.INACTIVE)


async def test_outputs_rest_before_the_lines_are_given_back() -> None:
    gpiod = FakeGpiod(CHIPS)
    async with running(Stage(gpiod)) as stage:
        stage.link.order(SetOutput(unit=0, channel=1, is_on=True))
    [request] = gpiod.requests
    assert request.set[-1] == (22, Value.INACTIVE)
    assert request.is_released
    assert stage.signals[-1] == Unreachable(unit=0, why="the link was lost")
    assert not stage.link.is_open


async def test_a_chip_that_vanishes_is_requested_again() -> None:
    gpiod = FakeGpiod(CHIPS)
    async with running(Stage(gpiod)) as stage:
        gpiod.requests[0].pull_out()
        await stage.until(lambda: len(gpiod.requests) == 2)
        assert gpiod.requests[0].is_released
        assert stage.states == [
            (True, ""),
            (False, "read failed: No such device"),
            (True, ""),
        ]


async def test_a_line_that_cannot_be_set_costs_the_link() -> None:
    gpiod = FakeGpiod(CHIPS)
    async with running(Stage(gpiod)) as stage:
        gpiod.requests[0].is_gone = True
        stage.link.order(SetOutput(unit=0, channel=1, is_on=True))
        assert not stage.link.is_open
        await stage.until(lambda: len(stage.states) > 1)
        assert stage.states[1] == (False, "a line can't be read or set: No such device")


async def test_a_flush_between_the_loops_look_and_the_read_holds_nobody() -> None:
    gpiod = FakeGpiod(CHIPS)
    async with running(Stage(gpiod)) as stage:
        gpiod.requests[0].move(17, is_active=True)
        # Readable at the loop's look, flushed by another port's callback before ours.
        stage.link.flush_input()
        stage.link._readable()
        assert stage.link.is_open


async def test_after_a_stall_old_edges_are_thrown_away_and_levels_read() -> None:
    gpiod = FakeGpiod(CHIPS)
    async with running(Stage(gpiod)) as stage:
        stage.signals.clear()
        gpiod.requests[0].move(17, is_active=True)
        gpiod.requests[0].move(17, is_active=False)
        stage.link.flush_input()
        assert stage.signals == [
            InputChanged(unit=0, channel=1, is_active=False),
            InputChanged(unit=0, channel=2, is_active=False),
        ]
        await asyncio.sleep(0.1)
        assert len(stage.signals) == 2


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (errno.EBUSY, "pinctrl-rp1: a line of it is used by another program"),
        (errno.EACCES, "add the user to the group gpio"),
        (errno.EINVAL, "it has no such lines"),
        (errno.EIO, "pinctrl-rp1: Input/output error"),
    ],
)
async def test_a_refused_request_is_told_in_words(code: int, why: str) -> None:
    gpiod = FakeGpiod(CHIPS)
    gpiod.refusal = OSError(code, {errno.EIO: "Input/output error"}.get(code, "?"))
    async with running(Stage(gpiod)) as stage:
        [(is_open, told)] = stage.states
        assert not is_open
        assert why in told


async def test_an_unknown_label_is_told_with_those_there_are() -> None:
    async with running(Stage(FakeGpiod(CHIPS), "gpio://nowhere")) as stage:
        known = "no chip is labelled nowhere; this box has: brcmvirt-gpio, pinctrl-rp1"
        assert stage.states == [(False, known)]
    async with running(Stage(FakeGpiod({}))) as stage:
        assert stage.states[0][1].endswith("this box has: none")


def test_a_missing_package_is_told_with_the_extra_that_brings_it() -> None:
    def missing() -> object:
        raise ModuleNotFoundError("No module named 'gpiod'", name="gpiod")

    with pytest.raises(OSError, match="install menshen with the extra gpio"):
        GpiodChips(load=missing)("pinctrl-rp1", ())


@pytest.mark.parametrize("port", ["gpio://", "/dev/gpiochip0", "tcp://a:1"])
def test_a_port_names_its_chip(port: str) -> None:
    with pytest.raises(LocalError, match="write gpio://LABEL"):
        Stage(FakeGpiod(CHIPS), port)


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (UsbRelay(options=UsbRelayOptions()), "need the driver gpio_lines"),
        (GpioLines(options=GpioOptions()), "no line is named"),
    ],
)
def test_the_link_serves_the_driver_of_lines_with_lines_alone(
    device: Device, why: str
) -> None:
    told: list[Signal] = []
    with pytest.raises(LocalError, match=why):
        GpioLink(
            "gpio://pinctrl-rp1",
            device,
            told.extend,
            now=time.monotonic,
            on_state=lambda _is_open, _why: None,
        )
