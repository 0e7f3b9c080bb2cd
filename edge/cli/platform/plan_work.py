# SPDX-License-Identifier: Apache-2.0
"""What the verbs of the plan do: add, import, change, call off, list.

The law of the module: a file is taken whole or not at all, and every flaw is told with
its line. Times that people write are local; an end without a day is that of the
beginning, or of the night after it.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cloud_sync.platform import feeds, registry
from cloud_sync.platform.planning import Done, PlanError, Wish, call_off, plan
from cloud_sync.platform.plans import newest
from cloud_sync.platform.reports.plan import planned
from cloud_sync.platform.reports.stored import Span
from cloud_sync.platform.reports.table import local_time
from cloud_sync.platform.rows_file import decoded, utc_ms
from cloud_sync.platform.settings import read_settings
from edge.cli.platform.duty_work import write
from edge.cli.platform.work import ask_and_show, told
from edge.cli.system_clock import wall_ms
from edge.core.plan import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.plans import Plan
    from cloud_sync.platform.reports.table import Table
    from edge.cli.platform.shown import Form

_NEEDED = ("holder", "space", "from", "to")
_OPTIONAL = ("id", "task")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
#: A plan of some weeks; beyond it somebody took the wrong file.
FILE_BYTES = 1 << 20
#: As far ahead as one may plan.
DAYS = 62
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a local day; its offset is a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was typed of a shift; None: as it stands."""

    holder: str | None
    space: str | None
    begin: str | None
    end: str | None
    task: str | None


def add_one(path: Path, gateway: str, words: Words, by: str) -> None:
    """Plan one shift."""

    async def work(work: Work, offset_ms: int) -> str:
        wish = _wish(words, offset_ms)
        return _told(gateway, await _plan(work, gateway, [wish], by, ""), offset_ms)

    print(write(path, work))


def add_file(path: Path, gateway: str, file: Path, by: str, reason: str) -> None:
    """Plan a file's shifts."""
    with told():
        try:
            content = file.read_bytes()
        except OSError as fault:
            raise PlanError(f"{file}: {fault.strerror}") from fault
        offset_min = read_settings(path).platform.utc_offset_min
        wishes = read_plan(str(file), content, offset_min)

    async def work(work: Work, offset_ms: int) -> str:
        done = await _plan(work, gateway, wishes, by, reason)
        return _told(gateway, done, offset_ms)

    print(write(path, work))


def change_one(  # noqa: PLR0917
    path: Path, gateway: str, name: str, words: Words, by: str, reason: str
) -> None:
    """Change a planned shift."""

    async def work(work: Work, offset_ms: int) -> str:
        await registry.known(work, gateway)
        await feeds.hold(work, gateway)  # what stands is what is changed
        before = (await newest(work, gateway)).get((gateway, name))
        if before is None or before.is_off:
            raise PlanError(
                f"{gateway} has no planned shift {name}; `plan list` has them"
            )
        wish = _wish(words, offset_ms, before)
        done = await plan(work, gateway, [wish], by, reason, wall_ms())
        return _told(gateway, done, offset_ms)

    print(write(path, work))


def call_one_off(path: Path, gateway: str, name: str, by: str, reason: str) -> None:
    """Call a planned shift off."""

    async def work(work: Work, offset_ms: int) -> str:
        await registry.known(work, gateway)
        done = await call_off(work, gateway, name, by, reason, wall_ms())
        return _told(gateway, done, offset_ms)

    print(write(path, work))


def list_plans(
    path: Path,
    days: tuple[datetime | None, datetime | None],
    gateway: str,
    form: Form,
) -> None:
    """Show planned shifts from today on, or of these days."""
    first, last = days

    async def ask(work: Work, offset_ms: int) -> Table:
        today = (wall_ms() + offset_ms) // DAY_MS
        begin = today if first is None else (first - _EPOCH).days
        end = begin + DAYS if last is None else (last - _EPOCH).days
        if end < begin:
            raise PlanError("--to lies before --from")
        span = Span(
            from_ms=begin * DAY_MS - offset_ms,
            to_ms=(end + 1) * DAY_MS - offset_ms,
            utc_offset_ms=offset_ms,
            gateway=gateway,
        )
        return await planned(work, span)

    ask_and_show(path, ask, form)


def read_plan(name: str, content: bytes, offset_min: int) -> list[Wish]:
    """Return the wishes of a CSV's content; PlanError tells every flaw."""
    if len(content) > FILE_BYTES:
        raise PlanError(f"{name}: {len(content)} bytes, {FILE_BYTES} at most")
    reader = csv.reader(io.StringIO(decoded(name, content), newline=""), strict=True)
    wishes: list[Wish] = []
    flaws: list[str] = []
    try:
        columns = [column.strip() for column in next(reader, [])]
        _check_columns(name, columns)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                where = f"{name}:{reader.line_num}: "
                try:
                    wishes.append(_line(columns, cells, where, offset_min))
                except ValueError as flaw:
                    flaws.append(f"{where}{flaw}")
    except csv.Error as broken:
        flaws.append(f"{name}:{reader.line_num}: no CSV: {broken}")
    if flaws:
        raise PlanError("\n".join(flaws[:20]))
    return wishes


def _check_columns(name: str, columns: list[str]) -> None:
    missing = [each for each in _NEEDED if each not in columns]
    unknown = [each for each in columns if each not in _NEEDED + _OPTIONAL]
    if missing or unknown or len(set(columns)) != len(columns):
        known = ",".join(_NEEDED + _OPTIONAL)
        raise PlanError(
            f"{name}:1: the first line names the columns, each once: {known}"
        )


def _line(columns: list[str], cells: list[str], where: str, offset_min: int) -> Wish:
    if len(cells) != len(columns):
        raise ValueError(f"{len(cells)} fields for {len(columns)} columns")
    given = {key: cell.strip() for key, cell in zip(columns, cells, strict=True)}
    from_ms = _moment("from", given["from"], offset_min)
    return Wish(
        holder=given["holder"],
        space=given["space"],
        from_ms=from_ms,
        to_ms=_end(given["to"], from_ms, offset_min),
        task=given.get("task", ""),
        name=given.get("id", ""),
        where=where,
    )


def _wish(words: Words, offset_ms: int, before: Plan | None = None) -> Wish:
    """Return what was typed, and for the rest what stands."""
    offset_min = offset_ms // MINUTE_MS
    try:
        from_ms = before.from_ms if before else 0
        if words.begin is not None:
            from_ms = _moment("--from", words.begin, offset_min)
        to_ms = from_ms + before.minutes * MINUTE_MS if before else 0
        if words.end is not None:
            to_ms = _end(words.end, from_ms, offset_min)
    except ValueError as flaw:
        raise PlanError(str(flaw)) from flaw
    was = ("", "", "") if before is None else (before.holder, before.space, before.task)
    said = (words.holder, words.space, words.task)
    holder, space, task = (
        old if new is None else new for old, new in zip(was, said, strict=True)
    )
    return Wish(
        holder=holder,
        space=space,
        from_ms=from_ms,
        to_ms=to_ms,
        task=task,
        name=before.name if before else "",
    )


def _moment(field: str, text: str, offset_min: int) -> int:
    try:
        return utc_ms(text, offset_min)
    except ValueError as flaw:
        what = f"{field}: cannot read {text[:32]!a}; write it as 2026-03-02 09:00"
        raise ValueError(what) from flaw


def _end(text: str, from_ms: int, offset_min: int) -> int:
    """Return an end; one without a day is the first such time after the beginning."""
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return _moment("to", text, offset_min)
    local_ms = from_ms + offset_min * MINUTE_MS
    minute = int(clock.group(1)) * 60 + int(clock.group(2))
    end_ms = local_ms // DAY_MS * DAY_MS + minute * MINUTE_MS
    return end_ms + (DAY_MS if end_ms <= local_ms else 0) - offset_min * MINUTE_MS


async def _plan(
    work: Work, gateway: str, wishes: list[Wish], by: str, reason: str
) -> Done:
    await registry.known(work, gateway)
    return await plan(work, gateway, wishes, by, reason, wall_ms())


def _told(gateway: str, done: Done, offset_ms: int) -> str:
    lines = [*_lines(gateway, done, offset_ms)]
    if done.unchanged:
        lines.append(f"{gateway}: {done.unchanged} as before")
    if not done.is_told:
        lines.append(
            f"{gateway}: has no feed yet; it hears of this with the first rows import"
        )
    return "\n".join(lines) or f"{gateway}: nothing to plan"


def _lines(gateway: str, done: Done, offset_ms: int) -> Iterator[str]:
    for each in done.written:
        when = f"{_local(each.from_ms, offset_ms)} to {_local(each.to_ms, offset_ms)}"
        what = "called off" if each.is_off else f"in {each.space}"
        yield f"{gateway} {each.name}: {each.holder} {when}, {what}"


def _local(at_ms: int, offset_ms: int) -> str:
    return local_time(at_ms, offset_ms)[:-3]
