# SPDX-License-Identifier: Apache-2.0
"""Alarms to people: round after round until somebody answers.

The law of the module: every state is in the database with its time, and nothing else
counts: a platform that comes back goes on where the last one was, and several may
work at once, since each step and each call is taken by whoever changes its row first.
A call is made at least once, under one id. No clock but the one that is given.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from cloud_sync.platform.alarms import call_list
from cloud_sync.platform.alarms.calls import CallState, What, add
from cloud_sync.platform.alarms.kinds import HOUR_MS, ROUTED, State
from cloud_sync.platform.database import DatabaseError
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_sync.platform.alarms.callers import Caller, Message
    from cloud_sync.platform.alarms.calls import Reached
    from cloud_sync.platform.database import Database, Row, Work

#: What is late leaves the site so long to tell that somebody answered meanwhile.
CATCH_UP_MS = 15_000
LOOK_EVERY_S = 1.0
#: Calls that are made at once.
AT_ONCE = 8
#: After a try that failed: twice as long each time, up to five minutes.
RETRY_MS, RETRY_AT_MOST_MS = 10_000, 300_000
_STANDING = """
SELECT id, gateway, kind, state, began_ms, heard_ms, step, step_ms FROM incident
WHERE state IN ('WAITING', 'CALLING') ORDER BY heard_ms, id
"""
_STEP = """
UPDATE incident SET state = ?4, step = ?5, step_ms = ?6
WHERE id = ?1 AND state = ?2 AND step = ?3 RETURNING id
"""
_LATELY = """
SELECT count(*) FROM incident_call AS c JOIN incident AS i ON i.id = c.incident
WHERE i.gateway = ?1 AND c.made_ms > ?2 AND c.what = 'CALL'
"""
_DUE = """
SELECT c.incident, c.number, c.who, c.reach, c.round, c.what, c.next_ms, c.tries,
    c.made_ms, i.gateway, g.note, i.kind, i.subject, i.detail, i.began_ms, i.times,
    i.ended_by
FROM incident_call AS c
JOIN incident AS i ON i.id = c.incident
JOIN gateway AS g ON g.gateway = i.gateway
WHERE c.state = 'WAITING' AND c.next_ms <= ?1 ORDER BY c.next_ms LIMIT ?2
"""
_TAKE = """
UPDATE incident_call SET tries = tries + 1, next_ms = ?4
WHERE incident = ?1 AND number = ?2 AND state = 'WAITING' AND next_ms = ?3
RETURNING tries
"""
_DONE = """
UPDATE incident_call SET state = ?3, done_ms = ?4, why = ?5, next_ms = ?6
WHERE incident = ?1 AND number = ?2 AND state = 'WAITING'
"""
_log = structlog.get_logger("platform")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited for whom; ``repeats``: how often all rounds are called."""

    answer_ms: int = 120_000
    next_ms: int = 120_000
    repeats: int = 2
    #: Of one call; after the last it has failed.
    tries: int = 6
    timeout_ms: int = 10_000
    #: For one gateway, emergencies apart; beyond it alarms are only listed.
    calls_an_hour: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    id: str
    gateway: str
    kind: str
    state: State
    began_ms: int
    heard_ms: int
    step: int
    step_ms: int


class Routing:
    """Moves alarms on, and makes the calls; ``caller`` None: they are only shown."""

    def __init__(
        self,
        database: Database,
        *,
        caller: Caller | None,
        patience: Patience,
        utc_offset_ms: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._caller = caller
        self._patience = patience
        self._utc_offset_ms = utc_offset_ms
        self._now_ms = now_ms

    async def run(self) -> None:
        """Look each second; returns only by being cancelled."""
        while True:
            try:
                await self.step()
            except* DatabaseError as faults:  # of one step, or of calls side by side
                _log.error(
                    "alarms wait for the database", why=str(faults.exceptions[0])
                )
            await asyncio.sleep(LOOK_EVERY_S)

    async def step(self) -> None:
        """Do what is due now."""
        async with self._database.reading() as work:
            found = await self._standing(work)
        now_ms = self._now_ms()
        for each in found:
            if now_ms >= self._due_ms(each):
                await self._move_on(each, now_ms)
        await self._make_calls()

    async def _standing(self, work: Work) -> list[_Standing]:
        return [
            _Standing(
                id=row[0],
                gateway=row[1],
                kind=row[2],
                state=State(row[3]),
                began_ms=row[4],
                heard_ms=row[5],
                step=row[6],
                step_ms=row[7],
            )
            for row in await work.fetch(_STANDING)
        ]

    def _due_ms(self, alarm: _Standing) -> int:
        patience = self._patience
        if alarm.state is State.CALLING:
            return alarm.step_ms + patience.next_ms
        late_ms = alarm.heard_ms + min(CATCH_UP_MS, patience.answer_ms)
        return max(alarm.began_ms + patience.answer_ms, late_ms)

    async def _move_on(self, alarm: _Standing, now_ms: int) -> None:
        """Call the next round in which somebody is on duty, or give up."""
        async with self._database.writing() as work:
            contacts = await call_list.of(work, alarm.gateway)
            rounds = sorted({each.round for each in contacts}) * self._patience.repeats
            step = alarm.step
            people: list[Reached] = []
            if await self._is_too_much(work, alarm, now_ms):
                step = len(rounds)
            while not people and step < len(rounds):
                people = [
                    each.reached
                    for each in contacts
                    if each.round == rounds[step]
                    and each.is_on_duty(now_ms, self._utc_offset_ms)
                ]
                step += 1
            state = State.CALLING if people else State.UNANSWERED
            was = (alarm.id, alarm.state.value, alarm.step)
            if await work.fetch(_STEP, *was, state.value, step, now_ms):
                await add(work, alarm.id, people, What.CALL, now_ms)
        if not people:
            _log.warning("nobody answers an alarm", alarm=alarm.id, of=alarm.gateway)

    async def _is_too_much(self, work: Work, alarm: _Standing, now_ms: int) -> bool:
        """Say whether a gateway has had so many calls that something is broken."""
        if alarm.kind == EventKind.EMERGENCY_STARTED:
            return False
        since_ms = now_ms - HOUR_MS
        [(count,)] = await work.fetch(_LATELY, alarm.gateway, since_ms)
        if count < self._patience.calls_an_hour:
            return False
        _log.error("too many calls in an hour", of=alarm.gateway, alarm=alarm.id)
        return True

    async def _make_calls(self) -> None:
        async with self._database.reading() as work:
            due = await work.fetch(_DUE, self._now_ms(), AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for row in due:
                tasks.create_task(self._make_call(row))

    async def _make_call(self, row: Row) -> None:
        """Take a call, make it, and note what came of it; each in its own commit."""
        incident, number, next_ms = row[0], row[1], row[6]
        key = (incident, number)
        if self._caller is None:
            async with self._database.writing() as work:
                shown = (CallState.SHOWN.value, self._now_ms(), "", 0)
                await work.execute(_DONE, *key, *shown)
            return
        # Whoever dies with it in his hands leaves it to the next, after this time.
        again_ms = self._now_ms() + 2 * self._patience.timeout_ms
        async with self._database.writing() as work:
            taken = await work.fetch(_TAKE, *key, next_ms, again_ms)
        if not taken:
            return  # another platform has it, or somebody has answered
        tries = taken[0][0]
        if tries > self._patience.tries:  # who made it never lived to tell
            await self._note(key, tries, "nobody knows how the last try ended")
            return
        why = await self._caller.call(_message(row, self._utc_offset_ms))
        await self._note(key, tries, why)

    async def _note(self, key: tuple[str, int], tries: int, why: str) -> None:
        now_ms = self._now_ms()
        state, next_ms = CallState.SENT, 0
        if why:
            is_over = tries >= self._patience.tries
            state = CallState.FAILED if is_over else CallState.WAITING
            next_ms = now_ms + min(RETRY_AT_MOST_MS, RETRY_MS * 2 ** (tries - 1))
            said = {"call": _call_id(*key), "tries": tries, "why": why}
            if is_over:
                _log.error("a call is given up; look after it by hand", **said)
            else:
                _log.warning("a call failed", **said)
        async with self._database.writing() as work:
            await work.execute(_DONE, *key, state.value, now_ms, why, next_ms)


def _message(row: Row, utc_offset_ms: int) -> Message:
    """Return what a caller is given; of whom an alarm is about it says nothing."""
    incident, number, who, reach, round_number, what, _, _, made_ms = row[:9]
    gateway, note, kind, subject, detail, began_ms, times, ended_by = row[9:]
    place = f"{note or gateway} {subject}"
    text = ROUTED[kind].text if kind in ROUTED else kind
    if what == What.OVER:
        by = f", {ended_by}" if ended_by else ""
        text = f"已有人处理 · it is over{by}: {text}"
    return {
        "id": _call_id(incident, number),
        "alarm": incident,
        "what": what,
        "who": who,
        "reach": reach,
        "round": round_number,
        "gateway": gateway,
        "place": note or gateway,
        "kind": kind,
        "subject": subject,
        "detail": detail,
        "times": times,
        "began_ms": began_ms,
        "called_ms": made_ms,
        "utc_offset_min": utc_offset_ms // 60_000,
        "text": f"{place}: {text}",
    }


def _call_id(incident: str, number: int) -> str:
    return f"{incident}-{number}"
