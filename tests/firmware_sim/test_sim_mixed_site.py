# SPDX-License-Identifier: Apache-2.0
"""USB relays, controllers and listening scanners in a site, by hand and by wire."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any, Self

import pytest

from firmware_sim.control import ControlServer
from firmware_sim.errors import SimulationError
from firmware_sim.hand import Hand
from firmware_sim.happening import What
from firmware_sim.pty_host import PtyHost
from firmware_sim.relays.lcus_relay import LcusFault
from firmware_sim.scanners.qr_settings import ScannerFault, SetupCode
from firmware_sim.site import Site
from firmware_sim.uhppote.settings import Direction, PacketFault
from firmware_sim.world import World
from tests.firmware_sim.sim_gateway import PATIENCE_S, LineEnd
from tests.firmware_sim.sim_vectors import frames
from tests.firmware_sim.uhppote_host import CARD, HOST, PACKETS, packet

if TYPE_CHECKING:
    from pathlib import Path

NOW = 100.0
LCUS = frames("lcus_relay")
GM65 = frames("gm65")
OPEN_1 = PACKETS["asked: open door 1"]
SITE: dict[str, Any] = {
    "ports": {
        "usb": {"kind": "lcus_relay", "settings": {"channels": 2}},
        "net": {"kind": "uhppote", "controllers": {"hall": {}}},
        "qr": {"kind": "qr_scanner", "settings": {"dialogue": {}}},
        "qr-dumb": {"kind": "qr_scanner"},
    },
    "doors": {
        "shed": {"board": "usb", "relay": 1},
        "side": {"board": "hall", "relay": 1, "contact": 1, "exit_button": 5},
    },
}


def world() -> World:
    return World(Site.from_mapping(SITE))


def told(one: World) -> list[tuple[What, str]]:
    return [(news.what, news.name) for news in one.take_happenings()]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- in memory ---------------------------------------------------------------------


def test_a_usb_relay_releases_its_door_and_nothing_ends_it() -> None:
    one = world()
    one.receive("usb", LCUS["channel 1 on"], NOW)
    assert Hand(one).push("shed", NOW + 3_600)
    one.receive("usb", LCUS["channel 1 off"], NOW + 3_601)
    assert told(one) == [
        (What.RELAY_ON, "usb"),
        (What.STRIKE_RELEASED, "shed"),
        (What.LEAF_OPENED, "shed"),
        (What.RELAY_OFF, "usb"),
        (What.STRIKE_RELOCKED, "shed"),
    ]
    assert one.snapshot().usb_relays["usb"].commands == 2


def test_a_usb_relay_is_spoilt_welded_and_darkened_by_hand() -> None:
    one = world()
    hand = Hand(one)
    hand.spoil_usb_relay("usb", LcusFault.UNHEARD)
    one.receive("usb", LCUS["channel 1 on"], NOW)
    assert not one.snapshot().doors["shed"].is_released
    hand.weld("usb", 1, NOW)
    assert one.snapshot().doors["shed"].is_released
    hand.weld("usb", 1, NOW, is_welded=False)
    hand.brown_out("usb", NOW + 1, dark_s=2.0)
    assert one.deadline() == NOW + 3
    one.tick(NOW + 3)
    assert (What.POWER_BACK, "usb") in told(one)


def test_a_door_at_a_controller_is_opened_by_packet_and_pushed_by_name() -> None:
    one = world()
    hand = Hand(one)
    assert not hand.push("side", NOW)
    one.receive_datagram("net", OPEN_1, HOST, NOW)
    [reply] = one.take_datagrams("net", NOW)
    assert (reply.to, reply.data[8]) == (HOST, 1)
    assert hand.push("side", NOW + 1)
    assert one.controllers["hall"].board.posts[1].is_open
    one.tick(NOW + 60)
    assert told(one) == [
        (What.STRIKE_RELEASED, "side"),
        (What.LEAF_OPENED, "side"),
        (What.STRIKE_RELOCKED, "side"),
    ]


def test_a_relock_is_due_and_the_exit_button_works_without_a_gateway() -> None:
    one = world()
    Hand(one).press_exit("side", NOW)
    assert one.snapshot().doors["side"].is_released
    due = one.deadline()
    assert due == NOW + 0.5  # the finger leaves the button
    one.tick(NOW + 1)
    assert one.deadline() == NOW + 5
    one.tick(NOW + 5)
    assert not one.snapshot().doors["side"].is_released


def test_cards_codes_darkness_and_packets_by_hand() -> None:
    one = world()
    hand = Hand(one)
    assert hand.swipe_at_controller("hall", 1, CARD, NOW)
    assert hand.swipe_at_controller("hall", 2, CARD, NOW, is_exit=True)
    assert hand.type_passcode("hall", 1, 7531, NOW)
    entries = [one.controllers["hall"].board.ring.at(index) for index in (1, 2, 3)]
    assert [(entry.door, entry.direction) for entry in entries] == [
        (1, 1),
        (2, 2),
        (1, 1),
    ]
    hand.spoil_packets("net", PacketFault.LOST, Direction.TO_CONTROLLER)
    one.receive_datagram("net", OPEN_1, HOST, NOW)
    assert one.take_datagrams("net", NOW) == []
    hand.darken_controller("hall", NOW)
    assert not hand.swipe_at_controller("hall", 1, CARD, NOW)
    assert not hand.type_passcode("hall", 1, 7531, NOW)
    assert one.snapshot().controllers["hall"].is_dark
    one.tick(NOW + 2)
    assert not one.snapshot().controllers["hall"].is_dark


def test_a_listening_scanner_obeys_setup_codes_and_power() -> None:
    one = world()
    hand = Hand(one)
    assert not one.snapshot().scanners["qr"].prints_on_line
    assert hand.show_setup_code("qr", SetupCode.SERIAL_OUTPUT, NOW)
    assert one.snapshot().scanners["qr"].prints_on_line
    hand.power_cycle_scanner("qr", NOW + 10)
    assert one.snapshot().scanners["qr"].is_deaf
    one.tick(NOW + 20)
    assert one.snapshot().scanners["qr"].reboots == 1


def test_replies_of_a_scanner_are_spoilt() -> None:
    one = world()
    request = GM65["heartbeat"]
    Hand(one).spoil_scanner("qr", ScannerFault.LOST_REPLY)
    one.receive("qr", request, NOW)
    assert one.take_outgoing("qr", NOW + 5) == b""
    one.receive("qr", request, NOW + 6)
    assert one.take_outgoing("qr", NOW + 11) != b""


@pytest.mark.parametrize(
    ("verb", "arguments", "words"),
    [
        ("spoil_usb_relay", ("bell", LcusFault.UNHEARD), "no USB relay 'bell'"),
        ("swipe_at_controller", ("usb", 1, 7, NOW), "no controller 'usb'; .* hall"),
        ("swipe_at_controller", ("hall", 5, 7, NOW), "no door 5; it has 1 to 4"),
        ("darken_controller", ("hall", NOW, -1.0), "dark_s -1.0 is no duration"),
        ("show_setup_code", ("qr-dumb", SetupCode.SETUP_OFF, NOW), "only prints"),
        ("power_cycle_scanner", ("none", NOW), "no scanner 'none'"),
        (
            "spoil_packets",
            ("usb", PacketFault.LATE, Direction.TO_HOST),
            "no network 'usb'; this world has: net",
        ),
    ],
)
def test_what_is_not_there_is_told(
    verb: str, arguments: tuple[object, ...], words: str
) -> None:
    with pytest.raises(SimulationError, match=words):
        getattr(Hand(world()), verb)(*arguments)


# -- on real ports -----------------------------------------------------------------


class Caller:
    """A gateway's end of a UDP port."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("udp://").partition(":")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)  # noqa: FBT003 (the socket's own word)
        self._socket.connect((host, int(port)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    async def ask(self, data: bytes, within_s: float = PATIENCE_S) -> bytes:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._socket, data)
        async with asyncio.timeout(within_s):
            return await loop.sock_recv(self._socket, 2_048)


async def test_lines_and_networks_live_beside_each_other(tmp_path: Path) -> None:
    async with PtyHost(world(), tmp_path) as host:
        assert names_in(tmp_path) == ["qr", "qr-dumb", "usb"]
        address = host.address("net")
        assert address.startswith("udp://127.0.0.1:")
        assert host.address("usb") == str(tmp_path / "usb")
        with Caller(address) as caller, LineEnd(host.path("usb")) as line:
            assert (await caller.ask(OPEN_1))[8] == 1
            line.write(LCUS["channel 1 on"])
            async with asyncio.timeout(PATIENCE_S):
                while not host.world.snapshot().doors["shed"].is_released:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            assert host.act(lambda now: host.hand.push("side", now))
        shown = host.snapshot()
        assert (shown["net"].path, shown["net"].is_plugged) == (address, True)
    assert names_in(tmp_path) == []


async def test_a_network_is_unplugged_and_plugged_at_the_same_port(
    tmp_path: Path,
) -> None:
    async with PtyHost(world(), tmp_path) as host:
        address = host.address("net")
        host.unplug("net")
        assert not host.snapshot()["net"].is_plugged
        with pytest.raises(SimulationError, match="unplugged already"):
            host.unplug("net")
        with Caller(address) as caller, pytest.raises((TimeoutError, OSError)):
            await caller.ask(packet(0x20), within_s=0.1)
        host.plug("net")
        assert host.address("net") == address
        with Caller(address) as caller:
            assert (await caller.ask(packet(0x20)))[1] == 0x20
        with pytest.raises(SimulationError, match="plugged already"):
            host.plug("net")
        with pytest.raises(SimulationError, match=r"no port 'x'.*usb.*net"):
            host.plug("x")


async def test_a_taken_port_ends_the_beginning(tmp_path: Path) -> None:
    async with PtyHost(world(), tmp_path / "one") as host:
        taken = int(host.address("net").rpartition(":")[2])
        net = {**SITE["ports"]["net"], "udp_port": taken}
        site = {**SITE, "ports": {**SITE["ports"], "net": net}}
        second = PtyHost(World(Site.from_mapping(site)), tmp_path / "two")
        with pytest.raises(OSError, match="in use"):
            await second.__aenter__()
        assert names_in(tmp_path / "two") == []


async def test_the_control_socket_offers_the_hands(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    host = PtyHost(world(), tmp_path / "ports")
    async with host, ControlServer(host, path):
        reader, writer = await asyncio.open_unix_connection(path)
        answers = []
        for request in (
            {"do": "swipe_at_controller", "controller": "hall", "door": 1, "card": 7},
            {"do": "show_setup_code", "scanner": "qr", "code": "factory_reset"},
            {"do": "show_setup_code", "scanner": "qr", "code": "coffee"},
            {"do": "plug", "port": "net"},
            {"do": "snapshot"},
        ):
            writer.write(json.dumps(request).encode() + b"\n")
            answers.append(json.loads(await reader.readline()))
        writer.close()
        await writer.wait_closed()
    swiped, shown, coffee, plugged, standing = answers
    assert swiped["is_read"]
    assert shown["is_obeyed"]
    assert "write one of 'factory_reset'" in coffee["error"]
    assert "plugged already" in plugged["error"]
    assert standing["controllers"]["hall"]["newest_event"] == 1
    assert standing["ports"]["net"]["path"].startswith("udp://")
