# SPDX-License-Identifier: Apache-2.0
"""A line over a stream of NATS, whose shards several workers share.

The law of the module: a shard's messages go to one worker at a time, in their order,
so that no batch overtakes the one before; who has how many shards follows from how
many workers there are, and nobody decides it. A message is finished in the stream only
after the commit. The stream is a buffer: what it loses, gateways send again.
Source: docs/scale.md; NATS documentation, JetStream.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import DiscardPolicy, RetentionPolicy, StreamConfig
from nats.js.errors import NotFoundError

from cloud_sync.platform.leases import SHARDS
from cloud_sync.platform.line import Handful, LineError
from cloud_sync.platform.pulling import Puller, ready, subjects_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from nats.aio.msg import Msg

    from cloud_sync.platform.leases import Leases
    from cloud_sync.platform.line import Line

#: Messages in one commit: a flush costs what a hundred events cost.
GROUP = 128
#: Pulled and waiting for the commit before them.
WAITING = 2 * GROUP
#: A gateway has sent everything again by then, or asks anew.
KEPT_S = 120
KEPT_BYTES = 256 * 1024 * 1024
STEER_EVERY_S = 1.0
CONNECT_WITHIN_S = 3
#: A consumer of three copies is made in half a second, under load in two.
ANSWER_WITHIN_S = 5.0
#: A message that fails alone so often is not the database's fault.
TRIES = 3
#: Suspects remembered; more are a database that fails.
SUSPECTS = 10_000
_log = structlog.get_logger("platform")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nats:
    """Where NATS is and how to enter; ``servers`` are ``nats://host:port``."""

    servers: tuple[str, ...]
    stream: str
    copies: int
    tls: ssl.SSLContext | None = None
    user: str | None = None
    password: str | None = None


class JetStreamLines:
    """Connections to one cluster, another of its servers each time."""

    def __init__(
        self, at: Nats, leases: Callable[[], AbstractAsyncContextManager[Leases]]
    ) -> None:
        self.at = at
        self.held: dict[str, asyncio.Task[None]] = {}
        self.suspects: Counter[int] = Counter()
        self._leases = leases
        self._turn = 0

    @property
    def shards(self) -> frozenset[str]:
        """The shards that are ours now."""
        return frozenset(self.held)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Line]:
        """Connect, and hold shards for as long as the block lasts."""
        server = self.at.servers[self._turn % len(self.at.servers)]
        self._turn += 1
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def gone() -> None:
            if not lost.done():
                lost.set_result(None)

        connection = Client()
        try:
            with _told():
                await connection.connect(
                    server,
                    allow_reconnect=False,
                    connect_timeout=CONNECT_WITHIN_S,
                    closed_cb=gone,
                    disconnected_cb=gone,
                    error_cb=_unheard,
                    tls=self.at.tls,
                    user=self.at.user,
                    password=self.at.password,
                    name="menshen-worker",
                )
            async with self._leases() as leases, asyncio.TaskGroup() as tasks:
                line = _JetStreamLine(self, connection, leases, tasks)
                watching = tasks.create_task(_watch(lost, server))
                try:
                    yield line
                finally:
                    line.leave()
                    watching.cancel()
        finally:
            self.held.clear()
            with suppress(NatsError, OSError, TimeoutError):
                await connection.close()


class _JetStreamLine:
    def __init__(
        self,
        lines: JetStreamLines,
        connection: Client,
        leases: Leases,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._lines = lines
        self._connection = connection
        self._stream = connection.jetstream(timeout=ANSWER_WITHIN_S)
        self._leases = leases
        self._tasks = tasks
        self._steering: asyncio.Task[None] | None = None
        self._leaves: frozenset[str] = frozenset()
        self._waiting: deque[tuple[str, Msg]] = deque()
        self._is_waiting, self._has_room = asyncio.Event(), asyncio.Event()
        self._open: Handful | None = None
        self._is_done = asyncio.Event()

    async def hear(self, topics: Sequence[str]) -> None:
        self._leaves = frozenset(topic.rpartition("/")[2] for topic in topics)
        with _told():
            await self._have_stream()
        self._steering = self._tasks.create_task(self._steer())

    async def take(self) -> Handful:
        while not self._waiting:
            self._is_waiting.clear()
            await self._is_waiting.wait()
        handful = self._open = Handful()
        self._is_done.clear()
        while self._waiting and len(handful.receipts) < GROUP:
            shard, message = self._waiting[0]
            is_suspect = self._is_suspect(message)
            if is_suspect and handful.receipts:
                break
            self._waiting.popleft()
            # What another worker holds by now is his: he finds it unfinished.
            if shard in self._lines.held:
                self._add(handful, message)
                if is_suspect:
                    break
        self._has_room.set()
        return handful

    async def done(self, handful: Handful) -> None:
        with _told():
            for message in handful.receipts:
                await self._connection.publish(message.reply, b"+ACK")
        if self._lines.suspects:
            for message in handful.receipts:
                self._lines.suspects.pop(_number(message), None)
        self._open = None
        self._is_done.set()

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:  # noqa: ARG002
        # To an MQTT client this comes at QoS 0: what gets lost is asked for again.
        with _told():
            await self._connection.publish(topic.replace("/", "."), payload)

    def leave(self) -> None:
        """Stop all work; what was taken and never done is suspected."""
        for task in (self._steering, *self._lines.held.values()):
            if task is not None:
                task.cancel()
        receipts = self._open.receipts if self._open is not None else []
        suspects = self._lines.suspects
        if len(suspects) + len(receipts) > SUSPECTS:
            suspects.clear()
        for message in receipts:
            # One that was alone has failed by itself; others are asked one by one.
            suspects[_number(message)] += 1 if len(receipts) == 1 else 0

    def _is_suspect(self, message: Msg) -> bool:
        suspects = self._lines.suspects
        return bool(suspects) and _number(message) in suspects

    def _add(self, handful: Handful, message: Msg) -> None:
        handful.receipts.append(message)
        topic = message.subject.replace(".", "/")
        if topic.rpartition("/")[2] not in self._leaves:
            return
        payload = message.data
        suspects = self._lines.suspects
        if suspects and suspects[_number(message)] >= TRIES:
            # Counted as malformed, for all to see; its gateway sends it again.
            _log.error("a message was given up", topic=topic, bytes=len(payload))
            payload = b""
        handful.said.append((topic, payload))

    async def _have_stream(self) -> None:
        at, subjects = self._lines.at, subjects_of("*")
        try:
            found = await self._stream.stream_info(at.stream)
        except NotFoundError:
            await self._stream.add_stream(
                StreamConfig(
                    name=at.stream,
                    subjects=[subjects],
                    retention=RetentionPolicy.WORK_QUEUE,
                    discard=DiscardPolicy.OLD,
                    max_age=KEPT_S,
                    max_bytes=KEPT_BYTES,
                    num_replicas=at.copies,
                )
            )
            return
        is_queue = found.config.retention == RetentionPolicy.WORK_QUEUE
        if found.config.subjects != [subjects] or not is_queue:
            raise LineError(
                f"there is a stream {at.stream} that is not ours: it should be a work "
                f"queue over {subjects}; name another in nats.stream, or delete it"
            )

    async def _put(self, shard: str, message: Msg) -> None:
        while len(self._waiting) >= WAITING:
            self._has_room.clear()
            await self._has_room.wait()
        self._waiting.append((shard, message))
        self._is_waiting.set()

    async def _steer(self) -> None:
        """Hold a fair share of the shards, as workers come and go."""
        while True:
            share = -(-len(SHARDS) // await self._leases.workers())
            for shard in sorted(self._lines.held)[share:]:
                await self._release(shard)
            taken = await self._leases.holders()
            free = [shard for shard in SHARDS if shard not in taken]
            wanted = free[: max(0, share - len(self._lines.held))]
            gained = [each for each in wanted if await self._leases.take(each)]
            if gained:
                await self._begin(gained)
            await asyncio.sleep(STEER_EVERY_S)

    async def _begin(self, shards: Sequence[str]) -> None:
        at = self._lines.at
        async with asyncio.TaskGroup() as tasks:
            for each in shards:
                tasks.create_task(self._ready(each))
        for each in shards:
            puller = Puller(self._connection, at.stream, each, self._put)
            self._lines.held[each] = self._tasks.create_task(_pull(puller))
        _log.info("shards", held=",".join(sorted(self._lines.held)))

    async def _ready(self, shard: str) -> None:
        at = self._lines.at
        with _told():
            await ready(self._stream, at.stream, shard, at.copies)

    async def _release(self, shard: str) -> None:
        """Give a shard away once nothing of it is being committed."""
        self._lines.held.pop(shard).cancel()
        last = self._open
        while last is not None and self._open is last:
            await self._is_done.wait()
        await self._leases.give(shard)


async def _pull(puller: Puller) -> None:
    with _told():
        await puller.run()


async def _watch(lost: asyncio.Future[None], server: str) -> None:
    await lost
    raise LineError(f"{server} has gone")


async def _unheard(_: Exception) -> None:
    """Errors come to whoever waits; nats-py would print them besides."""


def _number(message: Msg) -> int:
    """Return a message's place in the stream."""
    return message.metadata.sequence.stream


@contextmanager
def _told() -> Iterator[None]:
    """Call a loss by the port's own name."""
    try:
        yield
    except (NatsError, OSError, TimeoutError) as lost:
        raise LineError(str(lost) or type(lost).__name__) from lost
