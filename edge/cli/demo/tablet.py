# SPDX-License-Identifier: Apache-2.0
"""A newcomer at the demonstration's panel: a tablet to pair, and somebody's card.

The law of the module: the demonstration's accounts are made for each run, with PINs
that nobody knows before, and told on its own screen; the panel itself knows no short
cut. Whoever presses 我来值班 has a volunteer beside him, who holds out her card.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING, Any

from edge.accounts.pins import PIN_DIGITS, flaw_of
from edge.cli.demo.firmware import FirmwareError
from edge.cli.demo.residents import visit
from edge.control.client import ControlError, ask

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.demo.cast import Resident
    from edge.cli.demo.firmware import Firmware
    from edge.cli.demo.residents import Porch

POLL_S = 0.15
#: How often it is looked whether the code was used or has run out.
LOOK_EVERY_S = 1.0
#: A pocket is not that deep: time to read the page and to see what it is about.
FIND_S = 1.5
VOLUNTEER, MANAGER = "陈姨", "李站长"


def new_pin() -> str:
    """Return a PIN that nobody guesses first."""
    while True:
        pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"
        if not flaw_of(pin):
            return pin


class Tablet:
    """What the screen tells a newcomer, and the volunteer at the desk."""

    def __init__(self, socket: Path, panel_url: str) -> None:
        self._socket = socket
        self._panel_url = panel_url
        self._pins: dict[str, str] = {}
        #: Where a tablet is paired now; the panel's own address until there is a code.
        self.url = panel_url
        #: Cleared while somebody else stands at the desk.
        self.is_free = asyncio.Event()
        self.is_free.set()

    @property
    def lines(self) -> list[str]:
        """What a newcomer has to know."""
        pins = [f"{name} · PIN {pin}" for name, pin in self._pins.items()]
        return [self.url, *pins]

    async def settle(self, holder: str) -> None:
        """Make the two accounts, or give those of an earlier run new PINs."""
        for name, role, who in (
            (VOLUNTEER, "VOLUNTEER", holder),
            (MANAGER, "MANAGER", ""),
        ):
            pin = new_pin()
            fields = {"name": name, "role": role, "holder": who, "pin": pin}
            made = await self._ask("account-add", **fields)
            if made.get("state") == "taken":
                known = (await self._ask("accounts")).get("accounts", [])
                mine = [a["id"] for a in known if a["name"] == name]
                made = await self._ask("account-pin", account=mine[0], pin=pin)
            if made.get("state") == "done":
                self._pins[name] = pin
        await self._renew()

    async def keep_code(self) -> None:
        """Have a code at hand until cancelled: it is used once, and grows old."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._renew()

    async def hold_out(
        self, firmware: Firmware, porch: Porch, resident: Resident
    ) -> None:
        """Hold a volunteer's card out whenever a tablet waits for one."""
        while True:
            await asyncio.sleep(POLL_S)
            status = await self._ask("status")
            if not status.get("panel", {}).get("awaits_card"):
                continue
            self.is_free.clear()
            try:
                await asyncio.sleep(FIND_S)
                with contextlib.suppress(FirmwareError):
                    await visit(firmware, porch, resident)
            finally:
                self.is_free.set()

    async def _renew(self) -> None:
        known = await self._ask("tablets")
        code = known.get("code") or (await self._ask("pair-begin")).get("code")
        if code:
            self.url = f"{self._panel_url}pair?t={code}"

    async def _ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        try:
            return await asyncio.to_thread(ask, self._socket, verb, **fields)
        except ControlError:
            return {}
