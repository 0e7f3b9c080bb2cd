# SPDX-License-Identifier: Apache-2.0
"""What the gateway says of an emergency and its rehearsal, as values.

The law of the module: a JSON edge as :mod:`edge.panel.report` is. It never raises:
what is missing or has the wrong shape becomes "not known"; only the fields named here
are read, and no list is longer than its bound.
Source: the verbs of ``edge/cli/panel/readings.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge.panel.fields import table, text, time_ms, whole

STATES = ("FIRE", "LOCK_DOWN", "CHECKPOINT", "SHELTER")
#: What a feed may hold of each, and what a gateway keeps.
MAX_CONTACTS, MAX_ELDERS, MAX_OFFICES, MAX_GRIDS = 500, 500, 100, 100
MAX_STAGES, MAX_DRILLS, MAX_NAMES = 16, 24, 32
#: A route is a sentence: which house, which stairs, what to bring.
MAX_ROUTE = 120
#: A masked name, a place, and how much is said of what somebody needs.
MAX_LABEL, MAX_PLACE, MAX_NEEDS, MAX_NEED = 9, 64, 4, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Stands:
    """An emergency that stands; ``by`` what began it, ``who`` as people call him."""

    state: str
    since_ms: int | None
    by: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A space opened in a typhoon: how many are inside, for how many there is room."""

    space: str
    inside: int
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a drill; seconds from its beginning, None: not reached."""

    name: str
    within_s: int
    after_s: int | None

    @property
    def is_late(self) -> bool:
        """Say whether it was reached after its reference mark."""
        return bool(self.within_s and (self.after_s or 0) > self.within_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A drill: the running one, or the sheet of one that is over."""

    seq: int
    drill: str
    began_ms: int | None
    seconds: int
    with_doors: bool
    stages: tuple[Stage, ...]
    outcome: str = ""
    who: str = ""
    action: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What stands, who is there, and how far everything is."""

    standing: tuple[Stands, ...]
    fire_bar: str
    shelter: tuple[Room, ...]
    on_duty: tuple[str, ...]
    drill: Drill | None
    last_drill_ms: int | None
    contacts: int
    called: int
    elders: int
    awaited: int
    shows_elders: bool
    care: int

    def stands(self, state: str) -> bool:
        """Say whether a state stands."""
        return any(each.state == state for each in self.standing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom to call; ``mark`` what came of the last call, ``at_ms`` when, by whom."""

    id: str
    name: str
    phone: str
    role: str
    hours: str
    mark: str
    at_ms: int | None
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Where people are sent to."""

    name: str
    phone: str
    address: str
    hours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """Contacts by grid in their order of calling, "" for all; offices."""

    grids: tuple[tuple[str, tuple[Contact, ...]], ...]
    offices: tuple[Office, ...]
    is_peace: bool

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """All contacts in the order of the page."""
        return tuple(each for _, several in self.grids for each in several)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elder:
    """Whom to fetch, by a key.

    ``name`` is masked; ``place``: where he is; ``needs``: what fetching him takes.
    Where and how is not known of those beyond the rows that were asked for.
    """

    key: str
    order: int
    route: str
    grid: str
    fetched_s: int | None
    arrived_s: int | None
    name: str = ""
    place: str = ""
    needs: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """Whom to ask for and where, as far as the list says; else how to get there."""
        return whom(self.name, self.place, self.route)

    @property
    def is_awaited(self) -> bool:
        """Say whether somebody still has to go."""
        return self.fetched_s is None and self.arrived_s is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Somebody who was not seen for so many days or more."""

    key: str
    tail: str
    days: int
    route: str
    grid: str
    name: str = ""
    place: str = ""

    @property
    def who(self) -> str:
        """Whom to visit and where; "" where he is not on the list of elders."""
        return whom(self.name, self.place, self.route)


def whom(name: str, place: str, route: str) -> str:
    """Return whom to look for and where; ``route`` where the list does not say."""
    return " ".join(part for part in (name, place) if part) or route


def read_now(told: dict[str, Any]) -> Now:
    """Read the answer to ``emergency-now``."""
    drill = table(told.get("drill"))
    return Now(
        standing=tuple(
            Stands(
                state=text(each.get("state")),
                since_ms=time_ms(each.get("since_ms")),
                by=text(each.get("by")),
                who=text(each.get("who")),
            )
            for each in _tables(told.get("standing"), len(STATES))
            if each.get("state") in STATES
        ),
        fire_bar=text(told.get("fire_bar")),
        shelter=tuple(
            Room(
                space=text(each.get("space")),
                inside=_count(each.get("inside")),
                capacity=_count(each.get("capacity")),
            )
            for each in _tables(told.get("shelter"), MAX_NAMES)
        ),
        on_duty=_names(told.get("on_duty")),
        drill=read_drill(drill) if drill else None,
        last_drill_ms=time_ms(told.get("last_drill_ms")),
        contacts=_count(told.get("contacts")),
        called=_count(told.get("called")),
        elders=_count(told.get("elders")),
        awaited=_count(told.get("awaited")),
        shows_elders=told.get("shows_elders") is True,
        care=_count(told.get("care")),
    )


def read_drill(told: dict[str, Any]) -> Drill:
    """Read a drill that runs, or the sheet of one that is over."""
    return Drill(
        seq=whole(told.get("seq")) or 0,
        drill=text(told.get("drill")),
        began_ms=time_ms(told.get("began_ms")),
        seconds=_count(told.get("elapsed_s", told.get("duration_s"))),
        with_doors=told.get("with_doors") is True,
        stages=tuple(
            Stage(
                name=text(each.get("name")),
                within_s=_count(each.get("within_s")),
                after_s=time_ms(each.get("after_s")),
            )
            for each in _tables(told.get("stages"), MAX_STAGES)
        ),
        outcome=text(told.get("outcome")),
        who=text(told.get("who")),
        action=text(told.get("action")),
        owner=text(told.get("owner")),
    )


def read_drills(told: dict[str, Any]) -> tuple[Drill, ...]:
    """Read the answer to ``drills``, the newest first."""
    return tuple(map(read_drill, _tables(told.get("drills"), MAX_DRILLS)))


def read_street(told: dict[str, Any]) -> Street:
    """Read the answer to ``emergency-contacts``."""
    called = table(told.get("called"))
    left = MAX_CONTACTS
    grids = []
    common = {"name": "", "contacts": told.get("contacts")}
    for grid in (common, *_tables(told.get("grids"), MAX_GRIDS)):
        several = _tables(grid.get("contacts"), left)
        left -= len(several)
        read = tuple(_contact(each, called) for each in several)
        if read:
            grids.append((text(grid.get("name")), read))
    return Street(
        grids=tuple(grids),
        offices=tuple(
            Office(
                name=text(each.get("name")),
                phone=text(each.get("phone")),
                address=text(each.get("address"), MAX_ROUTE),
                hours=text(each.get("hours"), MAX_ROUTE),
            )
            for each in _tables(told.get("offices"), MAX_OFFICES)
        ),
        is_peace=told.get("is_peace") is not False,
    )


def read_elders(told: dict[str, Any]) -> tuple[Elder, ...]:
    """Read the answer to ``elders``."""
    return tuple(
        Elder(
            key=text(each.get("key")),
            order=_count(each.get("order")),
            route=text(each.get("route"), MAX_ROUTE),
            grid=text(each.get("grid")),
            name=text(each.get("name"), MAX_LABEL),
            place=text(each.get("place"), MAX_PLACE),
            needs=_needs(each.get("needs")),
            fetched_s=time_ms(each.get("fetched_s")),
            arrived_s=time_ms(each.get("arrived_s")),
        )
        for each in _tables(told.get("elders"), MAX_ELDERS)
    )


def read_care(told: dict[str, Any]) -> tuple[Unseen, ...]:
    """Read the answer to ``care``."""
    return tuple(
        Unseen(
            key=text(each.get("key")),
            tail=text(each.get("tail"), 4),
            days=_count(each.get("days")),
            route=text(each.get("route"), MAX_ROUTE),
            grid=text(each.get("grid")),
            name=text(each.get("name"), MAX_LABEL),
            place=text(each.get("place"), MAX_PLACE),
        )
        for each in _tables(told.get("care"), MAX_ELDERS)
    )


def _contact(told: dict[str, Any], called: dict[str, Any]) -> Contact:
    contact = text(told.get("contact_id"), 64)
    call = table(called.get(contact))
    return Contact(
        id=contact,
        name=text(told.get("name")),
        phone=text(told.get("phone")),
        role=text(told.get("role")),
        hours=text(told.get("hours"), MAX_ROUTE),
        mark=text(call.get("mark")),
        at_ms=time_ms(call.get("at_ms")),
        who=text(call.get("who")),
    )


def _tables(value: Any, most: int) -> list[dict[str, Any]]:
    several = value if isinstance(value, list) else []
    return [each for each in several if isinstance(each, dict)][: max(0, most)]


def _names(value: Any) -> tuple[str, ...]:
    several = value if isinstance(value, list) else []
    return tuple(text(each) for each in several[:MAX_NAMES])


def _needs(value: Any) -> tuple[str, ...]:
    several = value if isinstance(value, list) else []
    return tuple(text(each, MAX_NEED) for each in several[:MAX_NEEDS])


def _count(value: Any) -> int:
    return max(0, whole(value) or 0)
