# SPDX-License-Identifier: Apache-2.0
"""Who has to wait before another PIN is looked at.

The law of the module: pure arithmetic over moments. A guess is charged before it is
looked at and given back only if it was right, so that pulling the plug gives nobody
another one; a restart never shortens a wait, and a clock that is put back or unsure
neither. It knows PINs alone: cards and the emergency page wait for nothing here.
Source: OWASP ASVS 5.0 6.3.1 (throttling), NIST SP 800-63B 5.2.2.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING, Any

from edge.core.moment import Moment

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Wrong PINs in a row of one account, after which it waits …
MAX_WRONG = 5
#: … so long the first time, the second, and from then on.
WAITS_S = (60.0, 300.0, 900.0)
#: Wrong PINs of all accounts within an hour: a million PINs then take years.
MAX_HOURLY = 20
HOUR_S = 3600.0


class Held(StrEnum):
    """Why a PIN is not looked at."""

    ACCOUNT = "account"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """For how many seconds, why, and after how many wrong tries."""

    seconds: int
    held: Held
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tries:
    """Wrong PINs in a row, and when the last of them was."""

    count: int
    last: Moment


def elapsed_s(then: Moment, now: Moment) -> float:
    """Return how long it surely was, over a restart by what the clocks exclude."""
    if then.boot == now.boot:
        return max(0.0, now.monotonic_s - then.monotonic_s)
    return max(0.0, (now.earliest_ms - then.latest_ms) / 1000)


class Lockout:
    """Wrong tries by account, and those of the last hour."""

    def __init__(self) -> None:
        self._tries: dict[str, _Tries] = {}
        self._hour: deque[Moment] = deque(maxlen=MAX_HOURLY)

    def wait(self, account: str, now: Moment) -> Wait | None:
        """Return how long this account's next PIN has to wait; None: not at all."""
        tries = self._tries.get(account)
        if tries is not None and tries.count and tries.count % MAX_WRONG == 0:
            rounds = min(tries.count // MAX_WRONG, len(WAITS_S))
            left_s = WAITS_S[rounds - 1] - elapsed_s(tries.last, now)
            if left_s > 0:
                return Wait(seconds=ceil(left_s), held=Held.ACCOUNT, tries=tries.count)
        self._forget(now)
        if len(self._hour) >= MAX_HOURLY:
            left_s = HOUR_S - elapsed_s(self._hour[0], now)
            seconds = max(1, ceil(left_s))
            return Wait(seconds=seconds, held=Held.ALL, tries=len(self._hour))
        return None

    def charge(self, account: str, now: Moment) -> None:
        """Count a guess before it is looked at."""
        before = self._tries.get(account)
        count = 1 + (before.count if before else 0)
        self._tries[account] = _Tries(count=count, last=now)
        self._hour.append(now)

    def was_right(self, account: str) -> None:
        """Give the last guess back, and forget those before it of this account."""
        self._tries.pop(account, None)
        if self._hour:
            self._hour.pop()

    def left(self, account: str) -> int:
        """Return how many guesses are left before the account has to wait."""
        tries = self._tries.get(account)
        return MAX_WRONG - (tries.count % MAX_WRONG if tries else 0)

    def reset(self) -> None:
        """Let everybody try again: somebody in charge stands there."""
        self._tries.clear()
        self._hour.clear()

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        return {
            "tries": {
                account: [tries.count, *tries.last.dump()]
                for account, tries in self._tries.items()
            },
            "hour": [moment.dump() for moment in self._hour],
        }

    def load(self, told: Mapping[str, Any], now: Moment) -> None:
        """Take what :meth:`dump` returned, counted on from ``now``.

        What is not surely over begins anew in this boot, whatever its clock says.
        """
        for account, (count, *last) in told["tries"].items():
            moment = _brought_over(Moment.load(last), now)
            self._tries[account] = _Tries(count=count, last=moment)
        for each in told["hour"]:
            self._hour.append(_brought_over(Moment.load(each), now))

    def _forget(self, now: Moment) -> None:
        while self._hour and elapsed_s(self._hour[0], now) >= HOUR_S:
            self._hour.popleft()


def _brought_over(then: Moment, now: Moment) -> Moment:
    """Return ``then`` on this boot's clock, no earlier than it surely was."""
    gone_s = elapsed_s(then, now)
    latest_ms = min(then.latest_ms, now.latest_ms - int(gone_s * 1000))
    return replace(now, monotonic_s=now.monotonic_s - gone_s, latest_ms=latest_ms)
