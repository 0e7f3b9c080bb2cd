# SPDX-License-Identifier: Apache-2.0
"""What the wire bench builds before it starts a process, and the boards it measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.id_card.text import is_number
from edge.cli.bench.wire_boards import KINDS, boards
from edge.cli.bench.wire_site import READERS, make_wire_site, simulated
from edge.cli.load_site import load_site
from firmware_sim.site import Site

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_site_of_the_bench_is_good_and_has_eight_devices(
    tmp_path: Path,
) -> None:
    site = await make_wire_site(tmp_path, people=4, cards=3, broker_port=1883)
    settings = load_site(site.bench.site)
    drivers = [device.driver for device in settings.device]
    assert len(drivers) == 8
    assert drivers.count("osdp") == len(READERS) == 4
    assert {device.port for device in settings.device} == {
        f"ports/{name}" for name in ("board", "card", "line", "module", "tags")
    }
    assert (len(site.codes), len(site.tags), len(site.cards)) == (4, 4, 3)
    numbers = {card.number for card in site.cards}
    assert len(numbers) == 3
    assert all(is_number(number.encode()) for number in numbers)


def test_the_simulated_devices_are_those_of_the_site() -> None:
    site = Site.from_mapping(simulated())
    assert set(site.ports) == {"card", "line", "module", "tags"}


def test_every_board_lets_its_orders_out_in_far_less_than_a_frame() -> None:
    found = boards(orders=20)
    assert set(found) == set(KINDS)
    for name, figures in found.items():
        ours_ms = figures["ours_p50_ms"]
        assert isinstance(ours_ms, float)
        assert 0.0 < ours_ms < 2.0, (name, figures)
    frames = {name: figures["frame_bytes"] for name, figures in found.items()}
    assert frames["modbus_relay_board"] == 8
    assert frames["locker_8a"] == 5
    assert frames["uhppote"] == 64
