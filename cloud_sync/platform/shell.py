# SPDX-License-Identifier: Apache-2.0
"""The platform's one line to its gateways, and another when that one ends.

The law of the module: it carries and decides nothing. The line is told that a message
is done after the commit, and then the gateway gets its acknowledgement; a line that
fails is thrown away with all that waited in it, since gateways ask again. Feeds go out
beside acknowledgements and never hold them up.
Source: docs/sync-contract.md, sections 1 and 6.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import structlog

from cloud_sync.platform.database import DatabaseError
from cloud_sync.platform.line import LineError
from cloud_sync.platform.uplink import LEAVES
from cloud_sync.transport.cancelling import cancellations, heed_cancellation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cloud_sync.feed import FeedCursor
    from cloud_sync.platform.answers import Publish
    from cloud_sync.platform.commanding.commander import Commander
    from cloud_sync.platform.line import Line, Lines
    from cloud_sync.platform.reception import Outcome, Reception, ToldDay, Wanted

SUBSCRIPTIONS = tuple(f"mn/v1/up/+/+/{leaf}" for leaf in LEAVES)
#: Answers and parts of feeds that wait for their PUBACK at once; together with a
#: nudge they stay below paho's own 20.
ANSWERS_AT_ONCE, PARTS_AT_ONCE = 12, 4
#: Days that wait to be compared; beyond that one is passed over, and told again later.
DAYS_WAITING = 1_000
#: Feeds change by hand or by an import: a second is soon.
LOOK_EVERY_S = 1.0
#: Somebody stands at a door: one small question to the database.
WISHES_EVERY_S = 0.1
RETRY_AT_LEAST_S, RETRY_AT_MOST_S = 0.2, 10.0
#: A kind of refusal is logged once in such a time; all are counted in the database.
TELL_EVERY_MS = 60_000
_log = structlog.get_logger("platform")


class Shell:
    """Keeps a connection, and moves messages between it and the reception.

    ``now_ms`` gives UTC milliseconds.
    """

    def __init__(
        self,
        *,
        lines: Lines,
        reception: Reception,
        commander: Commander,
        now_ms: Callable[[], int],
    ) -> None:
        self._lines = lines
        self._reception = reception
        self._commander = commander
        self._now_ms = now_ms
        self._wanted: dict[str, Wanted] = {}
        self._is_wanted = asyncio.Event()
        self._days: dict[tuple[str, str], ToldDay] = {}
        self._is_told = asyncio.Event()
        self._failures = 0
        self._told_ms: dict[str, int] = {}

    async def run(self) -> None:
        """Connect, serve, connect again; returns only by being cancelled."""
        known = cancellations()
        while True:
            # A task for each: a failed TaskGroup spoils its task's cancellations.
            await asyncio.create_task(self._connect_once())
            heed_cancellation(known)
            pause_s = RETRY_AT_LEAST_S * 2.0 ** min(self._failures, 10)
            await asyncio.sleep(min(RETRY_AT_MOST_S, pause_s))
            self._failures += 1

    async def _connect_once(self) -> None:
        try:
            async with self._lines.opened() as line:
                await self._serve(line)
        except* LineError as lost:
            _log.warning("no line to the gateways", why=_first(lost))
        except* DatabaseError as fault:
            _log.error("the database fails, nothing is taken", why=_first(fault))
        finally:
            self._wanted.clear()
            self._days.clear()

    async def _serve(self, line: Line) -> None:
        await line.hear(SUBSCRIPTIONS)
        _log.info("connected")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take(line))
            tasks.create_task(self._send_feeds(line))
            tasks.create_task(self._nudge(line))
            tasks.create_task(self._compare_days(line))
            tasks.create_task(self._command(line))

    async def _take(self, line: Line) -> None:
        """Take all that waits, have it committed, acknowledge it, answer."""
        while True:
            handful = await line.take()
            outcome = await self._reception.receive(handful.said, self._now_ms())
            self._failures = 0
            await line.done(handful)
            self._tell(outcome)
            self._wanted |= {each.gateway: each for each in outcome.wanted}
            self._is_wanted.set()
            for told in outcome.days[: max(0, DAYS_WAITING - len(self._days))]:
                self._days[told.gateway, told.day.name] = told
            self._is_told.set()
            await _publish(line, outcome.answers, ANSWERS_AT_ONCE)
            await self._reception.answered(outcome.greeted)

    async def _send_feeds(self, line: Line) -> None:
        """Send feeds to those who pulled, one gateway after the other."""
        while True:
            self._is_wanted.clear()
            while self._wanted:
                gateway = next(iter(self._wanted))
                wanted = self._wanted.pop(gateway)
                parts = await self._reception.feed(wanted, self._now_ms())
                await _publish(line, parts, PARTS_AT_ONCE)
            await self._is_wanted.wait()

    async def _compare_days(self, line: Line) -> None:
        """Compare days with what is stored, one after the other."""
        while True:
            self._is_told.clear()
            while self._days:
                told = self._days.pop(next(iter(self._days)))
                answer = await self._reception.compare(told, self._now_ms())
                await _publish(line, (answer,), 1)
            await self._is_told.wait()

    async def _nudge(self, line: Line) -> None:
        """Tell gateways when there is something newer for them; at first all."""
        told: dict[str, FeedCursor] = {}
        while True:
            told, nudges = await self._reception.news(told, self._lines.shards)
            await _publish(line, nudges, 1)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _command(self, line: Line) -> None:
        """Send what operators and residents want done, as soon as it is wished."""
        while True:
            await _publish(line, await self._commander.due(self._now_ms()), 1)
            await asyncio.sleep(WISHES_EVERY_S)

    def _tell(self, outcome: Outcome) -> None:
        now_ms = self._now_ms()
        for (gateway, kind), whys in outcome.refused.items():
            if now_ms - self._told_ms.get(kind, -TELL_EVERY_MS) >= TELL_EVERY_MS:
                self._told_ms[kind] = now_ms
                _log.warning("refused", kind=kind.value, gateway=gateway, why=whys[-1])


async def _publish(line: Line, messages: Iterable[Publish], at_once: int) -> None:
    waiting = iter(messages)
    while chunk := tuple(itertools.islice(waiting, at_once)):
        async with asyncio.TaskGroup() as tasks:
            for each in chunk:
                tasks.create_task(line.publish(each.topic, each.payload, qos=1))
        heed_cancellation()


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
