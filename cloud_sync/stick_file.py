# SPDX-License-Identifier: Apache-2.0
"""The lines of a stick's file: a first line that names it, a last that seals it.

The law of the module: the seal is for copies that were cut or changed by accident; who
wrote a file is proved by signatures alone. A line is a JSON value of bounded length.
Source: docs/sneakernet.md.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cloud_sync.signing import MESSAGE_BYTES
from edge.core.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

UP, DOWN, END = "mn.stick.up.v1", "mn.stick.down.v1", "mn.stick.end.v1"
VERSION = 1
#: A message of the contract, its two quotes and the end of the line.
LINE_BYTES = MESSAGE_BYTES + 3
#: 4096 parts of a snapshot, and the three lines around them.
MAX_LINES = 4096 + 3


def signed_text(header: dict[str, Any]) -> bytes:
    """Return what a box signs of an export: the purpose, the header but its signature.

    ValueError for a header that no box can have signed.
    """
    told = {name: value for name, value in header.items() if name != "signature"}
    return f"{UP}\n{canonical(told)}".encode()


class StickError(Exception):
    """A stick's file is of no use; the text begins with the refusal's name."""

    def __init__(self, name: str, what_to_do: str) -> None:
        super().__init__(f"{name}: {what_to_do}")
        self.name = name


class Seal:
    """What the last line says of all lines before it."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._lines = 0

    def add(self, line: bytes) -> None:
        """Count a line, its end included."""
        self._digest.update(line)
        self._lines += 1

    def line(self, **counts: int) -> bytes:
        """Return the last line; ``counts`` are of what the file is about."""
        told: dict[str, int | str] = {
            "lines": self._lines,
            "sha256": self._digest.hexdigest(),
            "type": END,
            **counts,
        }
        return canonical(told).encode() + b"\n"

    def holds(self, line: bytes) -> bool:
        """Say whether ``line`` seals what was added."""
        told = value_of(line)
        return (
            isinstance(told, dict)
            and told.get("lines") == self._lines
            and told.get("sha256") == self._digest.hexdigest()
        )


def check_import(file: BinaryIO) -> str:
    """Read a file of the platform once through; return its signed header.

    StickError if it is not whole, or not for a gateway.
    """
    first = file.readline(LINE_BYTES + 1)
    _check_first(value_of(first))
    seal, header, before = Seal(), "", first
    for line in _lines(file):
        seal.add(before)
        before = line
        if not header and kind_of(value_of(line)) != END:
            header = message_of(line)
    if kind_of(value_of(before)) != END or not seal.holds(before):
        raise torn()
    if not header:
        raise StickError("NOT_A_STICK", "nothing is in this file; ask the platform")
    return header


def parts_of(file: BinaryIO) -> Iterator[str]:
    """Yield the messages after the header of a file that was checked."""
    file.seek(0)
    file.readline(LINE_BYTES + 1)
    file.readline(LINE_BYTES + 1)
    for line in _lines(file):
        if kind_of(value_of(line)) == END:
            return
        yield message_of(line)
    raise torn()


def message_of(line: bytes) -> str:
    """Return the signed message on a line."""
    message = value_of(line)
    if not isinstance(message, str):
        raise StickError("NOT_A_STICK", "a line without a signed message in it")
    return message


def value_of(line: bytes) -> Any:
    """Return what a line says, None for what is no JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    count = 1
    while line := file.readline(LINE_BYTES + 1):
        count += 1
        if not line.endswith(b"\n") or count > MAX_LINES:
            raise torn()
        yield line


def kind_of(value: object) -> object:
    """Return what a line says that it is."""
    return value.get("type") if isinstance(value, dict) else None


def _check_first(told: object) -> None:
    kind = kind_of(told)
    if kind == UP:
        raise StickError(
            "WRONG_WAY",
            "this file was made by a gateway for the platform: carry it there, and "
            "import what the platform gives you for it",
        )
    if not isinstance(told, dict) or not str(kind).startswith("mn.stick.down."):
        raise StickError(
            "NOT_A_STICK", "this is no file of the platform for a gateway; look again"
        )
    if kind != DOWN or told.get("version") != VERSION:
        raise StickError(
            "TOO_NEW", "a newer platform wrote this file; update the gateway first"
        )


def torn() -> StickError:
    """Return what is wrong with a file that is not whole."""
    return StickError(
        "TORN", "the file was cut or changed on its way; copy it to the stick again"
    )
