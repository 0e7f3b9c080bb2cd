# SPDX-License-Identifier: Apache-2.0
"""Whom to call, where to go and what to read: the platform's words for a neighbourhood.

The law of the module: it reads and never waits. A notice is shown while it may hold by
the clock, the urgent first; contacts stand in the order in which they are called, and
under each grid those of all grids come after its own.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edge.core.people.community_rows import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.core.moment import Moment
    from edge.core.people.community_rows import Contact, Notice
    from edge.core.people.roster_columns import Tables
    from edge.core.plan import SpacePlan


def community(
    tables: Tables, spaces: Mapping[str, SpacePlan], now: Moment
) -> dict[str, Any]:
    """Return grids with whom to call, offices, notices of now, and spaces' terms."""
    notices = notices_of(tables, now)
    names = {row.space_id: row.name for row in tables.spaces}
    return {
        "grids": [
            asdict(grid) | {"contacts": _called(tables.contacts, grid.grid_id)}
            for grid in tables.grids
        ],
        "contacts": _called(tables.contacts, ""),
        "offices": [asdict(office) for office in tables.offices],
        "notices": [asdict(notice) for notice in notices],
        "spaces": {
            space_id: {
                "name": names.get(space_id, ""),
                "capacity": plan.capacity,
                "entry": plan.entry.value,
            }
            for space_id, plan in spaces.items()
        },
    }


def notices_of(tables: Tables, now: Moment) -> list[Notice]:
    """Return the notices that may hold now, the urgent first."""
    notices = [each for each in tables.notices if _is_shown(each, now)]
    notices.sort(key=lambda each: -LEVELS.index(each.level))
    return notices


def _called(contacts: Sequence[Contact], grid: str) -> list[dict[str, Any]]:
    """Return those of a grid, then those of every grid, each in their order."""
    own = [each for each in contacts if each.grid == grid]
    others = [each for each in contacts if grid and not each.grid]
    return [asdict(each) for each in (*own, *others)]


def _is_shown(notice: Notice, now: Moment) -> bool:
    return now.latest_ms >= notice.from_ms and now.earliest_ms < notice.to_ms
