# SPDX-License-Identifier: Apache-2.0
"""What the verbs of alarms do.

The law of the module: a verb writes its rows and ends; a running platform finds them
there and calls, or stops calling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform import registry
from cloud_sync.platform.alarms import call_list
from cloud_sync.platform.alarms.answering import answer
from cloud_sync.platform.alarms.call_list import COLUMNS, CallListError, read_list
from cloud_sync.platform.reports.alarms import alarms, responses
from cloud_sync.platform.reports.table import Table
from edge.cli.platform.duty_work import write
from edge.cli.platform.questions import ask_with
from edge.cli.platform.work import ask_and_show, told
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span
    from edge.cli.platform.shown import Form


def show_alarms(
    path: Path,
    days: tuple[datetime | None, datetime | None],
    gateway: str,
    how: str,
    form: Form,
) -> None:
    """Show alarms: all, the open ones, or a summary."""

    async def listed(work: Work, span: Span) -> Table:
        return await alarms(work, span, only_open=how == "open")

    ask_with(path, responses if how == "summary" else listed, days, gateway, form)


def answer_alarm(path: Path, alarm: str, by: str, note: str) -> None:
    """Answer an alarm."""

    async def work(work: Work, _: int) -> str:
        return await answer(work, alarm, by, note, wall_ms())

    print(write(path, work))


def import_contacts(path: Path, file: Path, gateways: list[str]) -> None:
    """Put a list in the place of those of the gateways."""
    with told():
        try:
            contacts = read_list(str(file), file.read_bytes())
        except OSError as fault:
            raise CallListError(f"{file}: {fault.strerror}") from fault

    async def work(work: Work, _: int) -> str:
        for gateway in gateways:
            await registry.known(work, gateway)
            await call_list.keep(work, gateway, contacts)
        rounds = len({each.round for each in contacts})
        whose = ", ".join(gateways)
        return f"{whose}: {len(contacts)} contacts in {rounds} rounds"

    print(write(path, work))


def show_contacts(path: Path, gateway: str, form: Form) -> None:
    """Show a call list, with who is on duty now."""

    async def ask(work: Work, offset_ms: int) -> Table:
        await registry.known(work, gateway)
        now_ms = wall_ms()
        return Table(
            columns=(*COLUMNS, "on_duty"),
            rows=[
                (
                    *(each.round, each.who, each.reach, each.hours),
                    "yes" if each.is_on_duty(now_ms, offset_ms) else "no",
                )
                for each in await call_list.of(work, gateway)
            ],
        )

    ask_and_show(path, ask, form)
