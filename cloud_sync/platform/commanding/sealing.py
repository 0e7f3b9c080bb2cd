# SPDX-License-Identifier: Apache-2.0
"""An order that needs two operators' seals, laid before those who stand by.

The law of the module: the platform never holds a seal's key. It draws an order for
the connection there is, as soon as two different operators stand by; each reads it on
his own machine and seals it there; an order without both seals in time is drawn anew.
Source: docs/commands.md, "A shelter from afar".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cloud_sync.platform.commanding.operators import at_work
from cloud_sync.seals import PURPOSE, order_text
from edge.core.chain import canonical
from edge.core.remote.command import Action

if TYPE_CHECKING:
    from cloud_sync.platform.commanding.connections import Connection
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.keys import Signer

#: Operators who have to seal.
WITNESSES = 2
#: Who has not asked for so long stands by no more.
STANDS_BY_MS = 5_000
#: An order has to be sealed and sent so long before its end.
SPARE_MS = 5_000


async def stand_by(work: Work, wish: int, operator: str, now_ms: int) -> str:
    """Note that an operator stands by; return the order to seal, "" while none is."""
    await work.execute(
        "INSERT INTO seal (wish, operator, seen_ms) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (wish, operator) DO UPDATE SET seen_ms = excluded.seen_ms",
        *(wish, operator, now_ms),
    )
    rows = await work.fetch("SELECT draft FROM wish WHERE id = ?1", wish)
    return str(rows[0][0]) if rows else ""


async def waiting_shelter(work: Work, gateway: str, now_ms: int) -> int | None:
    """Return the shelter that waits for a second operator at a gateway."""
    rows = await work.fetch(
        "SELECT id FROM wish WHERE gateway = ?1 AND action = ?2 AND is_open = 1"
        " AND state = 'waiting' AND until_ms > ?3 ORDER BY id",
        *(gateway, Action.SHELTER.value, now_ms),
    )
    return int(rows[0][0]) if rows else None


def is_meant(order: str, *, gateway: str, site: str) -> bool:
    """Say whether an order is the shelter that somebody means to seal."""
    told = json.loads(order)
    meant = {"action": Action.SHELTER.value, "gw": gateway, "site": site}
    return all(told.get(name) == value for name, value in meant.items())


async def put_seal(
    work: Work, wish: int, operator: str, order: str, signer: Signer
) -> None:
    """Seal an order with the operator's own key; his reading it comes before."""
    seal = signer.sign(PURPOSE, order_text(json.loads(order))).decode()
    await work.execute(
        "UPDATE seal SET jti = ?3, seal = ?4 WHERE wish = ?1 AND operator = ?2",
        *(wish, operator, json.loads(order)["jti"], seal),
    )


async def draft(work: Work, wish: int, body: dict[str, Any]) -> None:
    """Lay an order before those who stand by, once there are two at work."""
    seen_ms = body["iat"] * 1000 - STANDS_BY_MS
    rows = await work.fetch(
        "SELECT operator FROM seal WHERE wish = ?1 AND seen_ms >= ?2", wish, seen_ms
    )
    by = [name for (name,) in rows if await at_work(work, name) is not None]
    if len(by) >= WITNESSES:
        await work.execute(
            "UPDATE wish SET draft = ?2 WHERE id = ?1", wish, canonical(body)
        )


async def seals_for(
    work: Work, wish: int, text: str, connection: Connection, now_ms: int
) -> tuple[dict[str, Any], list[str]]:
    """Return the order that lies there and, once both are, its seals.

    No order where none was drawn, or its connection or its time is over.
    """
    order: dict[str, Any] = json.loads(text) if text else {}
    is_over = not order or now_ms > order["exp"] * 1000 - SPARE_MS
    if is_over or order["nonce"] != connection.nonce:
        return {}, []
    rows = await work.fetch(
        "SELECT operator, seal FROM seal WHERE wish = ?1 AND jti = ?2 AND seal <> ''",
        wish,
        order["jti"],
    )
    seals = [seal for name, seal in rows if await at_work(work, name) is not None]
    return order, seals if len(seals) >= WITNESSES else []
