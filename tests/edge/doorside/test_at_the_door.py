# SPDX-License-Identifier: Apache-2.0
"""A whole gateway and simulated devices: what readers and lamps really got."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.demo.journal_file import read_journal
from edge.cli.status import status
from edge.core.doors.door import DoorMode
from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import BookingRow, HolderRow
from firmware_sim.osdp.cards import CardFormat, encoded
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import Site
from firmware_sim.world import World
from tests.edge.at_work import PLATFORM_KEYS, SITE_KEYS, at_work, until
from tests.edge.doorside.hall import LAMPS, SITE, SPEAKER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.cli.runtime import Runtime

KEY = "9F3C51D2A8E47706BB10C96E5D24F83A"
READER = f"""
[[device]]
id = "reader"
driver = "osdp"
port = "ports/osdp"
address = 5
options = {{ scbk = "{KEY}", poll_ms = 20 }}
"""
CLOCK = """
[clock]
system_error_s = 1.0
"""
TEXT = CLOCK + SITE.replace('readers = ["scanner"]', 'readers = ["reader", "scanner"]')
WORLD: dict[str, Any] = {
    "ports": {
        "scanner": {"kind": "qr_scanner"},
        "board": {
            "kind": "relay_bus",
            "boards": {"board": {"address": 1, "closed_inputs": [1]}},
        },
        "osdp": {
            "kind": "osdp_bus",
            "readers": {"reader": {"address": 5, "base_key": KEY, "lamp_level": 4}},
        },
    },
    "doors": {"front": {"board": "board", "relay": 1, "contact": 1, "lock": "strike"}},
}
#: Three lamps by their outputs.
LIT = {5: "green", 6: "red", 7: "white"}
#: A lamp where nobody has booked the place: white, with a glimmer of green.
FREE = "green/white 0.2/1.8 s"
PLAYER = '#!/bin/sh\ncat > /dev/null\necho "$*" >> {log}\n'


class Hall:
    """The door, its gateway, and a hand before it."""

    def __init__(self, runtime: Runtime, host: PtyHost, folder: Path) -> None:
        self.runtime = runtime
        self._host = host
        self._folder = folder

    def swipe(self, number: int) -> None:
        card = partial(self._host.hand.swipe, "reader", CardFormat.WIEGAND_34, number)
        self._host.act(card)

    def panel(self, *, is_fire: bool) -> None:
        loop = partial(self._host.hand.set_input, "board", 8, is_closed=is_fire)
        self._host.act(loop)

    @property
    def lamp(self) -> str:
        reader = self._host.world.snapshot().osdp_readers["reader"]
        return reader.lamps[0]

    @property
    def screen(self) -> str:
        return self._host.world.snapshot().osdp_readers["reader"].text

    @property
    def lit(self) -> set[str]:
        relays = self._host.world.snapshot().boards["board"].contacts
        return {colour for n, colour in LIT.items() if relays[n - 1]}

    @property
    def sign(self) -> dict[str, str]:
        shown: dict[str, str] = status(self.runtime)["signs"]["front"]
        return shown

    @property
    def played(self) -> int:
        log = self._folder / "played"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def know(self, number: int, language: str, *, is_slow: bool = False) -> None:
        """Let somebody be known by the card that he will hold out."""
        bits, told = encoded(CardFormat.WIEGAND_34, number)
        card = self.runtime.bindings._tokens.tag("WIEGAND", bits, told)
        now_ms = self.runtime.clock.now().earliest_ms
        rows = (
            HolderRow(
                holder_id="h-li",
                roles=("RESIDENT",),
                language=language,
                is_enabled=True,
                needs_extended_time=is_slow,
                credentials=((card.kind, card.token),),
            ),
            BookingRow(
                booking_id="b-1",
                holder_id="h-li",
                space_id="hall",
                from_ms=now_ms - 3_600_000,
                to_ms=now_ms + 3_600_000,
                party=1,
                is_confirmed=True,
            ),
        )
        self.adopt(rows)

    def adopt(self, rows: tuple[HolderRow | BookingRow, ...]) -> None:
        """Let the platform's list be these rows."""
        builder = RosterBuilder()
        builder.add(rows)
        roster = builder.build(Cursor("0001-00000000", len(rows)))
        self.runtime.gateway.do(lambda rules, now: rules.adopt(roster, now))


@asynccontextmanager
async def hall(folder: Path, text: str = TEXT + READER + LAMPS) -> AsyncIterator[Hall]:
    state = folder / "state"
    (state / "keys").mkdir(parents=True)
    for name, keys in (("site", SITE_KEYS), ("platform", PLATFORM_KEYS)):
        path = state / "keys" / f"{name}.json"
        path.write_text(json.dumps(keys), "utf-8")
        path.chmod(0o600)
    (folder / "site.toml").write_text(text, "utf-8")
    world = World(Site.from_mapping(WORLD))
    async with PtyHost(world, state / "ports") as host, at_work(state) as runtime:
        site = Hall(runtime, host, folder)
        await until(lambda: len(runtime.bindings.online) == 3)
        yield site


def _player(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a player in the way that only counts what it is to play."""
    player = folder / "tools" / "aplay"
    player.parent.mkdir()
    player.write_text(PLAYER.format(log=folder / "played"), "ascii")
    player.chmod(0o755)
    monkeypatch.setenv("PATH", f"{player.parent}{os.pathsep}{os.environ['PATH']}")
    return player


async def test_what_stands_a_verdict_and_a_fire_reach_reader_and_lamps(
    tmp_path: Path,
) -> None:
    async with hall(tmp_path) as site:
        await until(lambda: site.lamp == "white" and site.lit == {"white"})
        await until(lambda: site.screen == "CARD OR CODE")
        assert site.sign["text"] == "请刷身份证或二维码"
        site.swipe(700_001)
        await until(lambda: site.lamp == "red" and site.lit == {"red"})
        await until(lambda: site.screen == "NO BOOKING, RING")
        first = site.sign
        assert (first["word"], first["language"]) == ("no_booking", "zh-CN")
        await asyncio.sleep(0.3)
        site.swipe(700_001)
        await until(lambda: site.sign["language"] == "yue")
        site.panel(is_fire=True)
        await until(lambda: site.lamp == "green" and site.lit == {"green"})
        await until(lambda: site.screen == "EXIT HERE")
        assert site.sign["word"] == "evacuate"


async def test_a_grant_speaks_the_holders_language_and_gives_time(
    tmp_path: Path,
) -> None:
    async with hall(tmp_path) as site:
        await until(lambda: site.lamp == "white")
        site.adopt(())
        await until(lambda: site.lamp == FREE and site.screen == "CARD OR CODE")
        site.know(700_002, "en", is_slow=True)
        await until(lambda: site.lamp == "blue")
        assert site.sign["text"] == "请刷身份证或二维码"
        site.swipe(700_002)
        await until(lambda: site.sign["word"] == "granted_slow")
        assert site.sign["text"].startswith("Come in, the door stays open 12 seconds")
        await until(lambda: site.screen == "TAKE YOUR TIME")
        assert site.lamp == "green/black 1.5/0.5 s"
        await until(lambda: site.lit == {"green"})


async def test_a_lockdown_stands_until_it_is_lifted(tmp_path: Path) -> None:
    async with hall(tmp_path) as site:
        await until(lambda: site.lamp == "white")
        mode = {"door": "front", "actor": "shell", "reason": "test"}
        order = site.runtime._order
        order("mode", {**mode, "mode": "LOCKED_DOWN"})
        await until(lambda: site.lamp.startswith("red/black") and site.lit == {"red"})
        await until(lambda: site.screen == "ENTRY PAUSED")
        order("mode", {**mode, "mode": "LOCKED"})
        await until(lambda: site.lamp == "white" and site.lit == {"white"})


@pytest.mark.parametrize("with_doors", [False, True])
async def test_a_drill_is_called_one_on_screen_lamp_and_aloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, with_doors: bool
) -> None:
    _player(tmp_path, monkeypatch)
    async with hall(tmp_path, TEXT + READER + LAMPS + SPEAKER) as site:
        order = site.runtime._order
        fire = {"actor": "shell", "drill": "fire", "with_doors": with_doors}
        order("drill", fire)
        await until(lambda: site.lamp == "green" and site.lit == {"green"})
        await until(lambda: site.screen == "DRILL: EXIT HERE")
        assert site.sign["text"] == "演练：请从这里出去"
        await until(lambda: site.played >= 1)
        mode = site.runtime.controller.doors.mode("front")
        assert (mode is DoorMode.LOCKED_OPEN) is with_doors
        site.swipe(700_001)
        await until(lambda: site.sign["word"] in ("no_booking", "granted"))
        site.panel(is_fire=True)
        await until(lambda: site.sign["word"] == "evacuate")
        await until(lambda: site.screen == "EXIT HERE")
        site.panel(is_fire=False)
        await until(lambda: site.runtime.controller.emergency.bars_fire_end == "")
        ends = {"state": "FIRE", "actor": "shell", "reason": "test"}
        order("end-emergency", ends)
        await until(lambda: site.lamp == "white")


async def test_another_drill_says_so_and_lets_everybody_come_and_go(
    tmp_path: Path,
) -> None:
    async with hall(tmp_path) as site:
        order = site.runtime._order
        order("drill", {"actor": "shell", "drill": "flood", "with_doors": False})
        await until(lambda: site.lamp == "white" and site.screen == "DRILL")
        assert site.sign["text"] == "演练中，照常进出"
        order("drill-end", {"actor": "shell"})
        await until(lambda: site.lamp == "white" and site.screen == "CARD OR CODE")


async def test_the_way_out_is_called_on_and_on_and_a_mute_box_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = _player(tmp_path, monkeypatch)
    async with hall(tmp_path, TEXT + READER + SPEAKER) as site:
        site.panel(is_fire=True)
        await until(lambda: site.played >= 3)
        player.unlink()
        monkeypatch.setenv("PATH", str(player.parent))
        state = tmp_path / "state" / "journal.db"

        def faults() -> list[dict[str, Any]]:
            found = [event.core for event in read_journal(state)]
            return [core for core in found if "aplay cannot be started" in str(core)]

        await until(lambda: bool(faults()))
        await asyncio.sleep(0.5)
    assert len(faults()) == 1
