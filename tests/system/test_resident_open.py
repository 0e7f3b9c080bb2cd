# SPDX-License-Identifier: Apache-2.0
"""A resident, a telephone and a door: from the code on the screen to the strike.

``pytest -s tests/system/test_resident_open.py`` prints how long each took; what is
promised is asserted: under a second to the strike, two to be told to show a card.
"""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest

from cloud_sync.platform.commanding.letting_in import WITHIN_S
from edge.cli.system_clock import wall_ms
from edge.control.client import ask
from tests.brokers import free_port
from tests.system.platform_house import (
    DOOR,
    GATEWAY,
    POINT,
    SITE,
    Office,
    governed_house,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.house import House

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(300),
    pytest.mark.needs("mosquitto"),
]
#: The resident's wish to the strike; and his limit at a door.
STRIKE_WITHIN_MS, EVERY_S = 1_000, 10.0
ROUNDS = 2
#: Beyond the two seconds: TLS, a loaded machine.
SLACK_S = 1.0


async def screen(house: House) -> str:
    """Return where the code on the door's screen leads, as the box says it."""
    await house.until_true("in reach", lambda: _shown(house)["state"] == "shown")
    return str((await asyncio.to_thread(_shown, house))["url"])


def _shown(house: House) -> dict[str, str]:
    return ask(house.stage.folder / "control.sock", "door-code", door=DOOR)


async def box_key(house: House) -> tuple[str, str]:
    """Return what somebody reads at the box: its key and its fingerprint."""
    told = await asyncio.to_thread(ask, house.stage.folder / "control.sock", "status")
    return told["box"]["public"], told["box"]["fingerprint"]


def made_ms(office: Office) -> int:
    with sqlite3.connect(office.folder / "platform.db") as reader:
        [(made,)] = reader.execute("SELECT max(made_ms) FROM wish")
    return int(made)


async def test_a_scanned_code_opens_within_a_second_and_a_dead_line_says_show_a_card(
    tmp_path: Path,
) -> None:
    async with governed_house(tmp_path, web_port=free_port()) as office:
        house, loop = office.house, asyncio.get_running_loop()
        where = ("--gateway", GATEWAY)
        key, fingerprint = await box_key(house)
        await office.good("box", "trust", GATEWAY, fingerprint, "--key", key)
        await office.good(
            *("door", DOOR, "living-room", "--site", SITE, "--screen-only"), *where
        )
        resident = house.part(POINT, "on time")
        shown = (await office.good("pass", resident.holder, *where)).strip()
        context = ssl.create_default_context(cafile=office.folder / "ca.pem")
        async with httpx.AsyncClient(verify=context, trust_env=False) as phone:

            async def press(url: str) -> httpx.Response:
                return await phone.post(url, data={"pass": shown}, timeout=10)

            poster = await press(f"{office.door_url}/{SITE}/{DOOR}")
            assert (poster.status_code, "门边屏幕" in poster.text) == (403, True)
            slowest = 0.0
            for _ in range(ROUNDS):
                page = await phone.get(url := await screen(house))
                assert "开这扇门" in page.text
                begun_s = loop.time()
                answer = await press(url)
                answered_ms = (loop.time() - begun_s) * 1000
                assert answer.status_code == 200, answer.text
                assert "门开了" in answer.text
                at_s = await house.firmware.wait_for(
                    "strike_released", after_s=begun_s, within_s=5.0, door=DOOR
                )
                assert at_s is not None
                struck_ms = at_s * 1000 + wall_ms() - loop.time() * 1000
                took_ms = struck_ms - made_ms(office)
                print(
                    f"resident_open: wish to strike {took_ms:.0f} ms, press to "
                    f"strike {(at_s - begun_s) * 1000:.0f} ms, press to the "
                    f"telephone's answer {answered_ms:.0f} ms"
                )
                slowest = max(slowest, took_ms)
                again = await press(url)
                assert (again.status_code, "请等十秒" in again.text) == (429, True)
                await house.firmware.until_locked(DOOR, within_s=15.0)
                await asyncio.sleep(max(0.0, begun_s + EVERY_S + 0.5 - loop.time()))
            print(f"wish to strike, the slowest of {ROUNDS}: {slowest:.0f} ms")
            assert slowest < STRIKE_WITHIN_MS

            # The process stands there and its lease holds, but nothing gets through.
            url = await screen(house)
            opened = house.kinds().count("MANUAL_ENTRY")
            await house.demo.children["gateway"].end()
            begun_s = loop.time()
            answer = await press(url)
            took_s = loop.time() - begun_s
            print(f"a dead line: told to show a card after {took_s * 1000:.0f} ms")
            assert answer.status_code == 503
            assert "请在门口出示卡片或二维码" in answer.text
            assert took_s < WITHIN_S + SLACK_S
            await asyncio.sleep(2.5)
            await house.demo.children["gateway"].start()
            await house.until_ready()
            assert house.kinds().count("MANUAL_ENTRY") == opened
