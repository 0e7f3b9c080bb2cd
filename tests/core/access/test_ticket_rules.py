# SPDX-License-Identifier: Apache-2.0
"""Which tickets hold where and when; the table is the specification."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.access.answers import DenyReason, NextStep
from edge.core.access.ticket import Rotation, SpoiltTicket, Ticket, TicketFlaw
from edge.core.access.ticket_rules import (
    EARLY_ALLOWANCE_MS,
    ISSUED_AHEAD_MS,
    LATE_ALLOWANCE_MS,
    MOST_UNSURE_MS,
    REASONS,
    STEP_MS,
    TicketHolds,
    TicketRefusal,
    candidate_steps,
    clock_floor_ms,
    judge_ticket,
    refusals,
    ticket_places,
)
from edge.core.moment import UNBOUNDED_MS, Moment
from tests.core.scene import DAY_MS, SITE, clock_ms, moment

R = DenyReason
NUMBERS = {12: "kitchen-door", 20: "lounge", 99: "nothing-here"}
PLACES = ticket_places(SITE, NUMBERS)
KITCHEN = PLACES["kitchen-door"]
FROM_MS, TO_MS = clock_ms("14:00"), clock_ms("16:00")
OPENS_MS, CLOSES_MS = FROM_MS - EARLY_ALLOWANCE_MS, TO_MS + LATE_ALLOWANCE_MS
GOOD = Ticket(
    ticket_id="0001020304050607",
    key_id="02",
    not_before_ms=FROM_MS,
    expires_ms=TO_MS,
    issued_ms=clock_ms("09:00"),
    doors=(12,),
    audience=SITE.site_id,
)
NOON = moment(clock_ms("15:00"))


def refused(ticket: Ticket, now: Moment = NOON) -> TicketRefusal:
    answer = judge_ticket(ticket, KITCHEN, now)
    assert isinstance(answer, TicketRefusal)
    return answer


def holds(ticket: Ticket, now: Moment = NOON, door: str = "kitchen-door") -> bool:
    return isinstance(judge_ticket(ticket, PLACES[door], now), TicketHolds)


@pytest.mark.parametrize(
    ("earliest", "latest", "verdict"),
    [
        (OPENS_MS - 1, OPENS_MS - 1, R.TOO_EARLY),
        (OPENS_MS, OPENS_MS, "sure"),
        (CLOSES_MS - 1, CLOSES_MS - 1, "sure"),
        (CLOSES_MS, CLOSES_MS, R.QR_EXPIRED),
        (OPENS_MS - 1, OPENS_MS, "unsure"),
        (OPENS_MS, CLOSES_MS - 1, "sure"),
        (OPENS_MS, CLOSES_MS, "unsure"),
        (CLOSES_MS - 1, CLOSES_MS, "unsure"),
        (CLOSES_MS, UNBOUNDED_MS, R.QR_EXPIRED),
        (OPENS_MS, UNBOUNDED_MS, "unsure"),
        (0, UNBOUNDED_MS, "unsure"),
        (0, OPENS_MS - 1, R.TOO_EARLY),
    ],
)
def test_the_window_is_half_open_and_judged_against_an_interval(
    earliest: int, latest: int, verdict: DenyReason | str
) -> None:
    ticket = replace(GOOD, issued_ms=0)
    answer = judge_ticket(ticket, KITCHEN, moment(earliest, latest))
    if isinstance(answer, TicketHolds):
        assert verdict == ("unsure" if answer.is_time_unsure else "sure")
        assert answer.ticket is ticket
    else:
        assert answer.reason is verdict


@pytest.mark.parametrize(
    ("changed", "reason", "flaw"),
    [
        ({"audience": None}, R.INVALID_SIGNATURE, "format"),
        ({"issued_ms": None}, R.INVALID_SIGNATURE, "format"),
        ({"doors": ()}, R.INVALID_SIGNATURE, "format"),
        ({"key_to_ms": NOON.latest_ms}, R.INVALID_SIGNATURE, "kid_expired"),
        ({"key_from_ms": NOON.latest_ms + 1}, R.INVALID_SIGNATURE, "kid_expired"),
        ({"audience": "site-2"}, R.WRONG_SPACE, "door"),
        (
            {"issued_ms": NOON.latest_ms + ISSUED_AHEAD_MS + 1},
            R.INVALID_SIGNATURE,
            "not_yet",
        ),
        ({"rotation": Rotation.WRONG}, R.QR_EXPIRED, "rotation"),
        ({"doors": (13,)}, R.WRONG_SPACE, "door"),
        ({"doors": ("lounge",)}, R.WRONG_SPACE, "door"),
        # A number of the site file that names nothing opens nothing.
        ({"doors": (99,)}, R.WRONG_SPACE, "door"),
    ],
)
def test_each_flaw_has_its_own_reason_and_detail(
    changed: dict[str, object], reason: DenyReason, flaw: str
) -> None:
    answer = refused(replace(GOOD, **changed))  # type: ignore[arg-type]
    assert (answer.reason, answer.flaw) == (reason, flaw)
    assert dict(answer.facts)["detail"] == flaw


@pytest.mark.parametrize(
    "changed",
    [
        {"issued_ms": NOON.latest_ms + ISSUED_AHEAD_MS},
        {"key_from_ms": NOON.latest_ms},
        {"key_to_ms": NOON.latest_ms + 1},
        {"rotation": Rotation.PROVEN, "rotation_step": 1},
        {"doors": ("kitchen",)},
        {"doors": ("kitchen-door",)},
        {"doors": (13, "elsewhere", 12)},
    ],
)
def test_the_last_good_value_beside_each_flaw_holds(changed: dict[str, object]) -> None:
    assert holds(replace(GOOD, **changed))  # type: ignore[arg-type]


def test_a_space_opens_all_its_doors_and_a_door_itself_alone() -> None:
    lounge = replace(GOOD, doors=(20,))
    assert holds(lounge, door="lounge-door")
    assert holds(lounge, door="store-door")
    assert holds(lounge, door="hall")
    store = replace(GOOD, doors=("store-door",))
    assert holds(store, door="store-door")
    assert not holds(store, door="lounge-door")


def test_a_ticket_of_many_flaws_is_refused_for_the_first_of_the_order() -> None:
    ticket = replace(
        GOOD,
        key_to_ms=1,
        audience="site-2",
        issued_ms=NOON.latest_ms + DAY_MS,
        expires_ms=FROM_MS + 1,
        rotation=Rotation.WRONG,
        doors=(13,),
    )
    found = [r.flaw for r in refusals(ticket, KITCHEN, NOON, is_revoked=True)]
    order = ["kid_expired", "door", "not_yet", "revoked", "expired", "rotation", "door"]
    assert found == order
    assert refused(ticket).flaw == order[0]


def test_a_refusal_tells_what_would_help() -> None:
    early = refused(GOOD, moment(clock_ms("08:00") + 2 * ISSUED_AHEAD_MS - 1))
    assert early.flaw is TicketFlaw.NOT_YET
    morning = refused(GOOD, moment(clock_ms("10:00")))
    assert dict(morning.facts)["from_ms"] == FROM_MS
    evening = refused(GOOD, moment(clock_ms("20:00")))
    assert dict(evening.facts)["to_ms"] == TO_MS
    lounge = refused(replace(GOOD, doors=(13, 20)))
    assert dict(lounge.facts)["space"] == "lounge"
    assert lounge.step is None
    nowhere = refused(replace(GOOD, doors=(13,)))
    assert nowhere.step is NextStep.ASK_VOLUNTEER
    abroad = refused(replace(GOOD, audience="site-2"))
    assert dict(abroad.facts)["site"] == "site-2"
    assert abroad.step is NextStep.ASK_VOLUNTEER


def test_a_ticket_called_back_is_revoked_whatever_the_time() -> None:
    answer = judge_ticket(GOOD, KITCHEN, NOON, is_revoked=True)
    assert isinstance(answer, TicketRefusal)
    assert answer.reason is R.CREDENTIAL_REVOKED


def test_nobody_lies_about_the_future_to_a_clock_that_knows_no_bound() -> None:
    ahead = replace(GOOD, issued_ms=NOON.latest_ms + DAY_MS)
    assert holds(ahead, moment(clock_ms("15:00"), UNBOUNDED_MS))


def test_a_code_that_nobody_could_check_leaves_the_ticket_unsure() -> None:
    answer = judge_ticket(replace(GOOD, rotation=Rotation.UNCHECKED), KITCHEN, NOON)
    assert isinstance(answer, TicketHolds)
    assert answer.is_time_unsure


@pytest.mark.parametrize("flaw", TicketFlaw)
def test_every_flaw_is_refused_with_a_reason(flaw: TicketFlaw) -> None:
    answer = judge_ticket(SpoiltTicket(flaw=flaw), KITCHEN, NOON)
    assert isinstance(answer, TicketRefusal)
    assert answer.reason is REASONS[flaw]
    assert answer.facts == (("detail", flaw.value),)


def test_a_code_is_good_for_a_minute_after_its_step_and_half_of_one_before() -> None:
    step = NOON.latest_ms // STEP_MS
    start = moment(step * STEP_MS)
    assert candidate_steps(start) == range(step - 2, step + 2)
    assert candidate_steps(moment(start.earliest_ms - 1))[-1] == step
    assert candidate_steps(moment(start.latest_ms + STEP_MS - 1))[0] == step - 2


def test_no_step_lies_before_1970() -> None:
    assert candidate_steps(moment(0)) == range(2)


def test_an_unsure_clock_expects_more_codes_and_a_lost_one_none() -> None:
    start_ms = NOON.earliest_ms
    wide = candidate_steps(moment(start_ms, start_ms + MOST_UNSURE_MS))
    assert len(wide) == MOST_UNSURE_MS // STEP_MS + 4
    assert not candidate_steps(moment(start_ms, start_ms + MOST_UNSURE_MS + 1))
    assert not candidate_steps(moment(start_ms, UNBOUNDED_MS))


def test_only_a_stamp_within_its_keys_life_is_evidence_of_time() -> None:
    issued_ms = clock_ms("09:00")
    assert clock_floor_ms(GOOD) == issued_ms - ISSUED_AHEAD_MS
    assert clock_floor_ms(replace(GOOD, issued_ms=None)) is None
    assert clock_floor_ms(replace(GOOD, key_to_ms=issued_ms)) is None
    assert clock_floor_ms(replace(GOOD, key_from_ms=issued_ms + 1)) is None
    assert clock_floor_ms(replace(GOOD, key_from_ms=issued_ms)) is not None


def test_a_single_use_pass_for_a_party_enters_once_for_each_person() -> None:
    assert GOOD.most_entries == 0
    assert replace(GOOD, uses=1).most_entries == 1
    assert replace(GOOD, uses=2, party=4).most_entries == 8


def test_a_log_shows_four_bytes_of_an_id() -> None:
    assert bytes.fromhex(GOOD.ticket_prefix) == bytes(range(4))
