# SPDX-License-Identifier: Apache-2.0
"""What gateways tell of commands: early words on the wire, and the journal's.

The law of the module: the journal is the truth; an early word only comes before it.
A gateway speaks of its own commands alone. Whatever is heard of a wish ends its
signing; what may be done twice begins anew after ``unknown``, under another name.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, NamedTuple

from cloud_sync.platform.commanding import erasing
from cloud_sync.platform.commanding.states import REPEATABLE, furthest, is_news
from edge.core.event import EventKind
from edge.core.remote.command import STATES, Action, CommandState, Rejection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_sync.platform.database import Work

#: Kinds that speak of a command's way.
KINDS = frozenset(str(kind) for kind in STATES)


class Word(NamedTuple):
    """What a gateway says of one command; ``seq`` 0: no event says so yet."""

    gateway: str
    jti: str
    state: str
    why: str
    seq: int = 0


def word_of(gateway: str, seq: int, kind: str, core: str) -> Word | None:
    """Return what an event says of a command; None if it says nothing.

    Of a name that came twice nothing is said: its first coming has its own end.
    """
    told = json.loads(core)
    jti, reason = told.get("jti"), str(told.get("reason", ""))
    if not isinstance(jti, str) or reason == Rejection.REPLAY:
        return None
    state = STATES[EventKind(kind)]
    why = str(told.get("why", ""))
    if state is CommandState.REJECTED:
        why = f"{reason}: {why}" if why else reason
    return Word(gateway, jti, state.value, why, seq)


async def follow(work: Work, words: Iterable[Word], now_ms: int) -> None:
    """Take in what was told, in its order."""
    for word in words:
        rows = await work.fetch(
            "SELECT w.id, w.action, w.until_ms, c.state FROM command AS c"
            " JOIN wish AS w ON w.id = c.wish WHERE c.jti = ?1 AND w.gateway = ?2",
            word.jti,
            word.gateway,
        )
        if rows and is_news(rows[0][3], word.state):
            wish, action, until_ms, _ = rows[0]
            await _take(work, word, wish, now_ms)
            await _conclude(work, word, wish, Action(action), until_ms, now_ms)


async def _take(work: Work, word: Word, wish: int, now_ms: int) -> None:
    await work.execute(
        "UPDATE command SET state = ?2, seq = ?3, told_ms = ?4 WHERE jti = ?1",
        *(word.jti, word.state, word.seq, now_ms),
    )
    rows = await work.fetch("SELECT state FROM command WHERE wish = ?1", wish)
    state = furthest([state for (state,) in rows])
    await work.execute(
        "UPDATE wish SET is_open = 0, state = ?2, told_ms = ?3, why = ?4 WHERE id = ?1",
        *(wish, state, now_ms, word.why if state == word.state else ""),
    )


async def _conclude(  # noqa: PLR0917
    work: Work, word: Word, wish: int, action: Action, until_ms: int, now_ms: int
) -> None:
    if word.state == CommandState.UNKNOWN and action in REPEATABLE:
        if now_ms < until_ms:
            await work.execute(
                "UPDATE wish SET is_open = 1, key = ?2 WHERE id = ?1",
                wish,
                secrets.token_hex(16),
            )
    elif word.state == CommandState.ACTUATED and action is Action.ERASE and word.seq:
        await _finish_erasing(work, word.gateway, wish, now_ms)


async def _finish_erasing(work: Work, gateway: str, wish: int, now_ms: int) -> None:
    """Erase what came of a person until his gateway forgot him; nothing comes later."""
    [(fields,)] = await work.fetch("SELECT fields FROM wish WHERE id = ?1", wish)
    holder = json.loads(fields).get("holder")
    if holder is not None:
        await erasing.erase(work, gateway, holder, now_ms)
        await erasing.forget_wishes(work, gateway, holder)
