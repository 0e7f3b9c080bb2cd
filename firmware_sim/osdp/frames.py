# SPDX-License-Identifier: Apache-2.0
"""The peripheral's end of OSDP framing: commands in, replies out.

The law of the module: it knows the frame, its check and where a security block and a
MAC stand, not what they mean. A frame that does not hold loses one byte and the search
for the next start byte goes on; it never raises.
Source: SIA OSDP 2.2 (IEC 60839-11-5) as goToMain/libosdp 3.2.9 speaks it
(src/osdp_phy.c, doc/protocol); the standard's own text was not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

MARK, START = 0xFF, 0x53
#: All devices of a line; meant for a line with one device alone.
BROADCAST = 0x7F
IS_REPLY = 0x80
#: What libosdp takes and offers (its PDCAP function 10); the standard asks for 128.
MAX_PACKET_BYTES = 256
#: Start byte, address, two of length, control.
_HEADER_BYTES = 5
_MAC_BYTES = 4
_HAS_CRC, _HAS_BLOCK, _SEQUENCE = 0x04, 0x08, 0x03


class Code(IntEnum):
    """Commands that a reader knows."""

    POLL = 0x60
    ID = 0x61
    CAP = 0x62
    LSTAT = 0x64
    ISTAT = 0x65
    OSTAT = 0x66
    RSTAT = 0x67
    OUT = 0x68
    LED = 0x69
    BUZ = 0x6A
    TEXT = 0x6B
    COMSET = 0x6E
    KEYSET = 0x75
    CHLNG = 0x76
    SCRYPT = 0x77
    ACURXSIZE = 0x7B
    ABORT = 0xA2
    KEEPACTIVE = 0xA7


class Reply(IntEnum):
    """Replies that a reader gives."""

    ACK = 0x40
    NAK = 0x41
    PDID = 0x45
    PDCAP = 0x46
    LSTATR = 0x48
    ISTATR = 0x49
    OSTATR = 0x4A
    RSTATR = 0x4B
    RAW = 0x50
    KEYPAD = 0x53
    COM = 0x54
    CCRYPT = 0x76
    RMAC_I = 0x78
    BUSY = 0x79


class Refusal(IntEnum):
    """The first data byte of a NAK."""

    CHECK = 1
    LENGTH = 2
    COMMAND = 3
    SEQUENCE = 4
    NO_SECURITY = 5
    SECURITY_STATE = 6
    RECORD = 9


class Block(IntEnum):
    """Types of security block; 11 to 14 carry one more byte."""

    NONE = 0
    CHALLENGE = 0x11
    CLIENT_CRYPTOGRAM = 0x12
    SERVER_CRYPTOGRAM = 0x13
    INITIAL_MAC = 0x14
    COMMAND_MAC = 0x15
    REPLY_MAC = 0x16
    COMMAND_SECRET = 0x17
    REPLY_SECRET = 0x18


_COMMANDS_WITH_MAC = (Block.COMMAND_MAC, Block.COMMAND_SECRET)
_REPLIES_WITH_MAC = (Block.REPLY_MAC, Block.REPLY_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFrame:
    """A sound frame of the panel; ``signed`` is what its MAC covers.

    ``data`` is as it stood on the wire, enciphered under block 17; ``is_sound`` is
    False where the check alone failed, and then no field but these may be trusted.
    """

    address: int
    sequence: int
    has_crc: bool
    code: int
    data: bytes = b""
    block: int = Block.NONE
    block_data: bytes = b""
    mac: bytes = b""
    signed: bytes = b""
    is_sound: bool = True

    @property
    def has_mac(self) -> bool:
        """Tell whether the frame speaks inside a secure channel."""
        return self.block in _COMMANDS_WITH_MAC


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFrame:
    """A reply as it is to be framed; ``data`` as it is to stand on the wire."""

    address: int
    sequence: int
    has_crc: bool
    code: int
    data: bytes = b""
    block: int = Block.NONE
    block_data: bytes = b""

    def signed(self) -> bytes:
        """Return the start byte to the last data byte, the length already final."""
        has_block = self.block != Block.NONE
        block = bytes((2 + len(self.block_data), self.block)) + self.block_data
        body = (block if has_block else b"") + bytes((self.code,)) + self.data
        tail = (2 if self.has_crc else 1) + self._mac_bytes()
        size = _HEADER_BYTES + len(body) + tail
        control = self.sequence & _SEQUENCE
        control |= _HAS_CRC * self.has_crc | _HAS_BLOCK * has_block
        address = self.address | IS_REPLY
        return bytes((START, address, size & 0xFF, size >> 8, control)) + body

    def framed(self, mac: bytes = b"") -> bytes:
        """Return the frame; ``mac`` in full or as its first four bytes."""
        return with_check(self.signed() + mac[: self._mac_bytes()], crc=self.has_crc)

    def _mac_bytes(self) -> int:
        return _MAC_BYTES if self.block in _REPLIES_WITH_MAC else 0


class CommandFramer:
    """Cuts a stream into commands; ``silence_s`` ends a frame that stays short."""

    def __init__(self, silence_s: float) -> None:
        self._silence_s = silence_s
        self._buffer = bytearray()
        self._heard_at = float("-inf")
        self.lost_bytes = 0

    def feed(self, data: bytes, now: float) -> list[CommandFrame]:
        """Return the commands that are complete with ``data``, in order."""
        if now - self._heard_at > self._silence_s:
            self.forget()
        self._heard_at = now
        self._buffer += data
        found = []
        while (frame := self._next()) is not None:
            found.append(frame)
        return found

    def forget(self) -> None:
        """Drop half a frame: the line fell silent or the power was cut."""
        self.lost_bytes += len(self._buffer)
        self._buffer.clear()

    def _next(self) -> CommandFrame | None:
        """Return the next frame, None while none is whole."""
        while self._seek():
            if len(self._buffer) < _HEADER_BYTES:
                return None
            size = int.from_bytes(self._buffer[2:4], "little")
            if not _HEADER_BYTES + 2 <= size <= MAX_PACKET_BYTES:
                self._drop(1)
                continue
            if len(self._buffer) < size:
                return None
            frame = decoded(bytes(self._buffer[:size]))
            if frame is None or not frame.is_sound:
                self._drop(1)
            else:
                del self._buffer[:size]
            if frame is not None:
                return frame
        return None

    def _seek(self) -> bool:
        """Drop what stands before the next start byte; tell whether there is one."""
        start = self._buffer.find(START)
        self._drop(len(self._buffer) if start < 0 else start)
        return bool(self._buffer)

    def _drop(self, count: int) -> None:
        self.lost_bytes += count
        del self._buffer[:count]


def decoded(frame: bytes) -> CommandFrame | None:
    """Return a frame's fields; None for what is no command at all."""
    address, control = frame[1], frame[4]
    has_crc = bool(control & _HAS_CRC)
    if address & IS_REPLY:
        return None
    content = frame[:-2] if has_crc else frame[:-1]
    sequence = control & _SEQUENCE
    if with_check(content, crc=has_crc) != frame:
        return CommandFrame(
            address=address, sequence=sequence, has_crc=has_crc, code=0, is_sound=False
        )
    parts = _parts(content, has_block=bool(control & _HAS_BLOCK))
    if parts is None:
        return None
    block, block_data, code, data, mac = parts
    return CommandFrame(
        address=address,
        sequence=sequence,
        has_crc=has_crc,
        code=code,
        data=data,
        block=block,
        block_data=block_data,
        mac=mac,
        signed=content[: len(content) - len(mac)],
    )


def _parts(
    content: bytes, *, has_block: bool
) -> tuple[int, bytes, int, bytes, bytes] | None:
    """Return block type, its data, code, data and MAC; None if they do not fit."""
    body, block, block_data, mac = content[_HEADER_BYTES:], 0, b"", b""
    if has_block:
        if len(body) < 2 or not 2 <= body[0] < len(body):
            return None
        block, block_data, body = body[1], body[2 : body[0]], body[body[0] :]
    if block in _COMMANDS_WITH_MAC:
        if len(body) <= _MAC_BYTES:
            return None
        body, mac = body[:-_MAC_BYTES], body[-_MAC_BYTES:]
    return (block, block_data, body[0], body[1:], mac) if body else None


def with_check(content: bytes, *, crc: bool) -> bytes:
    """Return ``content`` and its CRC, or its check byte."""
    if crc:
        return content + crc_16(content).to_bytes(2, "little")
    return content + bytes((-sum(content) & 0xFF,))


def crc_16(content: bytes) -> int:
    """Return the CRC of polynomial 1021 from 1D0F on, nothing reflected."""
    crc = 0x1D0F
    for byte in content:
        crc = (crc << 8 & 0xFFFF) ^ _CRC_OF[crc >> 8 ^ byte]
    return crc


def _crc_of(byte: int) -> int:
    crc = byte << 8
    for _ in range(8):
        crc = crc << 1 ^ (0x1021 if crc & 0x8000 else 0)
    return crc & 0xFFFF


_CRC_OF = tuple(_crc_of(byte) for byte in range(256))
