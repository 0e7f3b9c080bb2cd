# SPDX-License-Identifier: Apache-2.0
"""What social workers have said of volunteers' minutes, and the feed rows of it.

The law of the module: a word is added and never changed; other minutes than before
need a reason, and are the next word. Every word goes into the gateway's feed in the
same transaction, with the plan, since both are rows of one kind; where there is no
feed it goes with the first rows, since a feed of confirmations alone would empty a
site. A planned shift that came into the feed with a file of rows is not ours and stays.
Source: docs/sync-contract.md, section 5.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from cloud_sync.feed import NO_FEED
from cloud_sync.platform import feeds, plans
from cloud_sync.platform.shift import ERASED, Confirmation
from edge.core.chain import canonical
from edge.core.duty.shift import ShiftState
from edge.core.people.shift_row import MAX_MINUTES, MAX_NUMBER, MAX_SHIFT_ROWS
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.feeds import Key
    from cloud_sync.platform.shift import Shift

KIND = plans.KIND
#: A gateway remembers a confirmed shift for 90 days; later its row is of no use.
IN_FEED_MS = 100 * DAY_MS
MAX_TEXT = 64
_ADD = """
INSERT INTO duty_confirmation (gateway, shift, number, holder, boot, began, minutes,
    was, by_whom, reason, at_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
"""
_NEWEST = """
SELECT c.gateway, c.shift, c.number, c.holder, c.boot, c.began, c.minutes, c.was,
    c.by_whom, c.reason, c.at_ms
FROM duty_confirmation AS c
WHERE (?1 = '' OR c.gateway = ?1) AND c.at_ms >= ?2 AND c.number = (
    SELECT max(d.number) FROM duty_confirmation AS d
    WHERE d.gateway = c.gateway AND d.shift = c.shift)
ORDER BY c.at_ms, c.gateway, c.shift
"""


_IN_FEED = "SELECT id, body FROM feed_row WHERE gateway = ?1 AND kind = ?2"


class ConfirmationError(Exception):
    """A shift cannot be confirmed so; the text says why and what to do."""


async def newest(
    work: Work, gateway: str = "", since_ms: int = 0
) -> dict[tuple[str, str], Confirmation]:
    """Return the last word on each shift by gateway and shift; '': of all gateways."""
    return {
        (row[0], row[1]): Confirmation(
            gateway=row[0],
            shift=row[1],
            number=row[2],
            holder=row[3],
            boot=row[4],
            began_m=row[5],
            minutes=row[6],
            was=row[7],
            by=row[8],
            reason=row[9],
            at_ms=row[10],
        )
        for row in await work.fetch(_NEWEST, gateway, since_ms)
    }


async def confirm(  # noqa: PLR0917  who said what of which shifts
    work: Work,
    gateway: str,
    shifts: Sequence[tuple[Shift, int]],
    by: str,
    reason: str,
    now_ms: int,
) -> bool:
    """Note that the shifts of a gateway had so many minutes each.

    Returns whether the gateway has a feed by which it hears of it.
    """
    for name, text in (("--by", by), ("--reason", reason)):
        if len(text) > MAX_TEXT or not text.isprintable():
            raise ConfirmationError(f"{name}: at most {MAX_TEXT} printable characters")
    if not by:
        raise ConfirmationError("--by: say who confirms")
    for shift, minutes in shifts:
        _check(shift, minutes, reason)
        number = shift.word.number + 1 if shift.word is not None else 1
        if number > MAX_NUMBER:
            raise ConfirmationError(f"{shift.name}: was corrected {MAX_NUMBER} times")
        named = (gateway, shift.name, number, shift.holder, shift.boot, shift.began_m)
        await work.execute(_ADD, *named, minutes, shift.minutes, by, reason, now_ms)
    return await into_feed(work, gateway, now_ms)


async def feed_rows(work: Work, gateway: str, now_ms: int) -> dict[Key, str]:
    """Return the rows that belong into a gateway's feed now, with the plan's.

    A holder's newest word stays for as long as there is one, with all minutes so far.
    """
    planned = await plans.feed_rows(work, gateway, now_ms)
    said = await newest(work, gateway)
    known = [each for each in said.values() if each.holder != ERASED]
    totals: Counter[str] = Counter()
    for each in known:
        totals[each.holder] += each.minutes
    last = {each.holder: each.shift for each in known}
    told = [
        each
        for each in known
        if each.at_ms >= now_ms - IN_FEED_MS or last[each.holder] == each.shift
    ]
    rows = {
        (KIND, each.shift): canonical(
            _body(each, totals[each.holder] if last[each.holder] == each.shift else 0)
        )
        for each in told[-(MAX_SHIFT_ROWS - len(planned)) :]
    }
    return rows | planned


async def into_feed(work: Work, gateway: str, now_ms: int) -> bool:
    """Bring a gateway's feed in line with what is planned and confirmed.

    Returns whether there is a feed.
    """
    if await feeds.cursor(work, gateway) == NO_FEED:
        return False
    await feeds.hold(work, gateway)  # whoever confirms beside us is heard first
    put = await feed_rows(work, gateway, now_ms)
    ours = {name for _, name in await plans.newest(work, gateway)}
    gone = [
        (KIND, name)
        for name, body in await work.fetch(_IN_FEED, gateway, KIND)
        if (KIND, name) not in put and (name in ours or "from" not in json.loads(body))
    ]
    change = feeds.Change(put=put, remove=gone)
    await feeds.change(work, gateway, change, now_ms)
    return True


def _check(shift: Shift, minutes: int, reason: str) -> None:
    if shift.state is ShiftState.RUNNING:
        raise ConfirmationError(f"{shift.name}: the shift runs still; end it first")
    if shift.holder == ERASED:
        raise ConfirmationError(f"{shift.name}: its volunteer was erased")
    if not 0 <= minutes <= MAX_MINUTES:
        raise ConfirmationError(f"--minutes: a shift has 0 to {MAX_MINUTES}")
    if shift.state is ShiftState.CONFIRMED and minutes == shift.minutes:
        by = shift.word.by if shift.word is not None else "its gateway"
        raise ConfirmationError(
            f"{shift.name}: {minutes} minutes are confirmed already, by {by}"
        )
    if minutes != shift.minutes and not reason:
        raise ConfirmationError(
            f"{shift.name}: {minutes} minutes in place of {shift.minutes} need a "
            "--reason; the volunteer will ask for it"
        )


def _body(word: Confirmation, total: int) -> dict[str, int | str]:
    body: dict[str, int | str] = {
        "holder": word.holder,
        "boot": word.boot,
        "began": word.began_m,
        "minutes": word.minutes,
        "by": word.by,
        "at": word.at_ms,
        "number": word.number,
    }
    if total:
        body["total"] = total
    return body | {"reason": word.reason} if word.reason else body
