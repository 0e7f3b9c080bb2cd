# SPDX-License-Identifier: Apache-2.0
"""What comes down on a stick, taken by a running gateway in bounded pieces.

The law of the module: it opens no file and believes no caller. Each piece is a message
that the platform signed; the roster goes the way of the feed, the acknowledgement is
held against the journal's own hash, and each of the two stands by itself. Whatever is
refused has no effect, a name, and something to do about it.
Source: docs/sneakernet.md.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cloud_sync.ports import PortFaultError
from cloud_sync.refusal import FEED_REFUSALS, RefusalMeter, Refused
from cloud_sync.stick import StickHeader, StickSnapshot, open_header
from edge.cli.sneakernet.refusals import Verdict, refusal_text
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from cloud_sync.messages import Ack
    from cloud_sync.ports import JournalPort
    from cloud_sync.signing import PlatformKeys
    from edge.cli.roster_feed import RosterFeed
    from edge.core.event import Facts

T = TypeVar("T")
#: A caller that says nothing for so long is gone; what it had begun is forgotten.
IDLE_S = 30.0


@dataclass(slots=True)
class _Pending:
    """A stick whose header was good, and whose parts are on their way."""

    header: StickHeader
    ack: Verdict
    feed: Verdict
    snapshot: StickSnapshot | None
    has_rows: bool = False

    @property
    def name(self) -> str:
        """What its rows are staged under; a pull's nonce has no colon."""
        return f"stick:{self.header.stick}"


class StickImport:
    """Takes one stick at a time; what is not done is a ValueError that says why."""

    def __init__(
        self,
        *,
        gateway: str,
        keys: PlatformKeys,
        journal: JournalPort,
        feed: RosterFeed,
        report: Callable[[EventKind, Facts], None],
        on_ack: Callable[[Ack], None],
    ) -> None:
        self._gateway = gateway
        self._keys = keys
        self._journal = journal
        self._feed = feed
        self._report = report
        self._on_ack = on_ack
        self._meter = RefusalMeter()
        self._pending: _Pending | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._forgetting: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        #: When the newest stick that was taken had been signed.
        self._newest_ms = 0

    async def begin(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take ``header``; answer what of it is wanted, and whether its parts are."""
        async with self._turn:
            if self._pending is not None:
                raise ValueError(refusal_text("BUSY"))
            header = open_header(self._keys, _message(request), self._gateway)
            if isinstance(header, Refused):
                raise self._refused(header)
            ack, feed = await self._judge_ack(header.ack), self._judge_feed(header)
            if ack is Verdict.DIFFERS:
                why = "an acknowledgement of another history than this journal's"
                self._tell(EventKind.PLATFORM_REFUSED, ack.value, why, 1)
            snapshot = None
            if header.feed is not None and feed is Verdict.TAKEN:
                snapshot = StickSnapshot(
                    keys=self._keys,
                    gateway=self._gateway,
                    header=header,
                    feed=header.feed,
                    held=self._feed.cursor,
                )
            pending = _Pending(header=header, ack=ack, feed=feed, snapshot=snapshot)
            if ack.has_effect or feed.has_effect:
                self._pending = pending
                self._wait()
            return _told(pending) | {"wants_parts": snapshot is not None}

    async def part(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take one part in ``message`` of the stick that was begun."""
        async with self._turn:
            pending = self._begun(request)
            async with self._forgetting_what_fails():
                await self._take(pending, _message(request))
            return {}

    async def apply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Let the stick have its effect, now that all of it is there."""
        async with self._turn:
            pending = self._begun(request)
            snapshot = pending.snapshot
            async with self._forgetting_what_fails():
                if snapshot is not None and not snapshot.is_complete:
                    raise ValueError(refusal_text("TORN"))
                self._rest()
                pending.feed = await self._apply_feed(pending)
                pending.ack = await self._apply_ack(pending.header.ack)
            self._pending = None
            self._newest_ms = max(self._newest_ms, pending.header.time_ms)
            return _told(pending) | {"why": self._feed.refusal}

    async def drop(self, request: dict[str, Any]) -> dict[str, Any]:
        """Forget the stick that was begun: its caller cannot go on."""
        async with self._turn:
            self._begun(request)
            await self._forget()
            return {}

    async def _take(self, pending: _Pending, message: bytes) -> None:
        if pending.snapshot is None:
            return  # the roster on it is not wanted
        answer = pending.snapshot.receive(message)
        if isinstance(answer, Refused):
            raise self._refused(answer)
        is_first, pending.has_rows = not pending.has_rows, True
        staging = self._feed.stage_politely(
            pending.name, answer.rows, is_first=is_first
        )
        if not await _stored(staging):
            raise ValueError(refusal_text("LINE_BUSY"))

    async def _apply_feed(self, pending: _Pending) -> Verdict:
        feed, header = self._feed, pending.header
        if pending.feed is Verdict.CONFIRMED:
            await _stored(feed.confirm(header.time_ms))
        elif pending.snapshot is not None:
            complete = pending.snapshot.complete(pending.name)
            await _stored(feed.complete(complete, header.time_ms))
            if feed.cursor.age > complete.cursor.age:
                return Verdict.OLDER  # the line was quicker
            return Verdict.TOO_BROKEN if feed.refusal else Verdict.TAKEN
        return pending.feed

    async def _apply_ack(self, ack: Ack | None) -> Verdict:
        verdict = await self._judge_ack(ack)
        if ack is not None and verdict is Verdict.TAKEN:
            await _stored(self._journal.acknowledge(ack.hi))
            self._on_ack(ack)
        return verdict

    async def _judge_ack(self, ack: Ack | None) -> Verdict:
        journal = self._journal
        if ack is None:
            return Verdict.ABSENT
        if ack.epoch != journal.epoch:
            return Verdict.OTHER_EPOCH
        if ack.hi <= journal.acked:
            return Verdict.KNOWN
        if ack.hi > journal.last_seq:
            return Verdict.DIFFERS
        if await _stored(journal.hash_at(ack.hi)) != ack.hash:
            return Verdict.DIFFERS
        return Verdict.TAKEN

    def _judge_feed(self, header: StickHeader) -> Verdict:
        if header.feed is None:
            return Verdict.ABSENT
        held, offered = self._feed.cursor, header.feed.cursor
        if offered.age < held.age:
            return Verdict.OLDER
        if offered != held:
            return Verdict.TAKEN
        known_ms = max(self._feed.confirmed_ms, self._newest_ms)
        return Verdict.CONFIRMED if header.time_ms > known_ms else Verdict.KNOWN

    def _refused(self, refused: Refused) -> ValueError:
        count = self._meter.count(refused.kind, asyncio.get_running_loop().time())
        is_feed = refused.kind in FEED_REFUSALS
        kind = EventKind.ROSTER_REFUSED if is_feed else EventKind.PLATFORM_REFUSED
        if count:
            self._tell(kind, refused.kind.value, refused.why, count)
        return ValueError(refusal_text(refused.kind.value, refused.why))

    def _tell(self, kind: EventKind, name: str, why: str, count: int) -> None:
        facts = (("count", count), ("refusal", name), ("way", "stick"), ("why", why))
        self._report(kind, facts)

    def _begun(self, request: dict[str, Any]) -> _Pending:
        pending = self._pending
        if pending is None or request.get("stick") != pending.header.stick:
            raise ValueError(refusal_text("FORGOTTEN"))
        self._wait()
        return pending

    def _wait(self) -> None:
        self._rest()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(IDLE_S, self._lose_patience)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose_patience(self) -> None:
        loop = asyncio.get_running_loop()
        self._forgetting = loop.create_task(self._forget_in_turn())

    async def _forget_in_turn(self) -> None:
        async with self._turn:
            await self._forget()

    @asynccontextmanager
    async def _forgetting_what_fails(self) -> AsyncIterator[None]:
        try:
            yield
        except ValueError:
            await self._forget()
            raise

    async def _forget(self) -> None:
        pending, self._pending = self._pending, None
        self._rest()
        if pending is not None and pending.has_rows:
            with suppress(PortFaultError):  # memory has forgotten it all the same
                await self._feed.drop(pending.name)


async def _stored(work: Awaitable[T]) -> T:
    try:
        return await work
    except PortFaultError as fault:
        raise ValueError(refusal_text("STORAGE", str(fault))) from fault


def _message(request: dict[str, Any]) -> bytes:
    message = request.get("message")
    if not isinstance(message, str):
        raise ValueError("message: missing, say what the platform signed")
    return message.encode(errors="replace")


def _told(pending: _Pending) -> dict[str, Any]:
    header = pending.header
    cursor = header.feed.cursor if header.feed else None
    return {
        "stick": header.stick,
        "time_ms": header.time_ms,
        "ack": pending.ack.value,
        "acked": header.ack.hi if header.ack else None,
        "feed": pending.feed.value,
        "cursor": f"{cursor.epoch}@{cursor.rev}" if cursor else None,
    }
