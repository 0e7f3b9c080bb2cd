# SPDX-License-Identifier: Apache-2.0
"""The key that seals the roster on this box's disk: made here, and for nothing else.

The law of the module: the roster can be fetched again, so its key is never a reason not
to start. One that is lost or damaged is made anew; what the old one sealed is void
then, and the platform's next snapshot brings it. A disk that fails is an error, as it
is with the site's keys, and makes nothing anew.
"""

from __future__ import annotations

import json
import stat
from secrets import token_bytes
from typing import TYPE_CHECKING

import structlog

from edge.cli.box_key import OWNER_ALONE, keep_secret
from edge.cli.key_files import KeyFileError
from edge.storage.quarantine import set_aside
from edge.storage.seal import KEY_BYTES, NONCE_BYTES, RosterSeal

if TYPE_CHECKING:
    from pathlib import Path

NAME = "roster.json"
_WORD = "roster_key"

log = structlog.get_logger()


def roster_seal(state: Path) -> RosterSeal:
    """Return the seal of a state folder; its key is made where there is none.

    KeyFileError if the disk can neither give nor keep it.
    """
    path = state / "keys" / NAME
    key = _read(path)
    if key is None:
        if path.exists():
            log.warning("the roster's key makes no sense", kept=set_aside(path).name)
        _make(path)
        key = _read(path)
    if key is None:
        raise KeyFileError(f"{path}: somebody took the new key away; try again")
    _close(path)
    return _seal(key)


def held_seal(state: Path) -> RosterSeal:
    """Return the seal of a state folder for who only reads; KeyFileError for none."""
    path = state / "keys" / NAME
    key = _read(path)
    if key is None:
        raise KeyFileError(
            f"{path}: without this key the roster cannot be read; start the gateway, "
            "which makes one and has the platform send the roster again"
        )
    return _seal(key)


def _seal(key: bytes) -> RosterSeal:
    return RosterSeal(key, lambda: token_bytes(NONCE_BYTES))


def _read(path: Path) -> bytes | None:
    """Return the key that the file holds; None if it is not there, or no key."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise KeyFileError(
            f"{path}: cannot be read ({fault.strerror}); ask as the user who runs the "
            "gateway, and check the disk"
        ) from fault
    try:
        key = bytes.fromhex(json.loads(text)[_WORD])
    except (ValueError, LookupError, TypeError):
        return None
    return key if len(key) == KEY_BYTES else None


def _make(path: Path) -> None:
    try:
        keep_secret(path, {_WORD: token_bytes(KEY_BYTES).hex()})
    except OSError as fault:
        raise KeyFileError(
            f"{path}: the roster's key cannot be kept ({fault.strerror}); check the "
            "disk of the state folder"
        ) from fault


def _close(path: Path) -> None:
    """Keep others from reading it from now on, if they could."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & ~OWNER_ALONE:
            path.chmod(OWNER_ALONE)
            log.warning("others could read the roster's key", path=str(path))
    except OSError as fault:  # of another owner, or a card that went read-only
        log.warning("others may read the roster's key", why=fault.strerror)
