# SPDX-License-Identifier: Apache-2.0
"""A new key for a site whose boxes are at work, and the end of the one before.

The law of the module: two keys at most are in use at a site, each under a number that
is never used again. The one of before goes when no row of any box is of it; a box
keeps it for as long as something there needs it, whatever is said here.
Source: docs/enrolment.md, "A new site key".
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.feed import NO_FEED
from cloud_sync.platform import feeds, site_key_rows
from cloud_sync.platform.enrolment import keyring
from cloud_sync.platform.enrolment.authority import AuthorityError
from cloud_sync.platform.site_key_rows import FORMER, Held

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.enrolment.keyring import Vault

_SITE = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a gateway of a site is: what it holds, and its rows of the old key."""

    gateway: str
    held: Held
    rows_before: int


async def numbers(work: Work, site: str) -> tuple[int, int]:
    """Return the number of a site's key and of the one before, 0 for none."""
    sql = "SELECT use_, number FROM site_secret WHERE site = ?1"
    found = dict(await work.fetch(sql, site))
    if _SITE not in found:
        raise AuthorityError(f"{site}: no key yet; `menshen platform claim` makes it")
    return found[_SITE], found.get(FORMER, 0)


async def rotate(work: Work, vault: Vault, site: str) -> int:
    """Make a new key and salt; the one of today goes on as the one before."""
    number, before = await numbers(work, site)
    if before:
        raise AuthorityError(
            f"{site}: site key {before} is still in use beside {number}; write its "
            "rows anew and `menshen platform site-key retire` it first"
        )
    for gateway in await keyring.boxes_of(work, site):
        if await feeds.cursor(work, gateway) == NO_FEED:
            raise AuthorityError(
                f"{gateway} has no feed yet, by which its box would get the new key; "
                "import its rows first, or `menshen platform revoke` what is no more"
            )
    found = {use: keys for use, _, keys in await keyring.of_site(work, vault, site)}
    await work.execute(
        "INSERT INTO site_secret (site, use_, number, locked) VALUES (?1, ?2, ?3, ?4)",
        *(site, FORMER, number),
        vault.lock(found[_SITE], f"{site}|{FORMER}|{number}"),
    )
    keys = {"site_key": secrets.token_hex(32), "epoch_salt": secrets.token_hex(16)}
    return await keyring.put(work, vault, site, _SITE, keys)


async def retire(work: Work, site: str) -> int:
    """Let the key of before go, if no row is of it any more; return its number."""
    number, before = await numbers(work, site)
    if not before:
        raise AuthorityError(f"{site}: site key {number} is the only one in use")
    left = [
        each
        for each in await standing(work, site)
        if each.rows_before or each.held.current < number
    ]
    if left:
        told = "\n".join(f"  {each.gateway}: {_left(each, number)}" for each in left)
        raise AuthorityError(f"{site}: site key {before} is needed yet\n{told}")
    sql = "DELETE FROM site_secret WHERE site = ?1 AND use_ = ?2"
    await work.execute(sql, site, FORMER)
    return before


def _left(each: Standing, number: int) -> str:
    if each.held.current < number:
        return f"has not said that it holds {number}"
    return f'{each.rows_before} rows to be written anew, with "key": {number}'


async def standing(work: Work, site: str) -> list[Standing]:
    """Return how far each gateway of a site is whose box was not revoked."""
    number, _ = await numbers(work, site)
    found = []
    for gateway in await keyring.boxes_of(work, site):
        each = Standing(
            gateway=gateway,
            held=await site_key_rows.held_by(work, gateway),
            rows_before=await site_key_rows.rows_before(work, gateway, number),
        )
        found.append(each)
    return found
