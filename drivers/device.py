# SPDX-License-Identifier: Apache-2.0
"""The words between a device and the house, and the verbs that every driver has.

The law of the module: a driver is pure. Time comes in as ``now`` (monotonic
seconds), bytes come in and go out as values, and every fault is a signal. ``unit``
is the address on the bus, 0 where a port has one device; channels count from 1, as
they are printed on the boards; durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drivers.secret import Secret

#: Enough of a bad frame to recognise it, too little to fill a log.
GARBLED_BYTES = 64


class UnreadableCause(StrEnum):
    """Why a card that lies on the reader gave no number."""

    TRY_AGAIN = "TRY_AGAIN"
    CARD_TYPE_UNKNOWN = "CARD_TYPE_UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFound:
    """A card lies on the reader and reading has begun."""

    unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRead:
    """An identity card was read; ``secret`` holds its number as ASCII.

    ``valid_from`` and ``valid_to`` are YYYYMMDD as printed on the card, empty where
    it has no such date (no expiry) or an unreadable one.
    """

    unit: int
    secret: Secret
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUnreadable:
    """The card that was found gave no number."""

    unit: int
    why: UnreadableCause


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRead:
    """One scanned code without terminator; it opens doors, so it is not printed."""

    unit: int
    payload: bytes = field(repr=False)


class Technology(StrEnum):
    """How a tag speaks; part of its key, since two kinds may share a number."""

    ISO14443A = "ISO14443A"
    ISO14443B = "ISO14443B"
    WIEGAND = "WIEGAND"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRead:
    """A card that shows a number of its own: low assurance, since it can be copied.

    ``number`` holds ``bits`` bits, most significant first, the last byte padded with
    zeros. Technology, length and number together are the key.
    """

    unit: int
    technology: Technology
    bits: int
    number: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinEntered:
    """Somebody typed digits and ended them; ``secret`` holds them as ASCII."""

    unit: int
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class TamperChanged:
    """The device's own tamper switch, or what only a tampering hand explains."""

    unit: int
    is_tampered: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressConflict:
    """Two devices answer to one address; nothing of either can be trusted."""

    unit: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputChanged:
    """The level of an input: of every one after each opening, then of changes."""

    unit: int
    channel: int
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputChanged:
    """An output as read back, where it differs from the last report (at first off)."""

    unit: int
    channel: int
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Switch an output on for ``duration_s``; the board itself ends it."""

    unit: int
    channel: int
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOutput:
    """Switch an output on or off and leave it so."""

    unit: int
    channel: int
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLock:
    """Open one lock once; the board ends the impulse and it is never repeated.

    InputChanged tells that the lock opened; OrderFailed that it did not, or that
    nobody knows.
    """

    unit: int
    channel: int


class Cue(StrEnum):
    """What a reader tells the person in front of it, by lamp, sound or screen.

    The first pass by themselves; :data:`LASTING` stand until another of them comes.
    """

    READING = "READING"
    GRANTED = "GRANTED"
    #: … and the door stays released for longer than usual.
    GRANTED_SLOW = "GRANTED_SLOW"
    DENIED = "DENIED"
    TRY_AGAIN = "TRY_AGAIN"
    CLOSE_DOOR = "CLOSE_DOOR"
    READY = "READY"
    #: … nobody has booked the place just now, or somebody has.
    FREE = "FREE"
    BOOKED = "BOOKED"
    #: People rehearse; and here they rehearse to leave.
    DRILL = "DRILL"
    DRILL_EVACUATE = "DRILL_EVACUATE"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    LOCKED_DOWN = "LOCKED_DOWN"
    EVACUATE = "EVACUATE"


#: What stands and can wait until somebody has read his verdict.
CALM = frozenset({Cue.READY, Cue.FREE, Cue.BOOKED, Cue.DRILL, Cue.DRILL_EVACUATE})
LASTING = CALM | {Cue.OUT_OF_ORDER, Cue.LOCKED_DOWN, Cue.EVACUATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """Tell the person at the reader, as well as the device can; never kept for later.

    ``text`` is one short line for devices with a screen.
    """

    unit: int
    cue: Cue
    text: str = ""


Order = Pulse | SetOutput | OpenLock | Show


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFailed:
    """An order was refused, was not answered, or grew old before it was sent."""

    unit: int
    order: Order
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable:
    """The device answers, for the first time or again."""

    unit: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """The device stopped answering, or never began to."""

    unit: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbled:
    """Bytes that mean nothing; ``raw`` may hold what people show, so it is not printed.

    Drivers limit how often they say so; see each of them.
    """

    unit: int
    raw: bytes = field(repr=False)
    why: str


Signal = (
    CardFound
    | CardRead
    | CardUnreadable
    | CodeRead
    | TagRead
    | PinEntered
    | TamperChanged
    | AddressConflict
    | InputChanged
    | OutputChanged
    | OrderFailed
    | Reachable
    | Unreachable
    | Garbled
)


class Device(Protocol):
    """What a link needs of a driver; one device object stands for a whole port."""

    def opened(self, now: float) -> None:
        """Take a fresh link: drop parser state, start the dialogue anew."""

    def closed(self, now: float) -> list[Signal]:
        """Give the link up: Unreachable for what was reachable, orders fail."""

    def resumed(self, now: float) -> None:
        """Go on after the process stood still and its input was thrown away.

        Parser state and what was in flight are dropped, and all levels are read and
        reported anew. Unlike :meth:`opened` it touches no output.
        """

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take bytes from the wire, in pieces of any size; never raises on them."""

    def tick(self, now: float) -> list[Signal]:
        """Do what is due; harmless when called early or late."""

    def deadline(self) -> float | None:
        """When :meth:`tick` is wanted next; None if nothing is planned."""

    def order(self, order: Order, now: float) -> None:
        """Take an order; a refusal comes as OrderFailed from the next tick."""

    def take_outgoing(self) -> bytes:
        """Hand over the bytes to be written now; empty if there are none."""
