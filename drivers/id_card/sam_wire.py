# SPDX-License-Identifier: Apache-2.0
"""Frames between a host and an identity-card reader with a SAM_V module.

The law of the module: bytes to values and back, nothing remembered. A reply carries
no name of its command, so :func:`answers` decides by status and size which command
a reply can belong to. The newest address (30 03) is not here: nobody asks for it.

Source: SAM_V serial protocol text (softs.im "身份证阅读器通信协议", eastcoms.com
download 508), revision unknown. Host: ``AA AA AA 96 69 LEN CMD PARA [DATA] CHK``;
reader: ``AA AA AA 96 69 LEN SW1 SW2 SW3 [DATA] CHK``; LEN (big-endian) counts what
follows it, CHK is the XOR of all between preamble and CHK.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

from drivers.checksum import xor_of
from drivers.framing import LengthFramer

PREAMBLE = bytes.fromhex("AAAAAA9669")
#: Preamble and LEN.
_HEADER_BYTES = 7
#: SW1 SW2 SW3 CHK: no reply is shorter.
_LEAST_LEN = 4
#: The longest reply, text with photo and fingerprint, has 2321 bytes; a LEN beyond
#: is noise and must not make us wait for it.
MAX_REPLY_BYTES = 2400
#: LENtext(2) LENphoto(2) text(256) photo(1024).
_READ_DATA_BYTES = 4 + 256 + 1024


class Command(Enum):
    """What the host asks; the value is CMD PARA."""

    STATUS = bytes.fromhex("11FF")
    MODULE_NUMBER = bytes.fromhex("12FF")
    FIND = bytes.fromhex("2001")
    SELECT = bytes.fromhex("2002")
    READ = bytes.fromhex("3001")


class Status(IntEnum):
    """SW3, the result; readers know more of them than this text does."""

    WRONG_CHECKSUM = 0x10
    WRONG_LENGTH = 0x11
    WRONG_COMMAND = 0x21
    UNKNOWN_ERROR = 0x24
    CARD_REFUSED_SAM = 0x31
    SAM_REFUSED_CARD = 0x32
    CHECK_FAILED = 0x33
    UNKNOWN_CARD_KIND = 0x40
    READ_FAILED = 0x41
    RANDOM_FAILED = 0x47
    SELF_TEST_FAILED = 0x60
    NOT_AUTHORISED = 0x66
    NO_CARD = 0x80
    SELECT_FAILED = 0x81
    OK = 0x90
    NO_CONTENT = 0x91
    FOUND = 0x9F


#: Faults of the reader or its line; whatever card may lie there has no part in them.
READER_FAULTS = frozenset(
    {
        Status.WRONG_CHECKSUM,
        Status.WRONG_LENGTH,
        Status.WRONG_COMMAND,
        Status.SELF_TEST_FAILED,
        Status.NOT_AUTHORISED,
    }
)
_SUCCESSES = frozenset({Status.OK, Status.FOUND})
_OK_DATA_BYTES = {
    Command.STATUS: 0,
    Command.MODULE_NUMBER: 16,
    Command.SELECT: 8,
    Command.READ: _READ_DATA_BYTES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply's SW3 and data; whoever has read ``data`` wipes it."""

    status: int
    data: bytearray = field(repr=False)


def encode(command: Command) -> bytes:
    """Return the whole frame of a command."""
    body = bytes([0, len(command.value) + 1]) + command.value
    return PREAMBLE + body + bytes([xor_of(body)])


def is_sound(frame: bytes | bytearray) -> bool:
    """Whether this is a whole frame, of either side, with the right checksum."""
    length = int.from_bytes(frame[5:7], "big")
    is_whole = len(frame) == _HEADER_BYTES + length and frame.startswith(PREAMBLE)
    # Over a view: the frame may hold what must not lie about in copies.
    return is_whole and xor_of(memoryview(frame)[len(PREAMBLE) :]) == 0


def decode(frame: bytes | bytearray) -> Reply | None:
    """Take a reader's whole frame apart; None if it is none of a reader's."""
    is_reply = _size_of(frame) == len(frame) and is_sound(frame)
    return reply_of(frame) if is_reply else None


def reply_of(frame: bytes | bytearray) -> Reply:
    """Take apart a reader's frame that :func:`reply_framer` has checked."""
    # Through a view, so that there is one copy to wipe, not two.
    return Reply(status=frame[9], data=bytearray(memoryview(frame)[10:-1]))


def answers(command: Command, reply: Reply) -> bool:
    """Whether a reply can belong to a command; a late one of another cannot.

    Every failure fits every command. A success must be the command's own: 9F for
    find, 90 with the documented amount of data for the others.
    """
    if reply.status not in _SUCCESSES:
        return True
    if command is Command.FIND:
        return reply.status == Status.FOUND
    return reply.status == Status.OK and len(reply.data) == _OK_DATA_BYTES[command]


def describe(status: int) -> str:
    """Return a status in words for a log: ``status 66 (not authorised)``."""
    known = status in Status.__members__.values()
    words = Status(status).name.lower().replace("_", " ") if known else "unknown"
    return f"status {status:02X} ({words})"


def module_number(data: bytes | bytearray) -> str:
    """Return the printed form of a module number's 16 bytes: ``05.01-20200101-…``."""
    kind, version = data[0:2], data[2:4]
    words = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12))
    date, serial, batch = words
    head = f"{kind[0]:02d}.{version[0]:02d}-{date:d}"
    return f"{head}-{serial:010d}-{batch:010d}"


def reply_framer() -> LengthFramer:
    """Return a framer for what a reader says."""
    return LengthFramer(
        preamble=PREAMBLE,
        header_bytes=_HEADER_BYTES,
        max_frame_bytes=MAX_REPLY_BYTES,
        size_of=_size_of,
        is_sound=is_sound,
    )


def _size_of(frame: bytes | bytearray) -> int | None:
    length = int.from_bytes(frame[5:7], "big")
    size = _HEADER_BYTES + length
    return size if length >= _LEAST_LEN and size <= MAX_REPLY_BYTES else None
