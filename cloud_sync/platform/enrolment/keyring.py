# SPDX-License-Identifier: Apache-2.0
"""The secrets of sites: kept encrypted, and given to boxes sealed to each.

The law of the module: a secret leaves only through :func:`of_site`; in the database it
is AES-256-GCM under a key that lies in a file apart, bound to its site, use and number.
A box gets what its site has, sealed to the key that was confirmed when it enrolled; a
gateway without a feed gets none by this way, since a feed of keys alone would empty it.
Source: docs/enrolment.md.
"""

from __future__ import annotations

import json
import secrets
import stat
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloud_sync.feed import NO_FEED
from cloud_sync.key_shapes import fault_of
from cloud_sync.platform import feeds
from cloud_sync.platform.boxes import NOT_REVOKED
from cloud_sync.platform.enrolment.authority import AuthorityError, write_new
from cloud_sync.platform.site_key_rows import FORMER
from cloud_sync.sealing import USES, SealedKeys, seal
from edge.core.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cloud_sync.platform.database import Work

_NONCE_BYTES = 12


class Vault:
    """Encrypts what stands in the database."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def lock(self, keys: Mapping[str, Any], about: str) -> bytes:
        """Encrypt keys, bound to what they are about."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        text = canonical(keys).encode()
        return nonce + self._cipher.encrypt(nonce, text, about.encode())

    def open(self, locked: bytes, about: str) -> dict[str, Any]:
        """Decrypt; AuthorityError if this is not the vault's key."""
        nonce, text = locked[:_NONCE_BYTES], locked[_NONCE_BYTES:]
        try:
            opened = self._cipher.decrypt(nonce, text, about.encode())
        except InvalidTag as flaw:
            raise AuthorityError(
                "the secrets in the database were locked with another vault.key; "
                "restore it from the backup"
            ) from flaw
        found: dict[str, Any] = json.loads(opened)
        return found


def make_vault(path: Path) -> None:
    """Make the key in a new file."""
    write_new(path, secrets.token_hex(32) + "\n")


def open_vault(path: Path) -> Vault:
    """Read the key; AuthorityError says what is wrong."""
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            what = f"{path}: others may read this secret; run: chmod 600 {path}"
            raise AuthorityError(what)
        return Vault(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except OSError as fault:
        raise AuthorityError(
            f"{path}: {fault.strerror}; `menshen platform authority` makes it"
        ) from fault
    except ValueError as flaw:
        raise AuthorityError(f"{path}: no key; restore it from the backup") from flaw


def check(use: str, keys: object) -> None:
    """Hold keys against what their use asks for; AuthorityError says what is wrong."""
    fault = fault_of(use, keys)
    if fault:
        raise AuthorityError(f"{use} keys: {fault}")


async def put(
    work: Work, vault: Vault, site: str, use: str, keys: Mapping[str, Any]
) -> int:
    """Keep the keys of a use in the place of those before; return their number."""
    if use not in USES:
        raise AuthorityError(f"{use} is no use of keys; one of {', '.join(USES)}")
    sql = "SELECT number FROM site_secret WHERE site = ?1 AND use_ = ?2"
    found = await work.fetch(sql, site, use)
    number = int(found[0][0]) + 1 if found else 1
    locked = vault.lock(keys, f"{site}|{use}|{number}")
    await work.execute(
        "INSERT INTO site_secret (site, use_, number, locked) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (site, use_) DO UPDATE SET number = excluded.number, "
        "locked = excluded.locked",
        *(site, use, number, locked),
    )
    return number


async def ensure_site_key(work: Work, vault: Vault, site: str) -> bool:
    """Make a site's key and salt if it has none; say whether it was made."""
    sql = "SELECT number FROM site_secret WHERE site = ?1 AND use_ = 'site'"
    if await work.fetch(sql, site):
        return False
    keys = {"site_key": secrets.token_hex(32), "epoch_salt": secrets.token_hex(16)}
    await put(work, vault, site, "site", keys)
    return True


async def of_site(
    work: Work, vault: Vault, site: str
) -> list[tuple[str, int, dict[str, Any]]]:
    """Return use, number and keys of all that a site has.

    The site's key carries the one before, with its number, while that is in use.
    """
    sql = "SELECT use_, number, locked FROM site_secret WHERE site = ?1 ORDER BY use_"
    found = {
        use: (number, vault.open(bytes(locked), f"{site}|{use}|{number}"))
        for use, number, locked in await work.fetch(sql, site)
    }
    before = found.pop(FORMER, None)
    if before is not None and "site" in found:
        number, keys = before
        found["site"][1]["former"] = [{"n": number, **keys}]
    return [(use, number, keys) for use, (number, keys) in found.items()]


async def sealed_for(work: Work, vault: Vault, gateway: str) -> list[dict[str, Any]]:
    """Return a site's keys sealed to the box of a gateway, as bodies of rows."""
    boxes = await work.fetch("SELECT site, seal FROM box WHERE gateway = ?1", gateway)
    bodies = []
    for site, public in boxes:
        for use, number, keys in await of_site(work, vault, site):
            content = SealedKeys(
                gateway=gateway, site=site, use=use, number=number, keys=keys
            )
            jwe = seal(content, public)
            bodies.append({"use": use, "n": number, "jwe": jwe})
    return bodies


async def deliver(
    work: Work, vault: Vault, gateway: str, now_ms: int, uses: Sequence[str] = USES
) -> bool:
    """Put sealed rows into a gateway's feed; False if it has no feed.

    Its row is held before anything is read: of two that deliver at once the later one
    would put back the keys of before.
    """
    try:
        await feeds.hold(work, gateway)
    except feeds.FeedError:  # nobody has registered it, or does so no more
        return False
    if await feeds.cursor(work, gateway) == NO_FEED:
        return False
    rows = {
        (feeds.SEALED_KIND, body["use"]): canonical(body)
        for body in await sealed_for(work, vault, gateway)
        if body["use"] in uses
    }
    await feeds.change(work, gateway, feeds.Change(put=rows), now_ms)
    return True


async def boxes_of(work: Work, site: str) -> list[str]:
    """Return the gateways whose boxes enrolled at a site and were not revoked since.

    Whoever stole a box must not find the next keys sealed to it.
    """
    sql = f"SELECT gateway FROM box AS b WHERE site = ?1 AND {NOT_REVOKED} ORDER BY 1"  # noqa: S608
    return [gateway for (gateway,) in await work.fetch(sql, site)]
