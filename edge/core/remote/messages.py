# SPDX-License-Identifier: Apache-2.0
"""What the platform had to tell the volunteers, for as long as it is news.

The law of the module: a few short texts of a day; what is older, or beyond, is in the
journal alone.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from edge.core.event import EventKind
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.event import Event
    from edge.core.moment import Moment

#: As many as fit on a tablet beside the doors.
MAX_MESSAGES = 5


class Message(NamedTuple):
    """A text, who sent it, and when it came at the earliest (UTC ms)."""

    text: str
    by: str
    at_ms: int


class Messages:
    """The last few messages."""

    def __init__(self) -> None:
        self._kept: deque[Message] = deque(maxlen=MAX_MESSAGES)

    def fresh(self, now: Moment) -> tuple[Message, ...]:
        """Return those of the last day, the oldest first."""
        return tuple(m for m in self._kept if now.earliest_ms - m.at_ms < DAY_MS)

    def follow(self, event: Event) -> None:
        """Learn of a message."""
        text = event.fact("text")
        if event.kind is EventKind.COMMAND_EXECUTED and text is not None:
            by, at_ms = str(event.fact("actor") or ""), event.moment.earliest_ms
            self._kept.append(Message(str(text), by, at_ms))

    def dump(self) -> list[Message]:
        """Return them as JSON values."""
        return list(self._kept)

    def load(self, told: Iterable[tuple[str, str, int]]) -> None:
        """Take what :meth:`dump` returned."""
        self._kept.extend(Message(*each) for each in told)
