# SPDX-License-Identifier: Apache-2.0
"""Reading back in pieces: by time, by kind, over epochs, and past spoilt rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.core.event import Event, EventKind
from edge.core.moment import Moment
from edge.storage.lookback import FLICKER_MS, PIECE_ROWS

if TYPE_CHECKING:
    from edge.storage.journal import Journal

KINDS = (EventKind.ACCESS_GRANTED, EventKind.DOOR_OPENED, EventKind.DOOR_CLOSED)
MINUTE_MS = 60_000


async def fill(journal: Journal, count: int) -> None:
    """Let an event happen each minute, of three kinds in turn."""
    first = journal.next_seq
    await journal.append(
        [
            Event(
                seq=seq,
                kind=KINDS[seq % 3],
                moment=Moment(
                    monotonic_s=1.0,
                    earliest_ms=seq * MINUTE_MS,
                    latest_ms=seq * MINUTE_MS,
                    boot="b",
                ),
                subject="front",
            )
            for seq in range(first, first + count)
        ]
    )


@pytest.mark.parametrize("minute", [0, 1, 2, 77, 150, 151, 500])
async def test_everything_of_a_time_and_later_stands_behind_its_place(
    journal: Journal, minute: int
) -> None:
    await fill(journal, 150)
    lookback = journal.lookback()
    place = await lookback.before(minute * MINUTE_MS)
    assert place == min(max(0, minute - 1), 150)


async def test_a_row_that_came_a_little_late_is_not_missed(journal: Journal) -> None:
    await fill(journal, 10)
    place = await journal.lookback().before(5 * MINUTE_MS + FLICKER_MS)
    assert place == 4, "what stands at its very limit is still behind the place"


async def test_a_piece_has_the_kinds_that_were_asked_for_and_is_bounded(
    journal: Journal,
) -> None:
    await fill(journal, PIECE_ROWS + 20)
    lookback = journal.lookback()
    epochs = await lookback.epochs()
    piece = await lookback.piece(0, lookback.last, {"DOOR_OPENED"}, epochs)
    assert [seen.seq for seen in piece] == [
        seq for seq in range(1, PIECE_ROWS + 1) if seq % 3 == 1
    ]
    assert all('"k":"DOOR_OPENED"' in seen.core for seen in piece)


async def test_places_go_on_over_epochs_and_numbers_begin_anew(
    journal: Journal,
) -> None:
    await fill(journal, 6)
    await journal.acknowledge(6)
    await journal.new_epoch()
    await fill(journal, 3)
    lookback = journal.lookback()
    piece = await lookback.piece(0, 100, set(KINDS), await lookback.epochs())
    assert [seen.place for seen in piece] == list(range(1, 10))
    assert [seen.seq for seen in piece] == [1, 2, 3, 4, 5, 6, 1, 2, 3]


async def test_a_spoilt_row_hides_no_other(journal: Journal) -> None:
    await fill(journal, 9)
    async with journal._scribe.write() as writer:
        await writer.execute("UPDATE event SET core = 'no event' WHERE place = 4")
    lookback = journal.lookback()
    piece = await lookback.piece(0, 9, set(KINDS), await lookback.epochs())
    assert [seen.place for seen in piece] == [1, 2, 3, 5, 6, 7, 8, 9]
    assert await lookback.before(7 * MINUTE_MS) == 6
