# SPDX-License-Identifier: Apache-2.0
"""The doorbells: somebody rings, a volunteer answers, or nobody does in time.

The law of the module: whoever rings is told so at once and always; the journal and the
panel hear of one ring a door in ten seconds, however often it is pressed. One call a
door is open at a time. Answering opens nothing: that is another order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from edge.core.command import Indication
from edge.core.event import Event, EventKind, Facts
from edge.core.plan import MINUTE_MS, Direction
from edge.core.spaces.stay import dump_moment, kept, lasted_ms, load_moment

if TYPE_CHECKING:
    from edge.core.moment import Moment
    from edge.core.order import CallAnswered
    from edge.core.outcome import OutcomeBuilder
    from edge.core.plan import SitePlan
    from edge.core.reception import Reception
    from edge.core.stimulus import BellPressed

#: A child at the bell must not wear out the disk, or the volunteer.
RING_S = 10.0
#: Whoever waited so long has left, or been let in.
OPEN_MS = 10 * MINUTE_MS
MAX_TEXT = 64


class Staff(Protocol):
    """Who is on duty (``edge.core.duty``)."""

    @property
    def on_duty(self) -> tuple[str, ...]:
        """The holders whose shift runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A door at which somebody rang first at ``since``, and so often since."""

    since: Moment
    rings: int = 1


class Calls:
    """The bells of all doors."""

    def __init__(
        self, site: SitePlan, out: OutcomeBuilder, reception: Reception, staff: Staff
    ) -> None:
        self._site = site
        self._out = out
        self._reception = reception
        self._staff = staff
        self._open: dict[str, Call] = {}
        self._rang_s: dict[str, float] = {}

    @property
    def open(self) -> dict[str, Call]:
        """The calls that nobody has answered, by door."""
        return dict(self._open)

    def ring(self, pressed: BellPressed, now: Moment) -> None:
        """Call a volunteer to the door, and tell the person whether one is there."""
        door_id = pressed.door
        if door_id not in self._site.doors:
            return
        staff: Facts = (("staff", int(bool(self._staff.on_duty))),)
        last_s = self._rang_s.get(door_id)
        if last_s is None or now.monotonic_s - last_s >= RING_S:
            self._rang_s[door_id] = now.monotonic_s
            self._out.event(EventKind.CALL_RAISED, door_id, now, facts=staff)
        for name, point in self._site.access_points.items():
            if point.door_id == door_id and point.direction is Direction.IN:
                done, word = Indication.DONE, EventKind.CALL_RAISED.value
                self._reception.indicate(name, done, word, facts=staff)

    def answer(self, order: CallAnswered, now: Moment) -> str:
        """Note who answers, or return why not."""
        if order.door not in self._open:
            return "nobody rang, or somebody has answered"
        self._close(order.door, now, ("actor", order.actor[:MAX_TEXT]))
        return ""

    def settle(self, now: Moment) -> None:
        """Close the calls that nobody answered in time."""
        for door_id, call in list(self._open.items()):
            if now.earliest_ms >= call.since.earliest_ms + OPEN_MS:
                self._close(door_id, now, ("unanswered", 1))

    def due_ms(self) -> int | None:
        """Return when (UTC ms) the next call closes by itself."""
        began = (call.since.earliest_ms for call in self._open.values())
        return min((ms + OPEN_MS for ms in began), default=None)

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        if event.subject not in self._site.doors:
            return
        if event.kind is EventKind.CALL_RAISED:
            call = self._open.get(event.subject)
            self._open[event.subject] = (
                Call(since=kept(event.moment))
                if call is None
                else replace(call, rings=call.rings + 1)
            )
        elif event.kind is EventKind.CALL_ANSWERED:
            self._open.pop(event.subject, None)

    def dump(self) -> dict[str, list[list[Any]]]:
        """Return what must survive a restart, as JSON values."""
        return {
            "calls": [
                [door_id, call.rings, *dump_moment(call.since)]
                for door_id, call in self._open.items()
            ]
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; doors no longer there go."""
        self._open = {
            door_id: Call(since=load_moment(since), rings=rings)
            for door_id, rings, *since in state.get("calls", ())
            if door_id in self._site.doors
        }

    def _close(self, door_id: str, now: Moment, how: tuple[str, int | str]) -> None:
        call = self._open[door_id]
        after_s = lasted_ms(call.since, now) // 1000
        facts: Facts = (how, ("after_s", after_s), ("rings", call.rings))
        self._out.event(EventKind.CALL_ANSWERED, door_id, now, facts=facts)
