# SPDX-License-Identifier: Apache-2.0
"""One scan as the oracle sees it, and the interval of time that the gateway had.

The law of the module: values, and how an interval lies to a window.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.cli.simulate.oracle.hours import Lies
from edge.core.credential import CredentialKind

if TYPE_CHECKING:
    from edge.core.access.ticket import SpoiltTicket, Ticket
    from edge.core.people.entries import Cardholder
    from edge.core.plan import AccessPointPlan, DoorPlan, PersonClass, SpacePlan

#: What a reader reads off a card; a code or a PIN is no "readable card".
CARDS = frozenset({CredentialKind.ID_CARD, CredentialKind.CARD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who stands where, when. ``lo_ms`` and ``hi_ms`` enclose the true time."""

    point: AccessPointPlan
    door: DoorPlan
    space: SpacePlan
    kind: CredentialKind
    token: bytes = field(repr=False)
    holder: Cardholder | None
    person: PersonClass
    ticket: Ticket | SpoiltTicket | None
    is_secure: bool
    lo_ms: int
    hi_ms: int
    now_s: float
    at_s: float

    @property
    def is_card(self) -> bool:
        """Whether it is a readable card."""
        return self.kind in CARDS

    def lies_to(self, start_ms: int, end_ms: int) -> Lies:
        """Say how the time lies to ``[start_ms, end_ms)``."""
        if start_ms <= self.lo_ms and self.hi_ms < end_ms:
            return Lies.INSIDE
        if self.hi_ms < start_ms or self.lo_ms >= end_ms:
            return Lies.OUTSIDE
        return Lies.PARTLY

    def is_surely_before(self, instant_ms: int) -> bool:
        """Say whether an instant is surely to come."""
        return self.hi_ms < instant_ms

    def is_surely_past(self, instant_ms: int) -> bool:
        """Say whether an instant has surely come."""
        return self.lo_ms >= instant_ms
