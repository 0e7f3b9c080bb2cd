# SPDX-License-Identifier: Apache-2.0
"""How this site sees tickets: with the keys it has now, at the time it has now.

The law of the module: keys come with the platform's feed, and from a file as long as
the feed has none: a key that the platform withdrew must not live on in a file. A ticket
that holds is also evidence of time, which only raises the clock's floor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import structlog

from edge.bindings.ticket_keys import MAX_KEYS, TicketKey, TicketKeys
from edge.bindings.ticket_reader import TicketReader
from edge.core.access.ticket import Ticket
from edge.core.access.ticket_rules import candidate_steps, clock_floor_ms

if TYPE_CHECKING:
    from edge.core.access.ticket import ShownTicket
    from edge.core.clock import ClockAnswer
    from edge.core.moment import Moment
    from edge.core.people.rolls import Rolls
    from edge.core.people.roster_row import TicketKey as KeyRow

log = structlog.get_logger()


class Clock(Protocol):
    """The clock, as far as a ticket needs it and moves it."""

    def now(self) -> Moment:
        """Return this instant."""

    def raise_floor(self, lo_ms: int) -> ClockAnswer:
        """Take a stamp that cannot lie in the future."""


class TicketSight:
    """Reads what is shown at a scanner and claims to be a ticket."""

    def __init__(self, rolls: Rolls, clock: Clock, own: TicketKeys) -> None:
        self._rolls = rolls
        self._clock = clock
        self._own = own
        self._rows: tuple[KeyRow, ...] | None = None
        self._reader = TicketReader(own)

    def read(self, text: bytes) -> ShownTicket:
        """Read a scanned text; a ticket that holds may raise the clock's floor."""
        self._follow_keys()
        shown = self._reader.read(text, candidate_steps(self._clock.now()))
        if not isinstance(shown, Ticket):
            return shown
        floor_ms = clock_floor_ms(shown)
        if floor_ms is not None:
            self._clock.raise_floor(floor_ms)
        return shown

    def replace_own(self, own: TicketKeys) -> None:
        """Use these keys of the site from now on."""
        self._own, self._rows, self._reader = own, None, TicketReader(own)

    def _follow_keys(self) -> None:
        """Make a reader anew when the roster brought other keys."""
        rows = self._rolls.ticket_keys
        if rows is self._rows:
            return
        self._rows = rows
        keys: list[TicketKey] = [] if rows else list(self._own.keys)
        for row in rows:
            try:
                key = TicketKey(
                    key_id=row.key_id,
                    public=row.public,
                    issuer=row.issuer,
                    from_ms=row.from_ms,
                    to_ms=row.to_ms,
                    doors=frozenset(row.doors),
                )
                TicketKeys(keys=(key,))  # refuses the printed ones
            except ValueError as flaw:
                log.warning("a ticket key of the platform is no good", why=str(flaw))
                continue
            keys.append(key)
        # Beyond the limit the newest go first: they replace the old.
        keys = sorted(keys, key=lambda key: key.from_ms)[-MAX_KEYS:]
        self._reader = TicketReader(replace(self._own, keys=tuple(keys)))
