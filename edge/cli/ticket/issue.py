# SPDX-License-Identifier: Apache-2.0
"""``menshen ticket issue``: one signed ticket, as a platform would write it.

The law of the module: a text that a gateway would not read is never printed; the
reader, which shares no codec with the writer, has the last word.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import segno

from edge.bindings.ticket_reader import TicketReader
from edge.cli.exits import GOOD, WRONG_USE
from edge.cli.ticket.key_files import read_issuer_key
from edge.cli.ticket.writer import (
    STEP_S,
    code_of,
    payload_of,
    rotating_text,
    secret_of,
    signed,
    static_text,
)
from edge.core.access.ticket import Rotation, SpoiltTicket

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.ticket.key_files import IssuerKey
    from edge.cli.ticket.writer import TicketOrder

#: Pixels a module of a QR picture: large enough to print.
QR_SCALE = 8
PICTURES = (".pbm", ".png", ".svg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A ticket's text, and the secret that its holder's phone gets beside it."""

    text: str
    secret: bytes


class NotIssuedError(Exception):
    """The ticket would not be read; the text says what to change."""


def issue(order: TicketOrder, key: IssuerKey, *, code_at_s: int) -> Issued:
    """Write a ticket, with the code of ``code_at_s`` if it rotates.

    Raises NotIssuedError.
    """
    try:
        ticket = signed(payload_of(order), key.key_id, key.private)
    except ValueError as error:
        raise NotIssuedError(str(error)) from error
    text, secret = static_text(ticket), b""
    if order.rotates:
        if not key.rotation:
            raise NotIssuedError("the key file has no rotation key; add one")
        secret = secret_of(key.rotation, order.ticket_id)
        text = rotating_text(ticket, code_of(secret, code_at_s))
    step = code_at_s // STEP_S
    read = TicketReader(key.public()).read(text.encode(), range(step, step + 1))
    if isinstance(read, SpoiltTicket):
        raise NotIssuedError(
            f"a gateway would refuse it ({read.flaw}): sites and doors are 1 to 8 "
            "numbers or ids as in the site file, and it must end after it begins"
        )
    if read.rotation is Rotation.WRONG:
        raise NotIssuedError("a gateway would not expect this code; check its time")
    return Issued(text=text, secret=secret)


def run_issue(
    key: Path, order: TicketOrder, *, code_at_s: int, qr: Path | None, as_json: bool
) -> int:
    """Print a ticket's text and draw its code; return the exit code.

    The issuer is the key's, whatever the order says: a key speaks for no other.
    """
    try:
        signer = read_issuer_key(key)
        order = replace(order, issuer=signer.issuer)
        issued = issue(order, signer, code_at_s=code_at_s)
        if qr is not None:
            _draw(issued.text, qr)
    except NotIssuedError as error:
        print(f"no ticket: {error}", file=sys.stderr)
        return WRONG_USE
    if as_json:
        secret = issued.secret.hex()
        told = {"ticket_id": order.ticket_id.hex(), "text": issued.text}
        print(json.dumps(told | ({"secret": secret} if secret else {})))
    else:
        print(issued.text)
    return GOOD


def _draw(text: str, path: Path) -> None:
    if path.suffix not in PICTURES:
        raise NotIssuedError(f"{path}: use one of {', '.join(PICTURES)}")
    try:
        # Level M: at equal width its modules are larger than those of Q.
        code = segno.make(text, error="m", boost_error=False, micro=False)
        code.save(str(path), scale=QR_SCALE)
    except OSError as error:
        raise NotIssuedError(f"{path}: {error.strerror}") from error
