# SPDX-License-Identifier: Apache-2.0
"""The page of the lockers, written by asking the machine and a wall of lockers.

The law of the module: every cell of a table comes from the machine's table or from a
wall that was asked; prose explains. Run it to write ``docs/lockers.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.lockers.bags import MAX_BAGS, MAX_NUMBER
from edge.core.lockers.compartment import (
    TABLE,
    CompartmentEffect,
    CompartmentInput,
    CompartmentPhase,
)
from edge.core.lockers.locker_decision import FINISHED_S, RULES, STAFF
from edge.core.lockers.lockers import FEEDBACK_S, LEFT_OPEN_S
from edge.core.lockers.medicine import MAX_COUNT, MAX_ITEMS, SOON_MS, WHOM
from edge.core.lockers.parcels import MAX_PARCEL_MS
from edge.core.plan import DAY_MS
from tests.core.lockers.wall import Wall, site
from tests.core.scene import neighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAGE = Path(__file__).parents[3] / "docs" / "lockers.md"
WRITE_WITH = "python -m tests.core.lockers.page"
_P, _I, _E = CompartmentPhase, CompartmentInput, CompartmentEffect

_MEANING = {
    _P.FREE: "anybody with a booking may be given it",
    _P.HELD: "given to somebody, not opened yet",
    _P.OCCUPIED: "somebody's things are inside",
    _P.OVERDUE: "somebody's things are inside, and his time is over",
    _P.OPEN: "the leaf stands open",
    _P.FAULT: "it did not open, or somebody took it out of use",
    _P.CLEANING: "nobody's, and to be looked after before it is given again",
}
_INPUTS = {
    _I.CLAIM: "somebody is given it",
    _I.OPEN_ORDERED: "an order to open it goes out",
    _I.REFUSED: "the order was not carried out: the disk was too slow",
    _I.OPENED: "its feedback tells that the leaf is open",
    _I.CLOSED: "the leaf shuts on a rental in its time",
    _I.CLOSED_OVERDUE: "the leaf shuts on a rental whose time is over",
    _I.CLOSED_UNRENTED: "the leaf shuts and it is nobody's",
    _I.CLOSED_UNCLEAN: "the leaf shuts and it waits to be cleaned",
    _I.CLOSED_OUT_OF_ORDER: "the leaf shuts on what somebody took out of use",
    _I.DID_NOT_OPEN: "no feedback came, or the board reported a failure",
    _I.LEFT_OPEN: "the leaf has stood open too long",
    _I.FELL_DUE: "the rental's time and its grace are surely over",
    _I.PROLONGED: "its holder opens it under a booking that goes on longer",
    _I.ENDED: "the rental ends",
    _I.DIRTIED: "the rental ended at a bank whose compartments are cleaned",
    _I.CLEANED: "somebody has looked after it",
    _I.OUT_OF_ORDER: "somebody takes it out of use",
    _I.MEND: "somebody has mended it; it is nobody's",
    _I.MEND_RENTED: "somebody has mended it; it is somebody's",
    _I.MEND_OVERDUE: "somebody has mended it; it is somebody's, whose time is over",
    _I.MEND_UNCLEAN: "somebody has mended it; it waits to be cleaned",
}
_EVENTS = {
    _E.OPENED: "COMPARTMENT_OPENED",
    _E.CLOSED: "COMPARTMENT_CLOSED",
    _E.FAULT: "COMPARTMENT_FAULT (did_not_open)",
    _E.LEFT_OPEN: "COMPARTMENT_FAULT (left_open)",
    _E.OVERDUE: "COMPARTMENT_OVERDUE",
    _E.ENDED: "RENTAL_ENDED",
    _E.CLEANING: "COMPARTMENT_CLEANING (due)",
    _E.CLEANED: "COMPARTMENT_CLEANING (done)",
    _E.OUT_OF_ORDER: "COMPARTMENT_OUT_OF_ORDER",
    _E.MENDED: "COMPARTMENT_FAULT (mended)",
}


def render() -> str:
    """Return the whole page."""
    parts = (_HEAD, _states(), _ACTS, _acts(), _RULES, _rules(), _PHASES, _phases())
    return (
        "\n\n".join(part.strip("\n") for part in (*parts, _legend(), _prose())) + "\n"
    )


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _states() -> str:
    rows = [(f"`{phase}`", _MEANING[phase]) for phase in CompartmentPhase]
    return _table(("state", "what it is"), rows)


def in_phase(phase: CompartmentPhase, *, closes_lockers: bool = False) -> Wall:
    """Return a wall whose number 1 is in a phase; where it can be, it is Wang's.

    Numbers 2 to 4 are out of use, so that nobody is given another.
    """
    bookings = ("c1 wang lounge 14:00-16:00 S", "c2 li lounge 14:00-23:00 S")
    wall = Wall(neighbours(*bookings), site(cleans=True))
    for number in (2, 3, 4):
        wall.take_out(number)
    if phase is _P.HELD:
        wall.scan("wang")
        wall.refuse(*wall.openings())
    elif phase is not _P.FREE:
        wall.stored()
    if phase is _P.OVERDUE:
        wall.until("16:30")
    elif phase is _P.OPEN:
        wall.leaf(1, is_open=True)
        wall.wait(61)
    elif phase is _P.FAULT:
        wall.take_out(1)
    elif phase is _P.CLEANING:
        wall.end_rental(1)
    wall.closes_lockers = closes_lockers
    assert wall.at(1).phase is phase
    return wall


#: Who does something, and what he does.
_DOING: dict[str, Callable[[Wall], object]] = {
    "its holder scans": lambda wall: wall.scan("wang"),
    "another with a booking scans": lambda wall: wall.scan("li"),
    "the staff opens": lambda wall: wall.open_by_hand(1),
    "the staff ends the rental": lambda wall: wall.end_rental(1),
    "the staff takes it out of use": lambda wall: wall.take_out(1),
    "the staff mends": lambda wall: wall.mend(1),
    "the staff has cleaned": lambda wall: wall.cleaned(1),
}


def _acts() -> str:
    head = ("state", *_DOING)
    rows = [
        (f"`{phase}`", *(_came_of(phase, each) for each in _DOING.values()))
        for phase in CompartmentPhase
    ]
    return _table(head, rows)


def _came_of(phase: CompartmentPhase, act: Callable[[Wall], object]) -> str:
    """Say in a few words what came of an act."""
    wall = in_phase(phase)
    act(wall)
    after = wall.at(1)
    if wall.openings():
        rental = after.rental
        is_last = rental is not None and rental.is_last
        return "opens, then ends" if is_last else "opens"
    if not wall.last.events:
        return "·"
    reasons = [reason for _, reason in wall.said() if reason]
    return reasons[0] if reasons else f"→ `{after.phase}`"


def _rules() -> str:
    return "\n".join(
        f"{n}. `{name}`: {_RULE[name]}" for n, (name, _) in enumerate(RULES, 1)
    )


_RULE = {
    "reader": "a reader that may have been tampered with opens nothing here.",
    "emergency": "in a lock-down lockers open for "
    + ", ".join(sorted(each.value for each in STAFF))
    + " alone.",
    "credential": "who was revoked, disabled or is not valid now fetches what lies "
    "inside once; with a lost card nothing. Cards that volunteers called back count as "
    "lost. An unknown card is enough where the bank takes walk-ins.",
    "parcel": "what somebody has put in for the person opens, one after another.",
    "finished": f"a scan within {FINISHED_S:g} s of one's own closing ends the rental.",
    "waiting": "what was given and never opened opens, or another in place of one that "
    "did not.",
    "booking": "a booking that surely runs, is paid for and has none yet gets one of "
    "its size, or a bigger one.",
    "own": "one's own opens, on an unsure clock too; after its time once more, and "
    "then it ends.",
    "payment": "a booking that is not paid for is told so, with the sum.",
    "walk_in": "any card gets the smallest free one where the bank allows it, the "
    "space is surely open and the clock is sure to within the rental's length.",
    "refusal": "the nearest thing that would help is told.",
}


def _phases() -> str:
    rows = []
    for phase in CompartmentPhase:
        for happened in CompartmentInput:
            after, effects = TABLE[phase].get(happened, (None, ()))
            if after is not None:
                told = ", ".join(_EVENTS[effect] for effect in effects) or "·"
                rows.append((f"`{phase}`", f"`{happened}`", f"`{after}`", told))
    return _table(("state", "what happens", "state after", "what is told"), rows)


def _legend() -> str:
    inputs = [(f"`{happened}`", _INPUTS[happened]) for happened in CompartmentInput]
    return _table(("what happens", "that is"), inputs)


def _prose() -> str:
    return _PROSE.format(
        feedback_s=FEEDBACK_S,
        left_open_s=LEFT_OPEN_S,
        parcel_days=MAX_PARCEL_MS // DAY_MS,
        items=MAX_ITEMS,
        bag=MAX_NUMBER,
        bags=MAX_BAGS,
        whom=", ".join(f"`{each}`" for each in WHOM),
        count=MAX_COUNT,
        soon_days=SOON_MS // DAY_MS,
    )


_HEAD = f"""
<!-- written by `{WRITE_WITH}`; a test compares it with the lockers -->

# Lockers and the medicine box

Whose a compartment is gets written down before it opens, and nobody else gets it until
that rental has ended: by its holder, by the staff, or by a last opening after its time.

## States
"""

_ACTS = """
## Who may do what

Number 1 is Wang's wherever it is somebody's, and all others are out of use. `OPEN` is a
leaf that has stood open for over a minute: its feedback may be stuck. A dot: nothing
happens, and whoever ordered it is told why.
"""

_RULES = """
## A scan at the bank

The first rule that answers has decided:
"""

_PHASES = """
## The machine

What is not in this table changes nothing.
"""

_PROSE = """
## Times, parcels, walk-ins, first aid

- An order whose opening is not reported within {feedback_s:g} s has failed. A leaf that
  stands open for {left_open_s:g} s is told, since what lies inside is anybody's.
- If the disk is too slow the compartment stays shut and `HELD`; the next scan opens it.
- A rental falls due at its end and its space's grace, once the clock is surely there; a
  parcel at the time it was promised until, at most {parcel_days} days ahead.
- A parcel is its receiver's once the leaf was shut on it: PARCEL_DEPOSITED. The closing
  after he opened it tells PARCEL_COLLECTED and ends the rental.
- Of a walk-in whom nobody knows the card's token is kept with the rental, in the
  snapshot alone, and goes with it. Kept beyond its time, the rental's end notes the
  minutes (`over_min`) and what they cost at the bank's fare (`due_fen`).
- The staff's opening is told with its `actor` and ends no rental. What the staff takes
  out for good waits in a sealed bag: the rental's end has its number (`bag`, at most
  {bag} digits and capital letters, unlike that of each bag that waits), and
  BAG_RETURNED ends the waiting. Up to {bags} bags wait; one of somebody who was erased
  waits on, and is nobody's.
- The medicine box opens for whatever its reader can read and for the panel, in every
  emergency, and every opening is an alert. The panel's says for `whom`: {whom};
  a `drill` need not run for that. Its list holds up to {items} items of up to
  {count} each; two persons count them. An item is told {soon_days} days before it
  expires and when it has.
"""


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
