# SPDX-License-Identifier: Apache-2.0
"""Presence, alarms and days from end to end: real broker, real platform process."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import time
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.signing import PlatformKeys
from edge.cli.status import status
from edge.cli.status_view import lines
from edge.cli.system_clock import wall_ms
from edge.core.event import Event, EventKind, Person
from edge.core.moment import Moment
from edge.core.stimulus import Noted
from edge.storage.journal_file import open_journal
from tests import brokers
from tests.cloud_sync.contract.schemas import flaws
from tests.cloud_sync.memory_ports import Site, until
from tests.cloud_sync.platform.desk import chained
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, SHARD
from tests.edge.at_work import SITE_KEYS, at_work
from tests.edge.small_site import TEXT
from tests.edge.test_runtime_start import told
from tests.system.real_platform import founded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from edge.cli.runtime import Runtime
    from tests.brokers import BrokerProcess
    from tests.system.real_platform import RealPlatform

pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("mosquitto")]
DAY_MS = 86_400_000
OFFSET_MS = 8 * 3_600_000
BACKLOG = 30_000


@pytest.fixture
def folder() -> Iterator[Path]:
    # A Unix socket's path has 107 bytes at most: not below pytest's long folder.
    with TemporaryDirectory(prefix="mn-") as name:
        yield Path(name)


@pytest.fixture
def mosquitto(folder: Path) -> Iterator[BrokerProcess]:
    with brokers.mosquitto(folder) as process:
        yield process


@pytest.fixture
def state(folder: Path, mosquitto: BrokerProcess) -> Path:
    """A gateway's folder beside its site file, without keys of a platform."""
    made = folder / "state"
    (made / "keys").mkdir(parents=True)
    text = f"{TEXT}\n[platform]\nport = {mosquitto.port}\n"
    (folder / "site.toml").write_text(text, "utf-8")
    site = made / "keys" / "site.json"
    site.write_text(json.dumps(SITE_KEYS), "ascii")
    site.chmod(0o600)
    return made


def believes(state: Path, platform: RealPlatform) -> None:
    shutil.copy(platform.folder / "platform.json", state / "keys" / "platform.json")


async def lived(
    state: Path, days: int, *, last: EventKind = EventKind.DOOR_OPENED
) -> None:
    """Let the gateway's journal hold some days before today, five events each."""
    today_ms = (wall_ms() + OFFSET_MS) // DAY_MS * DAY_MS - OFFSET_MS
    hours = [
        today_ms - DAY_MS * (days - day) + hour * 3_600_000
        for day in range(days)
        for hour in (1, 7, 12, 18, 23)
    ]
    events = [
        Event(
            seq=seq,
            kind=last if seq == len(hours) else EventKind.DOOR_OPENED,
            moment=Moment(monotonic_s=1.0, earliest_ms=lo, latest_ms=lo, boot="b"),
            subject="front",
            person=Person(holder=f"h-{seq}"),
        )
        for seq, lo in enumerate(hours, 1)
    ]
    async with open_journal(
        state / "journal.db",
        new_epoch=lambda: secrets.token_hex(4),
        salt=lambda: secrets.token_bytes(16),
    ) as opened:
        await opened.journal.append(events)


@asynccontextmanager
async def synced(state: Path) -> AsyncIterator[Runtime]:
    """A gateway at work with everything acknowledged and every day looked at."""
    async with at_work(state) as runtime:
        await until(lambda: runtime.client.status.is_connected)
        await until(lambda: runtime.journal.waiting == 0)
        await runtime.days.look(runtime.clock.now())  # else within half a minute
        runtime.client.wake()
        yield runtime


def fits(core: dict[str, Any]) -> list[str]:
    item = {"seq": 1, "core": core, "salt": "00" * 16, "pii": {}}
    return flaws("event_item.json", item)


async def test_days_are_ticked_on_both_sides_and_a_difference_is_trouble_on_both(
    folder: Path, state: Path, mosquitto: BrokerProcess
) -> None:
    platform = await founded(folder / "office", mosquitto, "gw-7", "00")
    believes(state, platform)
    await lived(state, 3)
    async with platform.serving():
        async with synced(state) as runtime:
            await until(lambda: runtime.days.waiting() == ())
            shown = runtime.days.shown()
            assert [day["state"] for day in shown] == ["AGREED"] * 3
            # What a box tells before it knows the time is of the day it last knew.
            assert [day["events"] for day in shown[:2]] == [5, 5]
            [line] = [each for each in lines(status(runtime)) if each[:4] == "days"]
            assert line.count(" ok") == 3
        middle = str(shown[1]["day"])
        [row] = await platform.ask("reconcile", "--day", middle)
        assert (row["first"], row["last"], row["told"], row["good"]) == (
            *(6, 10, "agreed", "yes"),
        )
        platform.spoil("UPDATE event SET core = '{}' WHERE seq = 8")
        (state / "days.json").unlink()  # so that all are told once more
        async with synced(state) as runtime:
            await until(lambda: len(runtime.days.waiting()) == 1)
            await until(lambda: bool(told(state, "DAY_DIFFERS")))
            words = list(lines(status(runtime)))
            assert any(each.startswith("DAY ") and middle in each for each in words)
        [row] = await platform.ask("reconcile", "--day", middle)
        assert (row["told"], row["good"]) == ("differs: CHAIN at 8", "NO")
        troubles = await platform.ask("trouble")
    [event] = told(state, "DAY_DIFFERS")
    assert (event["day"], event["held"], event["why"]) == (middle, 5, "CHAIN at 8")
    assert fits(event) == []
    assert [row["kind"] for row in troubles] == ["DAY"]


async def test_a_gateway_is_online_by_its_heartbeat_and_its_alarms_are_there_at_once(
    folder: Path, state: Path, mosquitto: BrokerProcess
) -> None:
    platform = await founded(folder / "office", mosquitto, "gw-7", "00")
    believes(state, platform)
    await lived(state, 1, last=EventKind.SUPPLY_FAILED)  # and the power went
    async with platform.serving():
        async with synced(state) as runtime:
            await until(lambda: bool(platform.table("SELECT 1 FROM presence")))
            assert platform.table("SELECT seq FROM early") == [(5,)]
            [row] = await platform.ask("gateway", "list")
            assert (row["online"], row["waiting"]) == ("yes", 0)
            assert row["clock"].startswith("right, to ")
            note = Noted(kind=EventKind.DEVICE_TAMPERED, subject="scanner")
            runtime.gateway.note(note)
            await until(lambda: len(platform.table("SELECT 1 FROM early")) == 2)
        [(lease_ms,)] = platform.table("SELECT lease_ms FROM presence")
        assert lease_ms == 60_000
        told_first, told_next = await platform.ask("urgent")
    assert (told_first["kind"], told_first["state"]) == ("SUPPLY_FAILED", "stored")
    assert (told_next["kind"], told_next["state"]) == ("DEVICE_TAMPERED", "stored")
    assert await platform.ask("trouble") == []


async def test_an_alarm_overtakes_a_backlog_that_drains(
    folder: Path, mosquitto: BrokerProcess
) -> None:
    cores = [
        {"at": "d", "b": "b", "hi": n, "k": "DOOR_OPENED", "lo": n, "m": n}
        for n in range(1, BACKLOG + 2)
    ]
    cores[-1]["k"] = "DOOR_FORCED_OPEN"
    journal = chained(cores, [{"holder": f"h-{n}"} for n in range(BACKLOG + 1)])
    platform = await founded(folder / "office", mosquitto, GATEWAY, SHARD)
    site = Site(mosquitto, journal[:-1])
    keys = json.loads((platform.folder / "platform.json").read_text("ascii"))
    site.session._keys = PlatformKeys(keys)
    early = "SELECT j.hi FROM early AS e JOIN journal AS j ON j.gateway = e.gateway"
    async with platform.serving(), site.running():
        await until(lambda: site.client.status.is_connected)
        site.journal.records.append(journal[-1])
        begun_s = time.monotonic()
        site.client.alarm(BACKLOG + 1)
        await until(lambda: bool(platform.table("SELECT 1 FROM early")))
        took_s = time.monotonic() - begun_s
        [(hi,)] = platform.table(early)
        assert hi < BACKLOG, "the event itself still waited"
        assert took_s < 5.0
        await until(lambda: site.client.status.waiting == 0)
    [(joined, differs)] = platform.table("SELECT joined_ms > 0, differs FROM early")
    assert (joined, differs) == (1, 0)
    stored = platform.table("SELECT count(*), max(seq) FROM event")
    assert stored == [(BACKLOG + 1, BACKLOG + 1)]
    assert site.journal.epoch == EPOCH
    assert site.journal.new_epochs == []


async def test_a_row_that_somebody_changed_stops_no_line_and_ends_no_epoch(
    folder: Path, state: Path, mosquitto: BrokerProcess
) -> None:
    platform = await founded(folder / "office", mosquitto, "gw-7", "00")
    believes(state, platform)
    await lived(state, 2)
    with closing(sqlite3.connect(state / "journal.db")) as connection:
        sql = "UPDATE event SET core = replace(core, 'front', 'back') WHERE place = 3"
        connection.execute(sql)
        connection.commit()
    async with platform.serving(), synced(state) as runtime:
        assert runtime.journal.epoch.startswith("0001-")
        # Nobody can say which row of its batch it is: both days stay unproven.
        await until(lambda: len(told(state, "DAY_DIFFERS")) == 2)
        states = [day["state"] for day in runtime.days.shown()]
    assert states == ["DIFFERS", "DIFFERS"]
    troubles = await platform.ask("trouble")
    assert {row["kind"] for row in troubles} == {"UNPROVEN", "DAY"}
    assert told(state, "EPOCH_STARTED") == []


async def test_a_silent_platform_is_an_event_that_fits_the_contract(
    state: Path,
) -> None:
    keys = {"k1": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}
    (state / "keys" / "platform.json").write_text(json.dumps(keys), "ascii")
    begun_s = time.monotonic()
    async with at_work(state) as runtime:
        await until(lambda: runtime.client.status.is_silent, 30.0)
        assert time.monotonic() - begun_s < 20.0
        await until(lambda: bool(told(state, "PLATFORM_SILENT")))
    [event] = told(state, "PLATFORM_SILENT")
    assert fits(event) == []
