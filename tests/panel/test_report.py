# SPDX-License-Identifier: Apache-2.0
"""What the gateway says is read without trust."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

import pytest

from edge.panel.duty import duty
from edge.panel.fields import MAX_NAME
from edge.panel.pages import Pages
from edge.panel.report import (
    MAX_DEVICES,
    MAX_DOORS,
    parse,
    read_event,
    read_status,
)
from edge.panel.standing import Standing, happened, reported
from edge.panel.visitor import Kind, Visitor
from edge.panel.words import Words
from tests.panel.readings import NOW_MS
from tests.panel.scripted_gateway import CALM, DENIED, GRANTED

STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**30,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "\ud800",
    "<b>",
    [],
    {},
    {"name": 3},
    "x" * 5000,
)

VOLUNTEER = Visitor(kind=Kind.VOLUNTEER)


def test_a_status_is_read() -> None:
    status = read_status(CALM)
    assert status is not None
    assert [door.name for door in status.doors] == ["厨房门", "客厅门"]
    assert [device.is_online for device in status.devices] == [True, True]
    assert status.place_name("living-room-front") == "客厅门"
    assert status.place_name("kitchen-door") == "厨房门"
    assert status.place_name("elsewhere") == ""
    assert status.clock_ms == NOW_MS


def test_an_access_point_of_lockers_has_the_name_of_its_bank() -> None:
    points = {"locker-front": {"door": "", "bank": "hall"}}
    banks = {"hall": {"name": "大厅柜子"}}
    status = read_status({"doors": {}, "access_points": points, "banks": banks})
    assert status is not None
    assert status.place_name("locker-front") == "大厅柜子"


@pytest.mark.parametrize(("told", "used"), [(-5, -5), (14, 14), (99, 8), ("8", 8)])
def test_an_offset_that_no_place_on_earth_has_is_not_used(told: Any, used: int) -> None:
    status = read_status({"doors": {}, "site": {"utc_offset_hours": told}})
    assert status is not None
    assert status.offset_hours == used


@pytest.mark.parametrize("line", [b"", b"\xff\xfe", b"[1]", b"nonsense", b"[" * 99999])
def test_a_line_that_is_no_object_is_an_empty_one(line: bytes) -> None:
    assert parse(line) == {}


@pytest.mark.parametrize("value", STRANGE)
def test_a_stranger_is_neither_a_status_nor_an_event(value: Any) -> None:
    assert read_status(value) is None
    assert read_event(value) is None


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    status = read_status({"doors": {"a": json.loads('{"name": "\\ud800门"}')}})
    assert status is not None
    assert status.doors[0].name == "?门"


def test_tables_and_names_are_bounded() -> None:
    doors = {f"d{n}": {"name": "n" * 500} for n in range(500)}
    devices: dict[str, Any] = {f"v{n}": {} for n in range(500)}
    status = read_status({"doors": doors, "devices": devices})
    assert status is not None
    assert len(status.doors) == MAX_DOORS
    assert len(status.devices) == MAX_DEVICES
    assert len(status.doors[0].name) == MAX_NAME


def _paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return [path]
    return [path, *(p for key in value for p in _paths(value[key], (*path, key)))]


def _bent(value: dict[str, Any], random: Random) -> dict[str, Any]:
    """Return a copy with a few entries made strange or taken away."""
    bent = copy.deepcopy(value)
    for path in random.sample(_paths(value)[1:], k=min(3, len(value))):
        place: Any = bent
        for key in path[:-1]:
            place = place.get(key) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            continue
        if random.random() < 0.3:
            place.pop(path[-1], None)
        else:
            place[path[-1]] = random.choice(STRANGE)
    return bent


@pytest.mark.parametrize("seed", range(6))
def test_whatever_comes_the_page_is_drawn(seed: int) -> None:
    random = Random(seed)
    words = Words()
    pages = Pages(words)
    for _ in range(120):
        standing = Standing()
        status = read_status(_bent(CALM, random))
        if status is not None:
            standing = reported(standing, status, 10.0)
        event = read_event(_bent(random.choice((GRANTED, DENIED)), random))
        if event is not None:
            standing = happened(standing, event)
        shown = duty(standing, words, 99.0)
        page = pages.live(shown, VOLUNTEER, token="", told="")
        assert page.encode().endswith(b"</html>")
        assert "<b>" not in page
