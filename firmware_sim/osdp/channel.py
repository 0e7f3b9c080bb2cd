# SPDX-License-Identifier: Apache-2.0
"""The peripheral's end of OSDP's secure channel: its handshake, MACs and secrets.

The law of the module: bytes in, bytes out; nonces come from outside, and nothing here
decides whether a key may be used. A command is believed only with its MAC, and only
then does the chain of MACs go on.
Source: libosdp 3.2.9 src/osdp_sc.c and doc/libosdp/secure-channel.rst, checked with
frames that libosdp put on a wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

BLOCK_BYTES = 16
KEY_BYTES = 16
NONCE_BYTES = 8
#: The default key that the standard prints: it keeps no secret from anybody.
DEFAULT_KEY = bytes(range(0x30, 0x40))
#: Of the panel's nonce only so much enters the session keys.
_NONCE_BYTES_IN_KEYS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """A channel that began: the keys of this session and the nonces of both sides."""

    panel_nonce: bytes
    own_nonce: bytes
    encryption_key: bytes
    mac_key: bytes
    last_mac_key: bytes

    @classmethod
    def begun(cls, key: bytes, panel_nonce: bytes, own_nonce: bytes) -> Handshake:
        """Derive the session keys from the base key and the panel's nonce."""
        return cls(
            panel_nonce=panel_nonce,
            own_nonce=own_nonce,
            encryption_key=_session_key(key, 0x82, panel_nonce),
            mac_key=_session_key(key, 0x01, panel_nonce),
            last_mac_key=_session_key(key, 0x02, panel_nonce),
        )

    def own_cryptogram(self) -> bytes:
        """Return the proof that this side has the key."""
        return _enciphered(self.encryption_key, self.panel_nonce + self.own_nonce)

    def initial_mac(self, panel_cryptogram: bytes) -> bytes | None:
        """Return the first R-MAC; None if the panel does not have the key."""
        wanted = _enciphered(self.encryption_key, self.own_nonce + self.panel_nonce)
        if not compare_digest(wanted, panel_cryptogram):
            return None
        once = _enciphered(self.mac_key, panel_cryptogram)
        return _enciphered(self.last_mac_key, once)


class SecureChannel:
    """An open channel; ``initial_mac`` seals the first command."""

    def __init__(self, handshake: Handshake, initial_mac: bytes) -> None:
        self._keys = handshake
        self._command_mac = initial_mac
        self._reply_mac = initial_mac

    def takes(self, signed: bytes, mac: bytes) -> bool:
        """Check a command's MAC and go on from it; False changes nothing."""
        full = self._mac(signed, self._reply_mac)
        if not compare_digest(full[: len(mac)], mac):
            return False
        self._command_mac = full
        return True

    def opened(self, data: bytes) -> bytes | None:
        """Return a command's data in clear; None for what was never enciphered."""
        if not data or len(data) % BLOCK_BYTES:
            return None
        cipher = Cipher(AES(self._keys.encryption_key), CBC(_inverted(self._reply_mac)))
        decryptor = cipher.decryptor()
        padded = (decryptor.update(data) + decryptor.finalize()).rstrip(b"\0")
        return padded[:-1] if padded.endswith(b"\x80") else None

    def enciphered(self, data: bytes) -> bytes:
        """Return a reply's data as it goes on the wire."""
        iv = _inverted(self._command_mac)
        return _chained(self._keys.encryption_key, iv, _padded(data))

    def reply_mac(self, signed: bytes) -> bytes:
        """Return the full MAC of a reply, changing nothing."""
        return self._mac(signed, self._command_mac)

    def gave(self, mac: bytes) -> None:
        """Go on from the full MAC of the reply that left."""
        self._reply_mac = mac

    def _mac(self, signed: bytes, iv: bytes) -> bytes:
        padded = _padded(signed) if len(signed) % BLOCK_BYTES else signed
        first, last = padded[:-BLOCK_BYTES], padded[-BLOCK_BYTES:]
        if first:
            iv = _chained(self._keys.mac_key, iv, first)[-BLOCK_BYTES:]
        return _chained(self._keys.last_mac_key, iv, last)


def _session_key(key: bytes, purpose: int, panel_nonce: bytes) -> bytes:
    seed = bytes((0x01, purpose)) + panel_nonce[:_NONCE_BYTES_IN_KEYS]
    return _enciphered(key, seed.ljust(BLOCK_BYTES, b"\0"))


def _enciphered(key: bytes, block: bytes) -> bytes:
    # One block at a time is what the standard derives its keys with.
    encryptor = Cipher(AES(key), ECB()).encryptor()  # noqa: S305
    return encryptor.update(block) + encryptor.finalize()


def _chained(key: bytes, iv: bytes, blocks: bytes) -> bytes:
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return encryptor.update(blocks) + encryptor.finalize()


def _padded(data: bytes) -> bytes:
    """Return ``data``, 80, and zeros to whole blocks."""
    marked = data + b"\x80"
    return marked + bytes(-len(marked) % BLOCK_BYTES)


def _inverted(block: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in block)
