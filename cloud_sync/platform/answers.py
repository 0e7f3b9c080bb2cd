# SPDX-License-Identifier: Apache-2.0
"""What the platform says: six bodies, each signed for one purpose and one gateway.

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
    from collections.abc import Iterator, Mapping

    from cloud_sync.feed import FeedCursor
    from cloud_sync.platform.days import Compared
    from cloud_sync.platform.feeds import Snapshot
    from cloud_sync.platform.keys import Signer
    from cloud_sync.platform.ledger import Standing
    from cloud_sync.platform.told_beside import Day, Heartbeat
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
            **_stored(at),
            "nonce": nonce,
            "time": now_ms,
            "feed": {"epoch": feed.epoch, "rev": feed.rev},
            "caps": list(CAPABILITIES),
        }
        return self._signed(at.gateway, Channel.HELLO, canonical(body))

    def ack(self, at: Standing) -> Publish:
        """Say how far a journal is stored, for good."""
        return self._signed(at.gateway, Channel.ACK, canonical(_stored(at)))

    def beat(self, gateway: str, told: Heartbeat) -> Publish:
        """Say that a heartbeat was heard; its number shows that this is no old word."""
        body = {"gw": gateway, "nonce": told.nonce, "n": told.number}
        return self._signed(gateway, Channel.HEARTBEAT, canonical(body))

    def day(self, gateway: str, told: Day, compared: Compared) -> Publish:
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

    def current(self, gateway: str, pull: Pull) -> Publish:
        """Say that there is nothing newer than what is held."""
        nothing = {"count": 0, "hash": "0" * 64, "i": 0, "n": 0, "rows": []}
        body = canonical(_head(gateway, pull, pull.held) | nothing)
        return self._signed(gateway, Channel.FEED, body)

    def parts(self, gateway: str, pull: Pull, feed: Snapshot) -> Iterator[Publish]:
        """Yield a snapshot's parts; each is signed when it is asked for."""
        whole = {"count": feed.count, "hash": feed.hash, "n": len(feed.slices)}
        head = _head(gateway, pull, feed.cursor) | whole
        for number, rows in enumerate(feed.slices):
            # "rows" is the last of the keys in their order.
            text = canonical(head | {"i": number})[:-1] + f',"rows":[{rows}]}}'
            yield self._signed(gateway, Channel.FEED, text)

    def _signed(self, gateway: str, channel: Channel, body: str) -> Publish:
        topic = f"mn/v1/dn/{gateway}/{channel.value}"
        payload = self._signer.sign(channel.purpose, body)
        return Publish(topic=topic, payload=payload)


def _stored(at: Standing) -> Mapping[str, int | str]:
    return {"gw": at.gateway, "epoch": at.epoch, "hi": at.hi, "h": at.hash.hex()}


def _head(gateway: str, pull: Pull, cursor: FeedCursor) -> dict[str, object]:
    return {
        "gw": gateway,
        "re": pull.nonce,
        "epoch": cursor.epoch,
        "rev": cursor.rev,
    }
