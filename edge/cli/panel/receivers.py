# SPDX-License-Identifier: Apache-2.0
"""For whom a parcel is: found by a booking, never by a name.

The law of the module: a tablet gets a mark for each receiver that means something to
this process alone; whose it is stays here. It looks at the rooms' bookings of a
day around now, at those of cells in use, or at the one row that was named in full: no
search through the whole roster.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any

from edge.accounts.people import Role
from edge.core.lockers.locker_terms import booking_of, vacant
from edge.core.plan import DAY_MS, SIZES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.cli.panel.desk import Desk
    from edge.control.server import Act
    from edge.core.people.entries import Booking
    from edge.core.plan import Size

ON_DUTY = frozenset({Role.VOLUNTEER, Role.MANAGER})
#: Tiles that one page shows; who has more visitors types four characters.
MAX_SHOWN = 12
#: Bookings of a space that are looked at: a day of a busy room, many times over.
MAX_LOOKED_AT = 500
#: Marks that are remembered: tablets with a list open, and forgotten ones.
MAX_MARKS = 1_024
MAX_TYPED = 64
TAIL = 4
#: Bookings that ended so long ago are still looked at: the parcel came late.
BEFORE_MS = DAY_MS // 4
#: How many days a parcel may wait, as the tiles say.
DAYS = (1, 3, 7)


class Receivers:
    """The two verbs of putting something in for somebody."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._put = desk.acts()["parcel"]
        self._salt = secrets.token_bytes(16)
        self._marks: OrderedDict[str, str] = OrderedDict()

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {"receivers": self._receivers, "parcel-for": self._parcel_for}

    async def _receivers(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return who has a booking today, or whom ``typed`` names.

        ``typed``: the last four characters of a booking of today, a booking's whole
        code, or a holder's number on the platform's list.
        """
        self._desk.acting(request, ON_DUTY, is_own=is_own)
        typed = request.get("typed") or ""
        is_text = isinstance(typed, str) and typed.isprintable()
        if not is_text or len(typed) > MAX_TYPED:
            return {"found": [], "has_more": False}
        found = list(self._found(typed.strip().casefold(), typed.strip()))
        found.sort(key=lambda each: each["from_ms"] or 0)
        return {"found": found[:MAX_SHOWN], "has_more": len(found) > MAX_SHOWN}

    async def _parcel_for(
        self,
        request: dict[str, Any],
        is_own: bool,  # noqa: FBT001
    ) -> dict[str, Any]:
        """Open a cell for what is put in; ``state`` says why not.

        The order itself is the desk's, judged and written down as every other.
        """
        desk = self._desk
        who = desk.acting(request, ON_DUTY, is_own=is_own)
        bank, size, days = (request.get(name) for name in ("bank", "size", "days"))
        holder = self._marks.get(str(request.get("mark")))
        plan = desk.plan.banks.get(str(bank))
        if holder is None or plan is None or size not in SIZES or days not in DAYS:
            return {"state": "again"}
        cells = desk.controller.lockers.bank(plan.bank_id)
        fit: Size = size
        if vacant(plan, cells, fit) is None:
            return {"state": "full"}
        order: dict[str, Any]
        order = {key: request[key] for key in ("tablet", "session") if key in request}
        if who.is_shell:
            order["actor"] = who.actor
        order |= {"bank": plan.bank_id, "size": fit, "holder": holder}
        order["until_ms"] = desk.now().earliest_ms + days * DAY_MS
        await self._put(order, is_own)
        return {"state": "done", "number": self._opening(plan.bank_id, holder)}

    def _opening(self, bank: str, holder: str) -> int:
        """Return which cell opens for this receiver's parcel."""
        for number, cell in self._desk.controller.lockers.bank(bank).items():
            rental = cell.rental
            if rental and rental.holder == holder and rental.awaits_parcel:
                return number
        return 0

    def _found(self, folded: str, typed: str) -> Iterator[dict[str, Any]]:
        """Yield each receiver once, by the first of his bookings that fits."""
        rolls, seen = self._desk.controller.rolls, set[str]()
        for holder, booking in self._booked():
            is_fit = not folded or booking.booking_id[-TAIL:].casefold() == folded
            if is_fit and holder not in seen and self._is_known(holder):
                seen.add(holder)
                yield self._tile(holder, booking)
        if seen or len(typed) <= TAIL:
            return
        named = rolls.booking(typed)
        if named is not None and self._is_known(named[0]):
            yield self._tile(*named)
        elif self._is_known(typed):
            yield self._tile(typed, None)

    def _booked(self) -> Iterator[tuple[str, Booking]]:
        """Yield rooms' bookings of a day around now, and those of cells in use."""
        now, controller = self._desk.now(), self._desk.controller
        around = now.earliest_ms - BEFORE_MS, now.latest_ms + DAY_MS
        for space in self._desk.plan.spaces:
            yield from islice(controller.rolls.booked(space, *around), MAX_LOOKED_AT)
        for cell in controller.lockers.standing().values():
            if cell.rental is not None:
                mine = controller.rolls.bookings(cell.rental.holder)
                booking = booking_of(cell.rental, mine)
                if booking is not None:
                    yield cell.rental.holder, booking

    def _is_known(self, holder: str) -> bool:
        known = self._desk.controller.rolls.holder(holder)
        return known is not None and known.is_enabled

    def _tile(self, holder: str, booking: Booking | None) -> dict[str, Any]:
        """Return what a tile tells of a receiver."""
        return {
            "mark": self._mark(holder),
            "tail": (booking.booking_id if booking else holder)[-TAIL:],
            "space": booking.space_id if booking else "",
            "from_ms": booking.from_ms if booking else None,
            "to_ms": booking.to_ms if booking else None,
        }

    def _mark(self, holder: str) -> str:
        """Return a receiver's mark: the same each time, and no way back to him."""
        keyed = blake2b(holder.encode(), key=self._salt, digest_size=9)
        mark = f"r{keyed.hexdigest()}"
        self._marks[mark] = holder
        self._marks.move_to_end(mark)
        while len(self._marks) > MAX_MARKS:
            self._marks.popitem(last=False)
        return mark
