# SPDX-License-Identifier: Apache-2.0
"""One press opens once."""

from __future__ import annotations

from edge.panel.presses import MAX_TOKENS, PAUSE_S, Press, Presses

DOOR = "kitchen-door"


def test_a_token_opens_once() -> None:
    presses = Presses()
    token = presses.give()
    assert presses.press(token, DOOR, 0.0) is Press.FIRST
    assert presses.press(token, DOOR, 60.0) is Press.REPEATED
    assert presses.press(token, "other-door", 60.0) is Press.REPEATED


def test_a_token_nobody_gave_opens_nothing() -> None:
    presses = Presses()
    assert presses.press("", DOOR, 0.0) is Press.STALE
    assert presses.press("made-up", DOOR, 0.0) is Press.STALE


def test_a_second_press_within_the_pause_is_ignored_on_any_page() -> None:
    presses = Presses()
    early, late, other, after = (presses.give() for _ in range(4))
    assert presses.press(early, DOOR, 10.0) is Press.FIRST
    assert presses.press(late, DOOR, 10.0 + PAUSE_S - 0.01) is Press.REPEATED
    assert presses.press(other, "other-door", 10.5) is Press.FIRST
    assert presses.press(after, DOOR, 10.0 + PAUSE_S) is Press.FIRST


def test_an_order_that_came_to_nothing_may_be_tried_at_once() -> None:
    presses = Presses()
    first, second = presses.give(), presses.give()
    assert presses.press(first, DOOR, 0.0) is Press.FIRST
    presses.forget(DOOR)
    assert presses.press(second, DOOR, 0.1) is Press.FIRST


def test_the_tables_are_bounded_and_the_oldest_page_asks_again() -> None:
    presses = Presses()
    oldest = presses.give()
    for _ in range(MAX_TOKENS):
        newest = presses.give()
    assert presses.press(oldest, DOOR, 0.0) is Press.STALE
    assert presses.press(newest, DOOR, 0.0) is Press.FIRST
    for _ in range(2 * MAX_TOKENS):
        presses.press(presses.give(), DOOR, 0.0)
    assert len(presses._spent) == MAX_TOKENS


def test_tokens_are_not_to_be_guessed() -> None:
    presses = Presses()
    tokens = {presses.give() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 22
