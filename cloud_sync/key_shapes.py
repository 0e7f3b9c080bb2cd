# SPDX-License-Identifier: Apache-2.0
"""What the keys of each use look like, for whoever seals and whoever unseals.

The law of the module: shapes alone, and no value in a reason.
Source: docs/enrolment.md, "Sealed keys".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cloud_sync.signing import PlatformKeys

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ROTATION, MAX_ISSUERS, MAX_COMMAND, MAX_FORMER = 2, 8, 4, 3
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def fault_of(use: str, keys: object) -> str:
    """Return what is wrong with the keys of a use; "" if they are as they must be."""
    if not isinstance(keys, dict):
        return "no object"
    check = _CHECKS.get(use)
    return "an unknown use" if check is None else check(keys)


def _site(keys: dict[str, Any]) -> str:
    if not _is_hex(keys.get("site_key"), 32):
        return "site_key is not 32 bytes in hex"
    if not _is_hex(keys.get("epoch_salt"), 16):
        return "epoch_salt is not 16 bytes"
    former = keys.get("former", [])
    if not isinstance(former, list) or len(former) > MAX_FORMER:
        return f"former is no list of {MAX_FORMER} at most"
    for one in former:
        number = one.get("n") if isinstance(one, dict) else None
        if not isinstance(number, int) or not 0 < number < 1 << 53:
            return "a former key without its number"
        if "former" in one or _site(one):
            return "a former key that is none"
    numbers = {one["n"] for one in former}
    return "" if len(numbers) == len(former) else "two former keys of one number"


def _rotation(keys: dict[str, Any]) -> str:
    found = keys.get("rotation")
    if not isinstance(found, list) or len(found) > MAX_ROTATION:
        return "rotation is no list of two at most"
    return "" if all(_is_hex(one, 32) for one in found) else "one is not 32 bytes"


def _issuer(keys: dict[str, Any]) -> str:
    found = keys.get("keys")
    if not isinstance(found, list) or not 0 < len(found) <= MAX_ISSUERS:
        return "keys is no list of one to eight"
    for one in found:
        if not isinstance(one, dict) or not _is_hex(one.get("public"), 32):
            return "a ticket key without 32 bytes of public"
        kid = one.get("kid")
        if not isinstance(kid, str) or not _HEX.fullmatch(kid) or len(kid) > 8:
            return "a ticket key whose kid is not 1 to 4 bytes"
        issuer = one.get("issuer", "")
        if not isinstance(issuer, str) or not issuer.isascii() or len(issuer) > 8:
            return "a ticket key whose issuer is not 8 ASCII characters at most"
    return ""


def _command(keys: dict[str, Any]) -> str:
    if not 0 < len(keys) <= MAX_COMMAND:
        return "one to four names with their keys"
    if not all(_NAME.fullmatch(name) and _is_hex(keys[name], 32) for name in keys):
        return "a name or a key that is none"
    try:
        PlatformKeys(keys)
    except ValueError:
        return "a key that anybody could sign for"
    return ""


def _is_hex(value: object, length: int) -> bool:
    is_text = isinstance(value, str) and _HEX.fullmatch(value) is not None
    return is_text and len(str(value)) == 2 * length


_CHECKS: dict[str, Callable[[dict[str, Any]], str]] = {
    "site": _site,
    "rotation": _rotation,
    "issuer": _issuer,
    "command": _command,
}
