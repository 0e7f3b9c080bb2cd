# SPDX-License-Identifier: Apache-2.0
"""The pass on a resident's telephone: who asks, where a platform has no log-in yet.

The law of the module: a pass is signed by the platform for one holder, one gateway and
a time, and for nothing else: no gateway takes it for a message. It is kept nowhere. It
opens no door by itself, and ends with the holder: whoever is revoked enters with no
pass. A real platform puts its own log-in in its place.
Source: docs/platform.md, "A page behind the door's code".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform import registry
from cloud_sync.platform.commanding.residents import Refusal, ResidentError
from cloud_sync.refusal import Refused
from cloud_sync.signing import PlatformKeys
from edge.core.chain import canonical

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.keys import Signer

PURPOSE = "mn.pass.v1"
DAY_MS = 86_400_000
#: A pass in use has some 250 characters; a holder's id has 64 at most.
MAX_PASS = 600


async def issue(  # noqa: PLR0917
    work: Work, signer: Signer, gateway: str, holder: str, days: int, now_ms: int
) -> str:
    """Return a holder's pass for so many days; ResidentError if he is not known."""
    await registry.known(work, gateway)
    rows = await work.fetch(
        "SELECT id FROM feed_row WHERE gateway = ?1 AND kind = 'holder' AND id = ?2",
        gateway,
        holder,
    )
    if not rows:
        raise ResidentError(
            Refusal.HOLDER_UNKNOWN, f"no holder {holder} in the feed of {gateway}"
        )
    body = {"gw": gateway, "holder": holder, "until": now_ms + days * DAY_MS}
    return signer.sign(PURPOSE, canonical(body)).decode()


class PassReader:
    """Reads passes that this platform signed."""

    def __init__(self, signer: Signer) -> None:
        self._keys = PlatformKeys(signer.public_keys)

    def holder(self, shown: str, gateway: str, now_ms: int) -> str | None:
        """Return whose pass this is at that gateway; None if it is nobody's now."""
        if len(shown) > MAX_PASS:
            return None
        told = self._keys.open(shown.strip().encode(), PURPOSE, gateway)
        if isinstance(told, Refused):
            return None
        holder, until_ms = told.get("holder"), told.get("until")
        is_good = isinstance(until_ms, int) and now_ms < until_ms
        return holder if is_good and isinstance(holder, str) else None
