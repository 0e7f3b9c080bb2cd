# SPDX-License-Identifier: Apache-2.0
"""What is said to a contactless PC/SC reader, and how its answers are judged.

The law of the module: pure, and strict in what counts as a card's own number. What is
too short, padded, cut off, all zeros, all ones or drawn anew at each tap is refused
here, because the first such card that is enrolled would let in all the others. The
Chinese identity card is one of them: its number is 00000000 for everybody.

Source: PC/SC part 3, 3.2.2.1.3 (get data) and its supplement on storage cards (ATR);
ISO/IEC 14443-3, 6.5.4 (numbers, cascade tag 88, random 08) and 7.9 (PUPI, ATQB);
ACR122U application programming interface 2.04, sections 6.2 (lamps, buzzer) and 6.7.
"""

from __future__ import annotations

from functools import reduce
from operator import xor
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.device import Cue, Technology, UnreadableCause

if TYPE_CHECKING:
    from collections.abc import Mapping

GET_NUMBER = bytes.fromhex("FFCA000000")
BUZZER_OFF_ON_DETECT = bytes.fromhex("FF00520000")
#: The lamp and buzzer of an ACR122U: P2 holds final states, masks and what blinks;
#: then 100 ms on, 100 ms off, how often, and 01 for a beep with each "on". The reader
#: answers only when it has finished, so no cue lasts longer than 0.6 s, and what stands
#: for good (a lock-down, a fire) it cannot show.
CUES: Mapping[Cue, bytes] = MappingProxyType(
    {
        Cue.READING: bytes.fromhex("FF00400F0400000000"),  # both lamps: amber
        Cue.GRANTED: bytes.fromhex("FF0040AC0403010101"),  # green, one long beep
        Cue.GRANTED_SLOW: bytes.fromhex("FF0040AC0405010101"),  # green, a longer beep
        Cue.DENIED: bytes.fromhex("FF00405C0401010301"),  # red, three short beeps
        Cue.TRY_AGAIN: bytes.fromhex("FF0040FC0401020201"),  # amber, two short beeps
        Cue.CLOSE_DOOR: bytes.fromhex("FF0040FC0402010101"),  # amber, one short beep
    }
)
_READER_CLASS = b"\xff\x00"

_STORAGE_CARD = bytes.fromhex("804F0CA000000306")
_STORAGE_BYTES = 15
_STORAGE_STANDARDS = MappingProxyType(
    {
        1: Technology.ISO14443A,
        2: Technology.ISO14443A,
        3: Technology.ISO14443A,
        5: Technology.ISO14443B,
        6: Technology.ISO14443B,
        7: Technology.ISO14443B,
    }
)
_OK = b"\x90\x00"
#: Not supported, not found, unknown instruction, unknown class: such a card has no
#: number, however often it is asked.
_NO_NUMBER = frozenset({b"\x6a\x81", b"\x6a\x82", b"\x6d\x00", b"\x6e\x00"})
_LENGTHS = MappingProxyType(
    {Technology.ISO14443A: (4, 7, 10), Technology.ISO14443B: (4,)}
)
#: As many zeros at an end are padding, not a number.
_PADDING = bytes(3)
_CASCADE_TAG = 0x88
_RANDOM = 0x08


def is_for_reader(apdu: bytes) -> bool:
    """Whether a command means the reader itself, card or no card."""
    return apdu.startswith(_READER_CLASS)


def has_cues(reader: str) -> bool:
    """Whether a reader of this name has the lamps and the buzzer of an ACR122U."""
    return "ACR122" in reader.upper()


def technology_of(atr: bytes) -> Technology | None:
    """Return how the card speaks; None if it is no contactless card that we know.

    A contact card could answer "what is your number" with any number it likes.
    """
    is_contactless = len(atr) >= 5 and atr[0] == 0x3B and atr[2:4] == b"\x80\x01"
    historical = atr[4:-1]
    is_whole = is_contactless and atr[1] == 0x80 | len(historical)
    if not is_whole or reduce(xor, atr[1:]) != 0:
        return None
    if historical.startswith(_STORAGE_CARD):
        if len(historical) != _STORAGE_BYTES:
            return None
        return _STORAGE_STANDARDS.get(historical[len(_STORAGE_CARD)])
    is_b = _is_answer_of_type_b(historical)
    return Technology.ISO14443B if is_b else Technology.ISO14443A


def _is_answer_of_type_b(historical: bytes) -> bool:
    """Tell ATQB (4 of the application, 3 of the protocol, MBLI) from an ATS by form."""
    if len(historical) != 8:
        return False
    speaks_part_4 = historical[5] & 0x0F == 0x01
    return speaks_part_4 and historical[7] & 0x0F == 0


def number_in(
    answer: bytes, technology: Technology, *, allow_random_uid: bool
) -> bytes | UnreadableCause:
    """Return the number in an answer to GET_NUMBER, or why there is none."""
    number, status = answer[:-2], answer[-2:]
    if status in _NO_NUMBER:
        return UnreadableCause.CARD_TYPE_UNKNOWN
    if status != _OK:
        return UnreadableCause.TRY_AGAIN
    if not _is_own_number(number, technology):
        return UnreadableCause.CARD_TYPE_UNKNOWN
    if not allow_random_uid and is_random(number, technology):
        return UnreadableCause.CARD_TYPE_UNKNOWN
    return number


def is_random(number: bytes, technology: Technology) -> bool:
    """Whether a number was drawn for this tap alone, as telephones do."""
    is_single = technology is Technology.ISO14443A and len(number) == 4
    return is_single and number[0] == _RANDOM


def _is_own_number(number: bytes, technology: Technology) -> bool:
    if len(number) not in _LENGTHS[technology]:
        return False
    if number.startswith(_PADDING) or number.endswith(_PADDING):
        return False
    if number == b"\xff" * len(number):
        return False
    is_single = technology is Technology.ISO14443A and len(number) == 4
    # The tag announces a longer number, of which these are the first three bytes.
    return not (is_single and number[0] == _CASCADE_TAG)
