# SPDX-License-Identifier: Apache-2.0
"""From a broker that is back to the platform's first commit after it.

The law of the module: events happen all the time, the broker is killed with SIGKILL
and started again half a second later, and the clock runs from the moment it lets
clients in. Before each the connection has stood for so long that it counts as good:
clients that lose one after the other wait longer and longer, as they should.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cloud_sync.client import STEADY_S
from edge.cli.bench.sync.stage import GATEWAY, staged
from edge.cli.children import Child

HOME_WITHIN_S = 60.0
#: Enough for any run: it is ended long before.
EVENTS = 1_000_000
PACE_MS = 20.0
#: How long a broker stays away: a restart, not a night.
AWAY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOptions:
    """Which broker, and how often it goes away."""

    broker: str = "mosquitto"
    times: int = 9


async def _measure(options: BackOptions, folder: Path) -> dict[str, Any]:
    waits_s = []
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(folder, options.broker))
        home, node = folder / "gateway", stage.nodes[-1]
        home.mkdir()
        (home / "platform.json").write_text(stage.keys_json, encoding="ascii")
        words = ["edge.cli.bench.sync.writer", "--state", str(home)]
        words += ["--gateway", GATEWAY, "--ports", str(node.port)]
        words += ["--events", str(EVENTS), "--pace-ms", str(PACE_MS)]
        gateway = Child(name="gateway", words=words, logs=home)
        await gateway.start()
        stack.push_async_callback(gateway.end)
        await stage.until_high(1, HOME_WITHIN_S)
        for _ in range(options.times):
            await asyncio.sleep(STEADY_S + 1.0)
            node.kill()
            await asyncio.sleep(AWAY_S)
            high = await stage.high()
            await stage.restart(node)
            begun_s = time.monotonic()
            waits_s.append(await stage.until_high(high + 1, HOME_WITHIN_S) - begun_s)
    return {
        "broker": options.broker,
        "away_s": AWAY_S,
        "first_event_s": round(median(waits_s), 2),
        "worst_s": round(max(waits_s), 2),
        "times": options.times,
    }


def run_back(options: BackOptions) -> dict[str, Any]:
    """Take the broker away and bring it back; return the figures."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
