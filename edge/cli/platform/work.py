# SPDX-License-Identifier: Apache-2.0
"""What the platform's verbs do, each in a transaction of its own.

The law of the module: what somebody can mend is told in a line and exits with 2; a
database or broker that fails exits with 1. A running platform notices what is changed
here by itself.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from cloud_sync.feed import NO_FEED
from cloud_sync.platform import boxes, confirmations, feeds, keys, registry
from cloud_sync.platform.alarms.answering import AnswerError
from cloud_sync.platform.alarms.call_list import CallListError
from cloud_sync.platform.application import WorkerError, open_database
from cloud_sync.platform.application import run as serve
from cloud_sync.platform.commanding.operators import OperatorError
from cloud_sync.platform.commanding.residents import ResidentError
from cloud_sync.platform.commanding.wishes import WishError
from cloud_sync.platform.database import DatabaseError
from cloud_sync.platform.enrolment.authority import AuthorityError
from cloud_sync.platform.enrolment.claims import EnrolmentError
from cloud_sync.platform.planning import PlanError
from cloud_sync.platform.reports.table import Table, local_time
from cloud_sync.platform.rows_file import BOOKING, RowsError, read_rows
from cloud_sync.platform.settings import (
    DEFAULT_SETTINGS,
    SettingsError,
    read_settings,
)
from edge.cli.exits import TROUBLE, WRONG_USE
from edge.cli.platform.shown import ShownError, show, write_private
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from pathlib import Path

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.settings import Settings
    from edge.cli.platform.shown import Form

Answer = TypeVar("Answer")
MINUTE_MS = 60_000
#: Objects between two collections: a handful of batches makes tens of thousands that
#: die together and never form a cycle.
COLLECT_AFTER = 100_000
_MENDABLE = (
    WorkerError,
    SettingsError,
    keys.SigningKeyError,
    registry.RegistryError,
    boxes.BoxError,
    feeds.FeedError,
    RowsError,
    ShownError,
    confirmations.ConfirmationError,
    PlanError,
    AnswerError,
    CallListError,
    OperatorError,
    ResidentError,
    WishError,
    AuthorityError,
    EnrolmentError,
)


@contextmanager
def told() -> Iterator[None]:
    """Turn what can go wrong into a line and an exit status."""
    try:
        yield
    except _MENDABLE as fault:
        print(fault, file=sys.stderr)
        sys.exit(WRONG_USE)
    except DatabaseError as fault:
        print(f"the database: {fault}", file=sys.stderr)
        sys.exit(TROUBLE)


def init(path: Path) -> None:
    """Write settings where there are none, make the key, and make the tables."""
    with told():
        if not path.exists():
            write_private(path, DEFAULT_SETTINGS.encode())
            print(f"{path}: written; look through it")
        settings = read_settings(path)
        key_path = path.parent / settings.platform.signing_key
        signer = keys.make(key_path)
        print(f"{key_path}: made; keep a copy where no thief and no fire reaches both")
        asyncio.run(_opened_once(settings, path.parent))
        print("the public half, for keys/platform.json of each gateway:")
        print(json.dumps(signer.public_keys))


def export_keys(path: Path, out: Path | None) -> None:
    """Print the public half of the key, or write it as a gateway reads it."""
    with told():
        settings = read_settings(path)
        signer = keys.load(path.parent / settings.platform.signing_key)
        text = json.dumps(signer.public_keys)
        if out is None:
            print(text)
        else:
            write_private(out, f"{text}\n".encode())
            print(f"{out}: written")


def run(path: Path) -> None:
    """Serve gateways until SIGTERM or SIGINT."""
    prepare()
    with told():
        settings = read_settings(path)
        asyncio.run(until_stopped(serve(settings, path.parent, wall_ms)))


def prepare() -> None:
    """Make this process one that serves: its log, and a patient collector."""
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level"]),
        ],
    )
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def add_gateway(path: Path, gateway: str, shard: str, note: str) -> None:
    """Register a gateway."""

    async def work(work: Work) -> None:
        await registry.register(work, gateway, shard, note, wall_ms())

    write(path, work)
    print(f"{gateway}: registered in shard {shard}")


def list_gateways(path: Path, form: Form) -> None:
    """Show who there is, who is online, and what each has yet to send and to take."""
    settings = settings_of(path)
    offset_ms = settings.platform.utc_offset_min * MINUTE_MS

    async def ask(work: Work) -> Table:
        now_ms, heartbeat_s = wall_ms(), settings.platform.heartbeat_s
        return Table(
            columns=(
                *("gateway", "shard", "online", "heard", "until", "firmware", "epoch"),
                *("stored", "waiting", "oldest_s", "clock", "feed", "newest", "note"),
            ),
            rows=[
                (
                    *(each.gateway, each.shard, "yes" if each.is_online else "no"),
                    local_time(each.heard_ms, offset_ms) if each.heard_ms else "never",
                    local_time(each.until_ms, offset_ms) if each.until_ms else "",
                    *(each.firmware, each.epoch, each.stored, each.waiting),
                    *(each.oldest_s, each.clock, each.feed, each.newest, each.note),
                )
                for each in await registry.presences(work, now_ms, heartbeat_s)
            ],
        )

    ask_and_show(path, lambda work, _: ask(work), form)


def import_rows(
    path: Path, file: Path, gateways: list[str], *, replaces: bool, is_sure: bool
) -> None:
    """Write a file's rows into the feeds of gateways, all in one transaction."""
    with told():
        try:
            content = file.read_bytes()
        except OSError as fault:
            raise RowsError(f"{file}: {fault.strerror}") from fault
        offset_min = read_settings(path).platform.utc_offset_min
        wanted = read_rows(str(file), content, utc_offset_min=offset_min)
    is_csv = file.suffix.lower() == ".csv"
    kinds = (BOOKING if is_csv else feeds.EVERY_KIND,) if replaces else ()
    change = feeds.Change(put=wanted.put, remove=wanted.remove, replaces=kinds)

    async def work(work: Work) -> list[str]:
        lines = []
        for gateway in sorted(gateways):  # as all do who hold several
            await registry.known(work, gateway)
            await feeds.hold(work, gateway)
            whole = await _with_confirmations(work, gateway, change)
            done = await feeds.change(work, gateway, whole, wall_ms())
            if done.removed > done.rows and not is_sure:
                raise feeds.FeedError(
                    f"{gateway}: {done.removed} rows would go and {done.rows} stay; "
                    "nothing was changed. If that is meant, say --yes"
                )
            lines.append(
                f"{gateway}: {done.written} written, {done.unchanged} as before, "
                f"{done.removed} removed; {done.rows} rows at "
                f"{done.cursor.epoch}/{done.cursor.rev}"
            )
        return lines

    print("\n".join(write(path, work)))


async def _with_confirmations(
    work: Work, gateway: str, change: feeds.Change
) -> feeds.Change:
    """Return the change with the confirmed shifts that a file does not know of."""
    is_new = await feeds.cursor(work, gateway) == NO_FEED
    if not is_new and feeds.EVERY_KIND not in change.replaces:
        return change
    put = await confirmations.feed_rows(work, gateway, wall_ms())
    return replace(change, put=put | change.put)


def show_rows(path: Path, gateway: str, kind: str) -> None:
    """Print a feed as JSON lines that an import takes again."""

    async def ask(work: Work) -> list[str]:
        await registry.known(work, gateway)
        rows = await feeds.rows(work, gateway)
        return [feeds.row_text(*row) for row in rows if not kind or row[0] == kind]

    with told():
        for line in asyncio.run(_asked(read_settings(path), path.parent, ask)):
            print(line)


def ask_and_show(
    path: Path, question: Callable[[Work, int], Awaitable[Table]], form: Form
) -> None:
    """Put a question (it gets the UTC offset in ms) and show the answer."""
    with told():
        settings = read_settings(path)
        offset_ms = settings.platform.utc_offset_min * MINUTE_MS

        async def ask(work: Work) -> Table:
            return await question(work, offset_ms)

        show(asyncio.run(_asked(settings, path.parent, ask)), form)


def run_once(
    settings: Settings,
    folder: Path,
    work: Callable[[Work], Awaitable[Answer]],
    *,
    is_reading: bool = False,
) -> Answer:
    """Do something in one transaction; the caller tells what goes wrong."""
    do = _asked if is_reading else _written
    return asyncio.run(do(settings, folder, work))


def settings_of(path: Path) -> Settings:
    """Read the settings, or say what is wrong with them and end."""
    with told():
        return read_settings(path)


def write(path: Path, change: Callable[[Work], Awaitable[Answer]]) -> Answer:
    """Do something in one transaction of the database that the settings name."""
    with told():
        return asyncio.run(_written(read_settings(path), path.parent, change))


async def _written(
    settings: Settings, folder: Path, change: Callable[[Work], Awaitable[Answer]]
) -> Answer:
    async with open_database(settings, folder) as base, base.writing() as work:
        return await change(work)


async def _asked(
    settings: Settings, folder: Path, ask: Callable[[Work], Awaitable[Answer]]
) -> Answer:
    async with open_database(settings, folder) as base, base.reading() as work:
        return await ask(work)


async def _opened_once(settings: Settings, folder: Path) -> None:
    async with open_database(settings, folder):
        """The tables are made by opening."""


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Do work until it fails, or SIGTERM or SIGINT ends it."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serving = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (serving, stopping):
        task.cancel()
    await asyncio.wait({serving, stopping})
    if not serving.cancelled():
        serving.result()
