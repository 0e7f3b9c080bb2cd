# SPDX-License-Identifier: Apache-2.0
"""The fixtures that are shipped: a bad line, a leaping clock, a full disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cloud_sync.client import PlatformClient
from cloud_sync.ports import PortFaultError
from cloud_sync.transport.faults import Faults
from cloud_sync.transport.fixtures import full_disk, leaping_clock, spoil
from cloud_sync.transport.memory import MemoryBroker
from cloud_sync.transport.mishaps import DAY_S
from edge.core.moment import UNBOUNDED_MS
from tests.cloud_sync.memory_platform import MemoryPlatform
from tests.cloud_sync.memory_ports import Site, until
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, Platform, rows

if TYPE_CHECKING:
    from cloud_sync.transport.fixtures import Spoil
    from cloud_sync.transport.mishaps import FullDisk, LeapingClock

__all__ = ["full_disk", "leaping_clock", "spoil"]
pytestmark = pytest.mark.usefixtures("nothing_is_left_behind")


async def test_a_week_by_the_clock_goes_home_over_a_bad_line_and_a_full_disk(
    spoil: Spoil, leaping_clock: LeapingClock, full_disk: FullDisk
) -> None:
    broker, platform = MemoryBroker(), Platform()
    way = spoil(broker.transport(GATEWAY), Faults(duplicate_share=0.3), seed=7)
    site = Site({"only": way}, rows(300))
    ports = replace(
        site.ports, journal=full_disk.under(site.journal), clock=leaping_clock
    )
    leaping_clock.pass_by(7 * DAY_S)
    site.client = PlatformClient(
        transports={"only": way}, session=site.session, ports=ports, chance=lambda: 0.5
    )
    full_disk.fault, full_disk.is_full = PortFaultError, True
    async with MemoryPlatform(broker, platform).running(), site.running():
        await until(lambda: full_disk.refused > 0)
        assert platform.hi() == 0, "what cannot be read is not sent"
        full_disk.is_full = False
        await until(lambda: platform.hi() == 300)
    assert platform.inserted == {(EPOCH, seq): 1 for seq in range(1, 301)}
    assert platform.alarms == []
    assert leaping_clock.told, "the platform said what time it is"


def test_a_clock_leaps_by_the_wall_alone(leaping_clock: LeapingClock) -> None:
    before = leaping_clock.now()
    leaping_clock.leap(-3_600_000)
    leaping_clock.pass_by(7 * DAY_S)
    leaping_clock.is_bounded = False
    after = leaping_clock.now()
    assert after.monotonic_s - before.monotonic_s == 7 * DAY_S
    assert after.earliest_ms - before.earliest_ms == 7 * 86_400_000 - 3_600_000
    assert after.latest_ms == UNBOUNDED_MS
    leaping_clock.reboot("boot-2")
    assert leaping_clock.now().monotonic_s < 2
