# SPDX-License-Identifier: Apache-2.0
"""The stages that several files of this folder play on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.edge.entrance import Entrance
from tests.edge.stage import HandClock, Stage, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """The running loop's clock, in the test's hand."""
    hand = HandClock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", hand.read)
    return hand


@pytest.fixture
async def stage(clock: HandClock) -> AsyncIterator[Stage]:
    """A gateway whose commits the test ends."""
    played = Stage(clock)
    yield played
    played.gateway.close()


@pytest.fixture
async def prompt_stage(clock: HandClock) -> AsyncIterator[Stage]:
    """A gateway whose disk takes no time."""
    played = Stage(clock, is_prompt=True)
    yield played
    played.gateway.close()


@pytest.fixture
async def entrance(clock: HandClock) -> AsyncIterator[Entrance]:
    """An intake whose boards have told nothing yet."""
    opened = Entrance(clock)
    await settle()
    yield opened
    opened.beat.cancel()
    with suppress(asyncio.CancelledError):
        await opened.beat
    opened.tokens.gate.set()
    opened.intake.close()
    await opened.until(lambda: not opened.intake._deriving)
    opened.stage.gateway.close()
