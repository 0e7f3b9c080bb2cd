# SPDX-License-Identifier: Apache-2.0
"""The simulated disk: what was committed stays, what was not is gone."""

from __future__ import annotations

import sqlite3
from random import Random

import pytest

from edge.cli.simulate.checking import CutPlace
from edge.cli.simulate.clockwork import finished
from edge.cli.simulate.disk import Disk, PowerCutError
from edge.cli.simulate.weather import Weather
from edge.core.event import Event, EventKind
from edge.core.moment import Moment
from edge.storage.journal import Journal

SALT = bytes(16)


def events(first: int, count: int) -> list[Event]:
    return [
        Event(
            seq=seq,
            kind=EventKind.DOOR_OPENED,
            moment=Moment(monotonic_s=1.0, earliest_ms=5, latest_ms=6, boot="b"),
            subject="door",
        )
        for seq in range(first, first + count)
    ]


def opened(disk: Disk) -> Journal:
    journal: Journal = finished(
        Journal.open(
            disk.journal,
            disk.journal,
            new_epoch=lambda: "00000000",
            salt=lambda: SALT,
        )
    )
    return journal


def calm_disk() -> Disk:
    return Disk(Random(1), Weather(), lambda: 0.0)


@pytest.mark.parametrize(
    ("place", "state", "kept"),
    [
        (CutPlace.BEFORE_COMMIT, None, 3),
        (CutPlace.AFTER_COMMIT, None, 5),
        (CutPlace.BEFORE_COMMIT, "{}", 3),
        (CutPlace.WITHIN_COMMIT, "{}", 3),
        (CutPlace.AFTER_COMMIT, "{}", 5),
    ],
)
def test_a_power_cut_leaves_all_of_a_commit_or_nothing(
    place: CutPlace, state: str | None, kept: int
) -> None:
    disk = calm_disk()
    finished(opened(disk).append(events(1, 3)))
    disk.plan.place = place
    with pytest.raises(PowerCutError):
        finished(opened(disk).append(events(4, 2), state))
    disk.revive()
    journal = opened(disk)
    assert journal.last_seq == kept
    assert finished(journal.verify()).is_sound
    finished(journal.append(events(kept + 1, 1)))
    disk.close()


def test_a_full_disk_refuses_and_reads_on_and_takes_it_later() -> None:
    disk = calm_disk()
    journal = opened(disk)
    disk.fail(10.0)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        finished(journal.append(events(1, 2)))
    assert finished(journal.read(0, max_rows=9, max_bytes=9_999)) == []
    disk.mend()
    finished(journal.append(events(1, 2)))
    assert journal.last_seq == 2
    disk.close()


def test_a_lost_answer_leaves_rows_that_are_known_again() -> None:
    disk = Disk(Random(1), Weather(), lambda: 0.0)
    journal = opened(disk)
    disk.weather = Weather(lost_answer_share=1.0)
    with pytest.raises(sqlite3.OperationalError, match="I/O"):
        finished(journal.append(events(1, 2)))
    disk.weather = Weather()
    finished(journal.append(events(1, 4)))
    assert journal.last_seq == 4
    disk.close()
