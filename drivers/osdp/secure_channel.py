# SPDX-License-Identifier: Apache-2.0
"""The AES-128 secure channel of OSDP, seen from the control panel.

The law of the module: keys, nonces and chained MACs live here and nowhere else. The
block cipher is the one of ``cryptography``; its contexts are made once for each key
and kept. A packet that is not authentic changes nothing.

Source: libosdp, doc/libosdp/secure-channel.rst and src/osdp_sc.c (OSDP v2.2, annex
D); which keys attackers try first: Bishop Fox, "mellon", README.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest
from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from drivers.osdp.wire import MAC_BYTES, Packet, finish, head

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_BYTES = 16
KEY_BYTES = 16
NONCE_BYTES = 8
UID_BYTES = 8
#: Printed in the standard: every reader in install mode has it, so it hides nothing.
DEFAULT_KEY = bytes(range(0x30, 0x40))
#: Sixteen random bytes have fewer different values about once in 10**12 keys.
_LEAST_DIFFERENT_BYTES = 10
_PADDING = b"\x80" + bytes(BLOCK_BYTES - 1)
#: Security blocks of a channel at work: MAC alone, and MAC with encrypted data.
COMMAND_MAC, REPLY_MAC, COMMAND_DATA, REPLY_DATA = 0x15, 0x16, 0x17, 0x18


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderProof:
    """What a reader answers to a challenge (CCRYPT)."""

    uid: bytes
    nonce: bytes
    cryptogram: bytes = field(repr=False)


def weakness(key: bytes) -> str:
    """Say why nobody should use this key; empty if nothing is wrong with it."""
    if len(key) != KEY_BYTES:
        return f"a key has {KEY_BYTES} bytes"
    if key == DEFAULT_KEY:
        return "this is the default key of install mode"
    steps = {(after - before) & 0xFF for before, after in pairwise(key)}
    if len(steps) == 1 or len(set(key)) < _LEAST_DIFFERENT_BYTES:
        return "the key follows a pattern that attackers try first"
    return ""


def key_of_master(master_key: bytes, uid: bytes) -> bytes:
    """Return the key of one reader, derived from the key of a whole site."""
    return encryption(master_key)(uid + _inverted(uid))


def session_keys(
    encrypt: Callable[[bytes], bytes], nonce: bytes
) -> tuple[bytes, bytes, bytes]:
    """Return the keys for data, for a MAC's first blocks and for its last block.

    ``encrypt`` is the reader's key at work. Only six bytes of the nonce matter.
    """
    tail = nonce[:6] + bytes(8)
    return (
        encrypt(b"\x01\x82" + tail),
        encrypt(b"\x01\x01" + tail),
        encrypt(b"\x01\x02" + tail),
    )


class Handshake:
    """One attempt to prove to each other that both sides hold a key.

    ``encrypt`` is that key at work, as :func:`encryption` returns it.
    """

    def __init__(self, *, encrypt: Callable[[bytes], bytes], nonce: bytes) -> None:
        data_key, first_mac_key, last_mac_key = session_keys(encrypt, nonce)
        self._nonce = nonce
        self._cryptogram = b""
        self._encrypt = encryption(data_key)
        self._decrypt = _decryption(data_key)
        self._first_mac = encryption(first_mac_key)
        self._last_mac = encryption(last_mac_key)

    def answered(self, proof: ReaderProof) -> bytes | None:
        """Return our own cryptogram; None if the reader holds another key."""
        expected = self._encrypt(self._nonce + proof.nonce)
        if not compare_digest(expected, proof.cryptogram):
            return None
        self._cryptogram = self._encrypt(proof.nonce + self._nonce)
        return self._cryptogram

    def agreed(self, first_mac: bytes) -> SecureChannel | None:
        """Return the channel, if the reader's first MAC shows that it agrees."""
        expected = self._last_mac(self._first_mac(self._cryptogram))
        if not compare_digest(expected, first_mac):
            return None
        return SecureChannel(
            encrypt=self._encrypt,
            decrypt=self._decrypt,
            mac_of_block=self._first_mac,
            mac_of_last_block=self._last_mac,
            first_mac=first_mac,
        )


class SecureChannel:
    """Seals commands and opens replies, each chained to the one before."""

    def __init__(
        self,
        *,
        encrypt: Callable[[bytes], bytes],
        decrypt: Callable[[bytes], bytes],
        mac_of_block: Callable[[bytes], bytes],
        mac_of_last_block: Callable[[bytes], bytes],
        first_mac: bytes,
    ) -> None:
        self._encrypt = encrypt
        self._decrypt = decrypt
        self._mac_of_block = mac_of_block
        self._mac_of_last_block = mac_of_last_block
        self._ours = bytes(BLOCK_BYTES)
        self._theirs = first_mac

    def seal(self, address: int, sequence: int, code: int, data: bytes) -> bytes:
        """Return a command's bytes for the wire; to repeat it, send them again."""
        chain = self._theirs
        if data:
            data = self._encrypted(data, chain)
        security = b"\x17" if data else b"\x15"
        rest_bytes = len(data) + MAC_BYTES
        signed = head(address, sequence, code, security, rest_bytes) + data
        self._ours = self._mac(signed, chain)
        return finish(signed + self._ours[:MAC_BYTES])

    def open(self, packet: Packet) -> bytes | None:
        """Return a reply's data in clear; None if the reply is not authentic."""
        chain = self._ours
        mac = self._mac(packet.signed, chain)
        if mac[:MAC_BYTES] != packet.mac:
            return None
        data = packet.data
        if packet.security[0] == REPLY_DATA:
            clear = self._decrypted(data, chain)
            if clear is None:
                return None
            data = clear
        self._theirs = mac
        return data

    def _mac(self, signed: bytes, chain: bytes) -> bytes:
        padded = signed + _PADDING[: -len(signed) % BLOCK_BYTES]
        last = len(padded) - BLOCK_BYTES
        for at in range(0, last, BLOCK_BYTES):
            chain = self._mac_of_block(_xor(padded[at : at + BLOCK_BYTES], chain))
        return self._mac_of_last_block(_xor(padded[last:], chain))

    def _encrypted(self, data: bytes, chain: bytes) -> bytes:
        padded = data + _PADDING[: BLOCK_BYTES - len(data) % BLOCK_BYTES]
        return _chained(self._encrypt, padded, _inverted(chain))

    def _decrypted(self, data: bytes, chain: bytes) -> bytes | None:
        if not data or len(data) % BLOCK_BYTES:
            return None
        before = _inverted(chain) + data[:-BLOCK_BYTES]
        padded = _xor(self._decrypt(data), before)
        clear = padded.rstrip(b"\x00")
        is_padded = clear[-1:] == b"\x80" and len(padded) - len(clear) < BLOCK_BYTES
        return clear[:-1] if is_padded else None


def encryption(key: bytes) -> Callable[[bytes], bytes]:
    """Return what encrypts one block; the protocol does its own chaining."""
    return Cipher(AES(key), ECB()).encryptor().update  # noqa: S305


def _decryption(key: bytes) -> Callable[[bytes], bytes]:
    return Cipher(AES(key), ECB()).decryptor().update  # noqa: S305


def _chained(encrypt: Callable[[bytes], bytes], data: bytes, chain: bytes) -> bytes:
    """Encrypt whole blocks in CBC mode."""
    blocks = []
    for at in range(0, len(data), BLOCK_BYTES):
        chain = encrypt(_xor(data[at : at + BLOCK_BYTES], chain))
        blocks.append(chain)
    return b"".join(blocks)


def _xor(left: bytes, right: bytes) -> bytes:
    number = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
    return number.to_bytes(len(left), "big")


def _inverted(block: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in block)
