# SPDX-License-Identifier: Apache-2.0
"""Hours for whose they are, the roster for managers, thanks for who goes home.

The law of the module: it reads. A volunteer hears of the own shifts alone, and of
others in them by the first sign of a name; a manager hears everybody's. Whose hours a
request may see is found out from the turn, never from the request of a volunteer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from edge.accounts.people import Role
from edge.cli.panel.shift_stories import minutes_of, of_month
from edge.core.duty.shift import month_of
from edge.core.plan import DAY_MS
from edge.core.schedule import local_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge.cli.panel.desk import Desk, Who
    from edge.cli.panel.shift_stories import Story, Word
    from edge.control.server import Act

ON_DUTY = frozenset({Role.VOLUNTEER, Role.MANAGER})
MANAGER = frozenset({Role.MANAGER})
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
#: Shifts of one answer: forty a day for a week, or a volunteer's of two months.
MAX_TOLD = 300
#: Shifts that wait for two persons; the oldest are told first.
MAX_WAITING = 50
#: How many weeks back a manager may look: as long as the book remembers.
MAX_WEEKS = 13
#: Whose hours are known here at all: nobody's that no shift or account tells of.
MAX_PEOPLE = 300


class Shifts:
    """The verbs that read shifts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._offset_ms = desk.utc_offset_ms

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {
            "hours": self._hours,
            "roster": self._roster,
            "shift": self._shift,
            "farewell": self._farewell,
        }

    async def _hours(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return the shifts of two months, or for managers of one ``month``.

        Managers may name a ``holder``; nobody else's are told to a volunteer.
        """
        desk = self._desk
        who = desk.acting(request, ON_DUTY, is_own=is_own)
        holder, named = self._whose(who, request)
        month = request.get("month")
        if month is not None and not _MONTH.fullmatch(str(month)):
            raise ValueError("month: does not fit, say YYYY-MM")
        stories = (await desk.shift_book.look()).of(holder) if holder else ()
        if not stories and desk.controller.rolls.holder(holder) is None:
            holder = ""  # nobody's: what was asked for is not said again
        this = month_of(desk.now().earliest_ms, self._offset_ms)
        months = [str(month)] if month else [this, _before(this)]
        tell = self._teller(is_named=named)
        return {
            "has_card": bool(holder),
            "name": self._name(holder),
            "mark": holder[-4:],
            "this": this,
            "months": [self._month(each, stories, tell) for each in months],
            **self._stars(holder),
            "asks": [
                tell(each)
                for each in stories[-MAX_TOLD:]
                if each.state.value == "TO_CONFIRM" and each.asked < 0
            ],
        }

    def _stars(self, holder: str) -> dict[str, Any]:
        """Return the minutes that a star level is made of: all ever confirmed."""
        if not self._desk.shows_stars or not holder:
            return {}
        rows = self._desk.controller.rolls.confirmed_shifts
        his = [each for each in rows if each.holder_id == holder and each.total]
        newest = max(his, key=lambda each: each.at_ms, default=None)
        return {"ever": newest.total if newest else 0}

    def _whose(self, who: Who, request: dict[str, Any]) -> tuple[str, bool]:
        """Return whose hours are asked for, and whether names are told in full."""
        turn, wanted = who.session, request.get("holder")
        is_manager = turn is None or turn.role is Role.MANAGER
        if wanted is None:
            return (turn.holder if turn else ""), is_manager
        if not is_manager:
            raise ValueError("holder: everybody sees the own hours alone")
        return str(wanted), True

    def _month(
        self,
        month: str,
        stories: tuple[Story, ...],
        tell: Callable[[Story], dict[str, Any]],
    ) -> dict[str, Any]:
        mine = of_month(stories, month, self._offset_ms)
        return {
            "month": month,
            "minutes": minutes_of(mine),
            "confirmed": minutes_of(mine, confirmed=True),
            "shifts": [tell(each) for each in mine[-MAX_TOLD:]],
        }

    async def _roster(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return who is there, a week by day, what waits, and whom one may name.

        ``week`` counts back from 0, which is this one; weeks begin on Mondays.
        """
        desk = self._desk
        desk.acting(request, MANAGER, is_own=is_own)
        week = request.get("week", 0)
        if not isinstance(week, int) or not 0 <= week <= MAX_WEEKS:
            raise ValueError(f"week: say a whole number from 0 to {MAX_WEEKS}")
        stories = (await desk.shift_book.look()).all
        today = local_day(desk.now().earliest_ms, self._offset_ms)
        monday = today - (today + 3) % 7 - 7 * week  # the first of 1970 was a Thursday
        shown = [s for s in stories if monday <= self._day(s.from_ms) < monday + 7]
        tell = self._teller(is_named=True)
        return {
            "monday_ms": monday * DAY_MS - self._offset_ms,
            "month": month_of(desk.now().earliest_ms, self._offset_ms),
            "on_duty": [self._there(holder) for holder in desk.controller.on_duty],
            "shifts": [tell(each) for each in shown[-MAX_TOLD:]],
            "waiting": [tell(e) for e in stories if e.waits][:MAX_WAITING],
            "people": self._people(stories),
        }

    async def _shift(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return one shift with all that was said of it."""
        desk = self._desk
        who = desk.acting(request, ON_DUTY, is_own=is_own)
        stories = (await desk.shift_book.look()).all
        found = [each for each in stories if each.seq == request.get("seq")]
        turn = who.session
        is_manager = turn is None or turn.role is Role.MANAGER
        if found and (is_manager or (turn and found[0].holder == turn.holder)):
            return {"shift": self._teller(is_named=is_manager)(found[0])}
        return {"shift": None}

    async def _farewell(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return what a tablet's last volunteer is thanked for."""
        desk = self._desk
        tablet, now = desk.who(request, is_own=is_own).tablet, desk.now()
        kept = desk.farewells.of(tablet.id, now.monotonic_s) if tablet else None
        if kept is None:
            return {"state": "none"}
        account = desk.book.of_holder(kept.holder)
        actors = {kept.actor, account.id if account else kept.actor}
        opened = await desk.shift_book.openings(kept.seq, actors)
        mine = [
            shift
            for shift in desk.controller.house.duty.shifts.values()
            if shift.holder == kept.holder
        ]
        today, month = self._day(now.earliest_ms), self._month_of(now.earliest_ms)
        return {
            "state": "thanks",
            "opened": opened,
            "today": sum(
                s.minutes for s in mine if self._day(s.since.earliest_ms) == today
            ),
            "month": sum(
                s.minutes for s in mine if self._month_of(s.since.earliest_ms) == month
            ),
        }

    # ---- how it is told ---------------------------------------------------------

    def _there(self, holder: str) -> dict[str, Any]:
        shifts = self._desk.controller.house.duty.shifts.values()
        since = next((s for s in shifts if s.holder == holder and s.is_running), None)
        return self._person(holder) | {
            "since_ms": since.since.earliest_ms if since else None
        }

    def _people(self, stories: Iterable[Story]) -> list[dict[str, Any]]:
        """Return whose shift may begin and whose sheet may be printed."""
        desk = self._desk
        named = [each.holder for each in desk.book.active if each.holder]
        told = dict.fromkeys([*named, *(each.holder for each in stories)])
        on_duty, rolls = desk.controller.on_duty, desk.controller.rolls
        people = []
        for holder in list(told)[:MAX_PEOPLE]:
            known = rolls.holder(holder)
            may = known is not None and not {r.value for r in ON_DUTY}.isdisjoint(
                known.roles
            )
            is_there = holder in on_duty
            people.append(
                self._person(holder) | {"may_begin": may, "is_on_duty": is_there}
            )
        return sorted(people, key=lambda each: (not each["name"], each["name"]))

    def _person(self, holder: str) -> dict[str, Any]:
        return {"holder": holder, "name": self._name(holder), "mark": holder[-4:]}

    def _name(self, holder: str) -> str:
        """Return what people call a holder; the platform's roster knows no names."""
        account = self._desk.book.of_holder(holder)
        return account.name if account is not None else ""

    def _actor(self, actor: str, *, is_named: bool) -> str:
        account = self._desk.book.accounts.get(actor)
        name = account.name if account is not None else actor
        return name if is_named or not name else f"{name[0]}*"

    def _teller(self, *, is_named: bool) -> Callable[[Story], dict[str, Any]]:
        plans = self._desk.controller.rolls.planned_shifts
        tasks = {each.row_id: each.task for each in plans}

        def tell(story: Story) -> dict[str, Any]:
            return {
                "seq": story.seq,
                **(self._person(story.holder) if is_named else {}),
                "from_ms": story.from_ms,
                "to_ms": story.to_ms,
                "minutes": story.minutes,
                "state": story.state.value,
                "why": story.why,
                "task": tasks.get(story.plan, ""),
                "asked": story.asked,
                "began_by": self._actor(story.began_by, is_named=is_named),
                "ended_by": self._actor(story.ended_by, is_named=is_named),
                "words": [self._word(w, is_named=is_named) for w in story.words],
            }

        return tell

    def _word(self, word: Word, *, is_named: bool) -> dict[str, Any]:
        return {
            "kind": word.kind.value,
            "at_ms": word.at_ms,
            "minutes": word.minutes,
            "was": word.was,
            "who": self._actor(word.actor, is_named=is_named),
            "second": self._actor(word.second, is_named=is_named),
            "reason": word.reason,
        }

    def _day(self, utc_ms: int) -> int:
        return local_day(utc_ms, self._offset_ms)

    def _month_of(self, utc_ms: int) -> str:
        return month_of(utc_ms, self._offset_ms)


def _before(month: str) -> str:
    """Return the month before one, as ``YYYY-MM``."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02}"
