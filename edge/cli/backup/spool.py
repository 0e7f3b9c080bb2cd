# SPDX-License-Identifier: Apache-2.0
"""A file that comes over the control socket in pieces, on the disk as it comes.

The law of the module: one at a time, as big as was said and no bigger than it may be,
in order, without a gap; until it is whole nobody reads it. What was half-way at a
start is gone.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import secrets
import shutil
from typing import TYPE_CHECKING, Any

from edge.cli.keys.install import make_folder

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "incoming"
#: Of a file that nobody goes on with somebody else may take the place.
QUIET_S = 120.0
#: Room that a file leaves for the journal.
SPARE_BYTES = 64 << 20


class SpoolError(ValueError):
    """A file is not taken in; ``kind`` is a word for a page: size, room, piece."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(f"{kind}: {why}")
        self.kind = kind


class Spool:
    """The file that comes in, as ``name`` in the state folder's own place for it."""

    def __init__(self, state: Path, name: str) -> None:
        self.path = state / FOLDER / name
        self._ticket = ""
        self._most = 0
        self._taken = 0
        #: Whether all of it is here.
        self.is_whole = False
        self._heard_s = 0.0
        self._writing = asyncio.Lock()

    def is_busy(self, now_s: float) -> bool:
        """Say whether somebody else's file is on its way."""
        is_half = bool(self._ticket) and not self.is_whole
        return is_half and now_s - self._heard_s < QUIET_S

    async def begin(self, size: object, most: int, now_s: float) -> str:
        """Begin one of so many bytes at most; return its ticket, or SpoolError."""
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= most:
            raise SpoolError("size", f"1 to {most} bytes")
        await self.drop()
        await asyncio.to_thread(self._create, size)
        self._ticket, self._most, self._taken = secrets.token_hex(16), size, 0
        self._heard_s = now_s
        return self._ticket

    async def take(self, request: dict[str, Any], now_s: float) -> int:
        """Take the next piece in; return how much is here. SpoolError if it is none.

        The last one says ``is_last``, and may be empty.
        """
        is_last = request.get("is_last") is True
        piece = _piece(request.get("piece"), is_last=is_last)
        async with self._writing:
            self.check(request)
            if request.get("offset") != self._taken or self.is_whole:
                raise SpoolError("piece", "not the next one; begin once more")
            if self._taken + len(piece) > self._most:
                raise SpoolError("size", "more than was said; begin once more")
            await asyncio.to_thread(self._append, piece)
            self._taken += len(piece)
            self._heard_s, self.is_whole = now_s, is_last
            return self._taken

    def check(self, request: dict[str, Any]) -> None:
        """SpoolError for the ticket of another file."""
        known, told = self._ticket, request.get("ticket")
        is_it = isinstance(told, str) and secrets.compare_digest(told, known)
        if not known or not is_it:
            raise SpoolError("piece", "of no file on its way; begin once more")

    async def drop(self) -> None:
        """Forget the file."""
        self._ticket, self.is_whole = "", False
        await asyncio.to_thread(self.path.unlink, missing_ok=True)

    def _create(self, size: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            make_folder(self.path.parent)
            free = shutil.disk_usage(self.path.parent).free
            os.close(os.open(self.path, flags, 0o600))
        except OSError as fault:
            raise SpoolError("room", f"the disk fails ({fault.strerror})") from fault
        if free < size + SPARE_BYTES:
            raise SpoolError("room", "the disk of this box is too full for it")

    def _append(self, piece: bytes) -> None:
        try:
            with self.path.open("ab") as file:
                file.write(piece)
        except OSError as fault:
            raise SpoolError("room", f"the disk fails ({fault.strerror})") from fault


def forget_spools(state: Path) -> None:
    """Throw away what was half-way when this box went down."""
    shutil.rmtree(state / FOLDER, ignore_errors=True)


def _piece(text: object, *, is_last: bool) -> bytes:
    try:
        piece = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        piece = b""
    if not piece and not (is_last and text == ""):
        raise SpoolError("piece", "some bytes as base64")
    return piece
