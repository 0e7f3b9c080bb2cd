# SPDX-License-Identifier: Apache-2.0
"""What the panel reads in an emergency: what stands, whom to call, whom to fetch.

The law of the module: it reads the standing and never waits, so that no door does. A
paired tablet may know what stands and whom to call, logged in or not. Elders are shown
to who is on duty; to a tablet where nobody is logged in only while people are in
danger, because then a neighbour at the door fetches them, and never in a rehearsal.
Persons are named by keys that are worth nothing beyond this run of the gateway.
"""

from __future__ import annotations

from dataclasses import asdict
from hashlib import blake2s
from itertools import islice
from typing import TYPE_CHECKING, Any

from edge.accounts.rights import RIGHTS
from edge.accounts.sessions import new_secret
from edge.cli.community import community
from edge.core.emergency.drill_plan import STAGES
from edge.core.emergency.effects import overtaking
from edge.core.emergency.state import EmergencyState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.cli.panel.desk import Desk, Who
    from edge.control.server import Act
    from edge.core.emergency.drill_sheets import DrillSheet
    from edge.core.people.entries import Elder

ON_DUTY = RIGHTS["elder"]
#: Rows of a list that are told in full at a time: more than a page has, and less than
#: an answer may weigh.
MAX_SHOWN = 100
#: Of an identifier that stands for somebody without a name, so much is shown.
TAIL = 4
_FIRE_BARS = {"": "", "the fire input is active": "active"}


class Readings:
    """The verbs of the emergency pages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._salt = new_secret().encode()[:32]

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {
            "emergency-now": self._now,
            "emergency-contacts": self._contacts,
            "elders": self._elders,
            "elder-mark": self._mark_elder,
            "care": self._care,
            "care-mark": self._answer_care,
            "drills": self._drills,
        }

    # ---- for any paired tablet --------------------------------------------------

    async def _now(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return what stands, who is on duty, what is rehearsed, and how far it is."""
        who = self._desk.who(request, is_own=is_own)
        house = self._desk.controller.house
        drills, elders = house.emergency.drills, house.emergency.elders
        bar = house.emergency.bars_fire_end
        return {
            "standing": self._standing(),
            "fire_bar": _FIRE_BARS.get(bar, "unknown"),
            "shelter": self._shelter(),
            "on_duty": self._on_duty(),
            "drill": self._running(),
            "last_drill_ms": drills.last_done_ms,
            "contacts": len(house.rolls.contacts),
            "called": len(house.emergency.contacts.called),
            "elders": len(house.rolls.elders),
            "awaited": len(elders.awaited()),
            "shows_elders": self._may_see_elders(who),
            "care": len(house.care.asked_after),
        }

    async def _contacts(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return whom to call, by grid, with what came of the calls so far."""
        self._desk.who(request, is_own=is_own)
        rolls = self._desk.controller.rolls
        told = community(rolls.roster.tables, rolls.spaces, self._desk.now())
        emergency = self._desk.controller.emergency
        called = {
            contact: {
                "mark": call.mark.value,
                "at_ms": call.at_ms,
                "who": self._name(call.actor),
            }
            for contact, call in emergency.contacts.called.items()
        }
        is_peace = not emergency.standing and emergency.drills.running is None
        return {
            "grids": [
                {"name": grid["name"], "contacts": _own(grid["contacts"])}
                for grid in told["grids"]
            ],
            "contacts": told["contacts"],
            "offices": told["offices"],
            "called": called,
            "is_peace": is_peace,
        }

    # ---- elders -----------------------------------------------------------------

    def _may_see_elders(self, who: Who) -> bool:
        is_on_duty = who.session is not None and who.session.role in ON_DUTY
        standing = self._desk.controller.emergency.standing
        return who.is_shell or is_on_duty or overtaking(standing) is not None

    async def _elders(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return whom to fetch, in their order, with their marks.

        Where and how stands with ``most`` of them from ``first`` on alone: all of a
        long list would be more than one answer holds.
        """
        who = self._desk.who(request, is_own=is_own)
        if not self._may_see_elders(who):
            raise ValueError("the list is for who is on duty")
        first = _number(request, "first", 0)
        most = min(_number(request, "most", MAX_SHOWN), MAX_SHOWN)
        house = self._desk.controller.house
        tables = house.rolls.roster.tables
        names = {grid.grid_id: (grid.order, grid.name) for grid in tables.grids}
        known = {elder.holder_id: elder for elder in house.rolls.elders}
        listed = []
        for each in house.emergency.elders.progress():
            elder = known[each.holder_id]
            grid = names.get(elder.grid, (1 << 30, ""))
            listed.append((grid, elder, each))
        listed.sort(key=lambda each: each[0])  # stable: within a grid their order
        shown = range(first, first + most)
        emergency = house.emergency
        is_peace = not emergency.standing and emergency.drills.running is None
        return {
            "elders": [
                {
                    "key": self._key(elder.holder_id),
                    "name": elder.label,
                    "order": marks.order,
                    "fetched_s": marks.fetched_after_s,
                    "arrived_s": marks.arrived_after_s,
                }
                | (_where(elder, grid[1]) if place in shown else {})
                for place, (grid, elder, marks) in enumerate(listed)
            ],
            "is_peace": is_peace,
        }

    async def _mark_elder(
        self,
        request: dict[str, Any],
        is_own: bool,  # noqa: FBT001
    ) -> dict[str, Any]:
        """Mark whom a key stands for as fetched or arrived."""
        who = self._desk.acting(request, ON_DUTY, is_own=is_own)
        elders = self._desk.controller.rolls.elders
        holder = self._holder(request, (each.holder_id for each in elders))
        fields = {"holder": holder, "mark": request.get("mark"), "actor": who.actor}
        return self._desk.order("elder", fields)

    # ---- care -------------------------------------------------------------------

    async def _care(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return whom somebody should look after: not seen for so many days."""
        self._desk.acting(request, ON_DUTY, is_own=is_own)
        house = self._desk.controller.house
        tables = house.rolls.roster.tables
        names = {grid.grid_id: grid.name for grid in tables.grids}
        listed = {elder.holder_id: elder for elder in house.rolls.elders}
        waiting = []
        for holder, days in islice(house.care.asked_after.items(), MAX_SHOWN):
            elder = listed.get(holder)
            told = {"key": self._key(holder), "tail": holder[-TAIL:], "days": days}
            if elder is not None:
                told |= _where(elder, names.get(elder.grid, ""))
            waiting.append(told)
        return {"care": waiting}

    async def _answer_care(
        self,
        request: dict[str, Any],
        is_own: bool,  # noqa: FBT001
    ) -> dict[str, Any]:
        """Note that somebody looked after whom a key stands for."""
        who = self._desk.acting(request, ON_DUTY, is_own=is_own)
        waiting = self._desk.controller.house.care.asked_after
        holder = self._holder(request, waiting)
        return self._desk.order("care-answer", {"holder": holder, "actor": who.actor})

    # ---- drills -----------------------------------------------------------------

    async def _drills(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return the sheets of the last drills, the newest first."""
        self._desk.acting(request, ON_DUTY, is_own=is_own)
        drills = self._desk.controller.emergency.drills
        return {"drills": [self._sheet(each) for each in reversed(drills.sheets)]}

    def _sheet(self, sheet: DrillSheet) -> dict[str, Any]:
        stages = next(
            (plan for kind, plan in STAGES.items() if kind == sheet.drill), ()
        )
        return {
            "seq": sheet.seq,
            "drill": sheet.drill,
            "began_ms": sheet.began_ms,
            "with_doors": sheet.with_doors,
            "duration_s": sheet.duration_s,
            "outcome": sheet.outcome,
            "who": self._name(sheet.actor),
            "action": sheet.action,
            "owner": self._name(sheet.owner),
            "stages": [
                {
                    "name": stage.name,
                    "within_s": stage.within_s,
                    "after_s": sheet.reached.get(stage.name),
                }
                for stage in stages
            ],
        }

    def _running(self) -> dict[str, Any] | None:
        drill = self._desk.controller.emergency.drills.running
        if drill is None:
            return None
        return {
            "seq": drill.seq,
            "drill": drill.kind.value,
            "elapsed_s": drill.began.elapsed_ms(self._desk.now()) // 1000,
            "began_ms": drill.began.earliest_ms,
            "with_doors": drill.with_doors,
            "stages": [
                {**asdict(stage), "after_s": drill.reached.get(stage.name)}
                for stage in STAGES[drill.kind]
            ],
        }

    # ---- names ------------------------------------------------------------------

    def _standing(self) -> list[dict[str, Any]]:
        emergency = self._desk.controller.emergency
        told = []
        for state in EmergencyState:
            if state in emergency.standing:
                since = emergency.since.get(state)
                by, actor = emergency.begun_by.get(state, ("", ""))
                told.append(
                    {
                        "state": state.value,
                        "since_ms": since.earliest_ms if since else None,
                        "by": by,
                        "who": self._name(actor),
                    }
                )
        return told

    def _shelter(self) -> list[dict[str, Any]]:
        """Return the spaces that the site file opens in a typhoon."""
        house = self._desk.controller.house
        return [
            {
                "space": space_id,
                "inside": house.spaces.presence.persons(space_id),
                "capacity": plan.shelter_capacity,
            }
            for space_id, plan in house.rolls.spaces.items()
            if plan.shelter_capacity
        ]

    def _on_duty(self) -> list[str]:
        """Return the names of who has a shift or a turn; a card alone has none."""
        book = self._desk.book
        accounts = map(book.of_holder, self._desk.controller.on_duty)
        names = [account.name if account else "" for account in accounts]
        turns = [each for each in book.sessions.running if each.role in ON_DUTY]
        return names + [turn.name for turn in turns if turn.name not in names]

    def _name(self, actor: str) -> str:
        """Return how people call an actor: himself, or the tablet; "" if unknown."""
        book = self._desk.book
        if actor in book.accounts:
            return book.accounts[actor].name
        if actor in book.tablets:
            return book.tablets[actor].name
        turns = (turn.name for turn in book.sessions.running if turn.actor == actor)
        return next(turns, "")

    def _key(self, holder: str) -> str:
        return blake2s(holder.encode(), key=self._salt, digest_size=8).hexdigest()

    def _holder(self, request: dict[str, Any], holders: Iterable[str]) -> str:
        """Return whom a key stands for; ValueError for nobody."""
        key = request.get("key")
        found = next((each for each in holders if self._key(each) == key), None)
        if found is None:
            raise ValueError("nobody of that key is listed any more")
        return found


def _where(elder: Elder, grid: str) -> dict[str, Any]:
    """Return whom to look for, where and how; his name was masked as it was read."""
    return {
        "name": elder.label,
        "place": elder.place,
        "route": elder.route,
        "needs": list(elder.needs),
        "grid": grid,
    }


def _number(request: dict[str, Any], name: str, default: int) -> int:
    """Return how many rows a request means; the default where it names none."""
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        return default
    return max(0, value)


def _own(contacts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a grid's own contacts; those of all grids stand on their own."""
    return [each for each in contacts if each["grid"]]
