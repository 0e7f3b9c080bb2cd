# SPDX-License-Identifier: Apache-2.0
"""What happened, for the panel: days in numbers, the log in rows, and exports.

The law of the module: a volunteer sees today, a manager what the journal holds; nobody
sees a name, a token or a holder. Of a booking its last four signs are told, of who was
on duty the first letter of the name. Rows are read in pieces; no answer looks at more
than MAX_LOOKED of them, it then says where to go on.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from edge.accounts.people import Role
from edge.cli.panel.day_tally import DAY_MS, QUARTER_MS, DayTally, told
from edge.cli.panel.record_rows import Wanted, row_of
from edge.core.event import EventKind
from edge.core.people.roster_row import masked
from edge.storage.lookback import FLICKER_MS, PIECE_ROWS

if TYPE_CHECKING:
    from edge.cli.panel.desk import Desk, Who
    from edge.control.server import Act
    from edge.core.plan import SitePlan
    from edge.storage.lookback import Lookback, Seen

ON_DUTY = frozenset({Role.VOLUNTEER, Role.MANAGER})
MANAGER = frozenset({Role.MANAGER})
#: Rows of a page, of a sheet for the printer, and of a piece of an export.
PAGE_ROWS = 50
MAX_ROWS = 200
#: Rows that one answer looks at: some 0.2 s of the reader's thread, in pieces.
MAX_LOOKED = 40_000
#: Days of one export: a year, and the day it began on.
MAX_DAYS = 366
#: How long an export may be fetched, and how many wait to be.
EXPORT_S = 600.0
MAX_EXPORTS = 8
FORMS = ("csv", "xlsx")
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Export:
    """One export that was written down: for whom, of what, and until when."""

    turn: str
    file_name: str
    first_ms: int
    end_ms: int
    until_s: float


class Records:
    """The verbs that look back."""

    def __init__(self, desk: Desk, journal: Lookback, site: SitePlan) -> None:
        self._desk = desk
        self._journal = journal
        self._site = site
        controller = desk.controller
        self._tally = DayTally(journal, site, controller.rolls)
        self._exports: dict[str, _Export] = {}

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {
            "today": self._today,
            "records": self._records,
            "export": self._export,
            "export-rows": self._export_rows,
        }

    async def _today(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return the last seven days in numbers, today with its curve."""
        who = self._desk.acting(request, ON_DUTY, is_own=is_own)
        now_ms = self._desk.now().earliest_ms
        today = self._tally.day_of(now_ms)
        days = await self._tally.days(today)
        gone_ms = now_ms - self._tally.starts_ms(today)
        upto = min(gone_ms // QUARTER_MS + 1, DAY_MS // QUARTER_MS)
        shown = told(days[today], self._tally.before(today), upto=upto)
        week = []
        for day, tallied in sorted(days.items()):
            each = {"day": _iso(day), "came": sum(tallied.came)}
            if not _is_volunteer(who):
                each["by_hour"] = list(tallied.came)
            week.append(each)
        presence = self._desk.controller.house.spaces.presence
        inside = sum(presence.persons(space) for space in self._site.spaces)
        return {"day": _iso(today), "now": inside, "today": shown, "week": week}

    async def _records(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return rows of some days, the newest first, and where older ones are."""
        who = self._desk.acting(request, ON_DUTY, is_own=is_own)
        first_ms, end_ms = self._window(request, who)
        wanted = Wanted.read(request)
        before = _whole(request, "before", 0)
        limit = min(max(1, _whole(request, "limit", PAGE_ROWS)), MAX_ROWS)
        low = await self._journal.before(first_ms)
        high = await self._journal.before(end_ms + 2 * FLICKER_MS)
        if before > 0:
            high = min(high, before - 1)
        rows, reached = await self._back(low, high, (first_ms, end_ms), wanted, limit)
        return {"rows": rows, "before": reached if reached > low else 0}

    async def _back(
        self,
        low: int,
        high: int,
        window: tuple[int, int],
        wanted: Wanted,
        limit: int,
    ) -> tuple[list[dict[str, Any]], int]:
        """Return rows from ``high`` down, and the place that comes next beneath."""
        rows: list[dict[str, Any]] = []
        epochs, place = await self._journal.epochs(), high
        floor = max(low, high - MAX_LOOKED)
        while place > floor:
            after = max(floor, place - PIECE_ROWS)
            piece = await self._journal.piece(after, place, wanted.kinds, epochs)
            for seen in reversed(piece):
                row = self._row(seen, window, wanted)
                if row is None:
                    continue
                if len(rows) == limit:  # there is one more: so there is another page
                    return rows, rows[-1]["place"]
                row.pop("actor", "")
                rows.append(row)
            place = after
            await asyncio.sleep(0)
        return rows, place + 1 if place > low else 0

    async def _export(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Write an export down, and return the word by which its rows are fetched."""
        who = self._desk.acting(request, MANAGER, is_own=is_own)
        form = request.get("form")
        if form not in FORMS:
            raise ValueError(f"form: use one of {', '.join(FORMS)}")
        first_ms, end_ms = self._window(request, who)
        if end_ms - first_ms > MAX_DAYS * DAY_MS:
            raise ValueError(f"last: at most {MAX_DAYS} days at once")
        now_s = self._desk.now().monotonic_s
        for name, kept in list(self._exports.items()):
            if kept.until_s <= now_s:
                del self._exports[name]
        while len(self._exports) >= MAX_EXPORTS:
            del self._exports[next(iter(self._exports))]
        name = secrets.token_urlsafe(12)
        days = [_iso(self._tally.day_of(ms)) for ms in (first_ms, end_ms - 1)]
        self._exports[name] = _Export(
            turn=_turn(who),
            file_name=f"menshen-{days[0]}-{days[1]}.{form}",
            first_ms=first_ms,
            end_ms=end_ms,
            until_s=now_s + EXPORT_S,
        )
        detail = f"{form} {days[0]} {days[1]}"
        facts = (("detail", detail), ("what", "records_exported"))
        self._desk.note(EventKind.SETTINGS_CHANGED, who, facts)
        return {"export": name, "days": days}

    async def _export_rows(
        self,
        request: dict[str, Any],
        is_own: bool,  # noqa: FBT001
    ) -> dict[str, Any]:
        """Return the next rows of an export, the oldest first; ``next`` 0 ends it."""
        who = self._desk.acting(request, MANAGER, is_own=is_own)
        kept = self._kept(request, who)
        low = await self._journal.before(kept.first_ms)
        high = await self._journal.before(kept.end_ms + 2 * FLICKER_MS)
        place = max(low, _whole(request, "after", 0))
        epochs, wanted = await self._journal.epochs(), Wanted()
        window = (kept.first_ms, kept.end_ms)
        upto = min(high, place + MAX_ROWS)
        rows = []
        for seen in await self._journal.piece(place, upto, wanted.kinds, epochs):
            row = self._row(seen, window, wanted)
            if row is not None:
                rows.append(row | {"by": self._masked(row.pop("actor", ""))})
        return {"rows": rows, "next": upto if upto < high else 0}

    def waiting(self, request: dict[str, Any], who: Who) -> str:
        """Return the file's name of an export that waits; ValueError if none does."""
        return self._kept(request, who).file_name

    def _kept(self, request: dict[str, Any], who: Who) -> _Export:
        kept = self._exports.get(str(request.get("export")))
        now_s = self._desk.now().monotonic_s
        if kept is None or kept.turn != _turn(who) or kept.until_s <= now_s:
            raise ValueError("export: none is waiting, order it again")
        return kept

    def _row(
        self, seen: Seen, window: tuple[int, int], wanted: Wanted
    ) -> dict[str, Any] | None:
        row = row_of(seen)
        is_within = row is not None and window[0] <= row["lo"] < window[1]
        return row if row is not None and is_within and wanted.has(row) else None

    def _window(self, request: dict[str, Any], who: Who) -> tuple[int, int]:
        """Return the instants between which to look; a volunteer's are today's."""
        today = self._tally.day_of(self._desk.now().earliest_ms)
        first = _day(request, "first", today)
        last = _day(request, "last", first)
        if _is_volunteer(who) and (first, last) != (today, today):
            raise ValueError("first: a volunteer sees today alone")
        if last < first:
            raise ValueError("last: comes before the first day")
        return self._tally.starts_ms(first), self._tally.starts_ms(last + 1)

    def _masked(self, actor: str) -> str:
        """Return who acted, the first letter of his name; a place for no person."""
        accounts = self._desk.book.accounts
        known = accounts.get(actor) or next(
            (a for a in accounts.values() if a.holder and a.holder == actor), None
        )
        return masked(known.name) if known is not None else ""


def _is_volunteer(who: Who) -> bool:
    return who.session is not None and who.session.role is Role.VOLUNTEER


def _turn(who: Who) -> str:
    return who.session.id if who.session is not None else "shell"


def _iso(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def _day(request: dict[str, Any], name: str, default: int) -> int:
    value = request.get(name) or ""
    if value == "":
        return default
    try:
        return (date.fromisoformat(str(value)) - _EPOCH).days
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name}: say a day, such as 2026-11-22") from error


def _whole(request: dict[str, Any], name: str, default: int) -> int:
    value = request.get(name, default)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or abs(value) >= 1 << 52:
        raise ValueError(f"{name}: say a whole number")
    return int(value)
