# SPDX-License-Identifier: Apache-2.0
"""Letting somebody in at the panel: who just could not pay, and what may be corrected.

The law of the module: the panel hears of sums and doors, never of whose booking it is;
a refusal is named by its number, and the booking stays here. What is done is an order
of the desk like any other.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.accounts.rights import RIGHTS
from edge.core.access.answers import DenyReason
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.panel.desk import Desk
    from edge.control.server import Act
    from edge.core.event import Event

#: Whoever was refused so long ago has paid on the telephone, or left.
DUE_MS = 600_000
#: Refusals for payment that are remembered.
MAX_DUE = 16
#: Why a door was opened for somebody who paid in cash, in the journal's words.
PAID = "PAID_IN_CASH"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    door: str
    booking: str
    fen: int
    since_ms: int


class LettingIn:
    """The verbs ``letin`` (to read) and ``let-in-paid``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._due: OrderedDict[int, _Due] = OrderedDict()
        desk.hearers.append(self._hear)

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {"letin": self._read, "let-in-paid": self._paid}

    async def _read(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Tell whose payment is missing at which door, and what may be corrected."""
        desk = self._desk
        desk.acting(request, RIGHTS["open"], is_own=is_own)
        now = desk.now()
        entries = desk.controller.house.spaces.by_hand.open(now)
        return {
            "due": [
                {"seq": seq, "door": due.door, "fen": due.fen}
                for seq, due in self._due.items()
                if now.earliest_ms - due.since_ms < DUE_MS
            ],
            "entries": [
                {
                    "seq": seq,
                    "door": entry.door,
                    "persons": entry.persons,
                    "reason": entry.reason,
                }
                for seq, entry in entries.items()
            ],
        }

    async def _paid(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Note that the whole sum was taken in cash, and open that door for one."""
        self._desk.acting(request, RIGHTS["open"], is_own=is_own)
        fields = {key: value for key, value in request.items() if key != "seq"}
        seq = request.get("seq")
        due = self._due.get(seq) if isinstance(seq, int) else None
        if due is None or not isinstance(seq, int):
            raise ValueError("that refusal is not known any more: show the card again")
        opening = {"verb": "open", "door": due.door, "reason": PAID}
        paid = {"cash_fen": due.fen, "booking": due.booking}
        done = await self._desk.do("open", fields | opening | paid, is_own=is_own)
        del self._due[seq]
        return done

    def _hear(self, event: Event) -> None:
        """Remember who was refused for payment at a door."""
        if event.kind is not EventKind.ACCESS_DENIED:
            return
        booking, fen = event.person.booking, event.fact("due_fen")
        is_due = event.fact("reason") == DenyReason.PAYMENT_DUE.value
        point = self._desk.controller.site.access_points.get(event.subject)
        if not is_due or not booking or point is None or not point.door_id:
            return
        if isinstance(fen, int):
            since_ms = event.moment.earliest_ms
            self._due[event.seq] = _Due(
                door=point.door_id, booking=booking, fen=fen, since_ms=since_ms
            )
        while len(self._due) > MAX_DUE:
            self._due.popitem(last=False)
