# SPDX-License-Identifier: Apache-2.0
"""A bare OSDP panel for the tests of the simulated reader, with an AES path of its own.

It shares no line with the simulation, so that a shared mistake cannot hide.
Source: libosdp 3.2.9 src/osdp_sc.c, osdp_cp.c.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

if TYPE_CHECKING:
    from collections.abc import Callable

NONCE = bytes.fromhex("D764C8CCE93255C4")
MAC, SECRET = 0x15, 0x17


class Line(Protocol):
    """A reader, or a pair of them."""

    def receive(self, data: bytes, now: float) -> None: ...

    def take_outgoing(self, now: float) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A reply that held its check, and its MAC where it had one."""

    address: int
    sequence: int
    code: int
    data: bytes
    block: int = 0
    block_data: bytes = b""
    mac_is_right: bool = True


def aes(key: bytes, block: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    return encryptor.update(block) + encryptor.finalize()


def exor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def cbc(key_of: Callable[[bool], bytes], iv: bytes, data: bytes) -> list[bytes]:
    """Chain blocks by hand; ``key_of`` is asked whether the block is the last."""
    chain = [iv]
    for start in range(0, len(data), 16):
        is_last = start + 16 >= len(data)
        chain.append(aes(key_of(is_last), exor(chain[-1], data[start : start + 16])))
    return chain[1:]


def padded(data: bytes) -> bytes:
    data += b"\x80"
    return data + b"\0" * (-len(data) % 16)


class Panel:
    """Asks one reader; the reply is waited for, however late it is due."""

    def __init__(
        self,
        line: Line,
        address: int = 0,
        *,
        patience_s: float = 0.2,
        now: float = 100.0,
    ) -> None:
        self.line = line
        self.address = address
        self.now = now
        self.sequence = 0
        self.last_frame = b""
        self._patience_s = patience_s
        self._keys: tuple[bytes, bytes, bytes] | None = None
        self._mac = b""

    def ask(self, code: int, data: bytes = b"") -> Told:
        """Ask in clear with the next number; the reply must be there and sound."""
        told = self.try_ask(code, data)
        assert told is not None, "no reply"
        return told

    def try_ask(self, code: int, data: bytes = b"", block: bytes = b"") -> Told | None:
        frame = self._framed(block, bytes((code,)) + data)
        self.sequence = self.sequence % 3 + 1
        return parsed(self.exchange(frame))

    def exchange(self, frame: bytes) -> bytes:
        """Send bytes and return what comes within the panel's patience."""
        self.last_frame = frame
        self.line.receive(frame, self.now)
        self.now += self._patience_s
        return self.line.take_outgoing(self.now)

    def shake_hands(self, key: bytes, *, which: int = 1) -> bool:
        """Open the channel; tell whether the first R-MAC is right."""
        told = self.challenge(which=which)
        assert told.code == 0x76, told
        return self.prove(key, told)

    def challenge(self, *, which: int = 1) -> Told:
        told = self.try_ask(0x76, NONCE, bytes((3, 0x11, which)))
        assert told is not None
        return told

    def prove(self, key: bytes, told: Told) -> bool:
        head = NONCE[:6].ljust(14, b"\0")
        kinds = (b"\x01\x82", b"\x01\x01", b"\x01\x02")
        secret, first, last = (aes(key, kind + head) for kind in kinds)
        assert told.data[16:] == aes(secret, NONCE + told.data[8:16])
        proof = aes(secret, told.data[8:16] + NONCE)
        answer = self.try_ask(0x77, proof, bytes((3, 0x13, told.block_data[0])))
        assert answer is not None
        self._keys, self._mac = (secret, first, last), aes(last, aes(first, proof))
        return answer.code == 0x78 and answer.data == self._mac

    def ask_secretly(self, code: int, data: bytes = b"") -> Told:
        told = self.try_ask_secretly(code, data)
        assert told is not None, "no reply"
        return told

    def try_ask_secretly(self, code: int, data: bytes = b"") -> Told | None:
        """Ask inside the channel; a reply whose MAC is wrong does not go on."""
        block = bytes((2, SECRET if data else MAC))
        if data:
            assert self._keys is not None
            iv = exor(self._mac, b"\xff" * 16)
            data = b"".join(cbc(self._secret_key, iv, padded(data)))
        signed = self._signed(block, bytes((code,)) + data, extra=4)
        self._sent_mac = self._full_mac(signed, self._mac)
        frame = self._checked(signed + self._sent_mac[:4])
        self.sequence = self.sequence % 3 + 1
        return self.opened(self.exchange(frame))

    def repeat(self) -> bytes:
        """Send the last frame once more, as after a lost reply."""
        return self.exchange(self.last_frame)

    def opened(self, wire: bytes) -> Told | None:
        """Check and decipher a reply to the last secret command."""
        told = parsed(wire)
        if told is None or told.block not in (0x16, 0x18):
            return told
        raw = wire[1:] if wire[0] == 0xFF else wire
        full = self._full_mac(raw[:-6], self._sent_mac)
        data = told.data
        if told.block == 0x18:
            data = self._deciphered(data)
        is_right = full[:4] == raw[-6:-2]
        if is_right:
            self._mac = full
        return Told(
            address=told.address,
            sequence=told.sequence,
            code=told.code,
            data=data,
            block=told.block,
            mac_is_right=is_right,
        )

    def _deciphered(self, data: bytes) -> bytes:
        assert self._keys is not None
        iv = exor(self._sent_mac, b"\xff" * 16)
        cipher = Cipher(algorithms.AES(self._keys[0]), modes.CBC(iv)).decryptor()
        clear = cipher.update(data) + cipher.finalize()
        return clear.rstrip(b"\0")[:-1]

    def _full_mac(self, signed: bytes, iv: bytes) -> bytes:
        assert self._keys is not None
        _, first, last = self._keys
        data = padded(signed) if len(signed) % 16 else signed
        return cbc(lambda is_last: last if is_last else first, iv, data)[-1]

    def _secret_key(self, _is_last: bool) -> bytes:  # noqa: FBT001
        assert self._keys is not None
        return self._keys[0]

    def _framed(self, block: bytes, body: bytes) -> bytes:
        return self._checked(self._signed(block, body, extra=0))

    def _signed(self, block: bytes, body: bytes, *, extra: int) -> bytes:
        size = 5 + len(block) + len(body) + extra + 2
        control = self.sequence | 0x04 | (0x08 if block else 0)
        head = bytes((0x53, self.address)) + size.to_bytes(2, "little")
        return head + bytes((control,)) + block + body

    @staticmethod
    def _checked(content: bytes) -> bytes:
        return content + binascii.crc_hqx(content, 0x1D0F).to_bytes(2, "little")


def parsed(wire: bytes) -> Told | None:
    """Return the fields of one reply; None for silence and for a broken frame."""
    raw = wire.removeprefix(b"\xff")
    if len(raw) < 8 or raw[0] != 0x53 or int.from_bytes(raw[2:4], "little") != len(raw):
        return None
    if binascii.crc_hqx(raw[:-2], 0x1D0F) != int.from_bytes(raw[-2:], "little"):
        return None
    body, block, block_data, tail = raw[5:-2], 0, b"", 0
    if raw[4] & 8:
        block, block_data, body = body[1], body[2 : body[0]], body[body[0] :]
        tail = 4 if block in (0x16, 0x18) else 0
    return Told(
        address=raw[1],
        sequence=raw[4] & 3,
        code=body[0],
        data=body[1 : len(body) - tail],
        block=block,
        block_data=block_data,
    )
