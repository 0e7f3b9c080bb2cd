# SPDX-License-Identifier: Apache-2.0
"""A tiny OSDP reader for tests, and a line of them: no line of the driver's codec.

Its cryptography is the cipher modes of ``cryptography`` as they come, its CRC is
reckoned byte by byte; the recorded vectors hold it true (``test_osdp_wire``).
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from drivers.osdp.bus import OsdpReaders
from drivers.osdp.options import OsdpReaderOptions
from tests.drivers.scripted import ScriptedWire
from tests.drivers.vectors import frames

if TYPE_CHECKING:
    from collections.abc import Callable

#: The key of reader 5; see :func:`key_of`.
KEY = "9F3C51D2A8E47706BB10C96E5D24F805"
UID = "BEBA0100AFBEADDE"
PDID = "BEBAFE0101AFBEADDEADDEAD"
#: One contact function with 2 inputs, 2 outputs, lamp, sounder, text, CRC, AES.
PDCAP = "010202020102040201050101060101080100090100"
NOTES = {vector.note: vector.frame for vector in frames("osdp")}


def _crc_row(high: int) -> int:
    value = high << 8
    for _ in range(8):
        value = value << 1 ^ (0x1021 if value & 0x8000 else 0)
    return value & 0xFFFF


_CRC_ROWS = [_crc_row(high) for high in range(256)]


def crc(data: bytes) -> bytes:
    """CRC-16, polynomial 1021, start 1D0F, not reflected; low byte first."""
    value = 0x1D0F
    for byte in data:
        value = (value & 0xFF) << 8 ^ _CRC_ROWS[value >> 8 ^ byte]
    return value.to_bytes(2, "little")


def packet(address: int, control: int, inside: bytes) -> bytes:
    """A packet with CRC; ``inside``: what lies between control and CRC."""
    size = 5 + len(inside) + 2
    body = bytes([0x53, address, size & 0xFF, size >> 8, control]) + inside
    return body + crc(body)


def cbc(key: bytes, start: bytes, data: bytes) -> bytes:
    return Cipher(AES(key), CBC(start)).encryptor().update(data)


def uncbc(key: bytes, start: bytes, data: bytes) -> bytes:
    return Cipher(AES(key), CBC(start)).decryptor().update(data)


def block(key: bytes, data: bytes) -> bytes:
    return cbc(key, bytes(16), data)


def padded(data: bytes) -> bytes:
    return data + b"\x80" + bytes(-(len(data) + 1) % 16)


def flipped(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


class Channel:
    """The reader's side of a secure channel."""

    def __init__(self, key: bytes, panel_nonce: bytes, nonce: bytes) -> None:
        tail = panel_nonce[:6] + bytes(8)
        self.data_key, self.mac1, self.mac2 = (
            block(key, bytes([1, kind]) + tail) for kind in (0x82, 1, 2)
        )
        self.cryptogram = block(self.data_key, panel_nonce + nonce)
        self.panels = block(self.data_key, nonce + panel_nonce)
        self.theirs = bytes(16)
        self.ours = block(self.mac2, block(self.mac1, self.panels))

    def mac(self, signed: bytes, chain: bytes) -> bytes:
        whole = padded(signed) if len(signed) % 16 else signed
        if whole[:-16]:
            chain = cbc(self.mac1, chain, whole[:-16])[-16:]
        return cbc(self.mac2, chain, whole[-16:])

    def open(self, frame: bytes) -> bytes | None:
        """Return a command's data; None if its MAC is wrong."""
        signed, mac = frame[:-6], frame[-6:-2]
        chain, full = self.ours, self.mac(signed, self.ours)
        if full[:4] != mac:
            return None
        self.theirs = full
        data = signed[8:]
        if frame[6] == 0x17:
            clear = uncbc(self.data_key, flipped(chain), data)
            return clear.rstrip(b"\0")[:-1]
        return data

    def seal(self, address: int, sequence: int, code: int, data: bytes) -> bytes:
        kind = 0x18 if data and code != 0x41 else 0x16
        if kind == 0x18:
            data = cbc(self.data_key, flipped(self.theirs), padded(data))
        inside = bytes([2, kind, code]) + data
        signed = packet(address | 0x80, 0x0C | sequence, inside + bytes(4))[:-6]
        self.ours = self.mac(signed, self.theirs)
        return packet(address | 0x80, 0x0C | sequence, inside + self.ours[:4])


class Reader:
    """A reader with faults to be switched on; see its attributes."""

    def __init__(self, address: int, key: str = KEY, uid: str = UID) -> None:
        self.address = address
        self.key = bytes.fromhex(key)
        self.uid = bytes.fromhex(uid)
        self.identity = bytes.fromhex(PDID)
        self.capabilities = bytes.fromhex(PDCAP)
        self.chance = random.Random(address)
        #: Reports that wait for polls, as (code, data in hex).
        self.reports: deque[tuple[int, str]] = deque()
        #: Answers to commands, as code to (reply code, data in hex).
        self.answers: dict[int, tuple[int, str]] = {
            0x64: (0x48, "0000"),
            0x65: (0x49, "0000"),
        }
        #: Commands that were carried out, as (code, data).
        self.done: list[tuple[int, bytes]] = []
        self.is_silent = False
        self.is_installing = False
        self.busy = 0
        self.mangle: Callable[[bytes], bytes | None] = lambda reply: reply
        self.channel: Channel | None = None
        self._nonce = b""
        self._panel_nonce = b""
        self._pending: Channel | None = None
        self._last = (b"", b"")

    def report(self, code: int, digits: str) -> None:
        self.reports.append((code, digits))

    def forget(self) -> None:
        """A power cut of the reader."""
        self.channel = self._pending = None
        self._last = (b"", b"")

    def answer(self, frame: bytes) -> bytes | None:
        """Return the answer to a packet without its mark; None is silence."""
        if self.is_silent or frame[1] != self.address or crc(frame[:-2]) != frame[-2:]:
            return None
        if self.busy:
            self.busy -= 1
            return packet(self.address | 0x80, 4, b"\x79")
        sequence = frame[4] & 3
        if sequence == 0:
            self.forget()
        elif frame == self._last[0]:
            return self.mangle(self._last[1])
        reply = self._reply(frame, sequence)
        self._last = (frame, reply)
        return self.mangle(reply)

    def _reply(self, frame: bytes, sequence: int) -> bytes:
        kind = frame[6] if frame[4] & 8 else 0
        if kind in (0x15, 0x17):
            return self._secure(frame, sequence)
        if kind == 0x11:
            return self._challenged(frame, sequence)
        if kind == 0x13 and self._pending:
            return self._proved(frame, sequence)
        match frame[5]:
            case 0x61:
                return self._plain(sequence, b"\x45" + self.identity)
            case 0x62:
                return self._plain(sequence, b"\x46" + self.capabilities)
        return self._plain(sequence, b"\x41\x06")

    def _plain(self, sequence: int, inside: bytes, *, has_block: bool = False) -> bytes:
        control = 0x0C if has_block else 4
        return packet(self.address | 0x80, control | sequence, inside)

    def _challenged(self, frame: bytes, sequence: int) -> bytes:
        if frame[7] != (0 if self.is_installing else 1):
            return self._plain(sequence, b"\x41\x05")
        key = bytes(range(0x30, 0x40)) if self.is_installing else self.key
        self._nonce = self.chance.randbytes(8)
        self._pending = Channel(key, frame[9:17], self._nonce)
        head = bytes([3, 0x12, frame[7], 0x76])
        inside = head + self.uid + self._nonce + self._pending.cryptogram
        return self._plain(sequence, inside, has_block=True)

    def _proved(self, frame: bytes, sequence: int) -> bytes:
        pending = self._pending
        assert pending is not None
        is_right = frame[9:25] == pending.panels
        if is_right:
            self.channel = pending
        head = bytes([3, 0x14, 1 if is_right else 0, 0x78])
        return self._plain(sequence, head + pending.ours, has_block=True)

    def _secure(self, frame: bytes, sequence: int) -> bytes:
        if self.channel is None:
            return self._plain(sequence, b"\x41\x06")
        data = self.channel.open(frame)
        if data is None:
            self.channel = None
            return self._plain(sequence, b"\x41\x06")
        code = frame[7]
        self.done.append((code, data))
        if code == 0x75:
            self.key, self.is_installing = data[2:], False
        reply, digits = self.answers.get(code, (0x40, ""))
        if code == 0x60 and self.reports:
            reply, digits = self.reports.popleft()
        return self.channel.seal(self.address, sequence, reply, bytes.fromhex(digits))


class OsdpWire(ScriptedWire):
    """A line of readers; a reader's answer takes 2 ms."""

    def __init__(self, readers: OsdpReaders, *units: Reader) -> None:
        super().__init__(readers, splits=lambda data: [data] if data else [])
        self.readers = {unit.address: unit for unit in units}
        self.bus = readers

    def hear(self, data: bytes) -> None:
        """Let bytes arrive now; :attr:`signals` tells what comes of them."""
        self._note(self.device.receive(data, self.now))

    def _reply_to(self, digits: str) -> str | None:
        frame = bytes.fromhex(digits)
        assert frame[0] == 0xFF
        answers = [unit.answer(frame[1:]) for unit in self.readers.values()]
        found = [answer for answer in answers if answer is not None]
        return b"".join(found).hex() if found else None


def key_of(address: int) -> str:
    """Each reader's own."""
    return f"{KEY[:-2]}{address:02X}"


def nonces(seed: int) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


def wire(*addresses: int, uid: str = UID, **options: int | str | bool) -> OsdpWire:
    """A line with sound readers, not opened yet."""
    readers = {}
    for address in addresses:
        own: dict[str, int | str | bool] = {"scbk": key_of(address), "cuid": uid}
        readers[address] = OsdpReaderOptions(**(own | options))  # type: ignore[arg-type]
    bus = OsdpReaders(readers=readers, random_bytes=nonces(1))
    return OsdpWire(bus, *(Reader(address, key_of(address)) for address in addresses))


def serving(*addresses: int, **options: int | str | bool) -> OsdpWire:
    """The same, opened, reachable, its first levels told."""
    script = wire(*addresses, **options)  # type: ignore[arg-type]
    script.open()
    script.run(1.0)
    return script


def codes(script: OsdpWire, address: int) -> dict[int, int]:
    """How often a reader carried out each command."""
    counts: dict[int, int] = defaultdict(int)
    for code, _ in script.readers[address].done:
        counts[code] += 1
    return counts
