# SPDX-License-Identifier: Apache-2.0
"""The running gateway's side of ``menshen erase``: two verbs of the control socket.

The law of the module: for root and the gateway's own user alone, and with two names
that differ; who really sits there a shell cannot know, and the journal says that it
was a shell. What is written down for good (who, why) may name the person nowhere.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from edge.cli.control_orders import MAX_TEXT
from edge.core.erasing.names import Names
from edge.core.stimulus import EraseOrdered

if TYPE_CHECKING:
    from edge.cli.erasing.eraser import Eraser
    from edge.cli.runtime import Runtime
    from edge.control.server import PrivateVerb
    from edge.core.controller import Controller
    from edge.core.moment import Moment
    from edge.core.outcome import Outcome

#: So long somebody at a shell waits for the end; it goes on without him.
WAIT_S = 60.0
LOOK_EVERY_S = 0.05
FIELDS = ("holder", "actor", "second", "reason")


def erasing_verbs(
    runtime: Runtime, eraser: Eraser, lost: str = ""
) -> dict[str, PrivateVerb]:
    """Return what a running gateway does for ``menshen erase``."""

    async def look(request: dict[str, Any]) -> dict[str, Any]:
        _need_disk(lost)
        holder = _text(request, "holder")
        bookings = await runtime.journal.bookings_of(holder)
        names = Names(holder=holder, bookings=frozenset(bookings))
        return {
            "events": await runtime.journal.count_of(holder, bookings),
            "known": runtime.controller.rolls.holder(holder) is not None,
            "barred": [bar.value for bar in eraser.erasing.bars(names)],
        }

    async def erase(request: dict[str, Any]) -> dict[str, Any]:
        _need_disk(lost)
        told = {field: _text(request, field) for field in FIELDS}
        _refuse_one_person(told)
        name = secrets.token_hex(16)
        ordered = EraseOrdered(name=name, **told)
        why: list[str] = []

        def act(controller: Controller, now: Moment) -> Outcome:
            outcome = controller.handle(ordered, now)
            why.append(controller.rejection)
            return outcome

        runtime.gateway.do(act)
        if why[0]:
            raise ValueError(why[0])
        return await _outcome(eraser, name)

    return {"erase-look": look, "erase": erase}


async def _outcome(eraser: Eraser, name: str) -> dict[str, Any]:
    """Wait for the end, or say what it waits for."""
    until_s = asyncio.get_running_loop().time() + WAIT_S
    while (wish := eraser.erasing.wishes.get(name)) is not None:
        if wish.told:
            return {"state": "deferred", "why": wish.told}
        if eraser.trouble or asyncio.get_running_loop().time() >= until_s:
            return {"state": "accepted", "why": eraser.trouble or "not done yet"}
        await asyncio.sleep(LOOK_EVERY_S)
    return {"state": "actuated", "why": ""}


def _refuse_one_person(told: dict[str, str]) -> None:
    if told["actor"].casefold() == told["second"].casefold():
        raise ValueError("second: another person has to confirm it")
    for field in ("actor", "second", "reason"):
        if told["holder"] in told[field]:
            raise ValueError(f"{field}: it stays for good, so name the person nowhere")


def _need_disk(lost: str) -> None:
    if lost:
        raise ValueError(f"STORAGE: not without the disk ({lost}); mend that first")


def _text(request: dict[str, Any], field: str) -> str:
    value = request.get(field)
    is_text = isinstance(value, str) and bool(value.strip()) and value.isprintable()
    if not is_text or len(str(value)) > MAX_TEXT:
        raise ValueError(f"{field}: say a text of 1 to {MAX_TEXT} characters")
    return str(value).strip()
