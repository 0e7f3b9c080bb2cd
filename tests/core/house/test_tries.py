# SPDX-License-Identifier: Apache-2.0
"""Wrong numbers and unknown codes: five in a row are told, then codes wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.access.ticket import Rotation
from tests.core.house.place import Place
from tests.core.house.plan import TICKET

BOOKED = ("b1 li kitchen 14:00-17:00 x9",)
PAUSE_S = 60
TRIES = 5


def _guessed(times: int = TRIES, *, what: str = "guess:pin") -> Place:
    place = Place(*BOOKED)
    for _ in range(times):
        place.scan(what)
        place.pass_time(1)
    return place


def test_a_known_number_opens() -> None:
    place = Place(*BOOKED)
    assert place.scan("li:pin")[-1] == "release kitchen-door"
    assert place.newest("ACCESS_GRANTED").fact("kind") == "PIN"


def test_four_wrong_ones_are_only_refused() -> None:
    place = _guessed(TRIES - 1)
    assert {e.fact("reason") for e in place.events("ACCESS_DENIED")} == {
        "CREDENTIAL_NOT_FOUND"
    }
    assert place.events("WRONG_TRIES") == []
    assert place.scan("li:pin")[-1] == "release kitchen-door"


@pytest.mark.parametrize("what", ["guess:pin", "guess:qr", "guess"])
def test_the_fifth_in_a_row_is_an_alarm_once(what: str) -> None:
    place = _guessed(TRIES + 3, what=what)
    (alarm,) = place.events("WRONG_TRIES")
    assert (alarm.subject, alarm.fact("tries")) == ("kitchen-in", TRIES)


def test_then_the_right_number_waits_too() -> None:
    place = _guessed()
    place.scan("li:pin")
    assert place.said() == [("DENIED", "READER_PAUSED", "WAIT")]
    right = place.last.commands
    place.scan("guess:pin")
    assert place.last.commands == right, "right and wrong look the same"


def test_a_pause_names_nobody() -> None:
    place = _guessed()
    place.wait(PAUSE_S - TRIES - 1)  # refusals are told singly again
    place.scan("li:pin")
    denied = place.newest("ACCESS_DENIED")
    assert denied.person.holder is None


def test_after_a_minute_it_opens_again() -> None:
    place = _guessed()
    place.wait(PAUSE_S)
    assert place.scan("li:pin")[-1] == "release kitchen-door"


def test_cards_and_known_codes_never_wait() -> None:
    place = Place(*BOOKED, "b2 wang kitchen 14:00-17:00 x9")
    for _ in range(TRIES):
        place.scan("guess:qr")
    for what in ("li", "wang", "wang:qr"):
        assert place.scan(what)[-1] == "release kitchen-door"
        place.walk("kitchen-door")
        place.wait(5)
    assert place.scan("code:qr", ticket=TICKET)[-1] == "release kitchen-door"
    place.wait(5)
    place.scan("stranger")
    assert place.reason() == "CREDENTIAL_NOT_FOUND", "an unknown card hears why"


def test_a_card_in_between_does_not_end_the_pause() -> None:
    place = _guessed()
    place.scan("li")
    place.wait(10)
    place.scan("li:pin")
    assert place.reason() == "READER_PAUSED"


def test_a_grant_ends_a_row_that_is_not_complete() -> None:
    place = _guessed(TRIES - 1)
    place.scan("li:pin")
    place.wait(10)
    for _ in range(TRIES - 1):
        place.scan("guess:pin")
    assert place.events("WRONG_TRIES") == []


@pytest.mark.parametrize(("what", "alarms"), [("wang", 1), ("wang:qr", 0)])
def test_a_card_of_ones_own_does_not_begin_the_row_anew(what: str, alarms: int) -> None:
    place = Place("b2 wang kitchen 14:00-17:00 x9")
    for _ in range(2):
        for _ in range(TRIES - 1):
            place.scan("guess:pin")
        assert place.scan(what)[-1] == "release kitchen-door"
        place.wait(5)
    assert len(place.events("WRONG_TRIES")) == alarms


def test_each_reader_counts_for_itself() -> None:
    place = _guessed()
    place.scan("li:pin", "studio-in")
    assert place.reason() != "READER_PAUSED"


@pytest.mark.parametrize("at", ["bank-in", "desk"])
def test_numbers_are_guessed_no_faster_elsewhere(at: str) -> None:
    place = Place("c1 li hall 14:00-17:00 S")
    for _ in range(TRIES):
        place.scan("guess:pin", at)
    assert [event.subject for event in place.events("WRONG_TRIES")] == [at]
    place.scan("li:pin", at)
    assert place.reason() == "READER_PAUSED"
    assert place.scan("stranger", "aid")[0] == "MEDICINE_BOX_OPENED"


def test_out_nobody_waits() -> None:
    place = Place(*BOOKED)
    for _ in range(TRIES + 1):
        told = place.scan("guess:pin", "kitchen-out")
        assert told[-1] == "release kitchen-door"
        place.wait(10)
    assert place.events("WRONG_TRIES") == []


def test_guessed_digits_beside_a_good_ticket_are_slowed_as_well() -> None:
    place = Place()
    copy = replace(TICKET, uses=0, rotation=Rotation.WRONG)
    for _ in range(TRIES):
        place.scan("code:qr", ticket=copy)
        assert place.reason() == "QR_EXPIRED"
    place.scan("code:qr", ticket=copy)
    assert place.reason() == "READER_PAUSED"


def test_a_flood_of_guesses_becomes_counts() -> None:
    place = _guessed(500)
    place.wait(2 * PAUSE_S)
    told = place.events("ACCESS_DENIED")
    singles = [event for event in told if event.fact("count") is None]
    counts = sum(int(event.fact("count") or 0) for event in told)
    assert counts + len(singles) == 500
    assert len(told) < 100
