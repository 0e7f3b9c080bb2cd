# SPDX-License-Identifier: Apache-2.0
"""A gateway with a desk and four people, and a panel's way to ask it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from edge.cli.demo.journal_file import read_journal
from edge.control.client import ControlError, ask
from edge.core.credential import Credential, CredentialKind
from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import HolderRow
from edge.core.stimulus import Scan
from tests.edge.at_work import PLATFORM_KEYS, SITE_KEYS, at_work, until
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from edge.cli.runtime import Runtime
    from edge.core.people.roster_row import RosterRow

DESK = """
[[device]]
id = "desk-reader"
driver = "qr_line"
port = "ports/desk-reader"

[[access_point]]
id = "desk"
desk = true
readers = ["desk-reader"]
"""
#: Who is on the roster, and as what.
PEOPLE = {
    "h-chen": "VOLUNTEER",
    "h-lin": "VOLUNTEER",
    "h-li": "MANAGER",
    "h-wang": "RESIDENT",
}


def people() -> Iterator[HolderRow]:
    """Say who is known, each by the card of his number in ``PEOPLE``."""
    for number, (holder, role) in enumerate(PEOPLE.items()):
        yield HolderRow(
            holder_id=holder,
            roles=(role,),
            language="zh-CN",
            is_enabled=True,
            needs_extended_time=False,
            credentials=((CredentialKind.CARD, number.to_bytes(16, "big")),),
        )


class Site:
    """One gateway at work."""

    def __init__(self, runtime: Runtime, state: Path) -> None:
        self.runtime = runtime
        self.state = state

    @property
    def socket(self) -> Path:
        return self.state / "control.sock"

    async def shell(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Ask as the gateway's own user at the command line."""
        return await asyncio.to_thread(ask, self.socket, verb, **fields)

    def adopt(self, *more: RosterRow) -> None:
        """Let the platform's feed come: the four people, and more rows."""
        builder = RosterBuilder()
        builder.add(people())
        builder.add(more)
        roster = builder.build(Cursor("0001-00000000", 1))
        self.runtime.gateway.do(lambda controller, now: controller.adopt(roster, now))

    def on_duty(self) -> tuple[str, ...]:
        return self.runtime.controller.on_duty

    def tap(self, holder: str) -> None:
        """Hold somebody's card to the desk's reader."""
        token = list(PEOPLE).index(holder).to_bytes(16, "big")
        card = Credential(kind=CredentialKind.CARD, token=token)
        now_s = self.runtime.gateway.now().monotonic_s
        scan = Scan(access_point="desk", credential=card, received_s=now_s)
        assert self.runtime.gateway.offer("desk-reader", scan)

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Return what the journal's file holds of these kinds."""
        found = read_journal(self.state / "journal.db")
        return [event.core for event in found if event.core["k"] in kinds]

    async def until_told(self, kind: str, count: int = 1) -> dict[str, Any]:
        await until(lambda: len(self.events(kind)) >= count)
        return self.events(kind)[-1]


class TabletOf:
    """A tablet, and the secrets that its browser holds."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.tablet = ""
        self.session = ""

    async def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Ask as the panel does for this tablet; a refusal is an answer too."""
        keys = {"tablet": self.tablet, "session": self.session}
        try:
            answer = await self._site.shell(verb, **keys, **fields)
        except ControlError as refusal:
            return {"ok": False, "error": str(refusal)}
        self.tablet = answer.get("tablet", self.tablet)
        if isinstance(answer.get("session"), str):
            self.session = answer["session"]
        return answer

    async def pair(self) -> TabletOf:
        code = (await self._site.shell("pair-begin"))["code"]
        answer = await self.ask("pair", code=code, name="前台平板")
        assert answer["state"] == "paired"
        return self

    async def tap_in(self, holder: str) -> TabletOf:
        """Log in by card."""
        assert (await self.ask("login-begin"))["state"] == "waiting"
        self._site.tap(holder)
        for _ in range(500):
            answer = await self.ask("login-card")
            if answer["state"] != "waiting":
                break
            await asyncio.sleep(0.01)
        assert answer["state"] == "in", answer
        return self

    async def role(self) -> str:
        """Return whose turn it is."""
        return str((await self.ask("session")).get("role", ""))


@asynccontextmanager
async def panel_site(folder: Path) -> AsyncIterator[Site]:
    """Let a gateway with a desk work below ``folder``, again if it was there."""
    state = folder / "state"
    (state / "keys").mkdir(parents=True, exist_ok=True)
    for name, keys in (("site", SITE_KEYS), ("platform", PLATFORM_KEYS)):
        path = state / "keys" / f"{name}.json"
        path.write_text(json.dumps(keys), "utf-8")
        path.chmod(0o600)
    (folder / "site.toml").write_text(TEXT + DESK, "utf-8")
    async with at_work(state) as runtime:
        site = Site(runtime, state)
        site.adopt()
        yield site
