# SPDX-License-Identifier: Apache-2.0
"""What is in the medicine boxes: counted by two, used by anybody, good for a time.

The law of the module: the list follows what people tell and opens nothing by itself.
A count never falls below nothing. An item is told once when it soon expires and once
when it has, by a clock that is sure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.core.event import EventKind
from edge.core.lockers.lockers import who
from edge.core.moment import UNBOUNDED_MS
from edge.core.people.row_body import is_text
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from edge.core.event import Event, Facts
    from edge.core.lockers.first_aid import FirstAid
    from edge.core.lockers.medicine_orders import (
        MedicineOrdered,
        MedicineStocked,
        MedicineUsed,
    )
    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.plan import SitePlan

#: Kinds of things in all boxes of a site: a first-aid box has about ten.
MAX_ITEMS = 200
#: Of one item; plasters come by the hundred.
MAX_COUNT = 1_000
MAX_TEXT = 64
#: So long before the end an item is told, so that somebody can buy another.
SOON_MS = 30 * DAY_MS

SOON, EXPIRED = "soon", "expired"
#: For whom a box is opened at the panel; a rehearsal may be held on any day.
WHOM = ("resident", "self", "drill")

_KINDS = frozenset(
    {
        EventKind.MEDICINE_STOCKED,
        EventKind.MEDICINE_USED,
        EventKind.MEDICINE_EXPIRING,
    }
)
#: A bank, and the item's name.
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """How many there are of an item, and until when (UTC ms) they are good.

    ``told``: what was last told of its end: nothing, ``SOON`` or ``EXPIRED``.
    """

    count: int
    expires_ms: int
    told: str = ""

    @property
    def next_told_ms(self) -> int | None:
        """When (UTC ms) something is to be told; None: never, or nothing is left."""
        if self.count == 0 or self.told == EXPIRED:
            return None
        return self.expires_ms if self.told == SOON else self.expires_ms - SOON_MS


class Medicine:
    """The lists of all medicine boxes; opens them for the panel."""

    def __init__(
        self, site: SitePlan, out: OutcomeBuilder, first_aid: FirstAid
    ) -> None:
        self._site = site
        self._out = out
        self._first_aid = first_aid
        self._stock: dict[_Key, Stock] = {}
        #: When to look next for what expires; 0: at once.
        self._due_s: float | None = None

    def stock(self, bank_id: str) -> dict[str, Stock]:
        """Return one bank's items by their names."""
        mine = self._stock.items()
        return {item: each for (bank, item), each in mine if bank == bank_id}

    def open(self, order: MedicineOrdered, now: Moment) -> str:
        """Open the box at the panel; return why not."""
        if not self._has_box(order.bank):
            return "there is no medicine box in this bank"
        if order.whom not in ("", *WHOM):
            return f"whom: one of {', '.join(WHOM)}"
        facts: Facts = (*who(order.actor), ("kind", "PANEL"))
        if order.whom:
            facts += (("whom", order.whom),)
        self._first_aid.open(self._site.banks[order.bank], now, facts)
        return ""

    def take_stock(self, order: MedicineStocked, now: Moment) -> str:
        """Write down what two persons counted; none takes it off the list."""
        flaw = self._uncounted(order)
        if flaw:
            return flaw
        facts: Facts = (
            *who(order.actor),
            ("count", order.count),
            ("expires", order.expires_ms),
            ("item", order.item),
            ("second", order.second[:MAX_TEXT]),
        )
        self._out.event(EventKind.MEDICINE_STOCKED, order.bank, now, facts=facts)
        return ""

    def use(self, order: MedicineUsed, now: Moment) -> str:
        """Write down what was taken out, though the list may have held fewer."""
        held = self._stock.get((order.bank, order.item))
        if held is None:
            return "no such item is on the list"
        if not 0 < order.count <= MAX_COUNT:
            return f"from 1 to {MAX_COUNT}"
        facts: Facts = (
            *who(order.actor),
            ("count", order.count),
            ("item", order.item),
            ("left", max(0, held.count - order.count)),
        )
        self._out.event(EventKind.MEDICINE_USED, order.bank, now, facts=facts)
        return ""

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        if event.kind not in _KINDS:
            return
        key = (event.subject, str(event.fact("item")))
        held = self._stock.get(key)
        match event.kind:
            case EventKind.MEDICINE_STOCKED:
                count = int(event.fact("count") or 0)
                expires_ms = int(event.fact("expires") or 0)
                self._put(key, Stock(count=count, expires_ms=expires_ms))
            case EventKind.MEDICINE_USED if held is not None:
                left = int(event.fact("left") or 0)
                self._stock[key] = replace(held, count=left)
            case EventKind.MEDICINE_EXPIRING if held is not None:
                self._stock[key] = replace(held, told=str(event.fact("what")))
            case _:
                pass  # of an item that is off the list again
        self._due_s = 0.0

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        return self._due_s

    def expire(self, now: Moment) -> None:
        """Tell what soon expires, and what has."""
        if self._due_s is None or now.monotonic_s < self._due_s:
            return
        for key, held in list(self._stock.items()):
            told_ms = held.next_told_ms
            if told_ms is not None and now.earliest_ms >= told_ms:
                self._tell(key, held, now)
        ends = [each.next_told_ms for each in self._stock.values()]
        next_ms = min((ms for ms in ends if ms is not None), default=None)
        self._due_s = None
        if next_ms is not None:
            wait_s = max(0, next_ms - now.earliest_ms) / 1000
            self._due_s = now.monotonic_s + wait_s

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        return {
            "medicine": [
                [*key, held.count, held.expires_ms, held.told]
                for key, held in self._stock.items()
            ]
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; an older one has no list."""
        for bank, item, count, expires_ms, told in state.get("medicine", ()):
            # Also one that is used up: somebody has to fill it up again.
            if self._has_box(bank):
                held = Stock(count=count, expires_ms=expires_ms, told=told)
                self._stock[bank, item] = held
        self._due_s = 0.0

    def renumber(self, shift: int) -> None:
        """Do nothing: a list has no numbers of events."""

    def _put(self, key: _Key, held: Stock) -> None:
        """Note what was counted, unless its box is no longer there."""
        if held.count == 0 or not self._has_box(key[0]):
            self._stock.pop(key, None)
        else:
            self._stock[key] = held

    def _tell(self, key: _Key, held: Stock, now: Moment) -> None:
        bank, item = key
        is_over = now.earliest_ms >= held.expires_ms
        facts: Facts = (
            ("expires", held.expires_ms),
            ("item", item),
            ("what", EXPIRED if is_over else SOON),
        )
        self._out.event(EventKind.MEDICINE_EXPIRING, bank, now, facts=facts)

    def _has_box(self, bank_id: str) -> bool:
        bank = self._site.banks.get(bank_id)
        return bank is not None and any(
            each.is_medicine_box for each in bank.compartments.values()
        )

    def _uncounted(self, order: MedicineStocked) -> str:
        """Say what is wrong with a count."""
        if not order.actor or not order.second or order.second == order.actor:
            return "two different persons have to count"
        if not self._has_box(order.bank):
            return "there is no medicine box in this bank"
        if not is_text(order.item):
            return f"an item's name has 1 to {MAX_TEXT} printable characters"
        if not 0 <= order.count <= MAX_COUNT:
            return f"from 0 to {MAX_COUNT}"
        if not 0 < order.expires_ms < UNBOUNDED_MS:
            return "until when is it good?"
        is_known = (order.bank, order.item) in self._stock
        if not is_known and len(self._stock) >= MAX_ITEMS:
            return f"{MAX_ITEMS} items are on the list already"
        return ""
