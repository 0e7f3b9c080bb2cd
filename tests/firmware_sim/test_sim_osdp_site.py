# SPDX-License-Identifier: Apache-2.0
"""OSDP readers as part of a site: its file, hands, pseudo-terminal, control socket."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from firmware_sim.control import ControlServer
from firmware_sim.errors import SimulationError
from firmware_sim.hand import Hand
from firmware_sim.happening import What
from firmware_sim.osdp.cards import CardFormat
from firmware_sim.osdp.settings import OsdpFault
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import OsdpBusPort, Site
from firmware_sim.world import World
from tests.firmware_sim.osdp_bench import BUSY, ID, KEY, LED, POLL
from tests.firmware_sim.osdp_panel import Panel, parsed
from tests.firmware_sim.sim_gateway import PATIENCE_S, LineEnd

if TYPE_CHECKING:
    from pathlib import Path

GREEN = bytes.fromhex("0000020100020000000000000000")
SITE: dict[str, Any] = {
    "ports": {
        "osdp": {
            "kind": "osdp_bus",
            "readers": {
                "entry": {"address": 5, "base_key": KEY.hex()},
                "exit": {
                    "address": 6,
                    "base_key": None,
                    "capabilities": [{"function": 9, "level": 0}],
                },
            },
        },
    },
}


class WorldLine:
    """The port of a world as a panel's line."""

    def __init__(self, world: World) -> None:
        self._world = world

    def receive(self, data: bytes, now: float) -> None:
        self._world.receive("osdp", data, now)

    def take_outgoing(self, now: float) -> bytes:
        self._world.tick(now)
        return self._world.take_outgoing("osdp", now)


def entry() -> tuple[World, Hand, Panel]:
    world = World(Site.from_mapping(SITE))
    panel = Panel(WorldLine(world), 5)
    panel.ask(ID)
    assert panel.shake_hands(KEY)
    return world, Hand(world), panel


def test_a_site_file_names_readers_and_their_knobs() -> None:
    port = Site.from_mapping(SITE).ports["osdp"]
    assert isinstance(port, OsdpBusPort)
    assert port.readers["entry"].base_key == KEY
    assert port.readers["exit"].capabilities is not None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"boards": {}}, "no ['boards']; known: readers, bus"),
        ({"readers": {"entry": {"addr": 5}}}, "readers.entry: no field 'addr'"),
        ({"readers": {"entry": {"base_key": "00"}}}, "a base key has 16 bytes"),
    ],
)
def test_a_wrong_site_file_says_where(change: dict[str, Any], told: str) -> None:
    site = copy.deepcopy(SITE)
    site["ports"]["osdp"] |= change
    with pytest.raises(SimulationError) as refused:
        Site.from_mapping(site)
    assert told in str(refused.value)


def test_a_readers_name_stands_once() -> None:
    site = copy.deepcopy(SITE)
    site["ports"]["entry"] = {"kind": "sam_reader"}
    with pytest.raises(SimulationError, match="entry"):
        Site.from_mapping(site)


def test_hands_reach_a_reader_by_its_name() -> None:
    world, hand, panel = entry()
    assert hand.swipe("entry", CardFormat.WIEGAND_26, 7, panel.now)
    assert hand.present_card("entry", 8, b"\xa5", panel.now)
    assert hand.type_keys("entry", "12#", panel.now)
    hand.tamper("entry", panel.now)
    hand.fail_supply("entry", panel.now)
    hand.set_reader_input("entry", 2, panel.now, is_active=True)
    hand.press_reader_exit("entry", panel.now)
    hand.spoil_osdp("entry", OsdpFault.BUSY)
    assert panel.ask_secretly(POLL).code == BUSY
    assert world.snapshot().osdp_readers["entry"].waiting == 7
    hand.pull_reader_wire("entry", panel.now, off_s=1)
    hand.darken_reader("entry", panel.now, dark_s=1)
    assert not hand.type_keys("entry", "1", panel.now)
    with pytest.raises(SimulationError, match="entry, exit"):
        hand.type_keys("front", "1", panel.now)
    with pytest.raises(SimulationError, match="dark_s"):
        hand.darken_reader("entry", panel.now, dark_s=1e9)


def test_what_a_lamp_shows_happens_in_the_world() -> None:
    world, _, panel = entry()
    panel.ask_secretly(LED, GREEN)
    (shown,) = [one for one in world.take_happenings() if one.what is What.LAMP_SHOWN]
    assert shown.as_mapping() == {
        "at": shown.at,
        "what": "lamp_shown",
        "reader": "entry",
        "channel": 1,
        "detail": "green",
    }


async def test_a_reader_talks_over_its_terminal_and_obeys_the_socket(
    tmp_path: Path,
) -> None:
    host = PtyHost(World(Site.from_mapping(SITE)), tmp_path)
    socket = tmp_path / "control"
    async with host, ControlServer(host, socket):
        reader, writer = await asyncio.open_unix_connection(str(socket))
        typed = {"do": "type_keys", "reader": "entry", "keys": "1#"}
        swiped = {"do": "swipe", "reader": "exit", "card": "wiegand_26", "number": 7}
        for wish in (typed, swiped, {"do": "snapshot"}):
            writer.write(json.dumps(wish).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            told = [json.loads(await reader.readline()) for _ in range(3)]
        writer.close()
        await writer.wait_closed()
        with LineEnd(host.path("osdp")) as line:
            name = await line.ask(bytes.fromhex("53050900046100C125"), 20)
    assert told[0]["is_typed"]
    assert told[1]["is_read"]
    standing = told[2]["osdp_readers"]
    assert (standing["entry"]["waiting"], standing["exit"]["waiting"]) == (1, 1)
    reply = parsed(name)
    assert reply is not None
    assert reply.code == 0x45
