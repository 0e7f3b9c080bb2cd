# SPDX-License-Identifier: Apache-2.0
"""A tablet that awaits a card at the desk: whose turn it becomes, and whose not."""

from __future__ import annotations

import pytest

from edge.core.duty.logins import KEPT_S, WINDOW_S, Turn
from edge.core.order import LocalRevocationOrdered, LoginAwaited
from tests.core.house.place import Place

TABLET = "tablet-1"


def begin(place: Place, *, tablet: str = TABLET, welcome: tuple[str, ...] = ()) -> str:
    order = LoginAwaited(
        access_point="desk", tablet=tablet, welcome=welcome, actor=tablet
    )
    place.do(order)
    return place.controller.rejection


def turn(place: Place, tablet: str = TABLET) -> Turn:
    return place.controller.house.duty.logins.turn(tablet, place.now())


def claim(place: Place, tablet: str = TABLET) -> str:
    return place.controller.house.duty.logins.claim(tablet, place.now())


def test_a_volunteer_s_card_is_taken_and_begins_the_shift() -> None:
    place = Place()
    assert begin(place) == ""
    assert turn(place) is Turn.WAITING
    assert place.scan("chen", "desk") == ["DUTY_STARTED"]
    assert turn(place) is Turn.TAKEN
    assert claim(place) == "holder-chen"
    assert claim(place) == "", "told once"


def test_a_shift_that_runs_goes_on() -> None:
    place = Place()
    place.scan("chen", "desk")
    place.wait(60)
    begin(place)
    assert place.scan("chen", "desk") == []
    assert claim(place) == "holder-chen"
    assert place.controller.on_duty == ("holder-chen",)
    place.wait(60)
    assert place.scan("chen", "desk") == ["DUTY_ENDED"], "the next tap is its end"


def test_after_twenty_seconds_a_tap_is_no_log_in() -> None:
    place = Place()
    begin(place)
    place.wait(WINDOW_S)
    assert turn(place) is Turn.OVER
    assert place.scan("chen", "desk") == ["DUTY_STARTED"]
    assert claim(place) == ""


def test_nobody_claims_late() -> None:
    place = Place()
    begin(place)
    place.scan("chen", "desk")
    place.wait(KEPT_S)
    assert claim(place) == ""


def test_who_is_no_volunteer_leaves_the_window_open() -> None:
    place = Place()
    begin(place)
    assert place.scan("wang", "desk") == ["ACCESS_DENIED"]
    assert turn(place) is Turn.WAITING


def test_who_has_an_account_here_logs_in_without_a_shift() -> None:
    place = Place()
    begin(place, welcome=("holder-wang",))
    assert place.scan("wang", "desk") == []
    assert claim(place) == "holder-wang"
    assert not place.controller.on_duty


def test_a_withdrawn_card_logs_nobody_in() -> None:
    place = Place()
    wish = LocalRevocationOrdered(holder="holder-chen", actor="li", reason="lost")
    place.do(wish)
    begin(place)
    assert place.scan("chen", "desk") == ["ACCESS_DENIED"]
    assert turn(place) is Turn.WAITING


def test_a_reader_that_was_tampered_with_logs_nobody_in() -> None:
    place = Place()
    begin(place)
    place.scan("chen", "desk", is_secure=False)
    assert turn(place) is Turn.WAITING


def test_a_desk_waits_for_one_tablet_at_a_time() -> None:
    place = Place()
    begin(place)
    assert begin(place, tablet="tablet-2") == "another tablet waits for a card there"
    assert begin(place) == "", "the same one may begin anew"
    place.wait(WINDOW_S)
    assert begin(place, tablet="tablet-2") == ""
    place.scan("chen", "desk")
    assert claim(place, "tablet-2") == "holder-chen"


@pytest.mark.parametrize("point", ["kitchen-in", "nowhere"])
def test_people_log_in_at_a_desk_alone(point: str) -> None:
    place = Place()
    order = LoginAwaited(access_point=point, tablet=TABLET, welcome=(), actor=TABLET)
    assert place.do(order) == ["COMMAND_REJECTED"]
    assert turn(place) is Turn.OVER


def test_a_restart_forgets_who_was_awaited() -> None:
    place = Place()
    begin(place)
    place.restart(off_s=1)
    assert turn(place) is Turn.OVER
