# SPDX-License-Identifier: Apache-2.0
"""The live view of several sites: what each says, and what the platform has of it.

The law of the module: verdicts come from each gateway's journal file, what is stored
from the platform's own; where no terminal is, they are plain lines.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edge.cli.demo.journal_file import read_journal
from edge.cli.demo.platform_file import committed
from edge.cli.demo.view import QUIET, STYLES, line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from edge.cli.demo.mishaps import Mishaps
    from edge.cli.demo.neighbours import Neighbours
    from edge.cli.demo.play import Play

POLL_S = 0.25
#: Without a terminal the standing is a line, so often.
TELL_EVERY_S = 3.0
VERDICTS = 12


class _Row(NamedTuple):
    gateway: str
    site: str
    recorded: int
    stored: int
    link: str


class WideScreen:
    """Follows the sites until cancelled."""

    def __init__(
        self, console: Console, sites: Neighbours, mishaps: Mishaps, panel_url: str
    ) -> None:
        self._console = console
        self._sites = sites
        self._mishaps = mishaps
        self._panel_url = panel_url
        self._after = dict.fromkeys(sites.houses, 0)
        self._verdicts: deque[Text] = deque(maxlen=VERDICTS)

    async def run(self) -> None:
        """Show until cancelled."""
        if not self._console.is_terminal:
            await self._tell()
        with Live(console=self._console, refresh_per_second=8, screen=False) as live:
            while True:
                self._verdicts.extend(await self._news())
                live.update(self._picture(await self._standing()))
                await asyncio.sleep(POLL_S)

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        told_s = loop.time()
        while True:
            for text in await self._news():
                self._console.print(text, soft_wrap=True)
            if loop.time() - told_s >= TELL_EVERY_S:
                told_s = loop.time()
                rows = await self._standing()
                said = " · ".join(
                    f"{row.gateway} {row.stored} of {row.recorded}" for row in rows
                )
                text = Text(f"the platform has committed: {said}", style="dim")
                self._console.print(text, soft_wrap=True)
            await asyncio.sleep(POLL_S)

    async def _news(self) -> list[Text]:
        found: list[tuple[int, Text]] = []
        width = max(map(len, self._sites.houses))
        for name, house in self._sites.houses.items():
            offset = timedelta(hours=house.settings.site.utc_offset_hours)
            after = self._after[name]
            path = house.stage.journal
            events = await asyncio.to_thread(read_journal, path, after)
            self._after[name] = events[-1].place if events else after
            found += [
                (
                    event.core["lo"],
                    Text(
                        f"{name:{width}}  {line(event, offset)}",
                        style=STYLES.get(event.core["k"], "dim"),
                    ),
                )
                for event in events
                if event.core["k"] not in QUIET
            ]
        return [text for _, text in sorted(found, key=lambda each: each[0])]

    async def _standing(self) -> list[_Row]:
        stored = await asyncio.to_thread(committed, self._sites.database)
        statuses = await asyncio.gather(
            *(house.status() for house in self._sites.houses.values())
        )
        return [
            _row(name, house, status, stored.get(name, 0))
            for (name, house), status in zip(
                self._sites.houses.items(), statuses, strict=True
            )
        ]

    def _picture(self, rows: list[_Row]) -> RenderableType:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for title in ("gateway", "site", "recorded", "at the platform", "line"):
            table.add_column(title)
        for row in rows:
            is_level = row.stored == row.recorded
            stored = Text(str(row.stored), style="green" if is_level else "yellow")
            table.add_row(row.gateway, row.site, str(row.recorded), stored, row.link)
        parts: list[RenderableType] = [
            Panel(table, title="门神 · sites and their platform"),
            Panel(Group(*self._verdicts), title="last verdicts · 刚才"),
        ]
        if self._panel_url:
            parts.append(Text(f"panel of the first site: {self._panel_url}"))
        if self._mishaps.now:
            parts.append(Text("⚠ " + ", ".join(self._mishaps.now), style="bold yellow"))
        return Group(*parts)


def _row(name: str, house: Play, status: dict[str, object], stored: int) -> _Row:
    site = house.settings.site.name
    if not status:
        return _Row(name, site, 0, stored, "the gateway is starting …")
    events, platform = status["events"], status["platform"]
    assert isinstance(events, dict)  # noqa: S101  as status.py has it
    assert isinstance(platform, dict)  # noqa: S101
    link = "connected" if platform["connected"] else "away, doors go on"
    return _Row(name, site, events["last_seq"], stored, link)
