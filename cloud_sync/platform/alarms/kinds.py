# SPDX-License-Identifier: Apache-2.0
"""Which events somebody has to answer, and which end the asking.

The law of the module: it is decided here and nowhere else. An event that was told too
late to help calls nobody; an end that names a person is an answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from edge.core.event import EventKind
from edge.core.plan import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR_MS = 60 * MINUTE_MS


class State(StrEnum):
    """How an alarm stands."""

    #: Somebody at the site may still answer.
    WAITING = "WAITING"
    CALLING = "CALLING"
    #: Everybody was called, and nobody answered yet.
    UNANSWERED = "UNANSWERED"
    ANSWERED = "ANSWERED"
    #: It ended by itself: the door was shut, the mains came back.
    OVER = "OVER"
    #: Whoever rang has left unanswered.
    MISSED = "MISSED"


OPEN = (State.WAITING, State.CALLING, State.UNANSWERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is done about a kind of event.

    ``text`` says it to people; ``stale_ms``: told later than that it calls nobody;
    ``detail``: the fact that tells two of them at one place apart; ``is_about``: it is
    of a person, and ends for that person alone.
    """

    text: str
    stale_ms: int
    ended_by: frozenset[EventKind] = frozenset()
    detail: str = ""
    is_about: bool = False

    @property
    def quiet_ms(self) -> int:
        """How long nobody is called anew for what everybody was called for."""
        return min(self.stale_ms, HOUR_MS)


ROUTED: Mapping[str, Rule] = {
    EventKind.CALL_RAISED: Rule(
        text="有人按门铃 · somebody rings at the door",
        stale_ms=10 * MINUTE_MS,
        ended_by=frozenset({EventKind.CALL_ANSWERED, EventKind.MANUAL_ENTRY}),
    ),
    EventKind.DOOR_FORCED_OPEN: Rule(
        text="门被强行打开 · a door was forced open",
        stale_ms=DAY_MS,
        ended_by=frozenset({EventKind.DOOR_MODE_CHANGED, EventKind.MANUAL_ENTRY}),
    ),
    EventKind.DOOR_OPEN_TOO_LONG: Rule(
        text="门长时间未关 · a door stands open",
        stale_ms=HOUR_MS,
        ended_by=frozenset({EventKind.DOOR_CLOSED}),
    ),
    EventKind.MEDICINE_BOX_OPENED: Rule(
        text="药箱被打开 · the medicine box was opened, somebody may be hurt",
        stale_ms=HOUR_MS,
        ended_by=frozenset({EventKind.MEDICINE_USED, EventKind.MEDICINE_STOCKED}),
    ),
    EventKind.EMERGENCY_STARTED: Rule(
        text="紧急状态 · an emergency began",
        stale_ms=DAY_MS,
        ended_by=frozenset({EventKind.EMERGENCY_ENDED}),
        detail="state",
    ),
    EventKind.CARE_SIGNAL: Rule(
        text="有老人多日未见 · somebody who agreed to it was not seen for days",
        stale_ms=3 * DAY_MS,
        ended_by=frozenset({EventKind.CARE_ANSWERED}),
        is_about=True,
    ),
    EventKind.DEVICE_TAMPERED: Rule(
        text="设备被拆动 · a device is tampered with", stale_ms=DAY_MS
    ),
    EventKind.SUPPLY_FAILED: Rule(
        text="断电 · the mains failed",
        stale_ms=HOUR_MS,
        ended_by=frozenset({EventKind.SUPPLY_RESTORED}),
    ),
}


def _ends() -> dict[str, frozenset[str]]:
    ends: dict[str, set[str]] = defaultdict(set)
    for kind, rule in ROUTED.items():
        for end in rule.ended_by:
            ends[end].add(kind)
    return {end: frozenset(kinds) for end, kinds in ends.items()}


#: The kinds of alarm that a kind of event ends.
ENDS: Mapping[str, frozenset[str]] = _ends()
HEARD = ROUTED.keys() | ENDS.keys()


def is_alarm(kind: str, core: Mapping[str, Any]) -> bool:
    """Say whether an event of a routed kind calls for anybody.

    A medicine box that a volunteer opened by hand has somebody beside it.
    """
    return not (kind == EventKind.MEDICINE_BOX_OPENED and "actor" in core)


def how_it_ended(core: Mapping[str, Any]) -> tuple[State, str]:
    """Return what an event that ends an alarm makes of it, and who it names."""
    if "unanswered" in core:
        return State.MISSED, ""
    actor = core.get("actor")
    return (State.ANSWERED, str(actor)) if actor else (State.OVER, "")
