# SPDX-License-Identifier: Apache-2.0
"""Our own mistakes and other people's: nothing opens by them, everybody gets out."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from edge.core.access import decision
from edge.core.lockers import locker_decision
from edge.core.order import EmergencyOrdered
from edge.core.slips import REST_S
from tests.core.house.orders import (
    KINDS,
    NOT_KNOWN,
    NOT_PLANNED,
    RIGHT,
    misnamed,
    named,
    wrong_value,
)
from tests.core.house.place import Place
from tests.core.house.plan import NAMES, PLACE, TICKET, shown
from tests.core.scene import RELEASE_S, SLACK_S

if TYPE_CHECKING:
    from types import ModuleType

    from edge.core.moment import Moment

BOOKED = "b1 wang kitchen 14:00-17:00 x9"
MAX_TEXT = 64
#: Orders that name nothing: they are good in themselves.
UNNAMED = frozenset({EmergencyOrdered})


def _raises(*_: object) -> NoReturn:
    raise ZeroDivisionError


def _break(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
    broken = tuple(
        (each, _raises if each == name else rule) for each, rule in module.RULES
    )
    monkeypatch.setattr(module, "RULES", broken)


def _broken(*bookings: str) -> Place:
    place = Place(*bookings)
    place.is_broken = True
    return place


# -- a rule that raises --------------------------------------------------------------


@pytest.mark.parametrize("rule", [name for name, _ in decision.RULES])
def test_a_rule_that_raises_opens_no_entry_and_every_exit(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = _broken(BOOKED)
    _break(monkeypatch, decision, rule)
    assert place.scan("wang") == ["ACCESS_DENIED", "RULE_FAULT"]
    assert place.said() == [("DENIED", "RULE_FAULT", "ASK_VOLUNTEER")]
    fault = place.newest("RULE_FAULT")
    assert fault.facts == (("error", "ZeroDivisionError"), ("rule", rule))
    assert fault.subject == "kitchen-in"
    told = place.scan("wang", "kitchen-out")
    assert told[0] == "ACCESS_GRANTED"
    assert place.releases()[0].is_egress
    assert place.press("kitchen-door")[-1] == "release kitchen-door"
    assert "hold kitchen-door" in place.begin("FIRE")


def test_many_faults_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    place = _broken(BOOKED)
    _break(monkeypatch, decision, "clock")
    for _ in range(50):
        place.scan("wang")
    place.wait(61)
    told = place.events("RULE_FAULT")
    assert sum(int(event.fact("count") or 1) for event in told) == 50
    assert len(told) < 10


@pytest.mark.parametrize("rule", [name for name, _ in locker_decision.RULES[:-1]])
def test_a_rule_that_raises_opens_no_compartment(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = _broken("c1 wang hall 14:00-17:00 S")
    _break(monkeypatch, locker_decision, rule)
    told = place.scan("wang", "bank-in")
    asked = [name for name, _ in locker_decision.RULES]
    if asked.index(rule) <= asked.index("booking"):
        assert "ACCESS_DENIED" in told
        assert "RULE_FAULT" in told, "our own mistake must not stay unseen"
        assert place.openings() == []
        assert place.reason() == "RULE_FAULT"
    else:
        assert place.openings(), "it was not asked"
    assert place.scan("stranger", "aid")[0] == "MEDICINE_BOX_OPENED"


# -- a part of the house that raises -------------------------------------------------

PARTS = ("Admissions", "Redemptions", "Spaces", "Duty", "Care", "Medicine", "Overdue")


def _part(place: Place, name: str) -> Any:
    [part] = {
        id(each): each
        for each in (*place.controller.house.learning, *place.controller.house.timed)
        if type(each).__name__ == name
    }.values()
    return part


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_trips_over_an_event_keeps_it_from_no_other(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = _broken("b1 wang lobby 14:00-17:00 x9")
    monkeypatch.setattr(_part(place, name), "follow", _raises)
    assert place.scan("chen", "outer-in")[0] == "ACCESS_GRANTED"
    assert place.releases(), "who is let in is let in"
    assert place.press("kitchen-door")[-1] == "release kitchen-door"
    assert "hold kitchen-door" in place.begin("FIRE")
    fault = place.newest("RULE_FAULT")
    assert (fault.fact("error"), fault.fact("rule")) == ("ZeroDivisionError", name)


@pytest.mark.parametrize("name", ["Spaces", "Overdue", "Entrance", "Care", "Duty"])
def test_a_timer_that_raises_holds_up_no_other(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = _broken("b1 wang lobby 14:00-17:00 x9")
    part = _part(place, name)
    monkeypatch.setattr(part, "expire", _raises)
    monkeypatch.setattr(part, "deadline", lambda: 0.0)
    place.scan("chen", "outer-in")
    place.wait(RELEASE_S + SLACK_S)
    assert place.events("ACCESS_NOT_TAKEN"), "the door's own timer ran out"
    assert place.press("kitchen-door")[-1] == "release kitchen-door"
    assert "hold kitchen-door" in place.begin("FIRE")


def test_a_timer_that_raises_is_not_asked_without_a_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = _broken()
    part, asked = _part(place, "Care"), []

    def expire(now: Moment) -> None:
        asked.append(now.monotonic_s)
        raise ZeroDivisionError

    monkeypatch.setattr(part, "expire", expire)
    monkeypatch.setattr(part, "deadline", lambda: 0.0)
    place.wait(60)
    assert 10 <= len(asked) <= 60 / REST_S + 1


def test_doors_that_raise_cost_no_compartment(monkeypatch: pytest.MonkeyPatch) -> None:
    place = _broken("c1 wang hall 14:00-17:00 S")
    monkeypatch.setattr(place.controller.doors, "contact", _raises)
    place.swing("hall-door", is_open=True)
    assert place.newest("RULE_FAULT").fact("rule") == "ContactChanged"
    place.scan("wang", "bank-in")
    assert place.openings()


def test_a_scan_that_trips_us_is_refused_and_named_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = _broken(BOOKED)
    monkeypatch.setattr(place.controller.house.entrance, "scan", _raises)
    assert "ACCESS_DENIED" in place.scan("wang")
    assert place.said() == [("DENIED", "RULE_FAULT", "ASK_VOLUNTEER")]
    assert place.newest("RULE_FAULT").fact("rule") == "Scan"


def test_an_order_that_trips_us_was_not_carried_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = _broken()
    monkeypatch.setattr(place.controller.doors, "open_by_hand", _raises)
    assert place.open_by_hand("kitchen-door") == ["RULE_FAULT"]
    assert "RULE_FAULT" in place.controller.rejection
    assert place.releases() == []


# -- orders that name what is not there ----------------------------------------------


@pytest.mark.parametrize(("kind", "name"), misnamed(NOT_PLANNED))
def test_what_is_not_planned_is_rejected_and_nothing_moves(
    kind: type[Any], name: str
) -> None:
    place = Place(BOOKED)
    before = place.snapshot()
    told = place.do(named(kind, **{name: wrong_value(kind, name)}))
    assert told == ["COMMAND_REJECTED"]
    assert place.last.commands == ()
    assert place.snapshot() == before
    assert place.controller.rejection.startswith("there is no ")
    rejected = place.newest("COMMAND_REJECTED")
    assert (rejected.fact("what"), rejected.fact("actor")) == (kind.__name__, "chen")


@pytest.mark.parametrize(("kind", "name"), misnamed(NOT_KNOWN))
def test_what_is_not_known_is_rejected_and_nothing_moves(
    kind: type[Any], name: str
) -> None:
    place = Place(BOOKED)
    before = place.snapshot()
    told = place.do(named(kind, **{name: wrong_value(kind, name)}))
    assert told == ["COMMAND_REJECTED"]
    assert place.last.commands == ()
    assert place.snapshot() == before
    assert place.controller.rejection


@pytest.mark.parametrize("kind", KINDS)
def test_every_order_is_answered_and_its_texts_are_cut(kind: type[Any]) -> None:
    place = Place(BOOKED)
    place.begin("SHELTER")
    texts = {each.name for each in fields(kind)} & {"actor", "reason", "owner"}
    place.do(named(kind, **dict.fromkeys(texts, "x" * 500)))
    assert all(
        len(value) <= MAX_TEXT
        for event in place.last.events
        for value in dict(event.facts).values()
        if isinstance(value, str)
    )


@pytest.mark.parametrize("kind", [each for each in KINDS if each not in UNNAMED])
def test_with_every_name_wrong_nothing_moves(kind: type[Any]) -> None:
    place = Place(BOOKED)
    before = place.snapshot()
    names = [each.name for each in fields(kind)]
    wrong = {name: wrong_value(kind, name) for name in names}
    place.do(named(kind, **{n: v for n, v in wrong.items() if v is not None}))
    moved = [c for c in place.last.commands if type(c).__name__ != "Indicate"]
    kinds = {event.kind.value for event in place.last.events}
    if any(value is not None for value in wrong.values()):
        assert (kinds, moved) == ({"COMMAND_REJECTED"}, [])
        assert place.snapshot() == before


def test_every_field_of_every_order_has_a_value() -> None:
    assert {each.name for kind in KINDS for each in fields(kind)} <= RIGHT.keys()


# -- what must not be written down ---------------------------------------------------


def test_no_token_and_no_number_is_kept_but_where_it_has_to_be() -> None:
    place = Place(BOOKED, "c1 li hall 14:00-17:00 S")
    renting = "passer-by"
    secrets = (renting, *NAMES, "li:pin", "wang:qr", "guess:pin", "code:qr")
    for what in secrets:
        for at in PLACE.access_points:
            place.scan(what, at, ticket=TICKET if what == "code:qr" else None)
            place.wait(4)
    rented = {event.person.holder for event in place.events("RENTAL_STARTED")}
    assert None in rented, "somebody unknown has a compartment"
    kept = place.snapshot()
    assert [what for what in secrets if _is_in(kept, what)] == [renting]


def _is_in(kept: str, what: str) -> bool:
    token = shown(what).token
    forms = (token.decode(), token.hex(), b64encode(token).decode())
    return any(form in kept for form in forms)
