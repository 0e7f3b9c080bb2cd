# SPDX-License-Identifier: Apache-2.0
"""Facts that happened, numbered without a gap.

The law of the module: an event never holds a token or an identity number. What is
personal (holder, booking, ticket) stands in ``person`` alone, so that one person can be
erased and the chain of hashes still verifies.
Source: IEC 60839-11-1 table 3 for the kinds; ARCHITECTURE.md for the encoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.core.chain import canonical, parse
from edge.core.moment import Moment

#: Sorted ``(name, value)`` pairs: the only shape that details of an event have.
Facts = tuple[tuple[str, int | str], ...]


class EventKind(StrEnum):
    """What can happen at a site."""

    ACCESS_GRANTED = "ACCESS_GRANTED"
    ACCESS_TAKEN = "ACCESS_TAKEN"
    ACCESS_NOT_TAKEN = "ACCESS_NOT_TAKEN"
    ACCESS_DENIED = "ACCESS_DENIED"
    REQUEST_TO_EXIT = "REQUEST_TO_EXIT"
    DOOR_OPENED = "DOOR_OPENED"
    DOOR_CLOSED = "DOOR_CLOSED"
    DOOR_FORCED_OPEN = "DOOR_FORCED_OPEN"
    DOOR_OPEN_TOO_LONG = "DOOR_OPEN_TOO_LONG"
    DOOR_HELD_WARNING = "DOOR_HELD_WARNING"
    DOOR_RELAY_STUCK = "DOOR_RELAY_STUCK"
    DOOR_RELAY_FREED = "DOOR_RELAY_FREED"
    DOOR_MODE_CHANGED = "DOOR_MODE_CHANGED"
    DOOR_UNLOCKED_BY_SCHEDULE = "DOOR_UNLOCKED_BY_SCHEDULE"
    DOOR_RELOCKED_BY_SCHEDULE = "DOOR_RELOCKED_BY_SCHEDULE"
    COMPARTMENT_OPENED = "COMPARTMENT_OPENED"
    COMPARTMENT_CLOSED = "COMPARTMENT_CLOSED"
    COMPARTMENT_FAULT = "COMPARTMENT_FAULT"
    COMPARTMENT_OVERDUE = "COMPARTMENT_OVERDUE"
    COMPARTMENT_CLEANING = "COMPARTMENT_CLEANING"
    COMPARTMENT_OUT_OF_ORDER = "COMPARTMENT_OUT_OF_ORDER"
    RENTAL_STARTED = "RENTAL_STARTED"
    RENTAL_ENDED = "RENTAL_ENDED"
    BAG_RETURNED = "BAG_RETURNED"
    PARCEL_DEPOSITED = "PARCEL_DEPOSITED"
    PARCEL_COLLECTED = "PARCEL_COLLECTED"
    MEDICINE_BOX_OPENED = "MEDICINE_BOX_OPENED"
    MEDICINE_STOCKED = "MEDICINE_STOCKED"
    MEDICINE_USED = "MEDICINE_USED"
    MEDICINE_EXPIRING = "MEDICINE_EXPIRING"
    VISIT_STARTED = "VISIT_STARTED"
    VISIT_CLOSED = "VISIT_CLOSED"
    OCCUPANCY_SET = "OCCUPANCY_SET"
    NO_SHOW = "NO_SHOW"
    CASH_NOTED = "CASH_NOTED"
    CREDENTIAL_BOUND = "CREDENTIAL_BOUND"
    SITE_KEY_CHANGED = "SITE_KEY_CHANGED"
    LOCAL_CHANGED = "LOCAL_CHANGED"
    CALL_RAISED = "CALL_RAISED"
    CALL_ANSWERED = "CALL_ANSWERED"
    APPLIANCE_ON = "APPLIANCE_ON"
    APPLIANCE_OFF = "APPLIANCE_OFF"
    DUTY_STARTED = "DUTY_STARTED"
    DUTY_ENDED = "DUTY_ENDED"
    DUTY_CORRECTED = "DUTY_CORRECTED"
    DUTY_CONFIRMED = "DUTY_CONFIRMED"
    DUTY_QUESTIONED = "DUTY_QUESTIONED"
    CARE_SIGNAL = "CARE_SIGNAL"
    CARE_ANSWERED = "CARE_ANSWERED"
    MANUAL_ENTRY = "MANUAL_ENTRY"
    ENTRY_CORRECTED = "ENTRY_CORRECTED"
    CONFIRMATION_ASKED = "CONFIRMATION_ASKED"
    CONFIRMATION_GIVEN = "CONFIRMATION_GIVEN"
    WRONG_TRIES = "WRONG_TRIES"
    COMMAND_RECEIVED = "COMMAND_RECEIVED"
    COMMAND_EXECUTED = "COMMAND_EXECUTED"
    COMMAND_CONFIRMED = "COMMAND_CONFIRMED"
    COMMAND_REJECTED = "COMMAND_REJECTED"
    COMMAND_UNKNOWN = "COMMAND_UNKNOWN"
    ERASURE_ORDERED = "ERASURE_ORDERED"
    ERASURE_DEFERRED = "ERASURE_DEFERRED"
    ERASED = "ERASED"
    EMERGENCY_STARTED = "EMERGENCY_STARTED"
    EMERGENCY_ENDED = "EMERGENCY_ENDED"
    ELDER_MARKED = "ELDER_MARKED"
    CONTACT_MARKED = "CONTACT_MARKED"
    DRILL_STARTED = "DRILL_STARTED"
    DRILL_MARKED = "DRILL_MARKED"
    DRILL_ENDED = "DRILL_ENDED"
    DEVICE_ONLINE = "DEVICE_ONLINE"
    DEVICE_OFFLINE = "DEVICE_OFFLINE"
    DEVICE_FAULT = "DEVICE_FAULT"
    ADDRESS_CONFLICT = "ADDRESS_CONFLICT"
    DEVICE_TAMPERED = "DEVICE_TAMPERED"
    DEVICE_TAMPER_ENDED = "DEVICE_TAMPER_ENDED"
    SUPPLY_FAILED = "SUPPLY_FAILED"
    SUPPLY_RESTORED = "SUPPLY_RESTORED"
    SELF_TEST = "SELF_TEST"
    ROSTER_APPLIED = "ROSTER_APPLIED"
    ROSTER_REFUSED = "ROSTER_REFUSED"
    ROW_QUARANTINED = "ROW_QUARANTINED"
    RULE_FAULT = "RULE_FAULT"
    PLATFORM_REFUSED = "PLATFORM_REFUSED"
    PLATFORM_SILENT = "PLATFORM_SILENT"
    DAY_DIFFERS = "DAY_DIFFERS"
    CLOCK_FIXED = "CLOCK_FIXED"
    CLOCK_STEPPED = "CLOCK_STEPPED"
    STORAGE_FAULT = "STORAGE_FAULT"
    STORAGE_SLOW = "STORAGE_SLOW"
    QUEUE_FULL = "QUEUE_FULL"
    EPOCH_STARTED = "EPOCH_STARTED"
    STARTED = "STARTED"
    STOPPED = "STOPPED"
    STALLED = "STALLED"
    LOGIN = "LOGIN"
    LOGIN_FAILED = "LOGIN_FAILED"
    LOGOUT = "LOGOUT"
    SETTINGS_CHANGED = "SETTINGS_CHANGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom an event is about: platform identifiers, never a number or a token.

    ``ticket`` is the hex of a ticket's own random identifier (cti).
    """

    holder: str | None = None
    booking: str | None = None
    ticket: str | None = None


NOBODY = Person()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact: ``seq`` (gap-free within a journal epoch), when, what, where, whom.

    ``subject`` is the identifier of a door, bank, access point or device, or
    ``gateway``.
    ``facts`` are sorted pairs of name and integer or string.
    """

    seq: int
    kind: EventKind
    moment: Moment
    subject: str
    facts: Facts = ()
    person: Person = NOBODY

    def fact(self, name: str) -> int | str | None:
        """Return the fact of that name, or None."""
        for key, value in self.facts:
            if key == name:
                return value
        return None


#: Names of an event's fixed fields in its core object, short because stored often.
_FIXED = ("at", "b", "hi", "k", "lo", "m")


def encode_core(event: Event) -> str:
    """Return the impersonal part as canonical JSON.

    ``at`` subject, ``b`` boot, ``k`` kind, ``lo``/``hi`` UTC ms, ``m`` monotonic ms,
    and the facts beside them; a fact may not take one of those names.
    """
    moment = event.moment
    core: dict[str, int | str] = dict(event.facts)
    if not core.keys().isdisjoint(_FIXED):
        raise ValueError(f"facts of {event.kind} use a reserved name: {event.facts}")
    core |= {"at": event.subject, "b": moment.boot, "k": event.kind.value}
    core |= {"lo": moment.earliest_ms, "hi": moment.latest_ms}
    core["m"] = moment.monotonic_ms
    return canonical(core)


def encode_person(person: Person) -> str:
    """Return the personal part as canonical JSON; ``{}`` where there is nobody."""
    if person is NOBODY:
        return "{}"
    named = {
        "booking": person.booking,
        "holder": person.holder,
        "ticket": person.ticket,
    }
    return canonical({key: value for key, value in named.items() if value is not None})


def decode(seq: int, core: str, person: str | None) -> Event:
    """Rebuild an event from its stored parts; an erased person comes back as NOBODY.

    Raises ValueError if the text is not what :func:`encode_core` wrote.
    """
    fields = parse(core)
    fixed = {name: fields.pop(name) for name in _FIXED}
    known = parse(person) if person else {}
    return Event(
        seq=seq,
        kind=EventKind(str(fixed["k"])),
        moment=Moment(
            monotonic_s=int(fixed["m"]) / 1000,
            earliest_ms=int(fixed["lo"]),
            latest_ms=int(fixed["hi"]),
            boot=str(fixed["b"]),
        ),
        subject=str(fixed["at"]),
        facts=tuple(sorted(fields.items())),
        person=_person(known),
    )


def _person(known: dict[str, int | str]) -> Person:
    if not known:
        return NOBODY
    told = {name: known.get(name) for name in ("holder", "booking", "ticket")}
    return Person(
        **{name: None if value is None else str(value) for name, value in told.items()}
    )
