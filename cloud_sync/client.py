# SPDX-License-Identifier: Apache-2.0
"""The platform client: a connection, another when that one ends, until cancelled.

The law of the module: offline is the normal case, so no failure of broker, platform
or storage ends the client. Another broker is tried soon; when all have failed each
round waits a little longer, by chance, lest all gateways of a city come back in the
same second.
Source: docs/sync-contract.md, section 6; docs/sync.md.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cloud_sync.conversation import Conversation, LeftError, Progress
from cloud_sync.outputs import LeaveReason, SnapshotDropped
from cloud_sync.ports import PortFaultError, Ports
from cloud_sync.preference import Preference
from cloud_sync.refusal import REPORT_EVERY_S
from cloud_sync.silence import Silence
from cloud_sync.transport.cancelling import cancellations, heed_cancellation
from cloud_sync.transport.port import TransportError
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_sync.envelope import CommandResult
    from cloud_sync.messages import Ack
    from cloud_sync.session import SyncSession
    from cloud_sync.transport.port import Transport

RETRY_AT_LEAST_S = 0.2
RETRY_AT_MOST_S = 30.0
#: A connection that lasted this long was good; the next back-off starts small.
STEADY_S = 10.0
#: 0.2 s doubled so often passes 30 s; counting further would serve nothing.
_DOUBLINGS = 8
_Ended = TypeVar("_Ended", bound=Exception)
#: A report's reason is a fact of an event, and rows of the journal are short.
_WHY_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerTrouble:
    """Why a broker was left or could not be used: a kind that has advice, and words."""

    broker: str
    kind: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """What a panel shows.

    ``waiting`` events are not yet acknowledged; ``last_ack_s`` is monotonic, None
    before the first; ``trouble`` says why there is no conversation. ``broker`` is the
    one in use, or tried last; ``troubles`` are those of all brokers that failed since
    they last led to the platform. ``is_silent``: brokers take what we say, and nobody
    answers.
    """

    is_connected: bool
    waiting: int
    last_ack_s: float | None
    reconnects: int
    trouble: str | None
    broker: str = ""
    troubles: tuple[BrokerTrouble, ...] = ()
    is_silent: bool = False


class PlatformClient:
    """Keeps gateway and platform in step; everything runs in one event loop.

    ``transports`` lead to the brokers by their names, the preferred one first;
    ``chance`` returns numbers in [0, 1).
    """

    def __init__(
        self,
        *,
        transports: Mapping[str, Transport],
        session: SyncSession,
        ports: Ports,
        chance: Callable[[], float],
    ) -> None:
        self._transports = tuple(transports.items())
        self._session = session
        self._ports = ports
        self._chance = chance
        self._woken = asyncio.Event()
        self._progress = Progress()
        self._silence = Silence()
        self._preference = Preference(len(self._transports))
        self._troubles: dict[str, BrokerTrouble] = {}
        self._connections = 0
        self._failures = 0
        self._had_conversed = False
        self._fault_told_s: float | None = None

    @property
    def status(self) -> SyncStatus:
        """How synchronisation stands."""
        journal, broker = self._ports.journal, self._progress.broker
        is_connected = self._session.is_established
        return SyncStatus(
            is_connected=is_connected,
            waiting=journal.last_seq - journal.acked,
            last_ack_s=self._progress.last_ack_s,
            reconnects=max(0, self._connections - 1),
            trouble=self._progress.trouble,
            broker=broker,
            troubles=tuple(
                trouble
                for name, trouble in self._troubles.items()
                if not (is_connected and name == broker)
            ),
            is_silent=self._silence.is_alarming,
        )

    def wake(self) -> None:
        """Say that there are new rows in the journal; they go out at once."""
        self._woken.set()

    def refresh(self) -> None:
        """Ask the platform for its feed at once, if it is there."""
        self._session.refresh(self._ports.clock.now())
        self._woken.set()

    def stood_still(self) -> None:
        """Leave the connection: nobody knows how long its messages have lain there."""
        self._session.give_up(LeaveReason.STOOD_STILL)
        self._woken.set()

    def acknowledged_elsewhere(self, ack: Ack) -> None:
        """Say that the platform's word, checked and kept, came by another way."""
        self._session.acknowledged_elsewhere(ack, self._ports.clock.now())
        self._woken.set()

    def tell(self, result: CommandResult) -> None:
        """Tell the platform early how far a command has come, if it is there."""
        self._session.tell(result)
        self._woken.set()

    def alarm(self, seq: int) -> None:
        """Tell the platform of an event on disk before those that wait in front."""
        self._session.beside.early.tell(self._ports.journal.epoch, seq)
        self._woken.set()

    async def run(self) -> None:
        """Connect, converse, connect again; returns only by being cancelled."""
        known = cancellations()
        while True:
            begun_s, self._had_conversed = self._now_s(), False
            self._progress.was_answered = False
            # A task for each: a failed TaskGroup spoils its task's cancellation count.
            await asyncio.create_task(self._connect_once())
            heed_cancellation(known)
            if self._had_conversed and self._now_s() - begun_s >= STEADY_S:
                self._failures = 0
            answered = self._progress.was_answered
            is_round = self._preference.failed(had_conversed=answered)
            await asyncio.sleep(self._pause_s(is_round=is_round))
            if is_round:
                self._failures = min(self._failures + 1, _DOUBLINGS)

    async def _connect_once(self) -> None:
        name, transport = self._transports[self._preference.current]
        self._progress.broker = name
        try:
            await transport.connect()
            try:
                self._connections += 1
                await self._converse(transport)
            finally:
                await transport.close()
        except* LeftError as left:
            self._note_trouble(left, lambda error: error.why.value)
        except* TransportError as lost:
            self._note_trouble(lost, lambda error: error.kind.value)
        except* PortFaultError as faults:
            self._tell_fault(str(_first(faults)))

    async def _converse(self, transport: Transport) -> None:
        conversation = Conversation(
            transport=transport,
            session=self._session,
            ports=self._ports,
            woken=self._woken,
            progress=self._progress,
            silence=self._silence,
        )
        try:
            await conversation.run()
        finally:
            self._silence.left(self._now_s())
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

    def _pause_s(self, *, is_round: bool) -> float:
        """Return how long to wait: briefly while another broker is still untried."""
        doublings = self._failures if is_round else 0
        longest_s = min(RETRY_AT_MOST_S, RETRY_AT_LEAST_S * 2.0**doublings)
        return longest_s * (0.5 + 0.5 * self._chance())

    def _note_trouble(
        self, group: BaseExceptionGroup[_Ended], kind: Callable[[_Ended], str]
    ) -> None:
        error = _first(group)
        why, name = str(error) or type(error).__name__, self._progress.broker
        self._progress.trouble = why
        if self._progress.was_answered:
            self._troubles.clear()  # of before the platform answered
        self._troubles[name] = BrokerTrouble(broker=name, kind=kind(error), why=why)

    def _tell_fault(self, why: str) -> None:
        self._progress.trouble = why
        told_s, now_s = self._fault_told_s, self._now_s()
        if told_s is None or now_s - told_s >= REPORT_EVERY_S:
            self._fault_told_s = now_s
            facts = (("why", why[:_WHY_CHARACTERS]),)
            self._ports.report(EventKind.STORAGE_FAULT, facts)

    def _now_s(self) -> float:
        return self._ports.clock.now().monotonic_s


def _first(group: BaseExceptionGroup[_Ended]) -> _Ended:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
