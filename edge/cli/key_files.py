# SPDX-License-Identifier: Apache-2.0
"""The site's secrets and the platform's public keys, read from their files.

The law of the module: a secret's file is readable by its owner alone, or it is not
used; no value of it appears in an error.
"""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

from cloud_sync.signing import PlatformKeys
from edge.bindings.tokens import TokenMaker
from edge.core.credential import FIRST_KEY

if TYPE_CHECKING:
    from pathlib import Path


class KeyFileError(Exception):
    """A key file is missing, too open or malformed; the text says what to do."""


class NotSetUpError(KeyFileError):
    """A box that has never worked lacks a key file."""


def read_tokens(path: Path, site_id: str, number: int = FIRST_KEY) -> TokenMaker:
    """Read ``{"site_key": hex, "epoch_salt": hex}`` (32 and 16 bytes).

    Beside them ``n``, the key's number (without it: ``number``), and ``former``: keys
    of before that are still needed, each with the same three fields.
    """
    content = _read(path)
    _refuse_open(path)
    try:
        former = tuple(
            _maker(each, site_id, int(each["n"]), ())
            for each in sorted(content.get("former", ()), key=_newest_first)
        )
        return _maker(content, site_id, int(content.get("n", number)), former)
    except (KeyError, TypeError, ValueError) as error:
        raise KeyFileError(
            f"{path}: site_key (32 bytes) or epoch_salt (16 bytes) is missing or not "
            "hex; restore the file from the backup"
        ) from error


def _maker(
    content: dict[str, Any],
    site_id: str,
    number: int,
    former: tuple[TokenMaker, ...],
) -> TokenMaker:
    return TokenMaker(
        site_id=site_id,
        site_key=bytes.fromhex(content["site_key"]),
        epoch_salt=bytes.fromhex(content["epoch_salt"]),
        number=number,
        former=former,
    )


def _newest_first(content: dict[str, Any]) -> int:
    return -int(content["n"])


def read_platform_keys(path: Path) -> dict[str, str]:
    """Read ``{kid: hex of an Ed25519 public key}``."""
    content = _read(path)
    if not content or not all(isinstance(value, str) for value in content.values()):
        raise KeyFileError(
            f"{path}: expected one or more names with their keys in hex; fetch the "
            "file from the platform again"
        )
    try:
        PlatformKeys(content)
    except ValueError as error:
        raise KeyFileError(
            f"{path}: {error}; fetch the file from the platform again"
        ) from error
    return content


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KeyFileError(
            f"{path}: cannot be read ({error.strerror}); is --state the right folder?"
        ) from error
    except ValueError as error:
        raise KeyFileError(f"{path}: not JSON; restore it from the backup") from error
    if not isinstance(content, dict):
        raise KeyFileError(f"{path}: expected a JSON object")
    return content


def _refuse_open(path: Path) -> None:
    others = stat.S_IRWXG | stat.S_IRWXO
    if path.stat().st_mode & others:
        raise KeyFileError(
            f"{path}: others may read this secret; run: chmod 600 {path}"
        )
