# SPDX-License-Identifier: Apache-2.0
"""Wrong tries at a reader: five in a row are an alarm, and codes have to wait.

The law of the module: memory alone, by monotonic time. A card and a code that is known
never wait; a PIN does, the right one too, or the pause would tell which it is. A right
code ends a row, a card does not, and neither ends a pause: whoever has a card of his
own could guess on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason
from edge.core.access.ticket import Rotation, Ticket, TicketFlaw
from edge.core.credential import CredentialKind

if TYPE_CHECKING:
    from edge.core.event import Facts
    from edge.core.people.entries import Cardholder
    from edge.core.stimulus import Scan

#: So many in a row are no mistyping.
MAX_TRIES = 5
PAUSE_S = 60.0
#: Refusals of something that nobody was given …
WRONG = frozenset({DenyReason.CREDENTIAL_NOT_FOUND, DenyReason.INVALID_SIGNATURE})
#: … and the changing code beside a good ticket, that may be guessed too.
WRONG_CODE = ("detail", TicketFlaw.ROTATION.value)
#: The rule's name in events.
RULE = "tries"


@dataclass(slots=True, kw_only=True)
class _Row:
    tries: int = 0
    until_s: float | None = None


class Tries:
    """The running row of wrong tries of each access point of the site."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def refused(
        self, access_point: str, reason: DenyReason, now_s: float, facts: Facts = ()
    ) -> bool:
        """Count a refusal; True if it is the one that raises the alarm."""
        if reason not in WRONG and WRONG_CODE not in facts:
            return False
        row = self._row(access_point, now_s)
        if row.until_s is not None:
            return False
        row.tries += 1
        if row.tries < MAX_TRIES:
            return False
        row.until_s = now_s + PAUSE_S
        return True

    def granted(self, access_point: str, now_s: float) -> None:
        """End the row; a pause goes on."""
        if self._row(access_point, now_s).until_s is None:
            del self._rows[access_point]

    def paused(
        self, scan: Scan, holder: Cardholder | None, now_s: float
    ) -> Denied | None:
        """Return the refusal of a code that has to wait, before it is looked at."""
        if not _is_guessed(scan, holder):
            return None
        until_s = self._row(scan.access_point, now_s).until_s
        if until_s is None:
            return None
        facts: Facts = (("wait_s", ceil(until_s - now_s)),)
        if scan.ticket is not None:
            facts += (("detail", TicketFlaw.RATE_LIMITED.value),)
        # No name: the right PIN must look like the wrong one.
        return Denied(rule=RULE, reason=DenyReason.READER_PAUSED, facts=facts)

    def _row(self, access_point: str, now_s: float) -> _Row:
        row = self._rows.get(access_point)
        if row is None or (row.until_s is not None and now_s >= row.until_s):
            row = self._rows[access_point] = _Row()
        return row


def _is_guessed(scan: Scan, holder: Cardholder | None) -> bool:
    ticket = scan.ticket
    match scan.credential.kind:
        case CredentialKind.PIN:
            return True
        case CredentialKind.QR if isinstance(ticket, Ticket):
            return ticket.rotation is Rotation.WRONG
        case CredentialKind.QR:
            return holder is None
        case _:
            return False
