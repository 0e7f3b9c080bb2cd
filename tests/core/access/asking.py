# SPDX-License-Identifier: Apache-2.0
"""Scenes that several tests of the decision's rooms share.

The law of the module: nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.access.ticket import Ticket
from tests.core.scene import SITE, clock_ms

if TYPE_CHECKING:
    from edge.core.plan import SitePlan

TICKET = Ticket(
    ticket_id="0011223344556677",
    not_before_ms=clock_ms("14:00"),
    expires_ms=clock_ms("16:00"),
    doors=("kitchen",),
    audience="site-1",
    issued_ms=clock_ms("13:00"),
)


def two_person_site() -> SitePlan:
    """Return the scene's site with a kitchen door that needs two persons."""
    door = replace(SITE.doors["kitchen-door"], needs_two_persons=True)
    return replace(SITE, doors={**SITE.doors, door.door_id: door})
