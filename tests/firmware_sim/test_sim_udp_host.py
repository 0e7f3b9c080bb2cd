# SPDX-License-Identifier: Apache-2.0
"""Simulated controllers on a real UDP port, and networks that lose their packets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.happening import What
from firmware_sim.udp_host import UdpHost
from firmware_sim.uhppote.controller import UhppoteController
from firmware_sim.uhppote.events import Reason
from firmware_sim.uhppote.network import UhppoteNetwork
from firmware_sim.uhppote.settings import (
    Direction,
    NetworkSettings,
    PacketFault,
    UhppoteSettings,
)
from tests.firmware_sim.uhppote_host import (
    CARD,
    HOST,
    NOW,
    PACKETS,
    SERIAL,
    packet,
    put_card,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from firmware_sim.happening import Happening

OTHER = 423_187_757
DISCOVER = PACKETS["asked: who is there"]


def network(**settings: float) -> UhppoteNetwork:
    """Two controllers on one port."""
    pair = {
        name: UhppoteController(UhppoteSettings(serial=serial), name=name)
        for name, serial in (("front", SERIAL), ("back", OTHER))
    }
    return UhppoteNetwork(pair, NetworkSettings(**settings))  # type: ignore[arg-type]


def serials(net: UhppoteNetwork, now: float) -> list[int]:
    taken = net.take_outgoing(now)
    return [int.from_bytes(one.data[4:8], "little") for one in taken]


def test_two_controllers_share_a_port_and_answer_for_themselves() -> None:
    net = network()
    net.receive(DISCOVER, HOST, NOW)
    assert serials(net, NOW) == [SERIAL, OTHER]
    net.receive(packet(0x20, serial=OTHER), HOST, NOW)
    assert serials(net, NOW) == [OTHER]
    net.receive(packet(0x20, serial=7), HOST, NOW)
    assert serials(net, NOW) == []


def test_a_serial_stands_on_one_controller() -> None:
    one = UhppoteController()
    with pytest.raises(SimulationError, match="serials of their own"):
        UhppoteNetwork({"a": one, "b": UhppoteController()})
    with pytest.raises(SimulationError, match="serials of their own"):
        UhppoteNetwork({})


def test_a_lost_request_opens_nothing_and_a_lost_reply_did() -> None:
    net = network()
    front = net.controllers["front"]
    net.spoil(PacketFault.LOST, Direction.TO_CONTROLLER)
    net.receive(PACKETS["asked: open door 1"], HOST, NOW)
    assert (serials(net, NOW), front.snapshot(NOW).relays[0]) == ([], False)
    net.spoil(PacketFault.LOST, Direction.TO_HOST)
    net.receive(PACKETS["asked: open door 1"], HOST, NOW)
    assert (serials(net, NOW), front.snapshot(NOW).relays[0]) == ([], True)


@pytest.mark.parametrize("direction", list(Direction))
def test_a_doubled_packet_comes_twice(direction: Direction) -> None:
    net = network()
    net.spoil(PacketFault.DOUBLED, direction)
    net.receive(packet(0x20), HOST, NOW)
    assert serials(net, NOW) == [SERIAL, SERIAL]
    asked = net.controllers["front"].snapshot(NOW).requests
    assert asked == (2 if direction is Direction.TO_CONTROLLER else 1)


def test_a_late_packet_is_overtaken() -> None:
    net = network()
    net.spoil(PacketFault.LATE, Direction.TO_HOST)
    net.receive(packet(0x20), HOST, NOW)
    assert serials(net, NOW) == []
    assert net.deadline() == NOW + 0.05
    net.receive(packet(0x20, serial=OTHER), HOST, NOW + 0.01)
    assert serials(net, NOW + 0.01) == [OTHER]
    assert serials(net, NOW + 0.05) == [SERIAL]


def test_a_late_request_acts_when_it_arrives() -> None:
    net = network(late_s=1.0)
    front = net.controllers["front"]
    net.spoil(PacketFault.LATE, Direction.TO_CONTROLLER)
    net.receive(PACKETS["asked: open door 1"], HOST, NOW)
    assert not front.snapshot(NOW).relays[0]
    assert serials(net, NOW + 3) == [SERIAL]
    assert net.deadline() == NOW + 6


@pytest.mark.parametrize("seed", [1, 2])
def test_shares_are_kept_and_a_seed_replays_them(seed: int) -> None:
    counts = []
    for _ in range(2):
        net = network(loss=0.1, duplication=0.05, seed=seed)
        for _ in range(2000):
            net.receive(packet(0x20), HOST, NOW)
        counts.append(len(net.take_outgoing(NOW)))
    assert counts[0] == counts[1]
    expected = 2000 * (0.9 + 0.9 * 0.05) ** 2
    assert counts[0] == pytest.approx(expected, rel=0.05)


def test_a_share_is_a_share() -> None:
    with pytest.raises(SimulationError, match="loss is a share"):
        NetworkSettings(loss=1.5)


# -- over a real socket ------------------------------------------------------------


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        self.heard.append(data)


class Station:
    """A host's socket."""

    def __init__(self, transport: asyncio.DatagramTransport, inbox: _Inbox) -> None:
        self._transport = transport
        self._inbox = inbox
        self.port: int = transport.get_extra_info("sockname")[1]

    async def ask(self, data: bytes, to: tuple[str, int]) -> bytes:
        self._transport.sendto(data, to)
        return await self.hear()

    async def hear(self) -> bytes:
        async with asyncio.timeout(2.0):
            while not self._inbox.heard:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return self._inbox.heard.pop(0)


@asynccontextmanager
async def station() -> AsyncIterator[Station]:
    loop = asyncio.get_running_loop()
    transport, inbox = await loop.create_datagram_endpoint(
        _Inbox, local_addr=("127.0.0.1", 0)
    )
    try:
        yield Station(transport, inbox)
    finally:
        transport.close()
        await asyncio.sleep(0)


async def test_a_swipe_is_told_and_the_host_opens() -> None:
    net = network()
    front = net.controllers["front"]
    async with UdpHost(net) as host, station() as desk, station() as ear:
        port = ear.port.to_bytes(2, "little").hex()
        listen = packet(0x90, f"7F000001{port}00")
        assert (await desk.ask(listen, host.address))[8] == 1
        assert (await desk.ask(put_card(CARD), host.address))[8] == 1
        await desk.ask(PACKETS["asked: PC control on"], host.address)
        host.act(lambda now: front.board.swipe(1, CARD, now))
        event = await ear.hear()
        assert (event[1], event[27]) == (0x20, Reason.PC_CONTROL)
        opened = await desk.ask(PACKETS["asked: open door 1"], host.address)
        assert opened[8] == 1
        assert front.snapshot(host.now()).relays[0]
        assert (await ear.hear())[27] == Reason.REMOTE_OPEN


async def test_a_relay_drops_by_itself_and_late_packets_come() -> None:
    net = network(late_s=0.05)
    front = net.controllers["front"]
    seen: list[Happening] = []
    async with UdpHost(net) as host, station() as desk:
        end = host.watch(seen.extend)
        await desk.ask(packet(0x80, "010301"), host.address)
        net.spoil(PacketFault.LATE, Direction.TO_HOST)
        before = host.now()
        await desk.ask(PACKETS["asked: open door 1"], host.address)
        assert host.now() - before >= 0.045
        assert front.snapshot(host.now()).relays[0]
        await asyncio.sleep(1.05)
        assert not front.snapshot(host.now()).relays[0]
        end()
        host.act(lambda now: front.board.act(1, lambda door: door.force(now), now))
    assert [(one.what, one.name) for one in seen] == [
        (What.STRIKE_RELEASED, "front-1"),
        (What.STRIKE_RELOCKED, "front-1"),
    ]
    assert seen[1].at - seen[0].at == pytest.approx(1.0, abs=1e-9)


async def test_a_listener_that_is_not_there_harms_nobody() -> None:
    net = network()
    front = net.controllers["front"]
    async with UdpHost(net) as host, station() as desk:
        async with station() as gone:
            port = gone.port.to_bytes(2, "little").hex()
        await desk.ask(packet(0x90, f"7F000001{port}00"), host.address)
        for _ in range(3):
            host.act(lambda now: front.board.swipe(1, CARD, now))
            await asyncio.sleep(0.01)
        assert (await desk.ask(packet(0x94), host.address))[1] == 0x94
        assert host.lost_datagrams == 0


async def test_a_listener_that_cannot_be_reached_is_counted() -> None:
    net = network()
    front = net.controllers["front"]
    async with UdpHost(net) as host, station() as desk:
        # Nobody may send to everybody without asking the kernel for it.
        await desk.ask(packet(0x90, "FFFFFFFF61EA00"), host.address)
        host.act(lambda now: front.board.swipe(1, CARD, now))
        assert host.lost_datagrams == 1


async def test_the_port_is_free_again_and_close_may_come_twice() -> None:
    async with UdpHost(network()) as host:
        taken = host.address
        with pytest.raises(OSError, match="in use"):
            await UdpHost(network(), port=taken[1]).__aenter__()
        host.close()
    with pytest.raises(SimulationError, match="does not run"):
        _ = host.address
    async with UdpHost(network(), port=taken[1]) as again:
        assert again.address == taken
