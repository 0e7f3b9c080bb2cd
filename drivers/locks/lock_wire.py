# SPDX-License-Identifier: Apache-2.0
"""The words between a family of lock-control boards and the machine of its line.

The law of the module: values and shapes alone. A family is a table of functions that
build and find frames; when which of them is sent is decided once for all families, by
:mod:`drivers.locks.lock_boards`. No shape here can say "open all".

Source: what the codecs of this package have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drivers.checksum import Bytes


class Ask(StrEnum):
    """What a request is for."""

    OPEN = "OPEN"
    ONE = "ONE"
    ALL = "ALL"
    CLEAR = "CLEAR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A frame to be sent.

    ``channel`` is 0 where no single lock is meant, ``channels`` how many levels must
    come where all are asked for. ``is_like_its_echo``: a reply may be the same bytes.
    """

    frame: bytes
    address: int
    ask: Ask
    channel: int = 0
    channels: int = 0
    is_like_its_echo: bool = False

    @property
    def is_opening(self) -> bool:
        """Whether this moves a lock."""
        return self.ask is Ask.OPEN

    @property
    def is_for_all(self) -> bool:
        """Whether levels answer this."""
        return self.ask is Ask.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A board speaks of one channel; ``kind`` is its word for what it says.

    ``bit`` is the channel's feedback as sent, None where it is not to be believed.
    """

    kind: int
    address: int
    channel: int
    bit: bool | None = None
    is_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The feedback bits of a board as sent, channel 1 first, maybe more than asked."""

    address: int
    bits: tuple[bool, ...]


Frame = Status | Levels


class AboutOne(Protocol):
    """Builds a request about one lock; LocalError unless the board has it."""

    def __call__(self, address: int, channel: int, *, channels: int) -> Request:
        """Return the request."""


class AboutAll(Protocol):
    """Builds a request about a board with so many channels."""

    def __call__(self, address: int, *, channels: int) -> Request:
        """Return the request."""


class Finder(Protocol):
    """Tells how many of the first bytes are done with, and what frame they are.

    0 where a frame may have begun whose rest is to come; 1 and None for noise.
    """

    def __call__(
        self, data: Bytes, request: Request | None, /
    ) -> tuple[int, Frame | None]:
        """Look at the front of ``data``, which is not empty."""


class Judge(Protocol):
    """Tells whether a frame is what a request asked for."""

    def __call__(self, frame: Frame, request: Request, /) -> bool:
        """Compare the two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockWire:
    """A family: its addresses, its frames, and which of its ways it needs.

    ``probe`` is asked first where an echo could be taken for a reply, ``query_one``
    after an opening that nothing answered. ``clear`` wakes a board that went silent
    and has no reply. With ``looks_first`` a board must have answered a moment ago
    before an opening is sent, so that none is sent into a busy board.
    """

    addresses: range
    open_one: AboutOne
    query_all: AboutAll
    frame_at: Finder
    answers: Judge
    probe: AboutOne | None = None
    query_one: AboutOne | None = None
    clear: AboutAll | None = None
    looks_first: bool = False
