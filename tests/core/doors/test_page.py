# SPDX-License-Identifier: Apache-2.0
"""The page of the doors says what the doors do."""

from __future__ import annotations

from edge.core.doors.door import DoorInput, DoorMode, DoorPhase
from tests.core.doors.page import PAGE, WRITE_WITH, render


def test_the_page_is_current() -> None:
    told = PAGE.read_text(encoding="utf-8")
    assert told == render(), f"write it anew: {WRITE_WITH}"


def test_the_page_names_every_mode_phase_and_input() -> None:
    told = render()
    for name in (*DoorMode, *DoorPhase, *DoorInput):
        assert f"`{name}`" in told


def test_the_page_tells_which_modes_alarm() -> None:
    rows = {
        mode: next(r for r in render().splitlines() if r.startswith(f"| `{mode}` |"))
        for mode in DoorMode
    }
    alarmed = {mode.value for mode, row in rows.items() if "forced alarm" in row}
    assert alarmed == {"LOCKED", "BLOCKED", "LOCKED_DOWN"}
    warned = {mode.value for mode, row in rows.items() if "warning, then alarm" in row}
    assert warned == alarmed
    assert "held on" in rows[DoorMode.LOCKED_OPEN]
    assert "pulses" in rows[DoorMode.UNLOCKED]
