# SPDX-License-Identifier: Apache-2.0
"""The site file: TOML in, checked values out, faults with file, line and mend.

The law of the module: an unknown key is an error, never ignored; what could lock
somebody in, or leave a lock open when the gateway dies, is refused here. Every fault
is one line ``file:line key: what, what instead``.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.core.plan import (
    AccessPointPlan,
    BankPlan,
    CompartmentPlan,
    DoorPlan,
    SitePlan,
    SpacePlan,
)
from edge.settings.check import Where, cross_check
from edge.settings.lines import line_of
from edge.settings.words import words

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.plan import Size

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,30}$")]
Channel = Annotated[int, Field(ge=1, le=64)]


class SettingsError(Exception):
    """The site file cannot be used; each line of ``faults`` names one mend."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Site(_Part):
    """Where this is: identifier (part of every token), name for people."""

    id: Identifier
    name: str = ""
    utc_offset_hours: Annotated[int, Field(ge=-12, le=14)] = 8


class GatewayIdentity(_Part):
    """Who this box is to the platform."""

    id: Identifier
    shard: Annotated[str, Field(pattern=r"^(0\d|1[0-5])$")] = "00"


class Platform(_Part):
    """Where the platform's broker is; ``keys`` pins the platform's public keys."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    keys: str = "keys/platform.json"


class Keys(_Part):
    """Files, relative to the state folder, that hold the site's secrets."""

    site: str = "keys/site.json"


class Clock(_Part):
    """How far the system clock may be trusted at start.

    ``system_error_s``: the box has a battery-backed clock right to within this many
    seconds; without it the time is known from the platform or NTP alone.
    """

    system_error_s: Annotated[float, Field(gt=0, le=3600)] | None = None


class Space(_Part):
    """A bookable room."""

    id: Identifier
    name: str = ""
    lead_min: Annotated[int, Field(ge=0, le=240)] = 10
    grace_min: Annotated[int, Field(ge=0, le=240)] = 5


class Device(_Part):
    """A device on a serial port; a relative port is below the state folder."""

    id: Identifier
    name: str = ""
    driver: str
    port: str
    baud: Annotated[int, Field(ge=1200, le=921_600)] | None = None
    address: Annotated[int, Field(ge=0, le=247)] = 0
    options: dict[str, bool | int | float | str] = {}


class Output(_Part):
    """An output of a board, counted from 1 as printed on it."""

    device: Identifier
    output: Channel


class Input(_Part):
    """An input of a board; ``active`` says which level means "yes"."""

    device: Identifier
    input: Channel
    active: Literal["closed", "open"] = "closed"


class Door(_Part):
    """A door: its lock, how people get out, its times, its wires."""

    id: Identifier
    name: str = ""
    space: Identifier
    lock: Literal["fail_secure", "fail_safe"]
    egress: Literal["mechanical", "mechanical_unsensed", "electric_hardware"]
    escape: bool = False
    release_s: Annotated[float, Field(ge=1, le=60)] = 5.0
    extended_release_s: Annotated[float, Field(ge=1, le=120)] = 10.0
    held_open_s: Annotated[float, Field(ge=10, le=3600)] = 30.0
    accept_untimed: bool = False
    strike: Output
    contact: Input | None = None
    exit_button: Input | None = None


class Compartments(_Part):
    """The numbers of a bank's compartments by size, as they stand on the leaves.

    A number is also the channel of the compartment's lock on the board.
    """

    small: list[Channel] = []
    medium: list[Channel] = []
    large: list[Channel] = []
    medicine: list[Channel] = []

    def numbers(self) -> list[int]:
        """Return all numbers, whatever the size."""
        return [*self.small, *self.medium, *self.large, *self.medicine]


class Bank(_Part):
    """A bank of lockers on a lock-control board."""

    id: Identifier
    name: str = ""
    space: Identifier
    device: Identifier
    compartments: Compartments


class AccessPoint(_Part):
    """A reader side of a door or a bank, or the reader of a volunteers' desk.

    ``opens = "medicine"`` at a bank: the reader opens the medicine box alone.
    """

    id: Identifier
    door: Identifier | None = None
    bank: Identifier | None = None
    desk: bool = False
    opens: Literal["rentals", "medicine"] = "rentals"
    readers: Annotated[list[Identifier], Field(min_length=1, max_length=8)]


class Settings(_Part):
    """A whole site file."""

    site: Site
    gateway: GatewayIdentity
    platform: Platform = Platform()
    keys: Keys = Keys()
    clock: Clock = Clock()
    fire: Input | None = None
    space: Annotated[list[Space], Field(min_length=1, max_length=256)]
    device: Annotated[list[Device], Field(min_length=1, max_length=64)]
    door: Annotated[list[Door], Field(min_length=1, max_length=64)]
    bank: Annotated[list[Bank], Field(max_length=16)] = []
    access_point: Annotated[list[AccessPoint], Field(min_length=1, max_length=128)]
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


def load(path: Path) -> Settings:
    """Read and check a site file; SettingsError lists every fault found."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        where = f"{path}:{raw[: error.start].count(10) + 1}"
        raise SettingsError([f"{where}: not UTF-8, save it as UTF-8"]) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([_syntax(path, text, error)]) from error
    revision = hashlib.sha256(raw).hexdigest()[:8]
    return parse(document, path=path, text=text, revision=revision)


def parse(
    document: dict[str, Any], *, path: Path, text: str, revision: str
) -> Settings:
    """Check a document; ``text`` is its source, for the line numbers."""
    if "revision" in document:  # ours, made of the file itself
        where: Where = ("revision",)
        fault = f"{path}:{line_of(text, where)} revision: {_unknown(where)}"
        raise SettingsError([fault])
    try:
        settings = Settings.model_validate({**document, "revision": revision})
    except ValidationError as error:
        # An option of no possible type is found wrong once for each of them.
        faults = list(dict.fromkeys(_fault(path, text, e) for e in error.errors()))
        raise SettingsError(faults) from error
    faults = [
        f"{path}:{line_of(text, where)} {_dotted(where)}: {what}"
        for where, what in cross_check(settings)
    ]
    if faults:
        raise SettingsError(faults)
    return settings


def _syntax(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    line = found[1] if found else text.count("\n") + 1  # "at end of document"
    what = str(error).split(" (at ")[0]
    return f"{path}:{line}: not TOML: {what}"


def _dotted(where: Where) -> str:
    return ".".join(f"{part + 1}" if isinstance(part, int) else part for part in where)


def _fault(path: Path, text: str, entry: Any) -> str:
    where: Where = tuple(entry["loc"])
    is_option = where[:1] == ("device",) and where[2:3] == ("options",)
    if is_option and len(where) > _OPTION_DEPTH:
        where = where[:_OPTION_DEPTH]  # pydantic names the type it tried; people do not
        what = f"{entry['input']!r} does not fit, use true, false, a number or a text"
    elif entry["type"] == "extra_forbidden":
        what = _unknown(where)
    else:
        what = words(entry)
    return f"{path}:{line_of(text, where)} {_dotted(where)}: {what}"


#: ``("device", 2, "options", "model")``.
_OPTION_DEPTH = 4


def _unknown(where: Where) -> str:
    known = _keys_at(where[:-1])
    close = difflib.get_close_matches(str(where[-1]), known, n=1)
    if close:
        return f"unknown key, did you mean {close[0]!r}?"
    return f"unknown key, possible here: {', '.join(sorted(known))}"


def _keys_at(where: Where) -> list[str]:
    model: type[BaseModel] = Settings
    for part in where:
        if isinstance(part, int):
            continue
        found = _PARTS.get((model, part))
        if found is None:
            return []
        model = found
    return [name for name in model.model_fields if name != "revision"]


_PARTS: dict[tuple[type[BaseModel], str], type[BaseModel]] = {
    (Settings, "site"): Site,
    (Settings, "gateway"): GatewayIdentity,
    (Settings, "platform"): Platform,
    (Settings, "keys"): Keys,
    (Settings, "clock"): Clock,
    (Settings, "fire"): Input,
    (Settings, "space"): Space,
    (Settings, "device"): Device,
    (Settings, "door"): Door,
    (Settings, "access_point"): AccessPoint,
    (Settings, "bank"): Bank,
    (Bank, "compartments"): Compartments,
    (Door, "strike"): Output,
    (Door, "contact"): Input,
    (Door, "exit_button"): Input,
}
