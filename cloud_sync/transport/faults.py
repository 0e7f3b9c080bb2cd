# SPDX-License-Identifier: Apache-2.0
"""The port with faults put in: what networks and brokers do to messages, on demand.

The law of the module: it wraps any transport and breaks no promise that a real broker
keeps; each fault is drawn from the chance that it was given, so that a seed that fails
fails again. It never invents a message and never changes one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from random import Random

    from cloud_sync.transport.port import Incoming, State, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How bad it is: shares of messages each way, in [0, 1].

    ``delay_s``: the longest time that a message is under way. ``drop_share``: taken,
    acknowledged and lost. ``duplicate_share``: twice. ``reorder_share``: overtaken, up
    by up to ``late_s``, down by the next message. ``lost_ack_share``: the broker has
    it, and we never hear so.
    """

    delay_s: float = 0.0
    drop_share: float = 0.0
    duplicate_share: float = 0.0
    reorder_share: float = 0.0
    late_s: float = 0.02
    lost_ack_share: float = 0.0


KIND = Faults()
#: What lies between two messages that would arrive at once: timers are of microseconds.
_STEP_S = 1e-6


class FaultyTransport:
    """A transport that is as bad as ``faults``, which may be changed at any time."""

    def __init__(self, inner: Transport, *, faults: Faults, chance: Random) -> None:
        self.faults = faults
        #: Counted, so that a test can show that something did happen.
        self.happened = {"dropped": 0, "doubled": 0, "overtaken": 0, "acks_lost": 0}
        self._inner = inner
        self._chance = chance
        self._is_half_open = False
        self._up_until_s = 0.0

    def half_open(self) -> None:
        """From now on nothing moves on this connection, and nobody says so."""
        self._is_half_open = True

    @property
    def state(self) -> State:
        """As the wrapped one stands: half open, it does not know."""
        return self._inner.state

    async def connect(self) -> None:
        """Connect; a half-open connection before it is over."""
        self._is_half_open = False
        await self._inner.connect()

    async def subscribe(self, topics: Sequence[str]) -> bool:
        """Subscribe, unless nothing moves."""
        if self._is_half_open:
            await _for_ever()
        return await self._inner.subscribe(topics)

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """Publish, late, twice, not at all, or without ever hearing of it."""
        is_lost, is_twice = self._hits("drop_share"), self._hits("duplicate_share")
        is_unheard = self._hits("lost_ack_share")
        await _until(self._arrives_s())
        if self._is_half_open:
            await _for_ever()
        if is_lost:
            self.happened["dropped"] += 1
        else:
            await self._inner.publish(topic, payload, qos)
        if is_twice and not is_lost:
            self.happened["doubled"] += 1
            await self._inner.publish(topic, payload, qos)
        if is_unheard and qos:
            self.happened["acks_lost"] += 1
            await _for_ever()

    def messages(self) -> AsyncIterator[Incoming]:
        """Return what comes, late, twice, not at all, or after the next one."""
        return _Messages(self, self._inner.messages())

    async def close(self) -> None:
        """Close the wrapped one."""
        await self._inner.close()

    async def heard(self, inner: AsyncIterator[Incoming]) -> list[Incoming]:
        """Return what becomes of the next message: none, itself, or itself twice.

        On a half-open connection not even its end is heard.
        """
        try:
            message = await anext(inner)
        except Exception:
            if self._is_half_open:
                await _for_ever()
            raise
        if self._is_half_open:
            await _for_ever()
        if self.faults.delay_s:
            await asyncio.sleep(self._chance.uniform(0.0, self.faults.delay_s))
        if self._hits("drop_share"):
            self.happened["dropped"] += 1
            return []
        if self._hits("duplicate_share"):
            self.happened["doubled"] += 1
            return [message, message]
        return [message]

    def overtakes(self) -> bool:
        """Say whether the next message passes the one that has just come."""
        is_so = self._hits("reorder_share")
        self.happened["overtaken"] += is_so
        return is_so

    def _hits(self, name: str) -> bool:
        share: float = getattr(self.faults, name)
        return share > 0 and self._chance.random() < share

    def _arrives_s(self) -> float:
        """Return when a message up arrives; in order unless it is to be overtaken."""
        at_s, faults = asyncio.get_running_loop().time(), self.faults
        if faults.delay_s:
            at_s += self._chance.uniform(0.0, faults.delay_s)
            at_s = self._up_until_s = max(self._up_until_s + _STEP_S, at_s)
        if self._hits("reorder_share"):
            self.happened["overtaken"] += 1
            at_s += self._chance.uniform(0.0, faults.late_s)
        return at_s


class _Messages:
    """What one connection hears; a message that is overtaken waits for the next."""

    def __init__(self, line: FaultyTransport, inner: AsyncIterator[Incoming]) -> None:
        self._line = line
        self._inner = inner
        self._ready: deque[Incoming] = deque()
        self._overtaken: list[Incoming] = []

    def __aiter__(self) -> _Messages:
        return self

    async def __anext__(self) -> Incoming:
        while not self._ready:
            came = await self._line.heard(self._inner)
            if came and not self._overtaken and self._line.overtakes():
                self._overtaken = came
                continue
            self._ready.extend(came)
            if came:
                self._ready.extend(self._overtaken)
                self._overtaken = []
        return self._ready.popleft()


async def _until(at_s: float) -> None:
    """Wait until the loop's clock shows ``at_s``: of two, the earlier ends first."""
    loop = asyncio.get_running_loop()
    if at_s <= loop.time():
        return
    reached = loop.create_future()
    timer = loop.call_at(at_s, reached.set_result, None)
    try:
        await reached
    finally:
        timer.cancel()


async def _for_ever() -> NoReturn:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("unreachable")
