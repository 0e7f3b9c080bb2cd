# SPDX-License-Identifier: Apache-2.0
"""The serial link on pseudo-terminals: open, lost, open again, and never late."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.device import (
    CodeRead,
    Garbled,
    OrderFailed,
    Reachable,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.links.serial_link import SerialLink
from drivers.links.stream_link import MAX_UNSENT_BYTES
from drivers.registry import Unit, build
from tests.drivers.link_site import OPEN, Recorder, Site, until
from tests.drivers.modbus_wire import all_off, board, pulse
from tests.drivers.pty_port import PtyPort

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyPort]:
    found = PtyPort(tmp_path / "port")
    found.plug()
    yield found
    found.unplug()


async def test_it_opens_and_hands_bytes_on_both_ways(port: PtyPort) -> None:
    device = Recorder()
    device.outgoing = b"hello"
    site = Site(port, device)
    async with site.running():
        await until(lambda: site.link.is_open)
        assert site.states == [(True, "")]
        assert device.calls == ["opened"]
        assert port.read() == b"hello"
        port.write(b"\x00\r\n\x11\x13\x7f\xff")
        await until(lambda: len(device.received) == 7)
        assert device.received == b"\x00\r\n\x11\x13\x7f\xff"
        assert len(site.signals) >= 1
    assert not site.link.is_open
    assert device.calls == ["opened", "closed"]
    assert site.signals[-1] == Unreachable(unit=0, why="closed")


async def test_an_order_is_written_before_the_call_returns(port: PtyPort) -> None:
    site = Site(port, Recorder())
    async with site.running():
        await until(lambda: site.link.is_open)
        site.link.order(OPEN)
        assert port.read() == b"order"


async def test_signals_come_out_of_the_same_callback(port: PtyPort) -> None:
    device = Recorder()
    site = Site(port, device)
    async with site.running():
        await until(lambda: site.link.is_open)
        device.outgoing = b"answer"
        site.link.data_received(b"question")
        assert site.signals == [Garbled(unit=0, raw=b"question", why="recorded")]
        assert port.read() == b"answer"


async def test_what_waited_before_the_opening_is_thrown_away(port: PtyPort) -> None:
    device = Recorder()
    port.write(b"old")
    site = Site(port, device)
    async with site.running():
        await until(lambda: site.link.is_open)
        port.write(b"new")
        await until(lambda: device.received)
        assert device.received == b"new"


async def test_a_lost_port_is_opened_again_through_its_link(port: PtyPort) -> None:
    device = Recorder()
    site = Site(port, device)
    async with site.running():
        for opened in range(1, 4):
            await until(lambda: site.link.is_open)
            assert device.calls.count("opened") == opened
            port.unplug()
            await until(lambda: not site.link.is_open)
            await until(lambda: device.calls[-1] == "closed")
            port.plug()
        await until(lambda: site.link.is_open)
        port.write(b"again")
        await until(lambda: device.received == b"again")
    assert [is_open for is_open, _ in site.states][:3] == [True, False, True]
    assert all(why for is_open, why in site.states if not is_open)


async def test_a_missing_port_is_told_once_and_found_when_it_comes(
    port: PtyPort,
) -> None:
    port.unplug()
    site = Site(port, Recorder())
    async with site.running():
        await asyncio.sleep(0.5)
        [(is_open, why)] = site.states
        assert not is_open
        assert "No such file" in why
        port.plug()
        await until(lambda: site.link.is_open)
        assert site.states[-1] == (True, "")


async def test_what_is_no_terminal_is_refused_without_an_end(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "port")
    port.path.write_text("no terminal")
    site = Site(port, Recorder())
    async with site.running():
        await until(lambda: site.states)
        assert not site.states[0][0]
        assert not site.link.is_open


async def test_a_port_has_one_owner(port: PtyPort) -> None:
    first, second = Site(port, Recorder()), Site(port, Recorder())
    async with first.running():
        await until(lambda: first.link.is_open)
        async with second.running():
            await until(lambda: second.states)
            assert not second.link.is_open
            assert first.link.is_open


async def test_the_deadline_is_kept(port: PtyPort) -> None:
    device = Recorder()
    start = time.monotonic()
    device.due_at = start + 0.05
    site = Site(port, device)
    async with site.running():
        await until(lambda: "tick" in device.calls)
        assert 0.05 <= time.monotonic() - start < 1.0
        # A nearer deadline replaces a farther one.
        device.due_at = time.monotonic() + 60
        site.link.data_received(b"x")
        device.due_at = time.monotonic() + 0.01
        site.link.data_received(b"x")
        await until(lambda: device.calls.count("tick") == 2)


async def test_flushing_drops_what_waits_and_the_half_of_a_frame(
    port: PtyPort,
) -> None:
    device = Recorder()
    site = Site(port, device)
    async with site.running():
        await until(lambda: site.link.is_open)
        port.write(b"old" * 1000)
        device.outgoing = b"levels?"
        site.link.flush_input()
        assert device.calls[-1] == "resumed"
        assert port.read() == b"levels?"
        await asyncio.sleep(0.05)
        assert device.received == b""
        port.write(b"new")
        await until(lambda: device.received == b"new")


async def test_flushing_drops_what_the_port_did_not_take_yet(port: PtyPort) -> None:
    device = Recorder()
    site = Site(port, device)
    async with site.running():
        await until(lambda: site.link.is_open)
        while not site.link._unsent:
            device.outgoing = b"old" * 300
            site.link.order(OPEN)
        site.link.flush_input()
        assert not site.link._unsent
        assert site.link.is_open


async def test_a_wake_up_without_bytes_is_no_loss(port: PtyPort) -> None:
    site = Site(port, Recorder())
    async with site.running():
        await until(lambda: site.link.is_open)
        site.link._readable()
        assert site.link.is_open


async def test_flushing_a_port_that_is_not_open_does_nothing(port: PtyPort) -> None:
    device = Recorder()
    Site(port, device).link.flush_input()
    assert device.calls == []


async def test_what_the_port_does_not_take_at_once_follows(port: PtyPort) -> None:
    device = Recorder()
    site = Site(port, device)
    async with site.running():
        await until(lambda: site.link.is_open)
        sent = b""
        while not site.link._unsent:
            device.outgoing = bytes([len(sent) // 1000 % 256]) * 1000
            sent += device.outgoing
            site.link.order(OPEN)
            sent += b"order"
        arrived = bytearray()

        def is_all_there() -> bool:
            arrived.extend(port.read())
            return len(arrived) == len(sent)

        await until(is_all_there)
        assert arrived == sent
        assert site.link.is_open


async def test_a_port_that_takes_nothing_is_lost(port: PtyPort) -> None:
    device = Recorder()
    site = Site(port, device)
    async with site.running():
        await until(lambda: site.link.is_open)
        for _ in range(100):
            device.outgoing = b"x" * 1000
            site.link.order(OPEN)
            assert len(site.link._unsent) <= MAX_UNSENT_BYTES
        await until(lambda: (False, "the port takes no more bytes") in site.states)
        assert "closed" in device.calls


async def test_a_fault_of_a_driver_costs_its_port_and_shows_no_data(
    port: PtyPort,
) -> None:
    device = Recorder()
    device.fault = ValueError("990105198002290017")
    site = Site(port, device)
    async with site.running():
        await until(lambda: site.link.is_open)
        port.write(b"x")
        await until(lambda: len(site.states) >= 2)
        _, why = site.states[1]
        assert why.startswith("driver fault: ValueError at link_site.py:")
        assert "9901" not in why
        device.fault = None
        await until(lambda: site.link.is_open)


async def test_orders_need_a_running_link(port: PtyPort) -> None:
    site = Site(port, Recorder())
    with pytest.raises(LocalError, match="does not run"):
        site.link.order(OPEN)
    async with site.running():
        await until(lambda: site.link.is_open)
        with pytest.raises(LocalError, match="runs already"):
            await site.link.run()
    with pytest.raises(LocalError, match="does not run"):
        site.link.order(OPEN)


async def test_an_order_to_a_board_behind_a_lost_port_fails(port: PtyPort) -> None:
    port.unplug()
    site = Site(port, build("modbus_relay_board", [Unit(address=1)]))
    async with site.running():
        await until(lambda: site.states)
        site.link.order(OPEN)
        await until(lambda: site.signals)
        why = "the board is unreachable"
        assert site.signals == [OrderFailed(unit=1, order=OPEN, why=why)]


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_nothing_stays_open_behind_it(port: PtyPort) -> None:
    before = open_descriptors()
    for _ in range(3):
        site = Site(port, Recorder())
        async with site.running():
            await until(lambda: site.states == [(True, "")])  # noqa: B023
    assert open_descriptors() == before


def test_a_baud_that_no_port_has_is_our_own_mistake(port: PtyPort) -> None:
    with pytest.raises(LocalError, match="runs at 12345 baud"):
        SerialLink(
            str(port.path),
            12345,
            Recorder(),
            print,
            now=time.monotonic,
            on_state=print,
        )


async def test_a_board_is_opened_and_obeys_through_a_terminal(port: PtyPort) -> None:
    site = Site(port, build("modbus_relay_board", [Unit(address=1)]))
    script = board(1)
    heard: list[str] = []

    def answer() -> bool:
        frame = port.read().hex().upper()
        if frame:
            heard.append(frame)
            reply = script[frame]
            assert isinstance(reply, str)
            port.write(bytes.fromhex(reply))
        return Reachable(unit=1, detail="") in site.signals

    async with site.running():
        await until(answer)
        assert heard[0] == all_off(1)
        site.link.order(OPEN)
        await until(lambda: answer() and heard[-1] == pulse(1, 1, 10))
        assert not any(isinstance(s, OrderFailed) for s in site.signals)


async def test_a_code_without_terminator_comes_through_a_terminal(
    port: PtyPort,
) -> None:
    site = Site(port, build("qr_line", [Unit(address=0)]))
    async with site.running():
        await until(lambda: Reachable(unit=0, detail="") in site.signals)
        port.write(b"MS1ABC")
        await asyncio.sleep(0.01)
        port.write(b"DEF0")
        await until(lambda: len(site.signals) == 2)
        assert site.signals[1] == CodeRead(unit=0, payload=b"MS1ABCDEF0")
