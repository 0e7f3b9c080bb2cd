# SPDX-License-Identifier: Apache-2.0
"""Good and bad rows of the kinds that tell of a neighbourhood, its shifts, its spaces.

The law of the module: as in samples.py and spoiling.py.
"""

from __future__ import annotations

from typing import Any

from tests.cloud_sync.contract.spoiling import Spoilt, bad, unsaid, without

_AT_MS = 1_760_000_000_000


def _row(kind: str, identity: str, **body: Any) -> Any:
    return {"kind": kind, "id": identity, "ver": 1, "body": body}


_CONTACT = {"name": "王芳", "phone": "020-8123 4567", "role": "GRID_WORKER"}
_OFFICE = {"name": "社区服务中心", "phone": "12345", "address": "芳村大道 1 号"}
_NOTICE = {
    "title": "停水通知",
    "text": "周三 9:00 至 17:00 停水，请提前储水。",
    "from": _AT_MS,
    "to": _AT_MS + 86_400_000,
}
_SHIFT: dict[str, Any] = {
    "holder": "h-9",
    "boot": "boot-17",
    "began": 48_123,
    "minutes": 90,
    "by": "李社工",
    "at": _AT_MS,
    "number": 1,
}
#: A plan is of a boot that there is none of, for those who know no plans.
_PLANNED = _SHIFT | {
    "boot": "planned",
    "began": 0,
    "minutes": 240,
    "from": _AT_MS + 86_400_000,
    "space": "kitchen",
}
COMMUNITY: dict[str, dict[str, Any]] = {
    "row_shift.json": {
        "plain": _row("shift", "0001-00c0ffee:9", **_SHIFT),
        "corrected": _row(
            "shift",
            "0001-00c0ffee:17",
            **_SHIFT | {"minutes": 720, "number": 1_000, "reason": "他提早离开"},
        ),
        "taken back": _row(
            "shift", "s-3", **_SHIFT | {"minutes": 0, "began": 0, "number": 2}
        ),
        "with all that was ever confirmed": _row(
            "shift", "0001-00c0ffee:18", **_SHIFT, total=446_400_000
        ),
        "planned": _row("shift", "p1", **_PLANNED),
        "planned anew, with its task": _row(
            "shift",
            "p2",
            **_PLANNED | {"number": 2, "task": "前台", "reason": "和林叔换班"},
        ),
    },
    "row_grid.json": {
        "plain": _row("grid", "g-1", name="第三网格"),
        "every field": _row("grid", "g-2", name="第四网格", order=10_000),
    },
    "row_contact.json": {
        "plain": _row("contact", "c-1", **_CONTACT),
        "every field": _row(
            "contact", "c-2", **_CONTACT, grid="g-1", order=2, hours="工作日 8-18 点"
        ),
        "hours that nobody wrote": _row("contact", "c-3", **_CONTACT, hours=""),
    },
    "row_office.json": {
        "plain": _row("office", "o-1", **_OFFICE),
        "every field": _row(
            "office", "o-2", **_OFFICE, hours="周一至周五", grid="g-1", order=1
        ),
    },
    "row_notice.json": {
        "plain": _row("notice", "n-1", **_NOTICE),
        "every field": _row(
            "notice", "n-2", **_NOTICE, level="URGENT", spaces=["厨房"]
        ),
    },
    "row_space.json": {
        "plain": _row("space", "kitchen", name="共享厨房"),
        "every field": _row("space", "hall", name="客厅", capacity=20, entry="staffed"),
    },
    "row_schedule.json": {
        "plain": _row("schedule", "s-1", space="kitchen", hours="daily 09:00-21:00"),
        "every field": _row(
            "schedule",
            "s-2",
            space="kitchen",
            hours="mon-fri 08:00-12:00 14:00-22:00",
            closed=["2026-02-17", "2026-02-18"],
        ),
        "closed days alone": _row(
            "schedule", "s-3", space="hall", hours="", closed=["2026-10-01"]
        ),
    },
}
_OUT = "QUARANTINED"
_LONG = "y" * 65
_SORT = (
    *bad("PASSED_OVER", ("of a kind of its own", "kind", "cell")),
    *bad("FEED_SHAPE", ("a body that is a list", "body", [])),
    *bad(_OUT, ("an id of 65 characters", "id", _LONG)),
)
SPOILT_COMMUNITY: dict[str, tuple[Spoilt, ...]] = {
    "row_grid.json": (
        *_SORT,
        *without(_OUT, "body/name"),
        *bad(
            _OUT,
            ("a name of 65 characters", "body/name", _LONG),
            ("an order below 0", "body/order", -1),
            ("an order in words", "body/order", "first"),
        ),
    ),
    "row_contact.json": (
        *_SORT,
        *without(_OUT, "body/name", "body/phone", "body/role"),
        *bad(
            _OUT,
            ("a number with words", "body/phone", "ask 12345"),
            ("two digits", "body/phone", "12"),
            ("an order beyond 10,000", "body/order", 10_001),
            ("a grid without a name", "body/grid", ""),
            ("hours of 513 characters", "body/hours", "y" * 513),
        ),
    ),
    "row_office.json": (
        *_SORT,
        *without(_OUT, "body/name", "body/phone", "body/address"),
        *bad(_OUT, ("an address with a line end", "body/address", "a\nb")),
    ),
    "row_notice.json": (
        *_SORT,
        *without(_OUT, "body/title", "body/text", "body/from", "body/to"),
        *bad(
            _OUT,
            ("a level of its own", "body/level", "LOUD"),
            ("spaces in a text", "body/spaces", "厨房"),
            ("513 characters", "body/text", "y" * 513),
        ),
        *unsaid(
            _OUT,
            "that one is after the other",
            ("over before it begins", "body/to", _AT_MS),
        ),
    ),
    "row_space.json": (
        *_SORT,
        *without(_OUT, "body/name"),
        *bad(
            _OUT,
            ("room for less than nobody", "body/capacity", -1),
            ("room for a town", "body/capacity", 5_001),
            ("a way in of its own", "body/entry", "anybody"),
        ),
    ),
    "row_schedule.json": (
        *_SORT,
        *without(_OUT, "body/space", "body/hours"),
        *bad(
            _OUT,
            ("hours in words", "body/hours", "in the morning"),
            ("a day without dashes", "body/closed", ["20260217"]),
            ("a month beyond 12", "body/closed", ["2026-13-01"]),
            ("65 days", "body/closed", ["2026-02-17"] * 65),
        ),
        *unsaid(_OUT, "the calendar", ("30 February", "body/closed", ["2026-02-30"])),
    ),
}
