# SPDX-License-Identifier: Apache-2.0
"""A simulated site on real pseudo-terminals, in this process."""

from __future__ import annotations

import asyncio
import errno
import statistics
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.happening import Happening, What
from firmware_sim.id_card.persons import PERSON_B
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import Site
from firmware_sim.world import World
from tests.firmware_sim.sim_gateway import LineEnd
from tests.firmware_sim.sim_vectors import frames

MODBUS = frames("modbus_requests")
READ, ALL_OFF = MODBUS["read 8 relays"], frames("modbus_replies")["coils: all off"]
SAM, SAM_REPLIES = frames("sam_requests"), frames("sam_replies")
SITE: dict[str, Any] = {
    "ports": {
        "bus": {"kind": "relay_bus", "boards": {"one": {}}},
        "id-1": {"kind": "sam_reader"},
        "qr-1": {"kind": "qr_scanner"},
    },
    "doors": {"front": {"board": "one", "relay": 1, "contact": 1}},
}


def host_in(folder: Path, *, wire_time: bool = False, **port: bool) -> PtyHost:
    site = {**SITE, "ports": {**SITE["ports"]}}
    site["ports"]["bus"] = {**site["ports"]["bus"], **port}
    return PtyHost(World(Site.from_mapping(site)), folder, wire_time=wire_time)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_each_port_is_a_terminal_that_talks(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        assert names_in(tmp_path) == ["bus", "id-1", "qr-1"]
        with LineEnd(host.path("bus")) as line:
            assert await line.ask(READ, len(ALL_OFF)) == ALL_OFF
        with LineEnd(host.path("qr-1")) as line:
            host.act(lambda now: host.hand.show_code("qr-1", "TICKET", now))
            assert await line.read(7) == b"TICKET\r"
    assert names_in(tmp_path) == []


async def test_a_card_is_read_over_the_line_with_its_latencies(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        host.act(lambda now: host.hand.put_card("id-1", PERSON_B, now))
        with LineEnd(host.path("id-1")) as line:
            found = await line.ask(SAM["find card"], 15)
            assert found == SAM_REPLIES["find ok"]
            assert await line.ask(SAM["select card"], 19) == SAM_REPLIES["select ok"]
            full = await line.ask(SAM["read text+photo"], 1_295)
    assert full == SAM_REPLIES["person B"]


async def test_a_pulse_runs_in_real_time_and_ends_on_its_millisecond(
    tmp_path: Path,
) -> None:
    told: list[Happening] = []
    async with host_in(tmp_path) as host:
        host.watch(told.extend)
        with LineEnd(host.path("bus")) as line:
            before = time.monotonic()
            await line.ask(MODBUS["relay 1 on for 0.7 s"], 8)
            after = time.monotonic()
            await asyncio.sleep(0.75)
    assert [happening.what for happening in told] == [
        What.RELAY_ON,
        What.STRIKE_RELEASED,
        What.RELAY_OFF,
        What.STRIKE_RELOCKED,
    ]
    assert before <= told[0].at <= after
    assert told[2].at - told[0].at == pytest.approx(0.7, abs=1e-9)


async def test_a_round_trip_takes_well_under_a_millisecond(tmp_path: Path) -> None:
    taken = []
    async with host_in(tmp_path) as host:
        with LineEnd(host.path("bus")) as line:
            for _ in range(100):
                begin = time.perf_counter()
                await line.ask(READ, len(ALL_OFF))
                taken.append(time.perf_counter() - begin)
    assert statistics.median(taken) < 0.001


async def test_a_gateway_that_dies_and_returns_finds_its_port(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        for _ in range(3):
            with LineEnd(host.path("bus")) as line:
                assert await line.ask(READ, len(ALL_OFF)) == ALL_OFF


async def test_unplugging_breaks_the_line_and_plugging_gives_a_new_one(
    tmp_path: Path,
) -> None:
    async with host_in(tmp_path) as host:
        told: list[Happening] = []
        host.watch(told.extend)
        with LineEnd(host.path("bus")) as broken:
            host.unplug("bus")
            assert not host.path("bus").is_symlink()
            assert broken.pending() == b"", "end of file, or EIO in a blocked reader"
            with pytest.raises(OSError, match="Input/output error") as raised:
                broken.write(READ)
            assert raised.value.errno == errno.EIO
            host.plug("bus")
            with LineEnd(host.path("bus")) as line:
                assert await line.ask(READ, len(ALL_OFF)) == ALL_OFF
        assert [happening.what for happening in told] == [What.UNPLUGGED, What.PLUGGED]


async def test_a_pulse_ends_though_the_cable_is_pulled(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        with LineEnd(host.path("bus")) as line:
            await line.ask(MODBUS["relay 1 on for 0.7 s"], 8)
        host.unplug("bus")
        await asyncio.sleep(0.75)
        assert not host.world.snapshot().boards["one"].contacts[0]


async def test_what_a_device_says_while_unplugged_is_lost(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        host.unplug("qr-1")
        host.act(lambda now: host.hand.show_code("qr-1", "LOST", now))
        host.plug("qr-1")
        host.act(lambda now: host.hand.show_code("qr-1", "HEARD", now))
        with LineEnd(host.path("qr-1")) as line:
            assert await line.read(6) == b"HEARD\r"


async def test_what_nobody_reads_is_lost_and_counted_in_the_end(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        for _ in range(60):
            host.act(lambda now: host.hand.show_code("qr-1", "LONG" * 700, now))
        assert host.snapshot()["qr-1"].lost_bytes > 0


async def test_a_link_that_someone_else_took_over_is_left_alone(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        host.path("bus").unlink()
        host.path("bus").symlink_to("/dev/null")
    assert (tmp_path / "bus").readlink() == Path("/dev/null")


async def test_a_stale_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "bus").symlink_to("/dev/pts/does-not-exist")
    async with host_in(tmp_path) as host:
        with LineEnd(host.path("bus")) as line:
            assert await line.ask(READ, len(ALL_OFF)) == ALL_OFF


async def test_a_strict_line_hears_the_rate_of_the_gateway(tmp_path: Path) -> None:
    async with host_in(tmp_path, strict_baud=True) as host:
        with LineEnd(host.path("bus")) as line:
            line.set_rate(termios.B9600)
            assert await line.ask(READ, len(ALL_OFF)) == ALL_OFF
            line.set_rate(termios.B19200)
            line.write(READ)
            await asyncio.sleep(0.05)
            assert line.pending() == b""
            assert host.world.snapshot().boards["one"].requests == 1


async def test_wire_time_lets_bytes_take_their_time(tmp_path: Path) -> None:
    at_9600_s = (len(READ) + len(ALL_OFF)) * 10 / 9_600
    async with host_in(tmp_path, wire_time=True) as host:
        with LineEnd(host.path("bus")) as line:
            begin = time.perf_counter()
            assert await line.ask(READ, len(ALL_OFF)) == ALL_OFF
            taken_s = time.perf_counter() - begin
    assert at_9600_s <= taken_s < at_9600_s + 0.1


async def test_wrong_names_and_wrong_order_are_told(tmp_path: Path) -> None:
    async with host_in(tmp_path) as host:
        with pytest.raises(SimulationError, match="no port 'x'; this world has: bus,"):
            host.unplug("x")
        with pytest.raises(SimulationError, match="plugged already; unplug it"):
            host.plug("bus")
        host.unplug("bus")
        with pytest.raises(SimulationError, match="unplugged already; plug it"):
            host.unplug("bus")
        assert not host.snapshot()["bus"].is_plugged


async def test_a_watcher_that_left_is_told_no_more(tmp_path: Path) -> None:
    told: list[Happening] = []
    async with host_in(tmp_path) as host:
        leave = host.watch(told.extend)
        host.act(lambda now: host.hand.force("front", now))
        leave()
        host.act(lambda now: host.hand.pull_shut("front", now))
    assert [happening.what for happening in told] == [What.LEAF_OPENED]
