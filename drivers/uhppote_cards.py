# SPDX-License-Identifier: Apache-2.0
"""The short list of cards that a controller admits by itself while we are silent.

The law of the module: the list is read before it is changed, only what differs is
written, and the list of others is never wiped in one go: a card is deleted by its
number. A card that was refused is not tried again before the next list.

Source: uhppoted/uhppote-core, messages/{put,delete,get}_card*.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.uhppote_requests import (
    delete_card,
    get_card,
    put_card,
)
from drivers.uhppote_wire import (
    DELETED_CARD,
    Function,
    OfflineCard,
    card_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.uhppote_wire import Packet, Request

#: Volunteers and responders of one place; residents' bookings do not fit into days.
MAX_CARDS = 500
#: Places that are read, deleted ones included; a longer list is not ours.
MAX_PLACES = 2_000


class CardList:
    """What is wanted on the controller's list, and what is known to stand there."""

    def __init__(self) -> None:
        self.refused: set[int] = set()
        self._wanted: dict[int, OfflineCard] | None = None
        self._held: dict[int, OfflineCard | None] = {}
        self._place = 1

    def want(self, cards: Iterable[OfflineCard]) -> None:
        """Take the list that is to stand; LocalError if it is too long."""
        wanted = {card.number: card for card in cards}
        if len(wanted) > MAX_CARDS:
            raise LocalError(f"a list has at most {MAX_CARDS} cards, not {len(wanted)}")
        self._wanted = wanted
        self.refused.clear()

    def forget(self) -> None:
        """Know nothing of the controller's list, as after it was away."""
        self._held.clear()
        self._place = 1

    def next_request(self) -> Request | None:
        """Return what is to be read or written next; None if all is as wanted."""
        if self._wanted is None:
            return None
        if self._place:
            return get_card(self._place)
        surplus = (one for one in self._held if one not in self._wanted)
        for number in surplus:
            if number not in self.refused:
                return delete_card(number)
        for number, card in self._wanted.items():
            if self._held.get(number) != card and number not in self.refused:
                return put_card(card)
        return None

    def answered(self, request: Request, packet: Packet) -> None:
        """Take the reply to a request of :meth:`next_request`."""
        number = int.from_bytes(request.body[0:4], "little")
        match request.function:
            case Function.CARD_BY_INDEX:
                self._read(packet)
            case _ if not packet.is_done:
                self.refused.add(number)
            case Function.DELETE_CARD:
                self._held.pop(number, None)
            case _:
                self._held[number] = self._written(request, number)

    def gave_up(self, request: Request) -> None:
        """Take note that a request is never answered."""
        if request.function is Function.CARD_BY_INDEX:
            self._place = 0
        else:
            self.refused.add(int.from_bytes(request.body[0:4], "little"))

    def _written(self, request: Request, number: int) -> OfflineCard | None:
        """Return the card that was written; None if another is wanted meanwhile."""
        card = (self._wanted or {}).get(number)
        return card if card is not None and put_card(card) == request else None

    def _read(self, packet: Packet) -> None:
        card = card_of(packet)
        self._place = self._place + 1 if self._place < MAX_PLACES else 0
        match card:
            case OfflineCard():
                self._held[card.number] = card
            case 0:
                self._place = 0
            case number if number != DELETED_CARD:
                self._held[number] = None
