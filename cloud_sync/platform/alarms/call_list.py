# SPDX-License-Identifier: Apache-2.0
"""Who is called for a site, in which round, and in which hours.

The law of the module: a list is taken whole or not at all, and every flaw is told with
its line; hours are local and written as in policies, none means at any time.
Source: docs/platform.md, alarms; edge/core/schedule.py.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.platform.alarms.calls import Reached
from edge.core.moment import ClockVerdict, Moment
from edge.core.schedule import Schedule, read_hours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.platform.database import Work

COLUMNS = ("round", "who", "reach", "hours")
#: More rounds than these, and an hour is over before the last is called.
MAX_ROUNDS = 20
MAX_CONTACTS = 200
MAX_TEXT = 64
MAX_REACH = 200
MAX_HOURS = 512


class CallListError(Exception):
    """A list that cannot be taken; the text has a line for each flaw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody on a list; ``reach`` is for whatever makes the calls."""

    round: int
    who: str
    reach: str
    hours: str

    def is_on_duty(self, now_ms: int, utc_offset_ms: int) -> bool:
        """Say whether he is to be called now."""
        if not self.hours:
            return True
        week = Schedule(week=read_hours(self.hours), utc_offset_ms=utc_offset_ms)
        now = Moment(monotonic_s=0.0, earliest_ms=now_ms, latest_ms=now_ms, boot="")
        return week.against(now) is ClockVerdict.INSIDE

    @property
    def reached(self) -> Reached:
        """Whom a call to him is for."""
        return Reached(self.round, self.who, self.reach)


def read_list(name: str, content: bytes) -> list[Contact]:
    """Return what a CSV file's content says."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    missing = set(COLUMNS) - set(reader.fieldnames or ())
    if missing:
        lacks = ", ".join(sorted(missing))
        raise CallListError(f"{name}:1: the first line lacks the columns {lacks}")
    contacts: dict[tuple[int, str], Contact] = {}
    flaws: list[str] = []
    try:
        for row in reader:
            try:
                contact = _contact(row)
                if (contact.round, contact.who) in contacts:
                    raise ValueError(f"{contact.who} stands twice in a round")  # noqa: TRY301
                contacts[contact.round, contact.who] = contact
            except ValueError as flaw:
                flaws.append(f"{name}:{reader.line_num}: {flaw}")
    except csv.Error as broken:
        flaws.append(f"{name}:{reader.line_num}: no CSV: {broken}")
    if len(contacts) > MAX_CONTACTS:
        flaws.append(f"{name}: {len(contacts)} contacts, {MAX_CONTACTS} at most")
    if flaws:
        raise CallListError("\n".join(flaws[:20]))
    return list(contacts.values())


async def keep(work: Work, gateway: str, contacts: Sequence[Contact]) -> None:
    """Put a list in the place of a gateway's."""
    await work.execute("DELETE FROM contact WHERE gateway = ?1", gateway)
    await work.executemany(
        "INSERT INTO contact (gateway, round, who, reach, hours) "
        "VALUES (?1, ?2, ?3, ?4, ?5)",
        [(gateway, each.round, each.who, each.reach, each.hours) for each in contacts],
    )


async def of(work: Work, gateway: str) -> list[Contact]:
    """Return a gateway's list, by rounds."""
    sql = (
        "SELECT round, who, reach, hours FROM contact WHERE gateway = ?1 "
        "ORDER BY round, who"
    )
    return [
        Contact(round=number, who=who, reach=reach, hours=hours)
        for number, who, reach, hours in await work.fetch(sql, gateway)
    ]


def _contact(row: dict[str, str | None]) -> Contact:
    given = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not given["round"].isascii() or not given["round"].isdecimal():
        raise ValueError(f"round: expected a number, got {given['round'][:32]!a}")
    number = int(given["round"])
    if not 1 <= number <= MAX_ROUNDS:
        raise ValueError(f"round: expected 1 to {MAX_ROUNDS}")
    for name, longest in (("who", MAX_TEXT), ("reach", MAX_REACH)):
        text = given[name]
        if not 0 < len(text) <= longest or not text.isprintable():
            raise ValueError(f"{name}: expected 1 to {longest} printable characters")
    if given["hours"]:
        if len(given["hours"]) > MAX_HOURS:
            raise ValueError(f"hours: at most {MAX_HOURS} characters")
        try:
            read_hours(given["hours"])
        except ValueError as flaw:
            raise ValueError("hours: expected such as mon-fri 08:00-20:00") from flaw
    return Contact(
        round=number, who=given["who"], reach=given["reach"], hours=given["hours"]
    )
