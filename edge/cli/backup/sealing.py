# SPDX-License-Identifier: Apache-2.0
"""A box's keys in a backup: sealed with a passphrase, or not in it at all.

The law of the module: without the passphrase nothing of them can be read, and one
changed byte opens nothing. Sources: RFC 7914 (scrypt), NIST SP 800-38D (AES-GCM).
"""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from edge.cli.backup.errors import BackupError

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"MSHK1\n"
SALT, NONCE, KEY = 16, 12, 32
#: 64 MB and about a second of a small board for each guess.
COST, BLOCK = 2**16, 8
#: Fewer characters are guessed too soon.
PASSPHRASE = 10
FOLDERS = ("keys", "panel")
#: What is made anew at every start, or is half-way: no key.
_NOT = ("words.json", "incoming.json", "adopted.json")


def seal(state: Path, passphrase: str, site: str) -> bytes:
    """Return the keys of a state folder, sealed; BackupError for a short phrase."""
    if len(passphrase) < PASSPHRASE:
        raise BackupError(f"a passphrase of {PASSPHRASE} characters at least")
    files: dict[str, tuple[str, int]] = {}
    for folder in FOLDERS:
        for path in sorted((state / folder).rglob("*")):
            if path.is_symlink() or not path.is_file() or path.name in _NOT:
                continue
            mode = stat.S_IMODE(path.stat().st_mode)
            name = path.relative_to(state).as_posix()
            files[name] = (base64.b64encode(path.read_bytes()).decode(), mode)
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    text = json.dumps(files).encode()
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, text, MAGIC + site.encode())
    return MAGIC + salt + nonce + sealed


def unseal(sealed: bytes, passphrase: str, site: str) -> dict[str, tuple[bytes, int]]:
    """Return the files and their modes; BackupError if the phrase is another one."""
    if not sealed.startswith(MAGIC):
        what = "its keys are of a newer program; restore it with that one"
        raise BackupError(what, "newer")
    rest = sealed[len(MAGIC) :]
    salt, nonce = rest[:SALT], rest[SALT : SALT + NONCE]
    box = AESGCM(_key(passphrase, salt))
    try:
        text = box.decrypt(nonce, rest[SALT + NONCE :], MAGIC + site.encode())
    except (InvalidTag, ValueError) as flaw:
        what = "that is not the passphrase of its keys"
        raise BackupError(what, "passphrase") from flaw
    try:
        files = {
            str(name): (base64.b64decode(content), int(mode) & 0o770)
            for name, (content, mode) in json.loads(text).items()
        }
    except (ValueError, TypeError, AttributeError, RecursionError) as flaw:
        raise BackupError("its keys are not as they were written", "torn") from flaw
    for name in files:
        path = PurePosixPath(name)
        is_ours = len(path.parts) > 1 and path.parts[0] in FOLDERS
        if path.is_absolute() or ".." in path.parts or not is_ours:
            raise BackupError("its keys name a place that is none of theirs")
    return files


def _key(passphrase: str, salt: bytes) -> bytes:
    kdf = Scrypt(salt=salt, length=KEY, n=COST, r=BLOCK, p=1)
    return kdf.derive(passphrase.encode())
