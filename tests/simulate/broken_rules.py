# SPDX-License-Identifier: Apache-2.0
"""Rules broken on purpose, each at one guard, and the day on which it must show.

The law of the module: a break is a patch of the running product, never of a checker
or of the oracle, and says which checker has to find it; the unbroken product passes the
same days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.simulate import machine, scenes, staff, workload
from edge.cli.simulate.village import bookings_of_day
from edge.cli.simulate.watched import WatchedController
from edge.core import controller
from edge.core.access import decision
from edge.core.access.rules import entitlement, party, terms
from edge.core.access.ticket import Ticket
from edge.core.doors import door as door_machine
from edge.core.doors.door import DoorEffect, DoorInput, DoorMode, DoorPhase
from edge.core.doors.doorkeeper import Doorkeeper
from edge.core.duty import duty, shift
from edge.core.emergency import emergency
from edge.core.lockers import locker_decision
from edge.core.people.rolls import Rolls
from edge.core.reception import Reception
from edge.core.spaces import visits
from edge.core.spaces.fares import fare
from edge.core.spaces.presence import Presence
from edge.core.stimulus import Scan
from edge.gateway.held import Waiting
from tests.simulate.broken_days import BUSY, CROWDED, FIRES, LONG, SLOW_DISK

if TYPE_CHECKING:
    from edge.cli.simulate.scenes import Crowd, Scene
    from firmware_sim.platform.feed import Row
    from tests.simulate.broken_days import Day

Patch = pytest.MonkeyPatch
Break = Callable[[Patch], None]

TICKET_LIFE_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One guard taken away, the day that shows it, and who must find it."""

    name: str
    by: Break
    day: Day
    found_by: tuple[str, ...]


def prepare(patch: Patch) -> None:
    """Let tickets, old scans and unpaid bookings be part of every day."""
    extra = ((show_ticket_twice, 4.0), (hold_out_late, 3.0))
    patch.setattr(workload, "SCENES", workload.SCENES + extra)

    def with_debts(*day: Any) -> list[Row]:
        rows = bookings_of_day(*day)
        for place, row in enumerate(rows):
            if place % 5 == 0:
                row.body["due"] = 500
        return rows

    patch.setattr(staff, bookings_of_day.__name__, with_debts)


def show_ticket_twice(crowd: Crowd) -> Scene:
    """Somebody enters by a single-use ticket, and a friend tries it again."""
    door = "living-room-door"
    now_ms = crowd.site.true_time.ms()
    name = crowd.chance.randbytes(8).hex()
    ticket = Ticket(
        ticket_id=name,
        not_before_ms=now_ms - TICKET_LIFE_MS,
        expires_ms=now_ms + TICKET_LIFE_MS,
        doors=("living-room",),
        audience=crowd.site.plan.site_id,
        issued_ms=now_ms - TICKET_LIFE_MS,
        uses=1,
    )
    for _ in range(2):
        offer(crowd, crowd.site.tokens.ticket(name), ticket)
        yield 1.0
        if crowd.is_released(door):
            yield from scenes.walk_in(crowd, door)
        yield 8.0


def hold_out_late(crowd: Crowd) -> Scene:
    """What a code said reaches the box seconds later."""
    people = crowd.site.village.with_code
    who = crowd.guest("living-room", people)
    offer(crowd, crowd.site.village.credential(who), None, age_s=3.0)
    yield 0.0


def offer(
    crowd: Crowd, credential: Any, ticket: Ticket | None, age_s: float = 0.0
) -> None:
    """Let a scan reach the box's queue, if there is a box."""
    box = crowd.site.machine
    if box is None or box.is_stopping or box.boot.is_still:
        return
    point = "living-room-front"
    received_s = box.boot.time() - age_s
    scan = Scan(
        access_point=point,
        credential=credential,
        received_s=received_s,
        ticket=ticket,
    )
    box.gateway.offer(point, scan)


def without(rule: str) -> Break:
    """Return a break that leaves a rule of entry out."""

    def left_out(patch: Patch) -> None:
        kept = tuple(each for each in decision.RULES if each[0] != rule)
        assert len(kept) == len(decision.RULES) - 1
        patch.setattr(decision, "RULES", kept)

    return left_out


def the_key_before_is_not_asked(patch: Patch) -> None:
    right = Rolls.find
    patch.setattr(Rolls, "find", lambda self, *tokens: right(self, tokens[0]))


def what_was_lost_before_is_ignored(patch: Patch) -> None:
    right = Rolls.revocation
    patch.setattr(Rolls, "revocation", lambda self, *tokens: right(self, tokens[0]))


def revocations_are_ignored(patch: Patch) -> None:
    patch.setattr(Rolls, "revocation", lambda self, *tokens: None)


def hours_end_later(patch: Patch) -> None:
    """Half an hour of hours that nobody gave."""
    right = terms.hours

    def wrong(question: Any, *rest: Any) -> Any:
        later = replace(
            question.now,
            earliest_ms=question.now.earliest_ms - 1_800_000,
            latest_ms=question.now.latest_ms - 1_800_000,
        )
        return right(replace(question, now=later), *rest)

    kept = tuple((n, wrong if n == "hours" else r) for n, r in decision.RULES)
    patch.setattr(decision, "RULES", kept)


def parties_never_fill(patch: Patch) -> None:
    right = party.left_of_party

    def wrong(*asked: Any) -> int:
        return right(*asked) + 1

    patch.setattr(entitlement, right.__name__, wrong)


def capacity_is_off_by_one(patch: Patch) -> None:
    right = Presence.persons
    patch.setattr(Presence, "persons", lambda self, space: right(self, space) - 1)


def grace_is_doubled(patch: Patch) -> None:
    def wrong(plan: Any, **rest: Any) -> Any:
        spaces = {
            name: replace(space, grace_ms=2 * space.grace_ms + 600_000)
            for name, space in plan.spaces.items()
        }
        return WatchedController(replace(plan, spaces=spaces), **rest)

    patch.setattr(machine, WatchedController.__name__, wrong)


def old_scans_decide(patch: Patch) -> None:
    patch.setattr(controller, "SCAN_LIFE_S", 60.0)


def releases_do_not_wait(patch: Patch) -> None:
    patch.setattr(Waiting, "keep", lambda *_, **__: False)


def blocked_doors_stay_shut(patch: Patch) -> None:
    """Fire leaves alone what somebody has put out of use."""
    right = Doorkeeper.impose

    def wrong(self: Doorkeeper, door_ids: Any, mode: DoorMode) -> None:
        spared = {DoorMode.BLOCKED, DoorMode.LOCKED_DOWN}
        right(self, [d for d in door_ids if self.mode(d) not in spared], mode)

    patch.setattr(Doorkeeper, "impose", wrong)


def exits_obey_the_mode(patch: Patch) -> None:
    right = Doorkeeper.exit

    def wrong(self: Doorkeeper, door_id: str, now: Any, *, is_pressed: bool) -> None:
        if self.mode(door_id) is not DoorMode.BLOCKED:
            right(self, door_id, now, is_pressed=is_pressed)

    patch.setattr(Doorkeeper, "exit", wrong)


def nobody_is_alarmed(patch: Patch) -> None:
    opened = (DoorPhase.OPEN, (DoorEffect.OPENED,))
    secure = door_machine.TABLE[DoorPhase.SECURE] | {DoorInput.OPENED: opened}
    patch.setitem(door_machine.TABLE, DoorPhase.SECURE, secure)


def fires_end_too_early(patch: Patch) -> None:
    bars = dict.fromkeys(emergency._BARS_THE_END, "")
    patch.setattr(emergency, "_BARS_THE_END", bars)


def compartments_are_given_twice(patch: Patch) -> None:
    def first(bank: Any, compartments: Any, size: Any) -> int:
        del compartments
        fit = [n for n, plan in sorted(bank.compartments.items()) if plan.size == size]
        return fit[0] if fit else 1

    patch.setattr(locker_decision, "vacant", first)


def fares_are_rounded_down(patch: Patch) -> None:
    def wrong(plan: Any, minutes: int, left_free_min: int) -> Any:
        owed = fare(plan, minutes, left_free_min)
        paid_min = minutes - owed.free_min
        return replace(owed, fen=paid_min // 60 * plan.fen)

    patch.setattr(visits, fare.__name__, wrong)


def shifts_never_end(patch: Patch) -> None:
    patch.setattr(duty, "MAX_SHIFT_MIN", 24 * 60)
    patch.setattr(shift, "MAX_SHIFT_MIN", 24 * 60)


def refusals_are_silent(patch: Patch) -> None:
    right = Reception.indicate

    def wrong(self: Any, point: str, shown: Any, *rest: Any, **more: Any) -> None:
        if shown.value != "DENIED":
            right(self, point, shown, *rest, **more)

    patch.setattr(Reception, "indicate", wrong)


def a_part_raises_now_and_then(patch: Patch) -> None:
    """One of the parts that hear of every event trips over some."""
    right = Presence.follow

    def wrong(self: Presence, event: Any) -> None:
        right(self, event)
        if event.seq % 50 == 0:
            raise KeyError(event.subject)

    patch.setattr(Presence, "follow", wrong)


GRANTS, REFUSALS = "grants are the oracle's", "refusals are the oracle's"
DECISIONS = (GRANTS, REFUSALS)
FARES = "fares equal the oracle's"
BROKEN = (
    Broken(
        name="a revocation is ignored",
        by=revocations_are_ignored,
        day=BUSY,
        found_by=DECISIONS,
    ),
    Broken(
        name="the site key before is not asked",
        by=the_key_before_is_not_asked,
        day=BUSY,
        found_by=DECISIONS,
    ),
    Broken(
        name="a card lost under the site key before opens",
        by=what_was_lost_before_is_ignored,
        day=BUSY,
        found_by=DECISIONS,
    ),
    Broken(
        name="grace is doubled",
        by=grace_is_doubled,
        day=BUSY,
        # Who enters behind the true grace also stays behind his visit's true end.
        found_by=(*DECISIONS, FARES),
    ),
    Broken(name="nobody need pay", by=without("payment"), day=BUSY, found_by=DECISIONS),
    Broken(name="hours end later", by=hours_end_later, day=BUSY, found_by=DECISIONS),
    Broken(
        name="capacity is off by one",
        by=capacity_is_off_by_one,
        day=BUSY,
        found_by=DECISIONS,
    ),
    Broken(
        name="the mode is not asked", by=without("mode"), day=BUSY, found_by=DECISIONS
    ),
    Broken(
        name="a used ticket is taken again",
        by=without("redeemed"),
        day=BUSY,
        found_by=DECISIONS,
    ),
    Broken(
        name="a party takes one more",
        by=parties_never_fill,
        day=BUSY,
        found_by=DECISIONS,
    ),
    Broken(
        name="old scans decide",
        by=old_scans_decide,
        day=BUSY,
        found_by=("nothing old opens",),
    ),
    Broken(
        name="releases do not wait for their commit",
        by=releases_do_not_wait,
        day=SLOW_DISK,
        found_by=("no release without a committed cause",),
    ),
    Broken(
        name="fire spares blocked doors",
        by=blocked_doors_stay_shut,
        day=FIRES,
        found_by=("fire opens all escape doors",),
    ),
    Broken(
        name="exits obey the mode",
        by=exits_obey_the_mode,
        day=BUSY,
        found_by=("exit always works",),
    ),
    Broken(
        name="nobody is alarmed",
        by=nobody_is_alarmed,
        day=BUSY,
        found_by=("forced alarm exactly when forced",),
    ),
    Broken(
        name="a fire ends too early",
        by=fires_end_too_early,
        day=FIRES,
        found_by=("emergencies end by hand alone",),
    ),
    Broken(
        name="a compartment is given twice",
        by=compartments_are_given_twice,
        day=CROWDED,
        found_by=("one holder a compartment",),
    ),
    Broken(
        name="fares are rounded down",
        by=fares_are_rounded_down,
        day=BUSY,
        found_by=(FARES,),
    ),
    Broken(
        name="shifts last beyond twelve hours",
        by=shifts_never_end,
        day=LONG,
        found_by=("duty minutes equal the oracle's",),
    ),
    Broken(
        name="refusals are silent",
        by=refusals_are_silent,
        day=BUSY,
        found_by=("a refusal is told",),
    ),
    Broken(
        name="a part raises now and then",
        by=a_part_raises_now_and_then,
        day=BUSY,
        found_by=("no rule fails",),
    ),
)
