# SPDX-License-Identifier: Apache-2.0
"""How the site's things are, for people who are not technicians.

The law of the module: pure. What needs a look comes first and says what to do; what is
good is folded away. Nothing is red before it had time to answer, and a box that cannot
be asked is not known, never good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.panel.calendar import day_and_time, minutes_since
from edge.panel.lasting import lasting, minutes_from
from edge.panel.troubles import CHECKING_S, good_before, troubles
from edge.panel.view import Notice, Shape, Tone

if TYPE_CHECKING:
    from edge.panel.report import DeviceReport, StatusReport
    from edge.panel.standing import Standing
    from edge.panel.words import Phrase, Words

_DOORS = {"OPEN_TOO_LONG": (Tone.WARN, "held"), "FORCED": (Tone.BAD, "forced")}
_ORDER = (Tone.BAD, Tone.WARN, Tone.INFO, Tone.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A device for the installer: how it is wired, and what is against it."""

    name: str
    id: str
    driver: str
    since: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The page: what needs a look, what is good, and what can make itself heard.

    ``heard``: the names of devices that beep, by id; ``fine``: (id, name).
    """

    title: Phrase
    notices: tuple[Notice, ...]
    fine: tuple[tuple[str, str], ...]
    heard: dict[str, str]
    wires: tuple[Wire, ...]


def health(
    standing: Standing, words: Words, now_s: float, *, is_exposed: bool = False
) -> Health:
    """Return the page for what is known now."""
    report = standing.report
    if report is None or not standing.is_live:
        title = words.say("health.unknown")
        return Health(title=title, notices=(), fine=(), heard={}, wires=())
    found = troubles(standing, words, now_s, is_exposed=is_exposed)
    found += _doors(standing, words, now_s)
    found += _links(standing, words, now_s)
    found += _days(report, words)
    found.sort(key=lambda notice: _ORDER.index(notice.tone))
    named = {notice.device for notice in found}
    online = [device for device in report.devices if device.is_online]
    fine = [(d.id, d.name) for d in online if d.id not in named]
    is_checking = report.uptime_s < CHECKING_S and len(fine) < len(report.devices)
    looks = sum(notice.tone is not Tone.OK for notice in found)
    key = "checking" if is_checking else "look" if looks else "good"
    return Health(
        title=words.say(f"health.{key}", count=looks),
        notices=tuple(found),
        fine=tuple(fine),
        heard={d.id: d.name for d in report.devices if d.can_be_heard},
        wires=tuple(_wire(d, report.offset_hours) for d in report.devices),
    )


def _doors(standing: Standing, words: Words, now_s: float) -> list[Notice]:
    found = []
    for door in standing.report.doors if standing.report else ():
        if door.phase not in _DOORS:
            continue
        tone, key = _DOORS[door.phase]
        since_s = standing.open_since_s.get(door.id)
        found.append(
            Notice(
                tone=tone,
                shape=Shape.ALERT if tone is Tone.WARN else Shape.CROSS,
                title=words.say(
                    f"health.{key}",
                    name=door.name,
                    time=lasting(minutes_from(since_s, now_s), words),
                ),
                advice=words.say("health.door_look"),
            )
        )
    return found


def _links(standing: Standing, words: Words, now_s: float) -> list[Notice]:
    report = standing.report
    if report is None or report.is_connected:
        return []
    now_ms = standing.clock_ms(now_s)
    minutes = minutes_since(report.part("network").good_ms, now_ms)
    if minutes is None:
        minutes = minutes_from(standing.cut_since_s, now_s)
    return [
        Notice(
            tone=Tone.WARN,
            shape=Shape.ALERT,
            title=words.say("link.cut", time=lasting(minutes, words)),
            advice=words.say("health.cut_look", count=report.waiting),
            note=good_before("network", report, words, now_ms),
        )
    ]


def _days(report: StatusReport, words: Words) -> list[Notice]:
    """Tell of the last days whether the platform holds what this box stored."""
    apart = [day.day for day in report.days if day.state == "DIFFERS"]
    if apart:
        return [
            Notice(
                tone=Tone.WARN,
                shape=Shape.ALERT,
                title=words.say("days.differs", days=", ".join(apart)),
                advice=words.say("days.differs_look"),
            )
        ]
    agreed = sum(day.state == "AGREED" for day in report.days)
    if not agreed:
        return []
    return [
        Notice(
            tone=Tone.OK,
            shape=Shape.TICK,
            title=words.say("days.agreed", count=agreed),
        )
    ]


def _wire(device: DeviceReport, offset_hours: int) -> Wire:
    return Wire(
        name=device.name,
        id=device.id,
        driver=device.driver,
        since=day_and_time(device.since_ms, offset_hours) or "",
        why=device.why or device.test_why,
    )
