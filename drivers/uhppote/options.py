# SPDX-License-Identifier: Apache-2.0
"""What a site file may say of a UHPPOTE controller.

The law of the module: values alone, checked when they are read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address

from drivers.errors import LocalError
from drivers.options import between
from drivers.uhppote.wire import MAX_DOORS

#: Volunteers and emergency of one house; each is read at each beginning.
MAX_OFFLINE_CARDS = 64
#: The number above is the controller's mark of a deleted card.
MAX_CARD = 0xFFFFFFFE
_MAX_DIGITS = len(str(MAX_CARD))


@dataclass(frozen=True, slots=True, kw_only=True)
class UhppoteOptions:
    """``serial`` is printed on the controller; 0: whichever answers at this address.

    ``listen_address``: our own IPv4 address, to which events are sent at
    ``listen_port``; empty: swipes are seen by the next poll, and count for 2 s.
    ``pc_control``: the house decides about cards that the controller knows, too.
    ``offline_cards``: decimal numbers of the cards that open all its doors while the
    house is not heard, with commas between; a number opens doors, so none is printed.
    """

    serial: int = 0
    doors: int = 4
    listen_address: str = ""
    listen_port: int = 60_001
    pc_control: bool = True
    poll_s: float = 1.0
    reply_timeout_s: float = 0.5
    offline_cards: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        between("serial", self.serial, 0, 0xFFFFFFFF)
        between("doors", self.doors, 1, MAX_DOORS)
        between("listen_port", self.listen_port, 1, 0xFFFF)
        # A third of what the controller waits before it decides by itself.
        between("poll_s", self.poll_s, 0.2, 10.0)
        between("reply_timeout_s", self.reply_timeout_s, 0.05, 2.0)
        if self.listen_address:
            self.listener()
        self.cards()

    def listener(self) -> IPv4Address:
        """Return the address for events; LocalError if it is none."""
        try:
            return IPv4Address(self.listen_address)
        except AddressValueError:
            what = (
                f"listen_address must be like 192.168.1.10, not {self.listen_address!r}"
            )
            raise LocalError(what) from None

    def cards(self) -> tuple[int, ...]:
        """Return the numbers of ``offline_cards``; LocalError tells no number."""
        if not self.offline_cards.strip():
            return ()
        texts = [text.strip() for text in self.offline_cards.split(",")]
        if len(texts) > MAX_OFFLINE_CARDS:
            raise LocalError(
                f"offline_cards has at most {MAX_OFFLINE_CARDS} cards, not {len(texts)}"
            )
        cards = [_card(place, text) for place, text in enumerate(texts, start=1)]
        if len(set(cards)) < len(cards):
            raise LocalError("offline_cards names a card twice")
        return tuple(cards)


def _card(place: int, text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
    if not is_number or not 1 <= int(text) <= MAX_CARD:
        wanted = f"a decimal number 1 to {MAX_CARD}"
        raise LocalError(f"offline_cards: card {place} of the list must be {wanted}")
    return int(text)
