# SPDX-License-Identifier: Apache-2.0
"""A gateway that starts in a folder to which something has happened."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.demo.journal_file import read_journal
from edge.cli.key_files import NotSetUpError
from edge.cli.load_site import load_site
from edge.cli.remote_commands import RemoteCommands
from edge.cli.runtime import Runtime
from edge.cli.status import status
from edge.cli.status_view import lines
from edge.cli.way_out import run
from edge.control.client import ask
from edge.core.emergency.state import EmergencyState
from edge.core.remote.command import Action, RemoteCommand
from edge.core.stimulus import CommandReceived
from edge.storage.emergency_file import read_emergency, write_emergency
from tests.edge.at_work import PLATFORM_KEYS, SITE_KEYS, at_work, until
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder with its keys, beside its site file."""
    state = tmp_path / "state"
    (state / "keys").mkdir(parents=True)
    keys = state / "keys" / "site.json"
    keys.write_text(json.dumps(SITE_KEYS), "utf-8")
    keys.chmod(0o600)
    (state / "keys" / "platform.json").write_text(json.dumps(PLATFORM_KEYS), "utf-8")
    (tmp_path / "site.toml").write_text(TEXT, "utf-8")
    return state


def told(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Return the events of a kind that the journal's file holds."""
    found = read_journal(folder / "journal.db")
    return [event.core for event in found if event.core["k"] == kind]


async def test_what_stood_outlives_a_journal_that_was_set_aside(folder: Path) -> None:
    lock_down, shelter = EmergencyState.LOCK_DOWN, EmergencyState.SHELTER
    write_emergency(folder / "emergency", {lock_down, shelter})
    (folder / "journal.db").write_bytes(b"no database, whatever it was" * 200)
    async with at_work(folder) as runtime:
        assert (folder / "journal.db.damaged-1").exists()
        await until(lambda: runtime.controller.next_seq > 3)
        assert runtime.controller.emergency.standing == {lock_down, shelter}
        assert status(runtime)["doors"]["front"]["mode"] == "LOCKED_DOWN"
    assert read_emergency(folder / "emergency") == {lock_down, shelter}
    begun = [(e["by"], e["state"]) for e in told(folder, "EMERGENCY_STARTED")]
    assert begun == [("file", "LOCK_DOWN"), ("file", "SHELTER")]
    async with at_work(folder) as runtime:
        assert runtime.controller.emergency.standing == {lock_down, shelter}
    assert len(told(folder, "EMERGENCY_STARTED")) == 2, "begun twice"


async def test_a_status_that_cannot_be_told_costs_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Runtime] = []

    def broken(runtime: Runtime) -> dict[str, Any]:
        asked.append(runtime)
        raise LookupError("a device that nobody knows")

    async with at_work(folder) as runtime:
        reader, writer = await asyncio.open_unix_connection(folder / "control.sock")
        with monkeypatch.context() as patch:
            patch.setattr("edge.cli.runtime.status", broken)
            writer.write(b'{"verb": "watch"}\n')
            await until(lambda: len(asked) > 1)
        # Once it can be told again, it is.
        assert json.loads(await reader.readline()) == {"ok": True}
        while "status" not in json.loads(await reader.readline()):
            pass
        assert runtime.gateway.unstored == 0
        writer.close()


async def test_a_damaged_file_of_platform_keys_costs_no_door(folder: Path) -> None:
    keys = folder / "keys" / "platform.json"
    good = keys.read_text("utf-8")
    async with at_work(folder) as runtime:
        assert status(runtime)["platform"]["keys"] == ""
    keys.write_text("{", "utf-8")
    async with at_work(folder) as runtime:
        assert runtime.lost == ""
        shown = status(runtime)["platform"]
        assert str(keys) in shown["keys"], "it names the file"
        assert "PLATFORM     NOT BELIEVED" in "\n".join(lines(status(runtime)))
        await until(lambda: len(told(folder, "STORAGE_FAULT")) == 1)
    [fault] = told(folder, "STORAGE_FAULT")
    assert fault["what"] == "keys"
    keys.write_text(good, "utf-8")
    async with at_work(folder) as runtime:
        assert status(runtime)["platform"]["keys"] == ""


async def test_a_new_box_without_its_keys_is_told_to_get_them(folder: Path) -> None:
    (folder / "keys" / "platform.json").unlink()
    for _ in range(2):
        with pytest.raises(NotSetUpError, match="cannot be read"):
            await run(load_site(folder.parent / "site.toml"), folder, asyncio.Event())


async def test_a_command_whose_end_a_power_cut_hid_is_unknown_and_stays_undone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = RemoteCommand(
        jti="ab" * 16, action=Action.OPEN, by="op-1", reason="telephone", door="front"
    )
    received = CommandReceived(command=command)
    with monkeypatch.context() as patch:
        # The power goes before anybody hears that the record is on disk.
        patch.setattr(RemoteCommands, "stored", lambda *_: None)
        async with at_work(folder) as runtime:
            runtime.gateway.do(lambda rules, now: rules.handle(received, now))
            await until(lambda: bool(told(folder, "COMMAND_RECEIVED")))
    for _ in range(2):
        async with at_work(folder):
            await until(lambda: bool(told(folder, "COMMAND_UNKNOWN")))
    [unknown] = told(folder, "COMMAND_UNKNOWN")
    assert (unknown["jti"], unknown["at"]) == ("ab" * 16, "front")
    assert told(folder, "MANUAL_ENTRY") == []


async def test_a_snapshot_that_nobody_can_read_is_damage(folder: Path) -> None:
    async with at_work(folder):
        pass
    with closing(sqlite3.connect(folder / "journal.db", isolation_level=None)) as file:
        changed = file.execute("UPDATE state SET body = '{' || body")
        assert changed.rowcount == 1
    async with at_work(folder) as runtime:
        assert runtime.lost == ""
        assert (folder / "journal.db.damaged-1").exists()
    [fault] = told(folder, "STORAGE_FAULT")
    assert fault["what"] == "damaged"


async def test_an_old_box_that_lost_both_files_is_not_taken_for_a_new_one(
    folder: Path,
) -> None:
    async with at_work(folder):
        pass
    (folder / "journal.db").write_bytes(b"no database, whatever it was" * 200)
    (folder / "keys" / "platform.json").unlink()
    async with at_work(folder) as runtime:
        assert "platform.json" in status(runtime)["platform"]["keys"]


def put_in_the_place_of(file: Path) -> None:
    """Leave a folder where a file should be."""
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()
    file.mkdir()


@pytest.mark.parametrize("broken", ["roster.db", "keys/tickets.json"])
async def test_whatever_a_start_cannot_open_the_way_out_waits_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr("edge.cli.way_out.TRY_EVERY_S", 0.05)
    async with at_work(folder):
        pass
    put_in_the_place_of(folder / broken)
    stop = asyncio.Event()
    settings = load_site(folder.parent / "site.toml")
    work = asyncio.ensure_future(run(settings, folder, stop))
    socket = folder / "control.sock"
    try:
        await until(socket.exists)
        shown = await asyncio.to_thread(ask, socket, "status")
        assert shown["lost"]
        pid_up_s = shown["uptime_s"]
        await asyncio.sleep(0.5)
        shown = await asyncio.to_thread(ask, socket, "status")
        assert shown["lost"], "it was tried with what a start needs"
        assert shown["uptime_s"] > pid_up_s, "it began anew"
        (folder / broken).rmdir()
        await until(lambda: work.done() or len(told(folder, "STORAGE_FAULT")) == 1)
    finally:
        stop.set()
        await work


async def test_a_command_that_comes_while_the_gateway_stops_is_not_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection outlives its wires: the last events are still on their way."""
    recorded, late = (
        RemoteCommand(
            jti=name * 16, action=Action.MESSAGE, by="op-1", reason="news", text="hello"
        )
        for name in ("ab", "cd")
    )
    orderly = Runtime._stop

    async def stop(runtime: Runtime) -> None:
        runtime._remote.order(late)
        await orderly(runtime)

    with monkeypatch.context() as patch:
        patch.setattr(Runtime, "_stop", stop)
        async with at_work(folder) as runtime:
            runtime._remote.order(recorded)
    [received] = told(folder, "COMMAND_RECEIVED")
    assert received["jti"] == "ab" * 16
    assert told(folder, "COMMAND_EXECUTED") == []
    async with at_work(folder):
        await until(lambda: bool(told(folder, "COMMAND_UNKNOWN")))
    assert [event["jti"] for event in told(folder, "COMMAND_UNKNOWN")] == ["ab" * 16]
