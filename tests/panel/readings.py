# SPDX-License-Identifier: Apache-2.0
"""What the scripted gateway says to whoever only looks: a filled page for each."""

from __future__ import annotations

from typing import Any

#: 2026-11-22 14:32 at UTC+8.
NOW_MS = 1_795_329_120_000
MINUTE_MS = 60_000


def _cell(number: int, phase: str, size: str = "S", **more: Any) -> dict[str, Any]:
    return {"number": number, "size": size, "phase": phase, "rental": None, **more}


def _rental(kind: str, tail: str = "", **more: Any) -> dict[str, Any]:
    ends = {"end_ms": NOW_MS + 30 * MINUTE_MS, "over_ms": NOW_MS + 35 * MINUTE_MS}
    return {"kind": kind, "tail": tail, **ends, **more}


#: A bank with a cell of every kind, and what is in its medicine box.
LATE = {"end_ms": NOW_MS - 80 * MINUTE_MS, "over_ms": NOW_MS - 75 * MINUTE_MS}


def shift(ago: int, minutes: int, state: str, **more: Any) -> dict[str, Any]:
    """Return a shift that ended ``ago`` days ago at 14:32; that is its number too."""
    to_ms = NOW_MS - ago * 1_440 * MINUTE_MS
    told = {
        "seq": ago,
        "holder": "h-0042",
        "name": "陈姨",
        "mark": "0042",
        "from_ms": to_ms - minutes * MINUTE_MS,
        "to_ms": to_ms,
        "minutes": minutes,
        "state": state,
        "why": "",
        "asked": -1,
        "began_by": "",
        "ended_by": "",
        "words": [],
    }
    return told | more


def planned(name: str, in_min: int, mark: str = "0042", **more: Any) -> dict[str, Any]:
    """Return a planned shift of four hours that begins in so many minutes."""
    from_ms = NOW_MS + in_min * MINUTE_MS
    told = {"name": name, "mark": mark, "is_own": False, "space": "客厅", "task": ""}
    return told | {"from_ms": from_ms, "to_ms": from_ms + 240 * MINUTE_MS} | more


#: What stands in a backup.
COPY: dict[str, Any] = {
    "site": "kl",
    "name": "城市客厅",
    "offset_hours": 8,
    "at_ms": NOW_MS,
    "version": "0.1.0",
    "events": 4711,
    "holders": 31,
    "accounts": 3,
    "has_keys": False,
}

FORGOTTEN = shift(3, 480, "TO_CONFIRM", why="closing")
CORRECTED = shift(
    5,
    125,
    "CORRECTED",
    words=[
        {
            "kind": "DUTY_CORRECTED",
            "at_ms": NOW_MS,
            "minutes": 125,
            "was": 480,
            "who": "李站长",
            "second": "林叔",
            "reason": "forgot",
        }
    ],
)
_PERSON = {"holder": "h-0042", "name": "陈姨", "mark": "0042"}
#: What is said to whoever only looks; no order.
READINGS: dict[str, dict[str, Any]] = {
    "lockers": {
        "banks": {
            "lockers": {
                "cells": [
                    _cell(1, "FREE"),
                    _cell(2, "OCCUPIED", rental=_rental("BOOKED", "0031")),
                    _cell(
                        3,
                        "OVERDUE",
                        rental=_rental("BOOKED", "0032", is_overdue=True, **LATE),
                    ),
                    _cell(4, "FAULT"),
                    _cell(5, "FAULT", is_out_of_order=True),
                    _cell(6, "OPEN", "M"),
                    _cell(7, "CLEANING", "M", needs_cleaning=True),
                    _cell(
                        8,
                        "OCCUPIED",
                        "L",
                        rental=_rental("PARCEL", is_deposited=True),
                    ),
                    _cell(9, "FREE", "L", is_ordered=True),
                    _cell(12, "FREE", is_medicine=True),
                ]
            }
        }
    },
    "medicine": {
        "may_note": True,
        "is_emergency": False,
        "boxes": {
            "lockers": {
                "cells": [_cell(12, "FREE", is_medicine=True)],
                "items": [
                    {"item": "创可贴", "count": 20, "expires_ms": NOW_MS * 2},
                    {"item": "纱布", "count": 2, "expires_ms": NOW_MS * 2},
                    {
                        "item": "冰袋",
                        "count": 5,
                        "expires_ms": NOW_MS + 9 * 1440 * MINUTE_MS,
                    },
                    {"item": "碘伏棉签", "count": 9, "expires_ms": NOW_MS - 1},
                    {"item": "体温计", "count": 1, "expires_ms": NOW_MS * 2},
                ],
            }
        },
    },
    "bags": {
        "bags": [
            {
                "bag": "B017",
                "bank": "lockers",
                "number": 3,
                "since_ms": NOW_MS - 1440 * MINUTE_MS,
                "tail": "0032",
            },
            {"bag": "B018", "bank": "lockers", "number": 6, "since_ms": NOW_MS},
        ]
    },
    "receivers": {
        "found": [
            {
                "mark": f"r{'ab' * 9}",
                "tail": "0031",
                "space": "kitchen",
                "from_ms": NOW_MS,
                "to_ms": NOW_MS + 60 * MINUTE_MS,
            }
        ],
        "has_more": False,
    },
    "hours": {
        "has_card": True,
        "name": "陈姨",
        "mark": "0042",
        "this": "2026-11",
        "months": [
            {
                "month": "2026-11",
                "minutes": 750,
                "confirmed": 145,
                "shifts": [CORRECTED, FORGOTTEN, shift(1, 145, "CONFIRMED")],
            },
            {"month": "2026-10", "minutes": 0, "confirmed": 0, "shifts": []},
        ],
        "asks": [FORGOTTEN],
    },
    "roster": {
        "monday_ms": NOW_MS - (6 * 1_440 + 14 * 60 + 32) * MINUTE_MS,
        "month": "2026-11",
        "on_duty": [_PERSON | {"since_ms": NOW_MS - 90 * MINUTE_MS}],
        "shifts": [FORGOTTEN, CORRECTED],
        "waiting": [FORGOTTEN],
        "people": [
            _PERSON | {"may_begin": True, "is_on_duty": True},
            {"holder": "h-0077", "name": "", "mark": "0077", "may_begin": True},
        ],
    },
    "plan": {
        "today_ms": NOW_MS - (14 * 60 + 32) * MINUTE_MS,
        "days": 8,
        "shifts": [
            planned("陈*", -60, task="前台", is_own=True),
            planned("林*", 2 * 60),
            planned("", 3 * 1_440, mark="0077", task="巡楼"),
        ],
        "open": [
            planned("陈姨", -60, standing="WAITS", task="前台"),
            planned("林叔", -1_440, standing="NOBODY"),
        ],
    },
    "shift": {"shift": FORGOTTEN},
    "farewell": {"state": "thanks", "opened": 41, "today": 145, "month": 750},
    "notices": {
        "door": "今天消毒,三点开门",
        "notices": [
            {
                "title": "停水",
                "text": "明天上午停水",
                "level": "INFO",
                "from_ms": NOW_MS,
                "to_ms": NOW_MS + 600 * MINUTE_MS,
                "is_now": True,
            },
            {
                "title": "台风",
                "text": "请关好门窗",
                "level": "URGENT",
                "from_ms": NOW_MS + 60 * MINUTE_MS,
                "to_ms": NOW_MS + 900 * MINUTE_MS,
                "is_now": False,
            },
        ],
    },
    "emergency-now": {
        "standing": [],
        "fire_bar": "",
        "shelter": [{"space": "living-room", "inside": 7, "capacity": 40}],
        "on_duty": ["陈姨"],
        "drill": None,
        "contacts": 2,
        "called": 0,
        "elders": 2,
        "awaited": 2,
        "shows_elders": True,
        "care": 1,
    },
    "emergency-contacts": {
        "contacts": [
            {"contact_id": "c-1", "name": "值班", "phone": "000-1", "role": "街道"}
        ],
        "grids": [
            {
                "name": "东巷",
                "contacts": [
                    {
                        "contact_id": "c-2",
                        "name": "黄",
                        "phone": "000-2",
                        "role": "网格员",
                    }
                ],
            }
        ],
        "offices": [{"name": "卫生站", "phone": "000-3", "address": "1 号"}],
        "called": {},
        "is_peace": False,
    },
    "elders": {
        "elders": [
            {
                "key": "k1",
                "order": 1,
                "name": "陈*",
                "place": "东巷 3 号 201",
                "route": "左边楼梯",
                "needs": ["WHEELCHAIR", "带上拐杖"],
                "grid": "东巷",
            },
            {
                "key": "k2",
                "order": 2,
                "route": "7 号 102",
                "grid": "东巷",
            },
        ],
        "is_peace": False,
    },
    "care": {
        "care": [
            {
                "key": "k1",
                "tail": "0001",
                "days": 3,
                "name": "陈*",
                "place": "东巷 3 号 201",
                "route": "左边楼梯",
            }
        ]
    },
    "door-code": {
        "state": "shown",
        "url": "https://platform.example.org/door/kl/kitchen-door?c=59844304."
        + 86 * "A",
        "good_ms": 30_000,
    },
    "drills": {"drills": []},
    "posters": {
        "doors": [
            {
                "id": "kitchen-door",
                "name": "厨房门",
                "space": "共享厨房",
                "entry": "booking",
                "hours": "mon-fri 08:00-22:00; sat,sun 09:00-26:00",
                "url": "https://platform.example.org/door/kl/kitchen-door",
            },
            {"id": "hall-door", "name": "客厅门", "entry": "staffed", "hours": ""},
        ],
    },
    "settings": {
        "text": '[site]\nid = "kl"\n' + "# \n" * 3_000,
        "version": "0.1.0",
        "revision": "0a1b2c3d",
        "python": "3.11.7",
        "machine": "aarch64",
        "ports": [{"kind": "serial", "port": "/dev/ttyUSB0", "detail": ""}],
    },
    "backups": {
        "files": [
            {"name": "menshen-kl-20261122-033000.tar.gz", "bytes": 1_234_567},
            {"name": "../../etc/passwd", "bytes": 1},
        ],
        "doing": "",
        "fault": "",
    },
    "first-restore": {
        "step": "held",
        "inside": COPY | {"sounds": 12, "has_keys": True},
        "fault": "",
    },
    "backup-look": COPY,
}
