# SPDX-License-Identifier: Apache-2.0
"""The certificates that this platform issued: which are good, which are not any more.

The law of the module: what is issued is written down in the same transaction, so that
it can be revoked; a revocation is never taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform.enrolment.authority import until_ms

if TYPE_CHECKING:
    from cryptography import x509

    from cloud_sync.platform.database import Work


async def note(
    work: Work, gateway: str, certificate: x509.Certificate, now_ms: int
) -> None:
    """Write down what was issued."""
    await work.execute(
        "INSERT INTO certificate (serial, gateway, issued_ms, ends_ms) "
        "VALUES (?1, ?2, ?3, ?4)",
        f"{certificate.serial_number:x}",
        gateway,
        now_ms,
        until_ms(certificate),
    )


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
    """Revoke all good certificates of a gateway, ``but`` that serial; say how many."""
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
