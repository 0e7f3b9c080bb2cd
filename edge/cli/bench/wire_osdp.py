# SPDX-License-Identifier: Apache-2.0
"""OSDP by the clock: cards, a reader that comes back, four readers from nothing.

The law of the module: the real link on a pseudo-terminal, the readers at the rate that
their wire has, polled every 50 ms. A card's time runs from the hand to the driver's
signal; a reader's from its plug to a card that was held up at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from drivers.device import Reachable, TagRead
from drivers.links.opening import open_link
from drivers.registry import DRIVERS, Unit, build
from edge.cli.bench.process_figures import SiteError
from edge.cli.bench.scan import at
from edge.cli.bench.wire_site import BAUD, KEYS, READERS, TAG_FORMAT, osdp_readers
from firmware_sim.happening import What
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import Site
from firmware_sim.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.device import Signal
    from firmware_sim.happening import Happening

#: From a command's end to its answer, as usual readers take (osdp.md's simulators).
REPLY_DELAY_S = 0.003
CARDS = 300
RETURNS = 3
AWAY_S = 3.0
SECURE_WITHIN_S = 10.0
ANSWER_WITHIN_S = 5.0
SHOWN_EVERY_S = 0.2


class _Ear:
    """What the driver told, and when; waits for one thing at a time."""

    def __init__(self) -> None:
        self.found: dict[int, float] = {}
        self._tag: asyncio.Future[float] | None = None
        self._all_found: asyncio.Future[float] | None = None

    def hear(self, signals: list[Signal]) -> None:
        now_s = time.monotonic()
        for signal in signals:
            if isinstance(signal, Reachable):
                self.found[signal.unit] = now_s
                is_whole = len(self.found) == len(READERS)
                if is_whole and self._all_found and not self._all_found.done():
                    self._all_found.set_result(now_s)
            elif isinstance(signal, TagRead) and self._tag and not self._tag.done():
                self._tag.set_result(now_s)

    async def all_found(self) -> float:
        self._all_found = asyncio.get_running_loop().create_future()
        return await asyncio.wait_for(self._all_found, SECURE_WITHIN_S)

    async def tag(self, within_s: float = ANSWER_WITHIN_S) -> float:
        self._tag = asyncio.get_running_loop().create_future()
        return await asyncio.wait_for(self._tag, within_s)


async def osdp(folder: Path) -> dict[str, object]:
    """Return the figures of four readers on one pair."""
    readers = osdp_readers(reply_delay_s=REPLY_DELAY_S)
    world = World(
        Site.from_mapping({"ports": {"tags": {"kind": "osdp_bus", "readers": readers}}})
    )
    units = [Unit(address=unit, options={"scbk": KEYS[unit]}) for unit in READERS]
    ear = _Ear()
    async with PtyHost(world, folder, wire_time=True) as host:
        link = open_link(
            DRIVERS["osdp"],
            str(host.path("tags")),
            BAUD,
            build("osdp", units),
            ear.hear,
            now=time.monotonic,
            on_state=lambda _is_open, _why: None,
        )
        begun_s = time.monotonic()
        running = asyncio.create_task(link.run())
        try:
            secure_s = await ear.all_found() - begun_s
            waits_ms = await _cards(host, ear)
            back_s = await _returns(host, ear)
        except TimeoutError:
            raise SiteError("an OSDP reader did not answer in time") from None
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
    waits_ms.sort()
    return {
        "through": "driver and real link on a pty, wire time at 115200 baud",
        "poll_ms": 50,
        "card_to_event_ms": {
            "p50": round(at(waits_ms, 0.50), 1),
            "p99": round(at(waits_ms, 0.99), 1),
            "max": round(waits_ms[-1], 1),
        },
        "four_secure_s": round(secure_s, 3),
        "back_usable_s": {
            "median": round(median(back_s), 3),
            "max": round(max(back_s), 3),
        },
    }


async def _cards(host: PtyHost, ear: _Ear) -> list[float]:
    waits_ms = []
    for index in range(CARDS):
        # Not in step with the polls.
        await asyncio.sleep(0.02 + 0.0037 * (index % 17))
        reader, begun_s = f"tag-{READERS[index % len(READERS)]}", host.now()
        _swipe(host, reader, index)
        waits_ms.append((await ear.tag() - begun_s) * 1000)
    return waits_ms


async def _returns(host: PtyHost, ear: _Ear) -> list[float]:
    """Pull a reader off its pair, again and again, and hold a card to it on return.

    What is shown before the channel stands is dropped, so it is shown anew, as by
    somebody who waits for the lamp.
    """
    waits_s = []
    for index in range(RETURNS):
        plugged = asyncio.get_running_loop().create_future()

        def watch(
            happenings: tuple[Happening, ...],
            plugged: asyncio.Future[float] = plugged,
        ) -> None:
            for one in happenings:
                if one.what is What.PLUGGED and not plugged.done():
                    plugged.set_result(one.at)

        forget = host.watch(watch)
        away_s = AWAY_S + 0.17 * index
        host.act(partial(host.hand.pull_reader_wire, "tag-2", off_s=away_s))
        begun_s = await asyncio.wait_for(plugged, away_s + ANSWER_WITHIN_S)
        forget()
        waits_s.append(await _read_at_last(host, ear, CARDS + index) - begun_s)
    return waits_s


async def _read_at_last(host: PtyHost, ear: _Ear, number: int) -> float:
    for _ in range(int(ANSWER_WITHIN_S / SHOWN_EVERY_S)):
        _swipe(host, "tag-2", number)
        with contextlib.suppress(TimeoutError):
            return await ear.tag(SHOWN_EVERY_S)
    raise TimeoutError


def _swipe(host: PtyHost, reader: str, number: int) -> None:
    host.act(lambda now: host.hand.swipe(reader, TAG_FORMAT, 900_000 + number, now))
