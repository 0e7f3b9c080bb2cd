# SPDX-License-Identifier: Apache-2.0
"""The gateways that there are, in which shard, and when each was last heard.

The law of the module: who is not registered, or speaks under another shard than his,
is not heard. Being online is a lease (``presence.py``) that every message renews,
whatever a broker says of it.
Source: docs/sync-contract.md, section 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.platform.database import filled
from cloud_sync.platform.uplink import RefusalKind, Refused, refused
from cloud_sync.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cloud_sync.platform.database import Row, Work
    from cloud_sync.platform.uplink import Hello

#: Leases of gateways that grant none themselves, in the heartbeats of the settings.
HEARTBEATS = 2
_REFUSED = """
INSERT INTO refusal (gateway, kind, times, why, last_ms) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (gateway, kind) DO UPDATE SET
    times = refusal.times + excluded.times,
    why = excluded.why,
    last_ms = excluded.last_ms
"""
_GREETED = """
UPDATE gateway SET hello_ms = ?2, firmware = ?3, epoch = ?4, last_seq = ?5
WHERE gateway = ?1
"""
_LIST = """
SELECT g.gateway, g.shard, g.note, g.heard_ms, g.firmware, g.epoch, g.last_seq,
    coalesce(j.hi, 0), g.feed_epoch, g.feed_rev, coalesce(f.epoch, ''),
    coalesce(f.rev, 0), coalesce(p.lease_ms, 0), coalesce(p.beat_ms, 0),
    coalesce(p.waiting, 0), coalesce(p.oldest_s, 0), coalesce(p.offset_ms, 0),
    coalesce(p.width_ms, 0), g.hello_ms
FROM gateway AS g
LEFT JOIN journal AS j ON j.gateway = g.gateway AND j.epoch = g.epoch
LEFT JOIN feed AS f ON f.gateway = g.gateway
LEFT JOIN presence AS p ON p.gateway = g.gateway
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """What is known of one gateway; online until ``until_ms``, unless heard again.

    ``waiting`` events and the age ``oldest_s`` of the oldest are as it told them last.
    ``feed`` is what it held when it last said so, ``newest`` what there is for it.
    ``offset_ms`` is how far its clock is off ours, ``width_ms`` how wide its interval
    of time is, -1 without end; both are None where it told no heartbeat.
    """

    gateway: str
    shard: str
    note: str
    heard_ms: int
    until_ms: int
    is_online: bool
    firmware: str
    epoch: str
    stored: int
    waiting: int
    oldest_s: int
    offset_ms: int | None
    width_ms: int | None
    feed: str
    newest: str

    @property
    def clock(self) -> str:
        """How its clock stands to ours, in words; '' where it never told."""
        if self.offset_ms is None or self.width_ms is None:
            return ""
        tenths = round(self.offset_ms / 100)
        off = f"{tenths / 10:+.1f} s off" if tenths else "right"
        if self.width_ms < 0:
            return f"{off}, no upper bound"
        return f"{off}, to {self.width_ms / 1000:.1f} s"


class RegistryError(Exception):
    """A gateway is not as the command says; the text says what to do."""


async def register(
    work: Work, gateway: str, shard: str, note: str, now_ms: int
) -> None:
    """Add a gateway; RegistryError if it cannot be one or is there already."""
    try:
        Topics(gateway=gateway, shard=shard)
    except ValueError as flaw:
        raise RegistryError(str(flaw)) from flaw
    added = await work.fetch(
        "INSERT INTO gateway (gateway, shard, note, added_ms) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (gateway) DO NOTHING RETURNING gateway",
        gateway,
        shard,
        note,
        now_ms,
    )
    if not added:
        raise RegistryError(
            f"gateway {gateway} is registered already; a shard is fixed for good, "
            "since the gateway's settings and the broker's rights name it"
        )


async def known(work: Work, gateway: str) -> None:
    """Return if a gateway is registered; RegistryError if not."""
    sql = "SELECT gateway FROM gateway WHERE gateway = ?1"
    if not await work.fetch(sql, gateway):
        raise RegistryError(
            f"no gateway {gateway}; `menshen platform gateway list` names them all"
        )


async def shard_of(work: Work, gateway: str) -> str:
    """Return a registered gateway's shard; RegistryError if it is none."""
    await known(work, gateway)
    sql = "SELECT shard FROM gateway WHERE gateway = ?1"
    return str((await work.fetch(sql, gateway))[0][0])


async def may_enter(work: Work, gateway: str, serial: str) -> bool:
    """Say whether a certificate of that name and serial (hex) lets somebody in."""
    found = await work.fetch(
        "SELECT gateway FROM gateway WHERE gateway = ?1 AND NOT EXISTS "
        "(SELECT 1 FROM certificate WHERE serial = ?2 "
        "AND (gateway <> ?1 OR revoked_ms > 0))",
        gateway,
        serial,
    )
    return bool(found)


async def in_shards(work: Work, shards: Collection[str]) -> frozenset[str]:
    """Return the gateways that are registered in any of these shards."""
    rows = await work.fetch("SELECT gateway, shard FROM gateway")
    return frozenset(gateway for gateway, shard in rows if shard in shards)


async def populations(work: Work) -> dict[str, int]:
    """Return how many gateways each shard has that has any."""
    sql = "SELECT shard, count(*) FROM gateway GROUP BY shard ORDER BY shard"
    return {shard: int(count) for shard, count in await work.fetch(sql)}


async def hear(
    work: Work, senders: Collection[tuple[str, str]], now_ms: int | None
) -> dict[tuple[str, str], Refused]:
    """Renew the leases of ``(gateway, shard)``; return why some are not heard.

    ``now_ms`` None: what they said was carried here, and renews nothing.

    Two statements for all of them: a question for each would cost a handful's commit
    many times over. In one order for everybody, as rows are held until the commit; and
    they are held for more than the lease: while two workers serve one shard, what one
    gateway sends is dealt with by one after the other, so that an early word and its
    event, come at once by two ways, cannot miss each other.
    """
    in_order = sorted(set(senders))
    if not in_order:
        return {}
    if now_ms is None:
        sql = "UPDATE gateway SET shard = shard WHERE gateway = ?1 AND shard = ?2"
        await work.executemany(sql, in_order)
    else:
        sql = "UPDATE gateway SET heard_ms = ?3 WHERE gateway = ?1 AND shard = ?2"
        await work.executemany(sql, [(*sender, now_ms) for sender in in_order])
    names = filled([gateway for gateway, _ in in_order])
    places = ", ".join(f"?{place}" for place in range(1, len(names) + 1))
    sql = f"SELECT gateway, shard FROM gateway WHERE gateway IN ({places})"  # noqa: S608
    found: dict[str, str] = dict(await work.fetch(sql, *names))
    refusals = {}
    for gateway, shard in in_order:
        own = found.get(gateway)
        if own is None:
            why = f"{gateway} is not registered"
            refusals[gateway, shard] = refused(RefusalKind.UNKNOWN_GATEWAY, why)
        elif own != shard:
            why = f"{gateway} spoke in shard {shard} and belongs to {own}"
            refusals[gateway, shard] = refused(RefusalKind.WRONG_SHARD, why)
    return refusals


async def greet(work: Work, gateway: str, hello: Hello, now_ms: int) -> None:
    """Note what a gateway says of itself."""
    values = (gateway, now_ms, hello.firmware, hello.epoch, hello.last_seq)
    await work.execute(_GREETED, *values)


async def count_refusals(
    work: Work, refusals: Mapping[tuple[str, RefusalKind], list[str]], now_ms: int
) -> None:
    """Add to the counts of what was not taken, by gateway and kind.

    The gateway is '' for whom we do not know: anybody may make up names.
    """
    rows = [
        (gateway, kind.value, len(whys), whys[-1], now_ms)
        for (gateway, kind), whys in sorted(refusals.items())
    ]
    await work.executemany(_REFUSED, rows)


async def presences(work: Work, now_ms: int, heartbeat_s: int) -> list[Presence]:
    """Return all gateways in the order of their names."""
    usual_ms = HEARTBEATS * heartbeat_s * 1000
    rows = await work.fetch(f"{_LIST} ORDER BY g.gateway")
    return [_presence(row, now_ms, usual_ms) for row in rows]


async def is_online(work: Work, gateway: str, now_ms: int, heartbeat_s: int) -> bool:
    """Say whether a gateway's lease holds at this moment."""
    usual_ms = HEARTBEATS * heartbeat_s * 1000
    rows = await work.fetch(f"{_LIST} WHERE g.gateway = ?1", gateway)
    return any(_presence(row, now_ms, usual_ms).is_online for row in rows)


def _presence(row: Row, now_ms: int, usual_ms: int) -> Presence:
    gateway, shard, note, heard_ms, firmware, epoch, last_seq, hi = row[:8]
    feed_epoch, feed_rev, newest_epoch, newest_rev, lease_ms, beat_ms = row[8:14]
    waiting, oldest_s, offset_ms, width_ms, hello_ms = row[14:]
    has_beat = beat_ms > 0 and beat_ms >= hello_ms
    behind = max(0, last_seq - hi)  # what was told may have arrived since
    until_ms = heard_ms + (lease_ms or usual_ms) if heard_ms else 0
    return Presence(
        gateway=gateway,
        shard=shard,
        note=note,
        heard_ms=heard_ms,
        until_ms=until_ms,
        is_online=0 < now_ms <= until_ms,
        firmware=firmware,
        epoch=epoch,
        stored=hi,
        waiting=behind if not has_beat else min(waiting, behind),
        oldest_s=oldest_s if has_beat and behind else 0,
        offset_ms=offset_ms if has_beat else None,
        width_ms=width_ms if has_beat else None,
        feed=_cursor(feed_epoch, feed_rev),
        newest=_cursor(newest_epoch, newest_rev),
    )


def _cursor(epoch: str, rev: int) -> str:
    return f"{epoch}/{rev}" if epoch else ""
