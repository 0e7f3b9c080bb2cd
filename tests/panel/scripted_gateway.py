# SPDX-License-Identifier: Apache-2.0
"""A control socket that says what a test wrote for it, and keeps what it was told."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
from typing import TYPE_CHECKING, Any

from tests.panel.readings import MINUTE_MS, NOW_MS, READINGS

if TYPE_CHECKING:
    from pathlib import Path

CALM: dict[str, Any] = {
    "pid": 4711,
    "uptime_s": 86_400.0,
    "lost": "",
    "fire": False,
    "site": {"name": "城市客厅 · 康乐", "utc_offset_hours": 8},
    "doors": {
        "kitchen-door": {"mode": "LOCKED", "phase": "SECURE", "name": "厨房门"},
        "living-room-door": {"mode": "LOCKED", "phase": "SECURE", "name": "客厅门"},
    },
    "devices": {
        "kitchen-reader": {
            "online": True,
            "name": "厨房门读卡器",
            "since_ms": NOW_MS - 900 * MINUTE_MS,
        },
        "board": {
            "online": True,
            "name": "门锁控制板",
            "driver": "modbus_relay_board",
            "since_ms": NOW_MS - 900 * MINUTE_MS,
        },
    },
    "access_points": {
        "kitchen-front": {"door": "kitchen-door"},
        "living-room-front": {"door": "living-room-door"},
    },
    "spaces": {"kitchen": "共享厨房", "living-room": "城市客厅"},
    "events": {"waiting": 0, "last_seq": 41, "storage_fault": False},
    "platform": {"connected": True, "last_ack_age_s": 2.0},
    "roster": {"epoch": "r1", "revision": 9, "confirmed_ms": NOW_MS - MINUTE_MS},
    "clock": {"earliest_ms": NOW_MS, "latest_ms": NOW_MS + 40, "known": True},
}

GRANTED: dict[str, Any] = {
    "seq": 42,
    "k": "ACCESS_GRANTED",
    "at": "kitchen-front",
    "lo": NOW_MS,
    "end": NOW_MS + 88 * MINUTE_MS,
    "rule": "booking",
}
DENIED: dict[str, Any] = {
    "seq": 43,
    "k": "ACCESS_DENIED",
    "at": "living-room-front",
    "lo": NOW_MS,
    "reason": "TOO_EARLY",
    "next_step": "COME_AT",
    "from_ms": NOW_MS + 78 * MINUTE_MS,
}


#: The secret of the one tablet that is paired, and of each turn there.
TABLET = "paired"
TURNS: dict[str, dict[str, Any]] = {
    "volunteer": {"role": "VOLUNTEER", "name": "陈姨", "has_shift": True},
    "manager": {"role": "MANAGER", "name": "李站长"},
    "installer": {"role": "INSTALLER", "name": "小王"},
}
PEOPLE: list[dict[str, Any]] = [
    {
        "id": "acc-1",
        "name": "陈姨",
        "role": "VOLUNTEER",
        "has_pin": True,
        "has_card": True,
        "is_retired": False,
        "is_on_duty": True,
    },
    {
        "id": "acc-2",
        "name": "李站长",
        "role": "MANAGER",
        "has_pin": True,
        "has_card": False,
        "is_retired": False,
        "is_on_duty": False,
    },
]


class ScriptedGateway:
    """Serves what a panel asks until closed; can be opened again.

    ``orders`` keeps what changes something; what it says to that is ``answers``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.status = copy.deepcopy(CALM)
        self.orders: list[dict[str, Any]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        #: What is only read, and what it says to that.
        self.readings: dict[str, dict[str, Any]] = copy.deepcopy(READINGS)
        self.turns = copy.deepcopy(TURNS)
        self.does_refuse = False
        self.is_mute = False
        self._server: asyncio.Server | None = None
        self._watchers: set[asyncio.StreamWriter] = set()
        self._callers: set[asyncio.StreamWriter] = set()
        self._news = asyncio.Event()

    async def open(self) -> None:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._callers):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def watched(self) -> None:
        """Wait until the panel watches."""
        async with asyncio.timeout(10):
            while not self._watchers:
                self._news.clear()
                await self._news.wait()

    def tell(self, event: dict[str, Any]) -> None:
        self.say(json.dumps({"event": event}).encode())

    def show(self) -> None:
        """Send the status as it stands now."""
        self.say(json.dumps({"status": self.status}).encode())

    def say(self, line: bytes) -> None:
        for writer in self._watchers:
            writer.write(line + b"\n")

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._callers.add(writer)
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                if not self.is_mute:
                    answer = self._answer(json.loads(line), writer)
                    writer.write(json.dumps(answer).encode() + b"\n")
                    await writer.drain()
        self._callers.discard(writer)
        self._watchers.discard(writer)
        writer.close()

    def _answer(
        self, request: dict[str, Any], writer: asyncio.StreamWriter
    ) -> dict[str, Any]:
        if request["verb"] != "watch":
            return self.answer(request)
        self._watchers.add(writer)
        self._news.set()
        return {"ok": True}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Say what was written for a request, as over the socket."""
        match request["verb"]:
            case "status":
                return {"ok": True, **self.status}
            case "session":
                return {"ok": True, "has_manager": True, **self._who(request)}
            case "tiles":
                return {"ok": True, "tiles": PEOPLE}
            case "accounts":
                return {"ok": True, "accounts": PEOPLE}
            case "tablets":
                here = {"id": "tablet-1", "name": "前台平板", "is_this": True}
                code = {"code": "AB3D57XK2M", "shown": "AB3D5-7XK2M", "minutes": 10}
                return {"ok": True, "tablets": [here], **code}
            case "today" | "records" | "export-rows" | "box" | "letin" as verb:
                return {"ok": True, **self.answers.get(verb, {})}
            case "login-card" if request.get("is_look"):
                return {"ok": True, "state": "waiting"}
            case verb if verb in self.readings:
                return {"ok": True, **self.answers.get(verb, self.readings[verb])}
            case verb:
                self.orders.append(request)
                if self.does_refuse:
                    return {"ok": False, "error": "the door is BLOCKED"}
                return {"ok": True, **self.answers.get(verb, {})}

    def _who(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["tablet"] != TABLET:
            return {"is_paired": False}
        known: dict[str, Any] = {
            "is_paired": True,
            "has_reader": True,
            "tablet_name": "前台平板",
        }
        return known | self.turns.get(request["session"], {})
