# SPDX-License-Identifier: Apache-2.0
"""What the verbs about sticks do, one file after the other.

The law of the module: as in ``work``. A file that is refused leaves nothing behind and
keeps no other from being taken; an answer is there whole or not at all, and is written
once the events that it speaks of are stored.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from cloud_sync.platform import keys
from cloud_sync.platform.answers import Answers
from cloud_sync.platform.application import open_database
from cloud_sync.platform.reception import Reception
from cloud_sync.platform.registry import RegistryError
from cloud_sync.platform.settings import read_settings
from cloud_sync.platform.sticks import answering, export_file
from cloud_sync.platform.sticks.taking import take
from cloud_sync.stick_file import StickError
from edge.cli.exits import TROUBLE
from edge.cli.platform.work import told
from edge.cli.sneakernet.new_file import new_file
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from cloud_sync.platform.keys import Signer
    from cloud_sync.platform.sticks.answering import Answer

#: Files on one stick: more are somebody's collection.
MAX_FILES = 64
#: How gateways' files end, and ours.
UP, DOWN = ".mnup", ".mndown"
#: Letters of a stick's own name in the name of its file.
_NAME = 8


def take_sticks(path: Path, at: Path, *, is_answered: bool) -> None:
    """Take a file or a folder of them; exit 1 if one of them was not taken."""
    with told():
        settings = read_settings(path)
        signer = keys.load(path.parent / settings.platform.signing_key)

        async def work() -> bool:
            async with open_database(settings, path.parent) as database:
                done = [
                    await _take(database, signer, each, is_answered=is_answered)
                    for each in _files(at)
                ]
                return all(done)

        try:
            is_good = asyncio.run(work())
        except StickError as fault:
            _complain(fault)
            is_good = False
    if not is_good:
        sys.exit(TROUBLE)


def write_stick(path: Path, gateway: str, file: Path) -> None:
    """Write a file for a gateway; exit 1 if it cannot be."""
    with told():
        settings = read_settings(path)
        signer = keys.load(path.parent / settings.platform.signing_key)

        async def work() -> Answer:
            async with (
                open_database(settings, path.parent) as database,
                database.reading() as reading,
            ):
                return await answering.answer(reading, gateway, wall_ms())

        try:
            answer = asyncio.run(work())
            _write(answer, signer, file)
        except StickError as fault:
            _complain(fault)
            sys.exit(TROUBLE)


def key_on(file: Path) -> str:
    """Return the key (hex) that signed a gateway's file; StickError if none did."""
    with export_file.opened(file) as export:
        header = export.header
        if not header.is_signed_by(bytes.fromhex(header.key)):
            raise StickError("FORGED", "the key in this file did not sign it; keep it")
        return header.key


def _files(at: Path) -> list[Path]:
    if not at.is_dir():
        return [at]
    found = sorted(
        each
        for each in at.iterdir()
        if each.suffix == UP and not each.name.startswith(".")
    )
    if not found:
        raise StickError("NO_FILE", f"{at}: no file that ends in {UP}")
    if len(found) > MAX_FILES:
        raise StickError("TOO_MANY", f"{at}: more than {MAX_FILES} files; name one")
    return found


async def _take(
    database: Database, signer: Signer, file: Path, *, is_answered: bool
) -> bool:
    """Take one file and answer it; say whether both went well."""
    reception = Reception(database, Answers(signer))
    try:
        with export_file.opened(file) as export:
            taken = await take(database, reception, export, wall_ms())
        header, at = taken.header, taken.at
        print(
            f"{_plain(file)}: events {header.first} to {header.last} of "
            f"{header.gateway}, {taken.new} of them new; stored up to {at.hi}"
        )
        if is_answered:
            async with database.reading() as work:
                answer = await answering.answer(
                    work, header.gateway, wall_ms(), epoch=header.epoch
                )
            name = f"{header.gateway}-{answer.stick[:_NAME]}{DOWN}"
            _write(answer, signer, file.with_name(name))
    except StickError as fault:
        _complain(f"{file}: {fault}")
        return False
    except RegistryError as unknown:  # taken away from the list meanwhile
        _complain(f"{file}: GATEWAY_UNKNOWN: {unknown}")
        return False
    return True


def _write(answer: Answer, signer: Signer, file: Path) -> None:
    with new_file(file) as write:
        for line in answer.lines(signer):
            write(line)
    feed, acked = answer.feed, answer.acked
    rows = "" if feed is None else f"{feed.count} row{'s' if feed.count != 1 else ''}"
    roster = f"a roster of {rows}" if rows else "no roster"
    events = "no events" if acked is None else f"events up to {acked}"
    print(f"{_plain(file)}: for {answer.gateway}, {roster}, {events} acknowledged")


def _complain(what: object) -> None:
    print(_plain(what), file=sys.stderr)


def _plain(what: object) -> str:
    """Return a text that a terminal shows and does not obey: names are the stick's."""
    return "".join(each if each.isprintable() else "?" for each in str(what))
