# SPDX-License-Identifier: Apache-2.0
"""What the verbs of duty do: list shifts, confirm one, confirm a month.

The law of the module: a month is confirmed by its summary, twice the same reckoning
in one transaction with the confirming; what somebody has to ask about is never in it.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from cloud_sync.platform import registry
from cloud_sync.platform.application import open_database
from cloud_sync.platform.confirmations import ConfirmationError, confirm
from cloud_sync.platform.reports.duty import duty
from cloud_sync.platform.reports.shifts import shifts
from cloud_sync.platform.reports.stored import Span
from cloud_sync.platform.settings import read_settings
from cloud_sync.platform.shift import ERASED
from edge.cli.platform.work import ask_and_show, told
from edge.cli.system_clock import wall_ms
from edge.core.duty.shift import ShiftState, month_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.table import Table
    from cloud_sync.platform.shift import Shift
    from edge.cli.platform.shown import Form

DAY_MS = 86_400_000
MINUTE_MS = 60_000
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a local day; its offset is a number
#: What is confirmed by the month, as it was measured.
_CLEAR = frozenset({ShiftState.PROVISIONAL, ShiftState.CORRECTED})
_EVER_MS = 1 << 52


def list_shifts(path: Path, month: str, gateway: str, form: Form) -> None:
    """Show a month's shifts."""

    async def ask(work: Work, offset_ms: int) -> Table:
        return await duty(work, _span(month, offset_ms, gateway))

    with told():
        _span(month, 0, gateway)
    ask_and_show(path, ask, form)


def confirm_one(  # noqa: PLR0917
    path: Path, gateway: str, name: str, by: str, minutes: int | None, reason: str
) -> None:
    """Confirm a shift's minutes, as they stand or others with a reason."""

    async def work(work: Work, offset_ms: int) -> str:
        await registry.known(work, gateway)
        span = Span(
            from_ms=-_EVER_MS,
            to_ms=_EVER_MS,
            utc_offset_ms=offset_ms,
            gateway=gateway,
        )
        found = [each for each in await shifts(work, span) if each.name == name]
        if not found:
            raise ConfirmationError(
                f"{gateway} has no shift {name}; `menshen platform duty` lists them"
            )
        [shift] = found
        agreed = shift.minutes if minutes is None else minutes
        is_told = await confirm(work, gateway, [(shift, agreed)], by, reason, wall_ms())
        was = "" if agreed == shift.minutes else f" in place of {shift.minutes}"
        line = f"{gateway} {name}: {agreed} minutes{was}, confirmed by {by}"
        return line if is_told else f"{line}\n{_no_feed(gateway)}"

    print(write(path, work))


def confirm_all(
    path: Path, month: str, gateway: str, by: str, *, is_sure: bool
) -> None:
    """Say what a month comes to, and with ``is_sure`` confirm it."""

    async def work(work: Work, offset_ms: int) -> str:
        if gateway:
            await registry.known(work, gateway)
        span = _span(month, offset_ms, gateway)
        found = await shifts(work, span)
        clear = [each for each in found if _is_clear(each)]
        lines = [*_summary(found, clear)]
        if not is_sure:
            return "\n".join([*lines, "nothing is confirmed yet; to do it: --yes"])
        by_gateway: dict[str, list[tuple[Shift, int]]] = defaultdict(list)
        for each in clear:
            by_gateway[each.gateway].append((each, each.minutes))
        for name, agreed in sorted(by_gateway.items()):
            if not await confirm(work, name, agreed, by, "", wall_ms()):
                lines.append(_no_feed(name))
        return "\n".join([*lines, f"{len(clear)} shifts confirmed by {by}"])

    print(write(path, work))


def _summary(found: list[Shift], clear: list[Shift]) -> list[str]:
    people: dict[str, list[int]] = defaultdict(list)
    for each in clear:
        people[each.holder].append(each.minutes)
    lines = [
        f"{who}: {len(minutes)} shifts, {sum(minutes)} minutes"
        for who, minutes in sorted(people.items())
    ]
    total = sum(each.minutes for each in clear)
    lines.append(f"in all {len(clear)} shifts of {len(people)}, {total} minutes")
    states = [each.state for each in found]
    for state, what in (
        (ShiftState.TO_CONFIRM, "with a forgotten end: ask, then `confirm-duty`"),
        (ShiftState.RUNNING, "run still"),
        (ShiftState.CONFIRMED, "are confirmed already"),
    ):
        if state in states:
            lines.append(f"not among them: {states.count(state)} {what}")
    return lines


def _is_clear(shift: Shift) -> bool:
    return shift.state in _CLEAR and shift.holder != ERASED


def _no_feed(gateway: str) -> str:
    return f"{gateway}: has no feed yet; it hears of this with the first rows import"


def _span(month: str, offset_ms: int, gateway: str) -> Span:
    """Return a local month's span; ConfirmationError if it is none."""
    told_month = month or month_of(wall_ms(), offset_ms)
    found = _MONTH.fullmatch(told_month)
    if found is None:
        raise ConfirmationError(f"--month: expected YYYY-MM, got {month!a}")
    year, number = (int(each) for each in found.groups())
    first = datetime(year, number, 1)  # noqa: DTZ001
    after = datetime(year + number // 12, number % 12 + 1, 1)  # noqa: DTZ001
    return Span(
        from_ms=(first - _EPOCH).days * DAY_MS - offset_ms,
        to_ms=(after - _EPOCH).days * DAY_MS - offset_ms,
        utc_offset_ms=offset_ms,
        gateway=gateway,
    )


def write(path: Path, change: Callable[[Work, int], Awaitable[str]]) -> str:
    """Do something in one transaction; it gets the UTC offset in ms."""
    with told():
        settings = read_settings(path)
        offset_ms = settings.platform.utc_offset_min * MINUTE_MS

        async def write() -> str:
            async with (
                open_database(settings, path.parent) as base,
                base.writing() as work,
            ):
                return await change(work, offset_ms)

        return asyncio.run(write())
