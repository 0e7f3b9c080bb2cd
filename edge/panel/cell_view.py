# SPDX-License-Identifier: Apache-2.0
"""A bank of lockers as a grid, and one cell with all that is to be known of it.

The law of the module: pure; a state is a word, a shape and a colour, and the same cell
has the same ones on both pages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.panel.calendar import day_and_time
from edge.panel.view import Shape, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.panel.cupboard_report import CellReport, ReceiverReport, RentalReport
    from edge.panel.words import Phrase, Words

_PHASES = {
    "FREE": (Tone.OK, Shape.TICK, "lockers.free"),
    "HELD": (Tone.INFO, Shape.CLOCK, "lockers.held"),
    "OCCUPIED": (Tone.INFO, Shape.BOX, "lockers.occupied"),
    "OVERDUE": (Tone.WARN, Shape.CLOCK, "lockers.overdue"),
    "OPEN": (Tone.WARN, Shape.OPEN, "lockers.open"),
    "FAULT": (Tone.BAD, Shape.CROSS, "lockers.fault"),
    "CLEANING": (Tone.WARN, Shape.ALERT, "lockers.cleaning"),
}
_UNKNOWN = (Tone.INFO, Shape.CLOCK, "lockers.unknown")
_OPENING = (Tone.INFO, Shape.OPEN, "lockers.opening")
_OUT_OF_ORDER = (Tone.BAD, Shape.HAND, "lockers.out_of_order")
_SHUT = (Tone.OK, Shape.TICK, "medicine.shut")
_PARCEL = (Tone.INFO, Shape.BOX, "lockers.parcel")
_SIZES = {"S": "lockers.small", "M": "lockers.medium", "L": "lockers.large"}
PARCEL = "PARCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell: ``id`` names its places on the pages, ``lines`` are for its own."""

    id: str
    number: int
    bank: str
    is_medicine: bool
    tone: Tone
    shape: Shape
    state: Phrase
    lines: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """A bank as a page shows it: medicine boxes first, then the grid."""

    name: str
    medicine: tuple[Cell, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A tile of somebody for whom a parcel may be."""

    mark: str
    title: Phrase
    place: str


def banks(
    told: Mapping[str, Sequence[CellReport]],
    words: Words,
    *,
    names: Mapping[str, str],
    offset_hours: int,
) -> tuple[Bank, ...]:
    """Return all banks with their cells."""
    found = []
    for bank_id, reports in told.items():
        name = names.get(bank_id) or bank_id
        cells = [
            cell(one, words, bank=name, offset_hours=offset_hours) for one in reports
        ]
        found.append(
            Bank(
                name=name,
                medicine=tuple(one for one in cells if one.is_medicine),
                cells=tuple(one for one in cells if not one.is_medicine),
            )
        )
    return tuple(found)


def cell(told: CellReport, words: Words, *, bank: str, offset_hours: int) -> Cell:
    """Return one cell as the pages show it."""
    tone, shape, key = _state(told)
    return Cell(
        id=told.id,
        number=told.number,
        bank=bank,
        is_medicine=told.is_medicine,
        tone=tone,
        shape=shape,
        state=words.say(key),
        lines=tuple(_lines(told, words, offset_hours)),
    )


def unknown(told: CellReport) -> CellReport:
    """Return a cell of which nothing is known now: the gateway is away."""
    return replace(told, phase="", is_ordered=False, rental=None)


def receivers(
    told: Sequence[ReceiverReport],
    words: Words,
    *,
    spaces: Mapping[str, str],
    offset_hours: int,
) -> tuple[Receiver, ...]:
    """Return the tiles of those for whom a parcel may be."""
    return tuple(
        Receiver(
            mark=each.mark,
            title=words.say(
                "lockers.receiver",
                tail=each.tail,
                time=day_and_time(each.from_ms, offset_hours),
            ),
            place=spaces.get(each.space, ""),
        )
        for each in told
    )


def _state(told: CellReport) -> tuple[Tone, Shape, str]:
    """Return colour, shape and word; an order on its way goes before all else."""
    if told.is_ordered:
        return _OPENING
    if told.phase == "FAULT" and told.is_out_of_order:
        return _OUT_OF_ORDER
    if told.is_medicine and told.phase == "FREE":
        return _SHUT
    is_parcel = told.rental is not None and told.rental.kind == PARCEL
    if told.phase == "OCCUPIED" and is_parcel:
        return _PARCEL
    return _PHASES.get(told.phase, _UNKNOWN)


def _lines(told: CellReport, words: Words, offset_hours: int) -> list[Phrase]:
    lines = []
    if told.size in _SIZES and not told.is_medicine:
        lines.append(words.say(_SIZES[told.size]))
    if told.rental is not None:
        lines += _rental(told.rental, words, offset_hours)
    if told.phase == "FAULT" and not told.is_out_of_order:
        lines.append(words.say("lockers.fault_look"))
    if told.is_out_of_order and told.phase != "FAULT":
        lines.append(words.say("lockers.out_soon"))
    if told.needs_cleaning and told.phase != "CLEANING":
        lines.append(words.say("lockers.cleaning"))
    return lines


def _rental(rental: RentalReport, words: Words, offset_hours: int) -> list[Phrase]:
    """Return whose kind of thing lies inside, and until when or since when over."""
    until = day_and_time(rental.end_ms, offset_hours)
    since = day_and_time(rental.over_ms, offset_hours)
    if rental.kind == PARCEL:
        is_in = rental.is_deposited
        first = "lockers.awaits_collecting" if is_in else "lockers.awaits_parcel"
        lines = [words.say(first)]
    elif rental.kind == "WALK_IN":
        lines = [words.say("lockers.walk_in")]
    else:
        lines = [words.say("lockers.booked", tail=rental.tail or None)]
    if rental.is_overdue:
        return [*lines, words.say("lockers.since", time=since)]
    return [*lines, words.say("lockers.until", time=until)]
