# SPDX-License-Identifier: Apache-2.0
"""Tickets of the simulated platform: signed as it would, with a key of this run.

The law of the module: a ticket is made of its booking alone, so that nobody has to
keep it; only whoever holds the run's key can sign, and the box learns that key from
the feed.
Source: docs/tickets.md.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.cli.ticket.writer import TicketOrder, payload_of, signed, static_text
from firmware_sim.platform.feed import Row

if TYPE_CHECKING:
    from random import Random

    from firmware_sim.platform.feed import Body

ISSUER = "SIM"
KEY_ID_BYTES, TICKET_ID_BYTES = 4, 8
DAY_S = 86_400
#: The key's life around the run's beginning.
KEY_LIFE_MS = 400 * DAY_S * 1_000


class TicketOffice:
    """Signs tickets of one site."""

    def __init__(self, site_id: str, chance: Random, opened_ms: int) -> None:
        self._site_id = site_id
        self._opened_s = opened_ms // 1_000
        self._private = chance.randbytes(32)
        private = Ed25519PrivateKey.from_private_bytes(self._private)
        self._public = private.public_key().public_bytes_raw()
        self._key_id = sha256(self._public).digest()[:KEY_ID_BYTES]

    def key_row(self, now_ms: int) -> Row:
        """Return the key as the feed has it."""
        doors: list[int | str] = []
        body: Body = {
            "kid": self._key_id.hex(),
            "key": self._public.hex(),
            "issuer": ISSUER,
            "from": now_ms - KEY_LIFE_MS,
            "to": now_ms + KEY_LIFE_MS,
            "doors": doors,
        }
        return Row(kind="ticket_key", id="tk-1", body=body)

    def of_booking(self, row: Row, number: int) -> str:
        """Return the ticket of a booking, for the space of that number."""
        from_ms, to_ms, party = (row.body[name] for name in ("from", "to", "party"))
        if not (
            isinstance(from_ms, int)
            and isinstance(to_ms, int)
            and isinstance(party, int)
        ):
            raise TypeError(f"{row.id} is no booking")
        return self.text(
            ticket_id_of(row.id), number, (from_ms, to_ms), uses=1, party=party
        )

    def text(
        self,
        ticket_id: bytes,
        number: int,
        times_ms: tuple[int, int],
        *,
        uses: int = 1,
        party: int = 1,
    ) -> str:
        """Return a ticket as its code says it: issued a day before it begins.

        One for a later day was issued when the office opened, for none is issued in
        the future.
        """
        from_s, to_s = times_ms[0] // 1_000, times_ms[1] // 1_000
        order = TicketOrder(
            issuer=ISSUER,
            site=self._site_id,
            doors=(number,),
            from_s=from_s,
            to_s=to_s,
            issued_s=min(from_s - DAY_S, self._opened_s),
            ticket_id=ticket_id,
            uses=uses,
            party=party,
        )
        return static_text(signed(payload_of(order), self._key_id, self._private))


def ticket_id_of(booking: str) -> bytes:
    """Return the identifier of a booking's ticket."""
    return sha256(booking.encode()).digest()[:TICKET_ID_BYTES]
