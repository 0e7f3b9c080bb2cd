# SPDX-License-Identifier: Apache-2.0
"""The people's side of a site on stage: rolls, local roster, orders and a desk.

The law of the module: it plays the controller's part (numbers events, lets keepers
follow, takes snapshots when asked) and judges nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge.core.access.answers import DenyReason
from edge.core.command import Indicate
from edge.core.credential import Credential, CredentialKind
from edge.core.event import Event, EventKind, decode, encode_core, encode_person
from edge.core.outcome import Outcome, OutcomeBuilder
from edge.core.people.binding import Binding
from edge.core.people.local import LocalRoster
from edge.core.people.local_orders import LocalOrders
from edge.core.people.rolls import Rolls
from edge.core.plan import AccessPointPlan, SitePlan
from edge.core.reception import Reception
from edge.core.stimulus import Scan
from tests.core.scene import clock_ms, moment, token

if TYPE_CHECKING:
    from edge.core.moment import Moment
    from edge.core.people.roster import Roster

DESK, DOOR = "desk", "kitchen-in"
PLACE = SitePlan(
    site_id="people",
    spaces={},
    doors={},
    access_points={
        DESK: AccessPointPlan(access_point_id=DESK, is_desk=True),
        DOOR: AccessPointPlan(access_point_id=DOOR, door_id="kitchen-door"),
    },
    settings_revision="set-1",
)


class Registry:
    """One boot of the people's side; 09:00 at its rise."""

    def __init__(self, known: Roster) -> None:
        self.local = LocalRoster()
        self.rolls = Rolls(PLACE, self.local, known)
        self.out = OutcomeBuilder(1, self._follow)
        reception = Reception(self.out, PLACE.settings_revision)
        self.orders = LocalOrders(self.out, self.rolls, self.local)
        self.binding = Binding(PLACE, self.out, reception, self.rolls, self.local)
        self.utc_ms = clock_ms("09:00")
        self.now_s = 100.0
        self.journal: list[Event] = []
        self.last = Outcome()

    def _follow(self, event: Event) -> None:
        self.orders.follow(event)

    def now(self) -> Moment:
        """Return this instant."""
        return moment(self.utc_ms, s=self.now_s)

    def wait(self, seconds: float) -> None:
        """Let time pass and timers run out."""
        self.now_s += seconds
        self.utc_ms += round(seconds * 1000)
        self.binding.expire(self.now())
        self.orders.expire(self.now())
        self.take()

    def take(self) -> Outcome:
        """Write down what was collected."""
        self.last = self.out.take()
        self.journal += self.last.events
        return self.last

    def scan(
        self, name: str, kind: CredentialKind, *, point: str = DESK, safe: bool = True
    ) -> bool:
        """Hold something up; say whether it was about binding."""
        shown = Credential(kind=kind, token=token(name))
        scan = Scan(
            access_point=point,
            credential=shown,
            received_s=self.now_s,
            is_secure=safe,
        )
        self.binding.expire(self.now())
        holder = self.rolls.find(shown.token)
        was_taken = self.binding.scan(scan, holder, self.now())
        self.take()
        return was_taken

    def whose(self, name: str) -> str | None:
        """Return the holder whose token this is."""
        found = self.rolls.find(token(name))
        return found.holder_id if found else None

    def shown(self) -> list[str]:
        """Return what the reader showed last."""
        wishes = self.last.commands
        return [wish.indication.value for wish in wishes if isinstance(wish, Indicate)]

    def events(self, kind: EventKind) -> list[Event]:
        """Return all events of a kind."""
        return [event for event in self.journal if event.kind is kind]

    def dump(self) -> str:
        """Return the snapshot as it would be stored."""
        return json.dumps(self.orders.dump())


def rebuilt(known: Roster, snapshot: str, tail: list[Event]) -> Registry:
    """Return the site after a restart: a snapshot and the journal's tail."""
    after = Registry(known)
    after.orders.load(json.loads(snapshot))
    for event in tail:
        core, person = encode_core(event), encode_person(event.person)
        after.orders.follow(decode(event.seq, core, person))
    return after


def reasons(outcome: Outcome) -> list[DenyReason]:
    """Return why was refused."""
    denied = [e for e in outcome.events if e.kind is EventKind.ACCESS_DENIED]
    return [DenyReason(str(event.fact("reason"))) for event in denied]
