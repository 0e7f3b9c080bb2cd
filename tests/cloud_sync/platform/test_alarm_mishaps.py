# SPDX-License-Identifier: Apache-2.0
"""Calls during which something else happens, on both databases."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform.alarms import call_list, routing
from cloud_sync.platform.database import DatabaseError
from tests.cloud_sync.platform.test_alarms import (
    LIST,
    MINUTE_MS,
    NINE_MS,
    RANG,
    Phone,
    Ward,
)
from tests.cloud_sync.platform.test_reports import sent, told
from tests.cloud_sync.scripted_platform import GATEWAY

if TYPE_CHECKING:
    from cloud_sync.platform.alarms.callers import Message
    from tests.cloud_sync.platform.desk import Desk


@pytest.fixture
async def ward(desk: Desk) -> Ward:
    """A platform at which somebody rang two minutes ago."""
    async with desk.database.writing() as work:
        await call_list.keep(work, GATEWAY, LIST)
    made = Ward(desk)
    await sent(desk, told(RANG))
    desk.now_ms = NINE_MS + 2 * MINUTE_MS
    return made


async def test_whoever_is_being_called_as_it_ends_hears_that_it_is_over(
    ward: Ward,
) -> None:
    class Slow(Phone):
        async def call(self, message: Message) -> str:
            await ward.answered("wu")
            return await super().call(message)

    slow = Slow()
    await ward.fresh(slow).step()
    assert slow.take() == [("chen", "CALL")]
    assert await ward.at(2.1) == [("chen", "OVER")]


async def test_a_database_that_fails_during_a_call_ends_no_platform(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "LOOK_EVERY_S", 0.01)

    class Tripping(Phone):
        async def call(self, message: Message) -> str:
            await super().call(message)
            if len(self.made) == 1:
                raise DatabaseError("the server was restarted")
            return ""

    tripping = Tripping()
    running = asyncio.create_task(ward.fresh(tripping).run())
    while len(tripping.made) < 2 and not running.done():
        await asyncio.sleep(0.01)
        ward.desk.now_ms += 10_000 * len(tripping.made)
    assert not running.done()
    running.cancel()
    await asyncio.wait({running})
    assert ("chen", "CALL") in tripping.take()


async def test_a_call_that_its_platform_never_survives_is_given_up(
    ward: Ward, capsys: pytest.CaptureFixture[str]
) -> None:
    class Deadly(Phone):
        async def call(self, message: Message) -> str:
            await super().call(message)
            raise MemoryError

    deadly = Deadly()
    ward.patience = replace(ward.patience, tries=2)
    for _ in range(4):  # each a platform of its own
        with suppress(BaseExceptionGroup):
            await ward.fresh(deadly).step()
        ward.desk.now_ms += MINUTE_MS // 2
    assert deadly.take() == [("chen", "CALL")] * 2
    [row] = await ward.listed()
    why = "nobody knows how the last try ended"
    assert f"chen FAILED (3 tries: {why})" in row["calls"]
    assert "a call is given up" in capsys.readouterr().out
