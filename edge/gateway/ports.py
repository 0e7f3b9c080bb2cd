# SPDX-License-Identifier: Apache-2.0
"""What the step borrows from the roof: somebody who stores, and somebody who waits.

The law of the module: protocols alone. asyncio's event loop and its futures fit as
they are; so does a loop whose time is simulated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from edge.core.event import Event


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Let it not come."""

    def when(self) -> float:
        """Return the second at which it comes, by the loop's clock."""


class Pending(Protocol):
    """Something under way that says when it is over, and how it ended."""

    def add_done_callback(self, callback: Callable[[Any], object], /) -> None:
        """Call back, from the loop, once it is over; also if it is already."""

    def cancelled(self) -> bool:
        """Say whether it ended by being broken off."""

    def exception(self) -> BaseException | None:
        """Return what it failed with, None if it went well."""


class Signal(Pending, Protocol):
    """A pending thing that the gateway itself ends, and waits for."""

    def done(self) -> bool:
        """Say whether it is over."""

    def set_result(self, result: None, /) -> None:
        """End it well."""

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait until it is over."""


class Loop(Protocol):
    """Who calls back later; its seconds are those of ``Moment.monotonic_s``."""

    def time(self) -> float:
        """Return the present second."""

    def call_soon(self, callback: Callable[[], object], /) -> object:
        """Call back behind what is being done now."""

    def call_at(self, when: float, callback: Callable[[], object], /) -> Timer:
        """Call back at a second of the loop's clock."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        """Call back after so many seconds."""

    def create_future(self) -> Signal:
        """Return something to wait for."""


class JournalPort(Protocol):
    """What the gateway needs of the journal."""

    @property
    def next_seq(self) -> int:
        """The number that the next event must carry."""

    def begin_append(
        self, events: Sequence[Event], state: str | None = None
    ) -> Pending:
        """Store the events, contiguous from the last, in one commit, begun at once."""

    async def new_epoch(self) -> str:
        """Begin a new epoch; what was not acknowledged is numbered anew from 1."""
