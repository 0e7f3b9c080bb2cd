# SPDX-License-Identifier: Apache-2.0
"""The volunteers' desk: shifts, cards that become one's own, and who is looked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.order import (
    CareAnswered,
    DutyConfirmed,
    DutyCorrected,
    DutyOrdered,
    LocalHolderOrdered,
    LocalRevocationOrdered,
)
from edge.core.people.roster_row import HolderRow, RosterRow
from edge.core.people.shift_row import ShiftRow
from tests.core.house.place import Place
from tests.core.house.plan import CARE_DAYS, PEOPLE
from tests.core.scene import token

BOOKED = "b1 wang kitchen 00:00-23:59 x99"
TAP = [("TAP_CARD", "", "")]
DONE = [("DONE", "", "")]


# -- shifts --------------------------------------------------------------------------


def test_a_card_begins_a_shift_and_ends_it() -> None:
    place = Place()
    assert place.scan("chen", "desk") == ["DUTY_STARTED"]
    place.wait(95 * 60)
    assert place.scan("chen", "desk") == ["DUTY_ENDED"]
    assert place.newest("DUTY_ENDED").fact("minutes") == 95


def test_a_resident_begins_no_shift() -> None:
    place = Place()
    assert place.scan("wang", "desk") == ["ACCESS_DENIED"]
    assert place.reason() == "UNAUTHORIZED"


def test_a_forgotten_end_is_set_at_closing_time() -> None:
    place = Place()
    place.scan("chen", "desk")
    place.wait_until("23:00:01")
    ended = place.newest("DUTY_ENDED")
    assert ended.fact("minutes") == 8 * 60
    assert (ended.fact("why"), ended.fact("to_confirm")) == ("closing", 1)


def test_a_forgotten_end_is_set_after_a_power_cut_too() -> None:
    place = Place()
    place.scan("chen", "desk")
    place.restart(off_s=12 * 3600)
    place.wait(1)
    assert place.newest("DUTY_ENDED").fact("minutes") == 8 * 60


def test_a_correction_takes_two_others_and_the_platform_the_last_word() -> None:
    place = Place()
    place.scan("chen", "desk")
    place.wait(3600)
    place.scan("chen", "desk")
    seq = place.newest("DUTY_STARTED").seq

    def corrected(actor: str, second: str, minutes: int = 45) -> list[str]:
        return place.do(
            DutyCorrected(
                seq=seq, minutes=minutes, actor=actor, second=second, reason="late"
            )
        )

    assert corrected("luo", "") == ["COMMAND_REJECTED"]
    assert corrected("luo", "luo") == ["COMMAND_REJECTED"]
    assert corrected("luo", "sun", 721) == ["COMMAND_REJECTED"]
    assert corrected("luo", "sun") == ["DUTY_CORRECTED"]
    confirmed = DutyConfirmed(seq=seq, minutes=50, actor="worker")
    assert place.do(confirmed) == ["DUTY_CONFIRMED"]
    assert place.newest("DUTY_CONFIRMED").fact("was") == 45


def test_the_panel_begins_and_ends_a_shift() -> None:
    place = Place()
    start = DutyOrdered(holder="holder-chen", is_start=True, actor="sun")
    assert place.do(start) == ["DUTY_STARTED"]
    assert place.do(start) == ["COMMAND_REJECTED"]
    assert place.do(replace(start, is_start=False)) == ["DUTY_ENDED"]
    nobody = replace(start, holder="holder-nobody")
    assert place.do(nobody) == ["COMMAND_REJECTED"]


# -- cards ---------------------------------------------------------------------------


def test_a_code_and_then_a_card_and_the_card_opens() -> None:
    place = Place(BOOKED)
    assert place.scan("wang:id") == ["ACCESS_DENIED"]
    assert place.scan("wang:qr", "desk") == []
    assert place.said() == TAP
    place.pass_time(10)
    assert place.scan("wang:id", "desk") == ["CREDENTIAL_BOUND"]
    assert place.said() == DONE
    assert place.last.is_kept, "the token is in the snapshot alone"
    assert place.scan("wang:id")[-1] == "release kitchen-door"
    assert place.newest("ACCESS_GRANTED").person.holder == "holder-wang"
    place.restart()
    place.wait(10)
    assert place.scan("wang:id")[-1] == "release kitchen-door"


def test_a_volunteer_vouches_and_the_card_is_bound() -> None:
    place = Place(BOOKED)
    assert place.bind("wang") == ["CREDENTIAL_BOUND"]
    bound = place.newest("CREDENTIAL_BOUND")
    assert (bound.fact("how"), bound.fact("actor")) == ("volunteer", "chen")


def test_half_a_minute_later_nobody_is_waited_for() -> None:
    place = Place(BOOKED)
    place.scan("wang:qr", "desk")
    place.wait(30)
    assert ("TRY_AGAIN", "", "SHOW_AGAIN") in place.said()
    place.scan("wang:id", "desk")
    assert place.events("CREDENTIAL_BOUND") == []


def test_somebody_elses_card_is_bound_to_nobody() -> None:
    place = Place(BOOKED)
    place.scan("wang:qr", "desk")
    place.scan("li", "desk")
    assert place.events("CREDENTIAL_BOUND") == []
    place.scan("wang:id", "desk")
    assert place.events("CREDENTIAL_BOUND") == [], "a new card needs a new code"


# -- the local roster ----------------------------------------------------------------


def test_two_persons_put_a_new_volunteer_on_the_roster() -> None:
    place = Place()
    assert place.vouch("he", "VOLUNTEER", second="chen") == ["COMMAND_REJECTED"]
    assert place.vouch("he", "VOLUNTEER", second="") == ["COMMAND_REJECTED"]
    assert place.vouch("he", "VOLUNTEER", days=1) == ["LOCAL_CHANGED"]
    place.bind("he")
    place.restart()
    assert place.scan("he:id")[-1] == "release kitchen-door"
    assert place.scan("he:id", "desk") == ["DUTY_STARTED"]
    place.adopt(rows=PEOPLE)
    place.wait(10)
    assert place.scan("he:id")[-1] == "release kitchen-door", "no feed touches him"
    place.wait(86_400)
    assert place.scan("he:id") == ["ACCESS_DENIED"], "his day is over"


def test_two_persons_take_him_off_again() -> None:
    place = Place()
    place.vouch("he", "VOLUNTEER")
    place.bind("he")
    off = LocalHolderOrdered(
        holder="holder-he", roles=(), until_ms=0, actor="chen", second="luo"
    )
    assert place.do(off) == ["LOCAL_CHANGED"]
    assert place.scan("he:id") == ["ACCESS_DENIED"]


def test_a_lost_card_is_revoked_at_the_panel() -> None:
    place = Place(BOOKED)
    lost = LocalRevocationOrdered(holder="holder-wang", actor="chen", reason="lost")
    assert place.do(lost) == ["LOCAL_CHANGED"]
    for what in ("wang", "wang:qr"):
        assert place.scan(what) == ["ACCESS_DENIED"]
        assert place.reason() == "CREDENTIAL_REVOKED"
    place.restart()
    assert place.scan("wang") == ["ACCESS_DENIED"]
    place.do(replace(lost, is_lifted=True))
    assert place.scan("wang")[-1] == "release kitchen-door"


# -- a responder's card --------------------------------------------------------------


@pytest.mark.parametrize("who", ["ma", "sun"])
def test_two_taps_at_the_alarm_reader_lock_the_place_down(who: str) -> None:
    place = Place()
    assert place.scan(who, "alarm") == []
    assert place.said() == [("WAITING", "", "")]
    assert place.states() == []
    place.pass_time(2)
    assert "EMERGENCY_STARTED" in place.scan(who, "alarm")
    begun = place.newest("EMERGENCY_STARTED")
    assert (begun.fact("by"), begun.fact("state")) == ("card", "LOCK_DOWN")
    assert begun.person.holder == f"holder-{who}"
    assert begun.fact("point") == "alarm"


def test_one_tap_too_late_or_anothers_begins_nothing() -> None:
    place = Place()
    place.scan("ma", "alarm")
    place.wait(11)
    place.scan("ma", "alarm")
    place.wait(2)
    place.scan("sun", "alarm")
    assert place.states() == []


@pytest.mark.parametrize("who", ["chen", "wang", "stranger"])
def test_nobody_elses_card_begins_an_emergency(who: str) -> None:
    place = Place()
    for _ in range(3):
        place.scan(who, "alarm")
        place.pass_time(2)
    assert place.states() == []


def test_a_revoked_responders_card_begins_nothing() -> None:
    place = Place()
    place.do(LocalRevocationOrdered(holder="holder-ma", actor="chen", reason="stolen"))
    for _ in range(2):
        place.scan("ma", "alarm")
        place.pass_time(2)
    assert place.states() == []


def test_at_a_door_a_responder_enters_at_one_tap() -> None:
    place = Place()
    told = place.scan("ma", "hall-in")
    assert told == ["ACCESS_GRANTED", "release hall-door"]
    assert place.states() == []
    place.pass_time(2)
    told = place.scan("ma", "hall-in")
    assert "EMERGENCY_STARTED" in told
    assert "release hall-door" in told, "and again at the second"


# -- who is looked for ---------------------------------------------------------------


def _consenting(days: int) -> tuple[RosterRow, ...]:
    return tuple(
        replace(row, care_days=days)
        if isinstance(row, HolderRow) and row.holder_id == "holder-zhao"
        else row
        for row in PEOPLE
    )


def test_who_agreed_and_is_not_seen_is_asked_after_once() -> None:
    place = Place()
    place.enter("zhao", "hall-in")
    place.wait_until("12:00", days=CARE_DAYS - 1)
    assert place.events("CARE_SIGNAL") == []
    place.wait_until("12:00", days=CARE_DAYS + 3)
    (signal,) = place.events("CARE_SIGNAL")
    assert signal.person.holder == "holder-zhao"
    assert signal.facts == (("days", CARE_DAYS),)
    answered = CareAnswered(holder="holder-zhao", actor="chen")
    assert place.do(answered) == ["CARE_ANSWERED"]
    assert place.do(answered) == ["COMMAND_REJECTED"]


def test_who_did_not_agree_is_never_asked_after() -> None:
    place = Place()
    place.enter("wang", "hall-in")
    place.wait_until("12:00", days=CARE_DAYS + 3)
    assert place.events("CARE_SIGNAL") == []
    assert place.newest("ACCESS_GRANTED").fact("care") is None


def test_being_seen_puts_it_off() -> None:
    place = Place()
    for day in range(5):
        place.wait_until("16:00", days=2 * day)
        place.scan("zhao", "hall-in")
    assert place.events("CARE_SIGNAL") == []


def test_consent_withdrawn_ends_it_over_a_power_cut_too() -> None:
    place = Place()
    place.enter("zhao", "hall-in")
    place.wait(60)
    place.adopt(rows=_consenting(0))
    place.wait(60)
    place.restart()
    place.wait_until("12:00", days=CARE_DAYS + 3)
    assert place.events("CARE_SIGNAL") == []


def test_the_signal_comes_after_a_power_cut_too() -> None:
    place = Place()
    place.enter("zhao", "hall-in")
    place.restart(off_s=(CARE_DAYS + 1) * 86_400)
    place.wait(1)
    (signal,) = place.events("CARE_SIGNAL")
    assert signal.fact("days") == CARE_DAYS + 1


def test_an_elders_last_token_is_in_no_snapshot() -> None:
    place = Place()
    place.enter("zhao", "hall-in")
    assert token("zhao").hex() not in place.snapshot()
    assert token("zhao").decode() not in place.snapshot()


# -- what the platform's feed confirms -------------------------------------------------


def test_a_confirmation_by_the_feed_is_told_once_and_outlives_a_power_cut() -> None:
    place = Place()
    place.scan("chen", "desk")
    begun = place.newest("DUTY_STARTED")
    place.wait(95 * 60)
    place.scan("chen", "desk")
    word = ShiftRow(
        row_id="e:1",
        holder_id=str(begun.person.holder),
        boot=begun.moment.boot,
        began_m=begun.moment.monotonic_ms,
        minutes=90,
        by="worker",
        at_ms=1,
        number=1,
        reason="came late",
    )
    place.adopt(rows=(*place.rows, word))
    place.wait(1)
    [told] = place.events("DUTY_CONFIRMED")
    assert (told.fact("minutes"), told.fact("was"), told.fact("cause")) == (
        *(90, 95),
        begun.seq,
    )
    for state in (None, place.snapshot()):
        place.restart(state, 0 if state is None else len(place.journal))
        place.wait(1)
        place.adopt(rows=place.rows)
        place.wait(1)
    assert len(place.events("DUTY_CONFIRMED")) == 1
    corrected = replace(word, number=2, minutes=30, reason="told twice")
    place.adopt(rows=(*place.rows[:-1], corrected))
    place.wait(1)
    assert place.newest("DUTY_CONFIRMED").fact("was") == 90
