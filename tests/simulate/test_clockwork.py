# SPDX-License-Identifier: Apache-2.0
"""Simulated time: one order for all, and nothing outlives its boot."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from edge.cli.simulate.clockwork import (
    BootTime,
    Clockwork,
    Promise,
    finished,
    spawn,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def writer(told: list[str], word: str) -> Callable[[], None]:
    return lambda: told.append(word)


def test_what_is_due_at_one_second_happens_in_the_order_it_was_asked_for() -> None:
    clockwork, told = Clockwork(), list[str]()
    clockwork.at(2.0, writer(told, "c"))
    clockwork.at(1.0, writer(told, "a"))
    clockwork.at(1.0, writer(told, "b"))
    clockwork.run(5.0)
    assert told == ["a", "b", "c"]
    assert clockwork.now_s == 5.0


def test_what_is_done_soon_goes_before_the_next_second() -> None:
    clockwork, told = Clockwork(), list[str]()
    clockwork.at(1.0, lambda: clockwork.soon(writer(told, "soon")))
    clockwork.at(1.0, writer(told, "next"))
    clockwork.run(1.0)
    assert told == ["soon", "next"]


def test_a_cancelled_call_never_comes() -> None:
    clockwork, told = Clockwork(), list[str]()
    clockwork.at(1.0, writer(told, "a")).cancel()
    clockwork.run(2.0)
    assert told == []


def test_what_a_boot_asked_for_dies_with_it() -> None:
    clockwork, told = Clockwork(), list[str]()
    boot = BootTime(clockwork, name="boot")
    boot.call_later(1.0, writer(told, "later"))
    boot.call_soon(writer(told, "soon"))
    boot.end()
    clockwork.run(2.0)
    assert told == []


def test_a_boot_that_stands_still_does_everything_when_it_goes_on() -> None:
    clockwork, told = Clockwork(), list[str]()
    boot = BootTime(clockwork, name="boot")
    boot.call_later(1.0, writer(told, "a"))
    boot.call_later(2.0, writer(told, "b"))
    boot.stand_still(10.0)
    clockwork.run(9.0)
    assert told == []
    assert boot.stood_still_s == 10.0
    clockwork.run(10.0)
    assert told == ["a", "b"]


@pytest.mark.parametrize("seed", range(5))
def test_no_boot_is_called_back_before_its_second(seed: int) -> None:
    chance = Random(seed)
    clockwork = Clockwork()
    clockwork.run(chance.uniform(0, 1e7))
    boot = BootTime(clockwork, name="boot", head_start_s=chance.uniform(0, 50))
    early: list[float] = []

    def look(when: float) -> None:
        if boot.time() < when:
            early.append(when - boot.time())

    for _ in range(2_000):
        when = boot.time() + chance.uniform(0, 1e5)
        boot.call_at(when, lambda when=when: look(when))  # type: ignore[misc]
    clockwork.run(clockwork.now_s + 2e5)
    assert early == []


def test_boots_count_their_own_seconds() -> None:
    clockwork = Clockwork()
    clockwork.run(1e6)
    boot = BootTime(clockwork, name="boot", head_start_s=3.0)
    assert 3.0 <= boot.time() < 3.001


def test_a_coroutine_that_only_yields_its_turn_is_finished_by_hand() -> None:
    import asyncio

    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    assert finished(work()) == "done"


def test_a_coroutine_that_would_wait_is_refused_by_hand() -> None:
    boot = BootTime(Clockwork(), name="boot")

    async def work() -> None:
        await Promise(boot)

    with pytest.raises(TypeError, match="waits for"):
        finished(work())


def test_a_spawned_coroutine_goes_on_when_its_promise_is_kept() -> None:
    clockwork, told = Clockwork(), list[str]()
    boot = BootTime(clockwork, name="boot")
    promise = boot.create_future()

    async def work() -> None:
        await promise
        told.append("after")

    spawn(boot, work(), writer(told, "end"))
    clockwork.run(1.0)
    assert told == []
    promise.set_result(None)
    clockwork.run(2.0)
    assert told == ["after", "end"]


def test_a_promise_tells_those_who_ask_late_and_how_it_failed() -> None:
    clockwork, told = Clockwork(), list[BaseException | None]()
    promise = BootTime(clockwork, name="boot").create_future()
    fault = OSError("the disk is gone")
    promise.set_exception(fault)
    promise.add_done_callback(lambda done: told.append(done.exception()))
    assert told == []  # never in the call itself
    clockwork.run(1.0)
    assert told == [fault]
