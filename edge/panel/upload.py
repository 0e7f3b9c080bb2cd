# SPDX-License-Identifier: Apache-2.0
"""A file that a browser sends, passed on to the gateway piece by piece.

The law of the module: no more of it is held here than one piece, nothing of it touches
a disk here, and nothing that came in with it (its name, its kind) is looked at. The
one-time token stands before the file, or nothing of it is passed on.
Source: RFC 7578 (multipart/form-data).
"""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING, Any

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import Request

    #: Asks the gateway on behalf of whoever looks: verb and fields.
    Ask = Callable[..., Awaitable[dict[str, Any]]]

# It would write down what somebody sent.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())
logging.getLogger("python_multipart").propagate = False

#: The one address that takes a file, and the bytes of the biggest form there.
UPLOADS = {"/first/restore/file": (512 << 20) + 4_096}
#: Bytes of a piece: as base64 it fits into a line of the control socket.
PIECE = 45_000
MAX_TOKEN = 64
#: A browser's heading of a part: a field's name, and a file's.
MAX_HEADING = 4_096


class FileForm:
    """One form with a ``token`` and a ``file``, as far as it has come in."""

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        self.token = ""
        self.has_file = False
        self.data = bytearray()
        self._field = b""
        self._heading = b""
        self._part = b""
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_begin": self._begin_header,
            "on_header_field": self._name_header,
            "on_header_value": self._take_header,
            "on_part_data": self._take,
        }
        boundary = options.get(b"boundary", b"")
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    def feed(self, chunk: bytes) -> None:
        """Take bytes in; ValueError for what is no such form."""
        self._parser.write(chunk)

    def take(self, size: int) -> bytes:
        """Return the next bytes of the file, and let go of them."""
        piece = bytes(self.data[:size])
        del self.data[:size]
        return piece

    def _begin(self) -> None:
        self._part = b""

    def _begin_header(self) -> None:
        self._field, self._heading = b"", b""

    def _name_header(self, data: bytes, start: int, end: int) -> None:
        self._field = (self._field + data[start:end])[:MAX_HEADING]

    def _take_header(self, data: bytes, start: int, end: int) -> None:
        self._heading += data[start:end]
        if len(self._heading) + len(self._field) > MAX_HEADING:
            raise ValueError("a heading as long as a file")
        if self._field.lower() == b"content-disposition":
            _, options = parse_options_header(self._heading)
            self._part = options.get(b"name", b"")

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._part == b"token" and not self.has_file:
            self.token = (self.token + data[start:end].decode("latin-1"))[:MAX_TOKEN]
        elif self._part == b"file":
            self.has_file = True
            self.data += data[start:end]


async def pass_on(
    request: Request, spend: Callable[[str], bool], ask: Ask, verb: str
) -> str:
    """Pass a form's file on; return the word for what became of it.

    ``spend`` says whether the token is good. What cannot be used is read away, so that
    the browser gets to read the answer.
    """
    try:
        form = FileForm(request.headers.get("content-type", ""))
    except ValueError:
        return "again"
    sender = Sender(ask, verb, int(request.headers["content-length"]))
    word = ""
    try:
        async for chunk in request.stream():
            if not word:
                word = await _next(form, chunk, spend, sender)
    except ClientDisconnect:
        return "piece"
    if word or not form.has_file:
        return word or "none"
    return await sender.send(form.take(PIECE), is_last=True)


async def _next(
    form: FileForm, chunk: bytes, spend: Callable[[str], bool], sender: Sender
) -> str:
    """Take a chunk in; return a word where that is the end of it."""
    try:
        form.feed(chunk)
    except ValueError:
        return "again"
    if form.has_file and not sender.ticket:
        word = await sender.begin() if spend(form.token) else "again"
        if word:
            return word
    while len(form.data) > PIECE:
        word = await sender.send(form.take(PIECE), is_last=False)
        if word != "taken":
            return word
    return ""


class Sender:
    """A file on its way to the gateway: begun once, then piece after piece."""

    def __init__(self, ask: Ask, verb: str, most: int) -> None:
        self._ask = ask
        self._verb = verb
        self._most = most
        #: The gateway's word for this file, "" before it has begun.
        self.ticket = ""
        self._offset = 0

    async def begin(self) -> str:
        """Begin; return "" or why not."""
        answer = await self._ask(f"{self._verb}-begin", bytes=self._most)
        if answer.get("state") != "begun":
            return _word(answer)
        self.ticket = str(answer.get("ticket"))
        return ""

    async def send(self, piece: bytes, *, is_last: bool) -> str:
        """Send a piece; ``taken``, or why not."""
        answer = await self._ask(
            f"{self._verb}-piece",
            ticket=self.ticket,
            offset=self._offset,
            piece=base64.b64encode(piece).decode("ascii"),
            is_last=is_last,
        )
        self._offset += len(piece)
        return _word(answer)


def _word(answer: dict[str, Any]) -> str:
    known = ("taken", "busy", "size", "room", "piece")
    word = answer.get("state")
    return str(word) if word in known else "again"
