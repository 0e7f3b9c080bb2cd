# SPDX-License-Identifier: Apache-2.0
"""A snapshot of the feed is in force whole or not at all, in memory and on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_sync.feed import NO_FEED, FeedCursor, FeedRow
from cloud_sync.ports import PortFaultError
from edge.cli.roster_feed import RosterFeed
from edge.cli.roster_work import SLICE_ROWS
from edge.core.event import EventKind
from edge.core.people.quarantine import MAX_TOLD
from edge.core.people.roster import Cursor
from edge.storage.connection import open_aiosqlite, open_inline
from edge.storage.roster import RosterStore
from tests.edge.fed_site import (
    EPOCH,
    TOKEN,
    Disk,
    Site,
    complete,
    holder,
    many,
    row,
    running,
)
from tests.edge.stage import Stage, settle
from tests.storage.sealing import SEAL, with_body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.core.stimulus import Noted


BAD = [
    (holder("x-9", "f0"), "credentials: expected 16 hex bytes"),
    (row("booking", "b-9", state="MAYBE"), "state: expected CONFIRMED"),
    (row("revocation", "r-9", token=7, reason="LOST"), "token: expected"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "roster.db"


@pytest.fixture
async def fed(path: Path, prompt_stage: Stage) -> AsyncIterator[Site]:
    async with running(path, prompt_stage) as opened:
        yield opened


async def test_a_snapshot_is_in_force_once_it_is_complete(fed: Site) -> None:
    assert fed.feed.cursor == NO_FEED
    await fed.stage_rows([holder("guest")])
    assert not fed.knows()
    await fed.feed.complete(complete(1))
    assert fed.knows()
    assert fed.feed.cursor == FeedCursor(epoch=EPOCH, rev=1)
    assert fed.stage.controller.roster.cursor == Cursor(EPOCH, 1)
    assert fed.feed.confirmed_ms == fed.stage.clock.moment().earliest_ms
    assert fed.stage.controller.rolls.confirmed_ms == fed.feed.confirmed_ms
    await settle()
    assert fed.stage.kinds() == [EventKind.ROSTER_APPLIED]


async def test_a_newer_snapshot_replaces_all_of_the_older(fed: Site) -> None:
    await fed.take([holder("guest"), *many(3 * SLICE_ROWS)])
    assert fed.stage.controller.roster.credentials == 3 * SLICE_ROWS + 1
    await fed.take(many(2), rev=2, name="s2")
    assert fed.stage.controller.roster.credentials == 2
    assert not fed.knows()
    assert fed.store.cursor.count == 2


@pytest.mark.parametrize(("bad", "why"), BAD)
@pytest.mark.parametrize("place", [0, 1, 2 * SLICE_ROWS])
async def test_one_bad_row_is_kept_out_and_told_and_the_rest_works(
    fed: Site, bad: FeedRow, why: str, place: int
) -> None:
    rows = many(2 * SLICE_ROWS)
    rows.insert(place, bad)
    await fed.take(rows, rev=2)
    assert fed.stage.controller.roster.credentials == 2 * SLICE_ROWS
    assert fed.feed.cursor == FeedCursor(epoch=EPOCH, rev=2)
    assert fed.stage.kinds() == [EventKind.ROSTER_APPLIED, EventKind.ROW_QUARANTINED]
    [told] = fed.told(EventKind.ROW_QUARANTINED)
    assert told.startswith(why)
    assert "f0f0" not in told


async def test_a_snapshot_that_is_mostly_broken_is_refused_whole(fed: Site) -> None:
    """A sender's mistake must not empty a site."""
    await fed.take([holder("guest")])
    before = fed.stage.controller.roster
    await fed.take([bad for bad, _ in BAD] + many(2), rev=2, name="s2")
    assert fed.stage.controller.roster is before
    assert fed.feed.cursor == FeedCursor(epoch=EPOCH, rev=1)
    assert fed.store.cursor.rev == 1
    [told] = fed.told(EventKind.ROSTER_REFUSED)
    assert told.startswith(f"3 of 5 rows broken, first a holder: {BAD[0][1]}")
    assert fed.told(EventKind.ROW_QUARANTINED) == []
    # What was staged is gone, and the next snapshot starts with a clean sheet.
    assert [r.id async for chunk in fed.store.rows() for r in chunk] == ["guest"]
    await fed.take(many(3), rev=3, name="s3")
    assert fed.stage.controller.roster.credentials == 3
    assert fed.told(EventKind.ROW_QUARANTINED) == []


async def test_many_bad_rows_are_told_in_few_events(
    fed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[Noted] = []
    monkeypatch.setattr(fed.stage.gateway, "note", notes.append)
    bad = [row("booking", f"b-{n}", state="MAYBE") for n in range(MAX_TOLD + 5)]
    await fed.take([*many(100), *bad])
    assert len(notes) == MAX_TOLD + 1
    assert notes[-1].facts == (("count", 5),)
    assert fed.stage.controller.roster.credentials == 100


async def test_what_was_told_of_the_snapshot_before_is_not_told_again(
    fed: Site,
) -> None:
    bad = BAD[0][0]
    await fed.take([*many(2), bad])
    await fed.take([*many(3), bad], rev=2, name="s2")
    assert len(fed.told(EventKind.ROW_QUARANTINED)) == 1
    await fed.take(many(3), rev=3, name="s3")
    await fed.take([*many(3), bad], rev=4, name="s4")
    assert len(fed.told(EventKind.ROW_QUARANTINED)) == 2


async def test_a_booking_of_nobody_or_elsewhere_is_told(
    path: Path, prompt_stage: Stage
) -> None:
    def of(whose: str, space: str) -> FeedRow:
        times: dict[str, object] = {"from": 1, "to": 2}
        body = {"holder": whose, "space": space, "party": 1, "state": "CONFIRMED"}
        return row("booking", f"b-{whose}-{space}", **body, **times)

    rows = [of("guest", "hall"), of("ghost", "hall"), of("guest", "cellar")]
    async with open_aiosqlite(path) as connection:
        store = await RosterStore.open(connection, SEAL)
        feed = await RosterFeed.open(store, prompt_stage.gateway, {"hall"})
        site = Site(prompt_stage, feed, store, Disk(connection))
        await site.take([*rows, holder("guest")])
        assert site.told(EventKind.ROW_QUARANTINED) == [
            "holder: there is no such holder",
            "space: there is none such",
        ]
        known = site.stage.controller.roster
        assert len(list(known.booked("hall", 0, 9))) == 1


async def test_a_revocation_with_a_broken_reason_revokes(fed: Site) -> None:
    await fed.take([holder("guest"), row("revocation", "r", token=TOKEN, reason=7)])
    token = bytes.fromhex(TOKEN)
    assert fed.stage.controller.roster.revocation(token) is not None
    [told] = fed.told(EventKind.ROW_QUARANTINED)
    assert told.startswith("reason: expected")


async def test_a_refused_snapshot_is_not_in_force_after_a_restart(
    path: Path, prompt_stage: Stage
) -> None:
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest")])
        await site.take([BAD[0][0]], rev=2, name="s2")
    async with running(path, prompt_stage) as site:
        assert site.knows()
        assert site.feed.cursor.rev == 1


async def test_the_last_good_copy_is_in_force_again_after_a_restart(
    path: Path, prompt_stage: Stage
) -> None:
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest"), *many(3 * SLICE_ROWS)], rev=7)
        confirmed_ms = site.feed.confirmed_ms
        await site.stage_rows(many(5), name="never completed")
    second = Stage(prompt_stage.clock, is_prompt=True)
    second.clock.now_s += 600
    async with running(path, second) as site:
        assert site.knows()
        assert second.controller.roster.credentials == 3 * SLICE_ROWS + 1
        assert site.feed.cursor == FeedCursor(epoch=EPOCH, rev=7)
        assert site.feed.confirmed_ms == confirmed_ms
        assert second.controller.rolls.confirmed_ms == confirmed_ms
        assert second.kinds() == [EventKind.ROSTER_APPLIED]
    second.gateway.close()


async def test_a_copy_that_cannot_be_used_any_more_is_asked_for_again(
    path: Path, prompt_stage: Stage
) -> None:
    """Else the platform, hearing the old cursor, would find nothing newer to send."""
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest")], rev=7)
    async with open_inline(path) as connection:
        await with_body(connection, "{}")
        await connection.execute("DELETE FROM image")
    second = Stage(prompt_stage.clock, is_prompt=True)
    async with running(path, second) as site:
        [why] = site.told(EventKind.ROSTER_REFUSED)
        assert why.startswith("1 of 1 rows broken, first a holder: ")
        assert site.feed.cursor == NO_FEED
        await site.take([holder("guest")], rev=7, name="again")
        assert site.knows()
        assert site.feed.cursor == FeedCursor(epoch=EPOCH, rev=7)
    second.gateway.close()


async def test_an_empty_snapshot_empties_the_roster(fed: Site) -> None:
    await fed.take([holder("guest")])
    await fed.take([], rev=2, name="s2")
    assert fed.stage.controller.roster.credentials == 0
    assert fed.feed.cursor == FeedCursor(epoch=EPOCH, rev=2)
    assert fed.store.cursor.count == 0


async def test_a_snapshot_that_was_dropped_leaves_nothing(fed: Site) -> None:
    await fed.take([holder("guest")])
    await fed.stage_rows([BAD[0][0], *many(4)], name="s2")
    await fed.feed.drop("s2")
    await fed.feed.drop("never heard of")
    assert fed.knows()
    assert [r.id async for chunk in fed.store.rows() for r in chunk] == ["guest"]
    await fed.take(many(2), rev=2, name="s2")
    assert fed.stage.controller.roster.credentials == 2


async def test_rows_of_an_abandoned_snapshot_never_mix_with_the_next(
    fed: Site,
) -> None:
    await fed.stage_rows([holder("guest")], name="s1")
    await fed.take(many(2), rev=2, name="s2")
    assert fed.stage.controller.roster.credentials == 2
    assert not fed.knows()


async def test_a_row_that_comes_twice_refuses_the_snapshot(fed: Site) -> None:
    """It is refused, not tried again for ever: the platform's sums say two rows."""
    await fed.take([holder("guest")])
    await fed.take([holder("h-2"), holder("h-2")], rev=2, name="s2")
    assert fed.feed.cursor.rev == 1
    assert fed.knows()
    [told] = fed.told(EventKind.ROSTER_REFUSED)
    assert told.endswith("staged for s2, not 2")


async def test_kinds_of_a_later_version_are_passed_over(fed: Site) -> None:
    await fed.take([holder("guest"), row("locker", "l-1", size=3)])
    assert fed.knows()
    assert fed.store.cursor.count == 2


async def test_a_disk_that_fails_ends_the_connection_and_changes_nothing(
    fed: Site,
) -> None:
    await fed.take([holder("guest")])
    await fed.stage_rows(many(2), name="s2")
    fed.disk.is_broken = True
    with pytest.raises(PortFaultError, match="disk I/O error"):
        await fed.feed.complete(complete(2, rev=2, name="s2"))
    with pytest.raises(PortFaultError, match="disk I/O error"):
        await fed.feed.stage("s3", many(2))
    assert fed.knows()
    assert fed.feed.cursor.rev == 1
    fed.disk.is_broken = False
    await fed.take(many(3), rev=3, name="s4")
    assert fed.stage.controller.roster.credentials == 3


async def test_after_a_fault_no_row_is_in_memory_that_is_not_on_disk(
    fed: Site,
) -> None:
    await fed.stage_rows(many(2), name="s1")
    fed.disk.is_broken = True
    with pytest.raises(PortFaultError):
        await fed.feed.stage("s1", [holder("guest")])
    fed.disk.is_broken = False
    await fed.take(many(2), name="s1")
    assert fed.stage.controller.roster.credentials == 2
    assert fed.store.cursor.count == 2


async def test_being_told_that_nothing_is_newer_is_remembered(fed: Site) -> None:
    await fed.take([holder("guest")])
    fed.stage.clock.now_s += 600
    await fed.feed.confirm()
    assert fed.feed.confirmed_ms == fed.stage.clock.moment().earliest_ms
    assert fed.stage.controller.rolls.confirmed_ms == fed.feed.confirmed_ms
