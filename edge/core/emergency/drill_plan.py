# SPDX-License-Identifier: Apache-2.0
"""The drills that a place rehearses, and the stages of each.

The law of the module: stages are named here and nowhere else; only those with a
reference mark can be late. The marks are the practice of micro fire stations: within
1 minute somebody responds, within 3 the first are on the spot, within 5 the neighbours
support them.
Source: handbook practice "1, 3, 5 minutes" of China's micro fire stations; the mark of
3 minutes is in the standard for their building of 2015 (read second-hand).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: A drill that nobody ended within so long was forgotten: a rehearsal takes minutes.
FORGOTTEN_S = 4 * 3600


class DrillKind(StrEnum):
    """What is rehearsed."""

    FIRE = "fire"
    TYPHOON = "typhoon"
    FLOOD = "flood"
    POWER_CUT = "power_cut"
    ILLNESS = "illness"
    #: The yearly one, with everything.
    COMBINED = "combined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage by its name; ``within_s`` is its reference mark, 0: it has none."""

    name: str
    within_s: int = 0


_ALARM = Stage(name="alarm")
_RESPONDED = Stage(name="responded", within_s=60)
_ARRIVED = Stage(name="arrived", within_s=180)
_SUPPORTED = Stage(name="supported", within_s=300)
_CALLED = Stage(name="called")
_DOORS_OPEN = Stage(name="doors_open")
_POWER_OFF = Stage(name="gas_and_power_off")
_FETCHED = Stage(name="elders_fetched")
_EVACUATED = Stage(name="evacuated")
_COUNTED = Stage(name="counted")

#: In the order in which they are expected; any order is taken.
STAGES: dict[DrillKind, tuple[Stage, ...]] = {
    DrillKind.FIRE: (
        _ALARM,
        _RESPONDED,
        _CALLED,
        _DOORS_OPEN,
        _ARRIVED,
        _EVACUATED,
        _SUPPORTED,
        _COUNTED,
    ),
    DrillKind.TYPHOON: (
        _RESPONDED,
        Stage(name="neighbours_warned"),
        _ARRIVED,
        _FETCHED,
        _SUPPORTED,
        Stage(name="shelter_ready"),
        _COUNTED,
    ),
    DrillKind.FLOOD: (
        _RESPONDED,
        _POWER_OFF,
        _ARRIVED,
        Stage(name="barriers_set"),
        _FETCHED,
        _SUPPORTED,
        _COUNTED,
    ),
    DrillKind.POWER_CUT: (
        _RESPONDED,
        Stage(name="lights_on"),
        _ARRIVED,
        Stage(name="doors_by_hand"),
        _POWER_OFF,
        _COUNTED,
    ),
    DrillKind.ILLNESS: (
        _RESPONDED,
        _CALLED,
        _ARRIVED,
        Stage(name="first_aid_given"),
        _SUPPORTED,
        Stage(name="handed_over"),
    ),
    DrillKind.COMBINED: (
        _ALARM,
        _RESPONDED,
        _CALLED,
        _DOORS_OPEN,
        _POWER_OFF,
        _ARRIVED,
        _FETCHED,
        _EVACUATED,
        _SUPPORTED,
        _COUNTED,
    ),
}

#: Only these may move doors: in the others open doors would teach the wrong thing.
DRILLS_OF_DOORS = frozenset({DrillKind.FIRE, DrillKind.COMBINED})


def stage_of(kind: DrillKind, name: str) -> Stage | None:
    """Return the stage of that name."""
    return next((stage for stage in STAGES[kind] if stage.name == name), None)
