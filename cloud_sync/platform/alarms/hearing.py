# SPDX-License-Identifier: Apache-2.0
"""Events into alarms: one begins, one comes again, one ends.

The law of the module: it runs in the transaction that stores the events, so that no
alarm is lost or raised twice whatever dies. An event counts once under its journal's
name and number: a copy that came early may be heard as well, in any order. An end
ends what began before it, never what came later.
Source: docs/platform.md, alarms.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_sync.platform.alarms.calls import end
from cloud_sync.platform.alarms.kinds import (
    ENDS,
    HEARD,
    OPEN,
    ROUTED,
    State,
    how_it_ended,
    is_alarm,
)
from edge.core.chain import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_sync.platform.database import Work

_OPEN = "SELECT id, gateway, epoch, seq, kind, subject, detail FROM incident WHERE {}"
_NEW = """
INSERT INTO incident (id, gateway, epoch, seq, kind, subject, detail, began_ms,
    heard_ms, state)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
"""
_COUNT = """
INSERT INTO incident_event (gateway, epoch, seq, incident) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (gateway, epoch, seq) DO NOTHING RETURNING incident
"""
_WHOM = """
SELECT e.pii FROM event AS e JOIN journal AS j ON j.id = e.journal
WHERE j.gateway = ?1 AND j.epoch = ?2 AND e.seq = ?3
"""


class Told(NamedTuple):
    """An event as it came, in its order or early."""

    gateway: str
    epoch: str
    seq: int
    kind: str
    at: str
    lo: int
    core: str
    pii: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    id: str
    gateway: str
    epoch: str
    seq: int
    kind: str
    subject: str
    detail: str


async def hear(work: Work, events: Iterable[Told], now_ms: int) -> None:
    """Take events into account, whatever they are."""
    told = [each for each in events if each.kind in HEARD]
    if not told:
        return
    known = await _open(work)
    for each in told:
        if each.kind in ENDS:
            known = await _end(work, known, each, now_ms)
        if each.kind in ROUTED:
            known += await _begin(work, each, now_ms)


async def _open(work: Work) -> list[_Open]:
    states = ", ".join(f"'{state}'" for state in OPEN)
    return [
        _Open(
            id=row[0],
            gateway=row[1],
            epoch=row[2],
            seq=row[3],
            kind=row[4],
            subject=row[5],
            detail=row[6],
        )
        for row in await work.fetch(_OPEN.format(f"state IN ({states})"))
    ]


async def _begin(work: Work, told: Told, now_ms: int) -> list[_Open]:
    """Raise an alarm, or count it to the one that is being called for."""
    rule, core = ROUTED[told.kind], parse(told.core)
    latest_ms = _number(core, "hi", told.lo)
    if not is_alarm(told.kind, core) or latest_ms < now_ms - rule.stale_ms:
        return []
    detail = str(core.get(rule.detail, "")) if rule.detail else ""
    new = _Open(
        id=_name(told),
        gateway=told.gateway,
        epoch=told.epoch,
        seq=told.seq,
        kind=told.kind,
        subject=told.at,
        detail=detail,
    )
    running = None if rule.is_about else await _running(work, new, now_ms)
    name = running or new.id
    key = (told.gateway, told.epoch, told.seq)
    if not await work.fetch(_COUNT, *key, name):
        return []  # it came early, and comes again in its order
    if running is not None:
        sql = "UPDATE incident SET times = times + 1 WHERE id = ?1"
        await work.execute(sql, running)
        return []
    # A clock that is not known says too early, one that runs ahead too late.
    is_sure = latest_ms - told.lo < rule.stale_ms
    began_ms = min(told.lo, now_ms) if is_sure else now_ms
    where = (told.kind, told.at, detail)
    times = (began_ms, now_ms, State.WAITING.value)
    await work.execute(_NEW, new.id, *key, *where, *times)
    return [new]


async def _running(work: Work, new: _Open, now_ms: int) -> str | None:
    """Return the alarm of the same thing that people are, or just were, called for."""
    sql = (
        "SELECT id FROM incident WHERE gateway = ?1 AND kind = ?2 AND subject = ?3 "
        "AND detail = ?4 AND (state IN ('WAITING', 'CALLING') "
        "OR state = 'UNANSWERED' AND step_ms > ?5)"
    )
    values = (new.gateway, new.kind, new.subject, new.detail)
    found = await work.fetch(sql, *values, now_ms - ROUTED[new.kind].quiet_ms)
    return found[0][0] if found else None


async def _end(work: Work, known: list[_Open], told: Told, now_ms: int) -> list[_Open]:
    """End the alarms that an event is the end of; return those that stay open."""
    ended: list[_Open] = []
    core: dict[str, Any] = {}
    for each in known:
        if each.gateway != told.gateway or each.kind not in ENDS[told.kind]:
            continue
        if (each.epoch, each.seq) >= (told.epoch, told.seq):
            continue
        core = core or parse(told.core)
        if await _is_its_end(work, each, told, core):
            ended.append(each)
            state, by = how_it_ended(core)
            at_ms = min(told.lo, now_ms)
            await end(work, each.id, state, (at_ms, now_ms), by=by, at="gateway")
    return [each for each in known if each not in ended]


async def _is_its_end(
    work: Work, alarm: _Open, told: Told, core: dict[str, Any]
) -> bool:
    rule = ROUTED[alarm.kind]
    if rule.detail and str(core.get(rule.detail, "")) != alarm.detail:
        return False
    if not rule.is_about:
        return alarm.subject == told.at
    rows = await work.fetch(_WHOM, alarm.gateway, alarm.epoch, alarm.seq)
    return bool(rows) and _holder(rows[0][0]) == _holder(told.pii) != ""


def _holder(pii: str | None) -> str:
    return str(parse(pii).get("holder", "")) if pii else ""


def _number(core: dict[str, Any], name: str, default: int) -> int:
    value = core.get(name)
    return value if isinstance(value, int) else default


def _name(told: Told) -> str:
    key = f"{told.gateway}|{told.epoch}|{told.seq}"
    return sha256(key.encode()).hexdigest()[:10]
