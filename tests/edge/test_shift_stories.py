# SPDX-License-Identifier: Apache-2.0
"""Minutes become hours, hours points, and every sum is the sum of the minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from edge.cli.panel.notices import MAX_NOTICE, notice_of
from edge.cli.panel.shift_stories import Stories, minutes_of, of_month
from edge.core.duty.shift import ShiftState
from edge.core.event import Event, EventKind, Person
from edge.core.moment import Moment
from edge.panel.hours import sheet, tenths, tiles
from edge.panel.shift_report import read_shift
from edge.panel.words import Words
from edge.storage.finding import Found

if TYPE_CHECKING:
    from edge.core.event import Facts

OFFSET_H = 8
OFFSET_MS = OFFSET_H * 3_600_000
#: 2026-10-30 and 2026-12-02 at the site: two month's ends lie between.
FIRST_MS = 1_793_289_600_000
SPAN_MS = 33 * 86_400_000
WORDS = Words()
K = EventKind


def told(seq: int, kind: EventKind, at_ms: int, *facts: tuple[str, int | str]) -> Found:
    known: Facts = tuple(sorted(facts))
    moment = Moment(
        monotonic_s=at_ms / 1000, earliest_ms=at_ms, latest_ms=at_ms, boot="b"
    )
    event = Event(
        seq=seq,
        kind=kind,
        moment=moment,
        subject="desk",
        facts=known,
        person=Person(holder="h-1"),
    )
    return Found(event=event, renumbered=0)


def month(at_ms: int) -> str:
    """The month by the standard library, and by nothing of ours."""
    zero = datetime(1970, 1, 1, tzinfo=UTC)
    return f"{zero + timedelta(milliseconds=at_ms + OFFSET_MS):%Y-%m}"


SHIFTS = st.lists(
    st.tuples(
        st.integers(FIRST_MS, FIRST_MS + SPAN_MS),
        st.integers(0, 720),
        st.sampled_from(["as it was", "forgotten", "corrected", "confirmed"]),
        st.integers(0, 720),
    ),
    max_size=40,
)


@given(SHIFTS)
def test_sums_are_sums_of_minutes_over_midnight_and_month_s_end(
    shifts: list[tuple[int, int, str, int]],
) -> None:
    stories, seq, expected, sure = Stories(), 0, dict[str, int](), dict[str, int]()
    for at_ms, minutes, fate, after in shifts:
        begun = seq + 1
        stories.follow(told(begun, K.DUTY_STARTED, at_ms))
        facts: list[tuple[str, int | str]] = [("minutes", minutes), ("cause", begun)]
        if fate == "forgotten":
            facts += [("to_confirm", 1), ("why", "closing")]
        stories.follow(told(seq + 2, K.DUTY_ENDED, at_ms + minutes * 60_000, *facts))
        seq += 3
        counts = minutes
        if fate in ("corrected", "confirmed"):
            counts = after
            kind = K.DUTY_CORRECTED if fate == "corrected" else K.DUTY_CONFIRMED
            facts = [("cause", begun), ("minutes", after), ("was", minutes)]
            stories.follow(told(seq, kind, at_ms, *facts))
        of = month(at_ms)
        expected[of] = expected.get(of, 0) + counts
        sure[of] = sure.get(of, 0) + (counts if fate == "confirmed" else 0)
    assert minutes_of(stories.all) == sum(expected.values()), "nothing twice or lost"
    for name in ("2026-10", "2026-11", "2026-12"):
        mine = of_month(stories.all, name, OFFSET_MS)
        assert minutes_of(mine) == expected.get(name, 0)
        assert minutes_of(mine, confirmed=True) == sure.get(name, 0)
        total = minutes_of(mine)
        assert float(tenths(total)) * 60 <= total < float(tenths(total)) * 60 + 6.001
        shown = [read_shift(as_told(each)) for each in mine]
        rows = sheet([each for each in shown if each], WORDS, OFFSET_H)
        assert len(rows) == len(mine)
        for row, story in zip(rows, mine, strict=True):
            begin, end = clock(row.begins), clock(row.ends)
            assert (end - begin) % 1440 == story.minutes % 1440, "end − start = length"


def as_told(story: object) -> dict[str, object]:
    names = ("seq", "from_ms", "to_ms", "minutes", "why")
    state = str(getattr(story, "state", ""))
    return {name: getattr(story, name) for name in names} | {"state": state}


def clock(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def test_hours_are_told_to_a_tenth_and_never_more_than_there_were() -> None:
    assert [tenths(m) for m in (0, 5, 6, 59, 60, 750, 755, 720 * 31)] == [
        *("0", "0", "0.1", "0.9", "1", "12.5", "12.5", "372")
    ]


@given(st.integers(0, 720))
def test_tiles_lie_within_the_shift_and_end_with_its_end(minutes: int) -> None:
    shift = read_shift(
        {"seq": 1, "from_ms": FIRST_MS, "minutes": minutes, "state": "TO_CONFIRM"}
    )
    assert shift is not None
    offered = [tile.minutes for tile in tiles(shift, WORDS, OFFSET_H)]
    assert offered[0] == minutes
    assert len(offered) == len(set(offered)) <= 4
    assert all(0 <= each <= minutes for each in offered)
    if minutes >= 240:
        assert offered == [minutes, minutes - 60, minutes - 120, minutes - 180]


def test_what_a_volunteer_says_changes_no_minute_and_waits_for_two() -> None:
    stories = Stories()
    stories.follow(told(1, K.DUTY_STARTED, FIRST_MS))
    doubt = (("cause", 1), ("minutes", 60), ("was", 0), ("actor", "a"))
    stories.follow(told(2, K.DUTY_QUESTIONED, FIRST_MS, *doubt))
    assert stories.all[0].asked < 0, "a shift that runs has no minutes to doubt"
    stories.follow(told(3, K.DUTY_ENDED, FIRST_MS, ("minutes", 480), ("cause", 1)))
    stories.follow(told(4, K.DUTY_QUESTIONED, FIRST_MS, *doubt))
    [story] = stories.all
    assert (story.minutes, story.asked, story.waits) == (480, 60, True)
    settled = (("cause", 1), ("minutes", 90), ("was", 480), ("second", "x"))
    stories.follow(told(5, K.DUTY_CORRECTED, FIRST_MS, *settled))
    [story] = stories.all
    assert (story.minutes, story.asked, story.waits) == (90, -1, False)
    assert story.state is ShiftState.CORRECTED
    assert [word.was for word in story.words] == [0, 480]


def test_a_line_for_the_door_is_short_and_holds_nobody_s_number() -> None:
    assert notice_of("  今天 \n 休息 ") == "今天 休息"
    assert notice_of("") == ""
    assert notice_of("请打 020-81234567") == "请打 020-81234567"
    assert notice_of("长" * MAX_NOTICE) is not None
    for odd in ("长" * (MAX_NOTICE + 1), "a\x07b", "990101199003070017", 7, None):
        assert notice_of(odd) is None, odd
    assert notice_of("99010119900307001X") is None
    assert notice_of("9901 0119 9003 0700 17") is None
