# SPDX-License-Identifier: Apache-2.0
"""The step over the real journal: what was released is on disk, and is found again."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cloud_sync.outputs import ClockBounds, EpochReason
from cloud_sync.ports import PortFaultError
from edge.cli.sync_ports import ClockForSync, JournalForSync, port_faults
from edge.cli.system_clock import SystemClock
from edge.core.command import Release
from edge.core.controller import Controller
from edge.core.event import EventKind, decode
from edge.core.stimulus import ContactChanged, Noted, Scan
from edge.gateway.gateway import Gateway
from edge.storage.connection import open_aiosqlite
from edge.storage.errors import DamagedError
from edge.storage.journal import Journal
from tests.edge.stage import HandClock, card, roster, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.core.command import Command

HOUR_MS = 3_600_000


class House:
    """A gateway over a journal file."""

    def __init__(self, journal: Journal, clock: HandClock) -> None:
        self.journal = journal
        self.clock = clock
        self.stored_at_release: list[tuple[int, int]] = []
        self.controller = Controller(site(), next_seq=journal.next_seq)
        self.gateway = Gateway(
            self.controller,
            journal,
            carry_out=self._carry_out,
            now=clock.moment,
            on_stored=lambda _: None,
        )

    def _carry_out(self, command: Command) -> None:
        if isinstance(command, Release):
            self.stored_at_release.append((command.cause, self.journal.last_seq))

    def scan(self, person: int) -> None:
        """Let somebody show a card at one of two doors."""
        point = ("front", "yard")[person % 2]
        self.gateway.offer(
            point,
            Scan(
                access_point=point,
                credential=card(person),
                received_s=self.clock.now_s,
            ),
        )


@asynccontextmanager
async def opened(path: Path, clock: HandClock) -> AsyncIterator[House]:
    """Start as the program does: recover, bring the roster into force, begin."""
    numbers = itertools.count(1)
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(open_aiosqlite(path))
        reader = await stack.enter_async_context(open_aiosqlite(path, is_reader=True))
        journal = await Journal.open(
            writer,
            reader,
            new_epoch=lambda: f"{next(numbers):08x}",
            salt=lambda: next(numbers).to_bytes(16, "big"),
        )
        house = House(journal, clock)
        recovery = await journal.recover()
        house.controller.recover(recovery.state, recovery.tail)
        people = roster({})
        house.gateway.do(lambda controller, now: controller.adopt(people, now))
        house.gateway.do(lambda controller, now: controller.start(now))
        yield house
        house.gateway.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


async def test_every_release_finds_its_grant_stored(
    path: Path, clock: HandClock
) -> None:
    async with opened(path, clock) as house:
        for person in range(40):
            house.scan(person)
            await asyncio.sleep(0)
        assert await house.gateway.drain()
        # 40 people, each a grant of its own; none left before its commit.
        assert len(house.stored_at_release) == 40
        assert all(cause <= last for cause, last in house.stored_at_release)
        assert (await house.journal.verify()).is_sound
        records = await house.journal.read(0, max_rows=999, max_bytes=1 << 20)
        assert [r.seq for r in records] == list(range(1, house.journal.last_seq + 1))


async def test_after_an_orderly_stop_nothing_is_replayed(
    path: Path, clock: HandClock
) -> None:
    async with opened(path, clock) as house:
        house.scan(1)
        await asyncio.sleep(0)
        house.gateway.do(lambda controller, now: controller.stop(now))
        assert await house.gateway.drain()
        last = house.journal.last_seq
    async with opened(path, clock) as house:
        recovery = await house.journal.recover()
        assert recovery.state is not None
        assert recovery.state_seq == last
        assert [e.seq for e in recovery.tail if e.seq <= last] == []
        assert await house.gateway.drain()


async def test_a_new_epoch_of_the_real_journal_is_followed(
    path: Path, clock: HandClock
) -> None:
    async with opened(path, clock) as house:
        for person in range(6):
            house.scan(person)
        assert await house.gateway.drain()
        port = JournalForSync(house.journal, house.gateway)
        first, last = port.epoch, port.last_seq
        await port.acknowledge(last - 2)
        assert port.acked == last - 2
        begun = asyncio.ensure_future(port.new_epoch(EpochReason.FORKED))
        await asyncio.sleep(0)
        house.scan(7)
        house.gateway.arrive(ContactChanged(door="shed-door", is_open=True))
        await begun
        assert await house.gateway.drain()
        assert port.epoch != first
        assert (await house.journal.verify()).is_sound
        records = await port.read(0, 999)
        assert [r.seq for r in records] == list(range(1, port.last_seq + 1))
        kinds = [decode(r.seq, r.core, r.pii).kind for r in records]
        assert kinds.count(EventKind.EPOCH_STARTED) == 1
        assert kinds.index(EventKind.EPOCH_STARTED) >= 2
        cause, _ = house.stored_at_release[-1]
        assert kinds[cause - 1] is EventKind.ACCESS_GRANTED


async def test_a_hash_is_known_for_what_is_there_alone(
    path: Path, clock: HandClock
) -> None:
    async with opened(path, clock) as house:
        assert await house.gateway.drain()
        port = JournalForSync(house.journal, house.gateway)
        assert await port.hash_at(port.last_seq) == house.journal.head
        assert await port.hash_at(port.last_seq + 1) is None


def test_a_fault_of_storage_is_told_in_the_clients_word() -> None:
    def fail() -> None:
        with port_faults():
            raise DamagedError("the chain is broken at 7")

    with pytest.raises(PortFaultError, match="the chain is broken at 7"):
        fail()


async def test_a_mark_that_cannot_be_written_ends_no_client(
    path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def damaged(_: int) -> None:
        raise DamagedError("the journal has lost its epoch")

    async with opened(path, clock) as house:
        assert await house.gateway.drain()
        monkeypatch.setattr(house.journal, "acknowledge", damaged)
        with pytest.raises(PortFaultError):
            await JournalForSync(house.journal, house.gateway).acknowledge(1)


def test_the_platforms_time_is_told_when_it_settles_or_contradicts() -> None:
    clock = SystemClock(floor_ms=0, system_error_s=None)
    told: list[Noted] = []
    port = ClockForSync(clock, told.append)
    start = port.now()

    def say(earliest_ms: int, width_ms: int) -> list[object]:
        told.clear()
        port.bound(
            ClockBounds(
                earliest_ms=earliest_ms,
                latest_ms=earliest_ms + width_ms,
                monotonic_s=port.now().monotonic_s,
            )
        )
        return [fact for note in told for name, fact in note.facts if name == "answer"]

    at_ms = start.earliest_ms + HOUR_MS
    assert say(at_ms, 2_000) == ["tightened"]
    assert clock.is_bounded
    assert say(at_ms, 500) == [], "a little better is no news"
    assert say(at_ms - HOUR_MS, 10) == ["refused"]
    assert say(at_ms - HOUR_MS, 2 * HOUR_MS) == []
