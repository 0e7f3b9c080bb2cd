# SPDX-License-Identifier: Apache-2.0
"""A person is erased from a gateway at work: no file of its folder names him then."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from cloud_sync.envelope import fill_batch
from edge.accounts.checked import Checked
from edge.accounts.people import Role
from edge.cli.erasing import eraser
from edge.cli.main import app
from edge.control.client import ControlError, ask
from edge.core.credential import Credential, CredentialKind
from edge.core.order import LocalRevocationOrdered, PanelOpenOrdered
from edge.core.remote.command import Action, RemoteCommand
from edge.core.stimulus import Scan
from tests.brokers import free_port
from tests.edge.at_work import PLATFORM_KEYS, SITE_KEYS, at_work, until
from tests.edge.fed_site import complete, row
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from edge.cli.runtime import Runtime
    from edge.storage.journal import Journal

PLANTED = "planted-holder-4711"
BOOKING = "planted-booking-0815"
TOKEN = "d7" * 16
#: What the list of elders says of him.
HOME = {"name": "planted-name*", "place": "planted-place"}
OTHER = "holder-who-stays"
DAY_MS = 86_400_000


@pytest.fixture
def state() -> Iterator[Path]:
    # A Unix socket's path has 107 bytes at most: not below pytest's long folder.
    with TemporaryDirectory(prefix="mn-") as name:
        folder = Path(name)
        made = folder / "state"
        (made / "keys").mkdir(parents=True)
        for file, keys in (("site", SITE_KEYS), ("platform", PLATFORM_KEYS)):
            path = made / "keys" / f"{file}.json"
            path.write_text(json.dumps(keys), "utf-8")
            path.chmod(0o600)
        broker = f"[platform]\nport = {free_port()}\n"
        (folder / "site.toml").write_text(TEXT + broker, "utf-8")
        yield made


@pytest.fixture
async def runtime(state: Path) -> AsyncIterator[Runtime]:
    async with at_work(state) as running:
        await feed(running, rev=1)
        for _ in range(40):
            scan(running)
            await asyncio.sleep(0)
        revoke = LocalRevocationOrdered(holder=PLANTED, actor="chen", reason="lost")
        give(running, revoke)
        opened = PanelOpenOrdered(
            door="front", actor="chen", reason="no card", booking=BOOKING
        )
        give(running, opened)
        await running.gateway.drain()
        yield running


async def feed(runtime: Runtime, rev: int, *, with_planted: bool = True) -> None:
    """Let a whole feed come."""
    now_ms = runtime.clock.now().earliest_ms
    hour = {"from": now_ms - 1, "to": now_ms + DAY_MS // 24, "party": 1}
    kept = [_holder(OTHER, "ab" * 16)]
    his = [
        _holder(PLANTED, TOKEN),
        row(
            "booking", BOOKING, holder=PLANTED, space="hall", state="CONFIRMED", **hour
        ),
        row("revocation", "r-1", token=TOKEN, reason="LOST"),
        row("elder", "e-1", holder=PLANTED, order=1, route="stairs", **HOME),
    ]
    rows = [*kept, *(his if with_planted else [])]
    await runtime.feed.stage(f"s{rev}", rows)
    await runtime.feed.complete(complete(len(rows), rev, f"s{rev}"))
    await until(lambda: runtime.gateway.unstored == 0)


def _holder(name: str, token: str) -> Any:
    return row(
        "holder",
        name,
        enabled=1,
        extended=0,
        language="zh-CN",
        roles=["RESIDENT"],
        credentials=[f"CARD:{token}"],
    )


def scan(runtime: Runtime) -> None:
    credential = Credential(kind=CredentialKind.CARD, token=bytes.fromhex(TOKEN))
    now_s = asyncio.get_running_loop().time()
    shown = Scan(access_point="outside", credential=credential, received_s=now_s)
    runtime.gateway.offer("outside", shown)


def give(runtime: Runtime, order: Any) -> None:
    runtime.gateway.do(lambda controller, now: controller.handle(order, now))


def command(jti: int = 1, **more: Any) -> RemoteCommand:
    fields = {"by": "op-1", "reason": "asked for it", "holder": PLANTED} | more
    return RemoteCommand(jti=f"{jti:032x}", action=Action.ERASE, **fields)


def files_with(state: Path, *texts: str) -> list[str]:
    return [
        f"{file.name}: {text}"
        for file in sorted(state.rglob("*"))
        if file.is_file()
        for text in texts
        if text.encode() in file.read_bytes() or _raw(text) in file.read_bytes()
    ]


def _raw(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text.encode()


def kinds(runtime: Runtime) -> list[str]:
    path = runtime._state / "journal.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
        rows = reader.execute("SELECT json_extract(core, '$.k') FROM event")
        return [kind for (kind,) in rows]


async def erased(runtime: Runtime) -> None:
    await until(lambda: "COMMAND_EXECUTED" in kinds(runtime))
    await until(lambda: runtime.gateway.unstored == 0)


async def sound(journal: Journal) -> bool:
    return (await journal.verify()).is_sound


class Reader(threading.Thread):
    """Another program that reads the journal again and again, briefly."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path
        self._is_over = threading.Event()
        self.reads = 0

    def run(self) -> None:
        reader = sqlite3.connect(self._path, isolation_level=None)
        while not self._is_over.is_set():
            reader.execute("BEGIN")
            reader.execute("SELECT count(*), max(pii) FROM event").fetchall()
            self._is_over.wait(0.005)
            reader.execute("COMMIT")
            self.reads += 1
            self._is_over.wait(0.005)
        reader.close()

    def end(self) -> None:
        self._is_over.set()
        self.join()


async def rostered(runtime: Runtime) -> set[str]:
    """Return every word of the roster's rows as they lie in the file."""
    rows = [row async for chunk in runtime.feed._store.rows() for row in chunk]
    text = " ".join(f"{row.id} {row.body}" for row in rows)
    return set(re.findall(r"[\w-]+", text))


async def test_a_planted_person_stands_in_no_file_after_the_command(
    runtime: Runtime, state: Path
) -> None:
    planted = (PLANTED, BOOKING, TOKEN)
    (state / "journal.db.damaged-1").write_bytes(b"\0" + PLANTED.encode() + b"\0")
    (state / "journal.db.damaged-2").write_bytes(b"\0" + OTHER.encode() + b"\0")
    (state / "roster.db.damaged-1").write_bytes(b"whom it names nobody can see")
    # The journal names him openly, the roster only to who has its key.
    assert {each.split(": ")[1] for each in files_with(state, *planted)} == {PLANTED}
    assert await rostered(runtime) >= {*planted}
    reader = Reader(state / "journal.db")
    reader.start()
    try:
        runtime._remote.order(command())
        await erased(runtime)
    finally:
        reader.end()
    assert reader.reads > 2
    assert files_with(state, *planted) == []
    assert files_with(state, OTHER) != []
    assert await sound(runtime.journal)
    assert kinds(runtime)[-2:] == ["ERASED", "COMMAND_EXECUTED"]
    assert runtime.controller.rolls.holder(PLANTED) is None
    assert runtime.controller.rolls.holder(OTHER) is not None
    assert not await rostered(runtime) & {*planted}
    assert not (state / "journal.db.damaged-1").exists()
    assert (state / "journal.db.damaged-2").exists()
    assert not (state / "roster.db.damaged-1").exists()


async def test_his_account_at_the_panel_goes_with_him(
    runtime: Runtime, state: Path
) -> None:
    book, now = runtime.desk.book, runtime.clock.now()
    name, role = "planted-auntie", Role.VOLUNTEER
    account = await book.add(name=name, role=role, holder=PLANTED, pin="274916")
    tablet, _ = await book.pair("front desk")
    await book.begin_turn(
        tablet, now, account=account, holder=PLANTED, role=role, has_shift=False
    )
    assert files_with(state, name) != []
    runtime._remote.order(command())
    await erased(runtime)
    assert files_with(state, PLANTED, name) == []
    assert book.sessions.running == ()
    assert (await book.check_pin(account.id, "274916", now)).checked is Checked.UNKNOWN


async def test_the_platform_gets_what_it_has_not_got_yet_in_erased_form(
    runtime: Runtime,
) -> None:
    before = await runtime.journal.read(0, max_rows=999, max_bytes=10**6)
    runtime._remote.order(command())
    await erased(runtime)
    records = await runtime.journal.read(0, max_rows=999, max_bytes=10**6)
    his = [r.seq for r in before if r.pii and (PLANTED in r.pii or BOOKING in r.pii)]
    assert his
    filled = fill_batch(
        gateway="gw-7",
        epoch=runtime.journal.epoch,
        previous=bytes(32),
        records=records,
        time_ms=0,
    )
    sent = json.loads(filled.payload)
    for item in sent["data"]["items"]:
        if item["seq"] in his:
            assert item.keys() == {"seq", "core", "com"}
    assert PLANTED not in json.dumps(sent)


async def test_the_feed_brings_him_no_more_until_it_agrees(
    runtime: Runtime, state: Path
) -> None:
    runtime._remote.order(command())
    await erased(runtime)
    await feed(runtime, rev=2)
    assert runtime.feed.cursor.rev == 2, "the rest of the feed is in force"
    assert runtime.controller.rolls.holder(PLANTED) is None
    assert runtime.controller.rolls.elders == ()
    assert files_with(state, PLANTED, TOKEN, HOME["name"], HOME["place"]) == []
    kept_out = runtime.controller.house.erasing.kept_out
    assert kept_out
    await feed(runtime, rev=3, with_planted=False)
    assert not kept_out
    await feed(runtime, rev=4)
    assert runtime.controller.rolls.holder(PLANTED) is not None, "he came back"


async def test_a_start_without_a_network_does_not_know_him_either(state: Path) -> None:
    async with at_work(state) as first:
        await feed(first, rev=1)
        first._remote.order(command())
        await erased(first)
    async with at_work(state) as second:
        assert second.controller.rolls.holder(OTHER) is not None
        assert second.controller.rolls.holder(PLANTED) is None
        assert second.feed.cursor.rev == 1
        await feed(second, rev=2)
        assert second.controller.rolls.holder(PLANTED) is None


async def test_a_reader_that_holds_on_is_told_of_and_outlived(
    runtime: Runtime, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eraser, "RETRY_S", 0.05)
    monkeypatch.setattr("edge.storage.retention.CHECKPOINT_WAIT_MS", 1)
    reader = sqlite3.connect(state / "journal.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM event").fetchall()
    runtime._remote.order(command())
    await until(lambda: "STORAGE_FAULT" in kinds(runtime))
    assert "COMMAND_EXECUTED" not in kinds(runtime), "not before it is true"
    reader.close()
    await erased(runtime)
    assert files_with(state, PLANTED) == []
    assert kinds(runtime).count("STORAGE_FAULT") == 1


async def test_nobody_is_said_to_be_erased_while_the_accounts_cannot_be_read(
    state: Path,
) -> None:
    async with at_work(state) as first:
        await feed(first, rev=1)
        book = first.desk.book
        await book.add(name="a", role=Role.VOLUNTEER, holder=PLANTED, pin="274916")
    pepper = state / "keys" / "panel-pepper"
    away = pepper.rename(state / "kept-pepper")
    pepper.mkdir()
    async with at_work(state) as second:
        second._remote.order(command())
        await until(lambda: "accounts cannot be read" in second._eraser.trouble)
        assert "COMMAND_EXECUTED" not in kinds(second)
    assert files_with(state, PLANTED) != []
    pepper.rmdir()
    away.rename(pepper)
    async with at_work(state) as third:
        await erased(third)
    assert files_with(state, PLANTED) == []


async def test_a_wish_outlives_the_power_cut(state: Path) -> None:
    async with at_work(state) as first:
        await feed(first, rev=1)
        give(first, LocalRevocationOrdered(holder=PLANTED, actor="chen", reason="x"))
        first._eraser.look = lambda: None  # type: ignore[method-assign]
        first._remote.order(command())
        await until(lambda: bool(first.controller.house.erasing.wishes))
        await first.gateway.drain()
    assert files_with(state, PLANTED) != []
    async with at_work(state) as second:
        await erased(second)
        assert "COMMAND_UNKNOWN" not in kinds(second)
        assert files_with(state, PLANTED) == []
        assert await sound(second.journal)


async def test_two_people_at_the_box_erase_him(runtime: Runtime, state: Path) -> None:
    words = ["erase", PLANTED, "--socket", str(state / "control.sock")]
    words += ["--by", "chen", "--second", "luo", "--reason", "moved away"]
    shell = CliRunner()
    shown = await asyncio.to_thread(shell.invoke, app, [*words, "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert f"{PLANTED}: known to the roster, named in" in shown.output
    wrong = await asyncio.to_thread(shell.invoke, app, words, input="other\n")
    assert wrong.exit_code == 2
    assert files_with(state, PLANTED) != []
    done = await asyncio.to_thread(shell.invoke, app, words, input=f"{PLANTED}\n")
    assert done.exit_code == 0, done.output
    assert "erased: no file of this box names the person" in done.output
    assert files_with(state, PLANTED, BOOKING) == []
    assert "ERASED" in kinds(runtime)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"second": "CHEN"}, "another person"),
        ({"reason": f"{PLANTED} asked"}, "name the person nowhere"),
        ({"holder": ""}, "holder: say a text"),
        ({"second": 7}, "second: say a text"),
        ({"reason": "x" * 65}, "reason: say a text"),
    ],
)
async def test_what_makes_no_sense_erases_nobody(
    runtime: Runtime, state: Path, more: dict[str, Any], why: str
) -> None:
    told = {"holder": PLANTED, "actor": "chen", "second": "luo", "reason": "x"} | more
    socket = state / "control.sock"
    with pytest.raises(ControlError, match=why):
        await asyncio.to_thread(lambda: ask(socket, "erase", **told))
    assert runtime.controller.house.erasing.wishes == {}
