# SPDX-License-Identifier: Apache-2.0
"""A gateway's export on a stick, copied off it and held against its own words.

The law of the module: no database. A stick may be anything, and may say another thing
when it is read again: it is read once, into a file without a name, and all that is
believed of it is read there. What a box signed is its head; every line has to lead
there from what the header begins with, or none of them counts. Nothing here is taken
at its word, as a damaged event of the line is: whoever carries a stick can damage one.
Source: docs/sneakernet.md, "Up".
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud_sync.feed import FeedCursor
from cloud_sync.platform.fields import (
    EPOCH,
    HASH,
    LARGEST,
    UnfitError,
    number,
    object_of,
    text,
)
from cloud_sync.platform.items import NO_COMMITMENT, follow
from cloud_sync.platform.uplink import LAST_REV, Batch, Refused, read
from cloud_sync.stick_file import (
    DOWN,
    END,
    LINE_BYTES,
    UP,
    VERSION,
    Seal,
    StickError,
    kind_of,
    signed_text,
    torn,
    value_of,
)
from edge.core.chain import genesis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

#: A journal at its cap is a million events, some 400 MB of lines.
MAX_BYTES = 1 << 30
MAX_LINES = 65_536
#: Kept in memory; more goes into a file that has no name.
_SPOOL_BYTES = 16 << 20
_GATEWAY = re.compile(r"[a-z0-9][a-z0-9-]{2,30}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line: whose events these are, from where to where, and who says so."""

    gateway: str
    epoch: str
    first: int
    last: int
    previous: bytes
    head: bytes
    feed: FeedCursor
    key: str
    signature: bytes
    signed: bytes

    def is_signed_by(self, public: bytes) -> bool:
        """Say whether the box of this key signed the line."""
        try:
            key = Ed25519PublicKey.from_public_bytes(public)
            key.verify(self.signature, self.signed)
        except (InvalidSignature, ValueError):
            return False
        return True


class ExportFile:
    """An export that is whole; its lines are looked at by :meth:`check`."""

    def __init__(self, copy: BinaryIO, header: Header) -> None:
        self._copy = copy
        self.header = header

    def batches(self) -> Iterator[bytes]:
        """Yield the payloads as the wire has them, from the first."""
        self._copy.seek(0)
        self._copy.readline()
        for line in self._copy:
            if kind_of(value_of(line)) == END:
                return
            yield line.rstrip(b"\n")

    def check(self, topic: str) -> None:
        """Return if all lines lead to the signed head; StickError if they do not.

        ``topic`` is the one under which this gateway's events come by the line.
        """
        header = self.header
        seq, at = header.first - 1, header.previous
        if header.first == 1 and at != genesis(header.epoch):
            raise _broken("the journal does not begin as its epoch does")
        for payload in self.batches():
            batch = read(topic, payload).said
            if not isinstance(batch, Batch):
                why = batch.why if isinstance(batch, Refused) else "no batch of events"
                raise StickError("GARBLED", f"behind event {seq}: {why}")
            is_next = batch.first == seq + 1 and batch.previous == at
            if batch.epoch != header.epoch or not is_next:
                raise _broken(f"what comes behind event {seq} does not follow it")
            for entry in follow(batch.first, at, batch.items):
                if entry.com == NO_COMMITMENT:
                    raise StickError(
                        "DAMAGED",
                        f"event {entry.seq} cannot be read, and who carried it could "
                        "have done that; it comes by the line, once that is back",
                    )
                seq, at = entry.seq, entry.hash
            if batch.head not in {None, at}:
                raise _broken(f"event {seq} has another hash than its batch says")
        if (seq, at) != (header.last, header.head):
            raise _broken("the events do not lead to the head that was signed")


@contextmanager
def opened(path: Path) -> Iterator[ExportFile]:
    """Copy an export off a stick, and hold it open; StickError says what is wrong.

    Whole and well-formed it is then; who signed it, and whether it is true, is not
    looked at yet.
    """
    with (
        _regular(path) as file,
        tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as copy,
    ):
        header = _copied(path, file, copy)
        yield ExportFile(cast("BinaryIO", copy), header)


@contextmanager
def _regular(path: Path) -> Iterator[BinaryIO]:
    """Open a file that is one: no link, no pipe that never ends, no device."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.fdopen(os.open(path, flags), "rb")
    except OSError as fault:
        raise StickError("NOT_READ", f"{path}: {fault.strerror}") from fault
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise StickError("NOT_READ", f"{path}: no file that can be read")
        yield file


def _copied(path: Path, file: BinaryIO, copy: Any) -> Header:
    """Copy line by line within the limits; return the header of what is sealed."""
    seal, before, first, size, count = Seal(), b"", b"", 0, 0
    try:
        while line := file.readline(LINE_BYTES + 1):
            size, count = size + len(line), count + 1
            if len(line) > LINE_BYTES or size > MAX_BYTES or count > MAX_LINES:
                raise StickError("TOO_LARGE", "a line, or all of it, exceeds the limit")
            if not line.endswith(b"\n"):
                raise torn()
            if count == 1:
                first = line
                _check_kind(value_of(line))
            else:
                seal.add(before)
            before = line
            copy.write(line)
    except OSError as fault:
        raise StickError("NOT_READ", f"{path}: {fault.strerror}") from fault
    if count < 3 or kind_of(value_of(before)) != END or not seal.holds(before):
        raise torn()
    try:
        return _header(object_of(value_of(first), "the first line"))
    except UnfitError as flaw:
        raise StickError("HEADER", f"{flaw}; export again") from flaw


def _check_kind(told: object) -> None:
    kind = kind_of(told)
    if kind == DOWN:
        raise StickError(
            "WRONG_WAY",
            "this file is the platform's own: bring it to its gateway",
        )
    if not isinstance(told, dict) or not str(kind).startswith("mn.stick.up."):
        raise StickError("NOT_AN_EXPORT", "no file of a gateway for the platform")
    if kind != UP or told.get("version") != VERSION:
        raise StickError("TOO_NEW", "a newer gateway wrote this; update the platform")


def _header(told: dict[str, Any]) -> Header:
    first, last = number(told, "first"), number(told, "last")
    if not 1 <= first <= last <= LARGEST:
        raise UnfitError("'first' and 'last' are no stretch of events")
    feed = object_of(told.get("feed"), "'feed'")
    held = feed.get("epoch")
    if not isinstance(held, str) or (held and not EPOCH.fullmatch(held)):
        raise UnfitError("'epoch' of the feed")
    try:
        signed = signed_text(told)
    except (TypeError, ValueError, RecursionError) as flaw:
        raise UnfitError("it has no canonical form") from flaw
    return Header(
        gateway=text(told, "gateway", _GATEWAY),
        epoch=text(told, "epoch", EPOCH),
        first=first,
        last=last,
        previous=bytes.fromhex(text(told, "prev", HASH)),
        head=bytes.fromhex(text(told, "head", HASH)),
        feed=FeedCursor(epoch=held, rev=number(feed, "rev", most=LAST_REV)),
        key=text(told, "key", HASH),
        signature=bytes.fromhex(text(told, "signature", _SIGNATURE)),
        signed=signed,
    )


def _broken(why: str) -> StickError:
    return StickError("CHAIN", f"{why}; keep the stick, and look at who wrote it")
