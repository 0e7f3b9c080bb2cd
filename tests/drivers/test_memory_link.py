# SPDX-License-Identifier: Apache-2.0
"""A link in memory behaves as any link does."""

from __future__ import annotations

import time

from drivers.device import OrderFailed, Reachable
from drivers.links.memory_link import MAX_KEPT_BYTES, MemoryLink
from drivers.registry import Unit, build
from tests.drivers.link_site import OPEN, Recorder, Told, running, until
from tests.drivers.modbus_wire import all_off, board


def link_of(told: Told, device: Recorder) -> MemoryLink:
    return MemoryLink(
        "memory",
        device,
        told.signals.extend,
        now=time.monotonic,
        on_state=told.on_state,
    )


async def test_it_opens_is_heard_and_speaks() -> None:
    told, device = Told(), Recorder()
    link = link_of(told, device)
    link.hear(b"before")
    async with running(link):
        await until(lambda: link.is_open)
        link.order(OPEN)
        assert link.take_said() == b"order"
        assert link.take_said() == b""
        link.hear(b"answer")
        assert device.received == b"answer"
        link.flush_input()
    assert device.calls == ["opened", "resumed", "closed"]
    assert not link.is_open


async def test_a_cable_that_was_pulled_is_told_and_found_again() -> None:
    told, device = Told(), Recorder()
    link = link_of(told, device)
    async with running(link):
        await until(lambda: link.is_open)
        link.unplug()
        link.hear(b"lost")
        assert not link.is_open
        await until(lambda: (False, "memory: unplugged") in told.states)
        link.plug()
        await until(lambda: link.is_open)
    assert told.states == [
        (True, ""),
        (False, "unplugged"),
        (False, "memory: unplugged"),
        (True, ""),
    ]
    assert device.received == b""


async def test_what_nobody_takes_is_bounded() -> None:
    told, device = Told(), Recorder()
    link = link_of(told, device)
    async with running(link):
        await until(lambda: link.is_open)
        device.outgoing = b"x" * 2 * MAX_KEPT_BYTES
        link.order(OPEN)
        said = link.take_said()
        assert len(said) == MAX_KEPT_BYTES
        assert said.endswith(b"order")


async def test_a_real_driver_runs_over_it() -> None:
    told = Told()
    link = MemoryLink(
        "memory",
        build("modbus_relay_board", [Unit(address=1)]),
        told.signals.extend,
        now=time.monotonic,
        on_state=told.on_state,
    )
    script = board(1)
    heard: list[str] = []

    def is_reachable() -> bool:
        frame = link.take_said().hex().upper()
        if frame:
            heard.append(frame)
            reply = script[frame]
            assert isinstance(reply, str)
            link.hear(bytes.fromhex(reply))
        return Reachable(unit=1, detail="") in told.signals

    async with running(link):
        await until(is_reachable)
        assert heard[0] == all_off(1)
    assert not any(isinstance(signal, OrderFailed) for signal in told.signals)
