# SPDX-License-Identifier: Apache-2.0
"""The live view of a demonstration: doors, lockers, verdicts, what waits, mishaps.

The law of the module: it shows what the control socket says of the standing and what
the journal file says of the verdicts; where no terminal is, verdicts are plain lines.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import segno
from rich.columns import Columns
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edge.cli.demo.journal_file import read_journal
from edge.cli.demo.view import QUIET, STYLES, line
from edge.control.client import ControlError, ask

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, RenderableType

    from edge.cli.demo.mishaps import Mishaps
    from edge.cli.demo.tablet import Tablet

POLL_S = 0.25
VERDICTS = 9


class Screen:
    """Follows one demonstration until cancelled."""

    def __init__(
        self,
        console: Console,
        *,
        journal: Path,
        socket: Path,
        offset_hours: int,
        mishaps: Mishaps,
        tablet: Tablet | None,
    ) -> None:
        self._console = console
        self._journal = journal
        self._socket = socket
        self._offset = timedelta(hours=offset_hours)
        self._mishaps = mishaps
        self._tablet = tablet
        self._after = 0
        self._verdicts: deque[Text] = deque(maxlen=VERDICTS)

    async def run(self) -> None:
        """Show until cancelled."""
        if not self._console.is_terminal:
            while True:
                for text in await self._news():
                    self._console.print(text, soft_wrap=True)
                await asyncio.sleep(POLL_S)
        with Live(console=self._console, refresh_per_second=8, screen=False) as live:
            while True:
                self._verdicts.extend(await self._news())
                live.update(await self._picture())
                await asyncio.sleep(POLL_S)

    async def _news(self) -> list[Text]:
        events = await asyncio.to_thread(read_journal, self._journal, self._after)
        self._after = events[-1].place if events else self._after
        return [
            Text(line(event, self._offset), style=STYLES.get(event.core["k"], "dim"))
            for event in events
            if event.core["k"] not in QUIET
        ]

    async def _picture(self) -> RenderableType:
        status: dict[str, Any] = {}
        with suppress(ControlError):
            status = await asyncio.to_thread(ask, self._socket, "status")
        standing = _standing(status) if status else Text("the gateway is starting …")
        parts: list[RenderableType] = [
            Columns([Panel(standing, title="门神 · standing"), self._address()]),
            Panel(Group(*self._verdicts), title="last verdicts · 刚才"),
        ]
        if self._mishaps.now:
            parts.append(Text("⚠ " + ", ".join(self._mishaps.now), style="bold yellow"))
        return Group(*parts)

    def _address(self) -> RenderableType:
        if self._tablet is None:
            return Text("")
        drawn = StringIO()
        code = segno.make(self._tablet.url, micro=False)
        code.terminal(drawn, compact=True, border=1)
        lines = [Text(line) for line in self._tablet.lines]
        return Panel(
            Group(Text.from_ansi(drawn.getvalue()), *lines),
            title="panel · 面板: open it, pair the tablet, press 我来值班",
        )


def _standing(status: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for door in status["doors"].values():
        table.add_row(door["name"], door["mode"], _phase(door["phase"]))
    for bank in status["banks"].values():
        cells = " ".join(
            f"{number}{_CELLS.get(phase, '?')}"
            for number, phase in bank["compartments"].items()
        )
        table.add_row(bank["name"], "", cells)
    events, platform = status["events"], status["platform"]
    age = platform["last_ack_age_s"]
    acked = "not yet" if age is None else f"{age:.0f} s ago"
    table.add_row("waiting to sync", "", f"{events['waiting']} · last ack {acked}")
    link = "connected" if platform["connected"] else "away, doors go on"
    table.add_row("platform", "", link)
    troubles = [one for one in status["devices"].values() if not one["online"]]
    if not troubles:
        table.add_row("devices", "", "all well")
    for device in troubles:
        table.add_row("in trouble", device["name"], _why(device))
    return table


def _why(device: dict[str, Any]) -> Text:
    """Say what is wrong with a device, in the words of its link or driver."""
    fault = device.get("fault")
    return Text(fault["why"] if fault else "silent", style="yellow")


_CELLS = {"FREE": "·", "HELD": "○", "OCCUPIED": "●", "OPEN": "◣", "FAULT": "✗"}


def _phase(phase: str) -> Text:
    styles = {"SECURE": "dim", "RELEASED": "bold green", "OPEN": "bold cyan"}
    return Text(phase.replace("_", " ").lower(), style=styles.get(phase, "bold red"))
