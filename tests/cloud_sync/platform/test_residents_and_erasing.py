# SPDX-License-Identifier: Apache-2.0
"""Residents let in by their bookings, and people who are erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.platform import confirmations, feeds
from cloud_sync.platform.commanding import (
    erasing,
    residents,
    wishes,
)
from cloud_sync.platform.commanding.residents import ResidentError
from cloud_sync.platform.commanding.wishes import Wanted
from cloud_sync.platform.shift import ERASED
from edge.core.chain import canonical
from edge.core.event import EventKind
from edge.core.remote.command import Action
from tests.cloud_sync.platform.office import DOOR, Office
from tests.cloud_sync.scripted_platform import GATEWAY

if TYPE_CHECKING:
    from tests.cloud_sync.platform.desk import Desk


BOOKED: dict[str, Any] = {
    "holder": "h-1",
    "space": "kitchen",
    "state": "CONFIRMED",
    "party": 1,
}
ENABLED: dict[str, Any] = {"enabled": 1, "credentials": ["CARD:" + "ab" * 16]}


async def put_rows(office: Office, **bodies: dict[str, Any]) -> None:
    """Let the feed have these rows: ``kind__id=body``."""
    put = {
        (kind, name): canonical(body)
        for (kind, _, name), body in (
            (told.partition("__"), body) for told, body in bodies.items()
        )
    }
    async with office.database.writing() as work:
        await feeds.change(work, GATEWAY, feeds.Change(put=put), office.now_ms)


async def residents_wish(office: Office, holder: str = "h-1") -> int:
    wanted = Wanted(
        gateway=GATEWAY,
        action=Action.RESIDENT_OPEN,
        by=holder,
        reason="code at the door",
        fields={"door": DOOR},
    )
    async with office.database.writing() as work:
        return await wishes.make_for_resident(work, wanted, office.now_ms)


async def test_a_resident_with_a_booking_for_this_room_now_is_let_in(
    office: Office,
) -> None:
    await office.greet()
    now_ms = office.now_ms
    hour = {"from": now_ms + 9 * 60_000, "to": now_ms + 3_600_000}
    await put_rows(office, holder__h_1={}, booking__b1=BOOKED | hour)
    await put_rows(office, **{"holder__h-1": ENABLED})
    with pytest.raises(ResidentError, match="nobody has said of which room"):
        await residents_wish(office)
    async with office.database.writing() as work:
        await residents.set_door(work, GATEWAY, DOOR, "kitchen", (10, 5))
    number = await residents_wish(office)
    assert await office.send() == 1
    assert await office.state(number) == "actuated"
    [event] = office.far.events(EventKind.COMMAND_RECEIVED)
    assert (event.person.holder, event.person.booking) == ("h-1", "b1")
    with pytest.raises(ResidentError, match="too often"):
        await residents_wish(office)
    for changed, why in (
        ({"space": "lounge"}, "no booking for this room now"),
        ({"from": now_ms + 12 * 60_000}, "no booking for this room now"),
        ({"to": now_ms - 6 * 60_000, "from": 1}, "no booking for this room now"),
        ({"state": "CANCELLED"}, "no booking for this room now"),
        ({"holder": "H-1"}, "no booking for this room now"),
        ({"due": 500}, "not paid yet"),
    ):
        await put_rows(office, booking__b1=BOOKED | hour | changed)
        with pytest.raises(ResidentError, match=why):
            await residents_wish(office)
    await put_rows(office, booking__b1=BOOKED | hour)
    await put_rows(office, revocation__r1={"holder": "h-1", "reason": "LEFT"})
    with pytest.raises(ResidentError, match="revoked"):
        await residents_wish(office)
    await put_rows(office, **{"holder__h-1": ENABLED | {"enabled": 0}})
    with pytest.raises(ResidentError, match="nobody of that name"):
        await residents_wish(office)


async def test_a_person_is_erased_here_and_there_and_counts_go_on(
    office: Office, desk: Desk
) -> None:
    await office.greet()
    his = "holder-wang"
    office.far.stage.scan("wang")
    office.far.stage.walk_through(DOOR)
    office.wait(4 * 3600.0)
    office.far._write()
    office.far.tick(1.0)
    await office.carry()
    await put_rows(
        office,
        **{
            "holder__holder-wang": ENABLED,
            "holder__holder-wang2": ENABLED,
            "booking__b1": BOOKED | {"holder": his},
            "booking__b2": BOOKED | {"holder": "holder-wang2"},
            "revocation__r1": {"token": "ab" * 16, "reason": "LOST"},
        },
    )
    visits = "SELECT count(*) FROM event WHERE kind = 'VISIT_CLOSED'"
    before = await desk.table(visits)
    confirmed = (GATEWAY, "0001-00c0ffee:1", 1, his, "boot-1", 5, 60, 60, "li", "", 1)
    async with office.database.writing() as work:
        await work.execute(
            "INSERT INTO duty_confirmation VALUES"
            " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            *confirmed,
        )
        gone = await erasing.erase(work, GATEWAY, his, office.now_ms)
        assert await confirmations.feed_rows(work, GATEWAY, 1) == {}
    assert gone.events > 2
    assert await desk.table("SELECT holder, minutes FROM duty_confirmation") == [
        (ERASED, 60)
    ]
    left = await desk.table("SELECT kind, id FROM feed_row ORDER BY id")
    assert left == [("booking", "b2"), ("holder", "holder-wang2")]
    assert await desk.table(visits) == before
    number = await office.wish(Action.ERASE, holder=his, reason="asked for it")
    await office.send()
    office.far.tick(1.0)
    await office.carry()
    assert await office.state(number) == "actuated"
    for table, column in (("event", "pii"), ("wish", "fields"), ("wish", "signed")):
        rows = await desk.table(f"SELECT {column} FROM {table}")  # noqa: S608
        assert his not in str(rows)
    heads = await desk.table("SELECT hash FROM event ORDER BY seq")
    held = [record.hash for record in office.far.journal]
    assert [bytes(head) for (head,) in heads] == held[: len(heads)]
    assert await desk.alarms() == []
