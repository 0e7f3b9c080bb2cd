# SPDX-License-Identifier: Apache-2.0
"""From a scanned text to a ticket that proved itself, or to what spoils it.

The law of the module: form first, then the signature, then the claims; no claim counts
before its signature holds, and no text makes it raise. It knows no time: which steps
of a rotating code could be now, the caller says (``candidate_steps`` of the rules), so
that this can run in a worker thread and be tested with fixed steps. Verifying takes a
fraction of a millisecond.
Source: docs/tickets.md; RFC 9052 section 4.4 (what COSE signs).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cbor2
from cryptography.exceptions import InvalidSignature

from edge.bindings.rotating_code import step_of
from edge.bindings.ticket_claims import read_claims, ticket_id_of
from edge.bindings.ticket_form import TicketForm, form_of
from edge.core.access.ticket import (
    PREFIX_DIGITS,
    Rotation,
    SpoiltTicket,
    Ticket,
    TicketFlaw,
)

if TYPE_CHECKING:
    from edge.bindings.ticket_keys import TicketKey, TicketKeys
    from edge.core.access.ticket import ShownTicket

#: Separates a ticket's signature from whatever else its key may sign.
CONTEXT = b"menshen-pass-v1"


class TicketReader:
    """Reads tickets with one site's keys; has no state and may be shared by threads.

    ``context`` is other than :data:`CONTEXT` only to check a published vector.
    """

    def __init__(self, keys: TicketKeys, *, context: bytes = CONTEXT) -> None:
        self._keys = keys
        self._context = context

    def read(self, text: bytes, steps: range) -> ShownTicket:
        """Read a text; ``steps`` are those a code may have, none if nobody can tell."""
        form = form_of(text)
        if isinstance(form, TicketFlaw):
            return SpoiltTicket(flaw=form)
        keys = self._keys.named(form.key_id)
        if not keys:
            return _spoilt(TicketFlaw.KID_UNKNOWN, form)
        key = next((key for key in keys if self._holds(key, form)), None)
        if key is None:
            return _spoilt(TicketFlaw.SIGNATURE, form)
        found = read_claims(form.claims)
        if found is None:
            return _spoilt(TicketFlaw.FORMAT, form)
        if key.issuer and found.ticket.issuer != key.issuer:
            # A key speaks for its own platform alone.
            return _spoilt(TicketFlaw.KID_UNKNOWN, form)
        ticket = replace(
            found.ticket,
            doors=key.limited(found.ticket.doors),
            key_id=key.key_id.hex(),
            key_from_ms=key.from_ms,
            key_to_ms=key.to_ms,
        )
        return self._rotated(ticket, form, steps, must_rotate=found.must_rotate)

    def _holds(self, key: TicketKey, form: TicketForm) -> bool:
        signed = ["Signature1", form.protected, self._context, form.payload]
        try:
            key.verifier().verify(form.signature, cbor2.dumps(signed))
        except InvalidSignature:
            return False
        return True

    def _rotated(
        self, ticket: Ticket, form: TicketForm, steps: range, *, must_rotate: bool
    ) -> Ticket:
        """Add what the rotating code proves; cutting it off must not make it static."""
        if form.code is None:
            return replace(ticket, rotation=Rotation.WRONG) if must_rotate else ticket
        if not self._keys.rotation:
            return replace(ticket, rotation=Rotation.WRONG)
        if not steps:
            return replace(ticket, rotation=Rotation.UNCHECKED)
        ticket_id = bytes.fromhex(ticket.ticket_id)
        step = step_of(form.code, ticket_id, self._keys.rotation, steps)
        rotation = Rotation.WRONG if step is None else Rotation.PROVEN
        return replace(ticket, rotation=rotation, rotation_step=step)


def _spoilt(flaw: TicketFlaw, form: TicketForm) -> SpoiltTicket:
    ticket_id = ticket_id_of(form.claims)
    prefix = ticket_id.hex()[:PREFIX_DIGITS] if ticket_id else ""
    return SpoiltTicket(flaw=flaw, ticket_prefix=prefix)
