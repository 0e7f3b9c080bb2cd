# SPDX-License-Identifier: Apache-2.0
"""The connection on which a gateway was heard last, as far as commands need it.

The law of the module: a command is signed for the nonce of the last hello, and only
once that hello is answered: before, a gateway believes nothing and says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from cloud_sync.platform.database import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A gateway's last hello."""

    nonce: str
    capabilities: frozenset[str]
    is_answered: bool


async def greet(
    work: Work, gateway: str, nonce: str, capabilities: Collection[str], now_ms: int
) -> None:
    """Note a hello: what was signed for an earlier one counts no more."""
    await work.execute(
        "INSERT INTO connection (gateway, nonce, caps, hello_ms)"
        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (gateway) DO UPDATE SET"
        " nonce = excluded.nonce, caps = excluded.caps,"
        " hello_ms = excluded.hello_ms, answered = 0",
        *(gateway, nonce, " ".join(sorted(capabilities)), now_ms),
    )


async def answered(work: Work, greeted: Iterable[tuple[str, str]]) -> None:
    """Note that these hellos (gateway and nonce) are answered."""
    await work.executemany(
        "UPDATE connection SET answered = 1 WHERE gateway = ?1 AND nonce = ?2",
        list(greeted),
    )


async def connections(work: Work) -> dict[str, Connection]:
    """Return every gateway's last hello."""
    rows = await work.fetch("SELECT gateway, nonce, caps, answered FROM connection")
    return {
        gateway: Connection(
            nonce=nonce,
            capabilities=frozenset(caps.split()),
            is_answered=bool(is_answered),
        )
        for gateway, nonce, caps, is_answered in rows
    }
