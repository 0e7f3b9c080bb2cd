# SPDX-License-Identifier: Apache-2.0
"""Cells, medicine boxes and receivers, as the gateway tells them to a tablet.

The law of the module: a JSON edge, as ``report`` is. It never raises; what is not
known is empty, and only the fields named here are ever read.
Source: the ``lockers``, ``medicine`` and ``receivers`` verbs of the control socket.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from edge.panel.fields import count, rows, table, text

#: More than a site has; what is over is not shown.
MAX_BANKS = 16
MAX_CELLS = 64
MAX_ITEMS = 200
MAX_RECEIVERS = 12
#: Longest name of an item, as the gateway writes them down.
MAX_ITEM = 64
#: A mark of a receiver is shorter.
MAX_MARK = 64
#: What a gateway keeps of sealed bags, and how long a number is.
MAX_BAGS, MAX_BAG = 200, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RentalReport:
    """Why a cell is somebody's; ``tail``: the last characters of his booking.

    ``over_ms``: when (UTC) it is over, with its grace.
    """

    kind: str
    end_ms: int | None
    over_ms: int | None
    is_overdue: bool
    is_deposited: bool
    tail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellReport:
    """One compartment: ``phase`` as its machine names it, "" for not known."""

    bank: str
    number: int
    size: str
    is_medicine: bool
    phase: str
    is_ordered: bool = False
    is_out_of_order: bool = False
    needs_cleaning: bool = False
    rental: RentalReport | None = None

    @property
    def id(self) -> str:
        """Its name in addresses and in the places of a page."""
        return f"{self.bank}-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReport:
    """Something in a medicine box: how many, and until when (UTC ms) it is good."""

    item: str
    count: int
    expires_ms: int | None

    @property
    def key(self) -> str:
        """What a form says for it, however long its name is."""
        return sha256(self.item.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxReport:
    """A bank's medicine boxes and what is in them."""

    bank: str
    cells: tuple[CellReport, ...]
    items: tuple[ItemReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicineReport:
    """All boxes; ``may_note``: whoever looks may also write down what was used."""

    boxes: tuple[BoxReport, ...]
    may_note: bool
    is_emergency: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverReport:
    """Somebody for whom a parcel may be; ``mark`` is all that names him."""

    mark: str
    tail: str
    space: str
    from_ms: int | None
    to_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BagReport:
    """A sealed bag that waits; ``tail``: of its owner's booking, "" if not known."""

    bag: str
    bank: str
    number: int
    since_ms: int | None
    tail: str


def read_bags(answer: dict[str, Any]) -> tuple[BagReport, ...]:
    """Return the bags that wait for their owners, the oldest first."""
    return tuple(
        BagReport(
            bag=bag,
            bank=text(each.get("bank")),
            number=count(each.get("number")) or 0,
            since_ms=count(each.get("since_ms")),
            tail=text(each.get("tail"), 4),
        )
        for each in rows(answer.get("bags"), MAX_BAGS)
        if (bag := text(each.get("bag"), MAX_BAG))
    )


def read_lockers(answer: dict[str, Any]) -> dict[str, tuple[CellReport, ...]]:
    """Return the cells of each bank by its identifier."""
    banks = list(table(answer.get("banks")).items())[:MAX_BANKS]
    return {str(name): _cells(str(name), table(bank)) for name, bank in banks}


def read_medicine(answer: dict[str, Any]) -> MedicineReport | None:
    """Return the boxes; None where whoever asked may not see them."""
    if answer.get("ok") is not True:
        return None
    boxes = list(table(answer.get("boxes")).items())[:MAX_BANKS]
    return MedicineReport(
        boxes=tuple(
            BoxReport(
                bank=str(name),
                cells=_cells(str(name), table(box)),
                items=_items(table(box)),
            )
            for name, box in boxes
        ),
        may_note=answer.get("may_note") is True,
        is_emergency=answer.get("is_emergency") is True,
    )


def read_receivers(answer: dict[str, Any]) -> tuple[ReceiverReport, ...]:
    """Return whom a list of receivers names."""
    return tuple(
        ReceiverReport(
            mark=text(each.get("mark"), MAX_MARK),
            tail=text(each.get("tail")),
            space=text(each.get("space")),
            from_ms=count(each.get("from_ms")),
            to_ms=count(each.get("to_ms")),
        )
        for each in rows(answer.get("found"), MAX_RECEIVERS)
    )


def _cells(bank: str, told: dict[str, Any]) -> tuple[CellReport, ...]:
    return tuple(
        CellReport(
            bank=bank,
            number=number,
            size=text(cell.get("size")),
            is_medicine=cell.get("is_medicine") is True,
            phase=text(cell.get("phase")),
            is_ordered=cell.get("is_ordered") is True,
            is_out_of_order=cell.get("is_out_of_order") is True,
            needs_cleaning=cell.get("needs_cleaning") is True,
            rental=_rental(cell.get("rental")),
        )
        for cell in rows(told.get("cells"), MAX_CELLS)
        if (number := count(cell.get("number"))) is not None
    )


def _rental(value: Any) -> RentalReport | None:
    rental = table(value)
    if not rental:
        return None
    return RentalReport(
        kind=text(rental.get("kind")),
        end_ms=count(rental.get("end_ms")),
        over_ms=count(rental.get("over_ms")),
        is_overdue=rental.get("is_overdue") is True,
        is_deposited=rental.get("is_deposited") is True,
        tail=text(rental.get("tail"), 4),
    )


def _items(box: dict[str, Any]) -> tuple[ItemReport, ...]:
    return tuple(
        ItemReport(
            item=name,
            count=count(each.get("count")) or 0,
            expires_ms=count(each.get("expires_ms")),
        )
        for each in rows(box.get("items"), MAX_ITEMS)
        if (name := text(each.get("item"), MAX_ITEM))
    )
