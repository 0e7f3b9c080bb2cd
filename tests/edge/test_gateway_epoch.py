# SPDX-License-Identifier: Apache-2.0
"""A new journal epoch under a running gateway: numbers move, nothing is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from edge.core.event import EventKind
from edge.core.stimulus import ContactChanged, Noted
from edge.storage.errors import StorageError
from tests.edge.stage import PEOPLE, settle

if TYPE_CHECKING:
    from tests.edge.stage import HandClock, Stage

STRANGER = PEOPLE + 1


async def stored(stage: Stage, persons: range) -> None:
    """Have so many grants stored, at doors in turn."""
    for person in persons:
        stage.scan(person, ("front", "yard")[person % 2])
        await settle()
        await stage.journal.complete_all()


async def test_a_new_epoch_numbers_everything_not_stored_anew(stage: Stage) -> None:
    await stored(stage, range(5))
    assert stage.journal.next_seq == 6
    stage.scan(STRANGER)
    await settle()
    begun = asyncio.ensure_future(stage.gateway.new_epoch())
    await settle()
    # While the journal is being numbered anew nothing may be appended to it.
    stage.scan(10, "gate")
    await settle()
    assert len(stage.journal.tried) == 5
    await stage.journal.complete()
    await begun
    # Three of the five were not acknowledged; the denial and the grant follow them.
    assert stage.controller.next_seq == 6
    await settle()
    assert [e.seq for e in stage.journal.tried[-1]] == [4, 5]
    await stage.journal.complete()
    assert stage.released()[-1] == 5
    assert stage.journal.next_seq == 6


async def test_a_new_epoch_waits_for_the_commit_in_flight(stage: Stage) -> None:
    stage.scan(1)
    await settle()
    begun = asyncio.ensure_future(stage.gateway.new_epoch())
    await settle()
    assert stage.journal.epochs == 0
    await stage.journal.complete()
    await stage.journal.complete()
    await begun
    assert stage.journal.epochs == 1


async def test_whoever_gives_up_waiting_parts_journal_and_rules_nowhere(
    stage: Stage,
) -> None:
    """Else every later append would be refused, and only a restart would heal it."""
    await stored(stage, range(5))
    started = Noted(kind=EventKind.EPOCH_STARTED, subject="journal", facts=())
    begun = asyncio.ensure_future(stage.gateway.new_epoch(lambda: started))
    await settle()
    begun.cancel()
    await asyncio.wait({begun})
    again = asyncio.ensure_future(stage.gateway.new_epoch())
    await stage.journal.complete()
    await settle()
    assert stage.journal.next_seq == 4
    assert stage.controller.next_seq == 5  # the note took the next number
    await stage.journal.complete_all()
    await again
    await stage.journal.complete_all()
    assert EventKind.EPOCH_STARTED in stage.kinds()
    assert not stage.gateway.is_storage_faulty


async def test_a_release_told_late_is_told_under_its_new_number(
    stage: Stage, clock: HandClock
) -> None:
    await stored(stage, range(5))
    begun = asyncio.ensure_future(stage.gateway.new_epoch())
    await settle()
    stage.scan(20)
    await clock.go(0.3)
    assert stage.released()[-1] == 6
    await stage.journal.complete()
    await begun
    await stage.journal.complete_all()
    [slow] = [e for e in stage.journal.stored if e.kind is EventKind.STORAGE_SLOW]
    assert slow.fact("seqs") == "4"


async def test_a_new_epoch_brings_a_snapshot_in_its_own_numbers(stage: Stage) -> None:
    await stored(stage, range(5))
    before = len(stage.journal.states)
    stage.journal.is_prompt = True
    await stage.gateway.new_epoch()
    stage.gateway.arrive(ContactChanged(door="hall-door", is_open=True))
    await settle()
    assert len(stage.journal.states) == before + 1


async def test_no_new_epoch_after_a_commit_whose_outcome_nobody_knows(
    stage: Stage,
) -> None:
    stage.scan(1)
    await settle()
    await stage.journal.fail()
    refused = asyncio.ensure_future(stage.gateway.new_epoch())
    await settle()
    await stage.journal.fail()
    with pytest.raises(StorageError, match="a new epoch has to wait"):
        await refused
    assert stage.journal.epochs == 0
    stage.journal.is_prompt = True
    await stage.gateway.new_epoch()
    assert stage.journal.epochs == 1
    assert stage.gateway.unstored == 0


async def test_a_journal_that_refuses_the_new_epoch_goes_on_in_the_old(
    stage: Stage,
) -> None:
    await stored(stage, range(2))
    begun = asyncio.ensure_future(stage.gateway.new_epoch())
    await settle()
    stage.scan(10)
    await settle()
    await stage.journal.fail(StorageError("the chain is broken"))
    with pytest.raises(StorageError):
        await begun
    await stage.journal.complete()
    assert [e.seq for e in stage.journal.stored] == [1, 2, 3]
