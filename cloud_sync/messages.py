# SPDX-License-Identifier: Apache-2.0
"""The bodies that the platform signs, read into values.

The law of the module: dictionaries end here. A field that is missing or of another
kind makes the whole body a refusal; unknown fields are ignored.
Source: docs/sync-contract.md, section 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

from cloud_sync.command_body import SignedCommand, read_command
from cloud_sync.feed import FeedCursor, FeedOffer, FeedPart
from cloud_sync.refusal import RefusalKind, Refused
from cloud_sync.renewing import CertificateAnswer
from cloud_sync.topics import Channel
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HASH = re.compile(r"[0-9a-f]{64}")
_NONCE = re.compile(r"[0-9a-f]{32}")
_REFUSAL = re.compile(r"[A-Z_]{1,40}")
_PEM = re.compile(
    r"(?=.{1,8192}\Z)-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+"
    r"-----END CERTIFICATE-----\n",
    re.DOTALL,
)
#: Where a snapshot waits, below the address that the gateway's own settings name.
_PATH = re.compile(r"(/[A-Za-z0-9_-]{1,64}){1,8}")


class DayVerdict(StrEnum):
    """What the platform says of a stretch; LATER: it does not have all of it yet."""

    AGREED = "agreed"
    DIFFERS = "differs"
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloAnswer:
    """What the platform holds of this gateway; ``hash`` is None where ``hi`` is 0."""

    nonce: str
    epoch: str
    hi: int
    hash: bytes | None
    time_ms: int
    feed: FeedCursor
    #: What else the platform takes of a gateway; none with one of before there was any.
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Everything up to ``hi`` is committed at the platform; ``hash`` is ``h_hi``."""

    epoch: str
    hi: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """There is a feed at ``feed``."""

    feed: FeedCursor


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatAnswer:
    """The platform has taken heartbeat ``number`` of the connection ``nonce``."""

    nonce: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAnswer:
    """How the platform's count of a stretch of the journal compares with ours.

    ``count`` events of it are there; ``hash`` is what it holds at ``last``, None for
    nothing; ``why`` says in a word what differs.
    """

    epoch: str
    first: int
    last: int
    verdict: DayVerdict
    count: int
    hash: bytes | None
    why: str


Message = (
    HelloAnswer
    | Ack
    | FeedPart
    | FeedOffer
    | Nudge
    | SignedCommand
    | BeatAnswer
    | DayAnswer
    | CertificateAnswer
)


def read(channel: Channel, body: Mapping[str, Any]) -> Message | Refused:
    """Read an opened body of that channel."""
    if channel is Channel.COMMAND:
        return read_command(body)
    try:
        return _READERS[channel](_Fields(body))
    except _UnfitError as unfit:
        return Refused(kind=RefusalKind.BODY, why=str(unfit))


class _UnfitError(Exception):
    """A field is not what the contract says; never leaves this module."""


class _Fields:
    """Typed access to the fields of a body."""

    __slots__ = ("_body",)

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body

    def __contains__(self, name: str) -> bool:
        return name in self._body

    def text(self, name: str) -> str:
        value = self._body.get(name)
        return value if isinstance(value, str) else self._unfit(name)

    def has(self, name: str) -> bool:
        return name in self._body

    def number(self, name: str) -> int:
        value = self._body.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self._unfit(name)
        return value

    def matched(self, name: str, pattern: re.Pattern[str]) -> str:
        value = self.text(name)
        return value if pattern.fullmatch(value) else self._unfit(name)

    def hash(self, name: str) -> bytes:
        value = self.text(name)
        return bytes.fromhex(value) if _HASH.fullmatch(value) else self._unfit(name)

    def rows(self, name: str) -> tuple[object, ...]:
        value = self._body.get(name)
        return tuple(value) if isinstance(value, list) else self._unfit(name)

    def words(self, name: str) -> tuple[str, ...]:
        """Return a list of words; an earlier version of the contract has none."""
        value = self._body.get(name, [])
        if not isinstance(value, list) or not all(isinstance(w, str) for w in value):
            self._unfit(name)
        return tuple(value)

    def verdict(self, name: str) -> DayVerdict:
        try:
            return DayVerdict(self.text(name))
        except ValueError:
            self._unfit(name)

    def part(self, name: str) -> _Fields:
        value = self._body.get(name)
        return _Fields(value) if isinstance(value, dict) else self._unfit(name)

    def cursor(self) -> FeedCursor:
        try:
            return FeedCursor(epoch=self.text("epoch"), rev=self.number("rev"))
        except ValueError:
            self._unfit("epoch")

    def _unfit(self, name: str) -> NoReturn:
        raise _UnfitError(f"{name!r} is missing or not what the contract says")


def _hello(fields: _Fields) -> HelloAnswer:
    hi, time_ms = fields.number("hi"), fields.number("time")
    if time_ms > UNBOUNDED_MS:
        raise _UnfitError("'time' lies beyond the year 9999")
    return HelloAnswer(
        nonce=fields.text("nonce"),
        epoch=fields.text("epoch"),
        hi=hi,
        hash=fields.hash("h") if hi else None,
        time_ms=time_ms,
        feed=fields.part("feed").cursor(),
        capabilities=fields.words("caps"),
    )


def _ack(fields: _Fields) -> Ack:
    hi = fields.number("hi")
    if hi == 0:
        # Nothing is stored yet; a platform may say so, and its hash says nothing.
        return Ack(epoch=fields.text("epoch"), hi=0, hash=b"")
    return Ack(epoch=fields.text("epoch"), hi=hi, hash=fields.hash("h"))


def _feed(fields: _Fields) -> FeedPart | FeedOffer:
    parts = fields.number("n")
    if parts == 0:
        return _current(fields)
    if "at" in fields:
        return _offer(fields, parts)
    since = fields.number("from") if "from" in fields else None
    cursor = fields.cursor()
    # The sum is known where the feed stands now, and not half the way to there.
    is_head = since is None or fields.number("head") <= cursor.rev
    return FeedPart(
        pull=fields.text("re"),
        cursor=cursor,
        index=fields.number("i"),
        parts=parts,
        count=fields.number("count"),
        hash=fields.hash("hash") if is_head else b"",
        rows=fields.rows("rows"),
        since=since,
        total=0 if since is None or not is_head else fields.number("total"),
    )


def _current(fields: _Fields) -> FeedPart:
    """Read the word that nothing is newer; an older platform says no more."""
    told = fields.hash("sum") if "sum" in fields else b""
    return FeedPart(
        pull=fields.text("re"),
        cursor=fields.cursor(),
        index=0,
        parts=0,
        count=0,
        hash=told,
        rows=(),
    )


def _offer(fields: _Fields, parts: int) -> FeedOffer:
    path = fields.text("at")
    if not _PATH.fullmatch(path):
        raise _UnfitError("'at' is no path")
    fields.cursor()
    return FeedOffer(pull=fields.text("re"), path=path, parts=parts)


def _nudge(fields: _Fields) -> Nudge:
    return Nudge(feed=fields.cursor())


def _beat(fields: _Fields) -> BeatAnswer:
    return BeatAnswer(nonce=fields.text("nonce"), number=fields.number("n"))


def _day(fields: _Fields) -> DayAnswer:
    return DayAnswer(
        epoch=fields.text("epoch"),
        first=fields.number("first"),
        last=fields.number("last"),
        verdict=fields.verdict("verdict"),
        count=fields.number("count"),
        hash=fields.hash("h") if fields.has("h") else None,
        why=fields.text("why") if fields.has("why") else "",
    )


def _certificate(fields: _Fields) -> CertificateAnswer:
    nonce = fields.matched("re", _NONCE)
    if fields.has("refused"):
        refusal = fields.matched("refused", _REFUSAL)
        return CertificateAnswer(nonce=nonce, refusal=refusal)
    certificate = fields.matched("certificate", _PEM)
    authority = fields.matched("authority", _PEM)
    return CertificateAnswer(nonce=nonce, certificate=certificate, authority=authority)


_READERS: dict[Channel, Callable[[_Fields], Message]] = {
    Channel.HELLO: _hello,
    Channel.ACK: _ack,
    Channel.FEED: _feed,
    Channel.NUDGE: _nudge,
    Channel.HEARTBEAT: _beat,
    Channel.DAY: _day,
    Channel.CERTIFICATE: _certificate,
}
