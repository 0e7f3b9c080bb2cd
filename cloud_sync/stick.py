# SPDX-License-Identifier: Apache-2.0
"""What the platform sends on a stick: a signed header, then parts of a snapshot.

The law of the module: a stick is believed exactly as far as the wire is. Its purposes
are its own, so that nothing signed for the wire counts on a stick and nothing of a
stick on the wire; its parts are bound to its header, and the header says when the
platform stood by it. Nothing is complete before the assembler of the wire says so.
Source: docs/sneakernet.md; docs/sync-contract.md, sections 4 and 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_sync.feed import FeedCursor, FeedPart, SnapshotAssembler, Staged
from cloud_sync.messages import Ack, read
from cloud_sync.outputs import SnapshotComplete
from cloud_sync.refusal import RefusalKind, Refused
from cloud_sync.topics import Channel
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from cloud_sync.signing import PlatformKeys

HEADER_PURPOSE = "mn.stick.v1"
PART_PURPOSE = "mn.stick.feed.v1"
_STICK = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StickFeed:
    """The snapshot that follows: ``parts`` lines with ``count`` rows in all."""

    cursor: FeedCursor
    parts: int
    count: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StickHeader:
    """One stick: its own name, when it was signed (UTC ms), and what it carries."""

    stick: str
    time_ms: int
    ack: Ack | None
    feed: StickFeed | None


def open_header(
    keys: PlatformKeys, message: bytes, gateway: str
) -> StickHeader | Refused:
    """Read the header of a stick that was written for this gateway."""
    body = keys.open(message, HEADER_PURPOSE, gateway)
    if isinstance(body, Refused):
        return body
    stick, time_ms = body.get("stick"), body.get("time")
    if not isinstance(stick, str) or not _STICK.fullmatch(stick):
        return _unfit("'stick'")
    if type(time_ms) is not int or not 0 <= time_ms <= UNBOUNDED_MS:
        return _unfit("'time'")
    ack, feed = _ack(body.get("ack")), _feed(body.get("feed"), stick)
    if isinstance(ack, Refused) or isinstance(feed, Refused):
        return _unfit("'ack'" if isinstance(ack, Refused) else "'feed'")
    if ack is None and feed is None:
        return _unfit("neither 'ack' nor 'feed'")
    return StickHeader(stick=stick, time_ms=time_ms, ack=ack, feed=feed)


class StickSnapshot:
    """Collects the parts of one stick, in any order, duplicates included."""

    def __init__(
        self,
        *,
        keys: PlatformKeys,
        gateway: str,
        header: StickHeader,
        feed: StickFeed,
        held: FeedCursor,
    ) -> None:
        self._keys = keys
        self._gateway = gateway
        self._stick = header.stick
        self._feed = feed
        self._assembler = SnapshotAssembler(header.stick, held)
        self.is_complete = False

    def receive(self, message: bytes) -> Staged | Refused:
        """Take one part; its rows come back once, however often it comes."""
        body = self._keys.open(message, PART_PURPOSE, self._gateway)
        part = body if isinstance(body, Refused) else read(Channel.FEED, body)
        if isinstance(part, Refused):
            return part
        if not isinstance(part, FeedPart) or part.parts == 0:
            return _unfit("a part of nothing")
        told = StickFeed(
            cursor=part.cursor, parts=part.parts, count=part.count, hash=part.hash
        )
        if part.pull == self._stick and told != self._feed:
            why = "a part that its header does not speak of"
            return Refused(kind=RefusalKind.FEED_SHAPE, why=why)
        answer = self._assembler.receive(part)
        if isinstance(answer, Staged):
            self.is_complete = answer.is_complete
        return answer

    def complete(self, name: str) -> SnapshotComplete:
        """Return the order to apply what was staged under ``name``."""
        return SnapshotComplete(
            snapshot=name,
            cursor=self._feed.cursor,
            hash=self._feed.hash,
            count=self._feed.count,
        )


def _ack(body: Any) -> Ack | Refused | None:
    if body is None:
        return None
    answer = read(Channel.ACK, body) if isinstance(body, dict) else _unfit("'ack'")
    return answer if isinstance(answer, Ack | Refused) else _unfit("'ack'")


def _feed(body: Any, stick: str) -> StickFeed | Refused | None:
    """Read the announcement by the rules of a part: it has the same fields."""
    if body is None:
        return None
    if not isinstance(body, dict):
        return _unfit("'feed'")
    part = read(Channel.FEED, {**body, "re": stick, "i": 0, "rows": []})
    if not isinstance(part, FeedPart) or part.parts == 0:
        return _unfit("'feed'")
    return StickFeed(
        cursor=part.cursor, parts=part.parts, count=part.count, hash=part.hash
    )


def _unfit(what: str) -> Refused:
    why = f"{what} is missing or not what the contract says"
    return Refused(kind=RefusalKind.BODY, why=why)
