# SPDX-License-Identifier: Apache-2.0
"""Parts of a platform end together, and each one's failure is heard of."""

from __future__ import annotations

import asyncio

import pytest

from cloud_sync.platform.serving import _together


async def fails(what: str) -> None:
    raise ValueError(what)


async def fails_in_ending(what: str) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        raise OSError(what)


async def test_the_first_failure_is_raised_and_the_others_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValueError, match="the first"):
        await _together([fails_in_ending("in ending"), fails("the first")])
    told = capsys.readouterr().out
    assert "another part of the platform failed, too" in told
    assert "OSError: in ending" in told
    assert "the first" not in told


async def test_what_fails_in_the_same_turn_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValueError, match=r"one|two"):
        await _together([fails("one"), fails("two")])
    assert "another part" in capsys.readouterr().out


async def test_a_failure_while_all_is_ended_from_outside_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    running = asyncio.create_task(_together([fails_in_ending("late")]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert "OSError: late" in capsys.readouterr().out
