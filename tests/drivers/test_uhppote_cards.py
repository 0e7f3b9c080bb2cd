# SPDX-License-Identifier: Apache-2.0
"""The controller's own short list of cards: read first, and only the rest written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.errors import LocalError
from drivers.uhppote import UhppoteController
from drivers.uhppote_cards import MAX_CARDS
from drivers.uhppote_wire import OfflineCard
from tests.drivers.uhppote_wire import UhppoteWire, long, packet, serving

if TYPE_CHECKING:
    from tests.drivers.scripted import Reply

DATES = "2026010120261231"


def card(number: int, *doors: int) -> OfflineCard:
    return OfflineCard(
        number=number,
        valid_from="20260101",
        valid_to="20261231",
        doors=frozenset(doors or (1,)),
    )


def line(number: int, doors: str = "01000000") -> str:
    """A card as it stands on the wire, behind the serial number."""
    return long(number) + DATES + doors


def place(index: int) -> str:
    return packet("5c", long(index))


def put(number: int, doors: str = "01000000") -> str:
    return packet("50", line(number, doors))


def delete(number: int) -> str:
    return packet("52", long(number))


def holding(script: UhppoteWire, *lines: str) -> None:
    """Let the controller's list be so."""
    places: dict[str, Reply] = {
        place(index): packet("5c", one) for index, one in enumerate(lines, start=1)
    }
    script.replies |= places
    script.replies[place(len(lines) + 1)] = packet("5c")


def push(script: UhppoteWire, *cards: OfflineCard) -> list[str]:
    """Push a list and return what was written for it."""
    device = script.device
    assert isinstance(device, UhppoteController)
    before = len(script.sent)
    device.push_cards(cards, script.now)
    script._write()
    script.run(1.0)
    sent = [frame for _, frame in script.sent[before:]]
    return [frame for frame in sent if frame[2:4] in ("50", "52")]


def refused(script: UhppoteWire) -> frozenset[int]:
    assert isinstance(script.device, UhppoteController)
    return script.device.refused_cards


def test_only_what_differs_is_written() -> None:
    script = serving()
    holding(script, line(1), line(2), line(3), "FFFFFFFF")
    for frame in (put(2, "01010000"), put(4)):
        script.replies[frame] = packet("50", "01")
    script.replies[delete(3)] = packet("52", "01")
    written = push(script, card(1), card(2, 1, 2), card(4))
    assert written == [delete(3), put(2, "01010000"), put(4)]
    assert push(script, card(1), card(2, 1, 2), card(4)) == []
    assert refused(script) == frozenset()


def test_without_a_list_of_ours_the_controllers_is_left_alone() -> None:
    script = serving()
    script.run(30.0)
    assert not [one for _, one in script.sent if one[2:4] in ("5C", "50", "52", "54")]


def test_an_empty_list_deletes_card_by_card() -> None:
    script = serving()
    holding(script, line(1), line(2))
    for number in (1, 2):
        script.replies[delete(number)] = packet("52", "01")
    assert push(script) == [delete(1), delete(2)]


def test_a_card_that_is_refused_is_told_and_tried_again_with_the_next_list() -> None:
    script = serving()
    holding(script)
    script.replies[put(1)] = packet("50", "00")
    assert push(script, card(1)) == [put(1)]
    assert refused(script) == {1}
    script.run(10.0)
    script.replies[put(1)] = packet("50", "01")
    assert push(script, card(1)) == [put(1)]
    assert refused(script) == frozenset()


def test_a_card_with_dates_of_nothing_is_written_anew() -> None:
    script = serving()
    holding(script, long(1) + "00" * 8 + "01000000")
    script.replies[put(1)] = packet("50", "01")
    assert push(script, card(1)) == [put(1)]


def test_a_controller_that_knows_no_lists_is_left_in_peace() -> None:
    script = serving()
    assert push(script, card(1)) == []
    script.run(20.0)
    sent = [frame for _, frame in script.sent]
    assert sent.count(place(1)) == 3
    assert sent.count(put(1)) == 3
    assert refused(script) == {1}


def test_after_a_silence_the_list_is_read_anew() -> None:
    script = serving()
    holding(script, line(1))
    assert push(script, card(1)) == []
    replies, script.replies = script.replies, {}
    script.run(10.0)
    script.replies = replies
    script.replies[place(1)] = packet("5c", long(0))
    script.replies[put(1)] = packet("50", "01")
    start = script.now
    script.run(5.0)
    assert put(1) in script.sent_since(start)


def test_a_list_that_is_no_fall_back_is_refused() -> None:
    script = serving()
    too_many = [card(number) for number in range(1, MAX_CARDS + 2)]
    with pytest.raises(LocalError, match="at most 500 cards, not 501"):
        push(script, *too_many)
