# SPDX-License-Identifier: Apache-2.0
"""What reaches the rules from outside, as values.

The law of the module: no stimulus carries a raw number or wire bytes; each names an
access point, a door, a compartment or a device of the site plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.event import NOBODY, Person
from edge.core.order import Order

if TYPE_CHECKING:
    from edge.core.access.ticket import SpoiltTicket, Ticket
    from edge.core.credential import Credential
    from edge.core.event import EventKind, Facts
    from edge.core.remote.command import RemoteCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A credential was presented; ``received_s`` is the monotonic time of its data.

    ``ticket``: what a code that is a ticket says of itself, checked for its form and
    signature alone. ``is_secure`` False: the reader may have been tampered with.
    """

    access_point: str
    credential: Credential
    received_s: float
    ticket: Ticket | SpoiltTicket | None = None
    is_secure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingBegan:
    """A card lies on the reader and is being read."""

    access_point: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Something was presented that could not be read."""

    access_point: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged:
    """The door contact (DPS) says that the leaf is open or closed."""

    door: str
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitButtonChanged:
    """The exit button (REX) is pressed or let go."""

    door: str
    is_pressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FireInputChanged:
    """The fire panel's contact is active or at rest."""

    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanged:
    """A device answers or ceased to; ``doors`` are those whose lock it drives.

    ``appliances`` are those that it switches.

    ``is_news`` is False where a device was read anew without having been away: its
    outputs are brought in line again, but nothing is told.
    """

    device: str
    is_online: bool
    detail: str
    is_news: bool = True
    doors: tuple[str, ...] = ()
    appliances: tuple[str, ...] = ()
    #: Whether the fire panel's contact hangs on it: silent, nobody knows its level.
    senses_fire: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompartmentChanged:
    """A compartment's feedback says that its leaf is open or closed."""

    bank: str
    number: int
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CompartmentFailed:
    """An order to open a compartment failed; ``why`` is the driver's word."""

    bank: str
    number: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRefused:
    """The shell did not carry an OpenCompartment out: its commit came too late."""

    bank: str
    number: int
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A fact of the shell that belongs in the journal: storage, clock, roster, …."""

    kind: EventKind
    subject: str
    facts: Facts = ()
    person: Person = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomChanged:
    """The journal has no room left for each refusal, or has it again.

    ``waiting``: events that the platform has not acknowledged.
    """

    is_crowded: bool
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputChanged:
    """A door's output as its board tells it: energised or at rest."""

    door: str
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BellPressed:
    """Somebody rings at a door."""

    door: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReceived:
    """The platform wants something done; who sent it and when was checked."""

    command: RemoteCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandStored:
    """The record of a command is on disk: now it may act."""

    jti: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseOrdered:
    """Two persons here want a holder forgotten; ``name`` is the wish's own."""

    name: str
    holder: str
    actor: str
    second: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsErased:
    """The journal's rows and the roster name a person no more.

    ``bookings`` were his by the journal; ``rows`` are so many events.
    """

    name: str
    bookings: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TracesGone:
    """No old page and no log on disk names a person any more."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteKeysHeld:
    """The site keys that lie on this box's disk, by their numbers."""

    current: int
    former: tuple[int, ...] = ()


Stimulus = (
    Scan
    | ReadingBegan
    | Unreadable
    | ContactChanged
    | ExitButtonChanged
    | FireInputChanged
    | OutputChanged
    | BellPressed
    | DeviceChanged
    | CompartmentChanged
    | CompartmentFailed
    | OpenRefused
    | Noted
    | RoomChanged
    | CommandReceived
    | CommandStored
    | EraseOrdered
    | RowsErased
    | TracesGone
    | SiteKeysHeld
    | Order
)

#: Handled on arrival, never queued: levels with a latched edge (law 2), and the fate
#: of an order that somebody stands waiting for.
Exempt = (
    ContactChanged
    | ExitButtonChanged
    | FireInputChanged
    | OutputChanged
    | DeviceChanged
    | CompartmentChanged
    | CompartmentFailed
    | OpenRefused
)
