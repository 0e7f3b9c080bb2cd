# SPDX-License-Identifier: Apache-2.0
"""What the panel reads of a neighbourhood: whom to call, in order, and what is on."""

from __future__ import annotations

import json
from typing import Any

from edge.cli.community import community
from edge.core.moment import Moment
from edge.core.people.quarantine import Quarantine
from edge.core.people.roster import Cursor, Roster, RosterBuilder
from edge.core.people.roster_image import Unpacking, pack

NOW_MS = 1_795_330_800_000


def built(*rows: tuple[str, str, dict[str, object]]) -> Roster:
    builder, quarantine = RosterBuilder(), Quarantine()
    for kind, row_id, body in rows:
        row = quarantine.parse(kind, row_id, json.dumps(body))
        assert row is not None, quarantine.summary()
        builder.add([row])
    return builder.build(Cursor("0001-00000000", 1))


def contact(name: str, grid: str = "", order: int = 0) -> dict[str, object]:
    body: dict[str, object] = {"name": name, "phone": "12345", "role": "GRID_WORKER"}
    return body | {"order": order} | ({"grid": grid} if grid else {})


def notice(level: str, from_ms: int, to_ms: int) -> dict[str, object]:
    times = {"from": from_ms, "to": to_ms, "level": level}
    return {"title": level, "text": "停水", **times}


def shown(roster: Roster) -> Any:
    now = Moment(monotonic_s=0.0, earliest_ms=NOW_MS, latest_ms=NOW_MS, boot="b")
    return json.loads(json.dumps(community(roster.tables, {}, now)))


ROSTER: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("grid", "g-2", {"name": "二", "order": 2}),
    ("grid", "g-1", {"name": "一", "order": 1}),
    ("contact", "c-3", contact("all", order=1)),
    ("contact", "c-2", contact("second", "g-1", 2)),
    ("contact", "c-1", contact("first", "g-1", 1)),
    ("office", "o-1", {"name": "居委会", "phone": "020-1", "address": "1 号"}),
    ("notice", "n-1", notice("INFO", NOW_MS, NOW_MS + 1)),
    ("notice", "n-2", notice("URGENT", NOW_MS - 9, NOW_MS + 9)),
    ("notice", "n-3", notice("WARNING", NOW_MS - 9, NOW_MS)),
    ("notice", "n-4", notice("WARNING", NOW_MS + 1, NOW_MS + 2)),
    ("space", "hall", {"name": "客厅", "capacity": 5}),
    ("schedule", "s-1", {"space": "hall", "hours": "", "closed": ["2026-10-01"]}),
)


def test_contacts_stand_under_their_grid_in_the_order_of_calling() -> None:
    told = shown(built(*ROSTER))
    grids = told["grids"]
    assert [grid["name"] for grid in grids] == ["一", "二"]
    called = [[each["name"] for each in grid["contacts"]] for grid in grids]
    assert called == [["first", "second", "all"], ["all"]]


def test_notices_are_those_of_now_the_urgent_first() -> None:
    told = shown(built(*ROSTER))
    notices = told["notices"]
    assert [each["notice_id"] for each in notices] == ["n-2", "n-1"]


def test_a_start_from_the_image_knows_all_of_it() -> None:
    roster = built(*ROSTER)
    unpacking = Unpacking("x")
    for part in pack(roster.columns, "x"):
        unpacking.take(part)
    columns = unpacking.columns()
    assert columns is not None
    assert columns.tables == roster.tables


def test_what_is_beyond_a_table_is_told() -> None:
    builder, quarantine = RosterBuilder(), Quarantine()
    for number in range(101):
        row = quarantine.parse("grid", f"g-{number}", '{"name": "x"}')
        assert row is not None
        builder.add([row])
    assert list(builder.strays()) == [("grid", "g-100", "there are already 100")]


def test_a_phone_number_of_somebody_stands_in_no_error() -> None:
    quarantine = Quarantine()
    body = json.dumps(contact("王芳") | {"phone": "call 13800138000 at night"})
    assert quarantine.parse("contact", "c-1", body) is None
    assert "13800138000" not in quarantine.summary()
