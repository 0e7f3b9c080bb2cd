# SPDX-License-Identifier: Apache-2.0
"""Events, files and watched or failing connections that this folder's tests share."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from edge.core.event import Event, EventKind, Person
from edge.core.moment import UNBOUNDED_MS, Moment
from edge.storage.journal import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from edge.storage.connection import Connection, Synchronous

START_MS = 1_763_779_200_000


class Opener(Protocol):
    def __call__(
        self,
        path: Path,
        /,
        *,
        synchronous: Synchronous = ...,
        is_reader: bool = ...,
    ) -> AbstractAsyncContextManager[Connection]: ...


def event(seq: int, *, holder: str | None = None, tag: int | str = 0) -> Event:
    """A grant with realistic fields; ``tag`` tells facts of one seq apart."""
    return Event(
        seq=seq,
        kind=EventKind.ACCESS_GRANTED,
        moment=Moment(
            monotonic_s=seq / 10,
            earliest_ms=START_MS + seq * 100,
            latest_ms=UNBOUNDED_MS,
            boot="boot-17",
        ),
        subject="厨房-1",
        facts=(("rev", 5120), ("rule", "booking"), ("tag", tag)),
        person=Person(holder=holder or f"h{seq % 7}", booking=f"B{seq}"),
    )


def events(first: int, count: int, **words: Any) -> list[Event]:
    return [event(seq, **words) for seq in range(first, first + count)]


def counted(width: int) -> Any:
    """Deterministic stand-in for chance: 16-byte salts, 8-digit suffixes."""
    numbers = itertools.count(1)
    if width == 8:
        return lambda: f"{next(numbers):08x}"
    return lambda: next(numbers).to_bytes(width, "big")


@asynccontextmanager
async def opened(
    opener: Opener, path: Path, wrap: Any = lambda connection: connection
) -> AsyncIterator[Journal]:
    """The journal at ``path``; ``wrap`` may put a faulty connection around."""
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(opener(path))
        reader = await stack.enter_async_context(opener(path, is_reader=True))
        yield await Journal.open(
            wrap(writer), reader, new_epoch=counted(8), salt=counted(16)
        )


def copied(path: Path, folder: Path) -> Path:
    """What the disk holds now: the file and its log, without the shared memory."""
    folder.mkdir(parents=True)
    for name in (path.name, f"{path.name}-wal"):
        if (path.parent / name).exists():
            shutil.copyfile(path.parent / name, folder / name)
    return folder / path.name


def contents(path: Path) -> bytes:
    return path.read_bytes()


def overwrite(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    """All rows, read by sqlite3 alone."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT * FROM event ORDER BY place").fetchall()
    finally:
        connection.close()


def tampered(path: Path, *statements: str) -> None:
    """Change the closed file as somebody with a screwdriver would."""
    connection = sqlite3.connect(path)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


class WatchedConnection:
    """Calls ``look`` after each call that reaches the database: the power is cut there.

    ``before``: called ahead of a statement and of a commit as well.
    """

    def __init__(
        self,
        inner: Connection,
        look: Callable[[], object],
        before: Callable[[], object] = lambda: None,
    ) -> None:
        self.inner, self._look, self._before = inner, look, before

    async def execute(self, sql: str, parameters: Iterable[Any] = (), /) -> None:
        self._before()
        await self.inner.execute(sql, parameters)
        self._look()

    async def executemany(
        self, sql: str, parameters: Iterable[Iterable[Any]], /
    ) -> None:
        await self.inner.executemany(sql, parameters)
        self._look()

    async def execute_fetchall(
        self, sql: str, parameters: Iterable[Any] = (), /
    ) -> Iterable[Any]:
        return await self.inner.execute_fetchall(sql, parameters)

    async def commit(self) -> None:
        self._before()
        await self.inner.commit()
        self._look()


class Images:
    """Keeps a copy of a database and its log whenever it is asked to."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._folder = path, folder
        self.kept: list[Path] = []

    def keep(self) -> None:
        self.kept.append(copied(self._path, self._folder / f"image{len(self.kept)}"))


class FaultyConnection:
    """Raises at the calls in ``failing``: "before" doing the work, or "after" it.

    "after" is the answer that got lost: the work is done, the caller told otherwise.
    """

    def __init__(self, inner: Connection, when: Literal["before", "after"]) -> None:
        self._inner = inner
        self._when = when
        self.failing: set[int] = set()
        self.calls = 0
        self.raised = 0

    async def _do(self, work: Awaitable[Any]) -> Any:
        self.calls += 1
        is_failing = self.calls in self.failing
        if is_failing and self._when == "before":
            close = getattr(work, "close", None)
            if close is not None:
                close()
            self.raised += 1
            raise sqlite3.OperationalError("disk I/O error")
        answer = await work
        if is_failing:
            self.raised += 1
            raise sqlite3.OperationalError("disk I/O error")
        return answer

    async def execute(self, sql: str, parameters: Iterable[Any] = (), /) -> Any:
        return await self._do(self._inner.execute(sql, parameters))

    async def executemany(
        self, sql: str, parameters: Iterable[Iterable[Any]], /
    ) -> Any:
        return await self._do(self._inner.executemany(sql, parameters))

    async def execute_fetchall(
        self, sql: str, parameters: Iterable[Any] = (), /
    ) -> Any:
        return await self._do(self._inner.execute_fetchall(sql, parameters))

    async def commit(self) -> None:
        await self._do(self._inner.commit())


class SlowConnection:
    """Waits for `go` around every call: a disk that takes its time."""

    def __init__(self, inner: Connection) -> None:
        self._inner = inner
        self.go = asyncio.Event()
        self.go.set()
        self.is_failing = False

    async def _do(self, name: str, *words: Any) -> Any:
        await self.go.wait()
        if self.is_failing:
            raise sqlite3.OperationalError("disk I/O error")
        answer = await getattr(self._inner, name)(*words)
        await self.go.wait()
        return answer

    async def execute(self, sql: str, parameters: Iterable[Any] = (), /) -> Any:
        return await self._do("execute", sql, parameters)

    async def executemany(
        self, sql: str, parameters: Iterable[Iterable[Any]], /
    ) -> Any:
        return await self._do("executemany", sql, parameters)

    async def execute_fetchall(
        self, sql: str, parameters: Iterable[Any] = (), /
    ) -> Any:
        return await self._do("execute_fetchall", sql, parameters)

    async def commit(self) -> None:
        await self._do("commit")


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
