# SPDX-License-Identifier: Apache-2.0
"""Somebody on the list answers an alarm.

The law of the module: an answer is added with its time, name and note, and changes
nothing that was there; the first one ends the calling, and later ones stand beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform.alarms import call_list
from cloud_sync.platform.alarms.calls import end
from cloud_sync.platform.alarms.kinds import OPEN, State

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work

MAX_NOTE = 500
_ADD = """
INSERT INTO incident_answer (incident, at_ms, by_whom, note) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (incident, at_ms, by_whom) DO NOTHING
"""


class AnswerError(Exception):
    """An answer that cannot be taken; the text says what to do."""


async def answer(work: Work, alarm: str, by: str, note: str, now_ms: int) -> str:
    """Note an answer; return what the alarm was, and whether it still waited."""
    sql = "SELECT gateway, kind, subject, state, ended_by FROM incident WHERE id = ?1"
    found = await work.fetch(sql, alarm)
    if not found:
        raise AnswerError(f"no alarm {alarm}; `menshen platform alarms` lists them")
    gateway, kind, subject, state, before = found[0]
    listed = sorted({each.who for each in await call_list.of(work, gateway)})
    if by not in listed:
        known = f"on it are {', '.join(listed)}" if listed else "it is empty"
        raise AnswerError(
            f"--by: {by!r} is not on the call list of {gateway}; {known}. "
            "`menshen platform contacts import` writes one"
        )
    if len(note) > MAX_NOTE or not note.isprintable():
        raise AnswerError(f"--note: at most {MAX_NOTE} printable characters")
    await work.execute(_ADD, alarm, now_ms, by, note)
    what = f"{gateway} {subject}: {kind}"
    if State(state) in OPEN:
        times = (now_ms, now_ms)
        await end(work, alarm, State.ANSWERED, times, by=by, at="platform")
        return f"{what}, answered by {by}"
    whom = f", by {before}" if before else ""
    return f"{what}: it was {state} already{whom}; the note of {by} stands beside"
