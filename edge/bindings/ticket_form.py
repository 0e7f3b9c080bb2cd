# SPDX-License-Identifier: Apache-2.0
"""The form of a ticket, checked before anybody computes a signature.

The law of the module: text in, the signed parts out, or the first flaw; nothing here
knows a key or a time, and no bytes make it raise. CBOR is taken in its shortest form
alone, without tags, so that one ticket has exactly one text.
Source: docs/tickets.md, "Form"; RFC 9285 (base45), RFC 8949 section 4.2.1, RFC 9052.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import base45
import cbor2

from edge.core.access.ticket import TicketFlaw

STATIC_PREFIX, ROTATING_PREFIX = b"MS1:", b"MSR:"
PREFIXES = (STATIC_PREFIX, ROTATING_PREFIX)
CODE_DIGITS = 8
#: A QR code that a phone shows large enough holds no more.
MAX_BYTES = 512
#: Base45 needs three characters for two bytes.
MAX_TEXT = len(STATIC_PREFIX) + MAX_BYTES // 2 * 3 + CODE_DIGITS
#: What a scanner may add. Spaces are part of the text: they are never trimmed.
TRIMMED = b"\r\n\t"
#: The claims hold a list that holds a list of doors.
MAX_DEPTH = 3
ALGORITHM, KEY_ID = 1, 4
EDDSA = -8
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketForm:
    """A ticket of good form whose signature nobody has verified yet.

    ``protected`` and ``payload`` are the bytes that were signed, ``claims`` what the
    payload says, ``code`` the rotating code, None where there is none.
    """

    key_id: bytes
    protected: bytes
    payload: bytes
    claims: Mapping[int, Any]
    signature: bytes
    code: bytes | None


def claims_to_be_ticket(text: bytes) -> bool:
    """Say whether a scanned code is meant as a ticket at all."""
    return text.startswith(PREFIXES)


def form_of(text: bytes) -> TicketForm | TicketFlaw:
    """Take a scanned text apart; the first flaw if it is not a ticket's."""
    text = text.strip(TRIMMED)
    if not claims_to_be_ticket(text):
        return TicketFlaw.PREFIX
    if len(text) > MAX_TEXT:
        return TicketFlaw.TOO_LONG
    body, code = text[len(STATIC_PREFIX) :], None
    if text.startswith(ROTATING_PREFIX):
        # By position: digits and the colon are characters of base45 too.
        body, code = body[:-CODE_DIGITS], body[-CODE_DIGITS:]
        if len(code) != CODE_DIGITS or not code.isdigit():
            return TicketFlaw.FORMAT
    try:
        data = base45.b45decode(body)
    except ValueError:
        return TicketFlaw.BASE45
    if len(data) > MAX_BYTES:
        return TicketFlaw.TOO_LONG
    return _envelope(data, code)


def _envelope(data: bytes, code: bytes | None) -> TicketForm | TicketFlaw:
    """Open the untagged COSE_Sign1 and its protected header."""
    try:
        envelope = _plain(data)
        match envelope:
            case [bytes(protected), dict(unprotected), bytes(payload), bytes(sig)] if (
                not unprotected and len(sig) == SIGNATURE_BYTES
            ):
                header, claims = _plain(protected), _plain(payload)
            case _:
                return TicketFlaw.FORMAT
    except ValueError:
        return TicketFlaw.CBOR
    if not _is_integer_map(header) or not _is_integer_map(claims):
        return TicketFlaw.FORMAT
    if header.get(ALGORITHM) != EDDSA:
        return TicketFlaw.ALG
    key_id = header.get(KEY_ID)
    if header.keys() != {ALGORITHM, KEY_ID} or not isinstance(key_id, bytes):
        return TicketFlaw.FORMAT
    return TicketForm(
        key_id=key_id,
        protected=protected,
        payload=payload,
        claims=claims,
        signature=sig,
        code=code,
    )


def _is_integer_map(value: object) -> bool:
    # True is an int to isinstance, and equal to the label 1.
    return isinstance(value, dict) and all(type(label) is int for label in value)


def _plain(data: bytes) -> Any:
    """Decode exactly one item in its shortest form, without tags; else ValueError."""
    try:
        value = cbor2.loads(
            data,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            max_depth=MAX_DEPTH,
            semantic_decoders=_NO_TAGS,
        )
        is_shortest = cbor2.dumps(value) == data
    except cbor2.CBORError as error:
        raise ValueError("not the CBOR of a ticket") from error
    if not is_shortest:
        raise ValueError("not in its shortest form, or more than one item")
    return value


def _refuse_tag(*_: object) -> NoReturn:
    raise ValueError("a ticket has no tags")


class _NoTags(Mapping[int, Any]):
    """Every tag's decoder refuses: a tag may ask for work, such as a regex."""

    def __getitem__(self, tag: int) -> Any:
        return _refuse_tag

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 1  # an empty mapping might be taken for none


_NO_TAGS = _NoTags()
