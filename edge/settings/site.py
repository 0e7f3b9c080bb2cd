# SPDX-License-Identifier: Apache-2.0
"""What a site file says, as plain values with their bounds.

The law of the module: a value here was checked by :mod:`edge.settings.site_file`; the
bounds stand beside the fields, in words that any checker reads, so that the gateway
itself carries none. Keys are what stands in the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Len, Predicate

from edge.core.plan import (
    AccessPointPlan,
    BankPlan,
    CompartmentPlan,
    DoorPlan,
    SitePlan,
    SpacePlan,
)

if TYPE_CHECKING:
    from edge.core.plan import Size

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{1,30}")
_SHARD = re.compile(r"0\d|1[0-5]")


def is_identifier(text: str) -> bool:
    """Say whether a text may name a part of the site, in events and topics too."""
    return _IDENTIFIER.fullmatch(text) is not None


def is_shard(text: str) -> bool:
    """Say whether a text is one of the platform's sixteen shards."""
    return _SHARD.fullmatch(text) is not None


Identifier = Annotated[str, Predicate(is_identifier)]
Channel = Annotated[int, Ge(1), Le(64)]


class _Part:
    """A table of the file, in which an unknown key is a fault."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(_Part):
    """Where this is: identifier (part of every token), name for people."""

    id: Identifier
    name: str = ""
    utc_offset_hours: Annotated[int, Ge(-12), Le(14)] = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayIdentity(_Part):
    """Who this box is to the platform."""

    id: Identifier
    shard: Annotated[str, Predicate(is_shard)] = "00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform(_Part):
    """Where the platform's broker is; ``keys`` pins the platform's public keys."""

    host: str = "127.0.0.1"
    port: Annotated[int, Ge(1), Le(65535)] = 1883
    keys: str = "keys/platform.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys(_Part):
    """Files, relative to the state folder, that hold the site's secrets."""

    site: str = "keys/site.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock(_Part):
    """How far the system clock may be trusted at start.

    ``system_error_s``: the box has a battery-backed clock right to within this many
    seconds; without it the time is known from the platform or NTP alone.
    """

    system_error_s: Annotated[float, Gt(0), Le(3600)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Space(_Part):
    """A bookable room."""

    id: Identifier
    name: str = ""
    lead_min: Annotated[int, Ge(0), Le(240)] = 10
    grace_min: Annotated[int, Ge(0), Le(240)] = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Device(_Part):
    """A device on a serial port; a relative port is below the state folder."""

    id: Identifier
    name: str = ""
    driver: str
    port: str
    baud: Annotated[int, Ge(1200), Le(921_600)] | None = None
    address: Annotated[int, Ge(0), Le(247)] = 0
    #: May hold a reader's key, so it is not printed.
    options: dict[str, bool | int | float | str] = field(
        default_factory=dict, repr=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Output(_Part):
    """An output of a board, counted from 1 as printed on it."""

    device: Identifier
    output: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Input(_Part):
    """An input of a board; ``active`` says which level means "yes"."""

    device: Identifier
    input: Channel
    active: Literal["closed", "open"] = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor(_Part):
    """An input that belongs to no door; ``active`` says which level means "yes".

    ``tamper``: somebody has opened a housing. ``supply``: the mains have failed, as
    the battery-backed supply of the box tells it.
    """

    id: Identifier
    name: str = ""
    kind: Literal["tamper", "supply"]
    device: Identifier
    input: Channel
    active: Literal["closed", "open"] = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door(_Part):
    """A door: its lock, how people get out, its times, its wires."""

    id: Identifier
    name: str = ""
    space: Identifier
    lock: Literal["fail_secure", "fail_safe"]
    egress: Literal["mechanical", "mechanical_unsensed", "electric_hardware"]
    escape: bool = False
    release_s: Annotated[float, Ge(1), Le(60)] = 5.0
    extended_release_s: Annotated[float, Ge(1), Le(120)] = 10.0
    held_open_s: Annotated[float, Ge(10), Le(3600)] = 30.0
    accept_untimed: bool = False
    strike: Output
    contact: Input | None = None
    exit_button: Input | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compartments(_Part):
    """The numbers of a bank's compartments by size, as they stand on the leaves.

    A number is also the channel of the compartment's lock on the board.
    """

    small: list[Channel] = field(default_factory=list)
    medium: list[Channel] = field(default_factory=list)
    large: list[Channel] = field(default_factory=list)
    medicine: list[Channel] = field(default_factory=list)

    def numbers(self) -> list[int]:
        """Return all numbers, whatever the size."""
        return [*self.small, *self.medium, *self.large, *self.medicine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank(_Part):
    """A bank of lockers on a lock-control board."""

    id: Identifier
    name: str = ""
    space: Identifier
    device: Identifier
    compartments: Compartments


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPoint(_Part):
    """A reader side of a door or a bank, or the reader of a volunteers' desk.

    ``opens = "medicine"`` at a bank: the reader opens the medicine box alone.
    """

    id: Identifier
    door: Identifier | None = None
    bank: Identifier | None = None
    desk: bool = False
    opens: Literal["rentals", "medicine"] = "rentals"
    readers: Annotated[list[Identifier], Len(1, 8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(_Part):
    """A whole site file."""

    site: Site
    gateway: GatewayIdentity
    platform: Platform = field(default_factory=Platform)
    keys: Keys = field(default_factory=Keys)
    clock: Clock = field(default_factory=Clock)
    fire: Input | None = None
    space: Annotated[list[Space], Len(1, 256)]
    device: Annotated[list[Device], Len(1, 64)]
    door: Annotated[list[Door], Len(1, 64)]
    bank: Annotated[list[Bank], Len(0, 16)] = field(default_factory=list)
    sensor: Annotated[list[Sensor], Len(0, 32)] = field(default_factory=list)
    access_point: Annotated[list[AccessPoint], Len(1, 128)]
    #: First eight hex digits of the file's SHA-256: every decision names it.
    revision: str = ""

    def plan(self) -> SitePlan:
        """Return the site as the rules see it."""
        return SitePlan(
            site_id=self.site.id,
            spaces={space.id: _space(space) for space in self.space},
            doors={door.id: _door(door) for door in self.door},
            access_points={
                point.id: AccessPointPlan(
                    access_point_id=point.id,
                    door_id=point.door or "",
                    bank_id=point.bank or "",
                    is_desk=point.desk,
                    is_medicine_box=point.opens == "medicine",
                )
                for point in self.access_point
            },
            banks={bank.id: _bank(bank) for bank in self.bank},
            settings_revision=self.revision,
            has_fire_input=self.fire is not None,
            utc_offset_ms=self.site.utc_offset_hours * 3_600_000,
        )


def _space(space: Space) -> SpacePlan:
    return SpacePlan(
        space_id=space.id,
        lead_ms=space.lead_min * 60_000,
        grace_ms=space.grace_min * 60_000,
    )


def _bank(bank: Bank) -> BankPlan:
    cells = bank.compartments
    sizes: tuple[tuple[Size, list[int], bool], ...] = (
        ("S", cells.small, False),
        ("M", cells.medium, False),
        ("L", cells.large, False),
        ("M", cells.medicine, True),
    )
    plans = [
        CompartmentPlan(number=number, size=size, is_medicine_box=is_medicine)
        for size, numbers, is_medicine in sizes
        for number in numbers
    ]
    return BankPlan(
        bank_id=bank.id,
        space_id=bank.space,
        compartments={plan.number: plan for plan in sorted(plans, key=_number)},
    )


def _number(plan: CompartmentPlan) -> int:
    return plan.number


def _door(door: Door) -> DoorPlan:
    return DoorPlan(
        door_id=door.id,
        space_id=door.space,
        release_s=door.release_s,
        extended_release_s=door.extended_release_s,
        held_open_s=door.held_open_s,
        has_contact=door.contact is not None,
        is_escape=door.escape,
    )
