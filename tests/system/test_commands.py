# SPDX-License-Identifier: Apache-2.0
"""Commands end to end: platform, a real broker, gateway, simulated door and lockers.

How long each took is printed, not asserted: the machine may be busy.
"""

from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from edge.settings.site_file import load
from tests.system.house import House, living_house

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(120),
    pytest.mark.needs("mosquitto"),
]

DOOR, POINT, GATEWAY = "living-room-door", "living-room-front", "gw-demo"
TOPIC = f"mn/v1/dn/{GATEWAY}/cmd"
DONE = ["received", "accepted", "actuated"]


class Platform:
    """The hand in a house's simulated platform, and an enemy's at its broker."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def ask(self, **wish: Any) -> dict[str, Any]:
        path = self._house.stage.platform / "control.sock"
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(json.dumps(wish).encode() + b"\n")
        answer: dict[str, Any] = json.loads(await reader.readline())
        writer.close()
        await writer.wait_closed()
        assert answer.pop("ok"), answer
        return answer

    async def command(
        self, action: str, *, send: bool = True, within_s: float = 10.0, **more: Any
    ) -> dict[str, Any]:
        return await self.ask(
            do="command",
            gateway=GATEWAY,
            body={"action": action} | more,
            send=send,
            within_s=within_s,
        )

    async def states(self, jti: str) -> list[str]:
        return list((await self.ask(do="results", jti=jti))["states"])

    async def say(self, jws: str, *, retain: bool = False) -> None:
        """Say something at the broker, as who holds it could."""
        port = load(self._house.stage.folder / "site.toml").platform.port
        async with aiomqtt.Client("127.0.0.1", port) as enemy:
            await enemy.publish(TOPIC, jws, qos=1, retain=retain)


def refusals(house: House) -> list[str]:
    return [str(event["refusal"]) for event in house.events("PLATFORM_REFUSED")]


def releases(house: House) -> int:
    seen = house.firmware.happenings
    return sum(entry["what"] == "strike_released" for entry in seen)


async def until_refused(house: House, why: str) -> None:
    await house.until_true(why, lambda: why in refusals(house))


async def test_a_command_opens_once_and_nothing_old_ever_does(tmp_path: Path) -> None:
    async with living_house(tmp_path, is_on_mosquitto=True) as house:
        platform, loop = Platform(house), asyncio.get_running_loop()
        someone = house.people[POINT][0].holder
        begun_s = loop.time()
        told = await platform.command("resident_open", by=someone, door=DOOR)
        assert told["states"] == DONE, told
        at_s = await house.firmware.wait_for(
            "strike_released", after_s=begun_s, within_s=5.0, door=DOOR
        )
        assert at_s is not None
        print(f"command to strike: {(at_s - begun_s) * 1000:.0f} ms")
        await house.firmware.do("push", door=DOOR)
        await house.until_true(
            "confirmed", lambda: "COMMAND_CONFIRMED" in house.kinds()
        )
        assert (await platform.states(told["jti"]))[-1] == "confirmed"
        [entry] = house.events("MANUAL_ENTRY")
        assert entry["actor"] == "resident"
        assert someone not in json.dumps(house.events("COMMAND_RECEIVED"))

        await house.firmware.do("pull_shut", door=DOOR)
        assert await house.firmware.until_locked(DOOR, within_s=10.0)
        opened = releases(house)
        unsent = await platform.command("open", door=DOOR, send=False)
        await platform.say(told["jws"])
        await until_refused(house, "REPLAY")
        await platform.say(unsent["jws"], retain=True)
        await house.until_true("done", lambda: releases(house) == opened + 1)

        # Killed, and back: what the broker kept and what the enemy recorded is old.
        await house.restart_gateway()
        await until_refused(house, "RETAINED")
        await house.until_ready()
        await platform.say(told["jws"])
        await until_refused(house, "NONCE")
        assert releases(house) == opened + 1
        assert house.kinds().count("MANUAL_ENTRY") == 2

        gateway = house.demo.children["gateway"]
        await gateway.end()
        offline = await platform.command("resident_open", door=DOOR, within_s=0.5)
        assert offline["state"] == "offline"
        assert "show card or code" in offline["say"]
        await gateway.start()
        await house.until_ready()
        assert releases(house) == opened + 1
        await house.until_sent()
        await house.end()
        house.assert_told_exactly_once()


async def test_a_command_that_waits_for_a_process_that_stands_still_opens_nothing(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path, is_on_mosquitto=True) as house:
        platform = Platform(house)
        gateway = house.demo.children["gateway"]
        gateway.kill(signal.SIGSTOP)
        waits = await platform.command("open", door=DOOR, within_s=3.0)
        gateway.kill(signal.SIGCONT)
        await house.until_true("noticed", lambda: "STALLED" in house.kinds())

        def is_settled(seen: dict[str, Any]) -> bool:
            is_done = "MANUAL_ENTRY" in house.kinds()
            return is_done or seen["platform"]["reconnects"] == 1

        await house.until("done, or the connection left", is_settled)
        assert "COMMAND_RECEIVED" not in house.kinds(), "done late"
        assert await platform.states(waits["jti"]) == []
        await house.until_ready()
        assert (await platform.command("open", door=DOOR))["states"] == DONE
        assert house.kinds().count("MANUAL_ENTRY") == 1


async def test_every_kind_of_command_does_what_it_says(tmp_path: Path) -> None:
    async with living_house(tmp_path, is_on_mosquitto=True) as house:
        platform = Platform(house)

        async def do(action: str, **more: Any) -> dict[str, Any]:
            told = await platform.command(action, **more)
            print(f"{action}: {told['states']} in {told['ms']} ms")
            return told

        resident = house.part(POINT, "on time")
        told = await do("revoke_now", holder=resident.holder)
        assert told["states"] == DONE
        await house.visit(POINT, resident)
        await house.until_true("refused", lambda: "ACCESS_DENIED" in house.kinds())
        [denied] = house.events("ACCESS_DENIED")
        assert denied["reason"] == "CREDENTIAL_REVOKED"

        assert (await do("locker_open", bank="lockers", number=3))["states"] == DONE
        assert (await do("message", text="台风，请关窗"))["states"] == DONE
        assert house.events("COMMAND_EXECUTED")[-1]["text"] == "台风，请关窗"
        assert (await house.status())["messages"][0]["text"] == "台风，请关窗"
        assert (await do("feed_refresh"))["states"] == DONE

        now_ms = (await house.status())["clock"]["earliest_ms"]
        mode = {"door": DOOR, "mode": "BLOCKED", "until": now_ms + 3000}
        assert (await do("mode", **mode))["states"] == DONE
        assert (await do("open", door=DOOR))["reason"] == "DOOR_BLOCKED"
        await house.until(
            "its time is over", lambda s: s["doors"][DOOR]["mode"] == "LOCKED"
        )
        assert (await do("open", door=DOOR))["states"] == DONE
        assert (await do("open", door="cellar"))["reason"] == "UNKNOWN_TARGET"
        assert (await do("fire"))["reason"] == "ACTION"
