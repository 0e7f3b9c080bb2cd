# SPDX-License-Identifier: Apache-2.0
"""The care signal: somebody who agreed to be asked after has not been seen.

The law of the module: only who agreed is remembered, by the day and nothing finer;
the signal says that somebody was not seen for so many days, and nothing else of him
leaves. It is given once, and again only after somebody has looked after him. A clock
that is unsure of the day signals nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.core.event import EventKind, Person
from edge.core.plan import DAY_MS
from edge.core.schedule import local_day

if TYPE_CHECKING:
    from edge.core.erasing.names import Names
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.order import CareAnswered
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.rolls import Rolls
    from edge.core.plan import SitePlan

#: Elders of one neighbourhood; beyond it nobody new is remembered.
MAX_CARED_FOR = 1_000
#: Seen on a day that nobody knew: counted from the first day that is known.
UNKNOWN_DAY = -1
MAX_TEXT = 64
#: How wide the clock may be for a day to be known.
SURE_MS = 3_600_000
#: The fact by which a grant says that its holder agreed: after so many days.
CARE_FACT = "care"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The local day on which somebody was last seen, and after how many to ask."""

    day: int
    days: int
    is_signalled: bool = False


class Care:
    """Those who agreed, and when each was last seen."""

    def __init__(self, site: SitePlan, out: OutcomeBuilder) -> None:
        self._site = site
        self._out = out
        self._seen: dict[str, Seen] = {}
        self._due_s: float | None = None

    @property
    def waiting(self) -> tuple[str, ...]:
        """The holders whom somebody should look after now."""
        return tuple(name for name, seen in self._seen.items() if seen.is_signalled)

    @property
    def asked_after(self) -> dict[str, int]:
        """Whom somebody should look after now, not seen for so many days or more."""
        seen = self._seen.items()
        return {name: each.days for name, each in seen if each.is_signalled}

    def adopt(self, rolls: Rolls) -> None:
        """Forget at once whoever no longer agrees."""
        kept = {}
        for name, seen in self._seen.items():
            holder = rolls.holder(name)
            if holder is not None and holder.care_days > 0:
                kept[name] = replace(seen, days=holder.care_days)
        self._seen = kept
        self._due_s = 0.0

    def answer(self, order: CareAnswered, now: Moment) -> str:
        """Note that somebody looked after him; return why not."""
        seen = self._seen.get(order.holder)
        if seen is None or not seen.is_signalled:
            return "nobody of that name is waited for"
        self._out.event(
            EventKind.CARE_ANSWERED,
            "site",
            now,
            facts=(("actor", order.actor[:MAX_TEXT]),),
            person=Person(holder=order.holder),
        )
        return ""

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed; one erased is nobody's."""
        holder = event.person.holder
        if holder is None:
            return
        match event.kind:
            case EventKind.ACCESS_GRANTED if event.fact(CARE_FACT) is not None:
                if holder in self._seen or len(self._seen) < MAX_CARED_FOR:
                    days = int(event.fact(CARE_FACT) or 0)
                    self._seen[holder] = Seen(day=self._day(event.moment), days=days)
            case EventKind.CARE_SIGNAL if holder in self._seen:
                seen = self._seen[holder]
                self._seen[holder] = replace(seen, is_signalled=True)
            case EventKind.CARE_ANSWERED if holder in self._seen:
                day = self._day(event.moment)
                seen = self._seen[holder]
                self._seen[holder] = replace(seen, day=day, is_signalled=False)
            case _:
                return
        self._due_s = 0.0

    def forget(self, names: Names) -> None:
        """Ask after a person no more."""
        self._seen.pop(names.holder, None)

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        return {
            "care": [
                [name, seen.day, seen.days, int(seen.is_signalled)]
                for name, seen in self._seen.items()
            ]
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; an older one has none."""
        for name, day, days, is_signalled in state.get("care", ()):
            self._seen[name] = Seen(day=day, days=days, is_signalled=bool(is_signalled))
        self._due_s = 0.0 if self._seen else None

    def renumber(self, shift: int) -> None:
        """Do nothing: days have no numbers of events."""

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        return self._due_s

    def expire(self, now: Moment) -> None:
        """Signal whoever was not seen for too long, if the day is known."""
        if self._due_s is None or now.monotonic_s < self._due_s:
            return
        today = self._day(now)
        if today == UNKNOWN_DAY:
            self._due_s = now.monotonic_s + SURE_MS / 1000
            return
        for name, seen in tuple(self._seen.items()):
            if seen.day == UNKNOWN_DAY:
                self._seen[name] = replace(seen, day=today)
                self._out.keep()  # no event tells on which day the day was known
            elif not seen.is_signalled and today - seen.day >= seen.days:
                self._out.event(
                    EventKind.CARE_SIGNAL,
                    "site",
                    now,
                    facts=(("days", today - seen.day),),
                    person=Person(holder=name),
                )
        tomorrow_ms = (today + 1) * DAY_MS - self._site.utc_offset_ms
        wait_s = max(1.0, (tomorrow_ms - now.earliest_ms) / 1000)
        self._due_s = now.monotonic_s + wait_s if self._seen else None

    def _day(self, moment: Moment) -> int:
        if moment.latest_ms - moment.earliest_ms > SURE_MS:
            return UNKNOWN_DAY
        return local_day(moment.earliest_ms, self._site.utc_offset_ms)
