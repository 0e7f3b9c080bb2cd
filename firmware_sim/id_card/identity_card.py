# SPDX-License-Identifier: Apache-2.0
"""An identity card as its chip tells it: the 256-byte text block in four layouts.

The law of the module: it encodes and never decodes, so that a gateway's decoder is
held to the published layout and not to ours.
Source: GA/T 490 as summarised in wiki.nfc.im; readinfo PCSCGetData.h for the four
layouts; DKCloudID IDCardData.java for ``Y``; GB/T 2261.1 and GB/T 3304 for the codes.
Fields are UTF-16LE, padded with spaces, without terminators.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from firmware_sim.errors import SimulationError

TEXT_BYTES = 256
PHOTO_BYTES = 1024
FINGERPRINT_BYTES = 1024
ADDRESS_BYTES = 70
#: Written on the card where it never expires, in the place of a date.
LONG_TERM = "长期"


class CardLayout(StrEnum):
    """The four kinds of text block, named by the letter at offset 248."""

    MAINLAND = " "
    RESIDENCE_PERMIT = "J"
    FOREIGNER_2017 = "I"
    FOREIGNER_2023 = "Y"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityCard:
    """What stands on a card; dates are YYYYMMDD, codes as in GB/T 2261.1 and 3304.

    ``number`` is the identity or permit number, ``name`` the Chinese name. What only
    one layout knows stays empty on the others: ``pass_number`` and ``issue_count``
    (J), ``english_name``, ``nationality`` (I, Y), ``version``, ``authority`` (I),
    ``renewal_count``, ``old_permit`` (Y). ``newest_address`` is the additional
    address of command 30 03, or empty if the card has none.
    """

    number: str = field(repr=False)
    name: str = field(repr=False)
    sex: str = "0"
    nation: str = ""
    birth: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    issuer: str = ""
    valid_from: str = ""
    valid_to: str = ""
    layout: CardLayout = CardLayout.MAINLAND
    english_name: str = field(default="", repr=False)
    nationality: str = ""
    pass_number: str = field(default="", repr=False)
    issue_count: str = ""
    version: str = ""
    authority: str = ""
    renewal_count: str = ""
    old_permit: str = ""
    newest_address: str = field(default="", repr=False)
    has_fingerprint: bool = False
    photo: bytes = field(default=bytes(PHOTO_BYTES), repr=False)

    def __post_init__(self) -> None:
        if len(self.photo) != PHOTO_BYTES:
            raise SimulationError(
                f"a photo has {PHOTO_BYTES} bytes, not {len(self.photo)}"
            )
        text_block(self)
        address_block(self)


def text_block(card: IdentityCard) -> bytes:
    """Return the 256 bytes of the card; SimulationError if a field does not fit."""
    block = b"".join(_text(value, width) for value, width in _fields(card))
    if len(block) != TEXT_BYTES:
        raise AssertionError(f"layout {card.layout!r} has {len(block)} bytes")
    return block


def address_block(card: IdentityCard) -> bytes:
    """Return the 70 bytes of the newest additional address."""
    return _text(card.newest_address, ADDRESS_BYTES)


def _text(value: str, width: int) -> bytes:
    encoded = value.encode("utf-16-le", errors="surrogatepass")
    if len(encoded) > width:
        raise SimulationError(
            f"{value!r} needs {len(encoded)} bytes where the card has {width}; "
            "shorten it"
        )
    return encoded + b" \0" * ((width - len(encoded)) // 2)


def _fields(card: IdentityCard) -> tuple[tuple[str, int], ...]:
    match card.layout:
        case CardLayout.MAINLAND:
            return (*_citizen(card), ("", 36))
        case CardLayout.RESIDENCE_PERMIT:
            return (*_citizen(card), *_residence_permit(card))
        case CardLayout.FOREIGNER_2017:
            return _foreigner_2017(card)
        case CardLayout.FOREIGNER_2023:
            return _foreigner_2023(card)


def _citizen(card: IdentityCard) -> tuple[tuple[str, int], ...]:
    return (
        (card.name, 30),
        (card.sex, 2),
        (card.nation, 4),
        (card.birth, 16),
        (card.address, 70),
        (card.number, 36),
        (card.issuer, 30),
        (card.valid_from, 16),
        (card.valid_to, 16),
    )


def _residence_permit(card: IdentityCard) -> tuple[tuple[str, int], ...]:
    return (
        (card.pass_number, 18),
        (card.issue_count, 4),
        ("", 6),
        (card.layout.value, 2),
        ("", 6),
    )


def _foreigner_2017(card: IdentityCard) -> tuple[tuple[str, int], ...]:
    return (
        (card.english_name, 120),
        (card.sex, 2),
        (card.number, 30),
        (card.nationality, 6),
        (card.name, 30),
        (card.valid_from, 16),
        (card.valid_to, 16),
        (card.birth, 16),
        (card.version, 4),
        (card.authority, 8),
        (card.layout.value, 2),
        ("", 6),
    )


def _foreigner_2023(card: IdentityCard) -> tuple[tuple[str, int], ...]:
    return (
        (card.name, 30),
        (card.sex, 2),
        (card.renewal_count, 4),
        (card.birth, 16),
        (card.english_name[:35], 70),
        (card.number, 36),
        ("", 30),
        (card.valid_from, 16),
        (card.valid_to, 16),
        (card.english_name[35:], 22),
        (card.nationality, 6),
        (card.layout.value, 2),
        (card.old_permit, 6),
    )
