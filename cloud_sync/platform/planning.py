# SPDX-License-Identifier: Apache-2.0
"""Community staff plan volunteers' shifts: all that is asked for, or nothing.

The law of the module: a version is added and never changed; another time or person
than before needs a reason, because somebody had it in the diary. Nobody is planned
twice at once, and nothing that is over is planned or called off. It goes into the
gateway's feed in the same transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloud_sync.feed import NO_FEED
from cloud_sync.platform import feeds
from cloud_sync.platform.confirmations import into_feed
from cloud_sync.platform.plans import Plan, newest
from cloud_sync.platform.shift import ERASED
from edge.core.duty.duty import ON_DUTY_ROLES
from edge.core.people.shift_row import MAX_MINUTES, MAX_NUMBER, MAX_PLANNED
from edge.core.plan import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloud_sync.platform.database import Work

#: Beyond this nobody keeps a plan; a slip of the year is found by it.
MAX_AHEAD_MS = 62 * DAY_MS
MAX_TEXT = 64
#: What fits into a line of the printed sheet.
MAX_TASK = 24
#: Flaws that are told singly.
MAX_TOLD = 20
_ADD = """
INSERT INTO duty_plan (gateway, plan, number, holder, space, begins, minutes, task,
    is_off, by_whom, reason, at_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
"""
_HOLDER = """
SELECT body FROM feed_row WHERE gateway = ?1 AND kind = 'holder' AND id = ?2
"""


class PlanError(Exception):
    """It cannot be planned so; the text has a line for each flaw, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A shift to plan; ``name`` of one that is there, "" for a new one.

    ``where``: the line of a file, for who is told of a flaw.
    """

    holder: str
    space: str
    from_ms: int
    to_ms: int
    task: str = ""
    name: str = ""
    where: str = ""

    @property
    def minutes(self) -> int:
        """How long it is."""
        return (self.to_ms - self.from_ms) // MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was planned, what stood so already, and whether the gateway hears of it."""

    written: tuple[Plan, ...]
    unchanged: int
    is_told: bool


async def plan(  # noqa: PLR0917  who plans what, and why
    work: Work,
    gateway: str,
    wishes: Sequence[Wish],
    by: str,
    reason: str,
    now_ms: int,
) -> Done:
    """Plan shifts, or change some; one that stands so already is no change."""
    _check_words(by, reason)
    await feeds.hold(work, gateway)  # whoever plans beside us is heard first
    known = {name: each for (_, name), each in (await newest(work, gateway)).items()}
    names = _names(known)
    flaws: list[str] = []
    written: dict[str, Plan] = {}
    unchanged = 0
    for wish in wishes:
        before = _before(wish, known)
        flaw = _flaw(wish, before, reason, now_ms)
        if flaw:
            flaws.append(f"{wish.where}{flaw}")
        elif before is not None and _is_same(wish, before):
            unchanged += 1
        else:
            name = before.name if before else wish.name or next(names)
            number = before.number + 1 if before else 1
            made = Plan(
                gateway=gateway,
                name=name,
                number=number,
                holder=wish.holder,
                space=wish.space,
                from_ms=wish.from_ms,
                minutes=wish.minutes,
                task=wish.task,
                is_off=False,
                by=by,
                reason=reason if before else "",
                at_ms=now_ms,
            )
            known[name] = written[name] = made
    flaws += _flaws_together(known.values(), written, now_ms)
    flaws += await _strangers(work, gateway, written.values())
    if flaws:
        more = [f"and {len(flaws) - MAX_TOLD} more"] if len(flaws) > MAX_TOLD else []
        raise PlanError("\n".join(flaws[:MAX_TOLD] + more))
    is_told = await _write(work, gateway, written.values(), now_ms)
    return Done(written=tuple(written.values()), unchanged=unchanged, is_told=is_told)


async def call_off(  # noqa: PLR0917
    work: Work, gateway: str, name: str, by: str, reason: str, now_ms: int
) -> Done:
    """Call a planned shift off, with a reason."""
    _check_words(by, reason)
    await feeds.hold(work, gateway)
    before = (await newest(work, gateway)).get((gateway, name))
    if before is None or before.is_off:
        raise PlanError(f"{gateway} has no planned shift {name}; `plan list` has them")
    if before.to_ms <= now_ms:
        raise PlanError(f"{name}: it is over, and stays as it was planned")
    if not reason:
        raise PlanError(f"{name}: to call it off needs a --reason; it is told")
    number = before.number + 1
    off = replace(
        before, number=number, is_off=True, by=by, reason=reason, at_ms=now_ms
    )
    is_told = await _write(work, gateway, [off], now_ms)
    return Done(written=(off,), unchanged=0, is_told=is_told)


async def _write(
    work: Work, gateway: str, written: Iterable[Plan], now_ms: int
) -> bool:
    rows = [
        (
            *(each.gateway, each.name, each.number, each.holder, each.space),
            *(each.from_ms, each.minutes, each.task, int(each.is_off)),
            *(each.by, each.reason, each.at_ms),
        )
        for each in written
    ]
    if rows:
        await work.executemany(_ADD, rows)
    return await into_feed(work, gateway, now_ms)


def _check_words(by: str, reason: str) -> None:
    for name, text in (("--by", by), ("--reason", reason)):
        if len(text) > MAX_TEXT or not text.isprintable():
            raise PlanError(f"{name}: at most {MAX_TEXT} printable characters")
    if not by:
        raise PlanError("--by: say who plans")


def _names(known: dict[str, Plan]) -> Iterator[str]:
    """Yield names that none has, ``p1`` first."""
    number = len(known)
    while True:
        number += 1
        if f"p{number}" not in known:
            yield f"p{number}"


def _before(wish: Wish, known: dict[str, Plan]) -> Plan | None:
    """Return the planned shift that a wish is about, so that a file may come twice."""
    if wish.name:
        return known.get(wish.name)
    alike = (
        each
        for each in known.values()
        if (each.holder, each.from_ms, each.is_off)
        == (wish.holder, wish.from_ms, False)
    )
    return next(alike, None)


def _is_same(wish: Wish, plan: Plan) -> bool:
    wanted = (wish.holder, wish.space, wish.from_ms, wish.minutes, wish.task, False)
    return wanted == (
        *(plan.holder, plan.space, plan.from_ms, plan.minutes, plan.task),
        plan.is_off,
    )


def _flaw(wish: Wish, before: Plan | None, reason: str, now_ms: int) -> str:
    """Say what is wrong with one wish by itself."""
    texts = (
        ("id", wish.name or "p", MAX_TEXT),
        ("holder", wish.holder, MAX_TEXT),
        ("space", wish.space, MAX_TEXT),
        ("task", wish.task or "-", MAX_TASK),
    )
    for name, text, most in texts:
        if not 0 < len(text) <= most or not text.isprintable():
            return f"{name}: 1 to {most} printable characters"
    if not 1 <= wish.minutes <= MAX_MINUTES:
        return f"a shift has 1 to {MAX_MINUTES} minutes, this one {wish.minutes}"
    if before is not None and _is_same(wish, before):
        return ""
    if wish.to_ms <= now_ms or (before is not None and before.to_ms <= now_ms):
        return "it is over already; only what is to come is planned"
    if wish.from_ms > now_ms + MAX_AHEAD_MS:
        return f"more than {MAX_AHEAD_MS // DAY_MS} days ahead; is the date right?"
    if before is not None and not reason:
        return f"{before.name} is planned otherwise; a change needs a --reason"
    if before is not None and before.number >= MAX_NUMBER:
        return f"{before.name} was changed {MAX_NUMBER} times"
    return ""


def _flaws_together(
    known: Iterable[Plan], written: dict[str, Plan], now_ms: int
) -> list[str]:
    """Say who would be in two places at once, and whether there are too many."""
    standing = [
        each
        for each in known
        if not each.is_off and each.to_ms > now_ms and each.holder != ERASED
    ]
    flaws = []
    if len(standing) > MAX_PLANNED:
        flaws.append(f"{len(standing)} planned shifts, {MAX_PLANNED} at most")
    last: dict[str, Plan] = {}
    for each in sorted(standing, key=lambda one: one.from_ms):
        before = last.get(each.holder)
        is_news = before is not None and bool(written.keys() & {each.name, before.name})
        if before is not None and each.from_ms < before.to_ms and is_news:
            both = f"{before.name} and {each.name}"
            flaws.append(f"{each.holder} would be on duty twice at once: {both}")
        if before is None or each.to_ms > before.to_ms:
            last[each.holder] = each
    return flaws


async def _strangers(work: Work, gateway: str, written: Iterable[Plan]) -> list[str]:
    """Say who is no volunteer of that site; nobody knows where there is no feed yet."""
    if await feeds.cursor(work, gateway) == NO_FEED:
        return []
    flaws = []
    for holder in dict.fromkeys(each.holder for each in written):
        found = await work.fetch(_HOLDER, gateway, holder)
        roles = json.loads(found[0][0]).get("roles", ()) if found else ()
        if ON_DUTY_ROLES.isdisjoint(roles):
            what = "is no volunteer" if found else "is unknown"
            flaws.append(
                f"{holder} {what} at {gateway}; "
                "`menshen platform rows show --kind holder` lists who is"
            )
    return flaws
