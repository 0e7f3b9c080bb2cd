# SPDX-License-Identifier: Apache-2.0
"""Who comes when: a day's curve of people, and the weather's faults among them.

The law of the module: it draws scenes and lets them play; a new stimulus is one scene
and one row of :data:`SCENES` or :data:`FAULTS`. People keep to a daily curve, faults
to none. Each kind of fault has a chance of its own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edge.cli.simulate import desk, mishaps, scenes, staff, visits
from edge.cli.simulate.bylaws import is_laid_down

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from edge.cli.simulate.scenes import Crowd, Scene
    from edge.cli.simulate.weather import Weather

    Script = Callable[[Crowd], Scene]

DAY_S = 86_400.0
HOUR_S = 3_600.0
#: How many of a day's people come in each hour from midnight on.
CURVE: tuple[int, ...] = (
    *(1, 0, 0, 0, 0, 1, 4, 20, 34, 36, 34, 40),
    *(38, 28, 30, 34, 36, 40, 42, 34, 24, 14, 6, 4),
)
#: The local hour at which each day of a run begins: short runs see people, too.
BEGINS_AT_HOUR = 9
#: What the people of a day come for, and how often.
SCENES: tuple[tuple[Script, float], ...] = (
    (scenes.kitchen, 30.0),
    (scenes.living_room, 50.0),
    (scenes.leave, 12.0),
    (scenes.slip_out, 6.0),
    (scenes.lockers, 8.0),
    (scenes.medicine, 0.6),
    (scenes.shift, 3.0),
)
#: The same where a site has every rule.
RICHER_SCENES: tuple[tuple[Script, float], ...] = (
    (visits.cook, 24.0),
    (visits.sit, 28.0),
    (visits.drop_in, 8.0),
    (visits.show_ticket, 8.0),
    (visits.fetch_from_store, 5.0),
    (visits.come_to_work, 3.0),
    (visits.keep_things, 5.0),
    (visits.try_codes, 0.6),
    (visits.ring, 3.0),
    (scenes.leave, 3.0),
    (scenes.slip_out, 5.0),
    (scenes.lockers, 6.0),
    (scenes.medicine, 0.6),
    (scenes.shift, 1.0),
)
#: How often something is held out in a scene, where not once: nobody's leaving counts.
SCANS_OF: dict[Script, float] = {
    scenes.leave: 0.0,
    scenes.slip_out: 0.0,
    visits.cook: 1.5,
    visits.show_ticket: 1.3,
    visits.fetch_from_store: 2.0,
    visits.come_to_work: 2.0,
    visits.try_codes: 5.0,
    visits.ring: 0.0,
}
#: What happens at its own times, and the knob that says how often.
FAULTS: tuple[tuple[str, Script], ...] = (
    ("roster_changes_a_day", staff.edit_roster),
    ("orders_a_day", staff.open_by_hand),
    ("orders_a_day", staff.set_mode),
    ("orders_a_day", staff.see_to_lockers),
    ("locker_orders_a_day", staff.look_after_lockers),
    ("locker_orders_a_day", staff.bring_parcel),
    ("orders_a_day", staff.see_to_duty),
    ("emergencies_a_day", staff.emergency),
    ("fires_a_day", staff.fire),
    ("forced_a_day", scenes.break_in),
    ("jams_a_day", scenes.jam),
    ("noise_a_day", mishaps.noise),
    ("unplugs_a_day", mishaps.unplug),
    ("spoiled_a_day", mishaps.spoil),
    ("brown_outs_a_day", mishaps.brown_out),
    ("outages_a_day", mishaps.outage),
    ("silences_a_day", mishaps.silence),
    ("backups_a_day", mishaps.restore_backup),
    ("power_cuts_a_day", mishaps.cut_power),
    ("power_cuts_a_day", mishaps.restart),
    ("stalls_a_day", mishaps.stall),
    ("disk_failures_a_day", mishaps.fill_disk),
    ("wall_steps_a_day", mishaps.step_wall),
)
#: The same, on top of it, where a site has every rule.
RICHER_FAULTS: tuple[tuple[str, Script], ...] = (
    ("roster_changes_a_day", desk.edit_bylaws),
    ("orders_a_day", desk.see_to_stove),
    ("orders_a_day", desk.count_people),
    ("locker_orders_a_day", desk.clean_up),
    ("desk_orders_a_day", desk.bind_card),
    ("desk_orders_a_day", desk.vouch),
    ("desk_orders_a_day", desk.revoke_here),
    ("desk_orders_a_day", desk.take_cash),
    ("desk_orders_a_day", desk.look_after),
    ("desk_orders_a_day", desk.settle_shifts),
    ("desk_orders_a_day", desk.see_to_medicine),
    ("emergencies_a_day", desk.guard),
    ("emergencies_a_day", desk.sound_alarm),
    ("emergencies_a_day", desk.fetch_elders),
    ("drills_a_day", desk.drill),
    ("tampers_a_day", desk.tamper),
)


class Workload:
    """Plans each day's scenes as it begins."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._people = crowd.site.chance("people")
        is_rich = is_laid_down(crowd.site.plan)
        self._scenes = RICHER_SCENES if is_rich else SCENES
        self._faults = [
            (knob, script, crowd.site.chance(f"fault {place} {script.__name__}"))
            for place, (knob, script) in enumerate(
                FAULTS + RICHER_FAULTS if is_rich else FAULTS
            )
        ]

    def plan(self, day: int, share: float) -> None:
        """Plan a day, or its first ``share``, from now on."""
        crowd = self._crowd
        weather = crowd.site.weather
        if day == 0:
            staff.book_a_day(crowd, 0)
        staff.book_a_day(crowd, day + 1)
        self._plan_people(weather, share)
        for knob, script, chance in self._faults:
            for _ in range(_drawn(chance, getattr(weather, knob) * share)):
                at_s = chance.uniform(0.0, DAY_S * share)
                crowd.site.clockwork.later(at_s, partial(self._play, script))

    def _plan_people(self, weather: Weather, share: float) -> None:
        chance, clockwork = self._people, self._crowd.site.clockwork
        scripts, weights = zip(*self._scenes, strict=True)
        scanning = sum(w * SCANS_OF.get(s, 1.0) for s, w in self._scenes)
        a_visit = 1.0 + weather.twice_share
        visits = weather.scans_a_day / a_visit * sum(weights) / scanning
        hours = chance.choices(range(len(CURVE)), CURVE, k=round(visits))
        for hour in hours:
            at_s = (hour + chance.random() - BEGINS_AT_HOUR) % 24 * HOUR_S
            [script] = chance.choices(scripts, weights)
            if at_s < share * DAY_S:
                clockwork.later(at_s, partial(self._play, script))

    def _play(self, script: Script) -> None:
        self._crowd.play(script(self._crowd))


def _drawn(chance: Random, mean: float) -> int:
    """Return a whole number of things whose mean is ``mean``."""
    return int(2 * mean * chance.random() + chance.random()) if mean > 0 else 0
