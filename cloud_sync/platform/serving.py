# SPDX-License-Identifier: Apache-2.0
"""What runs beside each other in a platform: shell, alarms, and its web server.

The law of the module: it builds and starts. What runs in one process runs in several
too: an alarm calls once, a command goes out once, whoever looks first.
"""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from cloud_sync.platform import keys
from cloud_sync.platform.alarms.callers import caller_of
from cloud_sync.platform.alarms.routing import Patience, Routing
from cloud_sync.platform.answers import Answers
from cloud_sync.platform.commanding.commander import Commander
from cloud_sync.platform.enrolment import authority
from cloud_sync.platform.reception import Reception
from cloud_sync.platform.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from cloud_sync.platform.enrolment.authority import Authority
    from cloud_sync.platform.line import Lines
    from cloud_sync.platform.settings import Settings


_log = structlog.get_logger("platform")


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What all parts of one process share; paths of settings count from ``folder``."""

    settings: Settings
    folder: Path
    database: Database
    now_ms: Callable[[], int]


async def serve(house: House, lines: Lines, *, with_web: bool) -> None:
    """Serve the gateways of ``lines`` until cancelled, and the web if asked to."""
    settings, folder, database = house.settings, house.folder, house.database
    signer = keys.load(folder / settings.platform.signing_key)
    ours = _authority(settings, folder)
    fetched_parts = 0 if settings.web is None else settings.web.snapshot_parts
    shell = Shell(
        lines=lines,
        reception=Reception(
            database, Answers(signer), ours, fetched_parts=fetched_parts
        ),
        commander=Commander(database, signer),
        now_ms=house.now_ms,
    )
    works = [shell.run(), _routing(house).run()]
    if with_web and settings.web is not None:
        # Loaded here alone: who does without it saves 10 MiB.
        web = importlib.import_module("cloud_sync.platform.web.server")
        lent = importlib.import_module("cloud_sync.platform.web.app").Lent(
            database=database,
            signer=signer,
            settings=settings,
            folder=folder,
            now_ms=house.now_ms,
        )
        works.append(web.serve(settings.web, lent))
    await _together(works)


def _authority(settings: Settings, folder: Path) -> Authority | None:
    """Return the platform's own authority, if it has one."""
    files = settings.authority
    certificate, key = folder / files.certificate, folder / files.key
    if not certificate.exists() or not key.exists():  # its key may be kept elsewhere
        return None
    return authority.load(certificate, key)


def _routing(house: House) -> Routing:
    wanted = house.settings.alarms
    return Routing(
        house.database,
        caller=caller_of(wanted.command, wanted.webhook, wanted.timeout_s),
        patience=Patience(
            answer_ms=wanted.answer_s * 1000,
            next_ms=wanted.next_s * 1000,
            repeats=wanted.repeats,
            tries=wanted.tries,
            timeout_ms=wanted.timeout_s * 1000,
            calls_an_hour=wanted.calls_an_hour,
        ),
        utc_offset_ms=house.settings.platform.utc_offset_min * 60_000,
        now_ms=house.now_ms,
    )


async def _together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run them until one ends; the first failure is raised as it is.

    What failed besides is logged: on its own, or while it was being ended.
    """
    tasks = [asyncio.create_task(work) for work in works]
    ended: set[asyncio.Task[None]] = set()
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        # Who failed by himself stands before who failed in being ended.
        over = sorted(tasks, key=lambda task: task not in ended)
        failures = [fault for task in over if (fault := _failure(task))]
        for fault in failures[bool(ended) :]:
            what = f"{type(fault).__name__}: {fault}"
            _log.error("another part of the platform failed, too", what=what)
    if failures:
        raise failures[0]


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()
