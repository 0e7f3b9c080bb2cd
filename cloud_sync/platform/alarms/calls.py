# SPDX-License-Identifier: Apache-2.0
"""The calls of an alarm, as they are kept: made, sent, failed, called off.

The law of the module: a call is a row before anybody is called, and stays one; with
an alarm's end what was not sent is dropped, and who was called hears that it is over.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from cloud_sync.platform.alarms.kinds import OPEN, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_sync.platform.database import Work


class What(StrEnum):
    """What a call says."""

    CALL = "CALL"
    OVER = "OVER"


class CallState(StrEnum):
    """How a call stands; SHOWN: nothing sends it, staff see it in the list."""

    WAITING = "WAITING"
    SENT = "SENT"
    SHOWN = "SHOWN"
    FAILED = "FAILED"
    DROPPED = "DROPPED"


class Reached(NamedTuple):
    """Whom a call is for: a contact of a round."""

    round: int
    who: str
    reach: str


_ADD = """
INSERT INTO incident_call (incident, number, round, who, reach, what, state, made_ms,
    next_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
"""
_END = """
UPDATE incident SET state = ?2, ended_ms = ?3, ended_by = ?4, ended_at = ?5
WHERE id = ?1 AND state IN ({open}) RETURNING id
"""
_DROP = """
UPDATE incident_call SET state = 'DROPPED', done_ms = ?2
WHERE incident = ?1 AND state = 'WAITING'
"""
#: One that was dropped after a try may have reached somebody: perhaps it is just made.
_CALLED = """
SELECT DISTINCT round, who, reach FROM incident_call
WHERE incident = ?1 AND what = 'CALL'
    AND (state = 'SENT' OR state = 'DROPPED' AND tries > 0) ORDER BY round, who
"""


async def add(
    work: Work, incident: str, people: Iterable[Reached], what: What, now_ms: int
) -> None:
    """Note calls that are to be made at once."""
    sql = "SELECT coalesce(max(number), 0) FROM incident_call WHERE incident = ?1"
    [(last,)] = await work.fetch(sql, incident)
    state = CallState.WAITING.value
    rows = [
        (incident, number, *each, what.value, state, now_ms)
        for number, each in enumerate(people, last + 1)
    ]
    await work.executemany(_ADD, rows)


async def end(
    work: Work, incident: str, state: State, times: tuple[int, int], *, by: str, at: str
) -> bool:
    """End an alarm that is open; False if it is not.

    ``times``: when it ended, and now.
    """
    ended_ms, now_ms = times
    states = ", ".join(f"'{each}'" for each in OPEN)
    sql = _END.format(open=states)
    if not await work.fetch(sql, incident, state.value, ended_ms, by, at):
        return False
    await work.execute(_DROP, incident, now_ms)
    called = [Reached(*row) for row in await work.fetch(_CALLED, incident)]
    people = {each.who: each for each in called if each.who != by}
    await add(work, incident, people.values(), What.OVER, now_ms)
    return True
