# SPDX-License-Identifier: Apache-2.0
"""The door side of a running gateway, and its turn in the loop.

The law of the module: words that cannot be read are told and done without; the doors
go on with those that come with Menshen.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from edge.bindings.bindings import MAX_DETAIL
from edge.cli.doorside.door_side import Around, DoorSide
from edge.cli.doorside.language import LanguageError
from edge.cli.doorside.languages import Ear, open_library
from edge.cli.files import config_folder
from edge.core.event import EventKind
from edge.core.stimulus import Noted
from edge.settings.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drivers.device import Order
    from edge.cli.doorside.languages import Library
    from edge.cli.runtime import Runtime

#: How soon a fire or a lock-down is seen at a door's readers.
LOOK_S = 0.25

log = structlog.get_logger()


def open_door_side(runtime: Runtime, send: Callable[[str, Order], None]) -> DoorSide:
    """Return the door side of a gateway whose rules and bindings stand."""
    folders = (config_folder() / "voice", runtime.home / "voice")
    library = _library(runtime.settings.signals.languages, folders)
    loop = asyncio.get_running_loop()

    def tell_fault(why: str) -> None:
        log.warning("sound", why=why)
        facts = (("detail", why[:MAX_DETAIL]), ("what", "sound"))
        kind = EventKind.DEVICE_FAULT
        runtime.gateway.note(Noted(kind=kind, subject="loudspeaker", facts=facts))

    around = Around(
        clock=loop,
        monotonic_s=loop.time,
        now=runtime.clock.now,
        local=runtime.local_time,
        send=send,
        tell_fault=tell_fault,
        library=library,
        folders=folders,
        is_lost=bool(runtime.lost),
    )
    return DoorSide(
        runtime.settings, runtime.bindings, runtime.controller, around, Ear(library)
    )


def _library(order: list[str], folders: tuple[Path, ...]) -> Library:
    try:
        library = open_library(order, folders)
    except LanguageError as fault:
        log.warning("words", why=str(fault))
        return open_library(Signals().languages, folders[:1])
    for why in library.faults:
        log.warning("words", why=why)
    return library


async def attend(side: DoorSide) -> None:
    """Look after what stands at the doors until cancelled; then fall silent."""
    why = ""
    try:
        while True:
            try:
                side.look()
            except Exception as fault:  # noqa: BLE001  told once: doors go on
                if repr(fault) != why:
                    why = repr(fault)
                    log.warning("what stands cannot be shown", why=why)
            await asyncio.sleep(LOOK_S)
    finally:
        await side.close()
