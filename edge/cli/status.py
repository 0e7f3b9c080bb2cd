# SPDX-License-Identifier: Apache-2.0
"""How the gateway stands, as one JSON object for panel and command line.

The law of the module: it reads and never waits; no person and no token is in it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cloud_sync.advice import advice
from drivers.registry import DRIVERS
from edge.cli.board import board
from edge.core.access.answers import NEXT_STEP, DenyReason
from edge.core.doors.door import DoorMode
from edge.core.duty.shift import closing_ms, month_of
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.runtime import Runtime
    from edge.cli.supervision import Fault, Standing
    from edge.core.event import Event
    from edge.core.moment import Moment

HOUR_MS = 3_600_000
#: Of a wrong site file so many faults are told, each so long.
FAULTS, FAULT = 8, 240


def status(runtime: Runtime) -> dict[str, Any]:
    """Return doors, lockers, devices, what waits, roster and clock."""
    now = runtime.clock.now()
    roster = runtime.controller.roster
    return {
        "pid": os.getpid(),
        "uptime_s": round(now.monotonic_s - runtime.started_s, 1),
        "lost": runtime.lost,
        "fire": runtime.controller.emergency.is_fire,
        "settings_faults": [fault[:FAULT] for fault in runtime.faults[:FAULTS]],
        "standing": sorted(runtime.controller.emergency.standing),
        "care": len(runtime.controller.house.care.asked_after),
        "drill": runtime.controller.emergency.drills.running is not None,
        "last_drill_ms": runtime.controller.emergency.drills.last_done_ms,
        **_names(runtime),
        "closing_ms": _closing_ms(runtime, now),
        "doors": _doors(runtime),
        "banks": _banks(runtime),
        "devices": _devices(runtime, now),
        **board(runtime, now),
        "parts": runtime.parts.shown(runtime.last_good.of),
        "testing": runtime.self_test.is_running,
        "events": {
            "epoch": runtime.journal.epoch,
            "last_seq": runtime.journal.last_seq,
            "waiting": runtime.journal.waiting,
            "oldest_ms": runtime.days.oldest_ms if runtime.journal.waiting else None,
            "not_on_disk": runtime.gateway.unstored,
            "storage_fault": runtime.gateway.is_storage_faulty,
        },
        "duty": _duty(runtime, now),
        "signs": runtime.door_side.shown(),
        "platform": _platform(runtime, now),
        "days": runtime.days.shown(),
        "box": runtime.box.shown(),
        "panel": runtime.desk.status(),
        "backup": runtime.desk.backups and runtime.desk.backups.shown(),
        "messages": [
            {"text": told.text, "by": told.by, "at_ms": told.at_ms}
            for told in runtime.controller.house.remote.messages.fresh(now)
        ],
        "roster": {
            "epoch": roster.cursor.epoch,
            "revision": roster.cursor.revision,
            "credentials": roster.credentials,
            "confirmed_ms": runtime.feed.confirmed_ms,
            "repairs": runtime.feed.misfits,
            "age_s": max(0, now.earliest_ms - runtime.feed.confirmed_ms) // 1000,
        },
        "clock": {
            "earliest_ms": now.earliest_ms,
            "latest_ms": now.latest_ms,
            "known": runtime.clock.is_bounded,
        },
    }


def _names(runtime: Runtime) -> dict[str, Any]:
    """Return what people call the places, for whoever shows them.

    A space's name is the platform's where it has one.
    """
    settings = runtime.settings
    site, rows = settings.site, runtime.controller.rolls.roster.tables.spaces
    named = {row.space_id: row.name for row in rows}
    return {
        "site": {"name": site.name, "utc_offset_hours": site.utc_offset_hours},
        "spaces": {
            space.id: named.get(space.id) or space.name or space.id
            for space in settings.space
        },
        "access_points": {
            point.id: {"door": point.door, "bank": point.bank}
            for point in settings.access_point
        },
    }


def _duty(runtime: Runtime, now: Moment) -> dict[str, Any]:
    """Return this month's points of all volunteers together, and how many are sure."""
    duty, site = runtime.controller.house.duty, runtime.settings.site
    month = month_of(now.earliest_ms, site.utc_offset_hours * HOUR_MS)
    points, confirmed = duty.all_points(month)
    return {
        "on_duty": len(duty.on_duty),
        "month": month,
        "points": points,
        "confirmed_points": confirmed,
    }


def _doors(runtime: Runtime) -> dict[str, Any]:
    known = {door.id: door for door in runtime.settings.door}
    return {
        door_id: {
            "name": known[door_id].name or door_id,
            "mode": door.mode.value,
            "phase": door.phase.value,
            "until_ms": _free_until_ms(runtime, door_id, door.mode),
            "slow_s": known[door_id].extended_release_s,
        }
        for door_id, door in runtime.controller.doors.standing().items()
    }


def _free_until_ms(runtime: Runtime, door_id: str, mode: DoorMode) -> int | None:
    """Return when a door that stands free is locked by itself; None: it is not."""
    if mode is not DoorMode.UNLOCKED:
        return None
    by_clock = runtime.controller.doors.intents()[door_id].free_until_ms
    return by_clock or runtime.controller.house.remote.until_ms(door_id) or None


def _closing_ms(runtime: Runtime, now: Moment) -> int | None:
    """Return when the site closes next; None while nobody knows the time."""
    if not runtime.clock.is_bounded:
        return None
    plan = runtime.desk.plan
    return closing_ms(now.earliest_ms, plan.closing_min, plan.utc_offset_ms)


def _banks(runtime: Runtime) -> dict[str, Any]:
    standing = runtime.controller.lockers.standing()
    return {
        bank.id: {
            "name": bank.name or bank.id,
            "compartments": {
                str(number): standing[bank.id, number].phase.value
                for number in sorted(bank.compartments.numbers())
            },
        }
        for bank in runtime.settings.bank
    }


def _devices(runtime: Runtime, now: Moment) -> dict[str, Any]:
    return {
        device.id: {
            "name": device.name or device.id,
            "driver": device.driver,
            "online": device.id in runtime.bindings.online,
            "shows": DRIVERS[device.driver].shows,
            "opens": bool(runtime.bindings.wiring.doors_of(device.id)),
            "good_ms": runtime.last_good.of(device.id),
            **_standing(runtime.supervision.of(device.id), now),
        }
        for device in runtime.settings.device
    }


def _standing(standing: Standing, now: Moment) -> dict[str, Any]:
    """Return how a device stands; ``fault`` is now, ``last_fault`` may be over."""
    tested = standing.tested
    return {
        "state": standing.state.value,
        "since_ms": _utc_ms(standing.since_s, now),
        "detail": standing.detail,
        "fault": _fault(standing.fault, now),
        "last_fault": _fault(standing.last, now),
        "self_test": tested
        and {
            "passed": not tested.why,
            "why": tested.why,
            "at_ms": _utc_ms(tested.at_s, now),
        },
    }


def _fault(fault: Fault | None, now: Moment) -> dict[str, Any] | None:
    if fault is None:
        return None
    at_ms = _utc_ms(fault.at_s, now)
    return {"kind": fault.kind.value, "why": fault.why, "at_ms": at_ms}


def _utc_ms(at_s: float | None, now: Moment) -> int | None:
    if at_s is None:
        return None
    return now.earliest_ms - int((now.monotonic_s - at_s) * 1000)


def _platform(runtime: Runtime, now: Moment) -> dict[str, Any]:
    sync, gateway = runtime.client.status, runtime.settings.gateway
    last_s = sync.last_ack_s
    age_s = None if last_s is None else round(now.monotonic_s - last_s, 1)

    def to_do(kind: str) -> str:
        return advice(kind, gateway=gateway.id, shard=gateway.shard)

    return {
        "connected": sync.is_connected,
        "reconnects": sync.reconnects,
        "last_ack_age_s": age_s,
        "trouble": sync.trouble,
        "broker": sync.broker,
        "keys": runtime.line.fault,
        "troubles": [
            {"broker": one.broker, "why": one.why, "advice": to_do(one.kind)}
            for one in sync.troubles
        ],
        "silent": to_do("HELLO_UNANSWERED") if sync.is_silent else None,
        "plain_tcp": runtime.settings.platform.exposed,
        "certificate_days": _certificate_days(runtime, now),
        "renewal": runtime.line.renewal and runtime.line.renewal.shown(),
    }


def _certificate_days(runtime: Runtime, now: Moment) -> int | None:
    """Return how long the gateway's certificate is good; below 0 it has expired."""
    ends = [way.certificate_until_ms for way in runtime.line.ways.values()]
    known = [end_ms for end_ms in ends if end_ms is not None]
    return (min(known) - now.earliest_ms) // 86_400_000 if known else None


def steady_part(shown: dict[str, Any]) -> dict[str, Any]:
    """Return the status without what moves all the time, to see whether it changed."""
    steady = {k: v for k, v in shown.items() if k not in ("uptime_s", "clock")}
    steady["clock"] = shown["clock"]["known"]
    steady["platform"] = shown["platform"] | {"last_ack_age_s": None}
    steady["roster"] = shown["roster"] | {"age_s": None}
    steady["devices"] = {
        name: _without_times(device) for name, device in shown["devices"].items()
    }
    steady["parts"] = _without_times(shown["parts"])
    return steady


def _without_times(table: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_times(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if key not in ("since_ms", "at_ms", "good_ms")
    }


def event_view(event: Event) -> dict[str, Any]:
    """Return an event for a screen: what, where and why, never who."""
    view: dict[str, Any] = dict(event.facts)
    reason = view.get("reason")
    if event.kind is EventKind.ACCESS_DENIED and reason in DenyReason.__members__:
        view["next_step"] = NEXT_STEP[DenyReason(str(reason))].value
    return view | {
        "seq": event.seq,
        "k": event.kind.value,
        "at": event.subject,
        "lo": event.moment.earliest_ms,
    }


def is_ready(shown: dict[str, Any]) -> bool:
    """Say whether people are known and every device answers; not for nothing said."""
    if not shown:
        return False
    online = all(device["online"] for device in shown["devices"].values())
    return bool(shown["roster"]["credentials"]) and online
