# SPDX-License-Identifier: Apache-2.0
"""The weather of a simulated site: every fault there can be, and how often.

The law of the module: each knob is a number drawn from the seed, or set by hand; a
failing seed prints them all. ``_a_day`` counts what happens on an average day,
``share`` is a probability from 0 to 1.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from random import Random

#: For how long events wait for others at the real roof.
AT_ONCE_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What may go wrong at a site; the defaults are a site where nothing does."""

    #: People who hold something out at a reader.
    scans_a_day: float = 500.0
    careless_share: float = 0.03
    tailgate_share: float = 0.03
    twice_share: float = 0.05
    roster_changes_a_day: float = 6.0
    orders_a_day: float = 3.0
    #: Parcels, cleaning, out of order.
    locker_orders_a_day: float = 0.0
    #: Where a site has every rule: the desk's own orders, drills, open housings.
    desk_orders_a_day: float = 0.0
    drills_a_day: float = 0.0
    tampers_a_day: float = 0.0
    fires_a_day: float = 0.0
    emergencies_a_day: float = 0.0
    forced_a_day: float = 0.0
    jams_a_day: float = 0.0
    #: Spells in which a cable is noisy, and what then happens to a piece of bytes.
    noise_a_day: float = 0.0
    noise_longest_s: float = 60.0
    drop_share: float = 0.0
    flip_share: float = 0.0
    split_share: float = 0.0
    delay_share: float = 0.0
    echo_share: float = 0.0
    collide_share: float = 0.0
    unplugs_a_day: float = 0.0
    unplugged_longest_s: float = 600.0
    spoiled_a_day: float = 0.0
    brown_outs_a_day: float = 0.0
    #: The way to the platform; waiting longer than the real roof's AT_ONCE_S makes the
    #: batches of many that a busy site sends.
    send_after_s: float = 120.0
    outages_a_day: float = 0.0
    outage_longest_s: float = 7_200.0
    silences_a_day: float = 0.0
    backups_a_day: float = 0.0
    lost_share: float = 0.0
    repeat_share: float = 0.0
    reorder_share: float = 0.0
    #: The box itself.
    power_cuts_a_day: float = 0.0
    dark_longest_s: float = 120.0
    stalls_a_day: float = 0.0
    stall_longest_s: float = 30.0
    disk_failures_a_day: float = 0.0
    disk_failure_longest_s: float = 300.0
    slow_share: float = 0.0
    slow_longest_s: float = 1.5
    lost_answer_share: float = 0.0
    #: Clocks: the crystal's drift, whether the wall clock starts in 1970, its steps.
    drift_ppm: float = 0.0
    has_battery: bool = True
    has_ntp: bool = True
    wall_steps_a_day: float = 0.0
    #: Polls that tell nothing are not played; see ``attention``.
    leaps: bool = True

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        """Draw a site's weather: most faults sometimes, some often, some never."""

        def often(most: float) -> float:
            """Return nothing for a third of all seeds, else up to ``most``."""
            drawn = chance.random() * 1.5 - 0.5
            return round(max(0.0, drawn) * most, 4)

        return cls(
            careless_share=often(0.1),
            tailgate_share=often(0.1),
            twice_share=often(0.15),
            roster_changes_a_day=often(12),
            orders_a_day=often(8),
            fires_a_day=often(1.5),
            emergencies_a_day=often(2),
            forced_a_day=often(4),
            jams_a_day=often(4),
            noise_a_day=often(8),
            noise_longest_s=20.0,
            drop_share=often(0.3),
            flip_share=often(0.2),
            split_share=often(0.5),
            delay_share=often(0.3),
            echo_share=often(0.2),
            collide_share=often(0.1),
            unplugs_a_day=often(4),
            spoiled_a_day=often(8),
            brown_outs_a_day=often(3),
            send_after_s=chance.choice((0.25, 30.0, 120.0, 120.0)),
            outages_a_day=often(3),
            outage_longest_s=chance.choice((300.0, 3_600.0, 86_400.0, 604_800.0)),
            silences_a_day=often(2),
            backups_a_day=often(1.5),
            lost_share=often(0.05),
            repeat_share=often(0.05),
            reorder_share=often(0.05),
            power_cuts_a_day=often(4),
            dark_longest_s=chance.choice((5.0, 120.0, 7_200.0)),
            stalls_a_day=often(3),
            disk_failures_a_day=often(2),
            slow_share=often(0.05),
            lost_answer_share=often(0.01),
            drift_ppm=round(chance.uniform(-100, 100), 3),
            has_battery=chance.random() < 0.5,
            has_ntp=chance.random() < 0.5,
            wall_steps_a_day=often(2),
            locker_orders_a_day=often(5),
            desk_orders_a_day=often(3),
            drills_a_day=often(2),
            tampers_a_day=often(2),
        )

    def calm(self) -> Self:
        """Return the same site after the storm: people's habits and clocks remain."""
        names = {field.name for field in fields(self)}
        still: dict[str, Any] = {
            name: 0.0 for name in names if name.endswith(("_a_day", "_share"))
        }
        return replace(self, **still, send_after_s=AT_ONCE_S)

    def turned(self, options: str) -> Self:
        """Return the weather with some knobs set from a JSON object; ValueError."""
        wanted = json.loads(options)
        if not isinstance(wanted, dict):
            raise ValueError('options: write an object such as {"noise_a_day": 3}')
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise ValueError(f"options: no {name!r}; known: {', '.join(known)}")
            is_flag = isinstance(known[name], bool)
            if isinstance(value, bool) is not is_flag or not isinstance(
                value, int | float
            ):
                wants = "true or false" if is_flag else "a number"
                raise ValueError(f"options: {name} is {wants}, not {value!r}")
        return replace(self, **wanted)

    def told(self) -> str:
        """Return all knobs as JSON, as ``--options`` takes them."""
        return json.dumps(asdict(self))


FAIR = Weather()
