# SPDX-License-Identifier: Apache-2.0
"""The only time there is: seconds that pass when the next thing is due.

The law of the module: one heap, one order. What is due at the same second happens in
the order in which it was asked for; nothing here waits, sleeps or asks a machine. A
boot of the gateway counts its own seconds from its own start, and what it asked for
dies with it.
Source: shape of asyncio's loop (Python 3.11), without its selector and its tasks.
"""

from __future__ import annotations

import heapq
from collections import deque
from functools import partial
from math import floor, inf, nextafter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

T = TypeVar("T")

#: Boots begin on a multiple of this, so that their seconds and the world's differ by
#: a number that floats hold exactly.
_TICKS_A_SECOND = 1024


class Call:
    """Something that is to be done at a second of the world's."""

    __slots__ = ("at_s", "do", "is_cancelled")

    def __init__(self, at_s: float, do: Callable[[], object]) -> None:
        self.at_s = at_s
        self.do = do
        self.is_cancelled = False

    def cancel(self) -> None:
        """Let it not be done."""
        self.is_cancelled = True


class Clockwork:
    """All that is to come, in order."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.calls = 0
        self._serial = 0
        self._heap: list[tuple[float, int, Call]] = []
        self._soon: deque[Callable[[], object]] = deque()

    def soon(self, do: Callable[[], object]) -> None:
        """Do it behind what is being done now."""
        self._soon.append(do)

    def at(self, when_s: float, do: Callable[[], object]) -> Call:
        """Do it at a second of the world's; at once if that has passed."""
        call = Call(max(when_s, self.now_s), do)
        self.add(call)
        return call

    def add(self, call: Call) -> None:
        """Take a call up; its second has not passed."""
        self._serial += 1
        heapq.heappush(self._heap, (call.at_s, self._serial, call))

    def later(self, delay_s: float, do: Callable[[], object]) -> Call:
        """Do it after so many seconds."""
        return self.at(self.now_s + delay_s, do)

    def run(self, until_s: float) -> None:
        """Let all happen that is due by ``until_s``; what one raises stops here."""
        soon, heap = self._soon, self._heap
        while True:
            while soon:
                self.calls += 1
                soon.popleft()()
            if not heap or heap[0][0] > until_s:
                break
            at_s, _, call = heapq.heappop(heap)
            if not call.is_cancelled:
                self.now_s = at_s
                self.calls += 1
                call.do()
        self.now_s = max(self.now_s, until_s)


class BootTimer(Call):
    """A call that a boot asked for, by its own seconds; it dies with the boot."""

    __slots__ = ("_boot", "_callback", "_when")

    def __init__(
        self, at_s: float, boot: BootTime, callback: Callable[[], object], when: float
    ) -> None:
        super().__init__(at_s, self._ring)
        self._boot = boot
        self._callback = callback
        self._when = when

    def when(self) -> float:
        """Return the second of the boot at which it comes."""
        return self._when

    def _ring(self) -> None:
        boot = self._boot
        if boot.is_over:
            return
        if boot.is_still:
            boot.call_when_awake(self._callback)
        else:
            self._callback()


class Promise:
    """What a boot waits for; fits where asyncio's future does."""

    def __init__(self, boot: BootTime) -> None:
        self._boot = boot
        self._is_done = False
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Any], object]] = []

    def done(self) -> bool:
        """Say whether it is over."""
        return self._is_done

    def cancelled(self) -> bool:
        """Say that nobody breaks it off."""
        return False

    def exception(self) -> BaseException | None:
        """Return what it failed with."""
        return self._error

    def set_result(self, _: None, /) -> None:
        """End it well."""
        self._end()

    def set_exception(self, error: BaseException) -> None:
        """End it badly."""
        self._error = error
        self._end()

    def add_done_callback(self, callback: Callable[[Any], object], /) -> None:
        """Call back, from the loop, once it is over."""
        if self._is_done:
            self._boot.call_soon(partial(callback, self))
        else:
            self._callbacks.append(callback)

    def _end(self) -> None:
        self._is_done = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self._boot.call_soon(partial(callback, self))

    def __await__(self) -> Generator[Promise, None, None]:
        """Wait until it is over."""
        if not self._is_done:
            yield self
        if self._error is not None:
            raise self._error


class BootTime:
    """One boot's seconds, counted from its start, and the calls that die with it."""

    def __init__(
        self, clockwork: Clockwork, *, name: str, head_start_s: float = 0.0
    ) -> None:
        self.name = name
        self.is_over = False
        #: Seconds of the last standstill that nobody has noticed yet.
        self.stood_still_s = 0.0
        self._clockwork = clockwork
        began_s = clockwork.now_s - head_start_s
        self._offset_s = floor(began_s * _TICKS_A_SECOND) / _TICKS_A_SECOND
        self._still_until_s = -inf

    @property
    def is_still(self) -> bool:
        """Whether the process stands still at this moment."""
        return self._clockwork.now_s < self._still_until_s

    def time(self) -> float:
        """Return the present second of the boot."""
        return self._clockwork.now_s - self._offset_s

    def call_soon(self, callback: Callable[[], object], /) -> None:
        """Call back behind what is being done now."""
        self._clockwork.soon(partial(self._run, callback))

    def call_at(self, when: float, callback: Callable[[], object], /) -> BootTimer:
        """Call back at a second of the boot."""
        at_s = when + self._offset_s
        while at_s - self._offset_s < when:  # else it would come a hair too early
            at_s = nextafter(at_s, inf)
        timer = BootTimer(max(at_s, self._clockwork.now_s), self, callback, when)
        self._clockwork.add(timer)
        return timer

    def call_later(self, delay: float, callback: Callable[[], object], /) -> BootTimer:
        """Call back after so many seconds."""
        return self.call_at(self.time() + delay, callback)

    def create_future(self) -> Promise:
        """Return something to wait for."""
        return Promise(self)

    def stand_still(self, for_s: float) -> None:
        """Let the process stand still, as under a debugger or a dying disk."""
        self._still_until_s = self._clockwork.now_s + for_s
        self.stood_still_s = for_s

    def end_stall(self) -> None:
        """Let the process go on, if it stands still."""
        self._still_until_s = -inf

    def end(self) -> None:
        """End the boot; nothing that it asked for comes any more."""
        self.is_over = True

    def _run(self, callback: Callable[[], object]) -> None:
        if self.is_over:
            return
        if self.is_still:
            self.call_when_awake(callback)
        else:
            callback()

    def call_when_awake(self, callback: Callable[[], object]) -> None:
        """Call back as the standstill ends."""
        self._clockwork.at(self._still_until_s, partial(self._run, callback))


def spawn(
    boot: BootTime,
    work: Coroutine[Any, Any, object],
    then: Callable[[], object] = lambda: None,
) -> None:
    """Carry a coroutine on whenever what it waits for is over; ``then`` at its end."""

    def step(_: object = None) -> None:
        try:
            awaited = work.send(None)
        except StopIteration:
            then()
            return
        if awaited is None:
            boot.call_soon(step)
        elif isinstance(awaited, Promise):
            awaited.add_done_callback(step)
        else:
            raise TypeError(f"the simulation cannot wait for {awaited!r}")

    step()


def finished(work: Awaitable[T]) -> T:
    """Return what a coroutine returns that only ever yields its turn.

    Storage over an inline connection never suspends; what yields its turn (``await
    asyncio.sleep(0)``) gets it back at once.
    """
    turns = work.__await__()
    while True:
        try:
            awaited = next(turns)
        except StopIteration as ended:
            value: T = ended.value
            return value
        if awaited is not None:
            raise TypeError(f"storage waits for {awaited!r}, which nobody brings here")
