# SPDX-License-Identifier: Apache-2.0
"""One life of a place: people come and go, the power fails, all is written down.

The law of the module: it plays the shell (a tick at each deadline, the journal, a
start in the shell's own order) through the controller's few verbs alone. Of every
outcome it checks what no outcome may break; it judges nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.command import Indicate, OpenCompartment, Release, SwitchAppliance
from edge.core.controller import Controller
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.event import Event, EventKind, decode, encode_core, encode_person
from edge.core.moment import UNBOUNDED_MS
from edge.core.order import (
    BindBegun,
    EmergencyEndOrdered,
    EmergencyOrdered,
    EntryConfirmed,
    LocalHolderOrdered,
    ModeOrdered,
    PanelOpenOrdered,
)
from edge.core.outcome import Outcome
from edge.core.stimulus import (
    CompartmentChanged,
    ContactChanged,
    ExitButtonChanged,
    FireInputChanged,
    Scan,
)
from tests.core.house.plan import PEOPLE, PLACE, booked, shown
from tests.core.house.words import word
from tests.core.scene import DAY_MS, clock_ms, moment, roster

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.core.access.ticket import SpoiltTicket, Ticket
    from edge.core.moment import Moment
    from edge.core.people.roster import Roster
    from edge.core.people.roster_row import RosterRow
    from edge.core.plan import SitePlan
    from edge.core.stimulus import Stimulus

Told = list[str]
#: A snapshot, and the seq of the event after which it was taken.
Base = tuple[str, int]


class Place:
    """A place in its first boot, 15:00 at its beginning."""

    def __init__(
        self, *bookings: str, more: tuple[RosterRow, ...] = (), site: SitePlan = PLACE
    ) -> None:
        self.site = site
        #: Whether a test has broken a rule on purpose.
        self.is_broken = False
        self.rows = (*PEOPLE, *more)
        self.roster = self._roster(*bookings)
        self.utc_ms, self.now_s = clock_ms("15:00"), 1000.0
        self.spread_ms = 0
        self.boot = 1
        self.journal: list[Event] = []
        #: The last outcome.
        self.last = Outcome()
        self._confirmed_ms = self.utc_ms
        #: The newest snapshot that an outcome asked for: older ones lack a token.
        self.kept: Base | None = None
        self.controller = Controller(site, next_seq=1)
        self._begin()

    # -- time ------------------------------------------------------------------------

    def now(self) -> Moment:
        """Return this instant."""
        latest_ms = min(UNBOUNDED_MS, self.utc_ms + self.spread_ms)
        return moment(self.utc_ms, latest_ms, s=self.now_s, boot=f"boot-{self.boot}")

    def wait(self, seconds: float) -> Told:
        """Let time pass, with a tick at every deadline; return what came of it."""
        end_s, told = self.now_s + seconds, []
        while (due_s := self.controller.deadline()) is not None and due_s <= end_s:
            self.pass_time(max(0.001, due_s - self.now_s))
            told += self.take(self.controller.tick(self.now()))
        self.pass_time(max(0.0, end_s - self.now_s))
        return told

    def wait_until(self, local: str, *, days: int = 0) -> Told:
        """Let it become that time of the scene's day, or of a later one."""
        return self.wait((clock_ms(local, days=days) - self.utc_ms) / 1000)

    def pass_time(self, seconds: float) -> None:
        """Let time pass without a tick."""
        self.now_s += seconds
        self.utc_ms += round(seconds * 1000)

    # -- what happens ----------------------------------------------------------------

    def do(self, stimulus: Stimulus) -> Told:
        """Let something happen now; return its events and wishes, shortly."""
        return self.take(self.controller.handle(stimulus, self.now()))

    def scan(
        self,
        who: str,
        at: str = "kitchen-in",
        *,
        ticket: Ticket | SpoiltTicket | None = None,
        is_secure: bool = True,
        age_s: float = 0.0,
    ) -> Told:
        """Show a credential somewhere."""
        return self.do(
            Scan(
                access_point=at,
                credential=shown(who),
                received_s=self.now_s - age_s,
                ticket=ticket,
                is_secure=is_secure,
            )
        )

    def enter(self, who: str, at: str = "kitchen-in") -> Told:
        """Show a card and walk through; the door has to open for it."""
        told = self.scan(who, at)
        assert "ACCESS_GRANTED" in told, f"{who} at {at}: {told} {self.said()}"
        self.pass_time(1)
        return told + self.walk(self.site.access_points[at].door_id)

    def swing(self, door: str, *, is_open: bool) -> Told:
        """Open or shut a leaf."""
        return self.do(ContactChanged(door=door, is_open=is_open))

    def walk(self, door: str) -> Told:
        """Open a leaf, go through and let it fall shut."""
        opened = self.swing(door, is_open=True)
        self.pass_time(1)
        return opened + self.swing(door, is_open=False)

    def press(self, door: str) -> Told:
        """Press an exit button."""
        return self.do(ExitButtonChanged(door=door, is_pressed=True))

    def fire_input(self, *, is_active: bool) -> Told:
        """Let the fire panel's contact tell its level."""
        return self.do(FireInputChanged(is_active=is_active))

    def leaf(self, number: int, *, is_open: bool) -> Told:
        """Let a compartment's feedback tell its level."""
        return self.do(CompartmentChanged(bank="bank", number=number, is_open=is_open))

    def adopt(self, *bookings: str, rows: tuple[RosterRow, ...] | None = None) -> Told:
        """Let the platform send another roster."""
        if rows is not None:
            self.rows = rows
        self.roster = self._roster(*bookings)
        self._confirmed_ms = self.utc_ms
        return self.take(self.controller.adopt(self.roster, self.now()))

    # -- what people in charge want --------------------------------------------------

    def begin(self, state: str) -> Told:
        """Begin an emergency at the panel."""
        order = EmergencyOrdered(
            state=EmergencyState(state), actor="chen", reason="test"
        )
        return self.do(order)

    def end(self, state: str) -> Told:
        """End an emergency by hand."""
        order = EmergencyEndOrdered(
            state=EmergencyState(state), actor="chen", reason="over"
        )
        return self.do(order)

    def order(self, door: str, mode: str) -> Told:
        """Order a door's mode."""
        order = ModeOrdered(
            door=door, mode=DoorMode(mode), actor="chen", reason="evening"
        )
        return self.do(order)

    def confirm(self, at: str = "kitchen-in") -> Told:
        """Let in at the panel who waits there."""
        return self.do(EntryConfirmed(access_point=at, actor="chen"))

    def open_by_hand(
        self, door: str, *, count: int = 1, cash_fen: int = 0, booking: str = ""
    ) -> Told:
        """Open a door at the panel."""
        return self.do(
            PanelOpenOrdered(
                door=door,
                actor="chen",
                reason="no card",
                count=count,
                cash_fen=cash_fen,
                booking=booking,
            )
        )

    def vouch(self, who: str, role: str, *, second: str = "luo", days: int = 5) -> Told:
        """Let two persons put somebody on the local roster."""
        return self.do(
            LocalHolderOrdered(
                holder=f"holder-{who}",
                roles=(role,),
                until_ms=self.utc_ms + days * DAY_MS,
                actor="chen",
                second=second,
            )
        )

    def bind(self, who: str, *, at: str = "desk") -> Told:
        """Let a volunteer vouch for a holder, who then taps his identity card."""
        told = self.do(BindBegun(access_point=at, holder=f"holder-{who}", actor="chen"))
        self.pass_time(5)
        return told + self.scan(f"{who}:id", at)

    # -- what is there to see --------------------------------------------------------

    def take(self, outcome: Outcome) -> Told:
        """Write an outcome down, and check what every outcome keeps to."""
        for event in outcome.events:
            expected = self.journal[-1].seq + 1 if self.journal else 1
            assert event.seq == expected, f"not gap-free: {event}"
            assert ".." not in encode_core(event), f"a token: {event}"
            assert ".." not in encode_person(event.person), f"a token: {event}"
            is_fault = event.kind is EventKind.RULE_FAULT
            assert self.is_broken or not is_fault, f"our mistake: {event}"
            self.journal.append(event)
        self.last = outcome
        if outcome.is_kept:
            self.kept = self.base()
        return self.told()

    def told(self) -> Told:
        """Return the last outcome: its events' kinds, then its wishes."""
        kinds = [event.kind.value for event in self.last.events]
        return kinds + [w for w in map(word, self.last.commands) if w]

    def said(self) -> list[tuple[str, str, str]]:
        """Return what was said at readers: indication, reason, next step."""
        return [
            (command.indication.value, command.reason, command.next_step)
            for command in self.last.commands
            if isinstance(command, Indicate)
        ]

    def reason(self) -> str:
        """Return the reason that was told at a reader; "" for none."""
        return "".join(reason for _, reason, _ in self.said())

    def releases(self) -> list[Release]:
        """Return the releases of the last outcome."""
        return [c for c in self.last.commands if isinstance(c, Release)]

    def openings(self) -> list[OpenCompartment]:
        """Return the compartments ordered open by the last outcome."""
        return [c for c in self.last.commands if isinstance(c, OpenCompartment)]

    def switched(self) -> list[bool]:
        """Return the orders to the stove of the last outcome."""
        return [c.is_on for c in self.last.commands if isinstance(c, SwitchAppliance)]

    def events(self, kind: str) -> list[Event]:
        """Return all events of a kind so far."""
        return [event for event in self.journal if event.kind == EventKind(kind)]

    def newest(self, kind: str) -> Event:
        """Return the newest event of a kind."""
        return self.events(kind)[-1]

    def mode(self, door: str) -> str:
        """Return a door's mode."""
        return self.controller.doors.mode(door).value

    def persons(self, space: str) -> int:
        """Return how many count as inside."""
        return self.controller.house.spaces.presence.persons(space)

    def states(self) -> list[str]:
        """Return the emergencies that stand, the first that counts first."""
        standing = self.controller.emergency.standing
        return [state.value for state in EmergencyState if state in standing]

    # -- power cuts ------------------------------------------------------------------

    def base(self) -> Base:
        """Return a snapshot of now, to begin from later."""
        return self.snapshot(), len(self.journal)

    def snapshot(self) -> str:
        """Return everything that must survive a power cut."""
        return self.controller.snapshot(self.now())

    def restart(
        self,
        state: str | None = None,
        after: int = 0,
        *,
        remembered: Collection[str] = (),
        off_s: float = 60.0,
    ) -> Told:
        """Lose all but the journal, a snapshot if given, and the emergency file."""
        if state is None and self.kept is not None:
            state, after = self.kept
        self.controller = Controller(self.site, next_seq=len(self.journal) + 1)
        tail = [as_stored(e) for e in self.journal if e.seq > after]
        self.controller.recover(state, tail)
        self.controller.emergency.assume([EmergencyState(name) for name in remembered])
        self.boot += 1
        self.utc_ms += round(off_s * 1000)
        self.now_s = 5.0
        return self._begin()

    def _begin(self) -> Told:
        """Adopt the roster kept on the disk, then start, as the shell does."""
        now, controller = self.now(), self.controller
        told = self.take(
            controller.adopt(self.roster, now, confirmed_ms=self._confirmed_ms)
        )
        wishes = self.last.commands
        told += self.take(controller.start(now))
        self.last = Outcome(
            events=self.last.events, commands=(*wishes, *self.last.commands)
        )
        return told

    def _roster(self, *bookings: str) -> Roster:
        return roster(*self.rows, *(booked(told) for told in bookings))


def as_stored(event: Event) -> Event:
    """Return the event as the journal gives it back."""
    return decode(event.seq, encode_core(event), encode_person(event.person))
