# SPDX-License-Identifier: Apache-2.0
"""The certificates that this platform issued: which are good, which are not any more.

The law of the module: what is issued is written down in the same transaction, so that
it can be revoked; a revocation is never taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform import boxes
from cloud_sync.platform.enrolment.authority import until_ms

if TYPE_CHECKING:
    from cryptography import x509

    from cloud_sync.platform.database import Work


async def note(
    work: Work,
    gateway: str,
    certificate: x509.Certificate,
    now_ms: int,
    *,
    csr: str = "",
    pem: str = "",
) -> None:
    """Write down what was issued, and on which request for a renewal (its hash)."""
    await work.execute(
        "INSERT INTO certificate (serial, gateway, issued_ms, ends_ms, csr, pem) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        *(f"{certificate.serial_number:x}", gateway, now_ms),
        *(until_ms(certificate), csr, pem),
    )


async def issued_for(work: Work, gateway: str, csr: str) -> str:
    """Return the good certificate (PEM) that a request (its hash) got; "" for none."""
    found = await work.fetch(
        "SELECT pem FROM certificate "
        "WHERE gateway = ?1 AND csr = ?2 AND revoked_ms = 0",
        gateway,
        csr,
    )
    return str(found[0][0]) if found else ""


async def was_revoked(work: Work, gateway: str, csr: str) -> bool:
    """Say whether what a request (its hash) once got was revoked."""
    found = await work.fetch(
        "SELECT serial FROM certificate "
        "WHERE gateway = ?1 AND csr = ?2 AND revoked_ms > 0",
        gateway,
        csr,
    )
    return bool(found)


async def last_renewed_ms(work: Work, gateway: str) -> int:
    """Return when a gateway last got a certificate over the line; 0 for never."""
    sql = "SELECT renewed_ms FROM box WHERE gateway = ?1"
    found = await work.fetch(sql, gateway)
    return int(found[0][0]) if found else 0


async def good_until_ms(work: Work, gateway: str, now_ms: int) -> int:
    """Return when the last good certificate of a gateway ends; 0 if it has none."""
    [(end_ms,)] = await work.fetch(
        "SELECT coalesce(max(ends_ms), 0) FROM certificate "
        "WHERE gateway = ?1 AND revoked_ms = 0 AND ends_ms > ?2",
        gateway,
        now_ms,
    )
    return int(end_ms)


async def revoke(work: Work, gateway: str, now_ms: int, but: str = "") -> int:
    """Revoke all good certificates of a gateway, ``but`` that serial; say how many.

    Without an exception its box's key, were it compared by hand, ends with them.
    """
    if not but:
        await boxes.drop(work, gateway)
    gone = await work.fetch(
        "UPDATE certificate SET revoked_ms = ?2 WHERE gateway = ?1 "
        "AND revoked_ms = 0 AND serial <> ?3 RETURNING serial",
        gateway,
        now_ms,
        but,
    )
    return len(gone)


async def revoked(work: Work) -> list[tuple[str, int]]:
    """Return all revoked serials (hex), and when (UTC ms)."""
    sql = "SELECT serial, revoked_ms FROM certificate WHERE revoked_ms > 0"
    return [(serial, at_ms) for serial, at_ms in await work.fetch(sql)]
