# SPDX-License-Identifier: Apache-2.0
"""Somebody far away who gives commands to the stage, and what comes of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edge.core.event import Event, EventKind
from edge.core.remote.command import STATES, Action, RemoteCommand
from edge.core.stimulus import CommandReceived, CommandStored
from tests.core.stage import Stage, Told

DOOR = "kitchen-door"


def command(jti: int = 1, action: Action = Action.OPEN, **more: Any) -> RemoteCommand:
    """Return a command of an operator, for the kitchen's door unless it says where."""
    where = {"door": DOOR} if action in _OF_DOORS else {}
    by = "holder-wang" if action is Action.RESIDENT_OPEN else "op-1"
    fields = {"jti": f"{jti:032x}", "by": by, "reason": "telephone"} | where | more
    return RemoteCommand(action=action, **fields)


_OF_DOORS = {Action.RESIDENT_OPEN, Action.OPEN, Action.MODE}


def give(stage: Stage, wish: RemoteCommand) -> Told:
    """Let a command come, and its record be stored at once."""
    told = stage.do(CommandReceived(command=wish))
    if "COMMAND_RECEIVED" in told:
        told += stage.do(CommandStored(jti=wish.jti))
    return told


def last(stage: Stage, kind: EventKind) -> Event:
    """Return the last event of a kind."""
    return next(event for event in reversed(stage.journal) if event.kind is kind)


def reason(stage: Stage, wish: RemoteCommand) -> str:
    """Give a command; return why it was rejected, "" if it was not."""
    told = give(stage, wish)
    if "COMMAND_REJECTED" not in told:
        return ""
    rejected = last(stage, EventKind.COMMAND_REJECTED)
    assert rejected.fact("jti") == wish.jti
    return str(rejected.fact("reason"))


def states(stage: Stage, wish: RemoteCommand) -> list[str]:
    """Return the states that the journal tells of a command."""
    mine = (event for event in stage.journal if event.fact("jti") == wish.jti)
    return [STATES[e.kind].value for e in mine if e.kind in STATES]


def with_site(**changes: Any) -> Stage:
    """Return a stage whose site is another."""
    site = Stage().controller._site
    return Stage(site=replace(site, **changes))
