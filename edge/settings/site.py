# SPDX-License-Identifier: Apache-2.0
"""What a site file says, as plain values with their bounds.

The law of the module: a value here was checked by :mod:`edge.settings.site_file`; the
bounds stand beside the fields, in words that any checker reads, so that the gateway
itself carries none. Keys are what stands in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Len, Predicate

from edge.settings.backup import Backup
from edge.settings.broker_names import is_loopback, read_broker
from edge.settings.forms import (
    BrokerName,
    Channel,
    Hours,
    Identifier,
    Operator,
    is_date,
    is_shard,
    is_time,
    is_windows,
)
from edge.settings.panel import Panel
from edge.settings.planning import plan
from edge.settings.signals import Signals

if TYPE_CHECKING:
    from edge.core.plan import SitePlan


class _Part:
    """A table of the file, in which an unknown key is a fault."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(_Part):
    """Where this is: identifier (part of every token), name for people.

    At ``closing`` forgotten shifts and visits end. ``care_days``: after how many days
    the panel proposes to ask after somebody; who agrees has a number of his own.
    """

    id: Identifier
    name: str = ""
    utc_offset_hours: Annotated[int, Ge(-12), Le(14)] = 8
    closing: Annotated[str, Predicate(is_time)] = "24:00"
    care_days: Annotated[int, Ge(0), Le(60)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday(_Part):
    """A date with hours of its own, in all spaces that have hours; "" is closed."""

    date: Annotated[str, Predicate(is_date)]
    hours: Annotated[str, Predicate(is_windows)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayIdentity(_Part):
    """Who this box is to the platform."""

    id: Identifier
    shard: Annotated[str, Predicate(is_shard)] = "00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform(_Part):
    """Where the platform's brokers are, whom we trust there and who we are.

    ``brokers``, tried in their order, take the place of ``host`` and ``port``.
    ``keys`` pins the platform's public keys. ``ca`` is the one authority whose brokers
    are believed (TLS); ``crl`` its revocations; ``certificate`` and ``key`` name this
    gateway; ``server_name`` where certificates say another name than the host.
    Without ``ca`` it is plain TCP: to this box itself, or where ``plain_tcp`` says so.
    ``snapshots`` is where big rosters may be fetched, ``https://…``; "": nowhere.
    ``remote_unlock = "off"``: nobody is let in from afar, whatever the platform says.
    ``shelter``: operators as ``name:key``; two of them may begin a shelter from afar.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Ge(1), Le(65535)] = 1883
    brokers: Annotated[list[BrokerName], Len(0, 8)] = field(default_factory=list)
    keys: str = "keys/platform.json"
    ca: str = ""
    crl: str = ""
    certificate: str = ""
    key: str = ""
    server_name: str = ""
    plain_tcp: bool = False
    snapshots: str = ""
    remote_unlock: Literal["on", "off"] = "on"
    shelter: Annotated[list[Operator], Len(0, 32)] = field(default_factory=list)

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Return host and port of each broker by its name, in the order to try."""
        if not self.brokers:
            return {f"{self.host}:{self.port}": (self.host, self.port)}
        return {name: read_broker(name) for name in self.brokers}

    def operators(self) -> dict[str, str]:
        """Return the public key of each operator who may sign for a shelter."""
        return dict(each.split(":") for each in self.shelter)

    @property
    def exposed(self) -> list[str]:
        """The brokers to which plain TCP would leave this box."""
        if self.ca:
            return []
        return [name for name, at in self.addresses().items() if not is_loopback(at[0])]


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
class Fare(_Part):
    """What a visit costs, in fen; ``free_minutes`` a month cost a holder nothing."""

    kind: Literal["free", "per_visit", "per_hour"] = "free"
    fen: Annotated[int, Ge(0), Le(1_000_000)] = 0
    free_minutes: Annotated[int, Ge(0), Le(44_640)] = 0


RosterAges = dict[
    Literal["MANAGER", "VOLUNTEER", "COURIER", "GUEST", "RESIDENT"],
    Annotated[int, Ge(1), Le(30)],
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Space(_Part):
    """A room: bookable, open to any card, or open to any card under a volunteer's eye.

    ``number``: how tickets name it, 0 for not at all. No ``hours``: always open.
    """

    id: Identifier
    name: str = ""
    number: Annotated[int, Ge(0), Le(65_535)] = 0
    lead_min: Annotated[int, Ge(0), Le(240)] = 10
    grace_min: Annotated[int, Ge(0), Le(240)] = 5
    entry: Literal["booking", "walk_in", "staffed"] = "booking"
    hours: Hours | None = None
    capacity: Annotated[int, Ge(0), Le(10_000)] = 0
    shelter_capacity: Annotated[int, Ge(0), Le(10_000)] = 0
    passback: Literal["off", "soft", "hard"] = "off"
    fare: Fare = field(default_factory=Fare)
    no_show_min: Annotated[int, Ge(1), Le(240)] = 15
    walk_in_min: Annotated[int, Ge(5), Le(1_440)] = 120
    roster_age_days: RosterAges = field(default_factory=dict)


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

    ``tamper``: somebody has opened a housing; until it is shut, nobody is admitted by
    the readers that it ``guards``. ``supply``: the mains have failed, as the
    battery-backed supply of the box tells it.
    """

    id: Identifier
    name: str = ""
    kind: Literal["tamper", "supply"]
    device: Identifier
    input: Channel
    active: Literal["closed", "open"] = "closed"
    guards: Annotated[list[Identifier], Len(0, 8)] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door(_Part):
    """A door: its lock, how people get out, its times, its wires.

    ``duty``: whether its lock may be energised for hours. ``unlock``: free at these
    hours, with ``first_person_in`` only once a volunteer has come in.
    """

    id: Identifier
    name: str = ""
    space: Identifier
    zone: str = ""
    lock: Literal["fail_secure", "fail_safe"]
    duty: Literal["intermittent", "continuous"] = "intermittent"
    egress: Literal["mechanical", "mechanical_unsensed", "electric_hardware"]
    escape: bool = False
    responsible: str = ""
    deputy: str = ""
    two_persons: bool = False
    interlocked_with: Annotated[list[Identifier], Len(0, 8)] = field(
        default_factory=list
    )
    unlock: Hours | None = None
    first_person_in: bool = False
    release_s: Annotated[float, Ge(1), Le(60)] = 5.0
    extended_release_s: Annotated[float, Ge(1), Le(120)] = 10.0
    held_open_s: Annotated[float, Ge(10), Le(3600)] = 30.0
    warn_before_s: Annotated[float, Ge(0), Le(60)] = 0.0
    accept_untimed: bool = False
    strike: Output
    contact: Input | None = None
    exit_button: Input | None = None
    bell: Input | None = None


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
    """A bank of lockers on a lock-control board.

    ``walk_in``: any readable card may take a free compartment for ``walk_in_min``.
    ``cleans``: a volunteer looks into each before it is given again.
    """

    id: Identifier
    name: str = ""
    space: Identifier
    device: Identifier
    walk_in: bool = False
    walk_in_min: Annotated[int, Ge(10), Le(1_440)] = 240
    cleans: bool = False
    fare: Fare = field(default_factory=Fare)
    compartments: Compartments


@dataclass(frozen=True, slots=True, kw_only=True)
class Appliance(_Part):
    """A stove's gas valve or power, by a board's output; never at rest while on."""

    id: Identifier
    name: str = ""
    space: Identifier
    output: Output


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPoint(_Part):
    """A reader side of a door or a bank, or the reader of a volunteers' desk.

    ``opens = "medicine"`` at a bank: the reader opens the medicine box alone.
    ``emergency``: what a responder's card, held out twice, begins here.
    """

    id: Identifier
    door: Identifier | None = None
    bank: Identifier | None = None
    desk: bool = False
    opens: Literal["rentals", "medicine"] = "rentals"
    direction: Literal["in", "out"] = "in"
    emergency: Literal["", "FIRE", "LOCK_DOWN", "CHECKPOINT", "SHELTER"] = ""
    readers: Annotated[list[Identifier], Len(1, 8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(_Part):
    """A whole site file."""

    site: Site
    gateway: GatewayIdentity
    platform: Platform = field(default_factory=Platform)
    keys: Keys = field(default_factory=Keys)
    clock: Clock = field(default_factory=Clock)
    panel: Panel = field(default_factory=Panel)
    signals: Signals = field(default_factory=Signals)
    backup: Backup = field(default_factory=Backup)
    fire: Input | None = None
    space: Annotated[list[Space], Len(1, 256)]
    device: Annotated[list[Device], Len(1, 64)]
    door: Annotated[list[Door], Len(1, 64)]
    bank: Annotated[list[Bank], Len(0, 16)] = field(default_factory=list)
    sensor: Annotated[list[Sensor], Len(0, 32)] = field(default_factory=list)
    appliance: Annotated[list[Appliance], Len(0, 16)] = field(default_factory=list)
    holiday: Annotated[list[Holiday], Len(0, 64)] = field(default_factory=list)
    access_point: Annotated[list[AccessPoint], Len(1, 128)]
    #: First eight hex digits of the file's SHA-256: every decision names it.
    revision: str = ""

    def plan(self) -> SitePlan:
        """Return the site as the rules see it."""
        return plan(self)
