# SPDX-License-Identifier: Apache-2.0
"""Why a door opened or did not, told from what a controller wrote down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.core.access.answers import DenyReason, NextStep
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.event import Event, EventKind
from edge.core.explain.explanation import Ending, Explanation
from edge.core.explain.inquiry import MAX_TOLD, Asking, Inquiry
from edge.core.explain.kept import Kept, placed
from edge.core.explain.openers import MAX_BOOKED
from edge.core.explain.retelling import Unknown
from edge.core.explain.scene import Answer, Scene
from edge.core.explain.telling import beside, explained, interval, local, opened
from edge.core.moment import UNBOUNDED_MS
from edge.core.order import EmergencyOrdered, PanelOpenOrdered
from edge.core.people.roster_row import PolicyRow
from tests.core.explain.diary import EPOCH, Diary
from tests.core.scene import (
    HOUR_MS,
    MINUTE_MS,
    SITE,
    booking,
    clock_ms,
    holder,
    moment,
    neighbours,
    revocation,
    roster,
)

if TYPE_CHECKING:
    from edge.core.people.roster import Roster

B1 = "b1 wang kitchen 14:00-16:00"
OFFSET_MS = SITE.utc_offset_ms


def _asked(
    diary: Diary, known: Roster, at: str, holder: str = "", within_ms: int = MINUTE_MS
) -> Inquiry:
    asking = Asking(
        door="kitchen-door", at_ms=clock_ms(at), within_ms=within_ms, holder=holder
    )
    inquiry = Inquiry(asking, Scene(SITE, known))
    for kept in diary.kept:
        inquiry.follow(kept)
    inquiry.end()
    return inquiry


def _one(diary: Diary, known: Roster, at: str, holder: str = "") -> Explanation:
    [found] = _asked(diary, known, at, holder).found
    return found


def _lines(found: Explanation, revision: str = SITE.settings_revision) -> str:
    return "\n".join(explained(found, OFFSET_MS, revision))


def test_a_grant_is_explained_with_its_booking_and_who_came_in() -> None:
    known = neighbours(B1)
    diary = Diary(known)
    diary.at("15:00")
    diary.scan("wang")
    diary.go_through()
    found = _one(diary, known, "15:00")
    told = found.told
    assert (told.rule, told.reason, told.step) == ("booking", None, None)
    assert (told.person.holder, told.person.booking) == ("holder-wang", "b1")
    assert (told.roster_revision, told.settings_revision) == (7, "set-3")
    assert (found.mode, found.standing, found.is_late) == ("LOCKED", (), False)
    assert found.ending is Ending.TAKEN
    assert found.anew == Answer(rule="booking")
    text = _lines(found)
    assert "GRANTED to holder holder-wang, booking b1 (CARD)" in text
    assert "2026-03-02 15:00:00" in text
    assert "somebody came in" in text
    assert "BEWARE" not in text


def test_a_refusal_is_explained_with_its_next_step_and_its_time() -> None:
    known = neighbours("b2 wang kitchen 17:00-18:00")
    diary = Diary(known)
    diary.at("15:00")
    diary.scan("wang")
    found = _one(diary, known, "15:00")
    assert found.told.reason is DenyReason.TOO_EARLY
    assert found.told.step is NextStep.COME_AT
    assert found.ending is Ending.REFUSED
    text = _lines(found)
    assert "REFUSED" in text
    assert "come at that time" in text
    assert "from_ms=2026-03-02 16:50:00" in text


def test_what_came_of_a_grant_is_told_as_far_as_it_is_known() -> None:
    known = neighbours(B1)
    diary = Diary(known)
    diary.at("15:00")
    diary.scan("wang")
    assert _one(diary, known, "15:00").ending is Ending.OPEN
    diary.pass_ms(60_000)
    assert _one(diary, known, "15:00").ending is Ending.NOT_TAKEN


def test_a_power_cut_hides_what_came_of_a_grant() -> None:
    known = neighbours(B1)
    diary = Diary(known)
    diary.at("15:00")
    diary.scan("wang")
    diary.restart()
    assert _one(diary, known, "15:00").ending is Ending.HIDDEN


def test_a_late_commit_is_told() -> None:
    known = neighbours(B1)
    diary = Diary(known)
    diary.at("15:00")
    diary.scan("wang")
    [grant] = _asked(diary, known, "15:00").found
    slow = Event(
        seq=diary.kept[-1].seq + 1,
        kind=EventKind.STORAGE_SLOW,
        moment=diary.now,
        subject="journal",
        facts=(("count", 1), ("seqs", str(grant.told.seq))),
    )
    diary.kept.append(Kept(event=slow, epoch=EPOCH, seq=slow.seq))
    found = _one(diary, known, "15:00")
    assert found.is_late
    assert "slow disk" in _lines(found)


def test_modes_and_emergencies_that_stood_are_told_and_what_happened_beside() -> None:
    known = neighbours(B1)
    diary = Diary(known)
    diary.at("14:30")
    order = EmergencyOrdered(
        state=EmergencyState.LOCK_DOWN, actor="chen", reason="a dog"
    )
    diary.handle(order)
    diary.at("15:00")
    diary.scan("wang")
    diary.mode("kitchen-door", DoorMode.BLOCKED)
    inquiry = _asked(diary, known, "15:00")
    [found] = inquiry.found
    assert (found.mode, found.standing) == ("LOCKED_DOWN", ("LOCK_DOWN",))
    assert found.told.reason is DenyReason.DOOR_LOCKED_DOWN
    assert [kept.event.kind for kept in inquiry.beside] == [EventKind.DOOR_MODE_CHANGED]
    assert "DOOR_MODE_CHANGED" in beside(inquiry.beside[0], OFFSET_MS)


def test_an_unsure_clock_is_told_and_who_was_let_in_by_it() -> None:
    known = neighbours(B1)
    diary = Diary(known)
    diary.at("15:55", unsure_ms=HOUR_MS)
    diary.scan("wang")
    found = _one(diary, known, "15:55")
    assert found.told.is_flagged
    assert found.told.is_clock_known
    text = _lines(found)
    assert "clock was unsure" in text
    assert "could not tell" in text
    unbounded = moment(clock_ms("15:00"), UNBOUNDED_MS)
    assert "no upper bound" in interval(unbounded, OFFSET_MS)


def test_who_else_could_have_opened_is_asked_of_the_decision_itself() -> None:
    rows = [holder(name) for name in ("wang", "li", "zhao")]
    rows += [holder(n, roles=("RESIDENT", "VOLUNTEER")) for n in ("chen", "hua")]
    rows.append(holder("gone", roles=("VOLUNTEER",), is_enabled=False))
    told = [B1, "b2 li kitchen 15:10-16:00", "b3 zhao kitchen 18:00-19:00"]
    policy = PolicyRow(
        policy_id="p1", role="VOLUNTEER", places=frozenset({"kitchen"}), week=None
    )
    elsewhere = PolicyRow(
        policy_id="p2", role="VOLUNTEER", places=frozenset({"lounge"}), week=None
    )
    known = roster(*rows, *map(booking, told), policy, elsewhere, revocation("li"))
    diary = Diary(known)
    diary.at("15:00")
    diary.scan("zhao")
    found = _one(diary, known, "15:00", holder="holder-li")
    asked = found.openers
    assert asked is not None
    assert asked.is_same_list
    opening = {one.booking: one.answer for one in asked.booked}
    assert opening == {"b1": Answer(rule="booking"), "b2": Answer(rule="booking")}
    [by_policy] = asked.by_policy
    assert (by_policy.policy, by_policy.role, by_policy.holders) == (
        "p1",
        "VOLUNTEER",
        2,
    )
    assert by_policy.answer.is_granted
    assert asked.stranger.reason is DenyReason.CREDENTIAL_NOT_FOUND
    assert asked.asked is not None
    assert asked.asked.answer == Answer(rule="booking")
    assert asked.asked.has_lost_card
    text = _lines(found)
    assert "holder-li: yes, by rule booking" in text
    assert "called back today" in text
    assert "2 with role VOLUNTEER" in text


def test_another_list_than_the_one_of_then_is_said_to_be_another() -> None:
    diary = Diary(neighbours(B1))
    diary.at("15:00")
    diary.scan("wang")
    today = roster(holder("li"), revision=8)
    found = _one(diary, today, "15:00", holder="holder-wang")
    assert found.anew is Unknown.HOLDER_GONE
    assert found.openers is not None
    assert not found.openers.is_same_list
    text = _lines(found)
    assert "BEWARE       list 0001-0a1b2c3d@7 is not kept" in text
    assert "holder-wang: on no list" in text


def test_a_decision_that_comes_out_otherwise_today_warns() -> None:
    diary = Diary(neighbours(B1))
    diary.at("15:00")
    diary.scan("wang")
    found = _one(diary, neighbours(), "15:00")
    assert found.anew == Answer(rule="booking", reason=DenyReason.UNAUTHORIZED)
    assert "decided anew: no, UNAUTHORIZED" in _lines(found)


def test_another_site_file_is_said_to_be_another() -> None:
    known = neighbours(B1)
    diary = Diary(known)
    diary.at("15:00")
    diary.scan("wang")
    found = _one(diary, known, "15:00")
    assert "BEWARE       the site file given here is set-4" in _lines(found, "set-4")


def test_where_nobody_tried_it_is_told_who_could_have_opened() -> None:
    known = neighbours(B1)
    diary = Diary(known)
    diary.at("15:00")
    inquiry = _asked(diary, known, "15:00", holder="holder-li")
    assert inquiry.found == ()
    assert inquiry.openers is not None
    lines = "\n".join(opened(inquiry.openers))
    assert "b1 of holder-wang: yes" in lines
    assert "holder-li: no, UNAUTHORIZED" in lines


def test_what_happened_by_hand_is_told_beside() -> None:
    known = neighbours()
    diary = Diary(known)
    diary.at("15:00")
    order = PanelOpenOrdered(door="kitchen-door", actor="chen", reason="a delivery")
    diary.handle(order)
    inquiry = _asked(diary, known, "15:00")
    assert inquiry.found == ()
    assert [each.event.kind for each in inquiry.beside] == [EventKind.MANUAL_ENTRY]


def test_other_doors_and_other_times_are_left_out() -> None:
    known = neighbours(B1)
    diary = Diary(known)
    diary.at("14:00")
    diary.scan("wang")
    diary.at("15:00")
    diary.scan("li", "lounge-in")
    diary.at("15:30")
    assert _asked(diary, known, "15:00").found == ()
    assert len(_asked(diary, known, "14:00").found) == 1


def test_what_is_told_is_bounded_and_the_rest_counted() -> None:
    told = [f"c{n} wang kitchen 14:00-16:00" for n in range(MAX_BOOKED + 3)]
    known = neighbours(*told)
    diary = Diary(known)
    diary.at("15:00")
    diary.scan("wang")
    [grant] = [kept for kept in diary.kept if kept.event.fact("rule") == "booking"]
    first = diary.kept[-1].seq
    for number in range(first + 1, first + 1 + MAX_TOLD):
        event = replace(grant.event, seq=number)
        diary.kept.append(Kept(event=event, epoch=EPOCH, seq=number))
    inquiry = _asked(diary, known, "15:00")
    assert (len(inquiry.found), inquiry.beyond) == (MAX_TOLD, 1)
    asked = inquiry.found[0].openers
    assert asked is not None
    assert (len(asked.booked), asked.booked_beyond) == (MAX_BOOKED, 3)
    assert "and 3 more" in "\n".join(opened(asked))


def test_a_bank_is_explained_from_its_events_alone() -> None:
    known = neighbours("b1 wang lounge 14:00-16:00 S")
    diary = Diary(known)
    diary.at("15:00")
    diary.scan("wang", "hall-in")
    asking = Asking(door="hall", at_ms=clock_ms("15:00"), within_ms=MINUTE_MS)
    inquiry = Inquiry(asking, Scene(SITE, known))
    for kept in diary.kept:
        inquiry.follow(kept)
    [found] = inquiry.found
    assert found.anew is Unknown.NOT_A_DOOR
    assert (found.mode, found.openers) == ("", None)
    assert "GRANTED to holder holder-wang, booking b1" in _lines(found)


def test_whom_an_erased_decision_was_about_is_not_told() -> None:
    known = neighbours(B1)
    diary = Diary(known)
    diary.at("15:00")
    diary.scan("wang")
    diary.erase_all()
    found = _one(diary, known, "15:00")
    assert found.anew is Unknown.ERASED
    text = _lines(found)
    assert "GRANTED to somebody who has been erased" in text
    assert "GRANTED to holder" not in text


@pytest.mark.parametrize(
    ("fact", "moved"),
    [
        (("cause", 3), ("cause", 103)),
        (("cause", -2), ("cause", 98)),
        (("cause", "GARBLED"), ("cause", "GARBLED")),
        (("seqs", "4,5"), ("seqs", "104,105")),
        (("count", 3), ("count", 3)),
    ],
)
def test_numbers_of_an_epoch_become_places(
    fact: tuple[str, int | str], moved: tuple[str, int | str]
) -> None:
    event = Event(
        seq=7,
        kind=EventKind.ACCESS_TAKEN,
        moment=moment(0),
        subject="kitchen-door",
        facts=(fact,),
    )
    assert placed(event, 100).seq == 107
    assert placed(event, 100).facts == (moved,)


def test_local_time_is_the_sites() -> None:
    assert local(clock_ms("15:04:05"), OFFSET_MS) == "2026-03-02 15:04:05"
