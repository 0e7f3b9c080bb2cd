# SPDX-License-Identifier: Apache-2.0
"""``menshen bench door-feedback``: from a card's data to the verdict that is seen.

The law of the module: a real gateway process with a roster of 50,000 bookings and a
simulated OSDP reader on a pseudo-terminal. A wait runs from the moment in which the
reader handed its data over to the one in which its lamp shows the verdict; yes and no
take turns, so that each verdict changes the lamp. The floor reads, commits and moves
a relay on the same machine in the same run.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.bench.bench_site import (
    HEAD,
    BenchSite,
    booking_of,
    holder_of,
    make_site,
    write_roster,
)
from edge.cli.bench.scan import at
from edge.cli.bench.wire_floor import floor
from edge.cli.bench.wire_house import Board, WireHouse
from edge.cli.bench.wire_osdp import REPLY_DELAY_S
from edge.cli.bench.wire_site import BAUD, KEYS, TAG_FORMAT, WireSite, osdp_readers
from edge.cli.children import free_port
from firmware_sim.happening import What
from firmware_sim.osdp.cards import encoded
from firmware_sim.pseudo_terminal import PseudoTerminal
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import Site
from firmware_sim.world import World

if TYPE_CHECKING:
    from firmware_sim.happening import Happening

BUDGET_MS = 100.0
LOST_AFTER_S = 2.0
BETWEEN_S = 0.12
_FIRST_TAG = 700_000
_READER = """
[[access_point]]
id = "at-tag-1"
door = "door"
readers = ["tag-1"]
[[device]]
id = "tag-1"
driver = "osdp"
port = "ports/tags"
address = 1
baud = {baud}
options = {{ scbk = "{key}" }}
"""
_VERDICTS = ("green", "red")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackOptions:
    """How many bookings the roster holds, and how many cards are held out."""

    bookings: int = 50_000
    cards: int = 300


class _Lamp:
    """When the reader handed a card over, and when its lamp showed the verdict."""

    def __init__(self, host: PtyHost) -> None:
        self._host = host
        self._read_s: float | None = None
        self._shown: asyncio.Future[float] | None = None

    def watch(self, happenings: tuple[Happening, ...]) -> None:
        for one in happenings:
            if one.what is What.CARD_READ:
                self._read_s = one.at
            is_verdict = one.what is What.LAMP_SHOWN and one.detail in _VERDICTS
            if is_verdict and self._shown is not None and not self._shown.done():
                self._shown.set_result(one.at)

    async def wait_ms(self, number: int) -> float | None:
        """Hold a card out; return how long its verdict took, None if none came."""
        self._read_s, self._shown = None, asyncio.get_running_loop().create_future()
        hand = self._host.hand
        self._host.act(partial(hand.swipe, "tag-1", TAG_FORMAT, number))
        try:
            shown_s = await asyncio.wait_for(self._shown, LOST_AFTER_S)
        except TimeoutError:
            return None
        return None if self._read_s is None else (shown_s - self._read_s) * 1000


async def _site(folder: Path, options: FeedbackOptions) -> BenchSite:
    """Write a site whose first half of cards have bookings and whose others have none.

    Everybody else on the roster has one too, so that it is as long as it should be.
    """
    bench = await make_site(
        folder,
        credentials=options.bookings,
        bookings=options.bookings,
        rate=1,
        broker_port=free_port(),
    )
    reader = _READER.format(baud=BAUD, key=KEYS[1])
    bench.site.write_text(HEAD.format(port=free_port()) + reader, encoding="utf-8")
    cards = [_token(bench, number) for number in range(options.cards)]
    codes = bench.people[: options.bookings - options.cards // 2]
    known = cards + [bench.tokens.code(code) for code in codes]
    rows = [holder_of(n, credential) for n, credential in enumerate(known)]
    booked = [n for n in range(len(known)) if n >= options.cards or n % 2 == 0]
    rows += map(booking_of, booked)
    await write_roster(folder, rows, rev=2)
    return bench


def _token(bench: BenchSite, number: int) -> Any:
    bits, told = encoded(TAG_FORMAT, _FIRST_TAG + number)
    return bench.tokens.tag("WIEGAND", bits, told)


async def _measure(options: FeedbackOptions, folder: Path) -> dict[str, Any]:
    bench = await _site(folder, options)
    readers = {"tag-1": osdp_readers(reply_delay_s=REPLY_DELAY_S)["tag-1"]}
    ports = {"tags": {"kind": "osdp_bus", "readers": readers}}
    site = WireSite(bench=bench, codes=bench.codes, tags=(), cards=())
    waits: list[float | None] = []
    async with PtyHost(
        World(Site.from_mapping({"ports": ports})), folder / "ports"
    ) as host:
        house = WireHouse(site, host, Board(PseudoTerminal(folder / "ports" / "board")))
        lamp = _Lamp(host)
        try:
            await house.start()
            host.watch(lamp.watch)
            for number in range(options.cards):
                waits.append(await lamp.wait_ms(_FIRST_TAG + number))
                # Not in step with the polls.
                await asyncio.sleep(BETWEEN_S + 0.0037 * (number % 13))
        finally:
            await house.end()
    bare = folder / "floor"
    bare.mkdir()
    return _figures(options, waits, await floor(site, bare, options.cards))


def _figures(
    options: FeedbackOptions, waits: list[float | None], floor_ms: list[float]
) -> dict[str, Any]:
    told, bare = sorted(w for w in waits if w is not None), sorted(floor_ms)
    p99_ms = at(told, 0.99)
    return {
        "bookings": options.bookings,
        "cards": len(waits),
        "lost": len(waits) - len(told),
        "verdict_p50_ms": round(at(told, 0.5), 2),
        "verdict_p99_ms": round(p99_ms, 2),
        "verdict_max_ms": round(told[-1], 2) if told else 0.0,
        "floor_p50_ms": round(at(bare, 0.5), 2),
        "floor_p99_ms": round(at(bare, 0.99), 2),
        "budget_ms": BUDGET_MS,
        "is_within": bool(told) and p99_ms <= BUDGET_MS and len(told) == len(waits),
    }


def run_door_feedback(options: FeedbackOptions) -> dict[str, Any]:
    """Measure and return the figures; it takes about two minutes."""
    gc.freeze()  # what is loaded by now is not looked at while something is timed
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
