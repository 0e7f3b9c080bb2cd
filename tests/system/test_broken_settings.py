# SPDX-License-Identifier: Apache-2.0
"""A settings file that has become wrong shuts no door, and says where to mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.house import living_house

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

HALL = "living-room-front"


async def test_doors_go_on_as_last_set_and_the_mistake_is_named(tmp_path: Path) -> None:
    async with living_house(tmp_path) as house:
        assert (await house.status())["settings_faults"] == []
        file = house.stage.folder / "site.toml"
        good = file.read_text("utf-8")
        file.write_text(good.replace("[site]", "[site]\ncolour = 1", 1), "utf-8")
        await house.restart_gateway()
        await house.until_ready()
        (fault,) = (await house.status())["settings_faults"]
        line = good[: good.index("[site]")].count("\n") + 2
        assert f"site.toml:{line}" in fault
        assert "colour" in fault
        visit = await house.visit(HALL, house.part(HALL, "on time"))
        assert visit.released_s is not None
        file.write_text(good, "utf-8")
        await house.restart_gateway()
        await house.until_ready()
        assert (await house.status())["settings_faults"] == []
