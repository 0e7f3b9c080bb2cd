# SPDX-License-Identifier: Apache-2.0
"""Kills and bad links while events happen: what the platform holds in the end.

The law of the module: gateway and broker are killed with SIGKILL in an order of chance,
each in the midst of events of which some have come home and others have not, so that no
kill is wasted on what was dead or idle. The gateway's link runs through the proxy, and
its faults take turns. The verdict compares the platform's table with the journal's
file, number by number and hash by hash; the seed of chance is printed.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from cloud_sync.transport.tcp_proxy import (
    HALF_OPEN,
    ONE_BYTE_A_SECOND,
    Link,
    TcpProxy,
)
from edge.cli.bench.errors import BenchError
from edge.cli.bench.sync.stage import GATEWAY, Stage, journal_hashes, staged
from edge.cli.bench.sync.writer import LOST, allow, promised
from edge.cli.children import Child

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What is bad about the link, and for how long: a client that hears nothing of what it
#: sent leaves after 5 s. Drop and reset are acts.
FAULTS: tuple[tuple[Link | str, float], ...] = (
    (HALF_OPEN, 6.5),
    ("drop", 0.0),
    (ONE_BYTE_A_SECOND, 6.5),
    ("reset", 0.0),
    (Link(delay_s=0.05), 1.0),
)
#: Of a killed gateway's or node's return, at the worst: a cluster elects anew.
HOME_WITHIN_S = 240.0
SETTLED_WITHIN_S = 180.0
#: From the first of the events that came home to the deed, in the midst of the others.
PAUSE_S = (0.0, 0.1)
#: Between two events: those of one deed take some tenths of a second.
PACE_MS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOptions:
    """How much of it; ``seed`` of the moments and of who is killed when."""

    broker: str = "mosquitto"
    events: int = 10_000
    gateway_kills: int = 50
    broker_kills: int = 50
    faults: int = 20
    seed: int = 0


class _Gateway:
    """The writing gateway, killed and started again."""

    def __init__(self, folder: Path, ports: Sequence[int], events: int) -> None:
        self.folder = folder
        words = ["edge.cli.bench.sync.writer", "--state", str(folder)]
        words += ["--gateway", GATEWAY, "--ports", ",".join(map(str, ports))]
        words += ["--events", str(events), "--pace-ms", str(PACE_MS)]
        self.child = Child(name="gateway", words=words, logs=folder)

    async def kill(self) -> None:
        """Kill it; BenchError if it had ended by itself, with what it said."""
        process = self.child.process
        if process is None or not self.child.is_running:
            is_lost = process is not None and process.returncode == LOST
            gone = f"{promised(self.folder)} were promised, and the journal has less"
            why = gone if is_lost else self.child.log_tail(5)
            raise BenchError(f"the gateway ended by itself: {why}")
        self.child.kill()
        await process.wait()


async def _act(link: TcpProxy, fault: Link | str, for_s: float) -> None:
    """Let the link be bad for a while, or cut it."""
    if isinstance(fault, Link):
        async with link.being(fault):
            await asyncio.sleep(for_s)
    elif fault == "drop":
        link.drop()
    else:
        link.reset()


def _deeds(options: ChaosOptions, random: Random) -> list[str]:
    deeds = ["gateway"] * options.gateway_kills + ["broker"] * options.broker_kills
    deeds += ["link"] * options.faults
    random.shuffle(deeds)
    return deeds


async def _rage(
    stage: Stage, gateway: _Gateway, links: list[TcpProxy], options: ChaosOptions
) -> None:
    random = Random(options.seed)  # noqa: S311  of moments, no secret
    faults, victims = itertools.cycle(FAULTS), itertools.cycle(stage.nodes)
    deeds = _deeds(options, random)
    before = 0
    for number, deed in enumerate(deeds, 1):
        after = options.events * number // (len(deeds) + 1)
        allow(gateway.folder, after)
        await stage.until_high(before + 1, HOME_WITHIN_S)
        before = after
        await asyncio.sleep(random.uniform(*PAUSE_S))
        match deed:
            case "gateway":
                await gateway.kill()
                await gateway.child.start()
            case "broker":
                node = next(victims)
                node.kill()
                await stage.restart(node)
            case _:
                fault = next(faults)
                await asyncio.gather(*(_act(link, *fault) for link in links))
    allow(gateway.folder, options.events)


async def _measure(options: ChaosOptions, folder: Path) -> dict[str, Any]:
    begun_s = time.monotonic()
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(folder, options.broker))
        links = [
            await stack.enter_async_context(TcpProxy(node.port)) for node in stage.nodes
        ]
        home = folder / "gateway"
        home.mkdir()
        (home / "platform.json").write_text(stage.keys_json, encoding="ascii")
        allow(home, 0)
        gateway = _Gateway(home, [link.port for link in links], options.events)
        await gateway.child.start()
        stack.push_async_callback(gateway.child.end)
        await _rage(stage, gateway, links, options)
        raged_s = time.monotonic()
        settled_s = await stage.until_high(options.events, SETTLED_WITHIN_S)
        await asyncio.sleep(0.5)  # for what might still come, and must not
        await gateway.child.end()
        held, counted = await stage.held(), await stage.counted()
    return verdict(options, held, journal_hashes(home / "journal.db")) | {
        **counted,
        "link_connections": sum(link.moved.connections for link in links),
        "raged_s": round(raged_s - begun_s, 1),
        "settled_s": round(settled_s - raged_s, 1),
    }


def verdict(
    options: ChaosOptions,
    held: list[tuple[int, bytes]],
    written: list[tuple[int, bytes]],
) -> dict[str, Any]:
    """Compare what the platform holds with what the journal has written."""
    numbers = [seq for seq, _ in held]
    lost = len(set(range(1, options.events + 1)) - set(numbers))
    doubled = len(numbers) - len(set(numbers))
    return {
        "broker": options.broker,
        "events": options.events,
        "gateway_kills": options.gateway_kills,
        "broker_kills": options.broker_kills,
        "link_faults": options.faults,
        "seed": options.seed,
        "stored": len(held),
        "lost": lost,
        "doubled": doubled,
        "same_as_journal": held == written,
        "is_good": not lost and not doubled and held == written,
    }


def run_chaos(options: ChaosOptions) -> dict[str, Any]:
    """Rage, settle, compare; return the figures."""
    if not options.seed:
        options = replace(options, seed=secrets.randbits(32))
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
