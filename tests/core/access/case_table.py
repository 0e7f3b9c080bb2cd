# SPDX-License-Identifier: Apache-2.0
"""The decision's specification: one case is one sentence about one scan.

The law of the module: it reads the files in ``cases/`` and judges none of them; a word
that it does not know is an error, so that no case can be understood as another one.
What a case does not say is as :class:`Scene` has it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CASES = Path(__file__).parent / "cases"
#: The files of the table, in the order in which one reads them.
THEMES = (
    *("bookings", "policies", "walk_in", "parties", "credentials", "tickets"),
    *("hours", "payment", "roster_age", "clock", "capacity", "passback"),
    *("pairs_interlock", "modes", "emergencies", "exits", "order", "hostile"),
)
#: Words of an answer that need no more words.
FLAGS = ("time unverified", "extended", "passback")
#: Everybody on the platform's list.
PEOPLE = ("wang", "li", "zhao", "bai", "gu", "sun", "chen", "hua", "ma", "fang")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTold:
    """A ticket, and what is remembered of it; ``flaw``: it is none."""

    flaw: str = ""
    audience: str = "site-1"
    doors: tuple[int | str, ...] = ()
    start: str = ""
    end: str = ""
    issued: str = ""
    key_to: str = ""
    uses: int = 0
    party: int = 1
    emergency: bool = False
    rotation: str = ""
    step: int | None = None
    entries: int = 0
    unverified: int = 0
    day: str = "today"
    last_step: int | None = None
    shown_ago_s: float = 0.0
    shown_at: str = "kitchen-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The usual scene: wang's card at the kitchen door, Monday 2 March 2026, 15:00."""

    who: str = "wang"
    kind: str = "CARD"
    ticket: TicketTold | None = None
    at: str = "15:00"
    until: str = ""
    door: str = "kitchen-door"
    exit: bool = False
    reader_sound: bool = True
    strike_sound: bool = True
    mode: str = "LOCKED"
    two_persons: bool = False
    first: str = ""
    interlocked_by: str = ""
    entry: str = "booking"
    entry_of: Mapping[str, str] = field(default_factory=dict)
    lead_min: int = 10
    grace_min: int = 5
    hours: str = ""
    holidays: Mapping[str, str] = field(default_factory=dict)
    capacity: int = 0
    shelter_capacity: int = 0
    passback: str = "off"
    roster_limits: Mapping[str, str] = field(default_factory=dict)
    roster_age: str = "0d"
    people: tuple[str, ...] = PEOPLE
    bookings: tuple[str, ...] = ("b1 wang kitchen 14:00-16:00",)
    policies: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    vouched: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    shared_card: tuple[str, ...] = ()
    cancelled_tickets: tuple[str, ...] = ()
    valid: Mapping[str, str] = field(default_factory=dict)
    cash: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    unverified_by_policy: tuple[str, ...] = ()
    inside: str = ""
    inside_of: Mapping[str, str] = field(default_factory=dict)
    awaited: int = 0
    staff: bool = False
    emergencies: tuple[str, ...] = ()
    confirmed: bool = False
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the door says: it opens by something, or it refuses for a reason.

    ``details`` are pairs of a word and its value, as the table tells them.
    """

    opens: str = ""
    reason: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scan and its answer; ``told`` is what its file says of the scene.

    ``also``: the later of two ``rules`` would refuse so, ``without`` what makes the
    earlier one refuse; then ``other`` is the scene.
    """

    theme: str
    name: str
    told: tuple[tuple[str, object], ...]
    scene: Scene
    answer: Answer
    why: str
    rules: tuple[int, ...] = ()
    also: str = ""
    without: tuple[tuple[str, object], ...] = ()
    other: Scene = field(default_factory=Scene)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A file of the table: its title, what all its cases share, and the cases."""

    title: str
    about: str
    shared: tuple[tuple[str, object], ...]
    cases: tuple[Case, ...]


def read_theme(name: str) -> Theme:
    """Read one file of the table; ValueError or TypeError says what is not known."""
    told = tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))
    title, about = told.pop("title"), told.pop("about")
    shared = told.pop("scene", {})
    return Theme(
        title=title,
        about=about,
        shared=tuple(shared.items()),
        cases=tuple(_case(name, each, shared, told[each]) for each in told),
    )


def read_table() -> tuple[Theme, ...]:
    """Read the whole table in its order."""
    return tuple(read_theme(name) for name in THEMES)


def _case(theme: str, name: str, shared: dict[str, Any], told: dict[str, Any]) -> Case:
    answer, why = _answer(told), told.pop("why", "")
    rules, also = tuple(told.pop("rules", ())), told.pop("also", "")
    without = told.pop("without", {})
    scene = _laid_over(shared, told)
    return Case(
        theme=theme,
        name=name,
        told=tuple(told.items()),
        scene=_scene(scene),
        answer=answer,
        why=why,
        rules=rules,
        also=also,
        without=tuple(without.items()),
        other=_scene(_laid_over(scene, without)),
    )


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return both, the upper one where both speak, a ticket claim by claim."""
    both = below | above
    if "ticket" in both:
        both["ticket"] = below.get("ticket", {}) | above.get("ticket", {})
    return both


def _scene(told: dict[str, Any]) -> Scene:
    fields = {key: _frozen(value) for key, value in told.items()}
    if "ticket" in told:
        fields["ticket"] = _ticket(told["ticket"])
    return Scene(**fields)


def _ticket(told: Mapping[str, Any]) -> TicketTold:
    names = {"from": "start", "to": "end"}
    return TicketTold(**{names.get(k, k): _frozen(v) for k, v in told.items()})


def _frozen(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _answer(told: dict[str, Any]) -> Answer:
    if ("opens" in told) == ("refuses" in told):
        raise ValueError(f"one answer, not {sorted(told)}")
    opens = "opens" in told
    first, *rest = told.pop("opens" if opens else "refuses").split(", ")
    details = tuple(_detail(each) for each in rest)
    if opens:
        return Answer(opens=first, details=details)
    return Answer(reason=first, details=details)


def _detail(told: str) -> tuple[str, str]:
    if told in FLAGS:
        return told, "yes"
    word, _, value = told.partition(" ")
    if not value:
        raise ValueError(f"{told!r}: neither a known flag nor a word with its value")
    return word, value
