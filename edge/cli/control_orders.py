# SPDX-License-Identifier: Apache-2.0
"""Orders of people in charge, from the control socket to the rules and back.

The law of the module: a request is a verb and the fields of one order; each field is
read by its type and its bounds, and what does not fit is told by its name. The answer
says what was written down, or in plain words why not. Who may ask for what is the
panel's to know, and the journal's to remember.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import TYPE_CHECKING, Any

from edge.core import order as wanted
from edge.core.access.rules.way import CLOSED_MODES
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.lockers import medicine_orders as first_aid
from edge.core.plan import SIZES, Size

if TYPE_CHECKING:
    from edge.core.controller import Controller
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.order import Order
    from edge.core.outcome import Outcome
    from edge.gateway.gateway import Gateway

MAX_TEXT = 64
#: What each verb orders. DUTY_CONFIRMED and a shelter from afar are the platform's.
VERBS: dict[str, type[Order]] = {
    "open": wanted.PanelOpenOrdered,
    "correct-entry": wanted.EntryCorrected,
    "mode": wanted.ModeOrdered,
    "answer": wanted.CallAnswered,
    "confirm": wanted.EntryConfirmed,
    "cash": wanted.CashNoted,
    "count": wanted.OccupancyCounted,
    "bind": wanted.BindBegun,
    "local-holder": wanted.LocalHolderOrdered,
    "revoke": wanted.LocalRevocationOrdered,
    "appliance": wanted.ApplianceOrdered,
    "emergency": wanted.EmergencyOrdered,
    "end-emergency": wanted.EmergencyEndOrdered,
    "drill": wanted.DrillOrdered,
    "drill-mark": wanted.DrillMarked,
    "drill-end": wanted.DrillEndOrdered,
    "elder": wanted.ElderMarked,
    "contact": wanted.ContactMarked,
    "duty": wanted.DutyOrdered,
    "duty-correct": wanted.DutyCorrected,
    "duty-question": wanted.DutyQuestioned,
    "care-answer": wanted.CareAnswered,
    "compartment-open": wanted.CompartmentOpenOrdered,
    "end-rental": wanted.RentalEndOrdered,
    "bag-back": wanted.BagReturned,
    "out-of-order": wanted.OutOfOrderOrdered,
    "mend": wanted.MendOrdered,
    "cleaned": wanted.CleaningDone,
    "parcel": wanted.ParcelOrdered,
    "medicine-open": first_aid.MedicineOrdered,
    "medicine-stock": first_aid.MedicineStocked,
    "medicine-used": first_aid.MedicineUsed,
}
#: Lowest and highest value of each number, whichever order holds it.
BOUNDS: dict[str, tuple[int, int]] = {
    "cash_fen": (0, 1_000_000),
    "count": (1, 500),
    "expires_ms": (0, 1 << 52),
    "fen": (1, 1_000_000),
    "minutes": (0, 720),
    "number": (1, 64),
    "persons": (0, 2_000),
    "seq": (-(1 << 52), 1 << 52),
    "until_ms": (0, 1 << 52),
}
#: What is written down when somebody is let in by an order.
_OPENS: dict[type[Order], EventKind] = {
    wanted.PanelOpenOrdered: EventKind.MANUAL_ENTRY,
    wanted.EntryConfirmed: EventKind.ACCESS_GRANTED,
}
_NAMES = {"DoorMode": DoorMode, "EmergencyState": EmergencyState, "Size": Size}
_CHOICES: dict[Any, tuple[str, ...]] = {
    DoorMode: tuple(DoorMode),
    EmergencyState: tuple(EmergencyState),
    Size: SIZES,
}


def read_order(verb: str, request: dict[str, Any]) -> Order:
    """Read a request into its order; ValueError names the field and what fits."""
    kind = VERBS[verb]
    hints = typing.get_type_hints(kind, localns=_NAMES)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(request) - set(fields) - {"verb"})
    if unknown:
        known = ", ".join(fields)
        raise ValueError(f"{unknown[0][:MAX_TEXT]}: no such field, use {known}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        is_needed = field.default is dataclasses.MISSING
        if name in request:
            is_empty = not is_needed and request[name] == ""
            values[name] = "" if is_empty else _read(name, hints[name], request[name])
        elif is_needed:
            raise ValueError(f"{name}: missing, say {_wanted(name, hints[name])}")
    order: Order = kind(**values)
    return order


def carry_out(gateway: Gateway, order: Order) -> dict[str, Any]:
    """Have an order done; return its events, or ValueError says why it is not."""
    told: list[tuple[tuple[Event, ...], str]] = []

    def act(controller: Controller, now: Moment) -> Outcome:
        controller.check(order)
        outcome = controller.handle(order, now)
        told.append((outcome.events, controller.rejection))
        return outcome

    gateway.do(act)
    [(events, why)] = told
    if why:
        raise ValueError(why)
    opening = _OPENS.get(type(order))
    if opening is not None and all(event.kind is not opening for event in events):
        raise ValueError(f"the door stays shut: {_why_shut(events)}")
    written = [{"seq": event.seq, "k": event.kind.value} for event in events]
    return {"events": written, "seq": written[0]["seq"] if written else None}


def _why_shut(events: tuple[Event, ...]) -> str:
    """Return why nobody is let in; one refusal of many is only counted."""
    denied = (e for e in events if e.kind is EventKind.ACCESS_DENIED)
    reasons = [str(e.fact("reason")) for e in denied if e.fact("reason") is not None]
    if not reasons:
        return "refused as before"
    is_mode = reasons[0] in CLOSED_MODES.values()
    return "its mode does not let anybody in" if is_mode else reasons[0]


def _read(name: str, hint: Any, value: object) -> Any:
    choices = _CHOICES.get(hint)
    if choices is not None:
        if value in choices:
            return value if hint is Size else hint(value)
    elif hint is bool:
        if isinstance(value, bool):
            return value
    elif hint is int:
        low, high = BOUNDS[name]
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if is_number and low <= typing.cast("int", value) <= high:
            return value
    elif hint is str:
        if _is_text(value):
            return typing.cast("str", value).strip()
    elif isinstance(value, list) and value and all(map(_is_text, value)):
        return tuple(value)
    raise ValueError(f"{name}: does not fit, say {_wanted(name, hint)}")


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or not value.strip():
        return False
    return len(value) <= MAX_TEXT and value.isprintable()


def _wanted(name: str, hint: Any) -> str:
    if hint in _CHOICES:
        return "one of " + ", ".join(_CHOICES[hint])
    if hint is bool:
        return "true or false"
    if hint is int:
        low, high = BOUNDS[name]
        return f"a whole number from {low} to {high}"
    if hint is str:
        return f"a text of 1 to {MAX_TEXT} characters"
    return f"a list of texts of 1 to {MAX_TEXT} characters"
