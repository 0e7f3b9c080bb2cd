# SPDX-License-Identifier: Apache-2.0
"""Which key a gateway's box signs with, as somebody here has compared it.

The law of the module: a key counts because a person compared it, at an enrolment or
by its fingerprint, and the later comparison counts. A box whose certificates were all
revoked, as a stolen one's are, signs nothing that is believed.
Source: docs/sneakernet.md, "What the box's key proves"; docs/enrolment.md.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from cloud_sync.fingerprint import fingerprint_of
from cloud_sync.platform import registry

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work

#: Of a row ``b`` of ``box``: it has a certificate that stands, or never had any.
NOT_REVOKED = (
    "(NOT EXISTS (SELECT 1 FROM certificate AS c WHERE c.gateway = b.gateway) OR "
    "EXISTS (SELECT 1 FROM certificate AS c WHERE c.gateway = b.gateway "
    "AND c.revoked_ms = 0))"
)
_KEYS = f"""
SELECT b.box, b.enrolled_ms FROM box AS b WHERE b.gateway = ?1 AND {NOT_REVOKED}
UNION ALL SELECT t.box, t.compared_ms FROM compared_box AS t WHERE t.gateway = ?1
ORDER BY 2 DESC LIMIT 1
"""  # noqa: S608  our own words
_COMPARED = """
INSERT INTO compared_box (gateway, box, compared_ms) VALUES (?1, ?2, ?3)
ON CONFLICT (gateway) DO UPDATE SET
    box = excluded.box, compared_ms = excluded.compared_ms
"""
_KEY_BYTES = 32


class BoxError(Exception):
    """A box's key is not taken; the text says what to do."""


async def key_of(work: Work, gateway: str) -> bytes | None:
    """Return the 32 bytes of a gateway's box; None if nobody has compared any."""
    found = await work.fetch(_KEYS, gateway)
    return bytes.fromhex(found[0][0]) if found else None


async def trust(
    work: Work, gateway: str, public: str, fingerprint: str, now_ms: int
) -> None:
    """Believe a box from now on; BoxError if this is not what was read at it.

    ``public`` is hex; ``fingerprint`` what somebody noted at the box itself.
    """
    await registry.known(work, gateway)
    shown = fingerprint_of(key_bytes(public))
    typed = fingerprint.strip().lower().replace(" ", "-")
    if not hmac.compare_digest(typed.encode(), shown.encode()):
        raise BoxError(
            f"this key's fingerprint is {shown}, another than was typed. Do not use "
            "it, and look once more at the line `box key` of `menshen status` there"
        )
    await work.execute(_COMPARED, gateway, public.lower(), now_ms)


async def forget(work: Work, gateway: str) -> None:
    """Believe a key no more that was compared by hand; BoxError if none was."""
    if not await drop(work, gateway):
        raise BoxError(
            f"no key of {gateway} was compared by hand; a box that enrolled is shut "
            "out with `menshen platform revoke`"
        )


async def drop(work: Work, gateway: str) -> bool:
    """Forget what was compared by hand; say whether there was anything."""
    sql = "DELETE FROM compared_box WHERE gateway = ?1 RETURNING gateway"
    return bool(await work.fetch(sql, gateway))


def key_bytes(public: str) -> bytes:
    """Return a key's 32 bytes from its hex digits; BoxError if they are none."""
    try:
        raw = bytes.fromhex(public)
    except ValueError:
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise BoxError(
            "a box's key is 64 hex digits; `menshen status --json` shows it there"
        )
    return raw
