# SPDX-License-Identifier: Apache-2.0
"""``menshen platform worker`` and ``shards``: the work of one platform, divided.

The law of the module: what somebody can mend is told in a line and exits with 2; a
shard with gateways and no worker is trouble and exits with 1.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from typing import TYPE_CHECKING

from cloud_sync.platform import registry
from cloud_sync.platform.application import (
    WorkerError,
    leases_of,
    open_database,
    work,
)
from cloud_sync.platform.leases import SHARDS
from cloud_sync.platform.reports.table import Table
from cloud_sync.platform.settings import read_settings
from edge.cli.exits import TROUBLE
from edge.cli.platform.shown import show
from edge.cli.platform.work import prepare, told, until_stopped
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.platform.settings import Settings
    from edge.cli.platform.shown import Form

_SPAN = re.compile(r"(\d\d)(?:-(\d\d))?")


def run_worker(path: Path, shards: str | None) -> None:
    """Serve the shards named, or a fair share of NATS's, until SIGTERM or SIGINT."""
    prepare()
    name = f"{socket.gethostname()}:{os.getpid()}"
    with told():
        settings = read_settings(path)
        chosen = None if shards is None else read_shards(shards)
        working = work(settings, path.parent, wall_ms, name=name, shards=chosen)
        try:
            asyncio.run(until_stopped(working))
        except BaseExceptionGroup as group:
            raise _first(group) from group


def show_shards(path: Path, form: Form) -> None:
    """Show who serves which shard, and for how many gateways."""
    with told():
        settings = read_settings(path)
        rows = asyncio.run(_rows(settings, path.parent))
    show(Table(columns=("shard", "gateways", "worker"), rows=rows), form)
    alone = [str(shard) for shard, count, worker in rows if count and not worker]
    if alone:
        print(f"gateways without a worker: shards {','.join(alone)}", file=sys.stderr)
        sys.exit(TROUBLE)


def read_shards(text: str) -> frozenset[str]:
    """Read ``00-07`` or ``00,03,08-11``; WorkerError for what is no shard."""
    chosen: set[str] = set()
    for span in text.split(","):
        found = _SPAN.fullmatch(span.strip())
        first, last = found.groups() if found else ("", None)
        last = last or first
        if first not in SHARDS or last not in SHARDS or last < first:
            raise WorkerError(
                f"--shards: {span!r} is no shard nor a span of them; write 00-07, or "
                "00,03,08-11: two digits each, 00 to 15"
            )
        named = {shard for shard in SHARDS if first <= shard <= last}
        if named & chosen:
            raise WorkerError(f"--shards: {min(named & chosen)} is named twice")
        chosen |= named
    return frozenset(chosen)


async def _rows(settings: Settings, folder: Path) -> list[tuple[int | str, ...]]:
    async with open_database(settings, folder) as base, base.reading() as reading:
        populated = await registry.populations(reading)
    async with leases_of(settings, folder, "", is_worker=False) as leases:
        holders = await leases.holders()
    return [(each, populated.get(each, 0), holders.get(each, "")) for each in SHARDS]


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return one of the failures that ended the work together."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
