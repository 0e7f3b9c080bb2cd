# SPDX-License-Identifier: Apache-2.0
"""Renders the tables of ``docs/emergency.md`` from what the rules really do.

The law of the module: what a table can be asked, it is asked; only how entries are
decided is told in words, since other rules do that. ``python -m
tests.core.emergency.page`` writes the page anew.
"""

from __future__ import annotations

from pathlib import Path

from edge.core.emergency.drill_plan import DRILLS_OF_DOORS, STAGES
from edge.core.emergency.effects import EFFECTS, Origin, imposed_mode
from edge.core.emergency.state import EmergencyState
from tests.core.scene import SITE

PAGE = Path(__file__).parents[3] / "docs" / "emergency.md"
ESCAPE, OTHER = SITE.doors["kitchen-door"], SITE.doors["lounge-door"]
ENTRY = {
    EmergencyState.FIRE: "escape doors are open, the others decide as usual",
    EmergencyState.LOCK_DOWN: "refused, but for the roles named for it",
    EmergencyState.CHECKPOINT: "who may enter waits for a volunteer's confirmation",
    EmergencyState.SHELTER: "any readable card, up to the raised capacity",
}
_BEGINS = {
    Origin.INPUT: "the fire panel's contact",
    Origin.PANEL: "panel",
    Origin.CARD: "two taps of a responder's or manager's card",
    Origin.PLATFORM: "two operators of the platform, where the site file names them",
}


def _mode(*states: EmergencyState, is_escape: bool, is_rehearsed: bool = False) -> str:
    door = ESCAPE if is_escape else OTHER
    mode = imposed_mode(door, states, is_rehearsed=is_rehearsed)
    return mode.value if mode else "own mode"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _table(heads: tuple[str, ...], rows: list[str]) -> str:
    return "\n".join([_row(*heads), _row(*("---" for _ in heads)), *rows])


def effects() -> str:
    """Return what each emergency does, in its precedence."""
    heads = ("Emergency", "Escape doors", "Other doors", "Lockers", "Entry")
    rows = [
        _row(
            state.value,
            _mode(state, is_escape=True),
            _mode(state, is_escape=False),
            "for staff alone" if effect.closes_lockers else "as usual",
            ENTRY[state],
        )
        for state, effect in sorted(EFFECTS.items(), key=_precedence)
    ]
    return _table(heads, rows)


def ways() -> str:
    """Return who begins and ends each, and whether a drill goes on under it."""
    heads = ("Emergency", "Begins by", "Ends by", "A drill meanwhile")
    rows = []
    for state, effect in sorted(EFFECTS.items(), key=_precedence):
        begins = [words for by, words in _BEGINS.items() if by in effect.begins_by]
        is_fire = state is EmergencyState.FIRE
        ends = "panel, once the fire input is known to be at rest"
        rows.append(
            _row(
                state.value,
                ", ".join(begins),
                ends if is_fire else "panel",
                "ends" if effect.overtakes_drills else "goes on",
            )
        )
    return _table(heads, rows)


def together() -> str:
    """Return what holds the doors when several stand, or a drill with doors runs."""
    fire, lock_down = EmergencyState.FIRE, EmergencyState.LOCK_DOWN
    cases: list[tuple[str, tuple[EmergencyState, ...], bool]] = [
        ("none of the two", (), False),
        ("FIRE", (fire,), False),
        ("LOCK_DOWN", (lock_down,), False),
        ("FIRE and LOCK_DOWN", (fire, lock_down), False),
        ("a drill with doors", (), True),
    ]
    rows = [
        _row(
            name,
            _mode(*states, is_escape=True, is_rehearsed=is_rehearsed),
            _mode(*states, is_escape=False, is_rehearsed=is_rehearsed),
        )
        for name, states, is_rehearsed in cases
    ]
    return _table(("Standing", "Escape doors", "Other doors"), rows)


def drills() -> str:
    """Return each drill's stages in their order, with their reference marks."""
    rows = [
        _row(
            kind.value,
            "yes, if ticked" if kind in DRILLS_OF_DOORS else "no",
            ", ".join(_stage(stage.name, stage.within_s) for stage in stages),
        )
        for kind, stages in STAGES.items()
    ]
    return _table(("Drill", "Moves doors", "Stages"), rows)


def rendered(page: str) -> str:
    """Return the page with each marked table as it is now.

    Raises ValueError where a table's marks are not there.
    """
    for made in (effects, ways, together, drills):
        start = page.index(f"<!-- {made.__name__} -->\n")
        end = page.index("<!-- end -->", start)
        table = f"<!-- {made.__name__} -->\n\n{made()}\n\n"
        page = page[:start] + table + page[end:]
    return page


def _stage(name: str, within_s: int) -> str:
    return f"{name} (within {within_s // 60} min)" if within_s else name


def _precedence(item: tuple[EmergencyState, object]) -> int:
    return list(EmergencyState).index(item[0])


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text("utf-8")), "utf-8")
