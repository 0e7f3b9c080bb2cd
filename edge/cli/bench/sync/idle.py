# SPDX-License-Identifier: Apache-2.0
"""What a gateway and its broker say to each other while nothing happens.

The law of the module: a whole gateway, its line through the proxy, which counts the
bytes of TCP's payload both ways; headers of TCP and IP come on top (40 bytes and more
a packet). Counting begins when everything that was to be told has been.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_sync.transport.tcp_proxy import TcpProxy
from edge.cli.bench.sync.house import House, living
from edge.cli.bench.sync.stage import staged

CALM_S = 3.0
HOME_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleOptions:
    """How long, and over which broker."""

    for_s: float = 120.0
    broker: str = "mosquitto"


def _is_home(house: House) -> bool:
    status = house.status()
    return bool(status) and not status["events"]["waiting"]


async def _measure(options: IdleOptions, folder: Path) -> dict[str, Any]:
    async with (
        staged(folder, options.broker) as stage,
        TcpProxy(stage.nodes[0].port) as link,
    ):
        home = folder / "gateway"
        home.mkdir()
        house = living(
            home, port=link.port, keys_json=stage.keys_json, events=0, rate=1
        )
        async with house as gateway:
            is_over = _after(lambda: _is_home(gateway), CALM_S)
            await asyncio.to_thread(gateway.serve, is_over, HOME_WITHIN_S)
            up, down = link.moved.up, link.moved.down
            begun_s = time.monotonic()
            await asyncio.to_thread(
                gateway.serve,
                lambda: time.monotonic() - begun_s > options.for_s,
                options.for_s + CALM_S,
            )
            spent_s = time.monotonic() - begun_s
            up, down = link.moved.up - up, link.moved.down - down
    return {
        "for_s": round(spent_s, 1),
        "up_bytes_per_s": round(up / spent_s, 2),
        "down_bytes_per_s": round(down / spent_s, 2),
        "bytes_per_s": round((up + down) / spent_s, 2),
    }


def _after(is_so: Any, calm_s: float) -> Any:
    """Return a claim that holds once ``is_so`` has held for so long."""
    since_s: list[float] = []

    def is_calm() -> bool:
        if not is_so():
            since_s.clear()
            return False
        since_s.append(time.monotonic())
        return since_s[-1] - since_s[0] >= calm_s

    return is_calm


def run_idle(options: IdleOptions) -> dict[str, Any]:
    """Do nothing for a while; return the figures."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
