# SPDX-License-Identifier: Apache-2.0
"""A ticket judged a second time: signed, for this site, in its time, for this door.

The law of the module: the codec is not its affair; what the reader could not verify
comes as spoilt.
Source: docs/tickets.md, the table of details; ARCHITECTURE.md, rulings 26 and 28.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.oracle.ruling import PASS, Ruling, either, refuse
from edge.core.access.answers import DenyReason
from edge.core.access.ticket import Rotation, SpoiltTicket, Ticket
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.cli.simulate.oracle.question import Asked
    from edge.core.plan import SitePlan

#: How far an issuer's clock may be ahead, a beginning early, and an end late.
AHEAD_MS = 120_000
EARLY_MS = 120_000
LATE_MS = 90_000


def judged(
    asked: Asked, plan: SitePlan, *, is_called_back: bool, used: int
) -> Iterator[Ruling]:
    """Yield what each check of a shown ticket says, in their order."""
    shown = asked.ticket
    if isinstance(shown, SpoiltTicket):
        yield refuse(DenyReason.INVALID_SIGNATURE, DenyReason.READER_PAUSED)
        return
    if shown is None:
        return
    if shown.audience is None or shown.issued_ms is None:
        yield refuse(DenyReason.INVALID_SIGNATURE)
    key_is_over = asked.is_surely_past(shown.key_to_ms)
    if key_is_over or asked.is_surely_before(shown.key_from_ms):
        yield refuse(DenyReason.INVALID_SIGNATURE)
    if shown.audience != plan.site_id:
        yield refuse(DenyReason.WRONG_SPACE)
    is_bounded = asked.hi_ms < UNBOUNDED_MS
    if is_bounded and asked.hi_ms + AHEAD_MS < (shown.issued_ms or 0):
        yield refuse(DenyReason.INVALID_SIGNATURE)
    if is_called_back:
        yield refuse(DenyReason.CREDENTIAL_REVOKED)
    yield _in_time(asked, shown)
    if not _is_for(asked, shown):
        yield refuse(DenyReason.WRONG_SPACE)
    if shown.most_entries and used >= shown.most_entries:
        # In between stand hours, roster, clock and capacity, which may refuse first.
        yield refuse(DenyReason.ALREADY_REDEEMED, *_BEFORE_REDEEMED)


def _in_time(asked: Asked, shown: Ticket) -> Ruling:
    if asked.is_surely_before(shown.not_before_ms - EARLY_MS):
        return refuse(DenyReason.TOO_EARLY)
    if asked.is_surely_past(shown.expires_ms + LATE_MS):
        return refuse(DenyReason.QR_EXPIRED)
    if shown.rotation is Rotation.WRONG:
        return refuse(DenyReason.QR_EXPIRED)
    if shown.rotation is Rotation.PROVEN:
        return either(DenyReason.ALREADY_REDEEMED)
    return PASS


def _is_for(asked: Asked, shown: Ticket) -> bool:
    names = {asked.door.door_id, asked.space.space_id, asked.space.number}
    return any(door in names for door in shown.doors if door != 0)


_BEFORE_REDEEMED = (
    DenyReason.CLOSED,
    DenyReason.CLOCK_UNTRUSTED,
    DenyReason.STAFF_ABSENT,
    DenyReason.SPACE_FULL,
    DenyReason.ALREADY_INSIDE,
)
