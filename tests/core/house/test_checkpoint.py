# SPDX-License-Identifier: Apache-2.0
"""A health emergency: everybody waits for a volunteer's word, nobody slips by it."""

from __future__ import annotations

import pytest

from tests.core.house.place import Place
from tests.core.house.plan import TICKET

BOOKED = "b1 wang kitchen 14:00-17:00"
WAITS = [("WAITING", "AWAITING_CONFIRMATION", "WAIT")]
GRANTED = ("GRANTED", "", "")
CONFIRM_S = 60


def _checked(*bookings: str) -> Place:
    place = Place(*bookings)
    place.begin("CHECKPOINT")
    return place


def test_a_resident_waits_and_the_door_stays_shut() -> None:
    place = _checked(BOOKED)
    assert place.scan("wang") == ["ACCESS_DENIED", "CONFIRMATION_ASKED"]
    assert place.said() == WAITS


def test_a_volunteers_card_lets_him_in() -> None:
    place = _checked(BOOKED)
    place.scan("wang")
    place.pass_time(CONFIRM_S - 1)
    told = place.scan("chen")
    assert told == ["CONFIRMATION_GIVEN", "ACCESS_GRANTED", "release kitchen-door"]
    assert GRANTED in place.said()
    given, granted = place.last.events
    assert given.person.holder == "holder-chen"
    assert (granted.person.holder, granted.person.booking) == ("holder-wang", "b1")
    assert "ACCESS_TAKEN" in place.walk("kitchen-door")


def test_the_panel_lets_him_in() -> None:
    place = _checked(BOOKED)
    place.scan("wang")
    told = place.confirm()
    assert told == ["CONFIRMATION_GIVEN", "ACCESS_GRANTED", "release kitchen-door"]
    assert place.newest("CONFIRMATION_GIVEN").fact("actor") == "chen"


def test_one_word_is_one_entry() -> None:
    place = _checked(BOOKED)
    place.scan("wang")
    place.confirm()
    assert place.confirm() == ["COMMAND_REJECTED"]
    assert "nobody waits" in place.controller.rejection


def test_after_a_minute_nobody_waits_any_more() -> None:
    place = _checked(BOOKED)
    place.scan("wang")
    place.wait(CONFIRM_S)
    assert ("TRY_AGAIN", "", "SHOW_AGAIN") in place.said()
    assert place.confirm() == ["COMMAND_REJECTED"]
    told = place.scan("chen")
    assert told == ["ACCESS_DENIED", "CONFIRMATION_ASKED"], "now the volunteer waits"


def test_whoever_is_refused_hears_his_own_reason() -> None:
    place = _checked(BOOKED)
    assert place.scan("li") == ["ACCESS_DENIED"]
    assert place.reason() == "UNAUTHORIZED"
    assert place.scan("stranger") == ["ACCESS_DENIED"]
    assert place.reason() == "CREDENTIAL_NOT_FOUND"
    assert place.confirm() == ["COMMAND_REJECTED"], "nobody is let in by this"


def test_a_word_does_not_help_whose_reason_came_meanwhile() -> None:
    place = _checked(BOOKED)
    place.scan("wang")
    place.adopt(f"{BOOKED} cancelled")
    assert place.confirm() == ["CONFIRMATION_GIVEN", "ACCESS_DENIED"]
    assert place.releases() == []


def test_a_resident_confirms_nobody() -> None:
    place = _checked(BOOKED, "b2 li kitchen 14:00-17:00")
    place.scan("wang")
    assert place.scan("li") == ["ACCESS_DENIED", "CONFIRMATION_ASKED"]
    place.confirm()
    granted = place.newest("ACCESS_GRANTED")
    assert granted.person.holder == "holder-li", "who stands there last"


def test_a_copied_volunteers_code_confirms_nobody() -> None:
    place = _checked(BOOKED)
    place.scan("wang")
    assert place.scan("chen", is_secure=False) == ["ACCESS_DENIED"]
    assert place.reason() == "READER_INSECURE"


def test_a_volunteer_taps_twice_for_himself() -> None:
    place = _checked()
    assert place.scan("chen") == ["ACCESS_DENIED", "CONFIRMATION_ASKED"]
    place.pass_time(2)
    told = place.scan("chen")
    assert told == ["CONFIRMATION_GIVEN", "ACCESS_GRANTED", "release kitchen-door"]


def test_two_persons_each_wait_and_then_go_in_together() -> None:
    place = _checked()
    assert place.scan("chen", "store-in") == ["ACCESS_DENIED"]
    assert place.reason() == "SECOND_PERSON_NEEDED"
    told = place.scan("luo", "store-in")
    assert told == ["ACCESS_DENIED", "CONFIRMATION_ASKED"]
    assert place.said() == WAITS
    place.pass_time(40)  # longer than a second person may take
    told = place.confirm("store-in")
    assert told == ["CONFIRMATION_GIVEN", "ACCESS_GRANTED", "release store-door"]


def test_a_ticket_waits_too_and_is_not_used_up_by_waiting() -> None:
    place = _checked()
    told = place.scan("code:qr", ticket=TICKET)
    assert told == ["ACCESS_DENIED", "CONFIRMATION_ASKED"]
    assert place.confirm()[-1] == "release kitchen-door"
    assert place.newest("ACCESS_GRANTED").person.ticket == TICKET.ticket_id


def test_the_way_out_waits_for_nobody() -> None:
    place = _checked(BOOKED)
    assert place.scan("wang", "kitchen-out")[-1] == "release kitchen-door"
    assert place.press("studio-door") == ["REQUEST_TO_EXIT", "release studio-door"]


def test_lockers_open_as_ever() -> None:
    place = _checked("c1 wang hall 14:00-17:00 S")
    assert place.scan("wang", "bank-in")[-1] == "open 1"


def test_its_end_lets_people_in_again() -> None:
    place = _checked(BOOKED)
    place.scan("wang")
    place.end("CHECKPOINT")
    assert place.scan("wang") == ["ACCESS_GRANTED", "release kitchen-door"]


@pytest.mark.parametrize("higher", ["LOCK_DOWN", "FIRE"])
def test_what_is_graver_goes_before_it_and_gives_it_back(higher: str) -> None:
    place = _checked(BOOKED)
    place.fire_input(is_active=False)
    place.begin(higher)
    assert place.states() == [higher, "CHECKPOINT"]
    place.scan("wang", "inner-in")
    assert place.reason() != "AWAITING_CONFIRMATION"
    place.end(higher)
    place.scan("wang")
    assert place.said() == WAITS
