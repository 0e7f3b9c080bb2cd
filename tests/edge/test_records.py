# SPDX-License-Identifier: Apache-2.0
"""Looking back at a real gateway: who may, how far, and what is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.cli.panel.record_rows import Wanted
from edge.cli.panel.records import MAX_EXPORTS, MAX_ROWS
from edge.core.event import EventKind
from edge.core.stimulus import Noted
from tests.edge.panel_site import Site, TabletOf, panel_site

if TYPE_CHECKING:
    from pathlib import Path

PIN, OTHER = "274916", "613950"


async def logged_in(site: Site, role: str, name: str, pin: str) -> TabletOf:
    tablet = await TabletOf(site).pair()
    added = await site.shell("account-add", name=name, role=role, pin=pin)
    answer = await tablet.ask("login-pin", account=added["account"], pin=pin)
    assert answer["state"] == "in"
    return tablet


async def note(site: Site, count: int) -> None:
    """Let so many things happen at the door that nobody did."""
    for _ in range(count):
        kind = EventKind.DOOR_FORCED_OPEN
        site.runtime.gateway.note(Noted(kind=kind, subject="front", facts=()))
    await site.until_told("DOOR_FORCED_OPEN", count)


async def test_a_volunteer_sees_today_alone_and_exports_nothing(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        volunteer = await logged_in(site, "VOLUNTEER", "陈姨", PIN)
        nobody = await TabletOf(site).pair()
        assert (await volunteer.ask("records"))["rows"]
        yesterday = await volunteer.ask("records", first="2020-01-01")
        assert yesterday["error"] == "first: a volunteer sees today alone"
        assert "by_hour" not in (await volunteer.ask("today"))["week"][0]
        for verb, fields in (("export", {"form": "csv"}), ("box", {})):
            refused = await volunteer.ask(verb, **fields)
            assert refused["error"] == "this is for somebody else to do", verb
        for verb in ("today", "records", "export", "beep", "test-again", "box"):
            answer = await nobody.ask(verb)
            assert answer["error"] == "nobody is logged in at this tablet", verb
        assert not [e for e in site.events("SETTINGS_CHANGED") if "detail" in e]


async def test_pages_go_on_from_a_row_while_events_come(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        manager = await logged_in(site, "MANAGER", "李站长", PIN)
        await note(site, 12)
        asked: dict[str, Any] = {"group": "door", "limit": 5}
        first = await manager.ask("records", **asked)
        await note(site, 3)
        second = await manager.ask("records", **asked, before=first["before"])
        third = await manager.ask("records", **asked, before=second["before"])
        pages = [[row["place"] for row in p["rows"]] for p in (first, second, third)]
        assert [len(page) for page in pages] == [5, 5, 2]
        places = [place for page in pages for place in page]
        assert places == sorted(set(places), reverse=True)
        assert third["before"] == 0, "there is no page after the last"
        assert all("actor" not in row for row in first["rows"])


async def test_what_makes_no_sense_is_refused_by_name(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        manager = await logged_in(site, "MANAGER", "李站长", PIN)
        flaws: dict[str, dict[str, Any]] = {
            "first": {"first": "tomorrow"},
            "last": {"first": "2026-11-22", "last": "2026-11-21"},
            "group": {"group": "everything"},
            "find": {"find": "b-00000000001"},
            "reasons": {"reasons": [1]},
            "before": {"before": "x"},
        }
        for name, fields in flaws.items():
            answer = await manager.ask("records", **fields)
            assert answer["error"].startswith(f"{name}:"), (name, answer)
        long = await manager.ask(
            "export", form="csv", first="2020-01-01", last="2026-11-22"
        )
        assert long["error"].startswith("last: at most")
        assert (await manager.ask("export", form="pdf"))["error"].startswith("form:")
        assert (await manager.ask("export-rows", export="x"))["ok"] is False


async def test_an_export_is_written_down_and_belongs_to_one_turn(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        manager = await logged_in(site, "MANAGER", "李站长", PIN)
        other = await logged_in(site, "MANAGER", "何站长", OTHER)
        await note(site, MAX_ROWS + 30)
        ordered = await manager.ask("export", form="csv")
        assert (await other.ask("export-rows", export=ordered["export"]))["ok"] is False
        rows: list[dict[str, Any]] = []
        after = 0
        while True:
            piece = await manager.ask(
                "export-rows", export=ordered["export"], after=after
            )
            rows += piece["rows"]
            after = piece["next"]
            if not after:
                break
        forced = [row for row in rows if row["k"] == "DOOR_FORCED_OPEN"]
        assert len(forced) == MAX_ROWS + 30
        assert [row["place"] for row in rows] == sorted({r["place"] for r in rows})
        login = next(row for row in rows if row["k"] == "LOGIN")
        assert login["by"] == "李*"
        event = await site.until_told("SETTINGS_CHANGED", 5)
        assert (event["what"], event["detail"][:4]) == ("records_exported", "csv ")
        for _ in range(MAX_EXPORTS):
            await manager.ask("export", form="xlsx")
        gone = await manager.ask("export-rows", export=ordered["export"])
        assert gone["error"] == "export: none is waiting, order it again"


async def test_only_a_device_that_answers_and_can_is_told_to_beep(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        volunteer = await logged_in(site, "VOLUNTEER", "陈姨", PIN)
        answer = await volunteer.ask("beep", device="scanner")
        assert answer["state"] == "mute"
        answer = await volunteer.ask("beep", device="none")
        assert answer["error"].startswith("device: there is no such")
        assert (await volunteer.ask("test-again"))["state"] == "done"
        assert (await volunteer.ask("test-again"))["state"] == "running"
        event = await site.until_told("SELF_TEST")
        assert (event["asked"], event["actor"][:4]) == ("panel", "acc-")
        installer = await logged_in(site, "INSTALLER", "小王", OTHER)
        box = await installer.ask("box")
        assert box["wires"]["board"] == "modbus_relay_board ports/board 1"
        assert box["disk_free_mb"] > 0
        assert (await installer.ask("records"))["ok"] is False


def test_a_sealed_bag_is_found_by_its_number_in_whatever_letters() -> None:
    row = {"k": "RENTAL_ENDED", "number": 3, "bag": "B0000017", "tail": "0031"}
    for find in ("b0000017", "B0000017", "3", "0031"):
        assert Wanted.read({"find": find}).has(row), find
    assert not Wanted.read({"find": "b17"}).has(row)
    assert not Wanted.read({"find": "b17"}).has({"tail": ""})
