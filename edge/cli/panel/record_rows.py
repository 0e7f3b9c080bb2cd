# SPDX-License-Identifier: Apache-2.0
"""Which events are people's business, in which group, and what of each is told.

The law of the module: pure. Only the facts named here leave the gateway; of a person
nothing does but the last four signs of a booking. A text that is no event is nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.core.access.answers import NEXT_STEP, DenyReason
from edge.core.lockers.bags import MAX_NUMBER

if TYPE_CHECKING:
    from edge.storage.lookback import Seen

#: How much of a booking's number people say to each other.
TAIL = 4
#: The longest of what somebody may look for: a sealed bag's number.
MAX_FIND = MAX_NUMBER
#: Texts of an event that are told, and how long each may be.
MAX_TEXT = 48
MAX_REASONS = 40

#: The events of each group, as the chips of the log name them.
GROUPS: dict[str, frozenset[str]] = {
    "in": frozenset({"ACCESS_GRANTED", "ACCESS_NOT_TAKEN"}),
    "refused": frozenset({"ACCESS_DENIED", "WRONG_TRIES"}),
    "by_hand": frozenset(
        {"MANUAL_ENTRY", "CONFIRMATION_GIVEN", "CALL_RAISED", "CALL_ANSWERED"}
    ),
    "door": frozenset(
        {
            *("DOOR_OPENED", "DOOR_CLOSED", "REQUEST_TO_EXIT", "DOOR_FORCED_OPEN"),
            *("DOOR_OPEN_TOO_LONG", "DOOR_HELD_WARNING", "DOOR_RELAY_STUCK"),
            *("DOOR_RELAY_FREED", "DOOR_MODE_CHANGED", "DOOR_UNLOCKED_BY_SCHEDULE"),
            "DOOR_RELOCKED_BY_SCHEDULE",
        }
    ),
    "emergency": frozenset(
        {
            *("EMERGENCY_STARTED", "EMERGENCY_ENDED", "ELDER_MARKED"),
            *("DRILL_STARTED", "DRILL_MARKED", "DRILL_ENDED"),
        }
    ),
    "device": frozenset(
        {
            *("DEVICE_ONLINE", "DEVICE_OFFLINE", "DEVICE_FAULT", "DEVICE_TAMPERED"),
            *("DEVICE_TAMPER_ENDED", "ADDRESS_CONFLICT", "SUPPLY_FAILED"),
            *("SUPPLY_RESTORED", "SELF_TEST", "STORAGE_FAULT", "STORAGE_SLOW"),
            *("CLOCK_FIXED", "CLOCK_STEPPED", "STARTED", "STOPPED", "STALLED"),
            *("QUEUE_FULL", "PLATFORM_REFUSED", "PLATFORM_SILENT", "RULE_FAULT"),
        }
    ),
}
#: What no chip names; it stands in the whole log.
_BESIDE = frozenset(
    {
        *("COMPARTMENT_OPENED", "COMPARTMENT_FAULT", "COMPARTMENT_OVERDUE"),
        *("COMPARTMENT_CLEANING", "COMPARTMENT_OUT_OF_ORDER", "RENTAL_STARTED"),
        *("RENTAL_ENDED", "PARCEL_DEPOSITED", "PARCEL_COLLECTED", "BAG_RETURNED"),
        *("MEDICINE_BOX_OPENED", "MEDICINE_STOCKED", "MEDICINE_USED"),
        *("NO_SHOW", "CASH_NOTED", "OCCUPANCY_SET", "CREDENTIAL_BOUND"),
        *("APPLIANCE_ON", "APPLIANCE_OFF", "DUTY_STARTED", "DUTY_ENDED"),
        *("DUTY_CORRECTED", "LOGIN", "LOGIN_FAILED", "LOGOUT", "SETTINGS_CHANGED"),
        "COMMAND_EXECUTED",
    }
)
#: A door that opens and shuts stands under "doors" alone: it would fill the log.
_OFTEN = frozenset({"DOOR_OPENED", "DOOR_CLOSED", "REQUEST_TO_EXIT"})
WHOLE = frozenset[str]().union(*GROUPS.values(), _BESIDE) - _OFTEN
#: What an export and a search look at.
ALL = WHOLE | _OFTEN

_NUMBERS = ("count", "number", "persons", "from_ms", "to_ms", "end", "passed")
_TEXTS = ("reason", "space", "kind", "actor", "mode", "state", "what", "bag", "whom")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks for.

    ``find`` is a locker's or a sealed bag's number, or a booking's end.
    """

    kinds: frozenset[str] = ALL
    find: str = ""
    reasons: frozenset[str] = frozenset()

    @classmethod
    def read(cls, request: dict[str, Any]) -> Wanted:
        """Read it of a request; ValueError says what does not fit."""
        group, find = request.get("group") or "", request.get("find") or ""
        reasons = request.get("reasons") or []
        if group not in ("", *GROUPS):
            raise ValueError(f"group: use one of {', '.join(GROUPS)}")
        if not isinstance(find, str) or len(find) > MAX_FIND:
            raise ValueError(f"find: {TAIL} signs of a booking, or a number")
        is_list = isinstance(reasons, list) and len(reasons) <= MAX_REASONS
        if not is_list or not all(isinstance(each, str) for each in reasons):
            raise ValueError(f"reasons: a list of {MAX_REASONS} at most")
        kinds = GROUPS[str(group)] if group else (ALL if find else WHOLE)
        return cls(kinds=kinds, find=find.casefold(), reasons=frozenset(reasons))

    def has(self, row: dict[str, Any]) -> bool:
        """Say whether a row is wanted."""
        if self.reasons and row.get("reason") not in self.reasons:
            return False
        if not self.find:
            return True
        signs = (row.get("number", ""), row.get("bag", ""), row["tail"])
        return self.find in (str(each).casefold() for each in signs)


def row_of(seen: Seen) -> dict[str, Any] | None:
    """Return what is told of a row; None if it is no event."""
    try:
        core, pii = json.loads(seen.core), json.loads(seen.pii or "{}")
        booking = pii.get("booking")
        row: dict[str, Any] = {
            "place": seen.place,
            "k": str(core["k"]),
            "at": str(core["at"]),
            "lo": int(core["lo"]),
            "tail": str(booking)[-TAIL:] if booking else "",
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    for name in _NUMBERS:
        if isinstance(core.get(name), int):
            row[name] = core[name]
    for name in _TEXTS:
        if isinstance(core.get(name), str):
            row[name] = core[name][:MAX_TEXT]
    reason = row.get("reason")
    if row["k"] == "ACCESS_DENIED" and reason in DenyReason.__members__:
        row["next_step"] = NEXT_STEP[DenyReason(str(reason))].value
    return row
