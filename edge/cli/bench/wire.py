# SPDX-License-Identifier: Apache-2.0
"""``menshen bench wire``: where the time goes between a device and the unlock frame.

The law of the module: each figure says through what it was measured. ``wire`` is
reckoned from bytes and rate, ``device`` is what its documents say, ``ours`` is
measured: readers through a real gateway process on pseudo-terminals, the journal's
commit included (the median of three rounds, as ``bench scan`` has it), boards from
the order to their frame, in process. An identity card takes its scrypt on top, on
purpose: that is told beside it.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from edge.cli.bench.scan import ROUNDS, summary
from edge.cli.bench.wire_boards import BITS_PER_BYTE, boards
from edge.cli.bench.wire_floor import floor
from edge.cli.bench.wire_house import Board, WireHouse
from edge.cli.bench.wire_osdp import REPLY_DELAY_S, osdp
from edge.cli.bench.wire_site import BAUD, make_wire_site, simulated
from edge.cli.children import free_port
from firmware_sim.pseudo_terminal import PseudoTerminal
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import Site
from firmware_sim.world import World

if TYPE_CHECKING:
    from edge.bindings.tokens import TokenMaker

SCRYPTS = 5
#: Bytes of what a reader says: a code of the bench with its end, a tag's answer inside
#: the secure channel, the answer to 30 01 with text and photo.
_CODE_BYTES, _TAG_BYTES, _CARD_BYTES = 26, 30, 1_295
#: The card's own work while it is read (SAM_V; a recollection: 0.5 to 1.2 s).
_CARD_WORK_MS = 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WireOptions:
    """How many come to each scanner, to all tag readers, and with identity cards."""

    codes: int = 90
    tags: int = 150
    cards: int = 20
    idle_for_s: float = 20.0


async def _through_gateway(options: WireOptions, folder: Path) -> dict[str, Any]:
    site = await make_wire_site(
        folder,
        people=max(2 * options.codes, options.tags),
        cards=options.cards,
        broker_port=free_port(),
    )
    world = World(Site.from_mapping(simulated()))
    async with PtyHost(world, folder / "ports") as host:
        board = Board(PseudoTerminal(folder / "ports" / "board"))
        house = WireHouse(site, host, board)
        try:
            await house.start()
            idle = await house.idle_percent(options.idle_for_s)
            line = await house.codes("line", slice(options.codes))
            module = await house.codes("module", slice(options.codes, None))
            tags = await house.tags(options.tags)
            cards = await house.cards()
        finally:
            await house.end()
    bare = folder / "floor"
    bare.mkdir()
    floor_ms = await floor(site, bare, options.codes)
    return {
        "readers": {
            "qr_line": _reader(line, _CODE_BYTES, 9_600, None),
            "qr_gm65": _reader(module, _CODE_BYTES, 9_600, None),
            "osdp": _reader(tags, _TAG_BYTES, BAUD, REPLY_DELAY_S * 1000),
            "id_card_sam": {
                **_reader(cards, _CARD_BYTES, 115_200, _CARD_WORK_MS),
                "of_which_scrypt_ms": _scrypt_ms(site.bench.tokens),
            },
        },
        "floor": _floor(floor_ms),
        "lost": house.lost,
        "idle_cpu_percent_8_devices": idle,
    }


def _reader(
    waits_ms: list[float], size: int, baud: int, device_ms: float | None
) -> dict[str, object]:
    """Return one reader's line; ``device_ms`` None: no document says."""
    ours = _in_rounds(waits_ms)
    return {
        "through": "gateway process on ptys",
        "wire_in_ms": round(size * BITS_PER_BYTE * 1000 / baud, 2),
        "device_ms": device_ms,
        "ours_p50_ms": round(ours["p50"], 2),
        "ours_p99_ms": round(ours["p99"], 2),
        "scans": len(waits_ms),
    }


def _floor(waits_ms: list[float]) -> dict[str, object]:
    bare = _in_rounds(waits_ms)
    return {
        "through": "a bare loop that reads, commits and unlocks, on ptys",
        "p50_ms": round(bare["p50"], 2),
        "p99_ms": round(bare["p99"], 2),
    }


def _in_rounds(waits_ms: list[float]) -> dict[str, float]:
    """Return the medians of the rounds' figures: one hiccup spoils one round."""
    size = max(1, len(waits_ms) // ROUNDS)
    starts = range(0, len(waits_ms), size)
    return summary([waits_ms[start : start + size] for start in starts][:ROUNDS])


def _scrypt_ms(tokens: TokenMaker) -> float:
    spent_ms = []
    for _ in range(SCRYPTS):
        begun_s = time.perf_counter()
        tokens.id_card(bytearray(b"990105198002290017"))
        spent_ms.append((time.perf_counter() - begun_s) * 1000)
    return round(median(spent_ms), 1)


async def _measure(options: WireOptions, folder: Path) -> dict[str, Any]:
    found = await _through_gateway(options, folder)
    return {**found, "osdp": await osdp(folder / "osdp"), "boards": boards()}


def run_wire(options: WireOptions) -> dict[str, Any]:
    """Measure and return the figures; it takes about two and a half minutes."""
    gc.freeze()  # what is loaded by now is not looked at while something is timed
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
