# SPDX-License-Identifier: Apache-2.0
"""What stands at a door: the room's use, a rehearsal, a box at fault, an open leaf."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from edge.bindings.bindings import Bindings
from edge.bindings.tokens import TokenMaker
from edge.cli.doorside.door_side import REPEAT_S, Around, DoorSide
from edge.cli.doorside.languages import Ear, open_library
from edge.cli.doorside.standing import LOOK_AGAIN_S, Standing, use_of
from edge.cli.files import config_folder
from edge.cli.site_wiring import wiring_of
from edge.core.command import Indication
from edge.core.moment import UNBOUNDED_MS
from edge.core.order import DrillOrdered
from edge.core.plan import AccessPointPlan, Direction, EntryRule
from edge.core.schedule import Schedule, read_hours
from edge.core.stimulus import ContactChanged, DeviceChanged
from tests.core.scene import SITE, neighbours
from tests.core.stage import Stage
from tests.edge.doorside.hall import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.cli.doorside.lamps import Timer
    from edge.core.command import Indicate
    from edge.core.plan import SitePlan

FREE, BOOKED, READY = Indication.FREE, Indication.BOOKED, Indication.READY
FOLDER = config_folder() / "voice"


def with_kitchen(**fields: object) -> SitePlan:
    """Return the scene's site, its kitchen on other terms."""
    kitchen = replace(SITE.spaces["kitchen"], **fields)  # type: ignore[arg-type]
    return replace(SITE, spaces={**SITE.spaces, "kitchen": kitchen})


def hours(told: str) -> Schedule:
    return Schedule(week=read_hours(told), utc_offset_ms=8 * 3_600_000)


@pytest.mark.parametrize(
    ("bookings", "fields", "shown"),
    [
        ("", {}, FREE),
        ("b1 wang kitchen 14:00-16:00", {}, BOOKED),
        ("b1 wang kitchen 15:01-16:00", {}, FREE),
        ("b1 wang kitchen 14:00-15:00", {}, FREE),
        ("b1 wang lounge 14:00-16:00", {}, FREE),
        ("b1 wang kitchen 14:00-16:00", {"hours": hours("daily 08:00-09:00")}, BOOKED),
        ("", {"hours": hours("daily 08:00-22:00")}, FREE),
        ("", {"hours": hours("daily 08:00-14:00")}, READY),
        ("b1 wang kitchen 14:55-16:00 x3", {"capacity": 3}, BOOKED),
        (
            "b1 wang kitchen 14:55-16:00 x3",
            {"capacity": 20, "entry": EntryRule.WALK_IN},
            FREE,
        ),
        (
            "b1 wang kitchen 14:55-16:00 x3",
            {"capacity": 3, "entry": EntryRule.WALK_IN},
            BOOKED,
        ),
    ],
)
def test_a_room_is_free_or_booked_as_its_list_has_it_now(
    bookings: str, fields: dict[str, object], shown: Indication
) -> None:
    told = (bookings,) if bookings else ()
    stage = Stage(neighbours(*told), site=with_kitchen(**fields))
    assert use_of("kitchen", stage.controller.house, stage.now()) is shown


def test_who_does_not_know_the_time_or_the_list_shows_neither() -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00"))
    stage.spread_ms = UNBOUNDED_MS
    assert use_of("kitchen", stage.controller.house, stage.now()) is READY
    assert use_of("cellar", stage.controller.house, stage.now()) is READY


def test_a_look_is_believed_for_a_while_and_only_on_the_way_in() -> None:
    out = AccessPointPlan(
        access_point_id="kitchen-out",
        door_id="kitchen-door",
        direction=Direction.OUT,
    )
    points = {**SITE.access_points, "kitchen-out": out}
    stage = Stage(
        neighbours("b1 wang kitchen 15:01-16:00"),
        site=replace(SITE, access_points=points),
    )
    standing = Standing(stage.controller)

    def at(point: str) -> Indication:
        return standing.at(point, "kitchen-door", stage.now()).indication

    assert (at("kitchen-in"), at("kitchen-out")) == (FREE, READY)
    stage.pass_time(60.0)
    assert at("kitchen-in") is BOOKED
    stage.pass_time(3540.0 - LOOK_AGAIN_S / 2)
    assert at("kitchen-in") is BOOKED
    stage.pass_time(LOOK_AGAIN_S - 0.5)
    assert at("kitchen-in") is BOOKED
    stage.pass_time(0.5)
    assert at("kitchen-in") is FREE


def test_a_door_out_of_use_invites_nobody() -> None:
    stage = Stage(neighbours())
    standing = Standing(stage.controller)
    for mode, shown in (("BLOCKED", READY), ("LOCKED", FREE), ("UNLOCKED", FREE)):
        stage.order("kitchen-door", mode)
        lasting = standing.at("kitchen-in", "kitchen-door", stage.now())
        assert lasting.indication is shown


def test_a_box_without_its_disk_sends_to_the_bell_everywhere() -> None:
    stage = Stage()
    standing = Standing(stage.controller, is_lost=True)
    for point, door in (("kitchen-in", "kitchen-door"), ("kitchen-in", None)):
        shown = standing.at(point, door, stage.now()).indication
        assert shown is Indication.OUT_OF_ORDER


class Entrance(DoorSide):
    """The hall's door side with a clock by hand; keeps what it told and when."""

    def __init__(self) -> None:
        site = settings()
        self.stage = Stage(site=site.plan())
        self.told: list[tuple[float, Indication]] = []
        tokens = TokenMaker(site_id="s", site_key=bytes(32), epoch_salt=bytes(16))
        library = open_library(["zh-CN"], [FOLDER])
        around = Around(
            clock=self,
            monotonic_s=lambda: self.stage.now_s,
            now=self.stage.now,
            local=lambda: None,
            send=lambda _port, _order: None,
            tell_fault=self._fail,
            library=library,
            folders=(FOLDER,),
        )
        bindings = Bindings(wiring_of(site), tokens)
        rules = self.stage.controller
        super().__init__(site, bindings, rules, around, Ear(library))

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object
    ) -> Timer:
        raise AssertionError("nothing of this waits")

    def indicate(self, wish: Indicate) -> None:
        self.told.append((self.stage.now_s, wish.indication))
        super().indicate(wish)

    def _fail(self, why: str) -> None:
        raise AssertionError(why)

    def run(self, seconds: float) -> list[tuple[float, Indication]]:
        """Look four times a second; return what was told, and after how long."""
        self.told.clear()
        begun_s = self.stage.now_s
        for _ in range(round(seconds * 4)):
            self.stage.wait(0.25)
            self.look()
        return [(at_s - begun_s, what) for at_s, what in self.told]


def test_an_open_leaf_asks_every_five_seconds_after_thirty() -> None:
    entrance = Entrance()
    stage = entrance.stage
    stage.open_by_hand("front")
    stage.do(ContactChanged(door="front", is_open=True))
    assert Indication.CLOSE_DOOR not in dict(entrance.run(29.75)).values()
    asked = [at for at, what in entrance.run(22.0) if what is Indication.CLOSE_DOOR]
    assert len(asked) in (4, 5)
    assert asked[0] <= REPEAT_S
    gaps = {later - before for before, later in pairwise(asked)}
    assert gaps == {REPEAT_S}
    stage.do(ContactChanged(door="front", is_open=False))
    assert entrance.run(12.0) == []


def test_a_box_at_fault_says_so_until_it_is_mended() -> None:
    entrance = Entrance()
    entrance.run(1.0)
    for is_online, shown in ((False, Indication.OUT_OF_ORDER), (True, FREE)):
        board = DeviceChanged(
            device="board",
            is_online=is_online,
            is_news=True,
            detail="",
            doors=("front",),
            appliances=(),
        )
        entrance.stage.do(board)
        assert [what for _, what in entrance.run(1.0)] == [shown]


@pytest.mark.parametrize(
    ("drill", "shown"),
    [
        ("fire", Indication.DRILL_EVACUATE),
        ("combined", Indication.DRILL_EVACUATE),
        ("illness", Indication.DRILL),
    ],
)
def test_only_a_drill_of_leaving_rehearses_the_way_out_and_fire_goes_before_it(
    drill: str, shown: Indication
) -> None:
    entrance = Entrance()
    entrance.run(1.0)
    stage = entrance.stage
    stage.do(DrillOrdered(drill=drill, with_doors=False, actor="chen"))
    [first, *again] = entrance.run(32.0)
    assert first[1] is shown
    assert {what for _, what in again} <= {Indication.DRILL_EVACUATE}
    assert len(again) == (2 if shown is Indication.DRILL_EVACUATE else 0)
    stage.fire()
    assert {what for _, what in entrance.run(1.0)} == {Indication.EVACUATE}
