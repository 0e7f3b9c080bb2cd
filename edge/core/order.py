# SPDX-License-Identifier: Apache-2.0
"""What people in charge want, as values: panel, command line and platform alike.

The law of the module: an order names an access point, a door, a space, a bank or a
person, and who asks for it; whether the names are there, and whether it may be done,
is asked elsewhere. Where two persons have to agree, ``second`` is the other one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.lockers.medicine_orders import MedicineOrder

if TYPE_CHECKING:
    from edge.core.doors.door import DoorMode
    from edge.core.emergency.state import EmergencyState
    from edge.core.plan import Size


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeOrdered:
    """Somebody in charge wants a door in another mode.

    ``until_ms``: when UNLOCKED ends by itself (UTC), 0: it does not.
    """

    door: str
    mode: DoorMode
    actor: str
    reason: str
    until_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelOpenOrdered:
    """Somebody in charge opens a door by panel or command line.

    For ``count`` people without a name; ``cash_fen`` was taken of them, for
    ``booking`` if it is one's. ``is_extended``: they need more time at the door.
    """

    door: str
    actor: str
    reason: str
    count: int = 1
    cash_fen: int = 0
    booking: str = ""
    is_extended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCorrected:
    """An opening by hand was written down wrongly: so many came in, for that reason.

    ``seq`` is the MANUAL_ENTRY's; ``persons`` 0: nobody did.
    """

    seq: int
    persons: int
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RentalEndOrdered:
    """Somebody in charge ends a compartment's rental.

    ``bag``: the number of the sealed bag in which what lay there waits for its owner.
    """

    bank: str
    number: int
    actor: str
    reason: str
    bag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BagReturned:
    """Somebody in charge gave a sealed bag back to whose it is."""

    bag: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MendOrdered:
    """Somebody in charge has mended a compartment that did not open."""

    bank: str
    number: int
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered:
    """A volunteer answers the bell of a door; whether he opens is another order."""

    door: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryConfirmed:
    """Under CHECKPOINT a volunteer lets in who waits at an access point."""

    access_point: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CashNoted:
    """A volunteer took cash (fen) for a booking."""

    booking: str
    fen: int
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OccupancyCounted:
    """A volunteer has counted the people in a space."""

    space: str
    persons: int
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BindBegun:
    """A volunteer vouches for a holder, whose next unknown card there becomes his."""

    access_point: str
    holder: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHolderOrdered:
    """Two persons put somebody on the local roster, or take him off it.

    ``until_ms`` (UTC) ends what ``roles`` allow; 0 takes him off at once.
    """

    holder: str
    roles: tuple[str, ...]
    until_ms: int
    actor: str
    second: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRevocationOrdered:
    """A holder's cards open nothing any more, or again where ``is_lifted``."""

    holder: str
    actor: str
    reason: str
    is_lifted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplianceOrdered:
    """Somebody in charge switches an appliance; on counts only inside a slot."""

    appliance: str
    is_on: bool
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyOrdered:
    """Somebody in charge begins a standing emergency."""

    state: EmergencyState
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelterOrdered:
    """Two operators of the platform begin a shelter; it is ended at the place."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyEndOrdered:
    """Somebody in charge ends one by hand; FIRE only with its input at rest."""

    state: EmergencyState
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillOrdered:
    """Somebody in charge begins a drill; doors move only ``with_doors``."""

    drill: str
    with_doors: bool
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillMarked:
    """A stage of the running drill is reached."""

    stage: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillEndOrdered:
    """The drill is over; ``action`` and its ``owner`` are what is to be mended."""

    actor: str
    action: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElderMarked:
    """A listed elder was fetched, or has arrived."""

    holder: str
    mark: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMarked:
    """A contact of the neighbourhood was called; ``call`` is what came of it."""

    contact: str
    call: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyOrdered:
    """A shift begins or ends at the panel."""

    holder: str
    is_start: bool
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAwaited:
    """Somebody at a tablet is about to hold a card to a desk's reader.

    ``welcome``: holders who have an account here, whatever their roles.
    """

    access_point: str
    tablet: str
    welcome: tuple[str, ...]
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyCorrected:
    """A second person corrects the minutes of the shift that began with ``seq``."""

    seq: int
    minutes: int
    actor: str
    second: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyQuestioned:
    """A volunteer says how long the own shift that began with ``seq`` really was.

    It changes no minutes: two others correct them, or do not.
    """

    seq: int
    minutes: int
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyConfirmed:
    """The social worker has confirmed a shift's minutes at the platform."""

    seq: int
    minutes: int
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CareAnswered:
    """A volunteer has looked after an elder who was not seen."""

    holder: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompartmentOpenOrdered:
    """Somebody in charge opens a compartment, whoever's it is."""

    bank: str
    number: int
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfOrderOrdered:
    """Somebody in charge takes a compartment out of use; mending ends it."""

    bank: str
    number: int
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CleaningDone:
    """A compartment has been looked after and may be given again."""

    bank: str
    number: int
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelOrdered:
    """A volunteer puts something in for a holder: a compartment opens for him."""

    bank: str
    size: Size
    holder: str
    until_ms: int
    actor: str


#: Names in an order come from outside and are checked before anything moves.
Order = (
    ModeOrdered
    | PanelOpenOrdered
    | EntryCorrected
    | RentalEndOrdered
    | BagReturned
    | MendOrdered
    | CallAnswered
    | EntryConfirmed
    | CashNoted
    | OccupancyCounted
    | BindBegun
    | LocalHolderOrdered
    | LocalRevocationOrdered
    | ApplianceOrdered
    | EmergencyOrdered
    | ShelterOrdered
    | EmergencyEndOrdered
    | DrillOrdered
    | DrillMarked
    | DrillEndOrdered
    | ElderMarked
    | ContactMarked
    | DutyOrdered
    | LoginAwaited
    | DutyCorrected
    | DutyQuestioned
    | DutyConfirmed
    | CareAnswered
    | CompartmentOpenOrdered
    | OutOfOrderOrdered
    | CleaningDone
    | ParcelOrdered
    | MedicineOrder
)
