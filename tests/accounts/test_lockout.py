# SPDX-License-Identifier: Apache-2.0
"""Guessing is slow for ever: in a row, in an hour, over restarts and bad clocks."""

from __future__ import annotations

import json

from edge.accounts.lockout import (
    HOUR_S,
    MAX_HOURLY,
    MAX_WRONG,
    WAITS_S,
    Held,
    Lockout,
)
from tests.accounts.hand import Hand

CHEN, LI = "acc-chen", "acc-li"


def guess(lockout: Lockout, account: str, hand: Hand) -> bool:
    """Try a wrong PIN; say whether it was looked at."""
    if lockout.wait(account, hand.now()) is not None:
        return False
    lockout.charge(account, hand.now())
    return True


def wrong(lockout: Lockout, account: str, hand: Hand, times: int = MAX_WRONG) -> None:
    assert all(guess(lockout, account, hand) for _ in range(times))


def restarted(lockout: Lockout, hand: Hand, *, off_s: float = 0.0) -> Lockout:
    """Return what a restarted box reads of it."""
    kept = json.loads(json.dumps(lockout.dump()))
    hand.restart(off_s=off_s)
    fresh = Lockout()
    fresh.load(kept, hand.now())
    return fresh


def test_five_wrong_ones_wait_longer_each_time_and_never_over_a_quarter_hour() -> None:
    hand, lockout = Hand(), Lockout()
    for seconds in (*WAITS_S, WAITS_S[-1]):
        wrong(lockout, CHEN, hand)
        wait = lockout.wait(CHEN, hand.now())
        assert wait is not None
        assert (wait.seconds, wait.held) == (seconds, Held.ACCOUNT)
        assert wait.seconds <= 15 * 60
        hand.wait(seconds - 0.1)
        assert not guess(lockout, CHEN, hand)
        hand.wait(0.1)
        lockout._hour.clear()  # the hour's own limit is another test


def test_the_fifth_right_after_four_wrong_ones_begins_anew() -> None:
    hand, lockout = Hand(), Lockout()
    for _ in range(6):
        wrong(lockout, CHEN, hand, MAX_WRONG - 1)
        assert lockout.left(CHEN) == 1
        lockout.charge(CHEN, hand.now())
        lockout.was_right(CHEN)
        assert lockout.left(CHEN) == MAX_WRONG
        lockout._hour.clear()
    assert lockout.wait(CHEN, hand.now()) is None


def test_one_who_waits_keeps_nobody_else_waiting() -> None:
    hand, lockout = Hand(), Lockout()
    wrong(lockout, CHEN, hand)
    assert not guess(lockout, CHEN, hand)
    assert guess(lockout, LI, hand)


def test_of_ten_thousand_guesses_at_all_accounts_twenty_an_hour_are_looked_at() -> None:
    hand, lockout = Hand(), Lockout()
    looked_at: list[float] = []
    for number in range(10_000):
        if guess(lockout, f"acc-{number % 7}", hand):
            looked_at.append(hand.s)
        hand.wait(2.16)  # six hours in all
    for end_s in looked_at:
        assert sum(end_s - HOUR_S < at_s <= end_s for at_s in looked_at) <= MAX_HOURLY
    assert len(looked_at) >= 5 * MAX_HOURLY, "the limit must not be a wall for ever"


def test_right_pins_are_nobody_s_guesses() -> None:
    hand, lockout = Hand(), Lockout()
    for _ in range(3 * MAX_HOURLY):
        assert guess(lockout, CHEN, hand)
        lockout.was_right(CHEN)
    assert guess(lockout, LI, hand)


def test_a_restart_never_shortens_a_wait() -> None:
    hand, lockout = Hand(), Lockout()
    wrong(lockout, CHEN, hand)
    hand.wait(20)
    fresh = restarted(lockout, hand)
    wait = fresh.wait(CHEN, hand.now())
    assert wait is not None
    assert 39 <= wait.seconds <= 41, "what was waited surely counts"
    for _ in range(5):
        fresh = restarted(fresh, hand)
        assert not guess(fresh, CHEN, hand)


def test_without_a_clock_a_restart_begins_the_wait_anew_and_it_still_ends() -> None:
    hand, lockout = Hand(is_sure=False), Lockout()
    wrong(lockout, CHEN, hand)
    hand.wait(50)
    fresh = restarted(lockout, hand)
    wait = fresh.wait(CHEN, hand.now())
    assert wait is not None
    assert wait.seconds == WAITS_S[0]
    hand.wait(WAITS_S[0])
    assert guess(fresh, CHEN, hand)


def test_the_hour_outlives_restarts_and_ends_with_the_hour() -> None:
    hand, lockout = Hand(), Lockout()
    for number in range(MAX_HOURLY):
        wrong(lockout, f"acc-{number}", hand, 1)
    lockout = restarted(lockout, hand, off_s=600)
    wait = lockout.wait(LI, hand.now())
    assert wait is not None
    assert wait.held is Held.ALL
    assert HOUR_S - 601 <= wait.seconds <= HOUR_S - 599
    lockout = restarted(lockout, hand, off_s=HOUR_S)
    assert guess(lockout, LI, hand)


def test_a_manager_s_card_lets_everybody_try_again() -> None:
    hand, lockout = Hand(), Lockout()
    wrong(lockout, CHEN, hand)
    lockout.reset()
    assert guess(lockout, CHEN, hand)
