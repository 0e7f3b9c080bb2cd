# SPDX-License-Identifier: Apache-2.0
"""Each line of matrix.txt is so; and a gateway that is killed leaves nothing on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.device import (
    CodeRead,
    Garbled,
    InputChanged,
    OrderFailed,
    OutputChanged,
    Signal,
)
from drivers.errors import LocalError
from drivers.registry import build
from tests.drivers.fault_matrix.mishaps import MISHAPS, SITE_FILES
from tests.drivers.fault_matrix.stand import PULSE_S
from tests.drivers.fault_matrix.stands import STANDS
from tests.drivers.fault_matrix.table import Row, Told, rows
from tests.drivers.fault_matrix.untimed import Untimed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.drivers.fault_matrix.stand import Stand

ROWS = tuple(rows())
MISHAP_ROWS = [row for row in ROWS if not row.refusal]
REFUSAL_ROWS = [row for row in ROWS if row.refusal]
#: Longer than any driver's slowest beat but a scanner's hourly look.
WATCHED_S = 10.0
#: Levels come with every beginning, bytes that mean nothing are told apart.
QUIET_WORDS = (Garbled, InputChanged, OutputChanged)
#: What a beginning leads to is over by then.
CALM_S = 1.0
#: Scanners may say it five times a second; no mishap fills the house's journal.
MOST_GARBLED_A_SECOND = 5
#: Of all frames behind an order, those of so long: by then the output is surely on.
KILLED_WITHIN_S = 0.4
#: Two frames at 9600 baud and the gap between them.
OFF_WITHIN_S = 0.1


@pytest.mark.parametrize("row", MISHAP_ROWS, ids=str)
def test_what_the_house_is_told_of_a_mishap(row: Row) -> None:
    stand = STANDS[row.device]()
    assert stand.find() is not None, stand.joined.told
    stand.joined.run(CALM_S)
    mark, begun = _befall(stand, row)
    stand.joined.run(row.within_s)
    _check(stand, row, stand.joined.told[mark:], begun)
    stand.joined.run(0.0 if row.within_s > WATCHED_S else WATCHED_S)
    _check(stand, row, stand.joined.told[mark:], begun)
    for word in row.then:
        _THEN[word](stand, row)


@pytest.mark.parametrize("row", REFUSAL_ROWS, ids=str)
def test_a_site_file_that_is_refused_says_why(row: Row) -> None:
    with pytest.raises(LocalError) as refused:
        build(row.device, SITE_FILES[row.mishap])
    assert row.refusal in str(refused.value)


@pytest.mark.parametrize("name", [name for name in STANDS if STANDS[name]().pulses])
def test_killed_between_any_two_frames_nothing_stays_on(name: str) -> None:
    frames = _frames_behind_an_order(name)
    was_on = False
    for number in range(frames):
        stand = STANDS[name]()
        assert stand.find() is not None
        joined, order = stand.joined, stand.order()
        assert order is not None
        joined.run(CALM_S)
        joined.dies_before_frame = joined.frames + number
        joined.order(order)
        took = joined.until(stand.is_moving, within_s=1.0)
        was_on |= took is not None
        joined.run(PULSE_S + 0.5)
        assert joined.is_dead
        assert not stand.is_moving(), number
    assert was_on


@pytest.mark.parametrize("name", [name for name in STANDS if STANDS[name]().untimed])
def test_killed_between_any_two_frames_the_next_start_switches_off(name: str) -> None:
    """What no board times stays on, and for no longer than until the next start."""
    stayed_on = 0
    frames = _frames_behind_an_order(name)
    for number in range(frames):
        stand = STANDS[name]()
        assert isinstance(stand, Untimed)
        assert stand.find() is not None
        stand.joined.run(CALM_S)
        stand.joined.dies_before_frame = stand.joined.frames + number
        stand.joined.order(stand.order())
        stand.joined.run(WATCHED_S)
        stayed_on += stand.is_moving()
        _off_at_the_next_start(stand)
    # Killed before the first frame, nothing went on.
    assert stayed_on == frames - 1


def test_every_driver_with_a_simulator_has_its_lines() -> None:
    assert {row.device for row in ROWS} == set(STANDS)
    used = {row.mishap for row in ROWS}
    assert used == set(MISHAPS) | set(SITE_FILES)


def _frames_behind_an_order(name: str) -> int:
    """Count the frames, both ways, of the time in which a kill is tried."""
    stand = STANDS[name]()
    order = stand.order()
    assert stand.find() is not None
    assert order is not None
    stand.joined.run(CALM_S)
    before = stand.joined.frames
    stand.joined.order(order)
    stand.joined.run(KILLED_WITHIN_S)
    return stand.joined.frames - before


def _befall(stand: Stand, row: Row) -> tuple[int, float]:
    """Let it happen, and end if it does; return from where and when to look."""
    mishap, joined = MISHAPS[row.mishap], stand.joined
    mark, begun = len(joined.told), joined.now
    mishap.begins(stand)
    if row.back_after_s is not None:
        joined.run(row.back_after_s)
        if "nothing old moves" in row.then and (order := stand.order()):
            joined.order(order)
        mark, begun = len(joined.told), joined.now
        assert mishap.ends is not None
        mishap.ends(stand)
    return mark, begun


def _check(
    stand: Stand, row: Row, told: Sequence[tuple[float, Signal]], begun: float
) -> None:
    """See that all of the row was told, and nothing else of weight."""
    left = [signal for _, signal in told]
    wanted = [one for item in row.told for one in _each(stand, item)]
    for item in wanted:
        found = next((signal for signal in left if _is(signal, item)), None)
        assert found is not None, (item, told)
        left.remove(found)
    quiet = Garbled if stand.levels_are_news else QUIET_WORDS
    heavy = [signal for signal in left if not isinstance(signal, quiet)]
    expected = OrderFailed if "nothing old moves" in row.then else ()
    assert [one for one in heavy if not isinstance(one, expected)] == [], told
    garbled = sum(isinstance(signal, Garbled) for _, signal in told)
    seconds = stand.joined.now - begun
    assert garbled <= MOST_GARBLED_A_SECOND * (seconds + 1)


def _each(stand: Stand, item: Told) -> list[Told]:
    if item.unit is not None:
        return [item]
    return [Told(word=item.word, unit=unit, text=item.text) for unit in stand.units]


def _is(signal: Signal, item: Told) -> bool:
    is_same = type(signal).__name__ == item.word and signal.unit == item.unit
    return is_same and item.text in _text_of(signal)


def _text_of(signal: Signal) -> str:
    match signal:
        case CodeRead(payload=payload):
            return payload.decode("ascii")
        case InputChanged(channel=channel, is_active=is_active):
            return f"input {channel} {'active' if is_active else 'at rest'}"
    return " ".join(str(getattr(signal, name, "")) for name in ("why", "detail"))


def _works(stand: Stand, _row: Row) -> None:
    assert stand.works(), stand.joined.told[-20:]


def _orders_fail(stand: Stand, row: Row) -> None:
    """Order while the mishap lasts: it is refused or fails, and nothing moves."""
    order, joined, mark = stand.order(), stand.joined, len(stand.joined.told)
    assert order is not None
    joined.order(order)
    moved = joined.until(stand.is_moving, within_s=3.0)
    failed = [one for one in joined.since(mark) if isinstance(one, OrderFailed)]
    assert (moved, [one.order for one in failed]) == (None, [order]), row


def _nothing_old_moves(stand: Stand, row: Row) -> None:
    """What was ordered while the mishap lasted is dead, whatever came back since."""
    moved = stand.joined.until(stand.is_moving, within_s=5.0)
    assert moved is None, row


def _stays_on(stand: Stand, row: Row) -> None:
    """The pulse is long over and the output is on: nobody was there to end it."""
    assert stand.is_moving(), row


def _at_rest(stand: Stand, row: Row) -> None:
    assert not stand.is_moving(), row


def _off_first(stand: Stand, row: Row) -> None:
    assert isinstance(stand, Untimed)
    assert stand.rests_first(), (row, stand.joined.written)


def _off_at_the_next_start(stand: Stand, row: Row | None = None) -> None:
    """The next gateway knows of nothing, and switches all off before anything else."""
    assert isinstance(stand, Untimed)
    stand.start_next()
    off = stand.joined.until(lambda: not stand.is_moving(), within_s=OFF_WITHIN_S)
    assert off is not None, row
    stand.joined.run(CALM_S)
    assert stand.rests_first(), (row, stand.joined.written)
    assert not stand.is_moving(), row


_THEN = {
    "stays on": _stays_on,
    "at rest": _at_rest,
    "off first": _off_first,
    "off at the next start": _off_at_the_next_start,
    "works": _works,
    "orders fail": _orders_fail,
    "nothing old moves": _nothing_old_moves,
}
