# SPDX-License-Identifier: Apache-2.0
"""Two keys at once: who was known goes on, what was lost stays lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.credential import Credential, CredentialKind
from edge.core.event import EventKind
from edge.core.people.roster_row import HolderRow, RevocationRow
from edge.core.people.site_keys import MAX_FORMER_MS
from edge.core.plan import MINUTE_MS
from edge.core.stimulus import Scan, SiteKeysHeld
from tests.core.lockers.wall import site
from tests.core.scene import booking, card, holder, roster, token
from tests.core.stage import Stage, Told

HOUR_MS = 60 * MINUTE_MS
ONE, TWO = SiteKeysHeld(current=1), SiteKeysHeld(current=2)
BOTH = SiteKeysHeld(current=2, former=(1,))
KITCHEN = booking("b1 wang kitchen 14:00-16:00 x9")
PLAN = site(allows_walk_in=True, walk_in_ms=2 * HOUR_MS)


def new(who: str) -> bytes:
    """Return a person's token under the second key; the first is the scene's."""
    return token(f"{who}-2")


def shown(who: str, *, keys: str = "both") -> Credential:
    """Return a card as a box makes tokens of it that holds these keys."""
    if keys == "old":
        return card(who)
    former = ((1, token(who)),) if keys == "both" else ()
    return Credential(kind=CredentialKind.CARD, token=new(who), key=2, former=former)


def rekeyed(row: HolderRow, who: str) -> HolderRow:
    """Return a holder's row with the token under the second key."""
    return replace(row, credentials=((CredentialKind.CARD, new(who)),), site_key=2)


def scan(stage: Stage, who: str, at: str = "kitchen-in", *, keys: str = "both") -> Told:
    card = shown(who, keys=keys)
    scanned = Scan(access_point=at, credential=card, received_s=stage.now_s)
    return stage.do(scanned)


def refusals(stage: Stage) -> list[object]:
    stage.wait(2)  # denials are told a second later
    events = stage.journal
    return [e.fact("reason") for e in events if e.kind is EventKind.ACCESS_DENIED]


def told(stage: Stage) -> list[tuple[object, ...]]:
    events = [e for e in stage.journal if e.kind is EventKind.SITE_KEY_CHANGED]
    return [(e.fact("what"), e.fact("key"), e.fact("former")) for e in events]


@pytest.mark.parametrize("row", [holder("wang"), rekeyed(holder("wang"), "wang")])
def test_a_card_opens_whichever_key_its_row_is_of(row: HolderRow) -> None:
    stage = Stage(roster(row, KITCHEN))
    assert "ACCESS_GRANTED" in scan(stage, "wang")
    assert stage.journal[0].person.holder == "holder-wang"


def test_a_card_of_a_key_that_was_given_up_is_a_stranger_s() -> None:
    stage = Stage(roster(holder("wang"), KITCHEN))
    scan(stage, "wang", keys="new")
    assert refusals(stage) == ["CREDENTIAL_NOT_FOUND"]


@pytest.mark.parametrize("lost", [token("wang"), new("wang")], ids=["old", "new"])
@pytest.mark.parametrize("row", [holder("wang"), rekeyed(holder("wang"), "wang")])
def test_a_lost_card_never_opens_under_whichever_key_it_was_reported(
    row: HolderRow, lost: bytes
) -> None:
    called_back = RevocationRow(token=lost, reason="LOST")
    stage = Stage(roster(row, KITCHEN, called_back))
    scan(stage, "wang")
    assert refusals(stage) == ["CREDENTIAL_REVOKED"]


def test_a_lost_card_that_was_bound_here_stays_lost_when_it_is_known_anew() -> None:
    lost = RevocationRow(token=token("bus"), reason="LOST")
    stage = Stage(roster(holder("wang"), KITCHEN, lost))
    stage.controller.house.local.bind(token("bus"), "holder-wang")
    for _ in range(2):
        scan(stage, "bus")
    assert refusals(stage) == ["CREDENTIAL_REVOKED"] * 2


def test_lost_outweighs_what_the_other_key_s_row_says() -> None:
    rows = [
        RevocationRow(token=new("wang"), reason="LEFT"),
        RevocationRow(token=token("wang"), reason="LOST"),
    ]
    stage = Stage(roster(holder("wang"), *rows))
    rolls = stage.controller.rolls
    assert rolls.revocation(*shown("wang").tokens) == "LOST"
    assert rolls.revocation(new("wang")) == "LEFT"
    assert rolls.revocation(token("li")) is None


def test_a_card_whose_two_tokens_are_two_people_s_is_nobody_s() -> None:
    stage = Stage(roster(holder("wang"), rekeyed(holder("li"), "wang"), KITCHEN))
    scan(stage, "wang")
    assert refusals(stage) == ["CREDENTIAL_NOT_FOUND"]
    assert stage.controller.rolls.lists(*shown("wang").tokens)


def test_within_three_seconds_of_its_grant_it_is_the_same_card() -> None:
    stage = Stage(roster(holder("wang"), KITCHEN))
    assert "ACCESS_GRANTED" in scan(stage, "wang", keys="old")
    stage.wait(1)
    assert "ACCESS_GRANTED" not in scan(stage, "wang"), "it opens again, untold"
    assert stage.releases()


def test_a_bound_card_is_known_by_today_s_token_once_it_was_shown() -> None:
    stage = Stage(roster(holder("wang"), KITCHEN))
    local = stage.controller.house.local
    local.bind(token("bus"), "holder-wang")
    assert "ACCESS_GRANTED" in scan(stage, "bus")
    assert stage.last.is_kept, "no event tells its new token"
    assert (local.owner(token("bus")), local.owner(new("bus"))) == (None, "holder-wang")
    assert (local.cards, local.owners_under(1)) == (1, set())
    kept = stage.replayed(stage.standing(), after=stage.controller.next_seq).house.local
    assert (kept.owners_under(1), kept.owners_under(2)) == (set(), {"holder-wang"})
    stage.wait(5)
    assert "ACCESS_GRANTED" in scan(stage, "bus", keys="new")


def test_a_compartment_rented_under_the_old_key_opens_under_both() -> None:
    stage = Stage(roster(holder("wang")), site=PLAN)
    assert "RENTAL_STARTED" in scan(stage, "stranger", "hall-in", keys="old")
    stage.use(1)
    stage.do(BOTH)
    stage.wait(70)
    assert scan(stage, "stranger", "hall-in") == ["ACCESS_GRANTED", "open hall 1"]
    keys = stage.controller.house.site_keys
    assert keys.needs(1, stage.now()) == "the rental of hall 1"
    stage.use(1)
    assert scan(stage, "stranger", "hall-in") == ["RENTAL_ENDED"]
    assert keys.needs(1, stage.now()) == ""


def test_one_rented_since_needs_the_new_key_alone_and_a_snapshot_keeps_that() -> None:
    stage = Stage(roster(holder("wang")), site=PLAN)
    stage.do(BOTH)
    assert "RENTAL_STARTED" in scan(stage, "stranger", "hall-in")
    keys = stage.controller.house.site_keys
    assert (keys.needs(1, stage.now()), keys.needs(2, stage.now())) == (
        "",
        "the rental of hall 1",
    )
    revived = stage.replayed(stage.standing(), after=stage.controller.next_seq)
    rental = revived.lockers.standing()["hall", 1].rental
    assert rental is not None
    assert (rental.token, rental.key) == (new("stranger"), 2)


def test_what_the_disk_holds_is_told_once_and_by_number() -> None:
    stage = Stage()
    assert stage.do(ONE) == [], "the first key needs no word"
    assert stage.do(BOTH) == ["SITE_KEY_CHANGED"]
    assert stage.do(BOTH) == []
    assert stage.do(TWO) == ["SITE_KEY_CHANGED"]
    assert stage.do(TWO) == []
    assert told(stage) == [("taken", 2, "1"), ("given_up", 1, None)]


def test_a_box_that_missed_a_change_tells_what_it_holds_all_the_same() -> None:
    stage = Stage()
    stage.do(SiteKeysHeld(current=4, former=(1, 3)))
    assert told(stage) == [("taken", 4, "1 3")]
    assert sorted(stage.controller.house.site_keys.former) == [1, 3]


def test_after_a_power_cut_nothing_is_told_twice_or_forgotten() -> None:
    stage = Stage(roster(holder("wang"), KITCHEN))
    state = stage.standing()
    stage.do(BOTH)
    stage.cut_power(state)  # the event is in the journal, and no snapshot has it
    assert stage.do(BOTH) == []
    assert stage.do(TWO) == ["SITE_KEY_CHANGED"]
    assert stage.last.is_kept
    stage.cut_power(stage.standing(), after=stage.controller.next_seq)
    assert stage.do(TWO) == []
    # The file was written, and the power went before it was told.
    other = Stage()
    other.cut_power()
    assert other.do(BOTH) == ["SITE_KEY_CHANGED"]


def test_cards_bound_here_keep_the_old_key_for_half_a_year_and_no_longer() -> None:
    stage = Stage(roster(holder("wang"), KITCHEN))
    local, keys = stage.controller.house.local, stage.controller.house.site_keys
    local.bind(token("bus"), "holder-wang")
    stage.do(BOTH)
    assert keys.needs(1, stage.now()) == "1 people with cards that were bound here"
    stage.utc_ms += MAX_FORMER_MS - 1
    assert keys.needs(1, stage.now())
    stage.utc_ms += 1
    assert keys.needs(1, stage.now()) == ""
    stage.do(TWO)
    assert local.cards == 0, "he proves himself once more"
    scan(stage, "bus", keys="new")
    assert refusals(stage)[-1] == "CREDENTIAL_NOT_FOUND"


def test_but_never_while_who_was_known_by_it_rents_something() -> None:
    rows = (holder("wang"), booking("c1 wang lounge 14:00-16:00 S"))
    stage = Stage(roster(*rows))
    stage.controller.house.local.bind(token("bus"), "holder-wang")
    stage.do(BOTH)
    scan(stage, "wang", "hall-in")
    stage.use(1)
    keys = stage.controller.house.site_keys
    stage.utc_ms += 2 * MAX_FORMER_MS
    assert keys.needs(1, stage.now()) == (
        "somebody with a card that was bound here, who is not done"
    )
    stage.end_rental(1)
    assert keys.needs(1, stage.now()) == ""


def test_an_unsure_clock_keeps_the_old_key_longer_never_shorter() -> None:
    stage = Stage(roster(holder("wang")))
    stage.spread_ms = 24 * HOUR_MS
    stage.controller.house.local.bind(token("bus"), "holder-wang")
    stage.do(BOTH)
    stage.utc_ms += MAX_FORMER_MS
    assert stage.controller.house.site_keys.needs(1, stage.now())
    stage.utc_ms += 24 * HOUR_MS
    assert not stage.controller.house.site_keys.needs(1, stage.now())


def test_a_replay_takes_back_no_card_that_was_shown_before_the_key_went() -> None:
    stage = Stage(roster(holder("wang"), KITCHEN))
    stage.controller.house.local.bind(token("bus"), "holder-wang")
    stage.do(BOTH)
    scan(stage, "bus")
    stage.do(TWO)
    assert stage.last.is_kept, "an older snapshot has the card under the old key"
    state, last = stage.standing(), stage.controller.next_seq - 1
    kept = stage.replayed(state, after=last).house.local
    assert kept.owner(new("bus")) == "holder-wang"


def test_no_token_and_no_key_stands_in_an_event() -> None:
    stage = Stage(roster(holder("wang"), KITCHEN))
    stage.controller.house.local.bind(token("bus"), "holder-wang")
    stage.do(BOTH)
    scan(stage, "bus")
    stage.do(TWO)
    shown_tokens = [t.hex() for t in (token("bus"), new("bus"))]
    assert not any(each in repr(stage.journal) for each in shown_tokens)
    assert new("bus").decode() not in repr(shown("bus"))
