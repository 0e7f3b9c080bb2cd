# SPDX-License-Identifier: Apache-2.0
"""What comes down over every broker: feeds, commands, and what must have no effect."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.envelope import CommandResult
from edge.core.remote.command import Action, CommandState
from tests.cloud_sync.brokers.town import (
    WITHIN_S,
    all_sent,
    connected,
    eventually,
    grow,
)
from tests.cloud_sync.memory_ports import until
from tests.cloud_sync.platform.desk import batch, expected, journal
from tests.cloud_sync.scripted_platform import OTHER_SEED, Platform, sign

if TYPE_CHECKING:
    from tests.cloud_sync.brokers.town import Town
    from tests.cloud_sync.memory_ports import Site

pytestmark = pytest.mark.alone
JOURNAL = journal(500)


def refusals(site: Site) -> set[str]:
    """Return the names of what the gateway refused so far."""
    return {
        str(value)
        for _, facts in site.reports
        for name, value in facts
        if name == "refusal"
    }


async def test_a_feed_comes_whole_and_a_nudge_brings_its_change(town: Town) -> None:
    bookings = {f"b-{n}": {"holder": f"h-{n}"} for n in range(900)}
    site = town.site()
    async with town.serving(), site.running():
        await town.put(**bookings)
        await until(lambda: len(site.feed.rows) == 900, WITHIN_S)
        await town.put(**{"b-900": {"holder": "h-900"}})
        await until(lambda: len(site.feed.rows) == 901, WITHIN_S)
        assert site.feed.staged == {}
        assert site.reports == []


async def test_a_command_is_ordered_once_and_its_result_comes_back(
    town: Town,
) -> None:
    site = town.site()
    told: list[dict[str, Any]] = []
    async with town.serving(), town.other() as other, site.running():
        await other.subscribe(town.topics.result, qos=1)
        await connected(site)
        command = town.command(site)
        for _ in range(2):  # the second is the same one, played again
            await other.publish(*command, qos=1)
        await until(lambda: bool(site.ordered), WITHIN_S)
        [ordered] = site.ordered
        assert ordered.action is Action.OPEN
        confirmed = CommandResult(jti=ordered.jti, state=CommandState.CONFIRMED, seq=7)
        site.client.tell(confirmed)
        async with asyncio.timeout(WITHIN_S):
            async for message in other.messages:
                told.append(json.loads(message.payload)["data"])
                if told[-1]["state"] == "confirmed":
                    break
        assert told[-1] == {"jti": ordered.jti, "state": "confirmed", "seq": 7}
        assert len(site.ordered) == 1


async def test_what_is_retained_forged_or_for_somebody_else_has_no_effect(
    town: Town,
) -> None:
    site = town.site(JOURNAL)
    forged = {"gw": town.gateway, "epoch": "0001-00c0ffee", "hi": 500, "h": "00" * 32}
    async with town.serving():
        retained = sign(forged, "mn.ack.v1")
        await town.say("ack", retained, is_retained=True)
        async with site.running():
            await all_sent(site)
            await town.say("ack", b"{}")
            await town.say("ack", sign(forged, "mn.ack.v1", seed=OTHER_SEED))
            await town.say("cmd", sign(forged, "mn.ack.v1"))
            stranger = Platform("gw-elsewhere").ack()[1]
            await town.say("ack", stranger)
            wanted = {"NOT_SIGNED", "SIGNATURE", "PURPOSE", "GATEWAY"}
            await until(lambda: wanted <= refusals(site), WITHIN_S)
            assert site.client.status.is_connected
        # Not every broker hands it out to whoever comes later, and none may.
        assert refusals(site) - wanted <= {"RETAINED"}
        assert (site.ordered, site.journal.new_epochs, site.feed.rows) == ([], [], {})
        assert await town.stored() == expected(JOURNAL)
        await town.say("ack", b"", is_retained=True)


async def test_what_is_too_long_costs_a_connection_at_most(town: Town) -> None:
    site = town.site(JOURNAL[:100])
    async with town.serving(), site.running():
        await all_sent(site)
        await town.say("ack", b"x" * 65_537)
        await until(lambda: "TOO_LARGE" in refusals(site), WITHIN_S)
        reconnects = site.client.status.reconnects
        await town.say("ack", b"x" * 500_000)
        await until(lambda: site.client.status.reconnects > reconnects, WITHIN_S)
        async with town.other() as other:
            long = batch(JOURNAL, 101, 9) + b" " * 70_000
            await other.publish(town.topics.events, long, qos=1)
        await eventually(lambda: town.has_refused("MALFORMED"))
        await connected(site)
        grow(site, JOURNAL)
        await all_sent(site)
        assert await town.stored() == expected(JOURNAL)
