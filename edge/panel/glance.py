# SPDX-License-Identifier: Apache-2.0
"""What a tablet says to whoever passes by: the time, how many are inside.

The law of the module: pure; it is for people whom nobody knows, so it counts and never
names. A number or a time that is not known is left out, not guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.panel.view import Glance

if TYPE_CHECKING:
    from edge.panel.standing import Standing
    from edge.panel.words import Words

DAY_S = 24 * 3600


def glance(standing: Standing, words: Words, now_s: float) -> Glance:
    """Return it for what is known now; the time is the gateway's, at the site."""
    report = standing.report
    if report is None:
        return Glance()
    now_ms = standing.clock_ms(now_s) if report.is_clock_known else None
    clock_s = None
    if now_ms is not None:
        clock_s = (now_ms // 1000 + report.offset_hours * 3600) % DAY_S
    if not standing.is_live:
        return Glance(clock_s=clock_s)
    rooms = report.board.rooms
    count = sum(room.inside for room in rooms)
    return Glance(
        clock_s=clock_s,
        inside=words.say("screens.inside", count=count) if rooms else None,
        fault=words.say("screens.fault") if report.settings_fault else None,
    )
