# SPDX-License-Identifier: Apache-2.0
"""Where a resident stands who wants a door opened: at that door, as far as it shows.

The law of the module: an address on a poster names a door for as long as the paper
hangs, so it says where somebody has been once; a code on the door's screen says where
he was a minute ago at most. Which of the two a door asks for is its site's choice. A
code that is shown is always checked, even where a poster would do.
Source: docs/commands.md, "At the door".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.door_code import CodeFlaw, flaw_of
from cloud_sync.platform import boxes, registry
from cloud_sync.platform.commanding.residents import Refusal, ResidentError

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work

#: Why a door was opened, as it stands in the gateway's journal.
POSTER, SCREEN = "poster at the door", "code on the door's screen"
_ADDRESS = """
INSERT INTO door_address (site, door, gateway, is_fresh) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (site, door) DO UPDATE SET
    gateway = excluded.gateway, is_fresh = excluded.is_fresh
"""
_WHY = {
    CodeFlaw.CODE_UNREADABLE: "this is no code of a door's screen; scan it once more",
    CodeFlaw.CODE_STALE: "the code on the screen has changed; scan it once more",
    CodeFlaw.CODE_AHEAD: "the door's clock is wrong; show your card or your code",
    CodeFlaw.CODE_FORGED: "this code is not of this door's screen",
}


async def set_address(
    work: Work, site: str, door: str, gateway: str, *, is_fresh: bool
) -> None:
    """Note whose door stands under ``SITE/DOOR``, and what proves that he is there."""
    await registry.known(work, gateway)
    await work.execute(_ADDRESS, site, door, gateway, int(is_fresh))


async def gateway_at(work: Work, site: str, door: str) -> str | None:
    """Return the gateway whose door an address leads to; None if it leads nowhere."""
    sql = "SELECT gateway FROM door_address WHERE site = ?1 AND door = ?2"
    found = await work.fetch(sql, site, door)
    return str(found[0][0]) if found else None


async def check(work: Work, gateway: str, door: str, code: str, now_ms: int) -> None:
    """Return if what was scanned is good for this door; ResidentError if it is not.

    ``code`` is what the door's screen showed, "" for a poster.
    """
    if code:
        # Without a key that somebody has compared every code is a forged one.
        public = await boxes.key_of(work, gateway) or b""
        flaw = flaw_of(public, gateway, door, code, now_ms)
        if flaw is not None:
            raise ResidentError(flaw, _WHY[flaw])
        return
    rows = await work.fetch(
        "SELECT max(is_fresh) FROM door_address WHERE gateway = ?1 AND door = ?2",
        gateway,
        door,
    )
    if rows[0][0]:
        raise ResidentError(
            Refusal.CODE_MISSING, "scan the code on the screen beside this door"
        )
