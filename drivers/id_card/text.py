# SPDX-License-Identifier: Apache-2.0
"""The text block of a second-generation identity card: its number and its validity.

The law of the module: nothing else is taken out, no name, no address, no picture;
the number never becomes a ``str`` (which nobody can wipe) and is handed on only if
its check character is right.

Source: PCSCGetData.h of Johann356/readinfo (four layouts, 256 bytes UTF-16LE, padded
with spaces, the layout told by byte 248); GB 11643-1999 (check character).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.device import UnreadableCause
from drivers.secret import wipe

TEXT_BYTES = 256
#: Read reply: LENtext(2) LENphoto(2), both big-endian, before the text.
_LENGTHS_BYTES = 4
_LAYOUT_AT = 248
_NUMBER_AT = 122
_VALID_FROM_AT = 188
_VALID_TO_AT = 204
_DATE_BYTES = 16

#: Mainland citizen (no mark), residence permit of Hong Kong, Macau and Taiwan (J),
#: permanent residence of foreigners by the version of 2017 (I) and of 2023 (Y);
#: the value is the count of characters in the number.
_NUMBER_LENGTH = {ord(" "): 18, ord("J"): 18, ord("I"): 15, ord("Y"): 18}

_DIGITS = frozenset(b"0123456789")
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = b"10X98765432"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """The number as ASCII, to be wiped by its receiver; dates YYYYMMDD or empty."""

    number: bytearray = field(repr=False)
    valid_from: str
    valid_to: str


def read_card(data: bytearray) -> CardText | UnreadableCause:
    """Read the data of a 30 01 reply: two lengths, text, photo."""
    text_bytes = int.from_bytes(data[0:2], "big")
    photo_bytes = int.from_bytes(data[2:4], "big")
    if text_bytes != TEXT_BYTES:
        return UnreadableCause.TRY_AGAIN
    if len(data) != _LENGTHS_BYTES + text_bytes + photo_bytes:
        return UnreadableCause.TRY_AGAIN
    # A view: a slice would be one more copy to wipe.
    with memoryview(data)[_LENGTHS_BYTES : _LENGTHS_BYTES + TEXT_BYTES] as text:
        return read_text(text)


def read_text(text: bytes | bytearray | memoryview) -> CardText | UnreadableCause:
    """Read a text block of 256 bytes, layout first."""
    length = _NUMBER_LENGTH.get(text[_LAYOUT_AT])
    if length is None or text[_LAYOUT_AT + 1]:
        return UnreadableCause.CARD_TYPE_UNKNOWN
    number = _ascii(text, _NUMBER_AT, 2 * length)
    if not is_number(number):
        wipe(number)
        return UnreadableCause.TRY_AGAIN
    return CardText(
        number=number,
        valid_from=_date(text, _VALID_FROM_AT),
        valid_to=_date(text, _VALID_TO_AT),
    )


def is_number(number: bytes | bytearray) -> bool:
    """Whether these are 17 digits and their check, or a permit's 3 letters, 12 digits.

    GB 11643: the weighted sum modulo 11 chooses the check out of ``10X98765432``.
    """
    if len(number) == 15:
        return _LETTERS.issuperset(number[:3]) and _DIGITS.issuperset(number[3:])
    if len(number) != 18 or not _DIGITS.issuperset(number[:17]):
        return False
    pairs = zip(number, _WEIGHTS, strict=False)
    total = sum((digit - ord("0")) * weight for digit, weight in pairs)
    return number[17] == _CHECK_CHARACTERS[total % 11]


def _ascii(text: bytes | bytearray | memoryview, at: int, size: int) -> bytearray:
    """Return ASCII out of UTF-16LE; empty if any character is not ASCII."""
    if any(text[at + 1 : at + size : 2]):
        return bytearray()
    return bytearray(text[at : at + size : 2])


def _date(text: bytes | bytearray | memoryview, at: int) -> str:
    """Return YYYYMMDD, or empty: ``长期`` (no expiry) is no date."""
    digits = _ascii(text, at, _DATE_BYTES)
    return digits.decode("ascii") if digits and _DIGITS.issuperset(digits) else ""
