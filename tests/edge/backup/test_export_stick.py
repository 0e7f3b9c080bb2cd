# SPDX-License-Identifier: Apache-2.0
"""An export that goes to a stick: in pieces, by the one who ordered it, told."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.edge.at_work import until
from tests.edge.backup.test_keeper import backups_of, keepers, kept_site
from tests.edge.backup.test_stick import stick
from tests.edge.panel_site import TabletOf

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge.panel_site import Site

__all__ = ["stick"]

CONTENT = "时间,门\n".encode()


async def write(tablet: TabletOf, export: str) -> dict[str, Any]:
    begun = await tablet.ask("export-stick-begin", export=export, bytes=1_000_000)
    if begun.get("state") != "begun":
        return begun
    known = {"export": export, "ticket": begun["ticket"]}
    halfway = await tablet.ask("export-stick-write", **known)
    assert halfway["state"] == "piece", "half a file is written to no stick"
    piece = base64.b64encode(CONTENT).decode()
    sent = {**known, "offset": 0, "piece": piece, "is_last": True}
    assert (await tablet.ask("export-stick-piece", **sent))["state"] == "taken"
    return await tablet.ask("export-stick-write", **known)


async def test_an_export_goes_to_the_stick_and_that_is_an_event(
    stick: Path,
    tmp_path: Path,
) -> None:
    async with kept_site(tmp_path) as site:
        backups_of(site)._sticks = [str(stick)]
        tablet, _ = await keepers(site)
        for odd in ("guess", "", None):
            assert not (await write(tablet, odd))["ok"], odd  # type: ignore[arg-type]
        order = await tablet.ask("export", form="csv")
        done = await write(tablet, order["export"])
        assert done["state"] == "done"
        name = f"menshen-{order['days'][0]}-{order['days'][1]}.csv"
        assert (stick / name).read_bytes() == CONTENT
        await until(lambda: bool(on_stick(site)))
        assert [event["which"] for event in on_stick(site)] == [name]
        stranger = await TabletOf(site).pair()
        assert not (await write(stranger, order["export"]))["ok"]
        backups_of(site)._sticks = []
        assert (await write(tablet, order["export"]))["state"] == "none"
        assert list((site.state / "incoming").iterdir()) == []


def on_stick(site: Site) -> list[dict[str, Any]]:
    found = site.events("SETTINGS_CHANGED")
    return [event for event in found if event["what"] == "records_on_stick"]
