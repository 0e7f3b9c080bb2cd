# SPDX-License-Identifier: Apache-2.0
"""The operators: who may have something done, with which key, and how often.

The law of the module: an operator's private key is a file of his own; the platform
holds the public half, so that who writes into its tables cannot speak for him. One
who is retired keeps his row: what he has done stays explained.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cloud_sync.signing import PlatformKeys
from edge.core.remote.command import Action

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,30}")
#: Openings an hour that one operator may have made, in all and at one door.
OPENS_AN_HOUR = 10
MOST_AN_HOUR = 60


class Role(StrEnum):
    """What an operator is there for."""

    DESK = "desk"
    MANAGER = "manager"


#: What each may want; a resident's door is nobody's.
MAY: dict[Role, frozenset[Action]] = {
    Role.DESK: frozenset(
        {
            *(Action.OPEN, Action.LOCKER_OPEN, Action.MESSAGE),
            *(Action.FEED_REFRESH, Action.REVOKE_NOW),
        }
    ),
    Role.MANAGER: frozenset(Action) - {Action.RESIDENT_OPEN},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator; ``key`` is hex, ``retired_ms`` 0 while he is at work."""

    operator: str
    name: str
    role: Role
    key: str
    opens_hour: int
    door_hour: int
    retired_ms: int = 0


class OperatorError(Exception):
    """An operator is not as the verb says; the text says what to do."""


async def add(work: Work, wanted: Operator, now_ms: int) -> None:
    """Add an operator; OperatorError if he cannot be one."""
    if not _NAME.fullmatch(wanted.operator):
        raise OperatorError("an operator's id has 2 to 31 of a-z, 0-9 and hyphens")
    if not wanted.name.isprintable() or not 1 <= len(wanted.name) <= 64:
        raise OperatorError("an operator's name has 1 to 64 printable characters")
    for limit in (wanted.opens_hour, wanted.door_hour):
        if not 0 <= limit <= MOST_AN_HOUR:
            raise OperatorError(f"a limit is 0 to {MOST_AN_HOUR} an hour")
    try:
        PlatformKeys({wanted.operator: wanted.key})
    except ValueError as flaw:
        raise OperatorError(f"no key: {flaw}") from flaw
    sql = "SELECT operator FROM operator WHERE key = ?1"
    if await work.fetch(sql, wanted.key):
        raise OperatorError("another operator has this key; each has one of his own")
    added = await work.fetch(
        "INSERT INTO operator (operator, name, role, key, opens_hour, door_hour,"
        " added_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        " ON CONFLICT (operator) DO NOTHING RETURNING operator",
        wanted.operator,
        wanted.name,
        wanted.role.value,
        wanted.key,
        wanted.opens_hour,
        wanted.door_hour,
        now_ms,
    )
    if not added:
        raise OperatorError(f"there is an operator {wanted.operator} already")


async def retire(work: Work, operator: str, now_ms: int) -> None:
    """Let an operator want nothing any more; what he waits for is cancelled."""
    done = await work.fetch(
        "UPDATE operator SET retired_ms = ?2 WHERE operator = ?1 AND retired_ms = 0"
        " RETURNING operator",
        operator,
        now_ms,
    )
    if not done:
        raise OperatorError(f"no operator {operator} at work; see `operator list`")
    await work.execute(
        "UPDATE wish SET is_open = 0, state = 'cancelled', why = 'retired'"
        " WHERE operator = ?1 AND is_open = 1 AND state = 'waiting'",
        operator,
    )


async def everybody(work: Work) -> list[Operator]:
    """Return all operators by their ids."""
    rows = await work.fetch(
        "SELECT operator, name, role, key, opens_hour, door_hour, retired_ms"
        " FROM operator ORDER BY operator"
    )
    return [
        Operator(
            operator=operator,
            name=name,
            role=Role(role),
            key=key,
            opens_hour=opens_hour,
            door_hour=door_hour,
            retired_ms=retired_ms,
        )
        for operator, name, role, key, opens_hour, door_hour, retired_ms in rows
    ]


async def at_work(work: Work, operator: str) -> Operator | None:
    """Return an operator who is at work, None if there is none of that name."""
    found = (each for each in await everybody(work) if each.operator == operator)
    return next((each for each in found if not each.retired_ms), None)
