# SPDX-License-Identifier: Apache-2.0
"""The cards of the site file that a controller admits by itself while we are silent.

The law of the module: each card is read before it is written, only what differs is
written, and what was written is read back: the answer to a writing names no card and
proves nothing. Nothing is ever deleted; cards that the site file does not name stay
and are counted. A card is written at most three times, and a function that is not
answered three times in a row ends the list: orders never wait behind a firmware that
does not know it. Both are tried again at the next beginning.

Source: uhppoted/uhppote-core, messages/{put,get}_card*.go and get_cards.go.
"""

from __future__ import annotations

from collections import Counter, deque
from datetime import date
from typing import TYPE_CHECKING

from drivers.uhppote.requests import count_cards, get_card, put_card
from drivers.uhppote.wire import Function, count_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.uhppote.wire import Packet, Request

#: Of one card's writings, and of silences in a row.
TRIES = 3
#: Who stands on the list stays there until the site file says otherwise; real
#: controllers refuse cards without dates.
VALID_FROM, VALID_TO = date(2020, 1, 1), date(2099, 12, 31)
#: What is compared: number, dates, doors and PIN.
_COMPARED_BYTES = 19


class OfflineCards:
    """Which cards are to stand on the controller's list, and how far we are with it.

    Each may open all doors of the controller, 1 to ``doors``.
    """

    def __init__(self, *, numbers: Sequence[int], doors: int) -> None:
        self._numbers = tuple(numbers)
        self._doors = range(1, doors + 1)
        self.begin()

    def begin(self) -> None:
        """Know nothing of the controller's list, as after it was away."""
        self._waiting = deque(self._numbers)
        self._is_counted = not self._numbers
        self._kept = 0
        self._foreign = 0
        self._silences: Counter[Function] = Counter()
        self._next_card()

    def next_request(self) -> Request | None:
        """Return what is to be asked next; None once there is nothing more."""
        if not self._waiting:
            return None if self._is_counted else count_cards()
        number = self._waiting[0]
        return self._put(number) if self._differs else get_card(number)

    def answered(self, request: Request, packet: Packet) -> None:
        """Take the reply to :meth:`next_request`."""
        self._silences[request.function] = 0
        match request.function:
            case Function.GET_CARD:
                self._take(packet)
            case Function.PUT_CARD:
                self._was_put()
            case _:
                self._foreign = max(0, count_of(packet) - self._kept)
                self._is_counted = True

    def missed(self, request: Request) -> None:
        """Count a silence; a card may have been written all the same."""
        if request.function is Function.PUT_CARD:
            self._was_put()
        self._silences[request.function] += 1
        if self._silences[request.function] < TRIES:
            return
        if not self._waiting:
            self._is_counted = True
        self._waiting.clear()

    def notes(self) -> list[str]:
        """Return what is to be told once there is nothing more to ask."""
        wanted = len(self._numbers)
        lacking = wanted - self._kept
        notes = [f"{self._foreign} cards of its own"] if self._foreign else []
        if lacking:
            notes.append(f"{lacking} of {wanted} offline cards can't be set")
        return notes

    # -- inside --------------------------------------------------------------------

    def _put(self, number: int) -> Request:
        return put_card(number, VALID_FROM, VALID_TO, self._doors)

    def _take(self, packet: Packet) -> None:
        wanted = self._put(self._waiting[0]).body.ljust(_COMPARED_BYTES, b"\0")
        if packet.body.startswith(wanted):
            self._kept += 1
        elif self._puts < TRIES:
            self._differs = True
            return
        self._waiting.popleft()
        self._next_card()

    def _was_put(self) -> None:
        """Read back what became of it."""
        self._puts += 1
        self._differs = False

    def _next_card(self) -> None:
        self._puts = 0
        self._differs = False
