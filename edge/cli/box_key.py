# SPDX-License-Identifier: Apache-2.0
"""The box's own key: it signs the head of its journal, and opens what is sealed to it.

The law of the module: the private half is made on the box, in a file for its owner
alone, and never leaves it; no error and no status shows it. Without the key doors work
as ever: what is missing is an export that the platform could believe. Out of the one
secret come two key pairs, since a pair serves one purpose: Ed25519 signs (heads of
exports, the request to enrol), and X25519, derived from it by HKDF, opens sealed keys.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cloud_sync.fingerprint import fingerprint_of
from edge.cli.key_files import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path

OWNER_ALONE = 0o600
_KEY_BYTES = 32
_SEALING = b"menshen box sealing v1"


@dataclass(frozen=True, slots=True)
class BoxKey:
    """One box's keys; ``public`` (Ed25519) and ``sealing_public`` are 32 raw bytes."""

    _private: Ed25519PrivateKey = field(repr=False)
    public: bytes

    @property
    def sealing_private(self) -> bytes:
        """The 32 bytes of X25519 that open what is sealed to this box."""
        secret = self._private.private_bytes_raw()
        return HKDF(SHA256(), _KEY_BYTES, None, _SEALING).derive(secret)

    @property
    def sealing_public(self) -> bytes:
        """What the platform seals to."""
        private = X25519PrivateKey.from_private_bytes(self.sealing_private)
        return private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of an Ed25519 signature."""
        return self._private.sign(message)

    @property
    def fingerprint(self) -> str:
        """What people compare: eight groups of four hex digits."""
        return fingerprint_of(self.public)


class Box:
    """The key of one state folder, read or made when it is first wanted."""

    def __init__(self, state: Path) -> None:
        self._path = state / "keys" / "box.json"
        self._key: BoxKey | None = None
        self._trouble = "not made yet"

    def key(self) -> BoxKey:
        """Return the key, made on first use; KeyFileError says what to do."""
        if self._key is None:
            try:
                self._key = _read(self._path) or _make(self._path)
            except KeyFileError as fault:
                self._trouble = str(fault)
                raise
        return self._key

    def prepare(self) -> None:
        """Have the key ready if that can be; :meth:`shown` says why if not."""
        with suppress(KeyFileError):
            self.key()

    def shown(self) -> dict[str, str]:
        """Return the public half for a status, or the trouble with it."""
        if self._key is None:
            return {"trouble": self._trouble}
        return {"public": self._key.public.hex(), "fingerprint": self._key.fingerprint}


def _read(path: Path) -> BoxKey | None:
    """Return the key that the file holds; None if there is no file."""
    try:
        mode = path.stat().st_mode
        content = json.loads(path.read_text(encoding="utf-8"))
        key = _pair(bytes.fromhex(content["private"]))
        is_whole = key.public.hex() == content["public"]
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise KeyFileError(
            f"{path}: cannot be read ({fault.strerror}); ask as the user who runs the "
            "gateway"
        ) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise KeyFileError(_damaged(path)) from fault
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(
            f"{path}: others may read this secret; run: chmod 600 {path}"
        )
    if not is_whole:
        raise KeyFileError(_damaged(path))
    return key


def _damaged(path: Path) -> str:
    return (
        f"{path}: not this box's key any more; restore it from the backup, or move it "
        "away: a new one is made, whose fingerprint the platform has to be told"
    )


def _pair(private: bytes) -> BoxKey:
    if len(private) != _KEY_BYTES:
        raise ValueError(f"a key has {_KEY_BYTES} bytes")
    key = Ed25519PrivateKey.from_private_bytes(private)
    return BoxKey(key, key.public_key().public_bytes_raw())


def _make(path: Path) -> BoxKey:
    """Make a key; of two that are made at once the first to have its name holds."""
    private = Ed25519PrivateKey.generate().private_bytes_raw()
    content = {"private": private.hex(), "public": _pair(private).public.hex()}
    try:
        keep_secret(path, content)
    except OSError as fault:
        raise KeyFileError(
            f"{path}: the box's key cannot be kept ({fault.strerror}); check the disk "
            "of the state folder"
        ) from fault
    found = _read(path)
    if found is None:
        raise KeyFileError(f"{path}: somebody took the new key away; try again")
    return found


def keep_secret(path: Path, content: dict[str, Any]) -> None:
    """Write a secret's file for its owner alone, durably, unless there is one."""
    if not path.parent.is_dir():
        path.parent.mkdir(mode=0o700)
        give_away(path.parent, path.parent.parent)
    hidden = path.with_name(f"{path.name}.{os.getpid()}.new")
    create = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(hidden, create, OWNER_ALONE), "w") as file:
            give_away(hidden, path.parent)
            file.write(json.dumps(content))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # then that one is the key
            os.link(hidden, path)
    finally:
        hidden.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def give_away(made: Path, folder: Path) -> None:
    """Let what root has made belong to the folder's owner, who runs the gateway."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(made, owner.st_uid, owner.st_gid)
