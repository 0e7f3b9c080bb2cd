# SPDX-License-Identifier: Apache-2.0
"""The small site with its rules, its listeners and its self-test, without a gateway."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from drivers.device import InputChanged, Unreachable
from edge.bindings.bindings import Bindings
from edge.bindings.tokens import TokenMaker
from edge.cli.self_test import HOUR_MS, SelfTest
from edge.cli.site_wiring import wiring_of
from edge.cli.supervision import Supervision
from edge.core.controller import Controller
from edge.core.moment import Moment
from edge.settings.site_file import load
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from drivers.device import Signal
    from drivers.links.link import Link
    from edge.core.stimulus import Noted

OFFSET_MS = 8 * HOUR_MS
DAY_S = 86_400.0


def at(clock: str, *, monotonic_s: float = 100_000.0, unsure_ms: int = 20) -> Moment:
    """Return a moment by its local time ``day hour:minute:second``."""
    day, _, hour = clock.partition(" ")
    local = datetime.fromisoformat(f"2026-11-{day}T{hour}").replace(tzinfo=UTC)
    utc_ms = int((local - timedelta(hours=8)).timestamp() * 1000)
    return Moment(
        monotonic_s=monotonic_s,
        earliest_ms=utc_ms,
        latest_ms=utc_ms + unsure_ms,
        boot="b",
    )


class Bench:
    """The small site: its rules, who listens, and the self-test."""

    def __init__(self, folder: Path, *, answer_within_s: float) -> None:
        path = folder / "site.toml"
        path.write_text(TEXT, encoding="utf-8")
        self.settings = load(path)
        tokens = TokenMaker(site_id="s", site_key=bytes(32), epoch_salt=bytes(16))
        self.bindings = Bindings(wiring_of(self.settings), tokens)
        self.controller = Controller(self.settings.plan(), next_seq=1)
        self.notes: list[Noted] = []
        self.flushed: list[str] = []
        self.links: dict[str, Link] = {}
        self.utc_ms = at("22 03:00:00").earliest_ms
        self.supervision = Supervision(
            self.bindings,
            on_signals=self._signals,
            on_state=self._line,
            now=self._now_s,
        )
        self.self_test = SelfTest(
            self.bindings,
            self.supervision,
            self.controller,
            flush=self._flush,
            note=self.notes.append,
            now=self.now,
            utc_offset_ms=OFFSET_MS,
            answer_within_s=answer_within_s,
        )

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> Moment:
        now_s = self._now_s()
        utc_ms = self.utc_ms + int(now_s * 1000)
        return Moment(monotonic_s=now_s, earliest_ms=utc_ms, latest_ms=utc_ms, boot="b")

    def _signals(self, port: str, signals: list[Signal]) -> None:
        for signal in signals:
            self.bindings.translate(port, signal, self._now_s())

    def _line(self, port: str, is_open: bool, why: str) -> None:  # noqa: FBT001
        for its_port, unit in self.bindings.wiring.places.values():
            if its_port == port and not is_open:
                self._signals(port, [Unreachable(unit=unit, why=why)])

    def _flush(self, port: str) -> None:
        self.flushed.append(port)
        if port in self.links:
            self.links[port].flush_input()

    def results(self) -> dict[str, str | None]:
        """Return why each device failed, "" if it passed, None if it was not asked."""
        found = {d: self.supervision.of(d).tested for d in ("scanner", "board")}
        return {d: None if t is None else t.why for d, t in found.items()}

    def say(self, port: str, *signals: Signal) -> None:
        self.supervision.signals(port, list(signals))

    def tell_levels(self, *channels: int) -> None:
        told = (InputChanged(unit=1, channel=c, is_active=True) for c in channels)
        self.say("ports/board", *told)


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(bench.self_test.run())
    await asyncio.sleep(0)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
