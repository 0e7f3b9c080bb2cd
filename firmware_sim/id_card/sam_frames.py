# SPDX-License-Identifier: Apache-2.0
"""The reader's end of the SAM_V serial frames: requests in, replies out.

The law of the module: it knows frames, not what they mean. Bytes never raise: a frame
that does not hold becomes a value, and the search goes on one byte further, so that a
sound frame behind a broken one is found (a run of AA before the preamble is legal).
Source: "SAM_V serial protocol" text as published by softs.im and eastcoms.com: the
preamble AA AA AA 96 69, LEN (two bytes, big-endian, counts all that follows it), the
content, CHK = XOR of everything between preamble and CHK.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import xor

PREAMBLE = bytes.fromhex("AAAAAA9669")
#: CMD, PARA and CHK: the shortest request.
MIN_LENGTH = 3
#: The longest known request has LEN 4; more is a length the reader calls wrong.
MAX_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SamRequest:
    """A sound request: ``CMD PARA`` and what follows them."""

    command: int
    parameter: int
    data: bytes = b""


class SamGarbage(StrEnum):
    """Why a frame of the gateway does not hold."""

    WRONG_CHECKSUM = "wrong checksum"
    WRONG_LENGTH = "wrong length"


class SamRequests:
    """Finds requests in a stream of bytes that may be cut anywhere."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[SamRequest | SamGarbage]:
        """Return what the bytes so far complete, in order."""
        self._buffer += data
        found: list[SamRequest | SamGarbage] = []
        while (item := self._next()) is not None:
            found.append(item)
        return found

    def forget(self) -> None:
        """Drop the beginning of a frame: the reader lost its power."""
        self._buffer.clear()

    def _next(self) -> SamRequest | SamGarbage | None:
        buffer = self._buffer
        start = buffer.find(PREAMBLE)
        if start < 0:
            del buffer[: -len(PREAMBLE) + 1]
            return None
        del buffer[:start]
        if len(buffer) < 7:
            return None
        length = int.from_bytes(buffer[5:7], "big")
        if not MIN_LENGTH <= length <= MAX_LENGTH:
            del buffer[:1]
            return SamGarbage.WRONG_LENGTH
        if len(buffer) < 7 + length:
            return None
        frame = bytes(buffer[: 7 + length])
        if checksum(frame[5:]) != 0:
            del buffer[:1]
            return SamGarbage.WRONG_CHECKSUM
        del buffer[: len(frame)]
        return SamRequest(command=frame[7], parameter=frame[8], data=frame[9:-1])


def checksum(content: bytes) -> int:
    """Return the XOR of all bytes; 0 over a content with its own CHK."""
    return reduce(xor, content, 0)


def reply(status: int, data: bytes = b"") -> bytes:
    """Return the frame ``00 00 status data`` with preamble, LEN and CHK."""
    content = (4 + len(data)).to_bytes(2, "big") + bytes((0, 0, status)) + data
    return PREAMBLE + content + bytes((checksum(content),))
