# SPDX-License-Identifier: Apache-2.0
"""The ledger passes a true story, and would notice each line that is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.core.command import HoldOpen, OpenCompartment, Release, SwitchAppliance
from edge.core.event import EventKind, Person
from tests.core.house.ledger import Ledger
from tests.core.house.place import Place
from tests.core.house.plan import TICKET

if TYPE_CHECKING:
    from edge.core.command import Command
    from edge.core.event import Event

PARTIES = {"b1": 1, "c1": 1}
USES = {TICKET.ticket_id: 1}


def _ledger() -> Ledger:
    return Ledger(PARTIES, {}, USES)


def _story() -> list[Event]:
    """Somebody cooks for an hour; another takes a compartment; a ticket is shown."""
    place = Place("b1 wang kitchen 14:00-17:00", "c1 li hall 14:00-17:00 S")
    place.enter("wang")
    place.scan("li", "bank-in")
    place.leaf(1, is_open=True)
    place.leaf(1, is_open=False)
    place.wait(3600)
    place.enter("wang", "kitchen-out")
    place.wait(10)
    place.scan("code:qr", ticket=TICKET)
    place.walk("kitchen-door")
    return place.journal


def _index(journal: list[Event], kind: EventKind) -> int:
    return next(i for i, event in enumerate(journal) if event.kind is kind)


def test_a_true_story_passes() -> None:
    ledger = _ledger()
    ledger.follow(_story(), ())
    assert ledger.open == {}


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (EventKind.ACCESS_GRANTED, "party"),
        (EventKind.ACCESS_TAKEN, "ended twice"),
        (EventKind.DOOR_OPENED, "opened twice"),
        (EventKind.VISIT_CLOSED, "closed twice"),
        (EventKind.RENTAL_STARTED, "two holders in one"),
        (EventKind.APPLIANCE_ON, "on twice"),
        (EventKind.APPLIANCE_OFF, "off twice"),
    ],
)
def test_a_line_written_twice_is_noticed(kind: EventKind, complaint: str) -> None:
    journal = _story()
    at = _index(journal, kind)
    journal.insert(at, journal[at])
    with pytest.raises(AssertionError, match=complaint):
        _ledger().follow(journal, ())


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (EventKind.ACCESS_GRANTED, "never begun"),
        (EventKind.DOOR_OPENED, "closed twice|nobody opened"),
        (EventKind.VISIT_STARTED, "never begun"),
        (EventKind.RENTAL_STARTED, "another's"),
    ],
)
def test_a_line_that_is_missing_is_noticed(kind: EventKind, complaint: str) -> None:
    journal = _story()
    del journal[_index(journal, kind)]
    with pytest.raises(AssertionError, match=complaint):
        _ledger().follow(journal, ())


def test_a_wrong_sum_and_a_wrong_name_are_noticed() -> None:
    journal = _story()
    at = _index(journal, EventKind.VISIT_CLOSED)
    facts = dict(journal[at].facts) | {"fare_fen": 1}
    journal[at] = replace(journal[at], facts=tuple(sorted(facts.items())))
    with pytest.raises(AssertionError):
        _ledger().follow(journal, ())
    journal = _story()
    at = _index(journal, EventKind.ACCESS_TAKEN)
    journal[at] = replace(journal[at], person=Person(holder="holder-li"))
    with pytest.raises(AssertionError, match="another's end"):
        _ledger().follow(journal, ())


@pytest.mark.parametrize(
    "wish",
    [
        Release(door="gate", duration_s=5.0, cause=3, is_egress=False),
        Release(door="gate", duration_s=5.0, cause=0, is_egress=False),
        HoldOpen(door="kitchen-door"),
        OpenCompartment(bank="bank", number=2, cause=3, is_first_aid=False),
        SwitchAppliance(appliance="stove", is_on=True, cause=3),
    ],
)
def test_a_wish_without_its_cause_is_noticed(wish: Command) -> None:
    journal = _story()
    assert journal[2].kind is EventKind.ACCESS_GRANTED
    assert journal[2].seq == 3
    with pytest.raises(AssertionError):
        _ledger().follow(journal[:3], (wish,))
