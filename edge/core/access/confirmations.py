# SPDX-License-Identifier: Apache-2.0
"""Who waits at an access point until a volunteer lets the person in.

The law of the module: memory alone, by monotonic time. A confirmation gives back the
scan that waits, to be decided anew; it grants nothing itself. One waits at each access
point: whoever comes after takes the place, as the volunteer sees who stands there. A
volunteer who comes alone waits like everybody, and his second tap is a volunteer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.access.rules.credential import barred, is_card
from edge.core.plan import PersonClass

if TYPE_CHECKING:
    from edge.core.access.rules.credential import Revocations
    from edge.core.credential import Credential
    from edge.core.moment import Moment
    from edge.core.people.entries import Cardholder
    from edge.core.stimulus import Scan

#: A confirmation comes within less than this after the scan.
CONFIRM_S = 60.0
#: Whose card confirms; a responder's too, who must not stand before a closed door.
CONFIRMING = frozenset(
    {
        PersonClass.VOLUNTEER.value,
        PersonClass.MANAGER.value,
        PersonClass.RESPONDER.value,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    scan: Scan
    until_s: float


class Confirmations:
    """The scans that wait for a volunteer's word, by access point."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}

    def ask(self, scan: Scan, now_s: float) -> bool:
        """Let a scan wait; True if its bearer did not wait there already."""
        before = self.waiting(scan.access_point, now_s)
        until_s = now_s + CONFIRM_S
        self._waiting[scan.access_point] = _Waiting(scan=scan, until_s=until_s)
        return before is None or not before.credential.is_same(scan.credential)

    def open(self, now_s: float) -> frozenset[str]:
        """Return the access points at which somebody waits."""
        held = self._waiting.items()
        return frozenset(name for name, each in held if now_s < each.until_s)

    def waiting(self, access_point: str, now_s: float) -> Scan | None:
        """Return the scan that waits there, or None."""
        found = self._waiting.get(access_point)
        return found.scan if found is not None and now_s < found.until_s else None

    def confirm(self, access_point: str, now_s: float) -> Scan | None:
        """Give back the scan that waits, once; None if nobody does."""
        scan = self.waiting(access_point, now_s)
        self._waiting.pop(access_point, None)
        return scan

    def deadline(self) -> float | None:
        """Return when the next one has waited long enough."""
        return min((each.until_s for each in self._waiting.values()), default=None)

    def expire(self, now_s: float) -> list[str]:
        """Forget those who waited long enough; return their access points."""
        over = [name for name, each in self._waiting.items() if each.until_s <= now_s]
        for access_point in over:
            del self._waiting[access_point]
        return over


def may_confirm(
    credential: Credential, holder: Cardholder | None, rolls: Revocations, now: Moment
) -> bool:
    """Say whether this is a good card of somebody who confirms."""
    if holder is None or not is_card(credential) or CONFIRMING.isdisjoint(holder.roles):
        return False
    return barred(credential, holder, rolls, now) is None
