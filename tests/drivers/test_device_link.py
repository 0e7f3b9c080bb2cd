# SPDX-License-Identifier: Apache-2.0
"""A fault costs its port and nothing else, and a device may say its last."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from drivers.device import Pulse, Reachable
from drivers.links.memory_link import MemoryLink
from drivers.links.serial_link import SerialLink
from drivers.registry import Unit, build
from tests.drivers.link_site import OPEN, Recorder, Told, running, until
from tests.drivers.pty_port import PtyPort

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.device import Signal


class Breaking(Recorder):
    """A device whose one verb fails once."""

    def __init__(self, verb: str) -> None:
        super().__init__()
        self.verb = verb
        sound = getattr(self, verb)

        def broken(*words: object) -> object:
            setattr(self, verb, sound)
            raise RuntimeError("a slip")

        setattr(self, verb, broken)


@pytest.mark.parametrize(
    "verb", ["opened", "resumed", "order", "tick", "deadline", "take_outgoing"]
)
async def test_a_fault_in_any_verb_costs_the_port_alone(verb: str) -> None:
    told, device = Told(), Breaking(verb)
    link = MemoryLink(
        "memory",
        device,
        told.signals.extend,
        now=time.monotonic,
        on_state=told.on_state,
    )
    async with running(link):
        await until(lambda: (True, "") in told.states)
        device.due_at = time.monotonic()
        link.order(OPEN)
        link.flush_input()
        await until(lambda: len(told.states) > 1)
        [_, (is_open, why), *_] = told.states
        assert not is_open
        assert why.startswith("driver fault: RuntimeError at ")
        await until(lambda: link.is_open)


async def test_a_fault_in_closing_closes_all_the_same() -> None:
    told, device = Told(), Breaking("closed")
    link = MemoryLink(
        "memory",
        device,
        told.signals.extend,
        now=time.monotonic,
        on_state=told.on_state,
    )
    async with running(link):
        await until(lambda: link.is_open)
    assert not link.is_open


async def test_a_listener_that_fails_does_not_silence_the_device() -> None:
    told, device = Told(), Recorder()
    heard: list[Signal] = []

    def listen(signals: list[Signal]) -> None:
        heard.extend(signals)
        if len(heard) == 1:
            raise RuntimeError("the house slipped")

    link = MemoryLink(
        "memory", device, listen, now=time.monotonic, on_state=told.on_state
    )
    async with running(link):
        await until(lambda: link.is_open)
        device.outgoing = b"said all the same"
        with pytest.raises(RuntimeError, match="the house slipped"):
            link.hear(b"x")
        assert link.take_said() == b"said all the same"
        link.hear(b"y")
        assert len(heard) == 2


async def test_an_untimed_relay_is_off_after_an_orderly_stop(tmp_path: Path) -> None:
    """Whose pulse nobody would end: the last frame leaves before the port closes."""
    port = PtyPort(tmp_path / "relay")
    port.plug()
    told = Told()
    link = SerialLink(
        str(tmp_path / "relay"),
        9600,
        build("usb_relay_lcus", [Unit(address=0)]),
        told.signals.extend,
        now=time.monotonic,
        on_state=told.on_state,
    )
    said = bytearray()

    def is_on() -> bool:
        said.extend(port.read())
        return b"\xa0\x01\x01\xa2" in said

    async with running(link):
        await until(lambda: any(isinstance(s, Reachable) for s in told.signals))
        link.order(Pulse(unit=0, channel=1, duration_s=5.0))
        await until(is_on)
        said.clear()
    assert b"\xa0\x01\x00\xa1" in said + port.read()
    port.unplug()
