# SPDX-License-Identifier: Apache-2.0
"""Nothing leaves late: what a driver gave up is taken back, or costs the port."""

from __future__ import annotations

import socket
import termios
import time
from typing import TYPE_CHECKING

import pytest

from drivers.links.link import PortError
from drivers.links.sending import Sending
from drivers.links.serial_port import SerialPort
from drivers.links.stream_link import StreamLink
from tests.drivers.link_site import OPEN, Recorder, Site, Told, running, until
from tests.drivers.pty_port import PtyPort

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyPort]:
    found = PtyPort(tmp_path / "port")
    found.plug()
    yield found
    found.unplug()


class ScriptedPort:
    """A port whose kernel holds as much as a test says."""

    def __init__(self, *, can_recall: bool = True) -> None:
        self.near, self.far = socket.socketpair()
        for end in (self.near, self.far):
            end.settimeout(0)
        self.held = 0
        self.recalls = 0
        self.can_recall = can_recall
        self.name, self.byte_s, self.late_s = "scripted", 0.001, 0.01

    @property
    def descriptor(self) -> int:
        return self.near.fileno()

    async def open(self) -> ScriptedPort:
        if self.near.fileno() < 0:
            raise PortError("scripted: gone")
        return self

    def unsent_bytes(self) -> int:
        return self.held

    def recall(self) -> None:
        self.recalls += 1
        if not self.can_recall and self.held:
            raise PortError("it can't be taken back")
        self.held = 0

    def discard(self) -> None:
        self.recall()

    def close(self) -> None:
        self.near.close()
        self.far.close()


def link_of(port: ScriptedPort, device: Recorder) -> tuple[StreamLink, Told]:
    told = Told()
    link = StreamLink(
        port, device, told.signals.extend, now=time.monotonic, on_state=told.on_state
    )
    return link, told


async def test_a_frame_that_is_stuck_at_the_time_out_is_taken_back() -> None:
    port, device = ScriptedPort(), Recorder()
    link, told = link_of(port, device)
    async with running(link):
        await until(lambda: link.is_open)
        device.due_at = time.monotonic() + 0.05
        link.order(OPEN)
        port.held = 5
        await until(lambda: "tick" in device.calls)
        assert (port.recalls, port.held) == (1, 0)
        assert told.states == [(True, "")]


async def test_a_frame_that_left_in_time_is_left_alone() -> None:
    port, device = ScriptedPort(), Recorder()
    link, _ = link_of(port, device)
    async with running(link):
        await until(lambda: link.is_open)
        device.due_at = time.monotonic() + 0.05
        link.order(OPEN)
        await until(lambda: "tick" in device.calls)
        assert port.recalls == 0
        assert port.far.recv(100) == b"order"


async def test_a_tick_within_the_frame_s_own_time_takes_nothing_back() -> None:
    port, device = ScriptedPort(), Recorder()
    port.byte_s = 10.0
    link, _ = link_of(port, device)
    async with running(link):
        await until(lambda: link.is_open)
        device.due_at = time.monotonic()
        link.order(OPEN)
        port.held = 5
        await until(lambda: "tick" in device.calls)
        assert (port.recalls, port.held) == (0, 5)


async def test_the_next_frame_never_follows_one_that_is_stuck() -> None:
    port, device = ScriptedPort(), Recorder()
    link, _ = link_of(port, device)
    async with running(link):
        await until(lambda: link.is_open)
        link.order(OPEN)
        port.held = 5
        since = time.monotonic()
        await until(lambda: time.monotonic() - since > 0.02)
        link.order(OPEN)
        assert port.recalls == 1


async def test_what_cannot_be_taken_back_costs_the_port() -> None:
    port, device = ScriptedPort(can_recall=False), Recorder()
    link, told = link_of(port, device)
    async with running(link):
        await until(lambda: link.is_open)
        device.due_at = time.monotonic() + 0.05
        link.order(OPEN)
        port.held = 5
        await until(lambda: (False, "it can't be taken back") in told.states)
        assert not link.is_open
        assert device.calls[-1] == "closed"


async def test_bytes_that_the_port_did_not_take_are_dropped_at_the_time_out(
    port: PtyPort,
) -> None:
    device = Recorder()
    site = Site(port, device)
    async with site.running():
        await until(lambda: site.link.is_open)
        while not site.link._unsent:
            device.outgoing = b"x" * 1000
            site.link.order(OPEN)
        # The far end takes nothing; at 115200 baud some 14 kB have 1.3 s.
        device.due_at = time.monotonic() + 2.0
        site.link.data_received(b"")
        await until(lambda: "tick" in device.calls)
        assert not site.link._unsent
        assert site.link.is_open
        # A terminal's far end keeps some of what was taken back; no new frame does.
        await until(lambda: not port.read())
        site.link.order(OPEN)
        assert port.read() == b"order"


async def test_a_serial_port_flushes_its_queues(
    port: PtyPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await SerialPort(str(port.path), 9600).open()
    flushed: list[tuple[int, int]] = []
    # A terminal hands on what is written at once: there is never anything to flush.
    monkeypatch.setattr(termios, "tcflush", lambda *call: flushed.append(call))
    assert opened.unsent_bytes() == 0
    fd = opened.descriptor
    opened.recall()
    opened.discard()
    opened.close()
    assert flushed == [
        (fd, termios.TCOFLUSH),
        (fd, termios.TCIOFLUSH),
        (fd, termios.TCOFLUSH),
    ]
    monkeypatch.undo()
    with pytest.raises(OSError, match="descriptor"):
        opened.recall()


def test_bytes_are_late_when_the_wire_could_have_carried_them_all() -> None:
    sending = Sending(byte_s=0.1, late_s=0.5)
    assert not sending.is_late(1e9)
    sending.wrote(10, 100.0)
    sending.wrote(5, 100.2)
    assert not sending.is_late(101.9)
    assert sending.is_late(102.0)
    sending.left()
    assert not sending.is_late(1e9)
