# SPDX-License-Identifier: Apache-2.0
"""The machine's clock is a source among others, and its steps are seen."""

from __future__ import annotations

import ctypes
import re
import time
from typing import TYPE_CHECKING

import pytest

from edge.cli import system_clock
from edge.cli.system_clock import RELEASE_MS, SystemClock, boot_name, kernel_error_ms
from edge.core.clock import ClockAnswer
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR_MS = 3_600_000


class Wall:
    """A wall clock that the test can push about."""

    def __init__(self) -> None:
        self.pushed_ms = 0

    def read(self) -> int:
        """Stand in for ``wall_ms``."""
        return time.time_ns() // 1_000_000 + self.pushed_ms


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    pushed = Wall()
    monkeypatch.setattr(system_clock, "wall_ms", pushed.read)
    return pushed


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Say what the kernel answers about its error."""

    def answer(error_ms: int | None) -> None:
        monkeypatch.setattr(system_clock, "kernel_error_ms", lambda: error_ms)

    answer(None)
    return answer


def test_the_kernels_bound_is_none_or_a_positive_number_of_ms() -> None:
    error_ms = kernel_error_ms()
    assert error_ms is None or 0 < error_ms < 1 << 31


def test_the_kernel_finds_room_for_its_whole_answer() -> None:
    """struct timex: 208 bytes where a long has 8 bytes, 128 where it has 4."""
    room = system_clock._TIMEX_LONGS * ctypes.sizeof(ctypes.c_long)
    assert room >= (208 if ctypes.sizeof(ctypes.c_long) == 8 else 128)


@pytest.mark.parametrize(
    ("state", "status", "maxerror_us", "expected"),
    [
        (0, 0x2001, 12_345, 13),
        (0, 0x2001, 0, 1),
        (5, 0x2001, 12_345, None),
        (-1, 0, 12_345, None),
        (0, 0x0041, 12_345, None),
    ],
)
def test_only_a_disciplined_kernel_clock_counts(
    monkeypatch: pytest.MonkeyPatch,
    state: int,
    status: int,
    maxerror_us: int,
    expected: int | None,
) -> None:
    """adjtimex(2): TIME_ERROR is 5, STA_UNSYNC 0x40; maxerror in microseconds."""

    class Library:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def adjtimex(self, timex: object) -> int:
            longs = ctypes.cast(timex, ctypes.POINTER(ctypes.c_long))  # type: ignore[arg-type]
            longs[3], longs[5] = maxerror_us, status
            return state

    monkeypatch.setattr(ctypes, "CDLL", Library)
    assert kernel_error_ms() == expected


def test_a_boot_has_a_name_of_eight_hex_digits() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}", boot_name())
    assert boot_name() == boot_name()


@pytest.mark.usefixtures("wall", "kernel")
def test_without_a_voucher_time_has_a_floor_alone() -> None:
    clock = SystemClock(floor_ms=0, system_error_s=None)
    moment = clock.now()
    assert RELEASE_MS <= moment.earliest_ms < RELEASE_MS + 60_000
    assert moment.latest_ms == UNBOUNDED_MS
    assert not clock.is_bounded
    assert moment.boot == boot_name()
    assert abs(moment.monotonic_s - time.monotonic()) < 5


@pytest.mark.usefixtures("kernel")
def test_the_journals_floor_counts_if_it_is_later(wall: Wall) -> None:
    floor_ms = RELEASE_MS + HOUR_MS
    clock = SystemClock(floor_ms=floor_ms, system_error_s=None)
    assert floor_ms <= clock.now().earliest_ms < floor_ms + 60_000
    wall.pushed_ms = -10 * HOUR_MS
    clock.consult_kernel()
    assert clock.now().earliest_ms >= floor_ms, "a step back may not lower the floor"


@pytest.mark.usefixtures("kernel")
def test_a_clock_that_the_site_file_vouches_for_is_believed_so_far(wall: Wall) -> None:
    # The machine that runs this may itself not know the year.
    wall.pushed_ms = RELEASE_MS + 100 * HOUR_MS - wall.read()
    clock = SystemClock(floor_ms=0, system_error_s=5.0)
    moment = clock.now()
    assert clock.is_bounded
    assert 9_900 <= moment.latest_ms - moment.earliest_ms < 11_000
    assert moment.earliest_ms <= wall.read() <= moment.latest_ms


@pytest.mark.usefixtures("wall")
def test_plain_ntp_tells_an_unbounded_clock_nothing(
    kernel: Callable[[int | None], None],
) -> None:
    clock = SystemClock(floor_ms=0, system_error_s=None)
    kernel(20)
    clock.consult_kernel()
    assert not clock.is_bounded


def test_plain_ntp_lowers_the_upper_bound_alone(
    wall: Wall, kernel: Callable[[int | None], None]
) -> None:
    wall.pushed_ms = RELEASE_MS + 100 * HOUR_MS - wall.read()
    clock = SystemClock(floor_ms=0, system_error_s=None)
    now_ms = wall.read()
    answer = clock.bound(now_ms - HOUR_MS, now_ms + HOUR_MS)
    assert answer is ClockAnswer.TIGHTENED
    kernel(20)
    assert clock.consult_kernel() == 0
    # A floor outlives the restart: nobody who proves nothing may raise it.
    assert clock.now().latest_ms < now_ms + 60_000
    assert clock.now().earliest_ms < now_ms - HOUR_MS + 60_000
    # And a wall that has gone astray since convinces nobody.
    wall.pushed_ms += 10 * HOUR_MS
    clock.consult_kernel()
    assert clock.now().latest_ms < now_ms + 60_000


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("step_ms", [-10 * HOUR_MS, -2_600, 2_600, HOUR_MS])
def test_a_step_of_the_wall_is_seen_once(wall: Wall, step_ms: int) -> None:
    clock = SystemClock(floor_ms=0, system_error_s=None)
    assert clock.consult_kernel() == 0
    wall.pushed_ms += step_ms
    assert abs(clock.consult_kernel() - step_ms) < 500
    assert clock.consult_kernel() == 0


@pytest.mark.usefixtures("kernel")
def test_slewing_is_no_step(wall: Wall) -> None:
    clock = SystemClock(floor_ms=0, system_error_s=None)
    for _ in range(20):
        wall.pushed_ms += 500
        assert clock.consult_kernel() == 0
