# SPDX-License-Identifier: Apache-2.0
"""Wishes into signed commands, and what gateways say of them back into wishes.

The law of the module: no socket and no clock. A command is on disk before it is sent.
Once a gateway has said anything of a wish, nothing is signed for it any more. What was
not heard may be signed anew while the wish lives: for another connection, or when the
last command's time is over; only for gateways that do a wish once however often it is
signed (``wish`` among their capabilities), since a command that seems unheard may have
been done, its word lost with the line. After ``unknown`` that is so for certain, and
nobody signs again but for what may be done twice.
Source: docs/commands.md; docs/platform.md, "Commands".
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_sync.platform.answers import Publish
from cloud_sync.platform.commanding.connections import Connection, connections
from cloud_sync.platform.commanding.operators import at_work
from cloud_sync.platform.commanding.sealing import draft, seals_for
from cloud_sync.platform.commanding.states import End
from cloud_sync.platform.commanding.wishes import Wanted, holds
from cloud_sync.platform.database import DatabaseError
from cloud_sync.topics import Channel
from edge.core.chain import canonical
from edge.core.remote.command import Action

if TYPE_CHECKING:
    from cloud_sync.platform.database import Database, Row, Work
    from cloud_sync.platform.keys import Signer

#: A command's own life; at a door nobody waits for more.
LIFE_S = 30
OPENING_LIFE_S = 10
#: … and a resident is told within two seconds that the door does not hear.
RESIDENT_LIFE_S = 4
OPENINGS = frozenset({Action.RESIDENT_OPEN, Action.OPEN, Action.LOCKER_OPEN})
#: After its end, by our clock: the gateway's sense of our time may lag so much.
GRACE_MS = 2_000
#: Commands for one wish on one connection; then another hello is waited for.
TRIES = 3
#: The capability of a gateway that does a wish once.
ONCE = "wish"
#: Wishes looked at in one go, the newest first: somebody stands at that door. One that
#: waits for its gateway, or has been tried enough, takes nobody's place.
AT_ONCE = 64
_OPEN = """
SELECT w.id, w.key, w.gateway, w.operator, w.action, w.fields, w.reason, w.signed,
    w.until_ms, w.draft
FROM wish AS w
LEFT JOIN connection AS c ON c.gateway = w.gateway AND c.answered = 1
WHERE w.is_open = 1 AND (w.until_ms <= ?1 OR ?2 > (
    SELECT count(*) FROM command AS d WHERE d.wish = w.id AND d.nonce = c.nonce
) AND c.nonce IS NOT NULL)
ORDER BY w.id DESC LIMIT ?3
"""
_SIGNED = """
SELECT nonce, expires_s FROM command WHERE wish = ?1 ORDER BY signed_ms
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A wish that may be signed, as it stands in its row."""

    id: int
    key: str
    gateway: str
    operator: str
    action: Action
    fields: dict[str, Any]
    reason: str
    signed: str
    until_ms: int
    draft: str


class Commander:
    """Signs what is due."""

    def __init__(self, database: Database, signer: Signer) -> None:
        self._database = database
        self._signer = signer

    async def due(self, now_ms: int) -> list[Publish]:
        """Return the commands to publish now: not retained, QoS 1, each once."""
        async with self._database.reading() as work:
            rows = await work.fetch(_OPEN, now_ms, TRIES, AT_ONCE)
            if not rows:
                return []
            known = await connections(work)
            wanted = [
                each
                for each in map(_read, rows)
                if now_ms >= each.until_ms
                or await _is_due(work, each, known.get(each.gateway), now_ms)
            ]
        signed: list[Publish] = []
        for each in wanted:
            # One at a time: whoever hears gateways holds wishes in another order, and
            # two who each hold what the other waits for are broken off.
            try:
                async with self._database.writing() as work:
                    command = await self._sign(work, each, now_ms)
            except DatabaseError:
                if not signed:
                    raise
                break  # what is on disk goes out; the next look says what is wrong
            if command is not None:
                signed.append(command)
        return signed

    async def _sign(self, work: Work, wish: Wish, now_ms: int) -> Publish | None:
        """Sign a wish once more, or end it; asked again, now that it is ours alone."""
        still = await work.fetch(
            "UPDATE wish SET is_open = 1 WHERE id = ?1 AND is_open = 1 RETURNING id",
            wish.id,
        )
        connection = (await connections(work)).get(wish.gateway)
        if not still:
            return None
        if now_ms >= wish.until_ms:
            await _end(work, wish, now_ms)
            return None
        if not await _is_due(work, wish, connection, now_ms) or connection is None:
            return None
        if not await _is_his_word(work, wish, now_ms):
            await _close(work, wish, End.FORGED, "not signed by its operator", now_ms)
            return None
        if wish.action is Action.SHELTER:
            return await self._sign_sealed(work, wish, connection, now_ms)
        body = _body(wish, connection, now_ms) | {"wish": wish.key}
        return await self._issue(work, wish, body, now_ms)

    async def _sign_sealed(
        self, work: Work, wish: Wish, connection: Connection, now_ms: int
    ) -> Publish | None:
        """Sign an order that two operators have sealed; else lay one before them."""
        order, seals = await seals_for(work, wish.id, wish.draft, connection, now_ms)
        if seals:
            return await self._issue(work, wish, order | {"seals": seals}, now_ms)
        if not order:
            await draft(work, wish.id, _body(wish, connection, now_ms))
        return None

    async def _issue(
        self, work: Work, wish: Wish, body: dict[str, Any], now_ms: int
    ) -> Publish:
        await work.execute(
            "INSERT INTO command (jti, wish, nonce, signed_ms, expires_s, state)"
            " VALUES (?1, ?2, ?3, ?4, ?5, 'sent')",
            *(body["jti"], wish.id, body["nonce"], now_ms, body["exp"]),
        )
        await work.execute(
            "UPDATE wish SET state = 'sent', told_ms = ?2 WHERE id = ?1"
            " AND state = 'waiting'",
            wish.id,
            now_ms,
        )
        channel = Channel.COMMAND
        return Publish(
            topic=f"mn/v1/dn/{wish.gateway}/{channel.value}",
            payload=self._signer.sign(channel.purpose, canonical(body)),
        )


async def _is_due(
    work: Work, wish: Wish, connection: Connection | None, now_ms: int
) -> bool:
    """Say whether a command for a wish may be signed for that connection now."""
    if connection is None or not connection.is_answered:
        return False
    before = await work.fetch(_SIGNED, wish.id)
    if not before:
        return True
    if ONCE not in connection.capabilities:
        return False
    here = [expires_s for nonce, expires_s in before if nonce == connection.nonce]
    if not here:
        return True
    return len(here) < TRIES and now_ms >= here[-1] * 1000 + GRACE_MS


async def _is_his_word(work: Work, wish: Wish, now_ms: int) -> bool:
    """Say whether a wish is signed by an operator at work, or a resident's."""
    if wish.action is Action.RESIDENT_OPEN:
        return True
    operator = await at_work(work, wish.operator)
    wanted = Wanted(
        gateway=wish.gateway,
        action=wish.action,
        by=wish.operator,
        reason=wish.reason,
        fields=wish.fields,
    )
    return operator is not None and holds(operator, wanted, wish.signed, now_ms)


async def _end(work: Work, wish: Wish, now_ms: int) -> None:
    """End a wish whose time is over; what was sent may be told of later."""
    was_sent = await work.fetch(_SIGNED, wish.id)
    end = End.UNHEARD if was_sent else End.EXPIRED
    why = "the gateway said nothing" if was_sent else "the gateway was not there"
    await _close(work, wish, end, why, now_ms)


async def _close(work: Work, wish: Wish, end: End, why: str, now_ms: int) -> None:
    await work.execute(
        "UPDATE wish SET is_open = 0, state = ?2, why = ?3, told_ms = ?4 WHERE id = ?1",
        *(wish.id, end.value, why, now_ms),
    )


def _body(wish: Wish, connection: Connection, now_ms: int) -> dict[str, Any]:
    issued_s = now_ms // 1000
    life_s = OPENING_LIFE_S if wish.action in OPENINGS else LIFE_S
    if wish.action is Action.RESIDENT_OPEN:
        life_s = RESIDENT_LIFE_S
    return {
        "gw": wish.gateway,
        "jti": secrets.token_hex(16),
        "nonce": connection.nonce,
        "iat": issued_s,
        "exp": issued_s + life_s,
        "action": wish.action.value,
        "by": wish.operator,
        "reason": wish.reason,
        **wish.fields,
    }


def _read(row: Row) -> Wish:
    number, key, gateway, operator, action, fields, reason, signed, until_ms, order = (
        row
    )
    return Wish(
        id=number,
        key=key,
        gateway=gateway,
        operator=operator,
        action=Action(action),
        fields=json.loads(fields),
        reason=reason,
        signed=signed,
        until_ms=until_ms,
        draft=order,
    )
