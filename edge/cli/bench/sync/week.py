# SPDX-License-Identifier: Apache-2.0
"""Seven days offline: the backlog goes home while people walk in as on any day.

The law of the module: the gateway starts without a broker, with a week's journal, and
is scanned before its line returns and while it drains, in turn in each round; the
platform has changed bookings meanwhile. In order means: it met no gap and stored
nothing twice.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloud_sync.platform import feeds
from cloud_sync.platform.feeds import Change
from edge.cli.bench.bench_site import HOUR_MS, booking_of, holder_of
from edge.cli.bench.errors import BenchError
from edge.cli.bench.scan import summary
from edge.cli.bench.sync.house import House, living
from edge.cli.bench.sync.stage import GATEWAY, POLL_S, Stage, staged
from edge.cli.system_clock import wall_ms
from edge.core.chain import canonical

if TYPE_CHECKING:
    from edge.storage.roster_row import RosterRow

DRAINS_WITHIN_S = 300.0
DAY_MS = 24 * HOUR_MS
_GAPS = "SELECT coalesce(sum(times), 0) FROM refusal WHERE gateway = ?1"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekOptions:
    """Events and booking changes of the week, scans a second, and how often."""

    events: int = 200_000
    bookings: int = 5_000
    rate: int = 5
    offline_s: float = 15.0
    broker: str = "mosquitto"
    rounds: int = 3


async def _change_bookings(stage: Stage, house: House, count: int) -> None:
    """Write the people of the site and ``count`` bookings into the feed."""
    codes = house.site.codes
    rows: list[RosterRow] = [
        holder_of(n, house.site.tokens.code(code)) for n, code in enumerate(codes)
    ]
    rows += [booking_of(n) for n in range(len(codes))]
    rows += [_to_come(n, len(codes)) for n in range(count)]
    put = {(row.kind, row.id): row.body for row in rows}
    async with stage.database.writing() as work:
        await feeds.change(work, GATEWAY, Change(put=put), wall_ms())


def _to_come(number: int, people: int) -> RosterRow:
    """Return a booking of one of the people for an hour of the days to come."""
    row = booking_of(people + number)
    starts_ms = wall_ms() + DAY_MS + number // people * HOUR_MS
    when = {"from": starts_ms, "to": starts_ms + HOUR_MS}
    whose = {"holder": f"h-{number % people:06}"}
    return row._replace(body=canonical(json.loads(row.body) | when | whose))


async def _round(options: WeekOptions, folder: Path) -> dict[str, Any]:
    async with staged(folder, options.broker) as stage:
        home, node = folder / "gateway", stage.nodes[0]
        home.mkdir()
        node.kill()
        house = living(
            home,
            port=node.port,
            keys_json=stage.keys_json,
            events=options.events,
            rate=options.rate,
        )
        async with house as gateway:
            await _change_bookings(stage, gateway, options.bookings)
            until_s = time.monotonic() + options.offline_s
            offline_ms = await asyncio.to_thread(
                gateway.scan, options.rate, lambda: time.monotonic() > until_s
            )
            return await _return(options, stage, gateway) | {"offline_ms": offline_ms}


async def _return(options: WeekOptions, stage: Stage, house: House) -> dict[str, Any]:
    is_home = threading.Event()
    scanning = asyncio.create_task(
        asyncio.to_thread(house.scan, options.rate, is_home.is_set)
    )
    try:
        await stage.restart(stage.nodes[0])
        # Both ends wait by chance before they try again; the clock runs from the
        # first event that is home.
        begun_s = await stage.until_high(1, DRAINS_WITHIN_S)
        events_s = await stage.until_high(options.events, DRAINS_WITHIN_S) - begun_s
        feed_s = await _feed_held(stage, house) - begun_s
    finally:
        is_home.set()
        online_ms = await scanning
    async with stage.database.reading() as work:
        [(refused,)] = await work.fetch(_GAPS, GATEWAY)
    counted = await stage.counted()
    return {
        "events_s": events_s,
        "bookings_s": feed_s,
        "online_ms": online_ms,
        "lost_scans": house.bench.lost,
        "is_in_order": not refused and not any(counted.values()),
    }


async def _feed_held(stage: Stage, house: House) -> float:
    """Wait until the gateway has in force what the platform has for it."""
    async with stage.database.reading() as work:
        cursor = await feeds.cursor(work, GATEWAY)
    until_s = time.monotonic() + DRAINS_WITHIN_S
    while time.monotonic() < until_s:
        roster = (await asyncio.to_thread(house.status)).get("roster", {})
        if (roster.get("epoch"), roster.get("revision")) == (cursor.epoch, cursor.rev):
            return time.monotonic()
        await asyncio.sleep(POLL_S)
    raise BenchError(f"the feed was not taken in {DRAINS_WITHIN_S:.0f} s")


async def _measure(options: WeekOptions, folder: Path) -> dict[str, Any]:
    rounds = []
    for number in range(options.rounds):
        at = folder / str(number)
        at.mkdir()
        rounds.append(await _round(options, at))
    offline = summary([each["offline_ms"] for each in rounds])
    online = summary([each["online_ms"] for each in rounds])
    return {
        "events": options.events,
        "booking_changes": options.bookings,
        "drained_s": [round(each["events_s"], 1) for each in rounds],
        "bookings_in_force_s": [round(each["bookings_s"], 1) for each in rounds],
        "is_in_order": all(each["is_in_order"] for each in rounds),
        "scan_to_unlock_offline_ms": offline,
        "scan_to_unlock_draining_ms": online,
        "ratio_p50": round(online["p50"] / max(1e-9, offline["p50"]), 2),
        "ratio_p99": round(online["p99"] / max(1e-9, offline["p99"]), 2),
        "scans_draining": sum(len(each["online_ms"]) for each in rounds),
        "lost_scans": sum(each["lost_scans"] for each in rounds),
    }


def run_week(options: WeekOptions) -> dict[str, Any]:
    """Let weeks pass and end; return the figures."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
