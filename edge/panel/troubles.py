# SPDX-License-Identifier: Apache-2.0
"""What needs a look, in sentences for people who are not technicians.

The law of the module: pure. A sentence is: what, since when, what to look at, when it
was last good. Bad comes before warn; a gateway that has just started is still checking
and shows nothing red.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.panel.calendar import (
    MINUTE_MS,
    day_and_time,
    minutes_since,
    time_of_day,
)
from edge.panel.danger import due_drill, unseen
from edge.panel.lasting import lasting
from edge.panel.view import Notice, Shape, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.panel.report import DeviceReport, StatusReport
    from edge.panel.standing import Standing
    from edge.panel.words import Phrase, Words

#: Devices get two heartbeats of a slow bus before they are called silent.
CHECKING_S = 15
#: A list that nobody confirmed for so long may lack bookings made since.
OLD_ROSTER_MS = 24 * 60 * MINUTE_MS
DAY_MS = 24 * 60 * MINUTE_MS
#: A box without a clock of its own may ask the network for so long.
SETTING_CLOCK_S = 300
#: What to do while what the locks hang on is silent, whichever board it is.
LOCKS_LOOK = "trouble.device_look_modbus_relay_board"
#: What no volunteer can mend: looking at lamps and cables would only cost time.
_INSTALLERS = frozenset({"NOT_SET_UP", "PORT_DENIED", "PORT_HELD"})
#: States of a device that are told whether it answers or not.
_SPECIAL = {"TAMPERED": "tampered", "CONFLICT": "conflict"}


def troubles(
    standing: Standing, words: Words, now_s: float, *, is_exposed: bool = False
) -> list[Notice]:
    """Return everything that needs a look, the worst first."""
    report = standing.report
    if report is None or not standing.is_live:
        return []
    now_ms = standing.clock_ms(now_s)
    found = [*_devices(report, words, now_ms), *_box(report, words, now_ms)]
    found += [*unseen(standing, words), *due_drill(standing, words, now_s)]
    if is_exposed:
        found.append(_notice(words, "exposed", Tone.WARN, Shape.ALERT))
    order = (Tone.BAD, Tone.WARN, Tone.INFO)
    return sorted(found, key=lambda notice: order.index(notice.tone))


def _devices(
    report: StatusReport, words: Words, now_ms: int | None
) -> Iterator[Notice]:
    for device in report.devices:
        if device.state in _SPECIAL:
            yield _special(device, words)
    silent = [
        device
        for device in report.devices
        if not device.is_online and device.state not in _SPECIAL
    ]
    if silent and report.uptime_s < CHECKING_S:
        yield _notice(words, "checking", Tone.INFO, Shape.CLOCK)
        return
    for device in silent:
        yield _silent(device, report, words, now_ms)
    for device in report.devices:
        if device.is_online and device.test_why and device.state not in _SPECIAL:
            yield Notice(
                tone=Tone.WARN,
                shape=Shape.ALERT,
                title=words.say("trouble.self_test", name=device.name),
                advice=words.say("trouble.self_test_look"),
                installer=words.say("trouble.installer", why=device.test_why),
                device=device.id,
            )


def _special(device: DeviceReport, words: Words) -> Notice:
    """Tell what outweighs whether the device answers."""
    key = f"trouble.{_SPECIAL[device.state]}"
    return Notice(
        tone=Tone.BAD,
        shape=Shape.CROSS,
        title=words.say(key, name=device.name),
        advice=words.say(f"{key}_look"),
        installer=_installer(device, words),
        device=device.id,
    )


def _silent(
    device: DeviceReport, report: StatusReport, words: Words, now_ms: int | None
) -> Notice:
    minutes = minutes_since(device.good_ms or device.since_ms, now_ms)
    last = last_good(device.good_ms, now_ms, report.offset_hours)
    look, why = f"trouble.device_look_{device.driver}", f"why.{device.trouble}"
    if device.opens_doors:
        look = LOCKS_LOOK
    if device.trouble in _INSTALLERS:
        look = "trouble.installer_look"
    return Notice(
        tone=Tone.BAD,
        shape=Shape.CROSS,
        title=words.say(
            "trouble.device", name=device.name, time=lasting(minutes, words)
        ),
        reason=words.say(why) if why in words else None,
        advice=words.say_or(look, "trouble.device_look"),
        note=words.say("trouble.device_last", time=last) if last else None,
        installer=_installer(device, words),
        device=device.id,
    )


def last_good(good_ms: int | None, now_ms: int | None, hours: int) -> str | None:
    """Return when something was good: the time, of another day with its date."""
    if good_ms is None or now_ms is None or now_ms - good_ms < DAY_MS // 2:
        return time_of_day(good_ms, hours)
    return day_and_time(good_ms, hours)


def _installer(device: DeviceReport, words: Words) -> Phrase | None:
    return words.say("trouble.installer", why=device.why) if device.why else None


def _box(report: StatusReport, words: Words, now_ms: int | None) -> Iterator[Notice]:
    if report.is_lost:
        yield _notice(words, "lost", Tone.BAD, Shape.CROSS)
    if report.is_storage_faulty:
        storage = _notice(words, "storage", Tone.BAD, Shape.CROSS)
        yield replace(storage, note=good_before("storage", report, words, now_ms))
    yield from _parts(report, words, now_ms)
    if report.settings_fault:
        yield replace(
            _notice(words, "settings", Tone.WARN, Shape.ALERT),
            installer=words.say("trouble.installer", why=report.settings_fault),
        )
    if not report.is_clock_known:
        is_new = report.uptime_s < SETTING_CLOCK_S
        tone, shape = (Tone.WARN, Shape.ALERT) if is_new else (Tone.BAD, Shape.CROSS)
        yield _notice(words, "clock", tone, shape)
    if not report.has_roster:
        yield _notice(words, "no_roster", Tone.WARN, Shape.ALERT)
        return
    confirmed_ms = report.confirmed_ms
    if confirmed_ms and now_ms and now_ms - confirmed_ms > OLD_ROSTER_MS:
        time = day_and_time(confirmed_ms, report.offset_hours)
        yield _notice(words, "old_roster", Tone.WARN, Shape.ALERT, time=time)


def _parts(report: StatusReport, words: Words, now_ms: int | None) -> Iterator[Notice]:
    """Tell of the box's disk and power, and of what its people have lost."""
    for name in ("disk", "power"):
        if report.part(name).is_good is False:
            yield Notice(
                tone=Tone.WARN,
                shape=Shape.ALERT,
                title=words.say(f"parts.{name}"),
                advice=words.say(f"parts.{name}_look"),
                note=good_before(name, report, words, now_ms),
            )
    if report.is_set_aside:
        yield _lost(words, "accounts")
    elif report.pins_lost:
        yield _lost(words, "pins", report.pins_lost)


def _lost(words: Words, what: str, count: int | None = None) -> Notice:
    return Notice(
        tone=Tone.WARN,
        shape=Shape.ALERT,
        title=words.say(f"parts.{what}", count=count),
        advice=words.say(f"parts.{what}_look"),
    )


def good_before(
    name: str, report: StatusReport, words: Words, now_ms: int | None
) -> Phrase | None:
    """Say when a part of the box was last good, None where nobody knows."""
    last = last_good(report.part(name).good_ms, now_ms, report.offset_hours)
    return words.say("trouble.device_last", time=last) if last else None


def _notice(
    words: Words, key: str, tone: Tone, shape: Shape, *, time: str | None = None
) -> Notice:
    return Notice(
        tone=tone,
        shape=shape,
        title=words.say(f"trouble.{key}", time=time),
        advice=words.say(f"trouble.{key}_look"),
    )
