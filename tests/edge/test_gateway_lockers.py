# SPDX-License-Identifier: Apache-2.0
"""The step at the lockers: no leaf without its record, but first aid never waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.command import Indicate, Indication
from edge.core.event import EventKind
from tests.edge.stage import LOCKER_HOLDER, PEOPLE, settle

if TYPE_CHECKING:
    from tests.edge.stage import HandClock, Stage

STRANGER = PEOPLE + 1


async def test_no_leaf_opens_before_its_rental_is_stored(stage: Stage) -> None:
    stage.scan(LOCKER_HOLDER, "bank-front")
    await settle()
    assert stage.journal.is_busy
    assert stage.opened() == []
    await stage.journal.complete_all()
    assert stage.opened() == [1]


async def test_a_leaf_whose_commit_outlasts_its_patience_stays_shut(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(LOCKER_HOLDER, "bank-front")
    await settle()
    await clock.go(0.3)
    assert stage.opened() == []
    said = [c.reason for c in stage.carried if isinstance(c, Indicate)]
    assert "STORAGE_FAULT" in said
    await stage.journal.complete_all()
    assert stage.opened() == [], "the late commit opened it after all"


async def test_its_holder_s_next_scan_opens_it(stage: Stage, clock: HandClock) -> None:
    stage.scan(LOCKER_HOLDER, "bank-front")
    await settle()
    await clock.go(0.3)
    await stage.journal.complete_all()
    await clock.go(5.0)
    await stage.journal.complete_all()
    stage.scan(LOCKER_HOLDER, "bank-front")
    await settle()
    await stage.journal.complete_all()
    assert stage.opened() == [1]
    assert stage.kinds().count(EventKind.RENTAL_STARTED) == 1


async def test_the_medicine_box_opens_although_the_disk_is_slow(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(STRANGER, "aid")
    await settle()
    assert stage.opened() == []
    await clock.go(0.3)
    assert stage.opened() == [2]
    await stage.journal.complete_all()
    assert stage.opened() == [2]
    assert EventKind.STORAGE_SLOW in stage.kinds()


async def test_what_slept_through_a_stall_opens_no_leaf(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(STRANGER, "aid")
    await settle()
    clock.now_s += 10.0  # the process stood still, its commit with it
    await stage.journal.complete_all()
    assert stage.opened() == []
    assert any(
        isinstance(c, Indicate) and c.indication is Indication.GRANTED
        for c in stage.carried
    )
