# SPDX-License-Identifier: Apache-2.0
"""A place in danger: its emergencies with doors that only remember what holds them.

The law of the module: it plays the controller and the journal, and judges nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.core.emergency.emergency import Emergency
from edge.core.emergency.state import EmergencyState
from edge.core.event import decode, encode_core, encode_person
from edge.core.order import (
    ContactMarked,
    DrillEndOrdered,
    DrillMarked,
    DrillOrdered,
    ElderMarked,
    EmergencyEndOrdered,
    EmergencyOrdered,
)
from edge.core.outcome import Outcome, OutcomeBuilder
from edge.core.people.community_rows import Contact
from edge.core.people.entries import Cardholder, Elder
from edge.core.reception import Reception
from tests.core.scene import SITE, clock_ms, moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from edge.core.doors.door import DoorMode
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.plan import SitePlan

#: Two escape doors and two others; the fire panel's contact is wired.
WIRED = replace(
    SITE,
    doors={
        **SITE.doors,
        "yard-door": replace(
            SITE.doors["kitchen-door"],
            door_id="yard-door",
            zone="back",
            responsible="Chen",
            deputy="Li",
        ),
    },
    has_fire_input=True,
)
ESCAPE = ("kitchen-door", "yard-door")
OTHER = ("lounge-door", "store-door")
ELDERS = (
    Elder(holder_id="holder-zhao", order=2, route="stairs B"),
    Elder(holder_id="holder-wang", order=1, route="ramp"),
    Elder(holder_id="holder-qian", order=3, route="lift is off: carry"),
)


CONTACTS = (
    Contact(contact_id="c-1", name="Chen", phone="110", role="warden", grid="g-1"),
    Contact(contact_id="c-2", name="Luo", phone="120", role="street"),
)


class Leaves:
    """Doors that remember what holds them, and what they were told."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.heard: list[str] = []
        self.is_settled = True

    def impose(self, door_ids: Iterable[str], mode: DoorMode) -> None:
        for name in door_ids:
            self.held[name] = mode.value
            self.heard.append(f"{name} {mode.value}")
            self.is_settled = False

    def lift(self, door_ids: Iterable[str]) -> None:
        for name in door_ids:
            if self.held.pop(name, None) is not None:
                self.heard.append(f"{name} lifted")
                self.is_settled = False

    def settle(self, now: Moment) -> None:
        self.is_settled = True

    def reassert(self, door_ids: Iterable[str]) -> None:
        self.heard += [f"{name} again" for name in door_ids]


class Listed:
    """The elders and contacts that a roster lists."""

    def __init__(self, elders: tuple[Elder, ...] = ELDERS) -> None:
        self.elders = elders
        self.contacts = CONTACTS


class Place:
    """One life of a site's emergencies; 15:00 at its beginning."""

    def __init__(
        self, site: SitePlan = WIRED, elders: tuple[Elder, ...] = ELDERS
    ) -> None:
        self.site = site
        self.listed = Listed(elders)
        self.boot, self.now_s = "boot-1", 1000.0
        self.utc_ms, self.spread_ms = clock_ms("15:00"), 0
        self.journal: list[Event] = []
        self.last = Outcome()
        self._wire(1)

    def _wire(self, next_seq: int) -> None:
        self.leaves = Leaves()
        self.out = OutcomeBuilder(next_seq, self._follow)
        reception = Reception(self.out, "set-3")
        self.emergency = Emergency(
            self.site, self.out, reception, self.leaves, self.listed
        )

    def _follow(self, event: Event) -> None:
        self.emergency.follow(event)

    def now(self) -> Moment:
        latest_ms = self.utc_ms + self.spread_ms
        return moment(self.utc_ms, latest_ms, s=self.now_s, boot=self.boot)

    def wait(self, seconds: float) -> list[str]:
        """Let time pass; return what became due."""
        self.now_s += seconds
        self.utc_ms += round(seconds * 1000)
        due_s = self.emergency.deadline()
        if due_s is not None and due_s <= self.now_s:
            self.emergency.expire(self.now())
        return self.taken()

    def taken(self) -> list[str]:
        """Write what happened down; return it shortly."""
        assert self.leaves.is_settled, "a door was told, but its output was not driven"
        self.last = self.out.take()
        self.journal += self.last.events
        return [event.kind.value for event in self.last.events]

    def fact(self, name: str) -> int | str | None:
        """Return a fact of the last event."""
        return self.journal[-1].fact(name)

    def begin(self, state: str) -> list[str]:
        order = EmergencyOrdered(
            state=EmergencyState(state), actor="chen", reason="smoke"
        )
        assert self.emergency.begin(order, self.now()) == ""
        return self.taken()

    def end(self, state: str) -> str:
        """End by hand; return why not."""
        order = EmergencyEndOrdered(
            state=EmergencyState(state), actor="chen", reason="all are safe"
        )
        rejected = self.emergency.end(order, self.now())
        self.taken()
        return rejected

    def fire_input(self, *, is_active: bool) -> list[str]:
        self.emergency.fire_input(self.now(), is_active=is_active)
        return self.taken()

    def tap(self, state: str, who: str = "sun", role: str = "RESPONDER") -> bool:
        holder = Cardholder(
            holder_id=f"holder-{who}",
            roles=("RESIDENT", role),
            language="zh-CN",
            is_enabled=True,
            needs_extended_time=False,
        )
        is_taken = self.emergency.responder_card(
            EmergencyState(state), holder, "desk", self.now()
        )
        self.taken()
        return is_taken

    def drill(self, kind: str = "fire", *, with_doors: bool = False) -> str:
        order = DrillOrdered(drill=kind, with_doors=with_doors, actor="chen")
        rejected = self.emergency.begin_drill(order, self.now())
        self.taken()
        return rejected

    def stage(self, stage: str) -> str:
        order = DrillMarked(stage=stage, actor="chen")
        rejected = self.emergency.mark_drill(order, self.now())
        self.taken()
        return rejected

    def end_drill(self, action: str = "", owner: str = "") -> str:
        order = DrillEndOrdered(actor="chen", action=action, owner=owner)
        rejected = self.emergency.end_drill(order, self.now())
        self.taken()
        return rejected

    def elder(self, who: str, mark: str = "fetched") -> str:
        order = ElderMarked(holder=f"holder-{who}", mark=mark, actor="chen")
        rejected = self.emergency.mark_elder(order, self.now())
        self.taken()
        return rejected

    def call(self, contact: str, call: str = "reached") -> str:
        order = ContactMarked(contact=contact, call=call, actor="chen")
        rejected = self.emergency.mark_contact(order, self.now())
        self.taken()
        return rejected

    def standing(self) -> set[str]:
        return {state.value for state in self.emergency.standing}

    def rebuilt(
        self,
        state: dict[str, Any] | None,
        after: int,
        *,
        remembered: Collection[str] = (),
    ) -> Place:
        """Return the place in its next boot, from a snapshot and the events after.

        ``remembered``: what the emergency file tells.
        """
        revived = Place(self.site, self.listed.elders)
        revived.boot, revived.now_s = self.boot + "+", 5.0
        revived.utc_ms, revived.spread_ms = self.utc_ms, self.spread_ms
        revived.journal = list(self.journal)
        revived._wire(self.out.next_seq)
        revived.emergency.assume([EmergencyState(name) for name in remembered])
        if state is not None:
            revived.emergency.load(state)
        for event in self.journal:
            if event.seq > after:
                revived.emergency.follow(as_stored(event))
        revived.emergency.recovered()
        revived.leaves.settle(revived.now())
        return revived


def as_stored(event: Event) -> Event:
    """Return the event as the journal gives it back."""
    return decode(event.seq, encode_core(event), encode_person(event.person))
