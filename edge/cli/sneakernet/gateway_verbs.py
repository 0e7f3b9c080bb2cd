# SPDX-License-Identifier: Apache-2.0
"""The running gateway's side of ``menshen sync``: verbs of the control socket.

The law of the module: exports are handed out and imports taken in pieces of at most a
line, so that no door waits for a stick; no path is ever opened for a caller.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from edge.cli.key_files import KeyFileError
from edge.cli.sneakernet.export import Exporter
from edge.cli.sneakernet.importing import StickImport
from edge.cli.sync_ports import JournalForSync
from edge.storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edge.cli.runtime import Runtime
    from edge.control.server import PrivateVerb
    from edge.core.event import EventKind, Facts

Report: TypeAlias = "Callable[[EventKind, Facts], None]"
T = TypeVar("T")
VERBS = (
    *("stick-head", "stick-batch"),
    *("stick-begin", "stick-part", "stick-apply", "stick-drop"),
)


def stick_verbs(
    runtime: Runtime, report: Report, lost: str = ""
) -> dict[str, PrivateVerb]:
    """Return what a running gateway does for ``menshen sync``.

    The box's key is made here at the first start, so that it can be shown. ``lost``
    says why a gateway has to do without its disk: it then has no journal to export
    and no key to sign with, and says so.
    """
    if lost:
        return dict.fromkeys(VERBS, _refusing(lost))
    runtime.box.prepare()
    return _export_verbs(runtime) | _import_verbs(runtime, report)


def _refusing(lost: str) -> PrivateVerb:
    async def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise ValueError(
            f"STORAGE: this gateway works without its disk ({lost}), so it has nothing "
            "to export and nowhere to keep an import; mend that first"
        )

    return refuse


def _export_verbs(runtime: Runtime) -> dict[str, PrivateVerb]:
    exporter = Exporter(
        gateway=runtime.settings.gateway.id,
        journal=runtime.journal,
        key=runtime.box.key,
        feed=lambda: runtime.feed.cursor,
        now_ms=lambda: runtime.clock.now().earliest_ms,
    )

    async def head(request: dict[str, Any]) -> dict[str, Any]:
        wish = request.get("wish")
        if isinstance(wish, bool) or not isinstance(wish, int | str):
            raise ValueError("wish: say waiting, all or a number")
        return {"header": await _readable(exporter.header(wish))}

    async def batch(request: dict[str, Any]) -> dict[str, Any]:
        epoch, after, last = (request.get(key) for key in ("epoch", "after", "last"))
        if not (type(epoch) is str and type(after) is int and type(last) is int):
            raise ValueError("epoch, after, last: missing; ask for stick-head first")
        payload, end = await _readable(exporter.batch(epoch, after, last))
        return {"payload": payload, "last": end}

    return {"stick-head": head, "stick-batch": batch}


def _import_verbs(runtime: Runtime, report: Report) -> dict[str, PrivateVerb]:
    sticks = StickImport(
        gateway=runtime.settings.gateway.id,
        keys=runtime.line.keys,
        journal=JournalForSync(runtime.journal, runtime.gateway),
        feed=runtime.feed,
        report=report,
        on_ack=runtime.client.acknowledged_elsewhere,
    )
    return {
        "stick-begin": sticks.begin,
        "stick-part": sticks.part,
        "stick-apply": sticks.apply,
        "stick-drop": sticks.drop,
    }


async def _readable(work: Awaitable[T]) -> T:
    """Turn what an export may stumble over into a caller's answer."""
    try:
        return await work
    except KeyFileError as fault:
        raise ValueError(str(fault)) from fault
    except (sqlite3.Error, StorageError) as fault:
        raise ValueError(f"the journal cannot be read: {fault}") from fault
