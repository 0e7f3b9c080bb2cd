# SPDX-License-Identifier: Apache-2.0
"""What the verbs about operators and commands do.

The law of the module: as in ``work``. A wish is written into the database and the
running platform does the rest; who asked waits for what becomes of it, and breaking
off ends his waiting alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloud_sync.platform import keys
from cloud_sync.platform.application import open_database
from cloud_sync.platform.commanding import (
    erasing,
    operators,
    passes,
    places,
    residents,
    sealing,
    wishes,
)
from cloud_sync.platform.commanding.states import OVER
from cloud_sync.platform.reports.table import Table, local_time
from cloud_sync.platform.settings import read_settings
from edge.cli.exits import TROUBLE
from edge.cli.platform.work import MINUTE_MS, ask_and_show, run_once, told, write
from edge.cli.system_clock import wall_ms
from edge.core.remote.command import Action, CommandState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloud_sync.platform.commanding.operators import Operator
    from cloud_sync.platform.database import Database, Work
    from cloud_sync.platform.keys import Signer
    from edge.cli.platform.shown import Form

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a local time; its offset is a number
#: How often it is asked what has become of a wish.
LOOK_EVERY_S = 0.05
#: What a wish has to come to for its verb to end well.
GOOD = frozenset({CommandState.ACTUATED, CommandState.CONFIRMED, CommandState.DEFERRED})


def add_operator(path: Path, wanted: Operator, key: Path | None) -> None:
    """Add an operator; with ``key`` a new one is made in that file."""
    with told():
        if key is not None:
            made = keys.make(key, wanted.operator)
            wanted = _with_key(wanted, made)
            print(
                f"{key}: made; it is {wanted.operator}'s own, keep it with nobody else"
            )
    write(path, lambda work: operators.add(work, wanted, wall_ms()))
    print(f"{wanted.operator}: added")
    print("for platform.shelter of a site file, where he may sign for one:")
    print(f"{wanted.operator}:{wanted.key}")


def _with_key(wanted: Operator, made: Signer) -> Operator:
    [public] = made.public_keys.values()
    return replace(wanted, key=public)


def retire_operator(path: Path, operator: str) -> None:
    """Let an operator want nothing any more."""
    write(path, lambda work: operators.retire(work, operator, wall_ms()))
    print(f"{operator}: retired; take his key out of the site files that name it")


def list_operators(path: Path, form: Form) -> None:
    """Show all operators."""

    async def ask(work: Work, offset_ms: int) -> Table:
        return Table(
            columns=(
                *("operator", "name", "role", "opens_hour", "door_hour"),
                *("retired", "key"),
            ),
            rows=[
                (
                    *(each.operator, each.name, each.role.value),
                    *(each.opens_hour, each.door_hour),
                    local_time(each.retired_ms, offset_ms) if each.retired_ms else "",
                    each.key,
                )
                for each in await operators.everybody(work)
            ],
        )

    ask_and_show(path, ask, form)


def set_door(
    path: Path, gateway: str, door: str, space: str, minutes: tuple[int, int]
) -> None:
    """Note of which room a door is."""
    write(path, lambda work: residents.set_door(work, gateway, door, space, minutes))
    print(f"{door}: a door of {space}")


def set_address(
    path: Path, site: str, gateway: str, door: str, *, is_fresh: bool
) -> None:
    """Note that a door stands under SITE/DOOR of the page behind its code."""

    async def work(work: Work) -> None:
        await places.set_address(work, site, door, gateway, is_fresh=is_fresh)

    write(path, work)
    what = "the code on its screen alone" if is_fresh else "its poster or its screen"
    print(f"/door/{site}/{door}: opens by {what}")


def give_pass(path: Path, gateway: str, holder: str, days: int) -> None:
    """Print a resident's pass for the page behind a door's code."""
    with told():
        settings = read_settings(path)
        signer = keys.load(path.parent / settings.platform.signing_key)

        async def work(work: Work) -> str:
            return await passes.issue(work, signer, gateway, holder, days, wall_ms())

        print(run_once(settings, path.parent, work, is_reading=True))


def list_commands(path: Path, count: int, form: Form) -> None:
    """Show the newest wishes and what became of each."""

    async def ask(work: Work, offset_ms: int) -> Table:
        return Table(
            columns=(
                *("wish", "made", "gateway", "by", "action", "what", "state"),
                *("why", "ms", "signed"),
            ),
            rows=[_line(each, offset_ms) for each in await wishes.recent(work, count)],
            note="ms: from the first command's signature to the last word of it.",
        )

    ask_and_show(path, ask, form)


def cancel(path: Path, number: int) -> None:
    """Have nothing signed for a wish any more."""
    write(path, lambda work: wishes.cancel(work, number))
    print(f"wish {number}: nothing more is signed for it")


def command(  # noqa: PLR0917
    path: Path,
    key: Path,
    gateway: str,
    action: Action,
    reason: str,
    fields: dict[str, Any],
    *,
    within_s: float,
) -> None:
    """Wish something as the operator whose key that is, and wait for its end."""

    async def make(database: Database, signer: Signer) -> int:
        [by] = signer.public_keys
        wanted = wishes.Wanted(
            gateway=gateway, action=action, by=by, reason=reason, fields=fields
        )
        async with database.writing() as work:
            return await wishes.make(work, wanted, signer, wall_ms())

    _wish(path, key, make, within_s)


def resident_open(
    path: Path, gateway: str, door: str, holder: str, code: str, *, within_s: float
) -> None:
    """Let a resident in who scanned the door's code, if he has a booking there now."""
    wanted = wishes.Wanted(
        gateway=gateway,
        action=Action.RESIDENT_OPEN,
        by=holder,
        reason="",
        fields={"door": door},
    )

    async def make(database: Database, _: Signer) -> int:
        async with database.writing() as work:
            return await wishes.make_for_resident(work, wanted, wall_ms(), code)

    _wish(path, None, make, within_s)


def erase(  # noqa: PLR0917
    path: Path, key: Path, gateway: str, holder: str, reason: str, within_s: float
) -> None:
    """Forget a person here at once, and have his gateway forget him."""

    async def make(database: Database, signer: Signer) -> int:
        [by] = signer.public_keys
        wanted = wishes.Wanted(
            gateway=gateway,
            action=Action.ERASE,
            by=by,
            reason=reason,
            fields={"holder": holder},
        )
        async with database.writing() as work:
            number = await wishes.make(work, wanted, signer, wall_ms())
            gone = await erasing.erase(work, gateway, holder, wall_ms())
        print(f"here: {gone.events} events and {gone.rows} rows name him no more")
        if not await database.scour():
            print("the log still holds old pages; the next checkpoint clears them")
        return number

    _wish(path, key, make, within_s)


def shelter(  # noqa: PLR0917
    path: Path, key: Path, gateway: str, site: str, reason: str, within_s: float
) -> None:
    """Stand by for a shelter: the first operator wishes it, the second joins him."""

    async def make(database: Database, signer: Signer) -> int:
        [by] = signer.public_keys
        async with database.writing() as work:
            number = await sealing.waiting_shelter(work, gateway, wall_ms())
            if number is None:
                wanted = wishes.Wanted(
                    gateway=gateway,
                    action=Action.SHELTER,
                    by=by,
                    reason=reason,
                    fields={"site": site},
                )
                number = await wishes.make(work, wanted, signer, wall_ms())
                print("waiting for a second operator to say the same …", flush=True)
        return number

    async def seal(database: Database, signer: Signer, number: int) -> None:
        [by] = signer.public_keys
        async with database.writing() as work:
            order = await sealing.stand_by(work, number, by, wall_ms())
            if order and sealing.is_meant(order, gateway=gateway, site=site):
                await sealing.put_seal(work, number, by, order, signer)

    _wish(path, key, make, within_s, meanwhile=seal)


def _wish(
    path: Path,
    key: Path | None,
    make: Callable[[Database, Signer], Any],
    within_s: float,
    meanwhile: Callable[[Database, Signer, int], Any] | None = None,
) -> None:
    """Make a wish, tell each state as it comes, and exit 1 if it ends badly."""
    with told():
        settings = read_settings(path)
        own = key or path.parent / settings.platform.signing_key
        signer = keys.load(own)

        async def work() -> str:
            async with open_database(settings, path.parent) as database:
                number = await make(database, signer)
                return await _watch(database, signer, number, within_s, meanwhile)

        state = asyncio.run(work())
    if state not in GOOD:
        sys.exit(TROUBLE)


async def _watch(
    database: Database,
    signer: Signer,
    number: int,
    within_s: float,
    meanwhile: Callable[[Database, Signer, int], Any] | None,
) -> str:
    loop = asyncio.get_running_loop()
    until_s, shown = loop.time() + within_s, ""
    begun_s = loop.time()
    while True:
        if meanwhile is not None and shown in ("", "waiting"):
            await meanwhile(database, signer, number)
        async with database.reading() as work:
            state, why = await wishes.state_of(work, number)
        if state != shown:
            shown = state
            took_ms = (loop.time() - begun_s) * 1000
            words = f" ({why})" if why else ""
            print(f"wish {number}: {state}{words}, {took_ms:.0f} ms", flush=True)
        is_settled = state in OVER or state == CommandState.DEFERRED
        if is_settled or loop.time() >= until_s:
            return state
        await asyncio.sleep(LOOK_EVERY_S)


def _line(row: Any, offset_ms: int) -> tuple[int | str, ...]:
    number, made_ms, gateway, by, action, fields, state, why, *rest = row
    told_ms, times, signed_ms = rest
    took_ms = told_ms - signed_ms if told_ms and signed_ms else ""
    made = local_time(made_ms, offset_ms)
    who = by or "resident"
    return (
        number,
        made,
        gateway,
        who,
        action,
        _fields(fields),
        state,
        why,
        took_ms,
        times,
    )


def _fields(fields: str) -> str:
    """Return an action's own fields in a line, without whom it is about."""
    told = json.loads(fields)
    hidden = {"holder", "by", "booking"}
    return " ".join(f"{name}={told[name]}" for name in sorted(set(told) - hidden))


def local_ms(path: Path, at: datetime) -> int:
    """Return a local time of the settings' offset as UTC ms."""
    with told():
        offset_min = read_settings(path).platform.utc_offset_min
    return int((at - _EPOCH).total_seconds()) * 1000 - offset_min * MINUTE_MS
