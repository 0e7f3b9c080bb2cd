# SPDX-License-Identifier: Apache-2.0
"""Packets to one device and back: whole, of one size, from nobody else."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import pytest

from drivers.links.udp_link import PACKET_BYTES, UdpLink
from tests.drivers.link_site import OPEN, Recorder, Told, running, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.device import Order, Signal

QUESTION = bytes(range(PACKET_BYTES))
ANSWER = QUESTION[::-1]


class Packets(Recorder):
    """A recorder that says whole packets, and notes each packet it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[bytes] = []

    def receive(self, data: bytes, now: float) -> list[Signal]:
        self.packets.append(data)
        return super().receive(data, now)

    def order(self, order: Order, now: float) -> None:
        self.outgoing += QUESTION


def bound() -> socket.socket:
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.bind(("127.0.0.1", 0))
    end.settimeout(5)
    return end


@pytest.fixture
def far() -> Iterator[socket.socket]:
    with bound() as end:
        yield end


def link_to(far: socket.socket, device: Recorder, listen: int = 0) -> UdpLink:
    tail = f"?listen={listen}" if listen else ""
    return UdpLink(
        f"udp://127.0.0.1:{far.getsockname()[1]}{tail}",
        device,
        TOLD.signals.extend,
        now=time.monotonic,
        on_state=TOLD.on_state,
    )


TOLD = Told()


@pytest.fixture(autouse=True)
def _nothing_told() -> None:
    TOLD.signals.clear()
    TOLD.states.clear()


async def test_each_packet_goes_and_comes_by_itself(far: socket.socket) -> None:
    device = Packets()
    link = link_to(far, device)
    async with running(link):
        await until(lambda: link.is_open)
        device.outgoing = QUESTION + ANSWER
        link.order(OPEN)
        first, near = far.recvfrom(2048)
        assert [first, far.recv(2048), far.recv(2048)] == [QUESTION, ANSWER, QUESTION]
        far.sendto(ANSWER, near)
        far.sendto(b"short", near)
        far.sendto(b"", near)
        await until(lambda: len(device.packets) == 3)
        assert device.packets == [ANSWER, b"short", b""]
    assert device.calls == ["opened", "closed"]
    assert not link.is_open
    assert TOLD.states == [(True, "")]


async def test_nobody_but_the_device_is_heard(far: socket.socket) -> None:
    device = Packets()
    link = link_to(far, device)
    async with running(link):
        await until(lambda: link.is_open)
        link.order(OPEN)
        _, near = far.recvfrom(2048)
        with bound() as stranger:
            stranger.sendto(QUESTION, near)
            far.sendto(ANSWER, near)
            await until(lambda: device.packets)
            await asyncio.sleep(0.05)
        assert device.packets == [ANSWER]


async def test_reports_come_to_the_port_that_was_named(far: socket.socket) -> None:
    with bound() as free:
        listen = free.getsockname()[1]
    device = Packets()
    link = link_to(far, device, listen)
    async with running(link):
        await until(lambda: link.is_open)
        far.sendto(ANSWER, ("127.0.0.1", listen))
        await until(lambda: device.packets == [ANSWER])


async def test_a_port_of_ours_that_is_taken_is_told_and_found_when_free(
    far: socket.socket,
) -> None:
    taken = bound()
    listen = taken.getsockname()[1]
    link = link_to(far, Packets(), listen)
    async with running(link):
        await until(lambda: TOLD.states)
        assert TOLD.states[0] == (
            False,
            f"{link.name}: port {listen} is taken by another program; end it",
        )
        taken.close()
        await until(lambda: link.is_open)


async def test_a_device_that_is_away_is_no_lost_port() -> None:
    with bound() as far:
        device = Packets()
        link = link_to(far, device)
    async with running(link):
        await until(lambda: link.is_open)
        for _ in range(5):
            link.order(OPEN)  # the kernel hears "nobody there", as do later calls
            await asyncio.sleep(0.01)
        assert link.is_open
        assert TOLD.states == [(True, "")]


async def test_flushing_drops_the_packets_that_wait(far: socket.socket) -> None:
    device = Packets()
    link = link_to(far, device)
    async with running(link):
        await until(lambda: link.is_open)
        link.order(OPEN)
        _, near = far.recvfrom(2048)
        for _ in range(50):
            far.sendto(ANSWER, near)
        link.flush_input()
        assert device.calls[-1] == "resumed"
        await asyncio.sleep(0.05)
        assert device.packets == []


async def test_half_a_packet_is_our_own_mistake(far: socket.socket) -> None:
    device = Packets()
    link = link_to(far, device)
    async with running(link):
        await until(lambda: link.is_open)
        device.outgoing = b"half"
        link.order(OPEN)
        assert not link.is_open  # it costs this port and nobody else's
        await until(lambda: len(TOLD.states) > 1)
        [_, (is_open, why), *_] = TOLD.states
        assert (is_open, why.split(" at ")[0]) == (False, "driver fault: LocalError")


async def test_a_name_that_nobody_knows_is_told(
    far: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    link = UdpLink(
        "udp://nowhere.lan:60000",
        Packets(),
        TOLD.signals.extend,
        now=time.monotonic,
        on_state=TOLD.on_state,
    )
    async with running(link):
        await until(lambda: TOLD.states)
    assert "nobody knows the name 'nowhere.lan'" in TOLD.states[0][1]
