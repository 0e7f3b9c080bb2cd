# SPDX-License-Identifier: Apache-2.0
"""A command of the platform, as a value: what, where, by whom, and how it ended.

The law of the module: whoever makes one has checked who sent it; here it is turned
into the order that somebody at the panel would have given, and nothing else.
Source: docs/commands.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.doors.door import DoorMode
from edge.core.event import NOBODY, EventKind, Facts, Person
from edge.core.order import (
    CompartmentOpenOrdered,
    LocalRevocationOrdered,
    ModeOrdered,
    PanelOpenOrdered,
    ShelterOrdered,
)

if TYPE_CHECKING:
    from edge.core.order import Order

#: Who acts, in the journal, where the person is a resident: his name is personal.
RESIDENT = "resident"


class Action(StrEnum):
    """What can be commanded. FIRE is not among it, nor the end of any emergency."""

    RESIDENT_OPEN = "resident_open"
    OPEN = "open"
    MODE = "mode"
    LOCKER_OPEN = "locker_open"
    REVOKE_NOW = "revoke_now"
    MESSAGE = "message"
    SHELTER = "shelter"
    ERASE = "erase"
    FEED_REFRESH = "feed_refresh"


class Rejection(StrEnum):
    """Why a command that is genuine was not carried out."""

    REPLAY = "REPLAY"
    REMOTE_UNLOCK_OFF = "REMOTE_UNLOCK_OFF"
    UNKNOWN_TARGET = "UNKNOWN_TARGET"
    RATE_DOOR = "RATE_DOOR"
    RATE_OPERATOR = "RATE_OPERATOR"
    EMERGENCY = "EMERGENCY"
    DOOR_BLOCKED = "DOOR_BLOCKED"
    DOOR_LOCKED_DOWN = "DOOR_LOCKED_DOWN"
    SECOND_PERSON_NEEDED = "SECOND_PERSON_NEEDED"
    CREDENTIAL_REVOKED = "CREDENTIAL_REVOKED"
    CREDENTIAL_NOT_ENABLED = "CREDENTIAL_NOT_ENABLED"
    CREDENTIAL_NOT_ACTIVE = "CREDENTIAL_NOT_ACTIVE"
    CREDENTIAL_EXPIRED = "CREDENTIAL_EXPIRED"
    MODE_HELD = "MODE_HELD"
    SHELTER_OFF = "SHELTER_OFF"
    SECOND_SIGNATURE_NEEDED = "SECOND_SIGNATURE_NEEDED"
    PERSON_NAMED = "PERSON_NAMED"
    UNTIL = "UNTIL"
    CLOCK_UNTRUSTED = "CLOCK_UNTRUSTED"
    STORAGE_FAULT = "STORAGE_FAULT"
    BUSY = "BUSY"
    REFUSED = "REFUSED"


#: Why not, for machines and in plain words.
Flaw = tuple[Rejection, str]


class CommandState(StrEnum):
    """How far a command has come.

    After the last four nothing more is done; what is deferred goes on by itself.
    """

    RECEIVED = "received"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    ACTUATED = "actuated"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


#: The event that tells of each state; "received" is told on the wire alone.
STATES: dict[EventKind, CommandState] = {
    EventKind.COMMAND_RECEIVED: CommandState.ACCEPTED,
    EventKind.ERASURE_DEFERRED: CommandState.DEFERRED,
    EventKind.COMMAND_EXECUTED: CommandState.ACTUATED,
    EventKind.COMMAND_CONFIRMED: CommandState.CONFIRMED,
    EventKind.COMMAND_REJECTED: CommandState.REJECTED,
    EventKind.COMMAND_UNKNOWN: CommandState.UNKNOWN,
}
#: After one of these nothing more is done for a command.
ENDS = frozenset(
    {
        EventKind.COMMAND_EXECUTED,
        EventKind.COMMAND_REJECTED,
        EventKind.COMMAND_UNKNOWN,
    }
)
#: Modes that the platform may lay upon a door; LOCKED_OPEN is for hands and for fire.
REMOTE_MODES = (
    DoorMode.LOCKED,
    DoorMode.UNLOCKED,
    DoorMode.BLOCKED,
    DoorMode.LOCKED_DOWN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCommand:
    """One command; ``jti`` is its own name (32 hex), ``by`` who gave it.

    Of a ``resident_open`` ``by`` is the holder, of anything else an operator. What an
    action does not speak of is empty; ``until_ms`` is UTC, 0 for none. ``wish`` is the
    name of what somebody wants, which may come in several commands and is done once.
    Of a shelter ``order_text`` is what two operators signed (``seals``); whoever has
    checked that names them as ``witnesses``.
    """

    jti: str
    action: Action
    by: str
    reason: str
    door: str = ""
    mode: DoorMode = DoorMode.LOCKED
    until_ms: int = 0
    bank: str = ""
    number: int = 0
    holder: str = ""
    booking: str = ""
    text: str = ""
    wish: str = ""
    order_text: str = ""
    seals: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """What it is about, as events name it."""
        return self.door or self.bank or "gateway"

    @property
    def place(self) -> str:
        """The leaf that it moves."""
        return f"{self.bank}#{self.number}" if self.bank else self.door

    @property
    def is_opening(self) -> bool:
        """Whether somebody can come in by it."""
        if self.action is Action.MODE:
            return self.mode is DoorMode.UNLOCKED
        return self.action in {Action.RESIDENT_OPEN, Action.OPEN, Action.LOCKER_OPEN}

    @property
    def person(self) -> Person:
        """Whom it is about: the part that can be erased."""
        if self.action is Action.RESIDENT_OPEN:
            return Person(holder=self.by, booking=self.booking or None)
        return Person(holder=self.holder) if self.holder else NOBODY

    @property
    def actor(self) -> str:
        """Who acts, in words that need no erasing."""
        if self.action is Action.RESIDENT_OPEN:
            return RESIDENT
        return " ".join(self.witnesses) or self.by

    def facts(self) -> Facts:
        """Return what all its events tell."""
        return (("action", self.action.value), ("jti", self.jti))

    def wish_facts(self) -> Facts:
        """Return the name of what somebody wants, for its record."""
        return (("wish", self.wish),) if self.wish else ()

    def mode_facts(self) -> Facts:
        """Return which mode it lays upon a door, and until when (UTC ms, 0: none)."""
        if self.action is not Action.MODE:
            return ()
        until_ms = 0 if self.mode is DoorMode.LOCKED else self.until_ms
        return (("mode", self.mode.value), ("until", until_ms))

    def order(self) -> Order | None:
        """Return the order that the panel would give, None if there is none."""
        match self.action:
            case Action.OPEN | Action.RESIDENT_OPEN:
                return PanelOpenOrdered(
                    door=self.door,
                    actor=self.actor,
                    reason=self.reason,
                    booking=self.booking,
                )
            case Action.MODE:
                return ModeOrdered(
                    door=self.door,
                    mode=self.mode,
                    actor=self.actor,
                    reason=self.reason,
                )
            case Action.LOCKER_OPEN:
                return CompartmentOpenOrdered(
                    bank=self.bank,
                    number=self.number,
                    actor=self.actor,
                    reason=self.reason,
                )
            case Action.REVOKE_NOW:
                return LocalRevocationOrdered(
                    holder=self.holder, actor=self.actor, reason=self.reason
                )
            case Action.SHELTER:
                return ShelterOrdered(actor=self.actor, reason=self.reason)
            case Action.MESSAGE | Action.FEED_REFRESH | Action.ERASE:
                return None
