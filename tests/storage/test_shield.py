# SPDX-License-Identifier: Apache-2.0
"""What fails behind its caller's back is told once, in the log."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from edge.storage.shield import finish
from tests.storage.samples import turns


class Work:
    """A write that waits for the disk's word: done, broken or never to come."""

    def __init__(self) -> None:
        self.word: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended = False

    async def write(self) -> str:
        try:
            await self.word
        finally:
            self.ended = True
        return "written"


async def left_alone(work: Work) -> None:
    """Begin, and give up waiting."""
    task = asyncio.create_task(finish(work.write()))
    await turns(3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not work.ended


async def test_a_failure_after_its_caller_left_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Work()
    await left_alone(work)
    work.word.set_exception(OSError(28, "No space left on device"))
    await turns(5)
    gc.collect()
    (told,) = caplog.records
    assert (told.name, told.levelno) == ("edge.storage.shield", logging.ERROR)
    assert "No space left on device" in told.getMessage()


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_what_ended_well_or_was_cancelled_is_not_worth_a_word(
    caplog: pytest.LogCaptureFixture, *, is_cancelled: bool
) -> None:
    work = Work()
    await left_alone(work)
    if is_cancelled:
        work.word.cancel()
    else:
        work.word.set_result(None)
    await turns(5)
    gc.collect()
    assert work.ended
    assert caplog.records == []


async def test_a_failure_that_its_caller_hears_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Work()
    task = asyncio.create_task(finish(work.write()))
    await turns(3)
    work.word.set_exception(OSError(5, "Input/output error"))
    with pytest.raises(OSError, match="Input/output error"):
        await task
    gc.collect()
    assert caplog.records == []
