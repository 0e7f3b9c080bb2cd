# SPDX-License-Identifier: Apache-2.0
"""Work that its caller may give up waiting for, but cannot break off.

The law of the module: a write begun is a write finished. Cancelling whoever awaits
:func:`finish` cancels the waiting alone; what fails after that is logged, since nobody
else is left to hear of it. Work that never suspends needs no task and no event loop, so
that the simulation can run the journal by hand.
"""

from __future__ import annotations

import asyncio
import logging
import types
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

T = TypeVar("T")
log = logging.getLogger(__name__)


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns; run it to its end even if cancelled meanwhile.

    The first step is taken on the spot, before any task exists: a statement reaches
    the database's thread at once, and what has no second step is already over.
    """
    try:
        awaited = work.send(None)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    carried = asyncio.ensure_future(_carry(work, awaited))
    try:
        return await asyncio.shield(carried)
    except asyncio.CancelledError:
        carried.add_done_callback(_tell_failure)  # nobody else will ask
        raise


def begin(work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """Take the first step on the spot and return the rest as a future.

    For a caller without a task of its own, who never cancels: it saves the loop four
    turns a write, which a person at a door would wait for.
    """
    loop = asyncio.get_running_loop()
    try:
        awaited = work.send(None)
    except StopIteration as ended:
        done: asyncio.Future[T] = loop.create_future()
        done.set_result(ended.value)
        return done
    except Exception as error:  # noqa: BLE001  the caller's to look at
        failed: asyncio.Future[T] = loop.create_future()
        failed.set_exception(error)
        return failed
    return loop.create_task(_carry(work, awaited))


def _tell_failure(carried: asyncio.Future[Any]) -> None:
    error = None if carried.cancelled() else carried.exception()
    if error is not None:
        log.error("a write failed after its caller had left: %r", error)


async def _carry(work: Coroutine[Any, Any, T], awaited: object) -> T:
    return await _rest(work, awaited)


@types.coroutine
def _rest(work: Coroutine[Any, Any, T], awaited: object) -> Generator[object, None, T]:
    """Do what ``yield from work`` would, had its first step not been taken."""
    while True:
        failure: BaseException | None = None
        try:
            yield awaited
        except BaseException as error:  # noqa: BLE001  the work's own to answer
            failure = error
        try:
            awaited = work.throw(failure) if failure else work.send(None)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]
