# SPDX-License-Identifier: Apache-2.0
"""How often a ticket was used, told by events and rebuilt from them."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from edge.core.access import redemptions as module
from edge.core.access.redemptions import (
    AGAIN_S,
    DAY_MS,
    MAX_UNVERIFIED,
    Redemption,
    Redemptions,
    redemption_facts,
)
from edge.core.access.ticket import Rotation, Ticket, TicketFlaw
from edge.core.access.ticket_rules import LATE_ALLOWANCE_MS
from edge.core.event import Event, EventKind, Facts, Person
from tests.core.scene import clock_ms, moment

SINGLE = Ticket(
    ticket_id="00" * 8,
    not_before_ms=clock_ms("14:00"),
    expires_ms=clock_ms("16:00"),
    doors=(12,),
    uses=1,
)
FREE = replace(SINGLE, uses=0, ticket_id="11" * 8)
KITCHEN, LOUNGE = "kitchen-in", "lounge-in"


def turning(step: int, *, uses: int = 0) -> Ticket:
    return replace(SINGLE, uses=uses, rotation=Rotation.PROVEN, rotation_step=step)


class Story:
    """A door that grants, opens or does not, told to what is tested."""

    def __init__(self) -> None:
        self.used = Redemptions()
        self.seq = 0
        self.now = moment(clock_ms("15:00"))

    def wait(self, seconds: float) -> None:
        later_ms = self.now.earliest_ms + int(seconds * 1000)
        self.now = moment(later_ms, s=self.now.monotonic_s + seconds)

    def tell(self, kind: EventKind, point: str, facts: Facts, ticket: str = "") -> int:
        self.seq += 1
        self.used.follow(
            Event(
                seq=self.seq,
                kind=kind,
                moment=self.now,
                subject=point,
                facts=facts,
                person=Person(ticket=ticket or None),
            )
        )
        return self.seq

    def grant(
        self,
        ticket: Ticket,
        point: str = KITCHEN,
        *more: tuple[str, int | str],
        is_time_unsure: bool = False,
    ) -> int:
        facts = redemption_facts(ticket, is_time_unsure=is_time_unsure) + more
        if is_time_unsure:
            facts += (("time_unverified", 1),)
        return self.tell(EventKind.ACCESS_GRANTED, point, facts, ticket.ticket_id)

    def taken(self, cause: int) -> None:
        self.tell(EventKind.ACCESS_TAKEN, KITCHEN, (("cause", cause),))

    def not_taken(self, cause: int) -> None:
        self.tell(EventKind.ACCESS_NOT_TAKEN, KITCHEN, (("cause", cause),))

    def flaw(self, ticket: Ticket, point: str = KITCHEN) -> TicketFlaw | None:
        return self.used.flaw(ticket, point, self.now)


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_single_use_is_taken_up_at_the_grant_and_final_when_the_door_opened(
    story: Story,
) -> None:
    assert story.flaw(SINGLE) is None
    cause = story.grant(SINGLE)
    assert story.used.running(SINGLE, KITCHEN) == cause
    assert story.flaw(SINGLE) is TicketFlaw.USED
    story.taken(cause)
    assert story.used.running(SINGLE, KITCHEN) is None
    assert story.flaw(SINGLE) is TicketFlaw.USED


def test_a_grant_that_nobody_used_gives_it_back(story: Story) -> None:
    story.not_taken(story.grant(SINGLE))
    assert story.used.running(SINGLE, KITCHEN) is None
    assert story.flaw(SINGLE) is None


def test_only_the_door_that_is_released_opens_again(story: Story) -> None:
    story.grant(SINGLE)
    assert story.used.running(SINGLE, LOUNGE) is None
    assert story.flaw(SINGLE, LOUNGE) is TicketFlaw.USED


def test_n_uses_are_n_entries_of_the_whole_party(story: Story) -> None:
    family = replace(SINGLE, uses=2, party=3)
    for _ in range(family.most_entries):
        assert story.flaw(family) is None
        story.taken(story.grant(family))
    assert story.flaw(family) is TicketFlaw.USED


def test_a_ticket_without_limit_and_code_is_not_remembered(story: Story) -> None:
    assert redemption_facts(FREE, is_time_unsure=False) == ()
    story.taken(story.grant(FREE))
    assert story.used.by_ticket == {}
    assert story.flaw(FREE) is None


def test_a_door_that_is_free_and_a_compartment_use_nothing_up(story: Story) -> None:
    story.grant(SINGLE, KITCHEN, ("free", 1))
    story.grant(SINGLE, KITCHEN, ("bank", "hall"))
    assert story.flaw(SINGLE) is None


def test_a_code_shown_is_a_replay_at_every_door(story: Story) -> None:
    story.taken(story.grant(turning(100)))
    assert story.flaw(turning(100)) is TicketFlaw.REPLAY
    assert story.flaw(turning(100), LOUNGE) is TicketFlaw.REPLAY
    assert story.flaw(turning(99)) is TicketFlaw.REPLAY
    assert story.flaw(turning(101)) is None


def test_who_did_not_push_the_door_may_show_the_same_code_again(story: Story) -> None:
    story.not_taken(story.grant(turning(100)))
    story.wait(AGAIN_S - 0.1)
    assert story.flaw(turning(100)) is None
    assert story.flaw(turning(99)) is TicketFlaw.REPLAY
    assert story.flaw(turning(100), LOUNGE) is TicketFlaw.REPLAY
    story.wait(0.1)
    assert story.flaw(turning(100)) is TicketFlaw.REPLAY


def test_the_same_code_after_a_restart_is_a_replay(story: Story) -> None:
    story.not_taken(story.grant(turning(100)))
    story.now = replace(story.now, boot="boot-2")
    assert story.flaw(turning(100)) is TicketFlaw.REPLAY


def test_while_the_release_runs_the_same_and_newer_codes_open_again(
    story: Story,
) -> None:
    cause = story.grant(turning(100))
    assert story.used.running(turning(100), KITCHEN) == cause
    assert story.used.running(turning(101), KITCHEN) == cause
    assert story.used.running(turning(99), KITCHEN) is None


def test_a_copy_without_its_code_opens_no_running_release(story: Story) -> None:
    story.grant(turning(100))
    copy = replace(SINGLE, uses=0, rotation=Rotation.WRONG)
    assert story.used.running(copy, KITCHEN) is None


def test_an_older_code_never_lowers_the_newest(story: Story) -> None:
    story.taken(story.grant(turning(100)))
    story.taken(story.grant(turning(90)))
    assert story.flaw(turning(95)) is TicketFlaw.REPLAY


def test_an_unsure_clock_lets_a_ticket_in_twice_a_day(story: Story) -> None:
    for _ in range(MAX_UNVERIFIED):
        assert story.used.may_enter_unverified(FREE, story.now)
        story.taken(story.grant(FREE, is_time_unsure=True))
    assert not story.used.may_enter_unverified(FREE, story.now)
    story.wait(DAY_MS / 1000 - 1)
    assert not story.used.may_enter_unverified(FREE, story.now)
    story.wait(1)
    assert story.used.may_enter_unverified(FREE, story.now)
    story.taken(story.grant(FREE, is_time_unsure=True))
    assert story.used.by_ticket[FREE.ticket_id].unverified == 1


def test_an_unused_entry_on_an_unsure_clock_is_not_counted(story: Story) -> None:
    for _ in range(MAX_UNVERIFIED + 1):
        story.not_taken(story.grant(FREE, is_time_unsure=True))
    assert story.used.may_enter_unverified(FREE, story.now)


def test_an_expired_ticket_is_forgotten_but_not_before_its_allowance(
    story: Story,
) -> None:
    story.taken(story.grant(SINGLE))
    gone_ms = SINGLE.expires_ms + LATE_ALLOWANCE_MS
    story.used.prune(gone_ms - 1)
    assert SINGLE.ticket_id in story.used.by_ticket
    story.used.prune(gone_ms)
    assert story.used.by_ticket == {}


def test_a_full_table_refuses_new_tickets_and_keeps_old_ones(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_TICKETS", 2)
    known = [replace(SINGLE, ticket_id=f"{n:016x}") for n in (1, 2)]
    for ticket in known:
        assert story.used.has_room(ticket, is_time_unsure=False)
        story.taken(story.grant(ticket))
    assert not story.used.has_room(SINGLE, is_time_unsure=False)
    assert story.used.has_room(known[0], is_time_unsure=False)
    assert story.used.has_room(FREE, is_time_unsure=False)
    assert not story.used.has_room(FREE, is_time_unsure=True)
    # Only a journal written under a larger maximum leads here.
    last = replace(SINGLE, ticket_id="ee" * 8, expires_ms=SINGLE.expires_ms + 1)
    story.grant(last)
    assert len(story.used.by_ticket) == 2
    assert last.ticket_id in story.used.by_ticket


def test_a_new_epoch_keeps_what_is_released(story: Story) -> None:
    cause = story.grant(SINGLE)
    story.used.renumber(-cause)
    assert story.used.running(SINGLE, KITCHEN) == 0
    story.not_taken(0)
    assert story.flaw(SINGLE) is None


def test_an_event_of_an_erased_person_changes_nothing(story: Story) -> None:
    facts = redemption_facts(SINGLE, is_time_unsure=False)
    story.tell(EventKind.ACCESS_GRANTED, KITCHEN, facts)
    story.not_taken(story.seq)
    assert story.used.by_ticket == {}
    assert story.used.open_grants == {}


def test_other_events_and_unknown_causes_change_nothing(story: Story) -> None:
    story.taken(story.grant(SINGLE))
    before = story.used.dump()
    story.taken(99)
    story.not_taken(99)
    story.tell(EventKind.DOOR_OPENED, "kitchen-door", ())
    assert story.used.dump() == before


@pytest.mark.parametrize("seed", range(40))
def test_a_plain_count_agrees_and_a_restart_changes_nothing(seed: int) -> None:
    """Random grants and outcomes against lists of seqs, with snapshots between."""
    chance = random.Random(seed)
    story = Story()
    tickets = [
        replace(SINGLE, ticket_id=f"{n:016x}", uses=n % 4, party=1 + n % 2)
        for n in range(6)
    ]
    entered: dict[str, list[int]] = {ticket.ticket_id: [] for ticket in tickets}
    running: dict[int, Ticket] = {}
    for _ in range(200):
        ticket = chance.choice(tickets)
        seqs = entered[ticket.ticket_id]
        if running and chance.random() < 0.5:
            cause, of = running.popitem()
            if chance.random() < 0.5:
                story.taken(cause)
            else:
                story.not_taken(cause)
                entered[of.ticket_id].remove(cause)
        elif ticket.uses == 0:
            story.grant(ticket)
        elif len(seqs) < ticket.uses * ticket.party:
            assert story.flaw(ticket) is None
            seqs.append(story.grant(ticket, chance.choice((KITCHEN, LOUNGE))))
            running[seqs[-1]] = ticket
        else:
            assert story.flaw(ticket) is TicketFlaw.USED
        if chance.random() < 0.1:
            stored = json.loads(json.dumps(story.used.dump()))
            story.used = Redemptions()
            story.used.load(stored)
        counted = {t: used.entries for t, used in story.used.by_ticket.items()}
        assert {t: n for t, n in counted.items() if n} == {
            t: len(seqs) for t, seqs in entered.items() if seqs
        }
        assert set(story.used.open_grants) == set(running)


def test_a_snapshot_holds_every_field(story: Story) -> None:
    story.grant(turning(100, uses=3), is_time_unsure=True)
    loaded = Redemptions()
    loaded.load(json.loads(json.dumps(story.used.dump())))
    assert loaded.open_grants == story.used.open_grants
    assert loaded.by_ticket == {
        SINGLE.ticket_id: Redemption(
            expires_ms=SINGLE.expires_ms,
            entries=1,
            unverified=1,
            day_ms=story.now.earliest_ms,
            step=100,
        )
    }
