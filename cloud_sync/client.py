# SPDX-License-Identifier: Apache-2.0
"""The platform client: a connection, another when that one ends, until cancelled.

The law of the module: offline is the normal case, so no failure of broker, platform
or storage ends the client; each only makes the next attempt wait a little longer,
by chance, lest all gateways of a city come back in the same second.
Source: docs/sync-contract.md, section 6.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiomqtt

from cloud_sync.connection import Broker, cancellations, connected, heed_cancellation
from cloud_sync.conversation import Conversation, LeftError, Progress
from cloud_sync.outputs import SnapshotDropped
from cloud_sync.ports import PortFaultError, Ports
from cloud_sync.refusal import REPORT_EVERY_S
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_sync.messages import Ack
    from cloud_sync.session import SyncSession

RETRY_AT_LEAST_S = 0.2
RETRY_AT_MOST_S = 30.0
#: A connection that lasted this long was good; the next back-off starts small.
STEADY_S = 10.0
#: 0.2 s doubled so often passes 30 s; counting further would serve nothing.
_DOUBLINGS = 8
#: A report's reason is a fact of an event, and rows of the journal are short.
_WHY_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """What a panel shows.

    ``waiting`` events are not yet acknowledged; ``last_ack_s`` is monotonic, None
    before the first; ``trouble`` says why there is no conversation.
    """

    is_connected: bool
    waiting: int
    last_ack_s: float | None
    reconnects: int
    trouble: str | None


class PlatformClient:
    """Keeps gateway and platform in step; everything runs in one event loop.

    ``chance`` returns numbers in [0, 1).
    """

    def __init__(
        self,
        *,
        broker: Broker,
        session: SyncSession,
        ports: Ports,
        chance: Callable[[], float],
    ) -> None:
        self._broker = broker
        self._session = session
        self._ports = ports
        self._chance = chance
        self._woken = asyncio.Event()
        self._progress = Progress()
        self._connections = 0
        self._failures = 0
        self._had_conversed = False
        self._fault_told_s: float | None = None

    @property
    def status(self) -> SyncStatus:
        """How synchronisation stands."""
        journal = self._ports.journal
        return SyncStatus(
            is_connected=self._session.is_established,
            waiting=journal.last_seq - journal.acked,
            last_ack_s=self._progress.last_ack_s,
            reconnects=max(0, self._connections - 1),
            trouble=self._progress.trouble,
        )

    def wake(self) -> None:
        """Say that there are new rows in the journal; they go out at once."""
        self._woken.set()

    def acknowledged_elsewhere(self, ack: Ack) -> None:
        """Say that the platform's word, checked and kept, came by another way."""
        self._session.acknowledged_elsewhere(ack, self._ports.clock.now())
        self._woken.set()

    async def run(self) -> None:
        """Connect, converse, connect again; returns only by being cancelled."""
        known = cancellations()
        while True:
            begun_s, self._had_conversed = self._now_s(), False
            # A task for each: a failed TaskGroup spoils its task's cancellation count.
            await asyncio.create_task(self._connect_once())
            heed_cancellation(known)
            if self._had_conversed and self._now_s() - begun_s >= STEADY_S:
                self._failures = 0
            await asyncio.sleep(self._pause_s())
            self._failures = min(self._failures + 1, _DOUBLINGS)

    async def _connect_once(self) -> None:
        try:
            async with connected(self._broker, self._session.topics.gateway) as client:
                self._connections += 1
                await self._converse(client)
        except* LeftError as left:
            self._progress.trouble = _first(left)
        except* aiomqtt.MqttError as lost:
            self._progress.trouble = _first(lost)
        except* PortFaultError as faults:
            self._tell_fault(_first(faults))

    async def _converse(self, client: aiomqtt.Client) -> None:
        conversation = Conversation(
            client=client,
            session=self._session,
            ports=self._ports,
            woken=self._woken,
            progress=self._progress,
        )
        try:
            await conversation.run()
        finally:
            self._had_conversed = self._session.is_established
            await self._forget()

    async def _forget(self) -> None:
        # Runs while a cancellation is on its way, so that nothing may replace it.
        try:
            for output in self._session.disconnected():
                if isinstance(output, SnapshotDropped):
                    await self._ports.feed.drop(output.snapshot)
        except PortFaultError as fault:
            self._tell_fault(str(fault))

    def _pause_s(self) -> float:
        longest_s = min(RETRY_AT_MOST_S, RETRY_AT_LEAST_S * 2.0**self._failures)
        return longest_s * (0.5 + 0.5 * self._chance())

    def _tell_fault(self, why: str) -> None:
        self._progress.trouble = why
        told_s, now_s = self._fault_told_s, self._now_s()
        if told_s is None or now_s - told_s >= REPORT_EVERY_S:
            self._fault_told_s = now_s
            facts = (("why", why[:_WHY_CHARACTERS]),)
            self._ports.report(EventKind.STORAGE_FAULT, facts)

    def _now_s(self) -> float:
        return self._ports.clock.now().monotonic_s


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
