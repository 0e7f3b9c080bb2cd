# SPDX-License-Identifier: Apache-2.0
"""What a real gateway tells its panel of emergencies, and whom it tells of elders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge.core.people.community_rows import Contact, Grid
from edge.core.people.entries import Elder
from tests.edge.at_work import until
from tests.edge.panel_site import Site, TabletOf, panel_site

if TYPE_CHECKING:
    from pathlib import Path

PIN = "274916"
CLOSED = "the list is for who is on duty"


async def on_duty(site: Site, role: str = "VOLUNTEER") -> TabletOf:
    """Return a tablet at which somebody is logged in."""
    name = f"name {role.lower()}"
    added = await site.shell("account-add", name=name, role=role, pin=PIN)
    tablet = await TabletOf(site).pair()
    told = await tablet.ask("login-pin", account=added["account"], pin=PIN)
    assert told["state"] == "in"
    return tablet


def list_people(site: Site) -> None:
    """Put a grid, two contacts and two elders into the roster in force."""
    rolls = site.runtime.controller.rolls
    tables = rolls.roster.tables
    tables.grids.append(Grid(grid_id="g-1", name="东巷"))
    tables.contacts += [
        Contact(contact_id="c-1", name="all", phone="110", role="street"),
        Contact(contact_id="c-2", name="own", phone="120", role="warden", grid="g-1"),
    ]
    tables.elders += [
        Elder(holder_id="h-lin", order=1, route="stairs"),
        Elder(
            holder_id="h-wang",
            order=2,
            route="ramp",
            grid="g-1",
            label="王*",
            place="3 号 201",
            needs=("WHEELCHAIR",),
        ),
    ]
    rolls.adopt(rolls.roster, rolls.confirmed_ms)


async def test_elders_are_for_who_is_on_duty_or_while_people_are_in_danger(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        list_people(site)
        bare, stranger = await TabletOf(site).pair(), TabletOf(site)
        volunteer, fitter = await on_duty(site), await on_duty(site, "INSTALLER")

        async def seen() -> dict[str, bool]:
            asked = {"bare": bare, "volunteer": volunteer, "fitter": fitter}
            asked["stranger"] = stranger
            told = {name: await t.ask("elders") for name, t in asked.items()}
            return {name: "elders" in answer for name, answer in told.items()}

        calm = {"bare": False, "volunteer": True, "fitter": False, "stranger": False}
        assert await seen() == calm
        assert (await bare.ask("elders"))["error"] == CLOSED
        await volunteer.ask("drill", drill="typhoon", with_doors=False)
        assert await seen() == calm, "a rehearsal shows nobody to a stranger"
        await volunteer.ask("emergency", state="CHECKPOINT", reason="r")
        assert await seen() == calm, "nobody is in danger"
        assert (await bare.ask("emergency-now"))["shows_elders"] is False
        await bare.ask("emergency", state="FIRE", reason="r")
        assert await seen() == calm | {"bare": True, "fitter": True}
        elders = (await bare.ask("elders"))["elders"]
        assert [each["route"] for each in elders] == ["ramp", "stairs"], "by grid"
        assert "h-wang" not in str(elders)
        first = elders[0]
        assert (first["name"], first["place"]) == ("王*", "3 号 201")
        assert first["needs"] == ["WHEELCHAIR"]
        refused = await bare.ask("elder-mark", key=elders[0]["key"], mark="fetched")
        assert refused["error"] == "nobody is logged in at this tablet"


async def test_where_and_how_is_told_of_the_rows_of_a_page(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await on_duty(site)
        rolls = site.runtime.controller.rolls
        rolls.roster.tables.elders += [
            Elder(
                holder_id=f"h-{n}",
                order=n,
                route="路" * 64,
                label="欧阳*",
                place="巷" * 64,
                needs=("带" * 64,) * 4,
            )
            for n in range(500)
        ]
        rolls.adopt(rolls.roster, rolls.confirmed_ms)
        for asked, told in (
            ({"first": 8, "most": 8}, range(8, 16)),
            ({"most": 0}, range(0)),
            ({}, range(100)),
            ({"first": 496, "most": 1 << 40}, range(496, 500)),
            ({"first": "x", "most": True}, range(100)),
        ):
            elders = (await tablet.ask("elders", **asked))["elders"]
            assert len(elders) == 500
            assert all(each["name"] == "欧阳*" for each in elders)
            assert [n for n, one in enumerate(elders) if "place" in one] == [*told]


async def test_a_key_marks_whom_it_stands_for_and_nobody_else(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        list_people(site)
        tablet = await on_duty(site)
        await tablet.ask("emergency", state="SHELTER", reason="r")
        first = (await tablet.ask("elders"))["elders"][0]
        for odd in ("", "h-wang", None, 5):
            told = await tablet.ask("elder-mark", key=odd, mark="fetched")
            assert told["error"] == "nobody of that key is listed any more"
        assert (await tablet.ask("elder-mark", key=first["key"], mark="hugged"))[
            "error"
        ]
        told = await tablet.ask("elder-mark", key=first["key"], mark="fetched")
        assert told["ok"], told
        first = (await tablet.ask("elders"))["elders"][0]
        assert first["fetched_s"] is not None
        assert first["arrived_s"] is None
        assert (await tablet.ask("emergency-now"))["awaited"] == 1


async def test_calls_stand_with_who_made_them_and_a_standing_with_who_began_it(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        list_people(site)
        tablet = await on_duty(site)
        assert "error" in await tablet.ask("contact", contact="c-1", call="reached")
        await tablet.ask("emergency", state="SHELTER", reason="r")
        assert (await tablet.ask("contact", contact="c-1", call="no_answer"))["ok"]
        told = await (await TabletOf(site).pair()).ask("emergency-contacts")
        assert told["called"]["c-1"]["mark"] == "no_answer"
        assert told["called"]["c-1"]["who"] == "name volunteer"
        assert [c["name"] for c in told["contacts"]] == ["all"]
        [grid] = told["grids"]
        assert [c["name"] for c in grid["contacts"]] == ["own"], "each stands once"
        now = await tablet.ask("emergency-now")
        [standing] = now["standing"]
        assert (standing["by"], standing["who"]) == ("panel", "name volunteer")
        assert now["on_duty"] == ["name volunteer"]


async def test_who_was_not_seen_is_answered_by_key(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        list_people(site)
        tablet = await on_duty(site)
        care = site.runtime.controller.house.care
        care.load({"care": [["h-wang", 1, 3, 1], ["h-chen", 1, 2, 0]]})
        [waiting] = (await tablet.ask("care"))["care"]
        assert (waiting["days"], waiting["route"], waiting["tail"]) == (
            *(3, "ramp"),
            "wang",
        )
        assert (waiting["name"], waiting["place"]) == ("王*", "3 号 201")
        assert (await tablet.ask("care-mark", key=waiting["key"]))["ok"]
        assert (await tablet.ask("care"))["care"] == []
        await until(lambda: bool(site.events("CARE_ANSWERED")))
        again = await tablet.ask("care-mark", key=waiting["key"])
        assert again["error"] == "nobody of that key is listed any more"


@pytest.mark.parametrize("role", ["INSTALLER", "MANAGER"])
async def test_sheets_are_for_those_who_rehearse(tmp_path: Path, role: str) -> None:
    async with panel_site(tmp_path) as site:
        volunteer, other = await on_duty(site), await on_duty(site, role)
        assert (await volunteer.ask("drill", drill="illness", with_doors=False))["ok"]
        running: dict[str, Any] = (await other.ask("emergency-now"))["drill"]
        assert (running["drill"], running["elapsed_s"] < 5) == ("illness", True)
        assert (await volunteer.ask("drill-mark", stage="responded"))["ok"]
        assert (await volunteer.ask("drill-end", action="bell"))["ok"]
        told = await other.ask("drills")
        if role == "INSTALLER":
            assert told["error"] == "this is for somebody else to do"
            return
        [sheet] = told["drills"]
        assert (sheet["seq"], sheet["who"]) == (running["seq"], "name volunteer")
        assert [s["name"] for s in sheet["stages"] if s["after_s"] is not None] == [
            "responded"
        ]
        assert (await site.shell("status"))["last_drill_ms"] is not None
