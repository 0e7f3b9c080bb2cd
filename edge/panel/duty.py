# SPDX-License-Identifier: Apache-2.0
"""The duty page: last verdict, doors, what needs a look, records and network.

The law of the module: pure; all that the page shows is decided here, the templates
only draw it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.panel.bell import bell
from edge.panel.calendar import minutes_since, time_until
from edge.panel.danger import first
from edge.panel.lasting import lasting, minutes_from
from edge.panel.rooms import notices, rooms
from edge.panel.troubles import troubles
from edge.panel.verdict import card
from edge.panel.view import DoorRow, Duty, Notice, Shape, Tone

if TYPE_CHECKING:
    from edge.panel.report import DoorReport, StatusReport
    from edge.panel.standing import Standing
    from edge.panel.words import Phrase, Words

#: A duty page shows two at most, so that the doors stay in sight; the rest counted.
MAX_TROUBLES = 2

_PHASES = {
    "SECURE": (Tone.OK, Shape.TICK),
    "RELEASED": (Tone.INFO, Shape.OPEN),
    "OPEN": (Tone.INFO, Shape.OPEN),
    "OPEN_RELEASED": (Tone.INFO, Shape.OPEN),
    "OPEN_TOO_LONG": (Tone.WARN, Shape.ALERT),
    "FORCED": (Tone.BAD, Shape.CROSS),
}
_MODES = {
    "UNLOCKED": (Tone.INFO, Shape.OPEN),
    "BLOCKED": (Tone.WARN, Shape.HAND),
    "LOCKED_DOWN": (Tone.BAD, Shape.HAND),
    "LOCKED_OPEN": (Tone.OK, Shape.OPEN),
}
_ALARMS = frozenset({"OPEN_TOO_LONG", "FORCED"})


def duty(
    standing: Standing, words: Words, now_s: float, *, is_exposed: bool = False
) -> Duty:
    """Return the page for what is known now.

    ``is_exposed``: others on the network can read what the panel says.
    """
    report = standing.report
    found = troubles(standing, words, now_s, is_exposed=is_exposed)
    over = len(found) - MAX_TROUBLES
    doors = () if report is None else report.doors
    return Duty(
        site=(report.site if report else "") or words.say("page.site").zh,
        card=card(standing, words),
        doors=tuple(
            _door(number, door, standing, words, now_s)
            for number, door in enumerate(doors, start=1)
        ),
        emergency=_emergency(report, words) if standing.is_live else None,
        troubles=tuple(found[:MAX_TROUBLES]),
        more=words.say("page.more", count=over) if over > 0 else None,
        links=_links(standing, words, now_s),
        door_notice=report.door_notice if report else "",
        bell=bell(standing, words),
        rooms=rooms(standing, words),
        notices=notices(standing),
    )


def _door(
    number: int, door: DoorReport, standing: Standing, words: Words, now_s: float
) -> DoorRow:
    tone, shape, state = _state(door, standing, words, now_s)
    return DoorRow(
        number=number,
        id=door.id,
        name=door.name,
        tone=tone,
        shape=shape,
        state=state,
        slow=words.say("screens.slow", seconds=door.slow_s),
    )


def _state(
    door: DoorReport, standing: Standing, words: Words, now_s: float
) -> tuple[Tone, Shape, Phrase]:
    is_known = standing.is_live and door.phase in _PHASES
    if not is_known:
        return Tone.INFO, Shape.CLOCK, words.say("door.unknown")
    if door.mode == "UNLOCKED" and door.until_ms and door.phase not in _ALARMS:
        hours = standing.report.offset_hours if standing.report else 0
        end = time_until(door.until_ms, standing.clock_ms(now_s), hours)
        return *_MODES[door.mode], words.say("door_until.state", time=end)
    if door.mode in _MODES and door.phase not in _ALARMS:
        return *_MODES[door.mode], words.say(f"door.{door.mode}")
    minutes = minutes_from(standing.open_since_s.get(door.id), now_s)
    time = lasting(minutes, words)
    return *_PHASES[door.phase], words.say(f"door.{door.phase}", time=time)


def _emergency(report: StatusReport | None, words: Words) -> Notice | None:
    if report is None:
        return None
    if not report.is_fire:
        return first(report.standing, words)
    return Notice(
        tone=Tone.BAD,
        shape=Shape.ALERT,
        title=words.say("emergency.title"),
        advice=words.say("emergency.advice"),
    )


def _links(standing: Standing, words: Words, now_s: float) -> tuple[Notice, ...]:
    """Two short lines: the network, and what waits to be sent."""
    report = standing.report
    if report is None or not standing.is_live:
        title = words.say("link.unknown")
        return (Notice(tone=Tone.INFO, shape=Shape.CLOCK, title=title),)
    minutes = minutes_from(standing.cut_since_s, now_s)
    sent = words.say("link.all_sent")
    oldest = lasting(minutes_since(report.oldest_ms, standing.clock_ms(now_s)), words)
    waiting = words.say("link.waiting", count=report.waiting, time=oldest)
    network = (
        Notice(tone=Tone.OK, shape=Shape.TICK, title=words.say("link.good"))
        if report.is_connected
        else Notice(
            tone=Tone.WARN,
            shape=Shape.ALERT,
            title=words.say("link.cut", time=lasting(minutes, words)),
        )
    )
    records = Notice(
        tone=Tone.INFO if report.waiting else Tone.OK,
        shape=Shape.CLOCK if report.waiting else Shape.TICK,
        title=waiting if report.waiting else sent,
    )
    return network, records
