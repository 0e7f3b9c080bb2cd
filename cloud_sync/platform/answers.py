# SPDX-License-Identifier: Apache-2.0
"""What the platform says: its bodies, each signed for one purpose and one gateway.

The law of the module: nothing is said here that was not committed before; a body is
canonical JSON, and a signed part stays within the contract's 64 KiB.
Source: docs/sync-contract.md, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.topics import Channel
from edge.core.chain import HASH_BYTES, canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_sync.envelope import DayStretch
    from cloud_sync.feed import FeedCursor
    from cloud_sync.platform.days import Compared
    from cloud_sync.platform.feed_answer import Changes
    from cloud_sync.platform.feeds import Snapshot
    from cloud_sync.platform.keys import Signer
    from cloud_sync.platform.ledger import Standing
    from cloud_sync.platform.told_beside import Heartbeat
    from cloud_sync.platform.uplink import Pull
    from cloud_sync.renewing import CertificateAnswer


#: What a hello says that this platform takes, beyond the contract's beginnings.
CAPABILITIES = ("hb", "alm", "day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """One message for the broker: QoS 1, not retained."""

    topic: str
    payload: bytes


class Answers:
    """Makes signed messages."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def hello(
        self, at: Standing, *, nonce: str, feed: FeedCursor, now_ms: int
    ) -> Publish:
        """Answer a greeting: how far the journal is stored, the time, the feed."""
        body = {
            **stored(at),
            "nonce": nonce,
            "time": now_ms,
            "feed": {"epoch": feed.epoch, "rev": feed.rev},
            "caps": list(CAPABILITIES),
        }
        return self._signed(at.gateway, Channel.HELLO, canonical(body))

    def ack(self, at: Standing) -> Publish:
        """Say how far a journal is stored, for good."""
        return self._signed(at.gateway, Channel.ACK, canonical(stored(at)))

    def beat(self, gateway: str, told: Heartbeat) -> Publish:
        """Say that a heartbeat was heard; its number shows that this is no old word."""
        body = {"gw": gateway, "nonce": told.nonce, "n": told.number}
        return self._signed(gateway, Channel.HEARTBEAT, canonical(body))

    def day(self, gateway: str, told: DayStretch, compared: Compared) -> Publish:
        """Say how a day compares with what is stored here."""
        body: dict[str, object] = {
            "gw": gateway,
            "epoch": told.epoch,
            "first": told.first,
            "last": told.last,
            "verdict": compared.verdict.value,
            "count": compared.held,
        }
        if len(compared.hash) == HASH_BYTES:
            body["h"] = compared.hash.hex()
        if compared.why:
            body["why"] = compared.why
        return self._signed(gateway, Channel.DAY, canonical(body))

    def nudge(self, gateway: str, feed: FeedCursor) -> Publish:
        """Say that there is a feed at ``feed``."""
        body = {"gw": gateway, "epoch": feed.epoch, "rev": feed.rev}
        return self._signed(gateway, Channel.NUDGE, canonical(body))

    def certificate(self, gateway: str, answer: CertificateAnswer) -> Publish:
        """Give a gateway its next certificate, or say why not."""
        body = {"gw": gateway, "re": answer.nonce}
        if answer.refusal:
            body["refused"] = answer.refusal
        else:
            body |= {"certificate": answer.certificate, "authority": answer.authority}
        return self._signed(gateway, Channel.CERTIFICATE, canonical(body))

    def current(self, gateway: str, pull: Pull, total: str = "") -> Publish:
        """Say that there is nothing newer than what is held, and what that adds up to.

        ``total`` is empty where nobody can know.
        """
        nothing = {"count": 0, "hash": "0" * 64, "i": 0, "n": 0, "rows": []}
        known = {"sum": total} if total else {}
        body = canonical(_head(gateway, pull.nonce, pull.held) | nothing | known)
        return self._signed(gateway, Channel.FEED, body)

    def offer(self, gateway: str, pull: str, feed: Snapshot) -> Publish:
        """Say where a snapshot can be fetched."""
        whole = {"count": feed.count, "hash": feed.hash, "n": len(feed.slices)}
        at = {"at": snapshot_path(gateway, pull)}
        body = canonical(_head(gateway, pull, feed.cursor) | whole | at)
        return self._signed(gateway, Channel.FEED, body)

    def parts(
        self, gateway: str, pull: str, feed: Snapshot, start: int = 0
    ) -> Iterator[Publish]:
        """Yield a snapshot's parts from one on; each is signed when it is asked for."""
        for text in snapshot_texts(gateway, pull, feed, start):
            yield self._signed(gateway, Channel.FEED, text)

    def changes(self, gateway: str, pull: str, feed: Changes) -> Iterator[Publish]:
        """Yield the parts of what changed."""
        whole = {"count": feed.count, "hash": feed.head.hash, "n": len(feed.slices)}
        place = {"from": feed.since, "head": feed.cursor.rev, "total": feed.head.count}
        head = _head(gateway, pull, feed.cursor) | whole | place
        for text in _texts(head, feed.slices, 0):
            yield self._signed(gateway, Channel.FEED, text)

    def _signed(self, gateway: str, channel: Channel, body: str) -> Publish:
        topic = f"mn/v1/dn/{gateway}/{channel.value}"
        payload = self._signer.sign(channel.purpose, body)
        return Publish(topic=topic, payload=payload)


def snapshot_texts(
    gateway: str, name: str, feed: Snapshot, start: int = 0
) -> Iterator[str]:
    """Yield the bodies of a snapshot's parts from one on, for whoever signs them.

    ``name`` is what asked for it: the nonce of a pull, or the name of a stick.
    """
    whole = {"count": feed.count, "hash": feed.hash, "n": len(feed.slices)}
    return _texts(_head(gateway, name, feed.cursor) | whole, feed.slices, start)


def _texts(head: dict[str, object], slices: Sequence[str], start: int) -> Iterator[str]:
    for number, rows in enumerate(slices[start:], start):
        text = canonical(head | {"i": number, "rows": [0]})
        yield text.replace('"rows":[0]', f'"rows":[{rows}]', 1)


def stored(at: Standing) -> Mapping[str, int | str]:
    """Return what an acknowledgement says."""
    return {"gw": at.gateway, "epoch": at.epoch, "hi": at.hi, "h": at.hash.hex()}


def snapshot_path(gateway: str, pull: str) -> str:
    """Return where the snapshot of a pull waits, below the platform's address."""
    return f"/v1/snapshots/{gateway}/{pull}"


def _head(gateway: str, pull: str, cursor: FeedCursor) -> dict[str, object]:
    return {
        "gw": gateway,
        "re": pull,
        "epoch": cursor.epoch,
        "rev": cursor.rev,
    }
