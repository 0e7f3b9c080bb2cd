# SPDX-License-Identifier: Apache-2.0
"""A person is forgotten by every part, or kept for a reason that is told."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.emergency.state import EmergencyState
from edge.core.erasing.kept_out import MAX_DIGESTS, KeptOut
from edge.core.event import NOBODY, EventKind
from edge.core.order import BagReturned, EmergencyOrdered, RentalEndOrdered
from edge.core.people.entries import Elder
from edge.core.remote.command import Action
from edge.core.stimulus import (
    CommandReceived,
    CommandStored,
    EraseOrdered,
    RowsErased,
    TracesGone,
)
from tests.core.house.place import Place
from tests.core.house.plan import PLACE
from tests.core.remote.afar import command, give, last, reason, states
from tests.core.scene import holder, neighbours, roster
from tests.core.stage import Stage

WANG = "holder-wang"
NAME = f"{1:032x}"


def erase(jti: int = 1, **more: Any) -> Any:
    fields = {"holder": WANG, "reason": "asked for it"} | more
    return command(jti, Action.ERASE, **fields)


def ordered(name: str = "a" * 32, who: str = WANG) -> EraseOrdered:
    return EraseOrdered(
        name=name, holder=who, actor="shell:chen", second="shell:luo", reason="moved"
    )


def finish(stage: Stage, name: str = NAME) -> list[str]:
    """Play the shell: rows are erased, then no old page names him."""
    told = stage.do(RowsErased(name=name, bookings=("b1",), rows=7))
    return told + stage.do(TracesGone(name=name))


def test_it_is_recorded_then_done_by_the_shell_then_told() -> None:
    stage, wish = Stage(), erase()
    assert stage.do(CommandReceived(command=wish)) == ["COMMAND_RECEIVED"]
    assert stage.controller.house.erasing.due == {}
    assert stage.do(CommandStored(jti=wish.jti)) == []
    assert list(stage.controller.house.erasing.due) == [NAME]
    assert stage.last.is_kept, "the record's own row will be erased"
    assert finish(stage) == ["ERASED", "COMMAND_EXECUTED"]
    assert states(stage, wish) == ["accepted", "actuated"]
    erased = last(stage, EventKind.ERASED)
    assert erased.fact("rows") == 7
    assert erased.person.holder is None
    assert WANG not in str(erased.facts)
    assert stage.controller.house.erasing.wishes == {}


def states_of(stage: Stage) -> list[str]:
    return [event.kind.value for event in stage.journal]


def test_no_part_names_him_afterwards() -> None:
    stage = Stage()
    stage.scan("wang")
    stage.walk_through("kitchen-door")
    stage.wait(4 * 3600.0)
    give(stage, command(9, Action.REVOKE_NOW, holder=WANG))
    assert WANG in stage.standing()
    assert '"b1"' in stage.standing()
    give(stage, erase())
    stage.controller.house.adopt(roster(), 0)
    finish(stage)
    assert "wang" not in stage.standing()
    assert '"b1"' not in stage.standing()


def test_who_is_inside_is_kept_until_the_visit_ends() -> None:
    stage = Stage()
    stage.scan("wang")
    stage.walk_through("kitchen-door")
    told = give(stage, erase())
    assert told == ["COMMAND_RECEIVED", "ERASURE_DEFERRED"]
    assert last(stage, EventKind.ERASURE_DEFERRED).fact("why") == "visit"
    assert states(stage, erase()) == ["accepted", "deferred"]
    assert stage.controller.house.erasing.due == {}
    stage.wait(3600.0)
    assert "VISIT_CLOSED" in states_of(stage)
    assert list(stage.controller.house.erasing.due) == [NAME]


def test_what_lies_in_a_locker_is_kept_and_a_power_cut_forgets_no_wish() -> None:
    rows = neighbours("b2 wang lounge 14:00-16:00 S")
    stage = Stage(rows)
    stage.scan("wang", "hall-in")
    [opening] = stage.openings()
    stage.use(opening.number)
    give(stage, erase())
    assert "rental" in str(last(stage, EventKind.ERASURE_DEFERRED).fact("why"))
    state, after = stage.standing(), stage.journal[-1].seq
    told = stage.cut_power(state, after)
    assert "COMMAND_UNKNOWN" not in told, "it goes on"
    stage.end_rental(opening.number)
    stage.wait(3600.0)
    assert list(stage.controller.house.erasing.due) == [NAME]


def test_a_bag_that_waits_bars_nothing_and_is_nobody_s_afterwards() -> None:
    stage = Stage(neighbours("b2 wang lounge 14:00-16:00 S"))
    stage.scan("wang", "hall-in")
    [opening] = stage.openings()
    stage.use(opening.number)
    order = RentalEndOrdered(
        bank="hall", number=opening.number, actor="chen", reason="emptied", bag="B017"
    )
    assert "RENTAL_ENDED" in stage.do(order)
    assert WANG in str(stage.controller.house.bags.waiting)
    give(stage, erase())
    stage.controller.house.adopt(roster(), 0)
    finish(stage)
    assert "wang" not in stage.standing()
    assert stage.do(BagReturned(bag="B017", actor="lin")) == ["BAG_RETURNED"]
    assert stage.journal[-1].person == NOBODY


def test_a_leaf_that_never_opened_is_given_back() -> None:
    stage = Stage(neighbours("b2 wang lounge 14:00-16:00 S"))
    stage.scan("wang", "hall-in")
    [opening] = stage.openings()
    stage.jam(opening.number)
    stage.wait(60.0)
    told = give(stage, erase())
    assert "RENTAL_ENDED" in told or stage.locker(opening.number).endswith("-")
    assert WANG not in str(stage.controller.lockers.standing())


def test_what_begins_while_rows_are_erased_puts_it_off() -> None:
    stage = Stage()
    give(stage, erase())
    stage.scan("wang")
    stage.walk_through("kitchen-door")
    told = stage.do(RowsErased(name=NAME, bookings=(), rows=1))
    assert told == ["ERASURE_DEFERRED"]
    assert list(stage.controller.house.erasing.wishes) == [NAME]


def test_one_who_is_to_be_fetched_is_kept_while_people_are_in_danger() -> None:
    elder = Elder(holder_id=WANG, order=1, route="stairs")
    stage = Stage(roster(holder("wang"), elder))
    stage.do(
        EmergencyOrdered(state=EmergencyState.SHELTER, actor="chen", reason="typhoon")
    )
    give(stage, erase())
    assert last(stage, EventKind.ERASURE_DEFERRED).fact("why") == "emergency"


def test_two_here_may_order_it_too() -> None:
    stage = Stage()
    assert stage.do(ordered()) == ["ERASURE_ORDERED"]
    assert finish(stage, "a" * 32) == ["ERASED"]
    assert last(stage, EventKind.ERASED).fact("second") == "shell:luo"


def test_a_person_is_erased_once_at_a_time() -> None:
    stage = Stage()
    give(stage, erase())
    assert reason(stage, erase(2)) == "BUSY"
    stage.do(ordered())
    assert stage.controller.rejection == "this person is being erased already"


@pytest.mark.parametrize("field", ["by", "reason"])
def test_what_stays_names_nobody(field: str) -> None:
    named: dict[str, Any] = {field: f"for {WANG}"}
    assert reason(Stage(), erase(**named)) == "PERSON_NAMED"


def test_a_step_for_nothing_does_nothing() -> None:
    stage = Stage()
    assert stage.do(RowsErased(name=NAME, bookings=(), rows=1)) == []
    assert stage.do(TracesGone(name=NAME)) == []


def test_a_power_cut_between_the_steps_leaves_the_rest_to_be_done() -> None:
    stage = Stage()
    give(stage, erase())
    stage.do(RowsErased(name=NAME, bookings=(), rows=1))
    state, after = stage.standing(), stage.journal[-1].seq
    assert WANG not in state
    stage.cut_power(state, after)
    assert stage.controller.house.erasing.due[NAME].holder == ""
    assert stage.do(TracesGone(name=NAME)) == ["COMMAND_EXECUTED"]


def test_an_erased_journal_replays() -> None:
    stage = Stage()
    stage.scan("wang")
    stage.walk_through("kitchen-door")
    stage.wait(4 * 3600.0)
    give(stage, erase())
    finish(stage)
    state, after = stage.standing(), stage.journal[-1].seq
    revived = stage.replayed(state, after)
    assert revived.snapshot(stage.now()) == state


def test_a_place_with_everything_forgets_somebody() -> None:
    place = Place(site=PLACE)
    place.vouch("gao", "RESIDENT")
    place.bind("gao")
    assert "holder-gao" in place.controller.snapshot(place.now())
    place.do(ordered(who="holder-gao"))
    place.do(RowsErased(name="a" * 32, bookings=(), rows=3))
    assert "holder-gao" not in place.controller.snapshot(place.now())


def test_a_row_of_one_erased_is_kept_out_until_a_feed_comes_without_him() -> None:
    kept = KeptOut()
    assert kept.met("holder", WANG, "{}") == frozenset()
    kept.add(b"s" * 16, [WANG, "ab" * 16])
    met = kept.met("holder", WANG, "{}")
    assert met
    assert kept.met("booking", "b1", f'{{"holder":"{WANG}"}}') == met
    assert kept.met("revocation", "r1", f'{{"token":"{"ab" * 16}"}}')
    assert not kept.met("holder", "holder-li", '{"holder":7}')
    assert not kept.met("booking", WANG, "no json")
    loaded = KeptOut()
    loaded.load(kept.dump())
    assert loaded.met("holder", WANG, "[]") == met
    assert WANG not in str(kept.dump())
    assert loaded.agreed(met)
    assert loaded.met("holder", WANG, "{}") == met
    assert loaded.agreed(frozenset())
    assert not loaded


def test_who_is_kept_out_is_bounded() -> None:
    kept = KeptOut()
    kept.add(b"s" * 16, map(str, range(MAX_DIGESTS + 10)))
    assert len(kept.dump()["kept_out"]) == MAX_DIGESTS + 1
