# SPDX-License-Identifier: Apache-2.0
"""What goes down on a stick: what is stored here, and the roster of now.

The law of the module: signed for sticks alone, by purposes that the wire does not
have; the bodies are those of the wire, made by the same code. One state of the
database answers, and nothing is said that was not committed before.
Source: docs/sneakernet.md, "Down".
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_sync.feed import NO_FEED
from cloud_sync.platform import feeds, ledger, registry
from cloud_sync.platform.answers import snapshot_texts, stored
from cloud_sync.stick import HEADER_PURPOSE, PART_PURPOSE
from cloud_sync.stick_file import DOWN, VERSION, Seal, StickError
from edge.core.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.feeds import Snapshot
    from cloud_sync.platform.keys import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One stick for one gateway; ``acked`` is None where it acknowledges nothing."""

    gateway: str
    stick: str
    body: dict[str, Any]
    feed: Snapshot | None
    acked: int | None

    def lines(self, signer: Signer) -> Iterator[bytes]:
        """Yield the file's lines, each signed when it is asked for."""
        seal = Seal()
        first = canonical({"type": DOWN, "version": VERSION})
        for text in (first, *self._signed(signer)):
            line = text.encode() + b"\n"
            seal.add(line)
            yield line
        yield seal.line()

    def _signed(self, signer: Signer) -> Iterator[str]:
        yield _quoted(signer.sign(HEADER_PURPOSE, canonical(self.body)))
        if self.feed is not None:
            for text in snapshot_texts(self.gateway, self.stick, self.feed):
                yield _quoted(signer.sign(PART_PURPOSE, text))


async def answer(work: Work, gateway: str, now_ms: int, *, epoch: str = "") -> Answer:
    """Return what there is to say to a gateway; StickError if that is nothing.

    ``epoch`` is the journal's whose events are acknowledged: of the export that was
    taken, or else the newest of which anything is stored.
    """
    await registry.known(work, gateway)
    stick = secrets.token_hex(16)
    body: dict[str, Any] = {"gw": gateway, "stick": stick, "time": now_ms}
    epoch = epoch or await _newest(work, gateway)
    acked: int | None = None
    if epoch:
        at = await ledger.standing(work, gateway, epoch)
        told = stored(at)
        body["ack"] = {name: told[name] for name in ("epoch", "hi", "h")}
        acked = at.hi
    feed = None
    if await feeds.cursor(work, gateway) != NO_FEED:
        feed = await feeds.snapshot(work, gateway)
        body["feed"] = {
            "epoch": feed.cursor.epoch,
            "rev": feed.cursor.rev,
            "n": len(feed.slices),
            "count": feed.count,
            "hash": feed.hash,
        }
    if feed is None and acked is None:
        raise StickError(
            "NOTHING", f"{gateway} has no feed here, and none of its events is stored"
        )
    return Answer(gateway=gateway, stick=stick, body=body, feed=feed, acked=acked)


def _quoted(message: bytes) -> str:
    """Return a compact JWS as a JSON string: its letters need no escape."""
    return f'"{message.decode()}"'


async def _newest(work: Work, gateway: str) -> str:
    sql = "SELECT epoch FROM journal WHERE gateway = ?1 ORDER BY id DESC LIMIT 1"
    found = await work.fetch(sql, gateway)
    return str(found[0][0]) if found else ""
